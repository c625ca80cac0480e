"""Files that are cut, replaced in place, copied and deleted: each line once, and
what could not be read is said in bytes."""

import shutil
import sqlite3

import pytest
from harness.node import cri, info
from harness.wait import until


@pytest.fixture
def plain(tmp_path, settings):
    """A folder of files whose lines have no time."""
    folder = tmp_path / "plain"
    folder.mkdir()
    settings.inputs[0] |= {"Path": f"{folder}/*.log"}
    return folder


def lines(first, end):
    return [f"line {i:05d}" for i in range(first, end)]


def text(first, end, head=""):
    return head + "".join(f"{line}\n" for line in lines(first, end))


def size(file):
    return file.stat().st_size


def checkpointed(settings, n=1):
    """The state has a checkpoint of so many contents."""
    query = "SELECT path FROM contents WHERE length(checkpoints) > 0"
    until(lambda: len(stored(settings, query)) >= n, "no checkpoint")


def sizes(settings):
    return stored(settings, "SELECT size FROM contents")


def stored(settings, query):
    """What the state has, as of its last commit."""
    file = f"{settings.service['State_Path']}/state.db"
    state = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=30)
    try:
        return [row[0] for row in state.execute(query)]
    finally:
        state.close()


def lost(towline):
    """{(pod, reason): bytes}, without zeros."""
    samples = towline.samples("towline_lost_bytes_total")
    return {(had["pod"], had["reason"]): value for had, value in samples if value}


def backlog(table, towline, container):
    """More than towline takes while its output takes nothing; all of it is seen."""
    texts = [f"{line} {'x' * 1000}" for line in lines(1000, 13000)]
    container.write(*texts)
    towline.until_metric("towline_lag_bytes", size(container.log))
    return texts


# ---- with the runtime's lines


def test_truncated_to_zero_live(node, table, settings, run):
    towline = run(settings)
    container = node.container()
    container.write(*lines(0, 100))
    table.until_count(100)
    container.log.write_bytes(b"")
    container.write(*lines(100, 150))
    table.until_count(150)
    assert table.logs() == lines(0, 150)
    towline.until_metric("towline_records_total", 150)
    assert towline.metric("towline_lost_bytes_total") == 0
    towline.stop()


def test_truncated_to_zero_while_down(node, table, settings, run):
    towline = run(settings)
    container = node.container()
    container.write(*lines(0, 100))
    towline.until_delivered(100)
    towline.stop()
    container.log.write_bytes(b"")
    container.write(*lines(100, 150))
    towline = run(settings)
    table.until_count(150)
    assert table.logs() == lines(0, 150)
    towline.until_metric("towline_records_total", 150)
    assert towline.metric("towline_lost_bytes_total") == 0
    towline.stop()


@pytest.mark.parametrize("down", [False, True], ids=["live", "down"])
def test_truncated_to_less_goes_on_behind_what_is_left(
    node, table, settings, run, down
):
    towline = run(settings)
    container = node.container()
    container.write(*lines(0, 100))
    table.until_count(100)
    checkpointed(settings)
    line = size(container.log) // 100
    if down:
        towline.stop()
    with open(container.log, "ab") as file:
        file.truncate(line * 60)
    container.write(*lines(100, 120))
    if down:
        towline = run(settings)
    table.until_count(120)
    assert table.logs() == lines(0, 120)
    towline.stop()


@pytest.mark.parametrize("down", [False, True], ids=["live", "down"])
def test_regrown_beyond_the_old_size_between_two_reads(
    node, table, settings, run, down
):
    towline = run(settings)
    container = node.container()
    container.write(*lines(0, 100))
    towline.until_delivered(100)
    checkpointed(settings)
    if down:
        towline.stop()
    with open(container.log, "r+b") as file:  # in one write, over what was there
        file.write("".join(cri(line) for line in lines(100, 350)).encode())
    if down:
        towline = run(settings)
    table.until_count(350)
    assert table.logs() == lines(0, 350)
    towline.until_metric("towline_records_total", 350)
    towline.stop()


@pytest.mark.parametrize("down", [False, True], ids=["live", "down"])
def test_the_same_first_line_after_a_truncation(node, table, settings, run, down):
    towline = run(settings)
    container = node.container()
    first = cri("first", ns=10**18)
    container.raw(first.encode())
    container.write(*lines(0, 100))
    towline.until_delivered(101)
    checkpointed(settings)
    if down:
        towline.stop()
    with open(container.log, "r+b") as file:
        file.write("".join([first, *map(cri, lines(100, 350))]).encode())
    if down:
        towline = run(settings)
    table.until_count(351)
    assert table.logs() == ["first", *lines(0, 350)]
    assert towline.metric("towline_lost_bytes_total") == 0
    towline.stop()


