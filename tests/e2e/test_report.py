"""towline report over a server and over sqlite, held against the truth and
against each other."""

import json
import re

import pytest
from harness.node import completed, info
from harness.towline import towline


def report(config, *arguments):
    done = towline("report", *arguments, "-c", config.write(), "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def both(agents, node, index, es, table, config, run):
    """A configuration for each of the two outputs, both filled by one run."""
    node.adopt(agents("ecs").node)
    assert run(config(es, table.output), "--exit-on-eof", wait=False).wait(120) == 0
    index.refresh()
    return config(es), config(table.output)


def test_both_outputs_give_the_same_reports(agents, both):
    truth = agents("ecs").errors("error_types")
    server, embedded = (report(c, "errors") for c in both)
    assert server == embedded
    assert {row["error_type"]: row["count"] for row in server} == truth

    for by in [], ["--by", "pipeline"], ["--by", "pod"]:
        server, embedded = (report(c, "performance", *by) for c in both)
        assert len(server) == len(embedded) > 0
        for one, other in zip(server, embedded, strict=True):
            for column in set(one) - {"p50", "p95", "p99"}:
                assert one[column] == other[column]
            for column in "p50", "p95", "p99":
                assert one[column] == pytest.approx(other[column], rel=0.02)


def test_errors_by_pod_and_as_a_table(agents, both):
    truth = agents("ecs").errors("error_types")
    for config in both:
        (row,) = report(config, "errors", "--by", "pod")
        assert row["pod"] == "matillion-agent-ecs"
        assert row["count"] == sum(truth.values())
        done = towline("report", "errors", "-c", config.write())
        assert done.returncode == 0
        for kind, n in truth.items():
            assert re.search(rf"{re.escape(kind)} +{n} ", done.stdout), done.stdout


# Records of an agent that are errors, most of them without the word in the line.
ERRORS = [
    info("the word", "ERROR"),
    info("no word", "FATAL"),
    "2026-11-22 08:00:00.001 SEVERE [t-1] c.m.T - no word",
    '{"level":"error","message":"lower","error_type":"X"}',
    '{"short_message":"no word","level":3,"_error_type":"X"}',
    '{"short_message":"no word","level":0}',
    '{"severity":"CRITICAL","message":"no word"}',
    "[2026-11-22T08:00:00,001][FATAL][c.m.agent.Task] no word",
    "2026-11-22 08:00:00 | SEVERE | c.m.agent.Task | no word",
    "26/11/22 08:00:00 ERROR Task: the word",
    '{"level":"FATAL","load":NaN}',
    '{"deep":' + "[" * 20 + "]" * 20 + ',"level":"FATAL"}',
]
FAILED = [info("TASK_FAILED task_id=1 error_type=X"), info("TASK_FAILED", "ERROR")]
NO_ERRORS = [
    info("Retrying after an ERROR"),
    '{"short_message":"an ERROR was here","level":4}',
    info("error_type=X of what was no error"),
]
TASKS = [completed(1), completed(2, event="JOB_DONE"), info("TASK_COMPLETED")]
NO_TASKS = [
    info('a user typed "TASK_COMPLETED"'),
    info("TASK_COMPLETED=3 in the cache"),
    info("TASK_STARTED task_id=1 before TASK_COMPLETED"),
]


def test_reports_count_what_the_metrics_count(
    node, index, es, table, config, run, tmp_path
):
    node.container().write(*ERRORS, *FAILED, *NO_ERRORS, *TASKS, *NO_TASKS)
    others = {"name": "metrics-exporter"}, {"pod": "matillion-agent-script-runner"}
    for names in others:
        node.container(**names).write(*ERRORS, *FAILED, *TASKS)
    settings = config(es, table.output)
    (tmp_path / "agent-events.conf").write_text(
        "[EVENT]\n    Word JOB_DONE\n    Means task_completed\n"
    )
    started = run(settings)
    started.until_metric("app_completed_tasks_total", len(TASKS))
    # one failed task logged below ERROR
    started.until_metric("app_task_errors_total", len(ERRORS) + len(FAILED) - 1)
    records = 3 * len(ERRORS + FAILED + TASKS) + len(NO_ERRORS + NO_TASKS)
    started.until_delivered(2 * records)
    started.stop()
    index.refresh()
    for output in es, table.output:
        one = config(output)
        rows = report(one, "errors")
        counts = {row["error_type"]: row["count"] for row in rows}
        assert counts == {"X": 3, "UNKNOWN": 11}
        (tasks,) = report(one, "performance")
        assert (tasks["tasks"], tasks["mean"]) == (len(TASKS), 1.5)
        text = towline("report", "errors", "-c", one.write()).stdout
        assert "10 of the records are without the word ERROR in log" in text
        done = towline("report", "performance", "-c", one.write(), "--json")
        assert "1 of the records is without the word TASK_COMPLETED" in done.stderr


def test_percentiles_are_those_of_the_times(node, table, config, run):
    node.container().write(*(completed(i / 8) for i in range(1, 1001)))
    settings = config(table.output)
    assert run(settings, "--exit-on-eof", wait=False).wait() == 0
    (row,) = report(settings, "performance")
    assert row["tasks"] == 1000 and row["mean"] == sum(range(1, 1001)) / 8 / 1000
    assert [row[p] for p in ("p50", "p95", "p99", "max")] == [62.5, 118.75, 123.75, 125]


def test_since_leaves_older_records_out(node, table, config, run):
    container = node.container()
    old = "2020-01-01T00:00:00Z stdout F "
    container.raw(f"{old}{completed(5)}\n".encode())
    container.write(completed(3))
    settings = config(table.output)
    assert run(settings, "--exit-on-eof", wait=False).wait() == 0
    assert [row["mean"] for row in report(settings, "performance")] == [3]
    (row,) = report(settings, "performance", "--since", "5000d")
    assert row["mean"] == 4 and row["tasks"] == 2


def test_agents_by_any_of_their_labels_and_no_others(watched, es, index, table, run):
    """As the vendor labels them, and the one whose label nobody told of."""
    settings = watched.config
    settings.outputs = [{"Match": "*"} | es, {"Match": "*"} | table.output]
    names = ["agent", "agent-pods", "runner-pods", "agents"]
    apps = [*(f"matillion-{name}" for name in names), "datadog-agent", None]
    for seconds, app in enumerate(apps, 1):
        watched.running(completed(seconds), labels={"app": app} if app else {})
    assert run(settings, "--exit-on-eof", wait=False).wait(60) == 0
    index.refresh()
    for output in settings.outputs[:]:
        settings.outputs = [output]
        (row,) = report(settings, "performance")
        assert (row["tasks"], row["mean"]) == (4, (1 + 2 + 3 + 6) / 4)


def test_lines_under_a_key_of_the_configurations(node, index, es, table, config, run):
    """Their members and the grammar's are read there, from both outputs."""
    settings = config(es, table.output)
    settings.filters[0]["Merge_Log_Key"] = "log_processed"
    lines = [
        {"level": "ERROR", "message": "no rows", "error_type": "E1"},
        {"level": "ERROR", "message": "no rows", "error_type": "E1"},
    ]
    task = {"level": "INFO", "event": "TASK_COMPLETED", "execution_time": 2.5}
    node.container().write(*map(json.dumps, [*lines, task]))
    assert run(settings, "--exit-on-eof", wait=False).wait(120) == 0
    index.refresh()
    for output in es, table.output:
        settings = config(output)
        settings.filters[0]["Merge_Log_Key"] = "log_processed"
        (row,) = report(settings, "errors")
        assert (row["error_type"], row["count"]) == ("E1", 2)
        (row,) = report(settings, "performance")
        assert row["mean"] == 2.5
