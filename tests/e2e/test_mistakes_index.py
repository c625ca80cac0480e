"""The mistakes of the monitoring guide that a real OpenSearch and Elasticsearch show:
each query of the guide and the right one on the same documents."""

import datetime
import json

import pytest
from harness import reference
from harness.server import Refused

APP = {"term": {"kubernetes.labels.app.keyword": "matillion-agent"}}
RECENT = {"range": {"@timestamp": {"gte": "now-1h"}}}


def bulk(index, *documents, **action):
    action = json.dumps({"index": action})
    lines = "".join(f"{action}\n{json.dumps(d)}\n" for d in documents)
    answer = index.server.ask("POST", f"/{index.name}/_bulk?refresh=true", lines)
    assert not answer["errors"], answer


def record(log, app="matillion-agent", **parsed):
    """A document as a shipper without a template of its own makes it."""
    now = datetime.datetime.now(datetime.UTC).isoformat()
    labels = {"labels": {"app": app}}
    return {"@timestamp": now, "log": log, "kubernetes": labels, "log_parsed": parsed}


def total(index, query):
    """How many documents a query of the guide finds."""
    return index.search(**reference.queries()[query])["hits"]["total"]["value"]


def test_a_type_in_the_action_is_refused(index):
    """Fluent Bit 5.1.1 sends one, unless Suppress_Type_Name is on."""
    with pytest.raises(Refused) as refused:
        bulk(index, record("a"), _type="_doc")
    assert refused.value.status == 400 and "_type" in str(refused.value)
    assert index.count() == 0
    bulk(index, record("a"))
    assert index.count() == 1


def test_two_queries_in_one_object_are_no_request(index):
    bulk(index, record("a"))
    with pytest.raises(Refused) as refused:
        index.server.ask("POST", f"/{index.name}/_search", reference.parsed(13))
    assert refused.value.status == 400
    for query in reference.queries().values():
        index.server.ask("POST", f"/{index.name}/_search", query)


def test_a_line_with_the_word_is_no_error(index):
    word = "INFO retry without ERROR at the third attempt"
    bulk(
        index,
        record(word, level="INFO"),
        record("ERROR broken", level="ERROR", error_type="SQL"),
    )
    assert total(index, "error_analysis") == 2
    level = {"term": {"log_parsed.level.keyword": "ERROR"}}
    assert index.count({"bool": {"filter": [APP, RECENT, level]}}) == 1


def test_a_match_of_a_label_is_of_any_of_its_words(index):
    """In an index without a mapping of its own."""
    bulk(index, *(record("ERROR", app) for app in ("matillion-agent", "datadog-agent")))
    assert total(index, "error_analysis") == 2
    assert index.count(APP) == 1


def test_only_ten_types_and_ten_documents_come(index):
    bulk(index, *(record("ERROR", error_type=f"E{n:02}") for n in range(12)))
    query = reference.queries()["error_analysis"]
    answer = index.search(**query)
    assert len(answer["hits"]["hits"]) == 10
    types = answer["aggregations"]["error_types"]
    assert len(types["buckets"]) == 10 and types["sum_other_doc_count"] == 2
    terms = {"terms": {"field": "log_parsed.error_type.keyword", "size": 100}}
    answer = index.search(size=0, query=query["query"], aggs={"error_types": terms})
    assert not answer["hits"]["hits"]
    assert len(answer["aggregations"]["error_types"]["buckets"]) == 12


def test_a_task_without_a_time_is_in_no_mean(index):
    """And a line that quotes the word counts as a task; an event's field does not."""
    bulk(
        index,
        record("TASK_COMPLETED", event="TASK_COMPLETED", execution_time=10),
        record("TASK_COMPLETED", event="TASK_COMPLETED"),
        record("no TASK_COMPLETED came, waited", execution_time=30),
    )
    answer = index.search(**reference.queries()["performance_analysis"])
    assert answer["hits"]["total"]["value"] == 3
    assert answer["aggregations"]["avg_execution_time"]["value"] == 20
    event = {"term": {"log_parsed.event.keyword": "TASK_COMPLETED"}}
    mean = {"stats": {"field": "log_parsed.execution_time"}}
    answer = index.search(size=0, query=event, aggs={"times": mean})
    assert answer["hits"]["total"]["value"] == 2
    assert answer["aggregations"]["times"]["avg"] == 10
    assert answer["aggregations"]["times"]["count"] == 1
