"""Ended often, at any point of its life: lines, records and counters agree."""

import itertools
import random
import threading

import pytest
from harness.node import completed, info
from harness.table import Table

TRACE = ["java.lang.IllegalStateException: no", "\tat a.b.C.run(C.java:7)"]


@pytest.fixture
def table(tmp_path):
    return Table(tmp_path / "logs.db")


class Writer(threading.Thread):
    """Writes until told to stop: tasks, and stack traces with gaps that the timer ends."""

    def __init__(self, containers, seed):
        super().__init__(daemon=True)
        self.containers, self.random = containers, random.Random(seed)
        self.lines, self.tasks, self.failures = [], 0, 0
        self.over = threading.Event()

    def put(self, container, *texts):
        self.lines += texts
        container.write(*texts)

    def round(self, n):
        container = self.random.choice(self.containers)
        self.put(container, *(f"{completed(1.5)} n={n}.{i}" for i in range(20)))
        self.tasks += 20
        self.put(container, f"{info('failed', 'ERROR')} n={n}", f"{TRACE[0]} {n}")
        self.failures += 1
        # The rest of the trace comes behind the timer now and then: a break.
        self.over.wait(0.002 if self.random.random() < 0.95 else 0.8)
        self.put(container, f"{TRACE[1]} {n}")

    def run(self):
        for n in itertools.count():
            if self.over.is_set():
                return
            self.round(n)

    def finish(self):
        self.over.set()
        self.join()


def lines_of(table):
    return sorted(
        line
        for d in table.documents()
        for line in d["log"].removesuffix("\n").split("\n")
    )


def check(writer, table, towline):
    """Every line in one document, every document counted once."""
    towline.until_metric("towline_lag_bytes", 0)
    assert lines_of(table) == sorted(writer.lines)
    towline.until_metric("towline_records_total", table.count())
    towline.until_metric("app_completed_tasks_total", writer.tasks)
    towline.until_metric("app_task_errors_total", writer.failures)
    assert towline.metric("towline_collisions_total") == 0


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_started_again_it_goes_on_where_it_was(how, table, config, node, run):
    containers = [node.container(pod=f"matillion-agent-{i}") for i in range(3)]
    chance = random.Random(how)
    settings = config(table.output)
    writer = Writer(containers, 1)
    writer.start()
    for _ in range(8):
        towline = run(settings)
        writer.over.wait(chance.uniform(0.1, 2))
        towline.stop() if how == "stopped" else towline.kill()
    towline = run(settings)
    writer.finish()
    check(writer, table, towline)
    towline.stop()


def test_killed_before_it_is_up_it_starts_all_the_same(table, config, node, run):
    container = node.container()
    settings = config(table.output)
    container.write(*(f"line {i}" for i in range(20000)))
    chance = random.Random(3)
    for _ in range(15):
        towline = run(settings, wait=False)
        threading.Event().wait(chance.uniform(0, 0.15))
        towline.kill()
    assert run(settings, "--exit-on-eof", wait=False).wait() == 0
    assert sorted(table.logs()) == sorted(f"line {i}" for i in range(20000))


def test_a_counter_is_never_lower_than_a_scrape_showed_it(table, config, node, run):
    writer = Writer([node.container()], 2)
    writer.start()
    settings, seen = config(table.output), 0
    for _ in range(5):
        towline = run(settings)
        for _ in range(5):
            shown = towline.metric("towline_records_total")
            assert shown >= seen
            seen = shown
        towline.kill()
    writer.finish()
    assert seen > 0
