"""Dashboards as Grafana reads them: their panels, variables and queries, and the
search that a panel of Elasticsearch's data source sends."""

import json
import re
import time

from .towline import ROOT

DAY = 24 * 3600 * 1000
FOLDER = ROOT / "conf/grafana"
FILES = sorted([*FOLDER.glob("dashboards/*.json"), *FOLDER.glob("opensearch/*.json")])
# $name, ${name}, ${name:format}; what begins with __ is Grafana's own.
VARIABLE = re.compile(r"\$(?:\{(\w+)(?:[.:\[][^}]*)?\}|(\w+))")


def load(file):
    return json.loads(file.read_text())


def panels(dashboard):
    """Those that show something: no headings."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def variables(dashboard):
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]}


def used(text):
    return {a or b for a, b in VARIABLE.findall(text)}


def interpolated(text, **values):
    """The text with values in the variables' places; none may be left."""
    done = VARIABLE.sub(lambda m: str(values.get(m[1] or m[2], m[0])), text)
    assert not used(done), done
    return done


# ---- Elasticsearch's data source


def nested(aggregation, metrics, inner):
    """One of bucketAggs, with what it holds."""
    kind, settings = aggregation["type"], aggregation.get("settings", {})
    body = {"field": aggregation["field"]}
    aggs = dict(inner)
    if kind == "terms":
        by, order = settings["orderBy"], settings["order"]
        body |= {"size": int(settings["size"]), "order": {by: order}}
        body |= {"min_doc_count": int(settings["min_doc_count"])}
        body |= {k: settings[k] for k in ["missing"] if k in settings}
        aggs |= {m["id"]: metric(m) for m in metrics if m["id"] == by}
    else:
        assert kind == "date_histogram", kind
        interval = settings["interval"].replace("auto", "1m")
        body |= {"fixed_interval": interval, "format": "epoch_millis"}
        body |= {"min_doc_count": int(settings["min_doc_count"])}
        now = time.time() * 1000
        body |= {"extended_bounds": {"min": int(now - DAY), "max": int(now)}}
    return {aggregation["id"]: {kind: body} | ({"aggs": aggs} if aggs else {})}


def metric(wanted):
    return {wanted["type"]: {"field": wanted["field"]}}


def search(target, **values):
    """The body that a panel's query becomes, of the records of a day."""
    text = interpolated(target["query"], **values)
    clauses = [
        {"range": {target["timeField"]: {"gte": "now-1d"}}},
        {"query_string": {"analyze_wildcard": True, "query": text}},
    ]
    body = {"size": 0, "query": {"bool": {"filter": clauses}}}
    metrics = target["metrics"]
    if metrics[0]["type"] == "logs":
        order = [{target["timeField"]: "desc"}]
        return body | {"size": int(metrics[0]["settings"]["limit"]), "sort": order}
    inner = {m["id"]: metric(m) for m in metrics if m["type"] != "count"}
    for aggregation in reversed(target["bucketAggs"]):
        inner = nested(aggregation, metrics, inner)
    return body | {"aggs": inner}


def rows(target, answer):
    """The answer as the rows of a table: {field or kind of metric: value}."""

    def below(bucket, aggregations, row):
        if not aggregations:
            found = {
                m["type"]: bucket["doc_count"]
                if m["type"] == "count"
                else bucket[m["id"]]["value"]
                for m in target["metrics"]
            }
            return [row | found]
        first, *rest = aggregations
        return [
            made
            for one in bucket[first["id"]]["buckets"]
            for made in below(one, rest, row | {first["field"]: one["key"]})
        ]

    return below(answer["aggregations"], target["bucketAggs"], {})
