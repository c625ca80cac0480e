"""What a running towline has given up: it opens nothing that its configuration
does not name.  What each grant lets through is tests/unit/test_fence.c's."""

import os
import pathlib
import platform
import signal
import sqlite3
import time

import pytest
from harness import refused
from harness.namespace import can_mount, mount_in, mounted
from harness.node import Node, cri
from harness.towline import SANITIZED
from harness.wait import until

LANDLOCK = r"Landlock \d+: nothing is opened but what the configuration names"


@pytest.fixture
def confined(run):
    """Start towline; skip where the kernel has no Landlock."""

    def start(settings, **options):
        towline = run(settings, **options)
        if towline.until_said(f"{LANDLOCK}|no Landlock here")[0] == "no Landlock here":
            pytest.skip(f"Linux {platform.release()} without Landlock")
        return towline

    return start


@pytest.mark.parametrize("name", ["ENOSYS", "EOPNOTSUPP", "EPERM"])
def test_a_kernel_without_it_ships(node, table, settings, run, name):
    node.container().write("a line")
    under = refused.prefix(refused.LANDLOCK_CREATE_RULESET, name)
    towline = run(settings, under=under)
    table.until_count(1)
    assert "info  run   no Landlock here" in towline.stop()


def test_it_can_be_turned_off(node, table, settings, run):
    node.container().write("a line")
    settings.service["Landlock"] = "off"
    towline = run(settings)
    table.until_count(1)
    assert "Landlock is off" in towline.stop()


def test_the_process_is_shown_all_the_same(node, table, settings, confined):
    node.container().write("a line")
    towline = confined(settings)
    table.until_count(1)
    pid = towline.process.pid
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    resident = 1024 * int(status.split("VmRSS:")[1].split()[0])
    shown = towline.metric("process_resident_memory_bytes")
    assert 0.7 * resident < shown < 1.4 * resident
    assert towline.metric("process_virtual_memory_bytes") > shown
    fds = len(os.listdir(f"/proc/{pid}/fd"))
    assert abs(towline.metric("process_open_fds") - fds) <= 2
    assert towline.metric("process_cpu_seconds_total") > 0
    assert abs(towline.metric("process_start_time_seconds") - time.time()) < 60
    towline.stop()


def hup(towline, settings):
    settings.write()
    towline.process.send_signal(signal.SIGHUP)


OUTSIDE = {
    "Path": lambda s, at: s.inputs.append(s.inputs[0] | {"Path": f"{at}/*.log"}),
    "Allowed_Roots": lambda s, at: s.inputs[0].update(Allowed_Roots=at),
    "sqlite": lambda s, at: s.outputs.append({**s.outputs[0], "Path": f"{at}/x.db"}),
    "state": lambda s, at: s.service.update(State_Path=f"{at}/state"),
    "a file": lambda s, at: s.filters[0].update(Kube_CA_File=f"{at}/ca.crt"),
}


@pytest.mark.parametrize("change", OUTSIDE.values(), ids=OUTSIDE)
def test_a_reload_beyond_it_is_refused(
    node, table, settings, confined, run, tmp_path_factory, change
):
    outside = tmp_path_factory.mktemp("outside")
    (outside / "ca.crt").write_text("")
    container = node.container()
    container.write("one")
    towline = confined(settings)
    table.until_count(1)
    change(settings, outside)
    hup(towline, settings)
    towline.until_said(f"{outside}.* was not named .*: restart towline")
    container.write("two")
    table.until_count(2)
    towline.stop()
    towline = run(settings)
    container.write("three")
    table.until_count(3)
    towline.stop()


def test_a_reload_within_it_goes_on(node, table, settings, confined):
    """Files are replaced by others of their name, as editors and mounts do."""
    container = node.container()
    container.write("one")
    towline = confined(settings)
    table.until_count(1)
    file = towline.file
    file.rename(file.with_suffix(".old"))
    settings.inputs[0]["Path"] = f"{node.root}/containers/matillion*.log"
    hup(towline, settings)
    towline.until_said("the configuration was read again and is right")
    container.write("two")
    table.until_count(2)
    towline.stop()


