"""A node whose pods may write to /var/log: what they plant there leads nowhere.
Each test runs with the kernel's openat2, and where a seccomp profile or an old
kernel refuses it."""

import multiprocessing
import os
import re
import socket
import stat

import pytest
from harness import refused
from harness.namespace import can_mount, mount_in, mounted
from harness.node import Node, cri

SECRET = "TOPSECRET of the node"
OPENAT2 = ["openat2", "EPERM", "ENOSYS"]


@pytest.fixture(params=OPENAT2)
def under(request):
    """openat2 as it is here, or refused."""
    if request.param == "openat2":
        return []
    return refused.prefix(refused.OPENAT2, request.param)


@pytest.fixture
def run_to_end(run, under):
    def run_it(config):
        towline = run(config, "--exit-on-eof", wait=False, under=under)
        assert towline.wait() == 0, towline.said()
        return towline.said()

    return run_it


@pytest.fixture
def secret(tmp_path):
    """A file of root's in a folder of its own, outside of the node's tree."""
    made = tmp_path / "etc" / "secret.log"
    made.parent.mkdir()
    made.write_text(cri(SECRET))
    made.chmod(0o600)
    return made


@pytest.fixture
def var_log(tmp_path, under):
    """Its node lies at /var/log: (node, what towline is run with)."""
    if not can_mount():
        pytest.skip("no private mounts here")
    node = Node(tmp_path / "log", link_root="/var/log")
    return node, [*mounted(node.root, "/var/log"), *under]


@pytest.fixture
def at_var_log(var_log, settings):
    settings.inputs[0]["Path"] = var_log[0].path
    return settings


def swap(name, target):
    """Rename a directory away, and put a link in its place, at once."""
    fresh = name.with_name("fresh")
    fresh.symlink_to(target)
    name.rename(name.with_name(f"{name.name}.old"))
    fresh.rename(name)


@pytest.mark.parametrize("name", ["EPERM", "ENOSYS"])
def test_a_kernel_without_openat2_ships(node, table, settings, run, name):
    container = node.container()
    container.write("one")
    under = refused.prefix(refused.OPENAT2, name)
    towline = run(settings, under=under)
    table.until_count(1)
    container.rotate()
    container.write("two")
    table.until_count(2)
    said = towline.stop()
    assert said.count("openat2 is refused") == 1
    assert "cannot read" not in said


@pytest.mark.parametrize("where", ["folder", "/"])
def test_pods_become_a_link(var_log, at_var_log, table, run, secret, where):
    node, under = var_log
    container = node.container()
    writer = open(container.log, "ab", buffering=0)
    container.write("one")
    towline = run(at_var_log, under=under, environment={"ES_PASSWORD": SECRET})
    table.until_count(1)
    environ = f"/proc/{towline.process.pid}/environ"
    for i, target in enumerate([secret, environ, f"/var/log/pods{secret}"]):
        (node.root / f"containers/evil{i}.log").symlink_to(target)
    swap(node.root / "pods", secret.parent if where == "folder" else where)
    (node.root / "containers/late.log").symlink_to("/var/log/pods/secret.log")
    towline.until_said("/var/log/pods is a link")
    with writer:
        writer.write(cri("two").encode())
        table.until_count(2)
    (node.root / "pods").unlink()
    (node.root / "pods.old").rename(node.root / "pods")
    towline.until_said("/var/log/pods is what it should be")
    node.container("matillion-agent-1").write("three")
    table.until_count(3)
    said = towline.stop()
    assert table.logs() == ["one", "three", "two"]
    assert said.count("/var/log/pods is a link") == 1


def test_containers_become_a_link(var_log, at_var_log, table, run, secret):
    node, under = var_log
    node.container().write("one")
    towline = run(at_var_log, under=under)
    table.until_count(1)
    swap(node.root / "containers", secret.parent)
    towline.until_said("/var/log/containers is a link")
    (node.root / "containers").unlink()
    (node.root / "containers.old").rename(node.root / "containers")
    node.container("matillion-agent-1").write("two")
    table.until_count(2)
    towline.stop()
    assert table.logs() == ["one", "two"]


