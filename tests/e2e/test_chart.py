"""The chart's values: each does what it says, wrong ones are refused, and
combinations that would install and not work say what to set instead."""

import json

import pytest
import yaml
from harness import manifests
from harness.manifests import (
    CHART,
    Refused,
    chart,
    configuration,
    containers,
    helm,
    pick,
    pod,
)

SCHEMA = json.loads((CHART / "values.schema.json").read_text())
DIGEST = "sha256:" + "0123456789abcdef" * 4
SELECTOR = {
    "app.kubernetes.io/name": "towline",
    "app.kubernetes.io/instance": "towline",
}


def kinds(objects):
    return {o["kind"] for o in objects}


def metadata(objects):
    return pick(objects, "DaemonSet")["spec"]["template"]["metadata"]


def pod_labels(objects):
    return metadata(objects)["labels"]


def annotations(objects):
    return metadata(objects)["annotations"]


def images(objects):
    return {c["image"] for c in containers(objects).values()}


def verbs(objects):
    """{resource: verbs} of the ClusterRole."""
    rules = pick(objects, "ClusterRole")["rules"]
    return {r["resources"][0]: r["verbs"] for r in rules}


def volumes(objects):
    return {v["name"]: v for v in pod(objects)["volumes"]}


def mounts(objects, container="towline"):
    found = containers(objects)[container]["volumeMounts"]
    return {m["name"]: m for m in found}


def policies(objects):
    found = [o for o in objects if o["kind"] == "NetworkPolicy"]
    return {(p["metadata"]["namespace"], p["metadata"]["name"]): p for p in found}


def own_policy(objects):
    return policies(objects)["towline", "towline"]["spec"]


def agents_policy(objects):
    return policies(objects)["matillion", "towline-polls-agents"]["spec"]


def asked(objects):
    """The schemes of the probes."""
    probes = ("startupProbe", "livenessProbe", "readinessProbe")
    main = containers(objects)["towline"]
    return {main[probe]["httpGet"].get("scheme", "HTTP") for probe in probes}


def scraped(objects):
    return any("prometheus.io" in key for key in annotations(objects))


def endpoint(objects, kind):
    spec = pick(objects, kind)["spec"]
    assert spec["selector"]["matchLabels"] == SELECTOR
    (only,) = spec.get("endpoints") or spec["podMetricsEndpoints"]
    assert only["honorLabels"] is True and only["port"] == "metrics"
    assert only["relabelings"][0]["targetLabel"] == "instance"
    return only


def monitor(name, kind):
    """The values of a monitor, and what shows them."""
    yield {name: {"enabled": True}}, lambda o: kind in kinds(o)
    # Scraped twice is counted twice.
    yield (
        {name: {"enabled": True}},
        lambda o: not scraped(o),
    )
    yield (
        {name: {"enabled": True, "labels": {"release": "prom"}}},
        lambda o: pick(o, kind)["metadata"]["labels"]["release"] == "prom",
    )
    yield (
        {name: {"enabled": True, "interval": "1m"}},
        lambda o: endpoint(o, kind)["interval"] == "1m",
    )
    rule = {"targetLabel": "cluster", "replacement": "one"}
    yield (
        {name: {"enabled": True, "relabelings": [rule]}},
        lambda o: endpoint(o, kind)["relabelings"][1:] == [rule],
    )
    yield (
        {name: {"enabled": True, "metricRelabelings": [rule]}},
        lambda o: endpoint(o, kind)["metricRelabelings"] == [rule],
    )


ENV = [{"name": "ES_HOST", "value": "es"}]
SECRET = [{"name": "output", "secret": {"secretName": "towline-output"}}]
MOUNT = [{"name": "output", "mountPath": "/etc/towline/output", "readOnly": True}]
SIDECAR = [{"name": "other", "image": "other:1"}]
PEER = [{"namespaceSelector": {"matchLabels": {"team": "metrics"}}}]
EGRESS = [{"ports": [{"port": 9200, "protocol": "TCP"}]}]
NODES = {"nodeAffinity": {}}
PARSER = "[PARSER]\n    Name   mine\n    Format json\n"
NAMES_IT = "[SERVICE]\n    Parsers_File custom_parsers.conf\n"
WEB = {"secret": "towline-web"}
LOGIN = {"password": {"name": "login", "key": "password"}}
TRUST = {"serverName": "matillion-agent-metrics.towline.svc"}
POLLS = {"enabled": True, "namespaces": ["one", "two"]}

