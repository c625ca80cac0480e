"""The queries of conf/elasticsearch, of the Error Explorer and of the saved objects, on
real servers: the generated agents' logs give what the agents did.  (The reference
document's two are in test_truth.py, and whole in test_reference_conf.py.)"""

import collections
import json

import pytest
from harness import grafana, queries
from harness.towline import ROOT

EXPLORER = grafana.load(grafana.FOLDER / "dashboards/error-explorer.json")
EVERY = dict.fromkeys(["namespace", "pod", "error_type", "fingerprint"], "*")
FINGERPRINT = "log_parsed.error_fingerprint.keyword"
TYPE = "log_parsed.error_type.keyword"


@pytest.fixture(params=["spring", "ecs"])
def agent(request, agents, node):
    run = agents(request.param)
    node.adopt(run.node)
    return run


@pytest.fixture
def shipped(agent, index, es, config, run):
    """The index, with all records of the agent."""
    towline = run(config(es))
    towline.until_delivered(agent.records)
    towline.stop()
    assert index.count() == agent.records
    return index


def search(index, name, **more):
    return index.search(**queries.load(name) | more)


def counted(documents, field):
    return collections.Counter(d["log_parsed"][field] for d in documents)


def failed(index):
    """The documents that have an error."""
    return index.documents({"exists": {"field": "log_parsed.error_type"}})


# ---- conf/elasticsearch/queries


def test_by_pipeline(shipped, agent):
    answer = search(shipped, "by_pipeline")
    buckets = answer["aggregations"]["pipelines"]["buckets"]
    done = {b["key"]: b["completed"] for b in buckets}
    broken = {b["key"]: b["failed"] for b in buckets}
    truth = agent.truth
    assert {k: b["doc_count"] for k, b in done.items()} == truth["completed"]
    found = {k: b["doc_count"] for k, b in broken.items() if b["doc_count"]}
    assert found == truth["failed"]
    times = [b["execution_time"] for b in done.values()]
    assert sum(t["count"] for t in times) == truth["execution_times"]
    assert sum(t["sum"] for t in times) == truth["completed_execution_time"]
    for bucket in done.values():
        of, stats = bucket["percentiles"]["values"], bucket["execution_time"]
        assert stats["min"] <= of["50.0"] <= of["95.0"] <= of["99.0"] <= stats["max"]
    kinds = [b for one in broken.values() for b in one["error_types"]["buckets"]]
    assert kinds and all(b["key"] in agent.errors("error_types") for b in kinds)


def test_failures_that_are_new_stand_first(shipped, agent):
    documents = failed(shipped)
    want = counted(documents, "error_fingerprint")
    assert sum(want.values()) == sum(agent.errors("error_types").values())
    # The most frequent was there two days ago already.
    old, _ = want.most_common(1)[0]
    (first, *_) = [d for d in documents if d["log_parsed"]["error_fingerprint"] == old]
    past = first | {"@timestamp": "2000-01-01T00:00:00Z"}
    ask = shipped.server.ask
    ask("POST", f"/{shipped.name}/_doc", past)  # beyond the thirty days
    answer = search(shipped, "new_failures")
    buckets = answer["aggregations"]["failures"]["buckets"]
    assert {b["key"]: b["doc_count"] for b in buckets} == want
    assert {b["before"]["doc_count"] for b in buckets} == {0}
    days = shipped.search(
        size=0, aggs={"t": {"date_range": RANGE}}, query={"match_all": {}}
    )["aggregations"]["t"]["buckets"][0]["to_as_string"]
    ask("POST", f"/{shipped.name}/_doc", first | {"@timestamp": days})
    answer = search(shipped, "new_failures")
    *new, last = answer["aggregations"]["failures"]["buckets"]
    assert last["key"] == old and last["before"]["doc_count"] == 1
    assert {b["key"] for b in new} == want.keys() - {old}
    assert {b["before"]["doc_count"] for b in new} == {0}
    counts = [b["doc_count"] for b in new]
    assert counts == sorted(counts, reverse=True)
    for bucket in new:
        assert bucket["pods"]["value"] == 1
        (sample,) = bucket["sample"]["hits"]["hits"]
        assert sample["_source"]["log_parsed"]["error_type"]


# Two days ago, as the server counts and writes times.
RANGE = {"field": "@timestamp", "ranges": [{"to": "now-2d"}]}