def test_a_mount_over_a_root_after_the_start_is_said(
    tmp_path, table, settings, confined, run
):
    if not can_mount():
        pytest.skip("no private mounts here")
    node = Node(tmp_path / "log", link_root="/var/log")
    settings.inputs[0]["Path"] = node.path
    container = node.container()
    container.write("one")
    towline = confined(settings, under=mounted(node.root, "/var/log"))
    table.until_count(1)
    over = Node(tmp_path / "over", link_root="/var/log")
    late = over.container("matillion-agent-1")
    late.write("two")
    for name in "pods", "containers":
        mount_in(towline.process.pid, over.root / name, f"/var/log/{name}")
    towline.until_said("/var/log/containers cannot be read: .*; restart towline")
    towline.stop()
    assert table.logs() == ["one"]
    for name in "pods", "containers":
        (node.root / name).rename(node.root / f"{name}.old")
        (over.root / name).rename(node.root / name)
    towline = run(settings, under=mounted(node.root, "/var/log"))
    table.until_count(2)
    towline.stop()


def test_a_root_that_comes_late_is_read(tmp_path, node, table, settings, confined):
    """Its nearest parent that was there has been granted."""
    settings.inputs[0]["Path"] = f"{tmp_path}/a/b/c/*.log"
    towline = confined(settings)
    folder = tmp_path / "a/b/c"
    folder.mkdir(parents=True)
    (folder / "x.log").write_text(cri("a line"))
    table.until_count(1)
    assert "cannot be read" not in towline.stop()


def test_a_database_in_wal_mode_is_taken_over(
    tmp_path_factory, table, settings, confined, node
):
    """It lies where nothing may be made beside it."""
    folder = tmp_path_factory.mktemp("flb") / "a? 100%#"
    folder.mkdir()
    container = node.container()
    container.write("one", "two")
    size = len(container.log.read_bytes().splitlines(keepends=True)[0])
    db = sqlite3.connect(folder / "flb.db", isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE in_tail_files (inode INTEGER, offset INTEGER)")
    row = container.log.stat().st_ino, size
    db.execute("INSERT INTO in_tail_files VALUES (?, ?)", row)
    db.close()
    assert [p.name for p in pathlib.Path(folder).iterdir()] == ["flb.db"]
    settings.inputs[0]["DB"] = folder / "flb.db"
    towline = confined(settings)
    table.until_count(1)
    assert table.logs() == ["two"]
    assert "going on where Fluent Bit stopped: 1 files" in towline.stop()


@pytest.mark.parametrize("given", [True, False])
def test_a_program_is_run_when_one_is_configured(
    node, table, settings, confined, given, tmp_path
):
    """Kube_Token_Command; what it writes outside of the state's directory is refused."""
    settings.filters[0] |= {"Kube_URL": "http://127.0.0.1:1", "Kube_Node_Name": "n"}
    if given:
        script = tmp_path / "token"
        script.write_text(
            f"id > /run/towline-ran; id > {tmp_path}/state/ran; echo token"
        )
        settings.filters[0]["Kube_Token_Command"] = f"sh {script}"
    node.container().write("a line")
    towline = confined(settings)
    table.until_count(1)
    said = towline.said()
    if given:
        until(lambda: (tmp_path / "state/ran").exists(), towline.said)
        assert "programs may be run, for Kube_Token_Command" in said
        assert not pathlib.Path("/run/towline-ran").exists()
    else:
        assert "and no program run" in said
    towline.stop()


@pytest.mark.parametrize("wanted", ["Off", "On"])
def test_a_fault_leaves_no_core_dump_unless_wanted(tmp_path, settings, run, wanted):
    if SANITIZED:
        pytest.skip("a sanitizer's build may be dumped, as its reports read /proc")
    settings.service["Core_Dump"] = wanted
    shell = 'cd "$0" && ulimit -c unlimited && exec "$@"'
    towline = run(settings, under=["sh", "-c", shell, str(tmp_path)])
    towline.process.send_signal(signal.SIGABRT)
    ended = os.waitid(os.P_PID, towline.process.pid, os.WEXITED | os.WNOWAIT)
    assert towline.wait() == -signal.SIGABRT
    if wanted == "On" and ended.si_code != os.CLD_DUMPED:
        pytest.skip("this machine keeps no core dumps")
    assert (ended.si_code == os.CLD_DUMPED) == (wanted == "On")
