"""towline report over a server and over sqlite, held against the truth and
against each other."""

import json
import re

import pytest
from harness.node import completed
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
    truth = agents("ecs").truth
    server, embedded = (report(c, "errors") for c in both)
    assert server == embedded
    assert {row["error_type"]: row["count"] for row in server} == truth["error_word"]

    for by in [], ["--by", "pipeline"], ["--by", "pod"]:
        server, embedded = (report(c, "performance", *by) for c in both)
        assert len(server) == len(embedded) > 0
        for one, other in zip(server, embedded, strict=True):
            for column in set(one) - {"p50", "p95", "p99"}:
                assert one[column] == other[column]
            for column in "p50", "p95", "p99":
                assert one[column] == pytest.approx(other[column], rel=0.02)


def test_errors_by_pod_and_as_a_table(agents, both):
    truth = agents("ecs").truth
    for config in both:
        (row,) = report(config, "errors", "--by", "pod")
        assert row["pod"] == "matillion-agent-ecs"
        assert row["count"] == sum(truth["error_word"].values())
        done = towline("report", "errors", "-c", config.write())
        assert done.returncode == 0
        for kind, n in truth["error_word"].items():
            assert re.search(rf"{re.escape(kind)} +{n} ", done.stdout), done.stdout


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
