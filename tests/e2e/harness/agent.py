"""Runs of the stand-in agent (tests/agent), and what its truth file says."""

import dataclasses
import json
import os
import pathlib
import subprocess
import uuid

from .node import Node

AGENT = pathlib.Path(__file__).parents[2] / "agent"
ENCODINGS = ["logback", "spring", "colour", "logstash", "ecs"]


@dataclasses.dataclass
class Run:
    """An agent that has ended: its node's tree and its truth."""

    node: Node
    truth: dict

    @property
    def records(self):
        return self.truth["records"] + self.truth["stderr_records"]

    def errors(self, of):
        """Those of the truth's `of`, and the exception that no one caught, which the JVM says."""
        crash, logged = "java.lang.IllegalStateException", self.truth[of]
        return logged | {crash: logged.get(crash, 0) + 1}


def start(
    folder, encoding, tasks=200, rate=0, seed=1, late=0, pod=None, rotate=(), more=()
):
    """Start an agent in a container of folder's node, which rotates its files behind so
    many lines; returns node and process."""
    node = Node(folder)
    command = [
        AGENT / "cri",
        "--root",
        folder,
        "--pod",
        pod or f"matillion-agent-{encoding}",
    ]
    command += ["--uid", uuid.uuid4(), "--late", late]
    command += [f"--rotate={lines}" for lines in rotate] + ["--"]
    command += [
        AGENT / "agent",
        "--encoding",
        encoding,
        "--truth",
        folder / "truth.json",
    ]
    command += ["--tasks", tasks, "--rate", rate, "--seed", seed, *more]
    place = os.environ | {"TMPDIR": str(folder)}  # its server's, when it is killed
    return node, subprocess.Popen([*map(str, command)], env=place)


def finish(node, process):
    """Wait for its end; returns the Run."""
    assert process.wait(300) == 0
    return finished(node.root)


def finished(folder):
    """The Run that has ended there."""
    return Run(Node(folder), json.loads((folder / "truth.json").read_text()))
