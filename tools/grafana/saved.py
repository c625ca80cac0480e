"""Saved objects of Kibana and OpenSearch Dashboards, in the form of Kibana 7.10, from
which both come: each migrates it when it is imported."""

import json

from .errors import FINGERPRINT, MESSAGE, PIPELINE, TYPE

PATTERN = "matillion-logs"
HAS_ERROR = "_exists_:log_parsed.error_type"
ENDED = "log_parsed.event.keyword:(TASK_COMPLETED OR TASK_FAILED)"
VERSIONS = {"index-pattern": "7.6.0", "search": "7.9.3", "visualization": "7.10.0"}
VERSIONS |= {"dashboard": "7.9.3"}


def saved(kind, id, references=(), **attributes):
    return {
        "id": id,
        "type": kind,
        "attributes": attributes,
        "migrationVersion": {kind: VERSIONS[kind]},
        "references": [
            {"name": name, "type": of, "id": to} for name, of, to in references
        ],
    }


AT_INDEX = "kibanaSavedObjectMeta.searchSourceJSON.index"
OF_PATTERN = [(AT_INDEX, "index-pattern", PATTERN)]


def source(query, index=True):
    text = {"query": {"query": query, "language": "lucene"}, "filter": []}
    text |= {"indexRefName": AT_INDEX} if index else {}
    return {"searchSourceJSON": json.dumps(text)}


# ---- aggregations of a visualization


def agg(id, kind, schema, **params):
    return {"id": id, "enabled": True, "type": kind, "schema": schema, "params": params}


COUNT = agg("1", "count", "metric")


def metric(id, kind, field):
    return agg(id, kind, "metric", field=field)


def by(id, field, size, schema="bucket"):
    order = {"orderBy": "1", "order": "desc", "missingBucket": False}
    return agg(id, "terms", schema, field=field, size=size, **order)


def over_time(id):
    params = {"useNormalizedEsInterval": True, "interval": "auto", "min_doc_count": 1}
    return agg(id, "date_histogram", "segment", field="@timestamp", **params)


def shown(id, kind, title, about, query, params, *aggs):
    state = {"title": title, "type": kind, "aggs": list(aggs), "params": params}
    return saved(
        "visualization",
        id,
        OF_PATTERN,
        title=title,
        description=about,
        version=1,
        uiStateJSON="{}",
        visState=json.dumps(state),
        kibanaSavedObjectMeta=source(query),
    )


TABLE = {"perPage": 25, "showPartialRows": False, "showMetricsAtAllLevels": False}
TABLE |= {"showTotal": False, "totalFunc": "sum", "percentageCol": ""}
BARS = {
    "type": "histogram",
    "addTooltip": True,
    "addLegend": True,
    "legendPosition": "right",
    "grid": {"categoryLines": False},
    "categoryAxes": [
        {"id": "CategoryAxis-1", "type": "category", "position": "bottom"}
        | {"show": True, "scale": {"type": "linear"}, "labels": {"show": True}}
    ],
    "valueAxes": [
        {"id": "ValueAxis-1", "name": "LeftAxis-1", "type": "value"}
        | {"position": "left", "show": True, "title": {"text": "records"}}
        | {"scale": {"type": "linear", "mode": "normal"}, "labels": {"show": True}}
    ],
    "seriesParams": [
        {"show": True, "type": "histogram", "mode": "stacked"}
        | {"data": {"label": "records", "id": "1"}, "valueAxis": "ValueAxis-1"}
    ],
}
TIME = "log_parsed.execution_time"
NEWEST = {"aggregate": "concat", "size": 1, "sortField": "@timestamp"}
NEWEST |= {"sortOrder": "desc"}

SHOWN = [
    shown(
        "matillion-errors-over-time",
        "histogram",
        "Errors over time, by type",
        "Records of level ERROR or above, and of TASK_FAILED.",
        HAS_ERROR,
        BARS,
        COUNT,
        over_time("2"),
        by("3", TYPE, 10, "group"),
    ),
    shown(
        "matillion-tasks-over-time",
        "histogram",
        "Ended tasks over time",
        "Completed and failed.",
        ENDED,
        BARS,
        COUNT,
        over_time("2"),
        by("3", "log_parsed.event.keyword", 2, "group"),
    ),
    shown(
        "matillion-top-failures",
        "table",
        "Top failures",
        "By fingerprint, each with a message of it, and when it was first and last seen.",
        HAS_ERROR,
        TABLE,
        COUNT,
        metric("2", "min", "@timestamp"),
        metric("3", "max", "@timestamp"),
        by("4", FINGERPRINT, 50),
        by("5", TYPE, 1),
        agg("6", "top_hits", "metric", field=MESSAGE, **NEWEST),
    ),
    shown(
        "matillion-pipelines",
        "table",
        "Completed tasks by pipeline",
        "Their number, and the mean and the largest execution time in seconds.",
        "log_parsed.event.keyword:TASK_COMPLETED",
        TABLE,
        COUNT,
        metric("2", "avg", TIME),
        metric("3", "max", TIME),
        by("4", PIPELINE, 25),
    ),
]
RECORDS = saved(
    "search",
    "matillion-errors",
    OF_PATTERN,
    title="Agents' errors",
    description="Records of level ERROR or above, and of TASK_FAILED.",
    columns=["kubernetes.pod_name", "log_parsed.error_type", "log"],
    sort=[["@timestamp", "desc"]],
    version=1,
    kibanaSavedObjectMeta=source(HAS_ERROR),
)
PLACES = [(0, 0, 24), (24, 0, 24), (0, 12, 48), (0, 24, 48), (0, 36, 48)]


def board(*inside):
    panels = [
        {
            "version": "7.10.2",
            "panelIndex": str(n),
            "gridData": {"x": x, "y": y, "w": w, "h": 12, "i": str(n)},
            "embeddableConfig": {},
            "panelRefName": f"panel_{n}",
        }
        for n, (x, y, w) in enumerate(PLACES)
    ]
    return saved(
        "dashboard",
        "matillion-agents",
        [(f"panel_{n}", one["type"], one["id"]) for n, one in enumerate(inside)],
        title="Matillion agents",
        description="Errors and tasks of the agents' logs.",
        version=1,
        timeRestore=True,
        timeFrom="now-24h",
        timeTo="now",
        optionsJSON=json.dumps({"useMargins": True, "hidePanelTitles": False}),
        panelsJSON=json.dumps(panels),
        kibanaSavedObjectMeta=source("", index=False),
    )


OBJECTS = [
    saved(
        "index-pattern", PATTERN, title="matillion-*-logs*", timeFieldName="@timestamp"
    ),
    *SHOWN,
    RECORDS,
    board(*SHOWN, RECORDS),
]
TEXT = "".join(json.dumps(one) + "\n" for one in OBJECTS)