def test_pods_are_a_link_at_the_start(var_log, at_var_log, table, run, secret):
    """Unless the configuration names where they lead to."""
    node, under = var_log
    container = node.container()
    container.write("one")
    swap(node.root / "pods", "/var/log/pods.old")
    (node.root / "containers/evil.log").symlink_to(secret)
    assert run(at_var_log, "--exit-on-eof", wait=False, under=under).wait() == 0
    assert table.logs() == []
    at_var_log.inputs[0]["Allowed_Roots"] = "/var/log/pods.old"
    assert run(at_var_log, "--exit-on-eof", wait=False, under=under).wait() == 0
    assert table.logs() == ["one"]


def test_another_directory_is_refused_until_it_is_a_mount(
    var_log, at_var_log, table, run, tmp_path
):
    node, under = var_log
    at_var_log.service["Landlock"] = "off"  # behind it no mount is read: test_landlock
    node.container().write("one")
    towline = run(at_var_log, under=under)
    table.until_count(1)
    (node.root / "pods").rename(node.root / "pods.old")
    (node.root / "pods").mkdir()
    forged = node.container("matillion-agent-1")
    forged.write("forged")
    towline.until_said("/var/log/pods is another directory than it was")
    towline.until_said("cannot read .*matillion-agent-1")
    assert table.logs() == ["one"]
    forged.log.write_text(cri("mounted"))
    mount_in(towline.process.pid, node.root / "pods", "/var/log/pods")
    table.until_count(2)
    towline.stop()
    assert table.logs() == ["mounted", "one"]


def test_other_files_of_var_log_are_not_read(var_log, at_var_log, table, run):
    """The root of a Path is its directory, never that directory's parent."""
    node, under = var_log
    (node.root / "auth.log").write_text(cri(SECRET))
    (node.root / "containers/evil.log").symlink_to("/var/log/auth.log")
    (node.root / "containers/evil2.log").symlink_to("../auth.log")
    os.link(node.root / "auth.log", node.root / "containers/evil3.log")
    os.link(
        node.root / "auth.log",
        node.container("matillion-agent-1").log.with_name("1.log"),
    )
    node.container().write("a line")
    towline = run(at_var_log, "--exit-on-eof", wait=False, under=under)
    assert towline.wait() == 0
    assert table.logs() == ["a line"]


def test_elsewhere_a_directory_is_made_anew(tmp_path, table, settings, run, under):
    """As a deploy does; one that has become a link is refused."""
    folder, outside = tmp_path / "app", tmp_path / "outside"
    for made in folder, outside:
        made.mkdir()
    settings.inputs[0] |= {"Path": f"{folder}/*.log", "Refresh_Interval": "0.2"}
    (folder / "a.log").write_text(cri("one"))
    (outside / "b.log").write_text(cri(SECRET))
    towline = run(settings, under=under)
    table.until_count(1)
    folder.rename(tmp_path / "app.1")
    folder.mkdir()
    (folder / "a.log").write_text(cri("two"))
    table.until_count(2)
    towline.until_said(f"{folder} is another directory now")
    swap(folder, outside)
    towline.until_said(f"{folder} is a link")
    folder.unlink()
    folder.mkdir()
    (folder / "c.log").write_text(cri("three"))
    table.until_count(3)
    towline.stop()
    assert table.logs() == ["one", "three", "two"]


def test_pseudo_file_systems_are_never_read(
    tmp_path, node, table, settings, run_to_end
):
    """Whatever is allowed."""
    node.container().write("a line")
    for i, name in enumerate(
        ["/proc/version", "/sys/kernel/mm/transparent_hugepage/enabled"]
    ):
        (node.root / f"containers/evil{i}.log").symlink_to(name)
    settings.inputs[0]["Allowed_Roots"] = "/, /proc"
    said = run_to_end(settings)
    assert table.logs() == ["a line"]
    assert "a file system that has no files of its own" in said
    assert "/proc is no directory of a file system for files" in said


