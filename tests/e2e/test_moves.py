"""Moves that meet: sides, parts and traces over rotations, copies and kills, and
a node without inotify."""

import os
import shutil
import socket

import pytest
from harness.namespace import needs
from harness.node import cri, info

TRACE = ["java.sql.SQLException: broke", "\tat a.B.c(B.java:1)", "\tat a.B.d(B.java:2)"]


def lines(first, end):
    return [f"line {i:05d}" for i in range(first, end)]


class NoInotify:
    """As a namespace: its programs get no inotify instance."""

    limit = "echo 0 > /proc/sys/user/max_inotify_instances"
    user = [*([] if os.geteuid() == 0 else ["-r"]), "-U", "--map-root-user"]
    prefix = ["unshare", *user, "sh", "-c", f'{limit} && exec "$@"', "sh"]

    def __init__(self):
        needs(*self.user)
        self.here, self.there = socket.socketpair()

    def connect(self):
        """Nothing to pass over."""

    def close(self):
        self.here.close()
        self.there.close()


def test_without_inotify_the_rescan_finds_every_move(node, table, settings, run):
    towline = run(settings, namespace=NoInotify())
    towline.until_said("no inotify")
    container = node.container()
    container.write(*lines(0, 10))
    table.until_count(10)
    with open(container.log, "ab", buffering=0) as old:  # renamed, with late bytes
        container.rotate()
        container.write(*lines(20, 30))
        old.write("".join(map(cri, lines(10, 20))).encode())
    table.until_count(30)
    shutil.copyfile(container.log, container.folder / "0.log.1")
    container.log.write_bytes(b"")  # copied and truncated
    container.write(*lines(30, 40))
    table.until_count(40)
    container.restart = 1  # a link repointed
    container.write(*lines(40, 50))
    fresh = node.root / "fresh"
    fresh.symlink_to(container.log)
    fresh.rename(container.link)
    table.until_count(50)
    with open(container.log, "ab", buffering=0) as writer:  # deleted while open
        shutil.rmtree(container.folder)
        container.link.unlink()
        writer.write("".join(map(cri, lines(50, 60))).encode())
    table.until_count(60)
    assert table.logs() == lines(0, 60)
    towline.until_metric("towline_records_total", 60)
    assert towline.metric("towline_lost_bytes_total") == 0
    towline.stop()


def copytruncate(container):
    """logrotate: each copy takes the next number, then a copy is made."""
    names = [container.folder / f"0.log.{n}" for n in range(1, 9)]
    for old, new in zip(reversed(names[:-1]), reversed(names[1:])):
        if old.exists():
            old.rename(new)
    shutil.copyfile(container.log, names[0])
    os.truncate(container.log, 0)


@pytest.mark.parametrize("killed", [False, True], ids=["live", "killed"])
def test_copied_and_truncated_again_while_the_output_takes_nothing(
    node, table, settings, run, killed
):
    towline = run(settings)
    container = node.container()
    container.write("first")
    table.until_count(1)
    want = ["first"]
    with table.locked():
        for i in range(4):
            texts = [info(f"{i} line {n:05d} {'x' * 1000}") for n in range(4000)]
            container.write(*texts)
            container.write(f"{i} left ", tag="P")
            copytruncate(container)
            container.write(f"{i} right")
            want += [*texts, f"{i} left {i} right"]
            if killed:
                towline.kill()
                towline = run(settings)
    table.until_count(len(want))
    assert table.logs() == sorted(want)
    towline.until_metric("towline_records_total", len(want))
    assert towline.metric("towline_lost_bytes_total") == 0
    towline.stop()


def test_what_is_cut_by_back_pressure_goes_on_with_what_is_on_disk(
    node, table, settings, run
):
    towline = run(settings)
    container = node.container()
    container.write("first")
    table.until_count(1)
    failed = info("failed", "ERROR")
    texts = [info(f"line {n:05d} {'x' * 1000}") for n in range(12000)]
    with table.locked():
        container.write(*texts)
        container.write("left ", tag="P")
        container.write(failed, *TRACE, side="stderr")
        container.write("right")
        towline.until_metric("towline_records_total", 12003)
    want = ["first", *texts, "left right", "\n".join([failed, *TRACE])]
    table.until_count(len(want))
    assert table.logs() == sorted(want)
    towline.stop()


@pytest.mark.parametrize("rotated", [False, True], ids=["in-place", "rotated"])
def test_what_is_open_on_both_sides_when_it_is_killed_goes_on(
    node, table, settings, run, rotated
):
    settings.inputs[0]["Flush_ms"] = 60_000  # no record is ended by time
    towline = run(settings)
    container = node.container()
    failed = info("failed", "ERROR")
    container.write("{}")
    container.write("out left ", tag="P")
    container.write(failed, TRACE[0], side="stderr")
    container.write("middle ", tag="P")
    table.until_count(1)
    if rotated:
        container.rotate()
    towline.kill()
    towline = run(settings)
    container.write(*TRACE[1:], info("next"), side="stderr")
    container.write("right")
    container.write("{1}")
    table.until_count(4)
    towline.kill()
    towline = run(settings)
    container.write("{2}")
    table.until_count(5)
    want = ["{}", "{1}", "{2}", "out left middle right", "\n".join([failed, *TRACE])]
    assert table.logs() == sorted(want)
    towline.stop()