# Values, and what they make of the objects.  Every value of values.yaml is here.
VALUES = [
    ({"image": {"repository": "r/t"}}, lambda o: images(o) == {"r/t:0.1.0"}),
    ({"image": {"tag": "1"}}, lambda o: images(o) == {"towline:1"}),
    (
        {"image": {"digest": DIGEST, "tag": "1"}},
        lambda o: images(o) == {f"towline@{DIGEST}"},
    ),
    (
        {"image": {"pullPolicy": "Always"}},
        lambda o: all(c["imagePullPolicy"] == "Always" for c in containers(o).values()),
    ),
    (
        {"imagePullSecrets": [{"name": "s"}]},
        lambda o: pod(o)["imagePullSecrets"] == [{"name": "s"}],
    ),
    (
        {"nameOverride": "ship"},
        lambda o: (
            pick(o, "DaemonSet")["metadata"]["name"] == "towline-ship"
            and pod_labels(o)["app.kubernetes.io/name"] == "ship"
        ),
    ),
    (
        {"fullnameOverride": "ship"},
        lambda o: (
            pick(o, "ClusterRole")["metadata"]["name"] == "ship"
            and volumes(o)["config"]["configMap"]["name"] == "ship"
            and pod(o)["priorityClassName"] == "ship"
        ),
    ),
    (
        {"commonLabels": {"team": "data"}},
        lambda o: (
            all(x["metadata"]["labels"]["team"] == "data" for x in o)
            and pod_labels(o)["team"] == "data"
            and pick(o, "DaemonSet")["spec"]["selector"]["matchLabels"] == SELECTOR
        ),
    ),
    (
        {"podLabels": {"a": "b"}},
        lambda o: (
            pod_labels(o)["a"] == "b"
            and "a" not in pick(o, "DaemonSet")["metadata"]["labels"]
        ),
    ),
    ({"podAnnotations": {"a": "b"}}, lambda o: annotations(o)["a"] == "b"),
    ({"skipNamespaceCheck": True}, lambda o: True),  # shown on the real API server
    (
        {"config": {"service": "[SERVICE]\n    Flush {{ .Values.minReadySeconds }}\n"}},
        lambda o: configuration(o).startswith("[SERVICE]\n    Flush 10\n\n[INPUT]"),
    ),
    (
        {"config": {"options": {"Batches": 2000000, "Agents": ["a", "b"]}}},
        lambda o: (
            "parsers.conf\n    Agents  a, b\n    Batches  2000000\n" in configuration(o)
        ),
    ),
    (
        {
            "config": {"options": {"Agent_Ports": ["9000/m", "8081/a/b", "9000/n"]}},
            "networkPolicy": {"egress": EGRESS},
            "agentsNetworkPolicy": {"enabled": True},
        }
        | {"observatory": {"enabled": True}},
        lambda o: (
            [p["port"] for p in own_policy(o)["egress"][-1]["ports"]]
            == [p["port"] for p in agents_policy(o)["ingress"][0]["ports"]]
            == [9000, 8081]
        ),
    ),
    ({"config": {"inputs": "[IN]"}}, lambda o: "\n\n[IN]\n\n" in configuration(o)),
    ({"config": {"filters": "[FI]"}}, lambda o: "\n\n[FI]\n\n" in configuration(o)),
    ({"config": {"outputs": "[O]"}}, lambda o: configuration(o).endswith("\n\n[O]\n")),
    (
        {"config": {"service": NAMES_IT, "customParsers": PARSER}},
        lambda o: pick(o, "ConfigMap")["data"]["custom_parsers.conf"] == PARSER,
    ),
    (
        {"existingConfigMap": "own"},
        lambda o: (
            "ConfigMap" not in kinds(o)
            and volumes(o)["config"]["configMap"] == {"name": "own"}
            and "checksum/config" not in annotations(o)
        ),
    ),
    (
        {"existingConfigMap": "own", "existingConfigMapKey": "fluent-bit.conf"},
        lambda o: all(
            c["args"][-1] == "/etc/towline/conf/fluent-bit.conf"
            for c in containers(o).values()
        ),
    ),
    (
        {"extraEnv": ENV},
        lambda o: all(c["env"][-1:] == ENV for c in containers(o).values()),
    ),
    (
        {"extraVolumes": SECRET, "extraVolumeMounts": MOUNT},
        lambda o: (
            volumes(o)["output"] == SECRET[0]
            and mounts(o)["output"] == mounts(o, "check")["output"] == MOUNT[0]
        ),
    ),
    (
        {"serviceAccount": {"create": False, "name": "own"}},
        lambda o: (
            "ServiceAccount" not in kinds(o)
            and pod(o)["serviceAccountName"] == "own"
            and pick(o, "ClusterRoleBinding")["subjects"][0]["name"] == "own"
        ),
    ),
    (
        {"rbac": {"create": False}},
        lambda o: not {"ClusterRole", "ClusterRoleBinding"} & kinds(o),
    ),
    (
        {"kubernetes": {"namespaceMetadata": True}},
        lambda o: verbs(o) == {"pods": ["list", "watch"], "namespaces": ["get"]},
    ),
    (
        {"kubernetes": {"nodeMetadata": True}},
        lambda o: verbs(o) == {"pods": ["list", "watch"], "nodes": ["get"]},
    ),
    (
        {"resources": {"limits": {"memory": "256Mi"}}},
        lambda o: all(
            c["resources"]["limits"] == {"memory": "256Mi"}
            for c in containers(o).values()
        ),
    ),
    (
        {"resources": {"requests": {"cpu": "1"}}},
        lambda o: all(
            c["resources"]["requests"] == {"cpu": "1", "memory": "64Mi"}
            for c in containers(o).values()
        ),
    ),
    (
        {"statePath": "/mnt/towline"},
        lambda o: (
            volumes(o)["state"]["hostPath"]["path"] == "/mnt/towline"
            and mounts(o)["state"]["mountPath"] == "/var/lib/towline"
        ),
    ),
    (
        {"docker": {"enabled": True}},
        lambda o: mounts(o)["docker"]["readOnly"] and volumes(o)["docker"]["hostPath"],
    ),
    (
        {"observatory": {"enabled": True}, "networkPolicy": {"egress": EGRESS}},
        lambda o: (
            mounts(o)["cgroup"]["readOnly"]
            and own_policy(o)["egress"][:-1] == EGRESS
            and [p["port"] for p in own_policy(o)["egress"][-1]["ports"]]
            == [8080, 9464]
        ),
    ),
    (
        {"observatory": {"enabled": True}},
        lambda o: own_policy(o)["policyTypes"] == ["Ingress"],
    ),
    (
        {"terminationGracePeriodSeconds": 90},
        lambda o: pod(o)["terminationGracePeriodSeconds"] == 90,
    ),
    (
        {"priorityClassName": "mine"},
        lambda o: (
            pod(o)["priorityClassName"] == "mine" and "PriorityClass" not in kinds(o)
        ),
    ),
    (
        {"updateStrategy": {"type": "OnDelete", "rollingUpdate": None}},
        lambda o: (
            pick(o, "DaemonSet")["spec"]["updateStrategy"] == {"type": "OnDelete"}
        ),
    ),
    (
        {"minReadySeconds": 60},
        lambda o: pick(o, "DaemonSet")["spec"]["minReadySeconds"] == 60,
    ),
    (
        {"nodeSelector": {"pool": "agents"}},
        lambda o: (
            pod(o)["nodeSelector"] == {"kubernetes.io/os": "linux", "pool": "agents"}
        ),
    ),
    ({"tolerations": []}, lambda o: "tolerations" not in pod(o)),
    ({"affinity": NODES}, lambda o: "nodeAffinity" in pod(o)["affinity"]),
    (
        {"hostNetwork": True, "networkPolicy": {"enabled": False}},
        lambda o: (
            pod(o)["hostNetwork"] and pod(o)["dnsPolicy"] == "ClusterFirstWithHostNet"
        ),
    ),
    ({"dnsPolicy": "Default"}, lambda o: pod(o)["dnsPolicy"] == "Default"),
    (
        {"seLinuxOptions": {"type": "spc_t"}},
        lambda o: pod(o)["securityContext"]["seLinuxOptions"] == {"type": "spc_t"},
    ),
    (
        {"initContainers": SIDECAR},
        lambda o: pod(o)["initContainers"][1:] == SIDECAR,
    ),
    ({"extraContainers": SIDECAR}, lambda o: pod(o)["containers"][1:] == SIDECAR),
    *monitor("podMonitor", "PodMonitor"),
    *monitor("serviceMonitor", "ServiceMonitor"),
    (
        {"journal": {"enabled": True, "path": "/run/log/journal"}},
        lambda o: (
            volumes(o)["journal"]["hostPath"]["path"] == "/run/log/journal"
            and mounts(o)["journal"]["mountPath"] == "/run/log/journal"
            and mounts(o, "check")["machine-id"]["readOnly"]
        ),
    ),
    ({"webConfig": WEB}, lambda o: asked(o) == {"HTTPS"}),
    ({"webConfig": WEB}, lambda o: not scraped(o)),
    (
        {"webConfig": WEB},
        lambda o: (
            volumes(o)["web"]["secret"]["secretName"] == "towline-web"
            and mounts(o)["web"]["mountPath"] == "/etc/towline/web"
            and mounts(o, "check")["web"] == mounts(o)["web"]
            and "\n    HTTP_Web_Config /etc/towline/web/web.yml\n" in configuration(o)
        ),
    ),
    ({"webConfig": {"tls": True}}, lambda o: asked(o) == {"HTTP"} and scraped(o)),
    ({"webConfig": WEB | {"tls": False}}, lambda o: asked(o) == {"HTTP"}),
    (
        {
            "webConfig": WEB | {"scrape": {"basicAuth": LOGIN, "tlsConfig": TRUST}},
            "serviceMonitor": {"enabled": True},
        },
        lambda o: (
            endpoint(o, "ServiceMonitor").items()
            >= {"scheme": "https", "basicAuth": LOGIN, "tlsConfig": TRUST}.items()
        ),
    ),
    (
        {"webConfig": WEB, "podMonitor": {"enabled": True}},
        lambda o: endpoint(o, "PodMonitor")["scheme"] == "https",
    ),
    (
        {"podMonitor": {"enabled": True}},
        lambda o: "scheme" not in endpoint(o, "PodMonitor"),
    ),
    ({"networkPolicy": {"enabled": False}}, lambda o: not policies(o)),
    (
        {"networkPolicy": {"from": PEER}},
        lambda o: own_policy(o)["ingress"][0]["from"] == PEER,
    ),
    (
        {"networkPolicy": {"from": []}},  # everyone
        lambda o: list(own_policy(o)["ingress"][0]) == ["ports"],
    ),
    (
        {"networkPolicy": {"egress": EGRESS}},
        lambda o: (
            own_policy(o)["egress"] == EGRESS
            and own_policy(o)["policyTypes"] == ["Ingress", "Egress"]
        ),
    ),
    (
        {"agentsNetworkPolicy": POLLS},
        lambda o: (
            [n for n, name in policies(o) if name.endswith("polls-agents")]
            == ["one", "two"]
        ),
    ),
    (
        {"agentsNetworkPolicy": {"enabled": True, "podSelector": {"matchLabels": {}}}},
        lambda o: ("matchLabels" in agents_policy(o)["podSelector"]),
    ),
    (
        {"openshift": {"enabled": True}},
        lambda o: (
            pick(o, "SecurityContextConstraints")["users"]
            == ["system:serviceaccount:towline:towline"]
            and pod(o)["securityContext"]["seLinuxOptions"] == {"type": "spc_t"}
        ),
    ),
]