def test_a_hard_link_in_another_pods_directory_is_not_read(
    node, table, settings, run, under
):
    container = node.container()
    container.write("one")
    towline = run(settings, under=under)
    table.until_count(1)
    evil = node.container("matillion-agent-evil")
    evil.write("evil")
    table.until_count(2)
    os.link(container.log, evil.folder / "1.log")
    (node.root / "containers/evil.log").symlink_to(evil.folder / "1.log")
    towline.until_said("cannot read .*evil.log: it is a second name")
    container.write("two")
    container.rotate()
    container.write("three")
    table.until_count(4)
    towline.stop()
    container.write("four")
    towline = run(settings, under=under)
    table.until_count(5)
    towline.stop()
    pods = {d["log"]: d["kubernetes"]["pod_name"] for d in table.documents()}
    assert pods.pop("evil") == "matillion-agent-evil"
    assert pods == dict.fromkeys(["one", "two", "three", "four"], "matillion-agent-0")


def test_a_hard_link_goes_on_by_its_own_name_after_a_restart(
    node, table, settings, run, under
):
    container = node.container("matillion-agent-own")
    container.write("one")
    towline = run(settings, under=under)
    table.until_count(1)
    towline.stop()
    evil = node.container(
        "matillion-agent-evil"
    )  # found before the other, or behind it
    evil.log.unlink()
    os.link(container.log, evil.log)
    container.write("two")
    towline = run(settings, under=under)
    table.until_count(2)
    towline.until_said("cannot read .*evil.*: it is a second name")
    towline.stop()
    pods = {d["kubernetes"]["pod_name"] for d in table.documents()}
    assert (table.logs(), pods) == (["one", "two"], {"matillion-agent-own"})


def test_a_rotation_by_link_and_unlink(node, table, settings, run, under):
    """For a moment the file has two names, both in its own directory."""
    container = node.container()
    container.write("one")
    towline = run(settings, under=under)
    table.until_count(1)
    os.link(container.log, container.folder / "0.log.20260101-000000")
    container.write("two")
    table.until_count(2)
    container.log.unlink()
    container.log.touch()
    container.write("three")
    table.until_count(3)
    said = towline.stop()
    assert table.logs() == ["one", "three", "two"]
    assert "second name" not in said


NAMES = [b"a\nb", b"\"a' \\", b"n" * 251, b"\xff\xfe\xc3", b"\x1b[31m\x07", b"a..b.."]


def place(root, of, name):
    """The log and what leads to it, hostile in the name of one part."""
    log, link = root + b"/pods/ns_p_%d/agent/0.log", root + b"/containers/"
    if of == "pod":
        log = root + b"/pods/ns_" + name[:200].replace(b"_", b"") + b"_%d/agent/0.log"
    elif of == "plain":
        return root + b"/plain/" + name + b".log", None
    number = NAMES.index(name)
    log = log.replace(b"%d", b"%d" % number)
    return log, link + (name if of == "link" else b"%d" % number) + b".log"


@pytest.mark.parametrize("of", ["link", "pod", "plain"])
def test_hostile_names(node, table, settings, run, under, of):
    """The lines come once over a restart, and no message is forged."""
    if of == "plain":
        settings.inputs[0]["Path"] = f"{node.root}/plain/*.log"
    settings.inputs[0]["Path_Key"] = "file"
    for i in range(2):
        for number, name in enumerate(NAMES):
            log, link = place(os.fsencode(node.root), of, name)
            os.makedirs(os.path.dirname(log), exist_ok=True)
            if link and not os.path.lexists(link):
                os.symlink(log, link)
            with open(log, "ab") as f:
                f.write(cri(f"file {number} line {i}").encode())
        towline = run(settings, "-v", under=under)
        table.until_count((i + 1) * len(NAMES))
        said = towline.stop()
        head = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \w+ +\w+ ")
        assert all(head.match(line) for line in said.splitlines())
        assert "\x1b" not in said
    assert table.logs() == [
        f"file {n} line {i}" for n in range(len(NAMES)) for i in range(2)
    ]
    assert len({d["file"] for d in table.documents()}) == len(NAMES)


