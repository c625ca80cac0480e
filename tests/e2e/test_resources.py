"""Memory and CPU time of an agent's container: of real control groups of the
version that this machine has, and of made trees of both."""

import pathlib
import re
import subprocess
import sys
import uuid

import pytest
from harness.cgroup import fill, v1, v2
from harness.node import info
from harness.wait import until

MOUNT = pathlib.Path("/sys/fs/cgroup")
MEMORY, CPU = "app_memory_usage_bytes", "app_cpu_usage_seconds_total"
LINES = "app_log_lines_total"
MIB = 1 << 20
WORK = """
import time
mine = b"x" * (48 << 20)
while time.process_time() < 0.5:
    pass
print("done", flush=True)
time.sleep(600)
"""


@pytest.fixture
def towline(node, config, run):
    """One that reads the control groups below a folder, and has a container's log."""

    def start(folder, container):
        container.write(info("HEARTBEAT"))
        settings = config({"Name": "null"})
        settings.service |= {"Cgroup_Path": folder, "Cgroup_Interval": 1}
        return run(settings)

    return start


def value(towline, name):
    found = [number for _, number in towline.samples(name)]
    assert len(found) < 2
    return found[0] if found else None


@pytest.mark.parametrize("version", [1, 2])
def test_a_made_tree(node, tmp_path, towline, version):
    root, container = tmp_path / "cgroup", node.container()
    slices = "kubepods.slice/kubepods-burstable.slice/kubepods-burstable-podx.slice"
    name = f"{slices}/cri-containerd-{container.id}.scope"
    folders = (v1 if version == 1 else v2)(root, name)
    fill(folders, 3000, 1.5, version)
    if version == 2:
        (root / "cgroup.controllers").write_text("cpu memory\n")
    node.container("nginx")  # it is no agent
    started = towline(root, container)
    until(lambda: value(started, MEMORY), started.metrics_page)
    assert value(started, MEMORY) == 3000
    assert value(started, CPU) == 1.5
    ((labels, _),) = started.samples(MEMORY)
    assert labels == {
        "namespace": "matillion",
        "pod": "matillion-agent-0",
        "container": "matillion-agent",
    }
    fill(folders, 4000, 1.75, version)
    until(lambda: value(started, MEMORY) == 4000, started.metrics_page)
    until(lambda: value(started, CPU) == 1.75, started.metrics_page)
    for folder in set(folders):  # the container has ended, its log stays
        folder.rename(folder.with_name("gone"))
    for name in MEMORY, CPU:  # of version 1 each is in a folder of its own
        until(lambda name=name: value(started, name) is None, started.metrics_page)
    container.restarts()
    container.write(info("HEARTBEAT"))
    name = f"{slices}/cri-containerd-{container.id}.scope"
    fill((v1 if version == 1 else v2)(root, name), 5000, 0.25, version)
    until(lambda: value(started, CPU) == 0.25, started.metrics_page)
    started.stop()


def test_as_many_containers_as_series(node, tmp_path, config, run):
    root = tmp_path / "cgroup"
    containers = [node.container(f"matillion-agent-{i}") for i in range(5)]
    for container in containers:
        fill(v2(root, f"kubepods/{container.id}"), 3000, 1.5, 2)
        container.write(info("HEARTBEAT"))
    (root / "cgroup.controllers").write_text("cpu memory\n")
    settings = config({"Name": "null"})
    settings.service |= {"Cgroup_Path": root, "Cgroup_Interval": 1, "Max_Series": 2}
    towline = run(settings)
    towline.until_metric("towline_records_total", 5)
    until(lambda: len(towline.samples(MEMORY)) == 2, towline.metrics_page)
    pods = [
        {labels["pod"] for labels, _ in towline.samples(name)} for name in (MEMORY, CPU)
    ]
    assert pods[0] == pods[1] < {labels["pod"] for labels, _ in towline.samples(LINES)}
    towline.stop()


def made_here(container):
    """Folders for a container in the machine's own control groups, or a reason why not."""
    name = f"towline-{uuid.uuid4()}/{container.id}"
    is_v2 = (MOUNT / "cgroup.controllers").exists()
    folders = (v2 if is_v2 else v1)(MOUNT, name)
    try:
        for folder in dict.fromkeys(folders):
            if is_v2:
                folder.parent.mkdir()
                (folder.parent / "cgroup.subtree_control").write_text("+memory +cpu")
            folder.mkdir(parents=not is_v2)
    except OSError as e:
        pytest.skip(f"no control group can be made here: {e}")
    return list(dict.fromkeys(folders))


def test_real_control_groups(node, towline):
    container = node.container()
    folders = made_here(container)
    work = subprocess.Popen(
        [sys.executable, "-c", "input()\n" + WORK],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        for folder in folders:
            (folder / "cgroup.procs").write_text(str(work.pid))
        work.stdin.write("\n")
        work.stdin.flush()
        assert work.stdout.readline() == "done\n"
        started = towline(MOUNT, container)
        until(lambda: value(started, MEMORY), started.metrics_page)
        assert 48 * MIB <= value(started, MEMORY) < 48 * MIB + 64 * MIB
        assert 0.4 <= value(started, CPU) < 5
        # The kernel's own figures, as another reader has them.
        stat = (folders[0] / "memory.stat").read_text()
        idle = int(re.search(r"(?m)^(?:total_)?inactive_file (\d+)$", stat)[1])
        names = ["memory.current", "memory.usage_in_bytes"]
        (usage,) = (folders[0] / n for n in names if (folders[0] / n).exists())
        assert abs(int(usage.read_text()) - idle - value(started, MEMORY)) < 4 * MIB
        started.stop()
    finally:
        work.kill()
        work.wait()
        for folder in folders:
            folder.rmdir()
            folder.parent.rmdir()


def test_no_control_groups_are_said(node, tmp_path, towline):
    container = node.container()
    started = towline(tmp_path / "nowhere", container)
    started.until_said("no control groups at .*nowhere")
    assert value(started, MEMORY) is None


def test_control_groups_of_others_are_said(node, tmp_path, towline):
    """As in a pod that does not have the node's mount."""
    fill(v2(tmp_path, f"kubepods/{'a' * 64}"), 3000, 1.5, 2)
    (tmp_path / "cgroup.controllers").write_text("cpu memory\n")
    started = towline(tmp_path, node.container())
    started.until_said("no control group of an agent's container is found")
    assert value(started, MEMORY) is None
