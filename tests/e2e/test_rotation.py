"""Rotation while towline reads: every line once, whoever renames what and when."""

import re

import pytest
from harness import agent, queries
from harness.node import info


@pytest.fixture
def towline(table, config, run):
    """Running, with one output into the table."""
    return run(config(table.output))


def lines(first, end):
    return [f"line {i:05d}" for i in range(first, end)]


def test_lines_over_three_rotations_are_shipped_once(node, table, towline):
    container = node.container()
    for i in range(4):
        container.write(*lines(i * 1000, (i + 1) * 1000))
        if i < 3:
            container.rotate()
    table.until_count(4000)
    assert table.logs() == lines(0, 4000)
    towline.until_delivered(4000)
    assert towline.metric("towline_collisions_total") == 0
    towline.stop()


def test_late_bytes_in_a_renamed_file_are_shipped_once(node, table, towline):
    container = node.container()
    container.write(*lines(0, 10))
    table.until_count(10)
    with open(container.log, "ab"):  # the writer still has it
        renamed = container.rotate()
        container.write(*lines(20, 30))
        table.until_count(20)
        container.write(*lines(10, 20), to=renamed)
    table.until_count(30)
    assert table.logs() == lines(0, 30)
    towline.stop()


def test_a_partial_cut_by_a_rotation_is_one_record(node, table, towline):
    container = node.container()
    container.write("before")
    container.write("left ", tag="P")
    container.rotate()
    container.write("right")
    container.write("after")
    table.until_count(3)
    assert table.logs() == ["after", "before", "left right"]
    towline.stop()


def test_a_trace_cut_by_a_rotation_is_one_record(node, table, towline):
    head = "2026-11-22 08:00:00.001 ERROR [main] c.m.A - failed"
    trace = ["java.lang.IllegalStateException: closed", "\tat c.m.A.b(A.java:1)"]
    rest = ["\tat c.m.A.c(A.java:2)", "Caused by: java.io.IOException: gone"]
    after = "2026-11-22 08:00:00.002 INFO [main] c.m.A - next"
    container = node.container()
    container.write(head, *trace)
    container.rotate()
    container.write(*rest, after)
    table.until_count(2)
    assert table.logs() == ["\n".join([head, *trace, *rest]), after]
    towline.stop()


def test_a_deleted_file_that_was_open_is_read_to_its_end(node, table, towline):
    container = node.container()
    container.write(*lines(0, 5))
    table.until_count(5)
    with open(container.log, "ab", buffering=0) as writer:
        container.log.unlink()
        container.link.unlink()
        text = container.folder / "late"
        container.write(*lines(5, 10), to=text)
        writer.write(text.read_bytes())
    table.until_count(10)
    assert table.logs() == lines(0, 10)
    towline.stop()


def test_containers_that_come_later_are_found(node, table, towline):
    for i in range(20):
        node.container(pod=f"matillion-agent-{i}").write(f"line {i:05d}")
    table.until_count(20)
    assert table.logs() == lines(0, 20)
    towline.stop()


def test_a_live_agent_is_rotated_twice(tmp_path, index, es, config, node, run):
    towline = run(config(es))
    live = agent.finish(
        *agent.start(node.root, "spring", tasks=150, rate=30, late=4, rotate=[99, 99])
    )
    towline.until_delivered(live.records)
    towline.stop()
    assert index.count() == live.records
    queries.check(index, live.truth)
    names = [file.name for file in node.root.glob("pods/*/*/*")]
    assert sum(bool(re.fullmatch(r"0\.log\.\d{8}-\d{6}", name)) for name in names) == 2


def test_an_empty_line_that_begins_the_next_file_is_a_record(node, table, towline):
    container = node.container()
    container.write(info("before"))
    container.rotate()
    container.write("", info("after"))
    table.until_count(3)
    assert [len(log) > 0 for log in table.logs()] == [False, True, True]
    assert not any("\n" in log for log in table.logs())
    towline.stop()


def test_a_trace_cut_behind_its_empty_line_is_one_record(node, table, towline):
    lines = [
        info("failed", "ERROR"),
        "",
        "java.io.IOException: gone",
        "\tat a.B.c(B:1)",
    ]
    container = node.container()
    container.write(*lines[:2])
    container.rotate()
    container.write(*lines[2:], info("after"))
    table.until_count(2)
    assert "\n".join(lines) in table.logs()
    towline.stop()


def test_an_empty_line_that_ends_a_file_is_a_record(node, table, towline):
    container = node.container()
    container.write(info("before"), "")
    container.rotate()
    container.write(info("after"))
    table.until_count(3)
    assert [len(log) > 0 for log in table.logs()] == [False, True, True]
    towline.stop()


def test_older_rotated_files_do_not_tear_a_record(node, table, towline):
    container = node.container()
    for i in range(4):
        container.write(*lines(i * 10, i * 10 + 10))
        container.write(f"{i} left ", tag="P")
        container.rotate()
        container.write(f"{i} right")
        table.until_count(11 * (i + 1))
    assert {f"{i} left {i} right" for i in range(4)} <= set(table.logs())
    towline.stop()