def test_a_tail_lost_in_a_power_cut(node, table, settings, run):
    """Lines that the index has and the disk has not: what comes then is new."""
    towline = run(settings)
    container = node.container()
    container.write(*lines(0, 50))
    table.until_count(50)
    checkpointed(settings)
    towline.stop()
    run(settings).stop()
    left = size(container.log)
    container.write(*lines(50, 100))
    towline = run(settings)
    table.until_count(100)
    towline.stop()
    with open(container.log, "ab") as file:
        file.truncate(left)
    state = sqlite3.connect(f"{settings.service['State_Path']}/state.db")
    state.execute("UPDATE machine SET boot = 'another'")
    state.commit()
    state.close()
    towline = run(settings)
    towline.until_said("reading on from")
    container.write(*lines(100, 120))
    table.until_count(120)
    assert table.logs() == lines(0, 120)
    towline.until_metric("towline_records_total", 120)
    towline.stop()


TRACE = ["java.sql.SQLException: broke", "\tat a.B.c(B.java:1)"]


def test_a_trace_over_a_rotation_whose_second_file_is_truncated(
    node, table, settings, run
):
    """Nothing of it is taken yet when the file is cut: it comes once, and whole."""
    towline = run(settings)
    container = node.container()
    container.write("first")
    table.until_count(1)
    with table.locked():
        died = info("task died", "ERROR")
        container.write(died)
        container.rotate()
        container.write(*TRACE, "next")
        towline.until_metric("towline_records_total", 3)
        shutil.copyfile(container.log, container.folder / "0.log.20990101-000000")
        container.log.write_bytes(b"")
        towline.until_said("was truncated")
        container.write("last")
    table.until_count(4)
    want = sorted(["first", "\n".join([died, *TRACE]), "next", "last"])
    assert table.logs() == want
    towline.until_metric("towline_lag_bytes", 0)
    towline.kill()
    towline = run(settings)
    towline.until_metric("towline_lag_bytes", 0)
    towline.stop()
    assert table.logs() == want


def test_a_copy_beside_a_log_does_not_hide_it(node, table, settings, run):
    """At a start the older file is read first, and here that is a copy."""
    container = node.container()
    container.write(*lines(0, 10))
    shutil.copyfile(container.log, container.folder / "0.log.20200101-000000")
    towline = run(settings)
    table.until_count(10)
    container.write(*lines(10, 20))
    table.until_count(20)
    assert table.logs() == lines(0, 20)
    towline.until_metric("towline_records_total", 20)
    towline.stop()
    container.write(*lines(20, 30))
    towline = run(settings)
    table.until_count(30)
    assert table.logs() == lines(0, 30)
    towline.until_metric("towline_records_total", 30)
    towline.stop()


# ---- unread


@pytest.fixture
def stalled(node, table, settings, run):
    """A running towline, and a container with a backlog that the locked output waits for."""
    towline = run(settings)
    other = node.container(pod="matillion-agent-1")
    other.write("first")
    table.until_count(1)
    return towline, node.container()


def test_truncated_unread_is_counted_in_bytes(stalled, table):
    towline, container = stalled
    with table.locked():
        texts = backlog(table, towline, container)
        line = size(container.log) / len(texts)
        container.log.write_bytes(b"")
        until(lambda: lost(towline), lambda: towline.said())
    container.write("last")
    (what, gone), *more = lost(towline).items()
    assert what == ("matillion-agent-0", "truncated")
    assert not more and gone % line == 0
    kept = len(texts) - int(gone / line)
    assert 0 < kept < len(texts)
    table.until_count(kept + 2)
    assert table.logs() == sorted([*texts[:kept], "first", "last"])
    towline.stop()


@pytest.mark.parametrize("how", ["deleted", "truncated"])
def test_gone_unread_while_down_is_counted_in_bytes(stalled, table, settings, run, how):
    towline, container = stalled
    with table.locked():
        backlog(table, towline, container)
        seen = size(container.log)
        until(lambda: seen in sizes(settings), "the size is not stored")
        towline.kill()
    if how == "deleted":
        shutil.rmtree(container.folder)
        container.link.unlink()
    else:
        container.log.write_bytes(b"")
        container.write("last")
    for starts in range(2):  # it is counted once
        towline = run(settings)
        table.until_count(1 if how == "deleted" else 2)
        towline.until_ready()
        if starts == 0:
            until(lambda: lost(towline), lambda: towline.said())
            assert lost(towline) == {("matillion-agent-0", how): seen}
        else:
            towline.until_metric("towline_lag_bytes", 0)
            assert lost(towline) == {}
        towline.stop()