NAMES = [str(values)[:60] for values, _ in VALUES]


def paths(values, schema, above=()):
    """The values that are set, as far as the schema tells them apart."""
    for key, value in values.items():
        below = schema["properties"][key]
        if below.get("properties") and isinstance(value, dict) and value:
            yield from paths(value, below, (*above, key))
        else:
            yield ".".join((*above, key))


def defaults():
    return yaml.load((CHART / "values.yaml").read_text(), manifests.Loader)


@pytest.mark.parametrize(("values", "shows"), VALUES, ids=NAMES)
def test_a_value_does_what_it_says(values, shows):
    assert shows(chart(values))


def test_no_value_is_without_a_test():
    tested = {path for values, _ in VALUES for path in paths(values, SCHEMA)}
    named = set(paths(defaults(), SCHEMA))
    assert named - tested == set()


def test_without_values_it_lints_and_renders():
    done = helm("lint", "--strict", CHART)
    assert done.returncode == 0, done.stdout
    # As `helm template` is called by hand: with its test, into the namespace default.
    done = helm("template", CHART)
    assert done.returncode == 0, done.stderr
    assert "helm.sh/hook: test" in done.stdout


def walk(schema, path=""):
    for name, below in schema["properties"].items():
        yield f"{path}{name}", below
        if "properties" in below:
            yield from walk(below, f"{path}{name}.")


