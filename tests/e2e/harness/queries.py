"""The queries of conf/elasticsearch, the reference document's two among them, and the
truth that these must answer.  ERRORS and PERFORMANCE are less the clause of the label
(the Kubernetes part repeats them whole)."""

import json

from .towline import ROOT

FOLDER = ROOT / "conf/elasticsearch/queries"
LABEL = {"match": {"kubernetes.labels.app": "matillion-agent"}}


def load(name):
    return json.loads((FOLDER / f"{name}.json").read_text())


def without_label(query):
    must = [clause for clause in query["query"]["bool"]["must"] if clause != LABEL]
    return query | {"query": {"bool": {"must": must}}}


ERRORS = without_label(load("error_analysis"))
PERFORMANCE = without_label(load("performance_analysis"))


def of_agents(query):
    """With the clause of the label, as in the document."""
    must = [LABEL, *query["query"]["bool"]["must"]]
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