def test_slowest_tasks(shipped, agent):
    answer = search(shipped, "slowest_tasks", size=1000)
    times = [
        h["_source"]["log_parsed"]["execution_time"] for h in answer["hits"]["hits"]
    ]
    assert answer["hits"]["total"]["value"] == agent.truth["execution_times"]
    assert sum(times) == agent.truth["completed_execution_time"]
    assert times == sorted(times, reverse=True)
    first = search(shipped, "slowest_tasks")["hits"]["hits"]
    assert [h["_source"]["log_parsed"]["execution_time"] for h in first] == times[:20]
    for hit in first:
        found = hit["_source"]
        assert found["kubernetes"]["pod_name"].startswith("matillion-agent-")
        assert {"pipeline", "task_id"} <= found["log_parsed"].keys()


def test_failure_rate_over_time(shipped, agent):
    answer = search(shipped, "failure_rate")
    buckets = answer["aggregations"]["over_time"]["buckets"]
    truth = agent.truth
    assert sum(b["failed"]["doc_count"] for b in buckets) == truth["tasks_failed"]
    ended = truth["tasks_failed"] + truth["tasks_completed"]
    assert sum(b["doc_count"] for b in buckets) == ended
    assert all(b["doc_count"] for b in buckets)


def test_script_runners_and_other_applications_are_left_out(shipped):
    """A document of each, beside the agent's: by the label, by the pod's name."""
    before = search(shipped, "failure_rate")["hits"]["total"]["value"]
    (document, *_) = shipped.documents(
        {"term": {"log_parsed.event.keyword": "TASK_COMPLETED"}}, size=1
    )
    kube = document["kubernetes"]
    for more, counts in (
        ({"labels": {"app": "matillion-runner"}}, 1),
        ({"labels": {"app": "datadog-agent"}}, 0),
        ({"pod_name": "matillion-runner-script-runner-1"}, 0),
    ):
        made = document | {"kubernetes": kube | more}
        shipped.server.ask("POST", f"/{shipped.name}/_doc", made)
        before += counts
        found = search(shipped, "failure_rate")["hits"]["total"]["value"]
        assert found == before, more


# ---- the Error Explorer


def panel(title):
    (found,) = [p for p in grafana.panels(EXPLORER) if p["title"] == title]
    return found["targets"]


def shown(index, title, n=0, **chosen):
    """The rows of a panel's query."""
    target = panel(title)[n]
    body = grafana.search(target, **EVERY | chosen)
    return grafana.rows(target, index.search(**body))


def summed(rows, field, metric="count"):
    sums = collections.Counter()
    for row in rows:
        sums[row[field]] += row[metric]
    return dict(sums)


def test_the_error_explorer_shows_what_the_agents_logged(shipped, agent):
    types = agent.errors("error_types")
    want = counted(failed(shipped), "error_fingerprint")
    (errors,) = shown(shipped, "Errors")
    assert errors["count"] == sum(types.values())
    assert shown(shipped, "Kinds of failure")[0]["cardinality"] == len(want)
    assert shown(shipped, "Agents with errors")[0]["cardinality"] == 1
    assert summed(shown(shipped, "Errors over time, by type"), TYPE) == dict(
        collections.Counter(types).most_common(10)
    )
    for title, order in ("Top failures", "count"), ("Newest failures", "min"):
        rows = shown(shipped, title)
        assert {r[FINGERPRINT]: r["count"] for r in rows} == want
        assert summed(rows, TYPE) == types
        assert {r["cardinality"] for r in rows} == {1}
        assert all(r["min"] <= r["max"] for r in rows)
        values = [r[order] for r in rows]
        assert values == sorted(values, reverse=True), title
    samples = shown(shipped, "Top failures", 1)
    messages = collections.defaultdict(set)
    for document in failed(shipped):
        parsed = document["log_parsed"]
        messages[parsed["error_fingerprint"]].add(parsed["error_message"])
    assert {r[FINGERPRINT] for r in samples} == want.keys()
    for row in samples:
        assert row["log_parsed.error_message.keyword"] in messages[row[FINGERPRINT]]
    by_pipeline = shown(shipped, "Failed tasks by pipeline")
    assert summed(by_pipeline, "log_parsed.pipeline.keyword") == agent.truth["failed"]
    (row,) = shown(shipped, "Errors by agent")
    assert row["count"] == sum(types.values())


