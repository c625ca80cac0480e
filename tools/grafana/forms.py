"""What the dashboards are made of: panels of each kind, their queries, variables,
links, and the file.  Classic JSON as Grafana 10 writes it; all of it is also valid
under the types of Grafana 13 (tests/e2e/test_dashboards.py)."""

import json

# The agents that the variables choose; `{S}` and `{S, more}` in an expression.
AGENTS = 'cluster=~"$cluster", namespace=~"$namespace", pod=~"$pod"'
BY = "cluster, namespace, pod"  # `{BY}` in an expression
NODES = 'cluster=~"$cluster", instance=~"$node"'  # `{N}`: towline's own
PROMETHEUS = {"type": "prometheus", "uid": "${prometheus}"}
ERRORS = "towline-errors"  # the Error Explorer's uid, for either product


def expression(text):
    text = text.replace("{S", "{" + AGENTS).replace("{N", "{" + NODES)
    return text.replace("{BY}", f"({BY})")


# ---- queries


def ask(text, legend="", axis=None):
    """A range query: a line a series."""
    return {
        "expr": expression(text),
        "legendFormat": legend,
        "range": True,
        "_axis": axis,
    }


def now(text, legend=""):
    """An instant query: one value a series."""
    return ask(text, legend) | {"range": False, "instant": True}


def row(text):
    """An instant query for a table: one row a series."""
    return now(text) | {"format": "table"}


def buckets(text):
    return ask(text, "{{le}}") | {"format": "heatmap"}


def targets(queries):
    for name, query in zip("ABCDEFGH", queries, strict=False):
        shown = {key: value for key, value in query.items() if key != "_axis"}
        at = shown.pop("_source", PROMETHEUS)
        kind = {"editorMode": "code"} if at is PROMETHEUS else {}
        yield {"refId": name, "datasource": at} | kind | shown


# ---- links


def to_errors(namespace, pod):
    """The Error Explorer of a pod, in the same time."""
    return {
        "title": "Its errors",
        "url": f"/d/{ERRORS}?${{__url_time_range}}"
        f"&var-namespace=${{{namespace}}}&var-pod=${{{pod}}}",
    }


OF_SERIES = to_errors("__field.labels.namespace", "__field.labels.pod")
OF_ROW = to_errors('__data.fields["namespace"]', '__data.fields["pod"]')


def to_dashboards():
    link = {"asDropdown": True, "icon": "external link", "includeVars": True}
    link |= {"keepTime": True, "tags": ["towline"], "targetBlank": False}
    return [link | {"title": "Agents", "tooltip": "", "type": "dashboards", "url": ""}]


# ---- panels


def steps(*pairs):
    """Colours from a value on: steps("green", 0.8, "orange", 1, "red")."""
    values = [None, *pairs[1::2]]
    found = [{"color": c, "value": v} for c, v in zip(pairs[::2], values, strict=True)]
    return {"mode": "absolute", "steps": found}


def field(unit, link=None, colour="palette-classic", **more):
    defaults = {"unit": unit, "color": {"mode": colour}} | more
    return defaults | ({"links": [link]} if link else {})


def panel(kind, id, size, title, about, queries, defaults, options, overrides=()):
    made = list(targets(queries))
    return {
        "id": id,
        "type": kind,
        "title": title,
        "description": about,
        "gridPos": dict(zip("wh", size, strict=True)),
        "datasource": made[0]["datasource"],
        "targets": made,
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
        "options": options,
    }


def by_query(name, **properties):
    found = [{"id": k.replace("__", "."), "value": v} for k, v in properties.items()]
    return {"matcher": {"id": "byFrameRefID", "options": name}, "properties": found}


def by_name(name, *links, **properties):
    found = [{"id": k.replace("__", "."), "value": v} for k, v in properties.items()]
    found += [{"id": "links", "value": list(links)}] if links else []
    return {"matcher": {"id": "byName", "options": name}, "properties": found}


