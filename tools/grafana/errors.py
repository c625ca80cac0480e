"""Error Explorer: the failures in the logs, for Elasticsearch's data source and for
OpenSearch's, which are two plugins with one form of query.  Both have one uid: links
lead to the one that is installed."""

from .forms import (
    ERRORS,
    choice,
    dashboard,
    lines,
    panel,
    source,
    stat,
    steps,
    table,
)

FIELDS = {
    "namespace": "kubernetes.namespace_name.keyword",
    "pod": "kubernetes.pod_name.keyword",
    "error_type": "log_parsed.error_type.keyword",
    "fingerprint": "log_parsed.error_fingerprint.keyword",
}
FINGERPRINT, TYPE = FIELDS["fingerprint"], FIELDS["error_type"]
MESSAGE = "log_parsed.error_message.keyword"
PIPELINE = "log_parsed.pipeline.keyword"
POD = FIELDS["pod"]
CHOSEN = " AND ".join(f"{field}:${name}" for name, field in FIELDS.items())

# Metrics of a row: its number, when it was first and last seen, in how many agents.
COUNT = {"id": "1", "type": "count"}
FIRST = {"id": "2", "type": "min", "field": "@timestamp"}
LAST = {"id": "3", "type": "max", "field": "@timestamp"}
AGENTS = {"id": "4", "type": "cardinality", "field": POD}
COLUMNS = {"Count": "records", "Min": "first seen", "Max": "last seen"}
COLUMNS |= {"Unique Count": "agents"}


def terms(id, field, size=1, by="_count", order="desc", **more):
    settings = {"size": str(size), "order": order, "orderBy": by, "min_doc_count": "1"}
    return {"id": id, "type": "terms", "field": field, "settings": settings | more}


def failures(by):
    """A bucket a fingerprint; its type is a part of it, and so the only one."""
    return [terms("5", FINGERPRINT, 50, by), terms("6", TYPE)]


# Messages of one fingerprint differ in what it masks, so that a bucket a message would
# part its records: the sample is a query of its own.  The metric is not shown.
SAMPLE = [terms("5", FINGERPRINT, 500), terms("7", MESSAGE, missing="(none)")]
UNSHOWN = {"id": "8", "type": "avg", "field": "log_parsed.execution_time"}

OVER_TIME = {
    "id": "8",
    "type": "date_histogram",
    "field": "@timestamp",
    "settings": {"interval": "auto", "min_doc_count": "0"},
}
ANY_TIME = OVER_TIME | {"settings": {"interval": "100000d", "min_doc_count": "1"}}

ROW_LINKS = {
    "title": "Its records",
    "url": f"/d/{ERRORS}?${{__url_time_range}}&${{namespace:queryparam}}"
    "&${pod:queryparam}&var-fingerprint=${__value.raw}",
}