def test_devices_fifos_sockets(node, table, settings, run_to_end, tmp_path):
    """None is opened: the writer of a FIFO waits on."""
    kinds = [
        node.container(f"matillion-agent-{x}") for x in ("fifo", "device", "socket")
    ]
    for container in kinds:
        container.log.unlink()
    os.mkfifo(kinds[0].log)
    if os.geteuid() == 0:
        os.mknod(kinds[1].log, stat.S_IFCHR | 0o666, os.makedev(1, 5))  # /dev/zero
    else:
        kinds[1].log.symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as s:
        here = os.open(kinds[2].folder, os.O_PATH)
        s.bind(f"/proc/self/fd/{here}/0.log")
        os.close(here)
        node.container().write("a line")
        run_to_end(settings)
    assert table.logs() == ["a line"]


def test_dots_loops_and_magic_links(node, table, settings, run, under, secret):
    node.container().write("a line")
    links = node.root / "containers"
    evil = node.container("matillion-agent-evil")
    evil.log.unlink()
    evil.log.symlink_to(f"../../../../{secret.relative_to(node.root.parent)}")
    away = node.root / "pods/away"
    away.symlink_to(secret.parent)
    targets = {
        "dots": node.root / "pods" / ".." / ".." / "etc" / "secret.log",
        "through": away / "secret.log",
        "self": links / "self.log",
        "a": links / "b.log",
        "b": links / "a.log",
        "magic": "/proc/self/fd/0",
        "root": f"/proc/self/root{secret}",
        "cwd": "/proc/self/cwd/x.log",
        "far": links / ("x/" * 1500),
        "folder": node.root / "pods",
        "nothing": "nothing",
    }
    for name, target in targets.items():
        (links / f"{name}.log").symlink_to(target)
    towline = run(settings, under=under)
    table.until_count(1)
    towline.until_said("cannot read")
    late = node.container("matillion-agent-1")
    late.write("late")
    table.until_count(2)
    towline.stop()
    assert table.logs() == ["a line", "late"]


def test_rotated_names_that_are_links(node, table, settings, run, under, secret):
    """They neither lead to another pod's log nor make the live one wait for it."""
    victim = node.container("matillion-agent-0")
    victim.write("victim")
    evil = node.container("matillion-agent-1")
    (evil.folder / "0.log.20260101-000000").symlink_to(victim.log)
    (evil.folder / "0.log.20260102-000000").symlink_to(secret)
    evil.write("evil")
    towline = run(settings, under=under)
    table.until_count(2)
    victim.write("victim goes on")
    table.until_count(3)
    towline.stop()
    pods = {d["log"]: d["kubernetes"]["pod_name"] for d in table.documents()}
    assert pods == {
        "victim": "matillion-agent-0",
        "victim goes on": "matillion-agent-0",
        "evil": "matillion-agent-1",
    }


def swapping(link, good, evil):
    """The link leads to one and to the other by turns; returns what stops it."""

    def swap_on():
        fresh = link.with_name("fresh")
        while True:
            for target in evil, good:
                fresh.unlink(missing_ok=True)
                fresh.symlink_to(target)
                fresh.rename(link)

    process = multiprocessing.get_context("fork").Process(target=swap_on, daemon=True)
    process.start()
    return process.kill


def test_swapped_between_check_and_open(node, table, settings, run, under, secret):
    """A directory of the way and the file itself are swapped all the time."""
    settings.inputs[0]["Refresh_Interval"] = "0.1"
    evil = [node.container(f"matillion-agent-{i}") for i in range(20)]
    stops = []
    decoys = node.root / "decoys"
    decoys.mkdir()
    for i, container in enumerate(evil):
        name = container.folder if i % 2 else container.log
        kept = decoys / f"{i}"
        name.rename(kept)
        if i % 2:
            (kept / "0.log").write_text("")
            (secret.parent / "0.log").write_text(cri(SECRET))
        name.symlink_to(kept)
        stops.append(swapping(name, kept, secret.parent if i % 2 else secret))
    towline = run(settings, under=under)
    for i in range(4):
        node.container(f"matillion-agent-own-{i}").write(f"line {i}")
        table.until_count(i + 1)
    for stop in stops:
        stop()
    towline.stop()
    assert table.logs() == [f"line {i}" for i in range(4)]
