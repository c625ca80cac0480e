"""Real containers: their logs as conmon writes them, and towline's image as it is meant to run."""

import gzip
import os
import re
import socket
import subprocess
import tempfile
import uuid
from pathlib import Path

import pytest
from harness.container import BASE, TOWLINE, Engine, why_not
from harness.node import Node, info
from harness.towline import ROOT, Towline, changed
from harness.wait import until, until_equal

MB = 1_000_000
TRACE = [
    info("TASK_FAILED task_id=7 pipeline=load_orders", "ERROR"),
    "java.lang.IllegalStateException: cannot load",
    "\tat com.matillion.agent.Task.run(Task.java:71)",
    "Caused by: java.sql.SQLException: ORA-00942",
    "\t... 3 more",
]
PATIENCE = 120  # s: a line without its newline waits 60 s for its next part
LONG = info("x" * 20_000)  # conmon cuts it: its buffer has 8 KB
SAID = [info(f"line {i}") for i in range(50)]
# Each argument is a line; of standard error when it begins with a !
PRINT = """
for line; do case $line in
!*) printf '%s\\n' "${line#!}" >&2 ;; *) printf '%s\\n' "$line" ;; esac; done
printf %s 'no newline'
"""


@pytest.fixture(scope="session")
def engine(servers):
    """Made once: tests that may ask for a server run in one process."""
    if why := why_not():
        pytest.skip(why)
    with tempfile.TemporaryDirectory(prefix="towline-containers-") as folder:
        made = Engine(Path(folder))
        try:
            if why := made.why_not():
                pytest.skip(f"no container runs here: {why}")
            yield made
        finally:
            made.close()


@pytest.fixture
def agent(engine):
    """Start a container that prints lines, in the place where the kubelet has its log."""

    def start(node, *lines, pod):
        place = node.container(pod=pod)
        place.log.unlink()  # conmon makes it
        command = ["sh", "-c", PRINT, "sh", *lines]
        return engine.run(BASE, *command, log=place.log)

    return start


def agents(agent, node):
    """Two that have ended; the records that are in their logs."""
    ran = [
        agent(node, *SAID, *TRACE, "!on stderr", pod="matillion-agent-0"),
        agent(node, LONG, pod="matillion-agent-1"),
    ]
    assert [container.wait() for container in ran] == [0, 0]
    one = [*SAID, "\n".join(TRACE), "on stderr", "no newline"]
    return {"matillion-agent-0": sorted(one), "matillion-agent-1": [LONG, "no newline"]}


def by_pod(documents):
    pods = {}
    for document in documents:
        pods.setdefault(document["kubernetes"]["pod_name"], []).append(document["log"])
    return {pod: sorted(texts) for pod, texts in sorted(pods.items())}


# ---- logs of real containers, read by the binary of the build


def test_logs_of_containers_become_documents(node, table, run, settings, agent):
    want = agents(agent, node)
    towline = run(settings)
    until_equal(lambda: by_pod(table.documents()), want, PATIENCE)
    tags = {
        line.split(" ")[2]
        for log in node.root.glob("pods/*/*/0.log")
        for line in log.open()
    }
    assert tags == {"F", "P"}  # the long line came in parts, as conmon cuts it
    (failed,) = [d for d in table.documents() if d["log"].startswith(TRACE[0])]
    assert failed["log_parsed"]["root_error_type"] == "java.sql.SQLException"
    (aside,) = [d for d in table.documents() if d["log"] == "on stderr"]
    assert aside["stream"] == "stderr"
    assert towline.metric("towline_parse_failures_total") == 0
    towline.stop()


def test_conmon_goes_on_in_a_new_file(tmp_path, node, table, run, settings, engine):
    """The kubelet renames, CRI-O has conmon open its log again, the kubelet compresses."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    place = node.container()
    place.log.unlink()
    options = ["-v", f"{pipe}:/pipe"]
    cat = ["sh", "-c", "exec cat < /pipe"]
    container = engine.run(BASE, *cat, log=place.log, options=options)
    towline = run(settings)
    want = []

    def write(to, n=1000):
        texts = [f"line {i:05d}" for i in range(len(want), len(want) + n)]
        want.extend(texts)
        to.write("".join(f"{text}\n" for text in texts))
        to.flush()

    with open(pipe, "w") as to:
        for _ in range(3):
            write(to)
            until(place.log.exists, "conmon has made no log")
            renamed = place.rename()
            write(to)  # conmon has the renamed file still
            table.until_count(len(want))
            container.reopen()
            write(to)
            packed = renamed.with_name(f"{renamed.name}.gz")
            packed.write_bytes(gzip.compress(renamed.read_bytes()))
            renamed.unlink()
    assert container.wait() == 0
    table.until_count(len(want))
    assert table.in_order() == want
    assert towline.metric("towline_lost_bytes_total") == 0
    towline.stop()


# ---- the image


@pytest.fixture
def index(servers):
    made = servers("opensearch").index(f"matillion-agent-logs-{uuid.uuid4().hex[:8]}")
    yield made
    made.delete()


@pytest.fixture
def kubelet(tmp_path):
    """The node's tree, whose links are right where it is mounted."""
    return Node(tmp_path / "log", link_root="/var/log")


