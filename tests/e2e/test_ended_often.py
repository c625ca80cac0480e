"""Ended often, at any point of its life: lines, records and counters agree."""

import itertools
import random
import re
import threading
import time

import pytest
from harness.node import completed, info
from harness.wait import until_equal

TRACE = ["java.lang.IllegalStateException: no", "\tat a.b.C.run(C.java:7)"]


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
    # The last line may not be seen yet: no lag says nothing of it.
    until_equal(lambda: lines_of(table), sorted(writer.lines))
    towline.until_metric("towline_lag_bytes", 0)
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


COUNTERS = re.compile(
    r"(app_\w+(?:_total|_bucket|_sum|_count)|towline_records_total)\b"
)


def counters(towline):
    """{series: value} of what goes on over a restart, as one scrape shows it."""
    rows = (line.rpartition(" ") for line in towline.metrics_page().splitlines())
    return {
        series: float(value)
        for series, _, value in rows
        if COUNTERS.match(series) and "active" not in series
    }


def test_no_counter_is_lower_than_a_scrape_showed_it(table, config, node, run):
    containers = [node.container(pod=f"matillion-agent-{i}") for i in range(2)]
    writer = Writer(containers, 2)
    writer.round(0)  # history, of which series are shown at once
    writer.start()
    settings, seen = config(table.output), {}
    settings.service["Per_Pipeline"] = "On"
    for _ in range(5):
        towline = run(settings)
        for _ in range(8):
            shown = counters(towline)
            lower = {k: (v, shown.get(k)) for k, v in seen.items() if shown[k] < v}
            assert not lower
            seen |= shown
            writer.over.wait(0.2)
        towline.kill()
    writer.finish()
    assert any(v > 0 for k, v in seen.items() if "error_type" in k), seen
    assert any(v > 0 for k, v in seen.items() if "completed" in k)


@pytest.mark.alone
def test_counters_are_at_most_two_seconds_old(table, config, node, run):
    """Also while it writes all the time: what a scrape shows was there 2.5 s before."""
    writer = Writer([node.container()], 3)
    writer.round(0)
    writer.start()
    towline = run(config(table.output))
    towline.metrics_page()
    written = []
    for _ in range(40):
        now = time.monotonic()  # before it is asked: an answer may come late
        written.append((now, writer.tasks))
        shown = towline.metric("app_completed_tasks_total")
        old = [n for when, n in written if when < now - 2.5]
        assert shown >= max(old, default=0), written
        writer.over.wait(0.2)
    assert len(set(n for _, n in written)) > 5
    writer.finish()
    check(writer, table, towline)
    towline.stop()
