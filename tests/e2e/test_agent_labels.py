"""Agent_Labels: the labels of a pod on the series of its agent, from the API server,
as they were when the container was first seen."""

import pytest
from harness.node import completed
from harness.watched import up

UNIT, CENTRE = "matillion.com/business-unit", "matillion.com/cost-centre"
TASKS = "app_completed_tasks_total"


@pytest.fixture
def labelled(watched):
    watched.config.service["Agent_Labels"] = f"{UNIT}, {CENTRE}"
    return watched


def agent(watched, name, *texts, **labels):
    """Its log."""
    of = {UNIT: labels.get("unit"), CENTRE: labels.get("centre")}
    given = {name: value for name, value in of.items() if value}
    _, log = watched.running(*texts, name=f"matillion-agent-{name}", labels=given)
    return log


def tasks(towline, pod):
    """{(business unit, cost centre): tasks} of a pod's series."""
    return {
        (
            labels.get("matillion_com_business_unit"),
            labels.get("matillion_com_cost_centre"),
        ): value
        for labels, value in towline.samples(TASKS)
        if labels["pod"] == f"matillion-agent-{pod}"
    }


def test_series_have_the_labels_that_the_pod_had_at_first(labelled, run):
    log = agent(labelled, "a", completed(1), unit="sales", centre="4711")
    other = agent(labelled, "b", completed(1))
    towline = up(run(labelled.config))
    towline.until_metric(TASKS, 2)
    assert tasks(towline, "a") == {("sales", "4711"): 1}
    assert tasks(towline, "b") == {(None, None): 1}
    pod = f"/api/v1/namespaces/{labelled.namespace}/pods/matillion-agent-a"
    change = {"metadata": {"labels": {UNIT: "finance", "app": "x"}}}
    merge = "application/merge-patch+json"
    labelled.kube.ask("PATCH", pod, change, content_type=merge)
    for again in (False, True):
        if again:
            towline.kill()
            towline = up(run(labelled.config))
        log.write(completed(1))
        other.write(completed(1))
        towline.until_metric(TASKS, 6 if again else 4)
        assert list(tasks(towline, "a")) == [("sales", "4711")]
        assert list(tasks(towline, "b")) == [(None, None)]
    towline.stop()
