"""The counters through an outage: exact, alive, and the same when it is over."""

import json
import pathlib
import subprocess
import time

import pytest
from harness.node import completed, info
from harness.towline import BENCH, Config
from harness.wait import until

PAD = "x" * 1000
TRACE = ["java.sql.SQLException: broke", "\tat a.B.c(B.java:1)"]
MANY = 12000  # more than all batches hold


@pytest.fixture
def stalled(node, table, settings, run):
    """A running towline, and a container whose first line is in the output.

    It was there before: what it counts is shown at once.
    """
    container = node.container()
    container.write("first")
    towline = run(settings)
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


@pytest.mark.parametrize(
    "where",
    [
        {"Name": "parser", "Match": "*", "Key_Name": "log", "Parser": "slow"},
        {"Name": "kubernetes", "Match": "*", "Merge_Parser": "slow"},
    ],
    ids=["parser", "kubernetes"],
)
def test_an_expression_given_up_in_a_filter_is_counted_once(
    where, node, table, settings, run, tmp_path
):
    """Whether the record was shipped at once, or counted in an outage and then shipped."""
    parsers = tmp_path / "slow.conf"
    regex = "^(?<a>(x+x+)+)[yz]"
    parsers.write_text(f"[PARSER]\n Name slow\n Format regex\n Regex {regex}\n")
    settings.service["Parsers_File"] = parsers
    settings.filters.append(where)
    container = node.container()
    container.write("first", slow := 60 * "x")
    towline = run(settings)
    table.until_count(2)
    failures = "towline_parse_failures_total"
    towline.until_metric(failures, 1, kind="parser")
    want = ["first", slow]
    with table.locked():
        want += fill(container) + [slow]
        container.write(slow)
        counted(towline, len(want))
        towline.until_metric(failures, 2, kind="parser")
    until_shipped(towline, table, want)
    assert towline.metric(failures, kind="parser") == 2
    assert towline.said().count("was given up on a text of 60 bytes") == 1
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


def test_a_failure_is_new_once_whatever_is_killed(stalled, table, settings, run):
    towline, container = stalled
    failures = [info(f"{what} is broken", "ERROR") for what in ("disk", "net", "fan")]
    new = "app_new_failures_total"
    with table.locked():
        fill(container)
        container.write(*failures[:2])
        towline.until_metric("app_task_errors_total", 2)
        assert towline.metric(new) == 2
        lag = towline.metric("towline_lag_bytes")
        assert towline.by("towline_pod_lag_bytes", "pod") == {"matillion-agent-0": lag}
        for errors in (4, 6, 8):
            towline.kill()
            container.write(*failures[:2])
            towline = run(settings)
            towline.until_metric("app_task_errors_total", errors)
            assert towline.metric(new) == 2
    towline.kill()
    container.write(*failures)
    towline = run(settings)
    towline.until_metric("app_task_errors_total", 11)
    assert towline.metric(new) == 3
    towline.until_metric("towline_lag_bytes", 0)
    assert towline.metric(new) == 3
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
        with towline.standing():  # no Flush_ms passes between the trace's parts
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


class Tree:
    """Files that the benchmark's generator writes: of old, or line by line."""

    def __init__(self, folder, *arguments):
        self.folder, self.path = folder, f"{folder}/containers/*.log"
        command = [BENCH / "gen", "--dir", folder, "--seed", 7]
        self.process = subprocess.Popen(list(map(str, [*command, *arguments])))

    def records(self):
        assert self.process.wait(120) == 0
        return json.loads((self.folder / "truth.json").read_text())["records"]


def cpu(towline):
    """Seconds, of all threads."""
    tasks = pathlib.Path(f"/proc/{towline.process.pid}/task")
    with towline.standing():
        spent = [int(task.read_text().split()[0]) for task in tasks.glob("*/schedstat")]
    return sum(spent) / 1e9


@pytest.fixture
def sink():
    with subprocess.Popen([BENCH / "sink"], stdout=subprocess.PIPE) as done:
        yield int(done.stdout.readline())
        done.terminate()


@pytest.mark.alone
@pytest.mark.parametrize(
    "how",
    [
        ["--lines", 400_000, "--files", 4],
        ["--live", "--files", 300, "--rate", 50, "--seconds", 8],
    ],
    ids=["backlog", "live"],
)
def test_counting_costs_no_more_than_shipping(how, sink, dead_port, tmp_path, run):
    """Two read the same files at the same time: one ships, the server of one is away."""
    tree, both = Tree(tmp_path / "node", *how), []
    if "--live" not in how:
        tree.records()
    for name, port in [("ships", sink), ("counts", dead_port)]:
        (folder := tmp_path / name).mkdir()
        output = {"Name": "es", "Host": "127.0.0.1", "Port": port, "Index": "x"}
        settings = Config.of(folder, tree, output)
        settings.inputs[0]["Allowed_Roots"] = tree.folder
        both.append(run(settings))
    ships, counts = both
    records = tree.records()
    ships.until_delivered(records)
    counts.until_metric("towline_records_total", records)
    spent = cpu(ships), cpu(counts)
    assert spent[1] < 1.1 * spent[0], spent
    ships.stop()
