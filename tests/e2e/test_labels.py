"""Labels match by their leading parts where the server can cut them, whole where
it cannot; annotations break no index.  Documents with a pod's metadata are posted
into the index that towline's template made."""

import datetime
import json
import re

import pytest
from harness import queries
from harness.node import completed

AGENTS = ["matillion-agent", "matillion-agent-pods"]
APPS = [*AGENTS, "matillion-runner-pods", "datadog-agent"]
WHOLE = "no path_hierarchy"


@pytest.fixture
def install(node, config, run):
    """Run towline to the end of one more line: its template and its index are
    there.  Returns what it has said."""

    def ship(es):
        node.container().write(completed(1))
        towline = run(config(es), "--exit-on-eof", wait=False)
        assert towline.wait(120) == 0, towline.said()
        return towline.said()

    return ship


def post(index, *kubernetes):
    """Returns what the server says of the documents that it refuses."""
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    lines = []
    for part in kubernetes:
        lines += [{"create": {}}]
        lines += [{"@timestamp": now, "log": "an ERROR", "kubernetes": part}]
    body = "".join(json.dumps(line) + "\n" for line in lines)
    answer = index.server.ask("POST", f"/{index.name}/_bulk", body)
    items = [item["create"] for item in answer["items"]]
    return [json.dumps(item["error"]) for item in items if item["status"] != 201]


def post_labels(index):
    labels = ({"app": app, "app_kubernetes_io/name": app} for app in APPS)
    assert not post(index, *({"labels": each} for each in labels))


def apps(index, query):
    found = index.documents(query)
    return sorted(d["kubernetes"]["labels"]["app"] for d in found)


def match(field, value):
    return {"match": {f"kubernetes.labels.{field}": value}}


@pytest.mark.parametrize("server", ["opensearch"], indirect=True)
def test_labels_match_by_their_leading_parts(index, es, install):
    assert WHOLE not in install(es)
    post_labels(index)
    for field in "app", "app_kubernetes_io/name":
        assert apps(index, match(field, "matillion-agent")) == AGENTS
        assert apps(index, match(field, "matillion")) == APPS[:3]
        assert apps(index, match(field, "agent")) == []
        assert apps(index, match(f"{field}.keyword", AGENTS[0])) == AGENTS[:1]
    assert apps(index, queries.of_agents(queries.ERRORS)["query"]) == AGENTS


@pytest.mark.parametrize("output", ["opensearch", "es"])
def test_opensearch_without_the_analyzer(own_server, install, output):
    """With the other product's output both of its words are refused, too."""
    server = own_server("opensearch", "analysis=false")
    index = server.index("labels")
    es = {"Name": output, "Host": "127.0.0.1", "Port": server.port}
    labels_match_whole(index, install(es | {"Index": index.name}))


@pytest.mark.parametrize("server", ["elasticsearch"], indirect=True)
def test_elasticsearch_without_the_analyzer(index, es, install):
    """Maven has no analysis-common for it; distributions have."""
    labels_match_whole(index, install(es))


def labels_match_whole(index, said):
    assert said.count(WHOLE) == 1, said
    assert "cannot install" not in said
    post_labels(index)
    for field in "app", "app_kubernetes_io/name", "app.keyword":
        assert apps(index, match(field, "matillion-agent")) == AGENTS[:1]
    assert apps(index, queries.of_agents(queries.ERRORS)["query"]) == AGENTS[:1]


def test_annotations_are_kept_and_not_indexed(index, es, install):
    """However long, many and at odds with each other: the document is taken, and
    no field is made."""
    install(es)
    hostile = {"last-applied": "x" * 40000, "a": "1", "a.b": "2", "": "3", "n": 4}
    many = {f"key-{n}": "value" for n in range(2000)}
    assert not post(index, {"annotations": hostile}, {"annotations": many})
    deep = {"annotations": {"a": {"b": {}}}, "namespace_annotations": many}
    assert not post(index, deep)
    kept = [d["kubernetes"].get("annotations") for d in index.documents()]
    assert hostile in kept and many in kept
    fields = index.mapping()["properties"]["kubernetes"]["properties"]
    nothing = {"type": "object", "enabled": False}
    assert fields["annotations"] == fields["namespace_annotations"] == nothing


def test_the_template_of_an_older_towline_is_replaced(index, es, install):
    """The index that it made stays as it is, which is said."""
    server, name = index.server, f"towline-{index.name}"
    path = f"/_index_template/{name}"
    older = {"managed_by": "towline", "version": 1}
    template = {
        "index_patterns": [index.name],
        "priority": 200,
        "_meta": older,
        "template": {"mappings": {"_meta": older, "date_detection": False}},
    }
    server.ask("PUT", path, template)
    server.ask("PUT", f"/{index.name}")
    assert f"index {index.name} is older than towline's index template" in install(es)
    (found,) = server.ask("GET", path)["index_templates"]
    assert found["index_template"]["_meta"]["version"] == 3
    index.delete()
    assert install(es).count("is older than") == 1
    assert index.mapping()["_meta"]["version"] == 3


def theirs(index, kind, **body):
    """A template of an administrator's for the index, with a low priority."""
    path = f"/{kind}/own-{index.name}"
    settings = {"settings": {"refresh_interval": "7s"}}
    if kind == "_index_template":
        body |= {"priority": 1, "template": settings}
    else:
        body |= settings
    index.server.ask("PUT", path, {"index_patterns": [f"{index.name}*"]} | body)
    return path


def refresh_interval(index):
    answer = index.server.ask("GET", f"/{index.name}/_settings")
    return answer[index.name]["settings"]["index"].get("refresh_interval")


@pytest.mark.parametrize("kind", ["_index_template", "_template"])
def test_anothers_template_is_not_displaced(index, es, install, kind):
    path = theirs(index, kind)
    said = install(es)
    assert said.count("would displace own-") == 1 and "towline-mappings" in said
    assert refresh_interval(index) == "7s"
    assert "_meta" not in index.mapping()
    found = index.server.ask("GET", "/_index_template")["index_templates"]
    assert f"towline-{index.name}" not in [template["name"] for template in found]
    index.server.ask("DELETE", path)
    index.delete()
    assert install(es).count("displace") == 1  # nothing new is said
    assert index.mapping()["_meta"]["version"] == 3


def test_anothers_template_includes_the_component(index, es, install):
    install(es)
    index.delete()
    index.server.ask("DELETE", f"/_index_template/towline-{index.name}")
    path = theirs(index, "_index_template", composed_of=["towline-mappings"])
    said = install(es)
    assert not re.search(r"\btemplate\b", said), said
    index.server.ask("DELETE", path)
    assert refresh_interval(index) == "7s"
    assert index.mapping()["_meta"]["version"] == 3
    labels = index.mapping()["dynamic_templates"]
    assert [name for each in labels for name in each][1] == "labels"


def test_keys_of_labels_fit_up_to_the_limit_of_fields(index, es, install):
    """Beyond, the server refuses what brings a new key, and that alone."""
    install(es)
    labels = {f"key-{n}": "value" for n in range(450)}
    more = {f"more-{n}": "value" for n in range(50)}
    assert not post(index, {"labels": labels})
    (refused,) = post(index, {"labels": more})
    assert "Limit of total fields" in refused
    assert not post(index, {"labels": labels})