def test_the_schema_describes_every_value():
    described = {path: schema.get("description") for path, schema in walk(SCHEMA)}
    assert all(described.values())
    assert set(paths(defaults(), SCHEMA)) <= set(described)
    assert set(SCHEMA["properties"]) - set(defaults()) == {"global"}


@pytest.mark.parametrize(
    ("values", "names"),
    [
        ({"imagee": {}}, "imagee"),
        ({"image": {"repo": "x"}}, "repo"),
        ({"image": {"digest": "sha256:12"}}, "digest"),
        ({"image": {"pullPolicy": "Sometimes"}}, "pullPolicy"),
        ({"hostNetwork": "yes"}, "hostNetwork"),
        ({"statePath": "var/lib"}, "statePath"),
        ({"tolerations": {}}, "tolerations"),
        ({"minReadySeconds": -1}, "minReadySeconds"),
        ({"config": {"input": ""}}, "input"),
        ({"config": {"options": {"A b": "c"}}}, "A b"),
        ({"config": {"options": {"Flush": 0.5}}}, "Flush"),
        ({"config": {"options": {"Agents": "a\n[OUTPUT]"}}}, "Agents"),
        ({"podMonitor": {"interval": "often"}}, "interval"),
        ({"commonLabels": {"app.kubernetes.io/name": "x"}}, "commonLabels"),
        ({"podLabels": {"count": 1}}, "podLabels"),
        ({"rbac": {"verbs": ["*"]}}, "verbs"),
        ({"webConfig": {"scrape": {"basicauth": {}}}}, "basicauth"),
    ],
    ids=str,
)
def test_the_schema_refuses(values, names):
    with pytest.raises(Refused, match=rf"(?s)don't meet the specifications.*{names}"):
        chart(values)