# ---- without


@pytest.mark.parametrize("down", [False, True], ids=["live", "down"])
def test_a_plain_file_with_the_same_lines_again_is_another_generation(
    plain, table, settings, run, down
):
    towline = run(settings)
    log = plain / "app.log"
    log.write_text(text(0, 100, "banner\n"))
    table.until_count(101)
    checkpointed(settings)
    if down:
        towline.stop()
    log.write_text("")
    with open(log, "a") as file:
        file.write(text(0, 50, "banner\n"))
    if down:
        towline = run(settings)
    table.until_count(152)
    assert table.logs() == sorted([*lines(0, 100), *lines(0, 50), "banner", "banner"])
    towline.until_metric("towline_records_total", 152)
    assert towline.metric("towline_collisions_total") == 0
    towline.kill()
    with open(log, "a") as file:
        file.write(text(50, 60))
    towline = run(settings)
    table.until_count(162)
    towline.stop()
    assert table.count() == 162


@pytest.mark.parametrize("down", [False, True], ids=["live", "down"])
def test_a_plain_file_regrown_beyond_its_old_size(plain, table, settings, run, down):
    towline = run(settings)
    log = plain / "app.log"
    log.write_text(text(0, 100, "banner\n"))
    table.until_count(101)
    checkpointed(settings)
    if down:
        towline.stop()
    with open(log, "r+") as file:
        file.write(text(100, 300, "banner\n"))
    if down:
        towline = run(settings)
    table.until_count(302)
    assert table.logs() == sorted([*lines(0, 300), "banner", "banner"])
    towline.stop()


@pytest.mark.parametrize("down", [False, True], ids=["live", "down"])
def test_copytruncate_loses_nothing_that_was_copied(
    plain, table, settings, run, tmp_path, down
):
    """What was not read of the original is read from the copy."""
    towline = run(settings)
    log = plain / "app.log"
    log.write_text(text(0, 100, "banner\n"))
    table.until_count(101)
    checkpointed(settings)
    towline.kill()
    if not down:
        towline = run(settings)
    with open(log, "a") as file:
        file.write(text(100, 200))
    shutil.copyfile(log, plain / "app.log.1")
    log.write_text("")
    with open(log, "a") as file:
        file.write(text(200, 250, "banner\n"))
    if down:
        towline = run(settings)
    table.until_count(252)
    assert table.logs() == sorted([*lines(0, 250), "banner", "banner"])
    towline.until_metric("towline_records_total", 252)
    assert towline.metric("towline_lost_bytes_total") == 0
    towline.stop()


def test_two_files_that_begin_alike_are_both_read(plain, table, settings, run):
    towline = run(settings)
    log = plain / "app.log"
    log.write_text(text(0, 10, "banner\n"))
    table.until_count(11)
    with open(log, "a") as writer:
        log.rename(plain / "app.log.1")
        log.write_text(text(10, 20, "banner\n"))
        table.until_count(22)
        writer.write(text(20, 30))
    table.until_count(32)
    assert table.logs() == sorted([*lines(0, 30), "banner", "banner"])
    towline.kill()
    with open(log, "a") as file:
        file.write(text(30, 40))
    towline = run(settings)
    table.until_count(42)
    towline.stop()
    assert table.count() == 42


# ---- files that come and go


def test_a_file_that_appears_before_its_first_newline(node, table, settings, run):
    towline = run(settings)
    container = node.container()
    data = cri(info("one")).encode()
    container.raw(data[:20])
    towline.until_ready()
    container.raw(data[20:-1])
    container.raw(data[-1:])
    table.until_count(1)
    towline.stop()


def test_an_inode_number_that_is_reused_at_once(plain, table, settings, run):
    towline = run(settings)
    seen = []
    for i in range(20):
        log = plain / f"app{i % 2}.log"
        log.write_text(text(i * 10, i * 10 + 10))
        seen.append(log.stat().st_ino)
        table.until_count(i * 10 + 10)
        log.unlink()
    assert table.logs() == lines(0, 200)
    towline.stop()


@pytest.mark.parametrize("what", ["link", "directory"])
def test_deleted_while_it_is_open(node, table, settings, run, what):
    towline = run(settings)
    container = node.container()
    container.write(*lines(0, 10))
    table.until_count(10)
    with open(container.log, "ab", buffering=0) as writer:
        if what == "directory":
            shutil.rmtree(container.folder)
        container.link.unlink()
        writer.write("".join(map(cri, lines(10, 20))).encode())
    table.until_count(20)
    assert table.logs() == lines(0, 20)
    assert towline.metric("towline_lost_bytes_total") == 0
    towline.stop()