class Shipped:
    """The image with our own configuration, hardened as a DaemonSet has it."""

    def __init__(self, folder, node, index, engine):
        self.folder, self.node, self.engine = folder, node, engine
        self.state = folder / "state"
        self.state.mkdir(mode=0o700)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.conf = folder / "towline.conf"
        text = changed(
            ROOT / "conf/towline.conf", HTTP_Port=self.port, Index=index.name
        )
        self.conf.write_text(text)
        self.env = {"ES_HOST": "127.0.0.1", "ES_PORT": index.server.port}

    def run(self, *options):
        mounts = {
            f"{self.node.root}/pods": "/var/log/pods:ro",
            f"{self.node.root}/containers": "/var/log/containers:ro",
            self.conf: "/etc/towline/towline.conf:ro",
            self.state: "/var/lib/towline",
        }
        hard = ["--read-only", "--read-only-tmpfs=false", "--cap-drop", "all"]
        hard += ["--security-opt", "no-new-privileges"]
        for source, target in mounts.items():
            hard += ["-v", f"{source}:{target}"]
        for name, value in self.env.items():
            hard += ["-e", f"{name}={value}"]
        return self.engine.run(
            TOWLINE,
            log=self.folder / f"{uuid.uuid4()}.log",
            memory=None if self.engine.why_no_limit else "64m",
            options=[*hard, *options],
        )

    @property
    def pages(self):
        """What it serves."""
        made = Towline(self.conf)
        made.address = "127.0.0.1", self.port
        return made


@pytest.fixture
def shipped(tmp_path, kubelet, index, engine):
    return Shipped(tmp_path, kubelet, index, engine)


def documents(index):
    return [hit["_source"] for hit in index.search(size=1000)["hits"]["hits"]]


def test_the_image_ships_with_no_rights(shipped, kubelet, index, agent, engine):
    want = agents(agent, kubelet)
    container = shipped.run()
    until_equal(lambda: by_pod(documents(index)), want, PATIENCE)
    shipped.pages.until_ready()
    rights = container.status("CapPrm", "CapEff", "CapBnd", "NoNewPrivs")
    assert [int(value, 16) for value in rights] == [0, 0, 0, 1]
    touch = engine.podman("exec", container.name, "touch", "/etc/x", check=False)
    assert "Read-only file system" in touch.stderr
    health = engine.podman("healthcheck", "run", container.name, check=False)
    assert health.returncode == 0, health.stdout + health.stderr
    peak = 1024 * int(container.status("VmHWM")[0].split()[0])
    print(f"\nthe image's towline, at most: {peak / MB:.1f} MB; {engine.why_no_limit}")
    assert peak < 64 * MB
    assert container.stop() == 0, container.said()

    more = agent(kubelet, pod="matillion-agent-2")
    assert more.wait() == 0
    container = shipped.run()
    want |= {"matillion-agent-2": ["no newline"]}
    until_equal(lambda: by_pod(documents(index)), want, PATIENCE)
    assert shipped.pages.metric("towline_read_bytes_total") < 1000  # its state was kept
    assert container.stop() == 0, container.said()


def test_another_user_needs_readable_logs(shipped, kubelet, index, agent):
    """Of the files' own mode nothing is changed: root's logs stay root's, which is said."""
    want = agents(agent, kubelet)
    for log in kubelet.root.glob("pods/*/*/0.log"):
        log.chmod(0o600)
    os.chown(shipped.state, 65532, 65532)
    container = shipped.run("--user", "65532:65532")
    until(lambda: "ermission denied" in container.said(), container.said)
    assert index.count() == 0
    for log in kubelet.root.glob("pods/*/*/0.log"):
        log.chmod(0o644)
    until_equal(lambda: by_pod(documents(index)), want, PATIENCE)
    assert container.stop() == 0, container.said()


def test_what_the_image_says_of_itself(engine):
    image, base = engine.inspect(TOWLINE, "image"), engine.inspect(BASE, "image")
    size = image["Size"] - base["Size"]
    print(f"\nthe image over its base: {size / MB:.1f} MB")
    assert 0 < size < 60 * MB
    version = re.search(r"^VERSION := (\S+)", (ROOT / "Makefile").read_text(), re.M)[1]
    labels = image["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == version
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert re.fullmatch(
        r"[\da-f]{40}(-dirty)?|unknown", labels["org.opencontainers.image.revision"]
    )
    assert image["Config"]["StopSignal"] == "SIGTERM"
    assert image["Healthcheck"]["Test"] == ["CMD", "towline", "health"]


# ---- make image


def stub(folder, name, code):
    """An engine that prints how it was called; its `info` ends with code."""
    file = folder / name
    file.write_text(
        f'#!/bin/sh\n[ "$1" != info ] || exit {code}\nprintf "%s\\n" {name} "$@"\n'
    )
    file.chmod(0o755)


@pytest.mark.parametrize(
    ("docker", "podman", "chosen"), [(0, 0, "docker"), (1, 0, "podman"), (1, 1, "")]
)
def test_the_engine_that_works_is_taken(tmp_path, docker, podman, chosen):
    """A docker without its daemon answers, but not to `info`."""
    stub(tmp_path, "docker", docker)
    stub(tmp_path, "podman", podman)
    stub(tmp_path, "buildah", 1)
    env = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "BASE": "a base"}
    env |= {"ENGINE": "", "ENGINE_ARGS": "--isolation chroot"}
    done = subprocess.run(
        [ROOT / "tools/image", "1.2"], env=env, capture_output=True, text=True
    )
    said = done.stdout.splitlines()
    if not chosen:
        assert done.returncode == 1 and "no container engine works" in done.stderr
        return
    assert said[:3] == [f"  IMAGE  towline:1.2, by {chosen}", chosen, "build"]
    assert ("--format" in said) == (chosen == "podman")
    assert {"BASE=a base", "VERSION=1.2", "--isolation", "chroot"} <= set(said)