def lines(id, title, about, *queries, unit, w=12, link=OF_SERIES, stack=False, **more):
    """A line a series; a query with an axis (its unit) is drawn against the right side."""
    custom = {"lineWidth": 1, "fillOpacity": 30 if stack else 10, "showPoints": "never"}
    custom |= {"stacking": {"mode": "normal" if stack else "none", "group": "A"}}
    legend = {"calcs": ["lastNotNull", "max"], "displayMode": "table"}
    options = {
        "legend": legend | {"placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    right = [
        by_query(name, unit=query["_axis"], custom__axisPlacement="right")
        for name, query in zip("ABCDEFGH", queries, strict=False)
        if query.get("_axis")
    ]
    defaults = field(unit, link, min=0, custom=custom) | more
    return panel(
        "timeseries", id, (w, 8), title, about, queries, defaults, options, right
    )


def reduced(**options):
    calcs = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    return {"reduceOptions": calcs, "orientation": "auto"} | options


def stat(id, title, about, *queries, unit, w=4, link=None, thresholds=None, **more):
    options = reduced(
        colorMode="value",
        graphMode="area",
        justifyMode="auto",
        percentChangeColorMode="standard",
        showPercentChange=False,
        textMode="auto",
        wideLayout=True,
    )
    colours = thresholds or steps("text")
    none = "0" if unit in ("short", "bytes") else "–"  # of what was counted
    defaults = field(unit, link, "thresholds", thresholds=colours, noValue=none) | more
    return panel("stat", id, (w, 4), title, about, queries, defaults, options)


def gauge(id, title, about, *queries, unit, w=4, h=4, thresholds, **more):
    options = reduced(showThresholdLabels=False, showThresholdMarkers=True)
    options |= {"minVizHeight": 75, "minVizWidth": 75, "sizing": "auto"}
    defaults = field(unit, None, "thresholds", thresholds=thresholds) | more
    return panel("gauge", id, (w, h), title, about, queries, defaults, options)


def heatmap(id, title, about, query, unit, w=12):
    colour = {"mode": "scheme", "scheme": "Oranges", "steps": 64, "fill": "dark-orange"}
    colour |= {"exponent": 0.5, "reverse": False, "scale": "exponential"}
    options = {
        "calculate": False,
        "cellGap": 1,
        "color": colour,
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "filterValues": {"le": 1e-9},
        "legend": {"show": True},
        "rowsFrame": {"layout": "auto"},
        "showValue": "never",
        "tooltip": {"mode": "single", "yHistogram": False},
        "yAxis": {"axisPlacement": "left", "reverse": False, "unit": unit},
    }
    found = panel("heatmap", id, (w, 8), title, about, [query], {"unit": unit}, options)
    return found


def table(
    id,
    title,
    about,
    *queries,
    unit,
    columns,
    w=12,
    h=8,
    overrides=(),
    hide=(),
    join=None,
):
    """Rows of all queries, joined by all their labels or by one field; columns:
    {field: heading}, in order."""
    custom = {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False}
    defaults = field(unit, None, "thresholds", thresholds=steps("text"), custom=custom)
    options = {"showHeader": True, "cellHeight": "sm"}
    found = panel(
        "table", id, (w, h), title, about, queries, defaults, options, overrides
    )
    hidden = {"Time", *hide}
    organize = {
        "excludeByName": {name: True for name in sorted(hidden)},
        "indexByName": {name: at for at, name in enumerate(columns)},
        "renameByName": {name: to for name, to in columns.items() if to != name},
    }
    merge = [{"id": "merge", "options": {}}] if len(queries) > 1 else []
    if join:
        merge = [{"id": "joinByField", "options": {"byField": join, "mode": "inner"}}]
    found["transformations"] = [*merge, {"id": "organize", "options": organize}]
    return found


def heading(id, title):
    size = dict(zip("wh", (24, 1), strict=True))
    return {"id": id, "type": "row", "title": title, "gridPos": size} | {
        "collapsed": False,
        "panels": [],
    }


# ---- variables


def source(name, label, plugin):
    return {"name": name, "label": label, "type": "datasource", "query": plugin} | {
        "refresh": 1,
        "regex": "",
        "multi": False,
        "includeAll": False,
    }


def choice(name, label, query, every=".*", at=PROMETHEUS, about=""):
    """Values that the data source has in the shown time; all, unless some are chosen."""
    return {
        "name": name,
        "label": label,
        "description": about,
        "type": "query",
        "datasource": at,
        "query": query,
        "refresh": 2,
        "regex": "",
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": every,
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def values(name, of, within=""):
    text = f"label_values({of}{{{within}}}, {name})"
    return {"query": text, "refId": f"variable-{name}"}


FROM_PROMETHEUS = source("prometheus", "Prometheus", "prometheus")
CLUSTER = choice(
    "cluster",
    "Cluster",
    values("cluster", "towline_build_info"),
    about="The label that external_labels add, where one store has several clusters.",
)
SOME = "app_completed_tasks_total"  # each agent has it, from its first scrape on
OF_AGENTS = [
    FROM_PROMETHEUS,
    CLUSTER,
    choice("namespace", "Namespace", values("namespace", SOME, 'cluster=~"$cluster"')),
    choice(
        "pod",
        "Agent",
        values("pod", SOME, 'cluster=~"$cluster", namespace=~"$namespace"'),
    ),
]


# ---- the dashboard


def placed(panels):
    """From left to right, in rows whose panels have one height."""
    x = y = height = 0
    for made in panels:
        size = made["gridPos"]
        if x + size["w"] > 24:
            x, y = 0, y + height
        made["gridPos"] = {"x": x, "y": y, "w": size["w"], "h": size["h"]}
        x, height = x + size["w"], size["h"]
        yield made


def dashboard(uid, title, about, variables, *panels, annotations=(), hours=6):
    return {
        "uid": uid,
        "title": title,
        "description": about,
        "tags": ["matillion", "towline"],
        "schemaVersion": 38,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": f"now-{hours}h", "to": "now"},
        "timezone": "",
        "links": to_dashboards(),
        "annotations": {"list": list(annotations)},
        "templating": {"list": variables},
        "panels": list(placed(panels)),
    }


def written(value, indent=0, width=100):
    """JSON, an object or array on one line where it fits."""
    flat = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or not value or indent + len(flat) <= width:
        return flat
    inner = " " * (indent + 2)
    if isinstance(value, dict):
        parts = [
            f"{json.dumps(key)}: {written(of, indent + 2, width)}"
            for key, of in value.items()
        ]
    else:
        parts = [written(of, indent + 2, width) for of in value]
    left, right = "{}" if isinstance(value, dict) else "[]"
    body = ",\n".join(inner + part for part in parts)
    return f"{left}\n{body}\n{' ' * indent}{right}"
