"""The reference document's two queries, less the clause of the label (the
Kubernetes part repeats them whole), and the truth that they must answer."""

ERRORS = {
    "query": {
        "bool": {
            "must": [
                {"range": {"@timestamp": {"gte": "now-1h"}}},
                {"match": {"log": "ERROR"}},
            ]
        }
    },
    "aggs": {"error_types": {"terms": {"field": "log_parsed.error_type.keyword"}}},
}
PERFORMANCE = {
    "query": {
        "bool": {
            "must": [
                {"match": {"log": "TASK_COMPLETED"}},
                {"range": {"@timestamp": {"gte": "now-24h"}}},
            ]
        }
    },
    "aggs": {"avg_execution_time": {"avg": {"field": "log_parsed.execution_time"}}},
}


def of_agents(query):
    """With the clause of the label, as in the document."""
    label = {"match": {"kubernetes.labels.app": "matillion-agent"}}
    must = [label, *query["query"]["bool"]["must"]]
    return query | {"query": {"bool": {"must": must}}}


def buckets(answer, name="error_types"):
    return {b["key"]: b["doc_count"] for b in answer["aggregations"][name]["buckets"]}


def check(index, truth, asked=lambda query: query):
    """Both queries answer exactly the truth."""
    errors = index.search(**asked(ERRORS))
    assert buckets(errors) == truth["error_word"]
    assert errors["hits"]["total"]["value"] == truth["error_word_records"]
    tasks = index.search(**asked(PERFORMANCE))
    mean = truth["completed_execution_time"] / truth["execution_times"]
    assert tasks["aggregations"]["avg_execution_time"]["value"] == mean
    assert tasks["hits"]["total"]["value"] == truth["completed_word_records"]
