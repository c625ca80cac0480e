"""The counters through an outage: exact, alive, and the same when it is over."""

import time

import pytest
from harness.node import completed, info
from harness.table import Table
from harness.wait import until

PAD = "x" * 1000
TRACE = ["java.sql.SQLException: broke", "\tat a.B.c(B.java:1)"]
MANY = 12000  # more than all batches hold


@pytest.fixture
def table(tmp_path):
    return Table(tmp_path / "logs.db")


@pytest.fixture
def settings(table, config):
    made = config(table.output)
    made.service["Flush"] = "0.2"
    return made


@pytest.fixture
def stalled(node, table, settings, run):
    """A running towline, and a container whose first line is in the output."""
    towline = run(settings)
    container = node.container()
    container.write("first")
    table.until_count(1)
    return towline, container


def fill(container, n=MANY):
    """Lines until nothing is shipped any more."""
    texts = [info(f"line {i:05d} {PAD}") for i in range(n)]
    container.write(*texts)
    return texts


def counted(towline, n):
    towline.until_metric("towline_records_total", n)


def until_shipped(towline, table, want):
    table.until_count(len(want))
    assert table.logs() == sorted(want)
    assert towline.metric("towline_collisions_total") == 0
    towline.until_metric("towline_lag_bytes", 0)
    counted(towline, len(want))


def test_counters_live_through_an_outage(stalled, table):
    towline, container = stalled
    want = ["first"]
    with table.locked():
        want += fill(container)
        for _ in range(3):
            tasks = [completed(12.5) for _ in range(4)]
            container.write(*tasks)
            want += tasks
            counted(towline, len(want))
        towline.until_metric("app_completed_tasks_total", 12)
    until_shipped(towline, table, want)
    towline.until_metric("app_completed_tasks_total", 12)
    towline.stop()


def test_a_kill_in_an_outage_counts_nothing_twice(stalled, table, settings, run):
    towline, container = stalled
    want = ["first"]
    with table.locked():
        want += fill(container) + [completed(12.5)]
        container.write(want[-1])
        counted(towline, len(want))
        towline.kill()
        towline = run(settings)
        want.append(completed(0.5))
        container.write(want[-1])
        counted(towline, len(want))
        towline.until_metric("app_completed_tasks_total", 2)
    until_shipped(towline, table, want)
    towline.until_metric("app_completed_tasks_total", 2)
    towline.stop()


def test_what_time_ended_while_it_was_counted_is_shipped_so(
    stalled, table, settings, run
):
    towline, container = stalled
    died = info("task died", "ERROR")
    want = ["first"]
    with table.locked():
        want += fill(container) + [died]
        container.write(died)
        counted(towline, len(want))  # nothing joined it in time
        container.write(*TRACE)
        want.append("\n".join(TRACE))
        counted(towline, len(want))
        towline.kill()
        towline = run(settings)
        counted(towline, len(want))
    until_shipped(towline, table, want)
    towline.stop()


def test_a_trace_over_a_rotation_is_counted_once(stalled, table):
    towline, container = stalled
    want = ["first"]
    with table.locked():
        want += fill(container)
        counted(towline, len(want))
        container.write(died := info("task died", "ERROR"))
        container.rotate()
        container.write(*TRACE, "next")
        want += ["\n".join([died, *TRACE]), "next"]
        counted(towline, len(want))
        container.rotate()
        container.write("last")
        want.append("last")
        counted(towline, len(want))
    until_shipped(towline, table, want)
    towline.stop()


def test_a_container_that_starts_in_an_outage_is_counted(stalled, node, table):
    towline, container = stalled
    want = ["first"]
    with table.locked():
        want += fill(container)
        counted(towline, len(want))
        new = node.container(pod="matillion-agent-1")
        new.write(completed(12.5))
        want.append(new.log.read_text().split(" ", 3)[3].rstrip("\n"))
        counted(towline, len(want))
        towline.until_metric("app_completed_tasks_total", 1)
    until_shipped(towline, table, want)
    towline.stop()


def test_an_outage_costs_nothing_while_nothing_comes(stalled, table):
    towline, container = stalled
    with table.locked():
        counted(towline, 1 + len(fill(container)))
        until(lambda: resting(towline), "towline is busy")
    towline.stop()


def resting(towline):
    """Less than a tenth of a CPU over two seconds."""
    stat = f"/proc/{towline.process.pid}/stat"

    def ticks():
        with open(stat) as file:
            return sum(map(int, file.read().rsplit(")", 1)[1].split()[11:13]))

    before = ticks()
    time.sleep(2)
    return ticks() - before < 20
