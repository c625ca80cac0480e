"""The stand-in agent's log, in every encoding a library writes, in a real index:
the reference document's own queries answer exactly what the agent did."""

import pytest
from harness import queries
from harness.agent import ENCODINGS
from harness.wait import until_equal


@pytest.fixture(params=ENCODINGS)
def agent(request, agents, node):
    run = agents(request.param)
    node.adopt(run.node)
    return run


def terms(field):
    return {"terms": {"field": f"log_parsed.{field}.keyword", "size": 100}}


def event(name):
    return {"term": {"log_parsed.event.keyword": name}}


def test_the_queries_answer_what_the_agent_did(agent, index, es, config, run):
    towline = run(config(es))
    towline.until_delivered(agent.records)
    towline.stop()
    assert index.count() == agent.records
    queries.check(index, agent.truth)


def test_every_field_is_there_and_the_metrics_agree(agent, index, es, config, run):
    truth = agent.truth
    towline = run(config(es))
    towline.until_delivered(agent.records)

    types = index.search(size=0, aggs={"types": terms("error_type")})
    assert queries.buckets(types, "types") == agent.errors("error_types")
    roots = index.search(size=0, aggs={"types": terms("root_error_type")})
    assert queries.buckets(roots, "types") == truth["root_errors"]
    for name, want in ("TASK_COMPLETED", "completed"), ("TASK_FAILED", "failed"):
        tasks = index.search(
            size=0, query=event(name), aggs={"pipelines": terms("pipeline")}
        )
        assert queries.buckets(tasks, "pipelines") == truth[want]
    times = index.search(
        size=0,
        query=event("TASK_COMPLETED"),
        aggs={"times": {"stats": {"field": "log_parsed.execution_time"}}},
    )["aggregations"]["times"]
    assert times["count"] == truth["execution_times"]
    assert times["sum"] == truth["completed_execution_time"]

    agent_is = {"namespace": "matillion", "container": "matillion-agent"}
    metric = towline.metric
    completed, failed = sum(truth["completed"].values()), sum(truth["failed"].values())
    towline.until_metric("app_completed_tasks_total", completed, **agent_is)
    assert metric("app_failed_tasks_total", **agent_is) == failed
    # What ends behind the history has a series that is shown at 0 for half a minute.
    until_equal(
        lambda: towline.by("app_task_errors_total", "error_type"),
        agent.errors("errors"),
    )
    sums = "app_task_execution_seconds", "app_request_duration_seconds"
    assert metric(f"{sums[0]}_count") == truth["execution_times"]
    assert metric(f"{sums[0]}_sum") == truth["completed_execution_time"]
    assert metric(f"{sums[1]}_count") == truth["requests"]
    assert metric(f"{sums[1]}_sum") == truth["request_duration"]
    assert metric("app_active_task_count") == 0
    assert metric("app_open_sessions") == truth["open_sessions"]
    assert metric("app_build_info", version="2.1.0", commit="abc123") == 1
    towline.stop()