def service(line):
    return {"service": f"[SERVICE]\n    {line}\n"}


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"serviceAccount": {"create": False}}, "Set serviceAccount.name"),
        (
            {"podMonitor": {"enabled": True}, "serviceMonitor": {"enabled": True}},
            "scraped twice",
        ),
        ({"hostNetwork": True}, "networkPolicy.enabled=false"),
        (
            {
                "hostNetwork": True,
                "networkPolicy": {"enabled": False},
                "agentsNetworkPolicy": {"enabled": True},
            },
            "match no policy's selector",
        ),
        (
            {"existingConfigMap": "own", "config": {"customParsers": PARSER}},
            'file of ConfigMap "own"',
        ),
        ({"config": {"customParsers": PARSER}}, "add `Parsers_File custom_parsers"),
        (
            {"existingConfigMap": "own", "config": {"options": {"Batches": 4}}},
            'the file in ConfigMap "own"',
        ),
        ({"config": {"options": {"Flush": 2}}}, "Leave one out"),
        ({"config": {"options": {"HTTP_Port": 2020}}}, "Leave HTTP_Port out"),
        ({"config": service("HTTP_Port 2020")}, "Leave HTTP_Port out"),
        ({"config": service("http_server Off")}, "probes ask at port 8000"),
        ({"config": service("HTTP_Web_Config x.yml")}, "set webConfig.secret"),
        ({"config": service("Grace 30")}, "Grace 30, and terminationGrace"),
        ({"config": service("Grace -1")}, "more than Grace"),
        (
            {"config": {"filters": "[FILTER]\n    Namespace_Labels On\n"}},
            "kubernetes.namespaceMetadata=true",
        ),
        (
            {"config": {"filters": "[FILTER]\n    Node_Labels On\n"}},
            "kubernetes.nodeMetadata=true",
        ),
    ],
    ids=lambda v: str(v)[:60],
)
def test_what_would_not_work_is_refused_with_what_to_do(values, says):
    with pytest.raises(Refused) as refused:
        chart(values)
    assert says in str(refused.value)


@pytest.mark.parametrize(
    "values",
    [
        {"config": service("HTTP_Port 8000")},
        {"config": service("Grace 29")},
        {"config": service("Grace 60"), "terminationGracePeriodSeconds": 61},
        {
            "config": {"filters": "[FILTER]\n    Namespace_Labels On\n"},
            "kubernetes": {"namespaceMetadata": True},
        },
    ],
    ids=str,
)
def test_what_works_is_not(values):
    chart(values)


def test_a_changed_configuration_rolls_the_pods():
    was, more = chart(), chart({"config": {"outputs": "[OUTPUT]\n    Name null\n"}})
    assert annotations(was)["checksum/config"] != annotations(more)["checksum/config"]