def of(plugin, name):
    """The dashboard for a plugin of Grafana's."""
    logs = {"type": plugin, "uid": "${logs}"}
    opensearch = plugin != "elasticsearch"
    kind = {"queryType": "lucene", "luceneQueryType": "Metric", "format": "table"}

    def ask(buckets, *metrics, also="", alias=""):
        return {
            "_source": logs,
            "query": CHOSEN + also,
            "timeField": "@timestamp",
            "alias": alias,
            "metrics": list(metrics),
            "bucketAggs": buckets,
        } | (kind if opensearch else {})

    def chosen(name, label):
        query = f'{{"find": "terms", "field": "{FIELDS[name]}", "size": 1000}}'
        return choice(name, label, query, "*", logs)

    def failures_table(id, title, about, by, *sample, sampled=()):
        return table(
            id,
            title,
            about,
            ask(failures(by), COUNT, FIRST, LAST, AGENTS),
            *sample,
            unit="short",
            w=24,
            h=10,
            columns={FINGERPRINT: "failure", TYPE: "type"} | dict(sampled) | COLUMNS,
            hide=["Average"] if sample else [],
            join=FINGERPRINT if sample else None,
            overrides=[
                column("failure", links=[ROW_LINKS]),
                column("first seen", unit="dateTimeAsIso"),
                column("last seen", unit="dateTimeAsIso"),
            ],
        )

    return dashboard(
        ERRORS,
        "Error Explorer",
        "The agents' failures: which, since when, in which agents, and their records. "
        f"Of {name}. Fields are those of docs/index.md.",
        [
            source("logs", "Logs", plugin),
            chosen("namespace", "Namespace"),
            chosen("pod", "Agent"),
            chosen("error_type", "Type"),
            chosen("fingerprint", "Failure"),
        ],
        stat(
            1,
            "Errors",
            "Records of level ERROR or above, and of TASK_FAILED.",
            ask([ANY_TIME], COUNT),
            unit="short",
            w=8,
            thresholds=steps("green", 1, "orange"),
        ),
        stat(
            2,
            "Kinds of failure",
            "Different fingerprints: class, top frames, and message less its numbers and ids.",
            ask([ANY_TIME], {"id": "1", "type": "cardinality", "field": FINGERPRINT}),
            unit="short",
            w=8,
        ),
        stat(
            3,
            "Agents with errors",
            "Different pods.",
            ask([ANY_TIME], {"id": "1", "type": "cardinality", "field": POD}),
            unit="short",
            w=8,
        ),
        lines(
            4,
            "Errors over time, by type",
            "The ten most frequent types.",
            ask([terms("5", TYPE, 10), OVER_TIME], COUNT, alias=f"{{{{term {TYPE}}}}}"),
            unit="short",
            w=24,
            link=None,
            stack=True,
        ),
        failures_table(
            5,
            "Top failures",
            "The 50 most frequent, by fingerprint, each with a message of it as a sample.",
            "_count",
            ask(SAMPLE, UNSHOWN),
            sampled={MESSAGE: "a message of it"},
        ),
        failures_table(
            6,
            "Newest failures",
            "Those first seen last in the shown time: what began after a rollout stands first.",
            FIRST["id"],
        ),
        table(
            7,
            "Failed tasks by pipeline",
            "Records of TASK_FAILED that have an error type.",
            ask(
                [terms("5", PIPELINE, 25), terms("6", TYPE, 25)],
                COUNT,
                also=" AND log_parsed.event.keyword:TASK_FAILED",
            ),
            unit="short",
            columns={PIPELINE: "pipeline", TYPE: "type", "Count": "tasks"},
        ),
        table(
            8,
            "Errors by agent",
            "With the time of the first and the last.",
            ask([terms("5", POD, 25)], COUNT, FIRST, LAST),
            unit="short",
            columns={POD: "agent"} | COLUMNS,
            overrides=[
                column("first seen", unit="dateTimeAsIso"),
                column("last seen", unit="dateTimeAsIso"),
            ],
        ),
        records(
            9,
            "Records",
            "The newest 200, whole: choose a failure above to see its alone.",
            ask(
                [],
                {
                    "id": "1",
                    "type": "logs",
                    "settings": {"limit": "200", "size": "200"},
                },
            ),
        ),
        hours=24,
    )


def column(name, **properties):
    found = [{"id": key, "value": value} for key, value in properties.items()]
    return {"matcher": {"id": "byName", "options": name}, "properties": found}


def records(id, title, about, query):
    options = {
        "dedupStrategy": "none",
        "enableLogDetails": True,
        "prettifyLogMessage": False,
        "showCommonLabels": False,
        "showLabels": False,
        "showLogContextToggle": False,
        "showTime": True,
        "sortOrder": "Descending",
        "wrapLogMessage": True,
    }
    unit = {"unit": "none"}
    return panel("logs", id, (24, 12), title, about, [query], unit, options)


DASHBOARD = of("elasticsearch", "Elasticsearch")
OPENSEARCH = of("grafana-opensearch-datasource", "OpenSearch")
