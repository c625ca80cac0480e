"""A node's /var/log: containers/ full of links into pods/, as the kubelet lays it."""

import dataclasses
import datetime
import itertools
import json
import os
import pathlib
import shutil
import time
import uuid


def cri(text, side="stdout", tag="F", ns=None):
    """One CRI line, of now unless told."""
    ns = time.time_ns() if ns is None else ns
    head = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ns // 10**9))
    return f"{head}.{ns % 10**9:09d}Z {side} {tag} {text}\n"


def docker(text, side="stdout"):
    """One line of Docker's json-file driver; Go's encoder escapes what HTML would read."""
    now = time.time_ns()
    second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9))
    entry = {"log": text, "stream": side, "time": f"{second}.{now % 10**9:09d}Z"}
    line = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&":
        line = line.replace(sign, f"\\u{ord(sign):04x}")
    return (line + "\n").encode()


def info(text, level="INFO"):
    """A line as Spring Boot writes it."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(
        timespec="milliseconds"
    )
    when = now.replace("+00:00", "Z")
    return f"{when} {level:>5} 1 --- [agent] [main] c.m.agent.task.TaskRunner : {text}"


def completed(seconds, pipeline="load", event="TASK_COMPLETED"):
    return info(
        f"{event} task_id={uuid.uuid4()} pipeline={pipeline} execution_time={seconds}"
    )


@dataclasses.dataclass
class Container:
    """One container's log; write() appends lines, rotate() is the kubelet's."""

    folder: pathlib.Path
    link: pathlib.Path
    restart: int = 0

    @property
    def log(self):
        return self.folder / f"{self.restart}.log"

    @property
    def id(self):
        """The runtime's, which ends the link's name."""
        return self.link.stem.rpartition("-")[2]

    def restarts(self):
        """It has ended, and the kubelet starts it anew: a log and an id of its own."""
        target = self.link.readlink()
        self.restart += 1
        self.log.touch()
        name = self.link.stem.rpartition("-")[0]
        self.link = self.link.with_name(f"{name}-{os.urandom(32).hex()}.log")
        self.link.symlink_to(target.with_name(self.log.name))

    def write(self, *texts, side="stdout", tag="F", to=None):
        data = "".join(cri(t, side, tag) for t in texts)
        self.raw(data.encode(), to)

    def raw(self, data, to=None):
        with open(to or self.log, "ab", buffering=0) as f:
            f.write(data)

    def rename(self):
        """The kubelet's half of a rotation: the writer still has the file."""
        for seconds in itertools.count():
            when = datetime.datetime.now(datetime.timezone.utc)
            when += datetime.timedelta(seconds=seconds)
            to = self.folder / f"{self.log.name}.{when:%Y%m%d-%H%M%S}"
            if not to.exists() and not to.with_name(f"{to.name}.gz").exists():
                return self.log.rename(to)

    def rotate(self):
        """Both halves; returns the renamed file."""
        renamed = self.rename()
        self.log.touch()
        return renamed


class Node:
    """link_root: where the tree will be seen, when it is mounted elsewhere."""

    def __init__(self, root, link_root=None):
        self.root = pathlib.Path(root)
        self.link_root = pathlib.Path(link_root or self.root)
        for name in "containers", "pods":
            (self.root / name).mkdir(parents=True, exist_ok=True)

    @property
    def path(self):
        """What an [INPUT] is told."""
        return f"{self.link_root}/containers/*.log"

    def container(
        self,
        pod="matillion-agent-0",
        name="matillion-agent",
        namespace="matillion",
        uid=None,
    ):
        folder = f"{namespace}_{pod}_{uid or uuid.uuid4()}/{name}"
        (self.root / "pods" / folder).mkdir(parents=True)
        file = f"{pod}_{namespace}_{name}-{os.urandom(32).hex()}.log"
        made = Container(self.root / "pods" / folder, self.root / "containers" / file)
        made.log.touch()
        made.link.symlink_to(self.link_root / "pods" / folder / made.log.name)
        return made

    def adopt(self, other):
        """Copy another node's tree into this one."""
        shutil.copytree(other.root / "pods", self.root / "pods", dirs_exist_ok=True)
        for link in (other.root / "containers").iterdir():
            inside = link.readlink().relative_to(other.link_root)
            (self.root / "containers" / link.name).symlink_to(self.link_root / inside)

    def adopt_as(self, pod, other):
        """The same of a node with one container, as if it had been this pod's."""
        (link,) = (other.root / "containers").iterdir()
        inside = link.readlink().relative_to(
            other.link_root
        )  # pods/POD/CONTAINER/N.log
        container = inside.parent.name
        folder = self.root / "pods" / f"{pod.namespace}_{pod.name}_{pod.log_uid}"
        shutil.copytree(other.root / inside.parents[1], folder)
        name = f"{pod.name}_{pod.namespace}_{container}-{os.urandom(32).hex()}.log"
        target = self.link_root / "pods" / folder.name / container / inside.name
        (self.root / "containers" / name).symlink_to(target)