def test_a_chosen_failure_has_its_records_alone(shipped):
    documents = failed(shipped)
    want = counted(documents, "error_fingerprint")
    chosen, number = want.most_common()[-1]
    target = panel("Records")[0]
    body = grafana.search(target, **EVERY | {"fingerprint": f'("{chosen}")'})
    hits = shipped.search(**body)["hits"]
    assert hits["total"]["value"] == len(hits["hits"]) == number
    found = {h["_source"]["log_parsed"]["error_fingerprint"] for h in hits["hits"]}
    assert found == {chosen}
    kind = documents[0]["log_parsed"]["error_type"]
    (row,) = shown(shipped, "Errors", error_type=f'("{kind}" OR "none")')
    assert row["count"] == counted(documents, "error_type")[kind]
    assert shown(shipped, "Errors", pod='("nobody")') == []


def test_a_variable_finds_its_values(shipped, agent):
    variables = grafana.variables(EXPLORER)
    query = json.loads(variables["error_type"]["query"])
    assert query.pop("find") == "terms"
    answer = shipped.search(size=0, aggs={"values": {"terms": query}})
    assert queries.buckets(answer, "values") == agent.errors("error_types")


# ---- saved objects: their searches, as Kibana makes them of a visualization


def visualizations():
    text = (ROOT / "conf/elasticsearch/saved-objects.ndjson").read_text()
    for one in map(json.loads, text.splitlines()):
        if one["type"] == "visualization":
            meta = one["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"]
            state = json.loads(one["attributes"]["visState"])
            yield state["title"], state["aggs"], json.loads(meta)["query"]["query"]


def body_of(aggs, query):
    inner = {}
    for agg in aggs:
        params = dict(agg["params"])
        if agg["type"] in ("min", "max", "avg"):
            inner[agg["id"]] = {agg["type"]: {"field": params["field"]}}
        elif agg["type"] == "top_hits":
            sort = [{params["sortField"]: params["sortOrder"]}]
            hits = {"docvalue_fields": [params["field"]], "sort": sort}
            inner[agg["id"]] = {"top_hits": hits | {"size": params["size"]}}
    for agg in reversed(aggs):
        params = agg["params"]
        if agg["type"] == "terms":
            order = {"_count": params["order"]}
            body = {"field": params["field"], "size": params["size"], "order": order}
            inner = {agg["id"]: {"terms": body, "aggs": inner}}
        elif agg["type"] == "date_histogram":
            body = {"field": params["field"], "fixed_interval": "1m"}
            inner = {agg["id"]: {"date_histogram": body, "aggs": inner}}
    return {"size": 0, "query": {"query_string": {"query": query}}, "aggs": inner}


def test_the_saved_visualizations_answer_the_truth(shipped, agent):
    found = {
        title: shipped.search(**body_of(aggs, query))
        for title, aggs, query in visualizations()
    }
    truth, types = agent.truth, agent.errors("error_types")
    total = {title: a["hits"]["total"]["value"] for title, a in found.items()}
    ended = truth["tasks_completed"] + truth["tasks_failed"]
    assert total == {
        "Errors over time, by type": sum(types.values()),
        "Ended tasks over time": ended,
        "Top failures": sum(types.values()),
        "Completed tasks by pipeline": truth["tasks_completed"],
    }
    pipelines = found["Completed tasks by pipeline"]["aggregations"]["4"]["buckets"]
    assert {b["key"]: b["doc_count"] for b in pipelines} == truth["completed"]
    failures = found["Top failures"]["aggregations"]["4"]["buckets"]
    assert {b["key"]: b["doc_count"] for b in failures} == counted(
        failed(shipped), "error_fingerprint"
    )
    for bucket in failures:
        (kind,) = bucket["5"]["buckets"]
        assert kind["doc_count"] == bucket["doc_count"]
        (hit,) = kind["6"]["hits"]["hits"]
        assert hit["fields"]["log_parsed.error_message.keyword"]
    over_time = found["Ended tasks over time"]["aggregations"]["2"]["buckets"]
    events = collections.Counter()
    for bucket in over_time:
        events.update({b["key"]: b["doc_count"] for b in bucket["3"]["buckets"]})
    assert events == {
        "TASK_COMPLETED": truth["tasks_completed"],
        "TASK_FAILED": truth["tasks_failed"],
    }
