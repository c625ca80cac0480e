"""conf/kubernetes: each overlay as it is built, the chart beside it, and the pod's
own commands run on what stands in them."""

import json
import os
import re

import pytest
import yaml
from harness import manifests
from harness.manifests import (
    BASE,
    CHART,
    KUBERNETES,
    OVERLAYS,
    chart,
    configuration,
    containers,
    helm,
    kustomize,
    pick,
    pod,
)
from harness.towline import ROOT, towline

REFERENCE = ROOT / "tests/fixtures/reference/fluent-bit.conf"
FOLDERS = [BASE, *(KUBERNETES / "overlays" / name for name in OVERLAYS)]
LOGS = {"/var/log/pods", "/var/log/containers"}
DOCKER = "/var/lib/docker/containers"
STATE = "/var/lib/towline"


def overlay(name):
    return kustomize(KUBERNETES / "overlays" / name)


@pytest.fixture(scope="module", params=FOLDERS, ids=lambda folder: folder.name)
def built(request):
    return kustomize(request.param)


def differences(a, b):
    """The lines that are not in both."""
    a, b = a.splitlines(), b.splitlines()
    return [line.split() for line in b if line not in a]


def test_the_overlays_are_those_of_the_docs():
    assert OVERLAYS == ["docker", "elasticsearch", "opensearch", "tls-api-key"]


# ---- the configuration


def test_it_is_the_reference_but_for_a_second_glob():
    text = configuration(kustomize())
    was = REFERENCE.read_text()
    (path,) = differences(was, text)
    assert path == [
        "Path",
        "/var/log/containers/matillion-agent*.log,",
        "/var/log/containers/*matillion-runner*.log",
    ]
    assert len(text.splitlines()) == len(was.splitlines())
    assert "".join(path[1:]) in (ROOT / "conf/towline.conf").read_text().replace(
        " ", ""
    )


def test_an_overlay_changes_what_it_is_for():
    base = configuration(kustomize())
    changed = {
        name: differences(base, configuration(overlay(name))) for name in OVERLAYS
    }
    assert changed == {
        "docker": [["Parser", "docker"]],
        "elasticsearch": [
            [
                "Host",
                "elasticsearch-0.elasticsearch.logging.svc,",
                "elasticsearch-1.elasticsearch.logging.svc",
            ]
        ],
        "opensearch": [
            ["Name", "opensearch"],
            ["Host", "opensearch-cluster-master.logging.svc"],
        ],
        "tls-api-key": [
            ["tls", "On"],
            ["tls.ca_file", "/etc/towline/output/ca.crt"],
            ["HTTP_API_Key_File", "/etc/towline/output/api-key"],
        ],
    }


def checked(text, tmp_path):
    """What the init container says of it."""
    file = tmp_path / "towline.conf"
    file.write_text(text)
    return towline("check", "-c", file)


def test_check_finds_it_right(built, tmp_path):
    done = checked(configuration(built), tmp_path)
    assert done.returncode == 0, done.stdout


def test_a_chart_of_fluent_bits_is_refused_with_its_reasons(tmp_path):
    """The values of its chart, as people have them."""
    values = {
        "config": {
            "inputs": "[INPUT]\n    Name syslog\n    Tag host.*\n",
            "filters": "[FILTER]\n    Name lua\n    Match *\n    script f.lua\n",
        }
    }
    done = checked(configuration(chart(values)), tmp_path)
    assert done.returncode == 1
    assert "syslog" in done.stdout and "lua" in done.stdout


def test_check_and_run_read_one_file_with_one_environment(built):
    both = containers(built)
    file = "/etc/towline/conf/towline.conf"
    assert both["check"]["args"] == ["check", "-c", file]
    assert both["towline"]["args"] == ["run", "-c", file]
    assert both["check"]["image"] == both["towline"]["image"]


def test_the_secret_is_read_as_a_file_by_both():
    built = overlay("tls-api-key")
    (volume,) = (v for v in pod(built)["volumes"] if "secret" in v)
    assert volume["secret"]["defaultMode"] == 0o400
    for container in containers(built).values():
        (mount,) = (m for m in container["volumeMounts"] if m["name"] == volume["name"])
        assert mount["mountPath"] == "/etc/towline/output" and mount["readOnly"]
        assert "subPath" not in mount  # a changed Secret would not arrive


# ---- rights and bounds


def test_a_pod_has_no_right_that_it_does_not_need(built):
    spec = pod(built)
    assert spec["securityContext"] == {
        "runAsUser": 0,
        "runAsGroup": 0,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    for container in containers(built).values():
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "privileged": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)


def test_of_the_node_it_sees_its_logs_and_writes_its_state(built, request):
    spec, docker = pod(built), request.node.callspec.id == "docker"
    hosts = {
        v["name"]: v["hostPath"]["path"] for v in spec["volumes"] if "hostPath" in v
    }
    assert set(hosts.values()) == LOGS | {STATE} | ({DOCKER} if docker else set())
    mounted = {
        m["name"]: m for c in containers(built).values() for m in c["volumeMounts"]
    }
    for name, path in hosts.items():
        # By the node's own path: the links in it lead there.
        assert mounted[name]["mountPath"] == path
    writable = [name for name, m in mounted.items() if not m.get("readOnly")]
    assert writable == ["state"]


def test_it_may_list_and_watch_pods(built):
    assert pick(built, "ClusterRole")["rules"] == [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["list", "watch"]}
    ]
    (subject,) = pick(built, "ClusterRoleBinding")["subjects"]
    assert subject == {
        "kind": "ServiceAccount",
        "name": pod(built)["serviceAccountName"],
        "namespace": "towline",
    }


def test_only_its_own_namespace_admits_hostpath(built):
    labels = pick(built, "Namespace")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "privileged"
    spaces = {o["metadata"]["namespace"] for o in built if "namespace" in o["metadata"]}
    assert spaces == {"towline"}


def test_the_end_has_time_for_grace(built):
    (grace,) = re.findall(
        r"\| `Grace` \| time \| `(\d+)`",
        (ROOT / "docs/configuration.md").read_text(),
    )
    assert "Grace" not in configuration(built)
    assert pod(built)["terminationGracePeriodSeconds"] > int(grace)


def test_an_outage_does_not_hide_the_metrics(built):
    service = pick(built, "Service")
    assert service["metadata"]["name"] == "matillion-agent-metrics"
    assert service["spec"]["publishNotReadyAddresses"] is True
    template = pick(built, "DaemonSet")["spec"]["template"]
    labels = template["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    assert template["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "8000",
        "prometheus.io/path": "/metrics",
        "prometheus.io/interval": "15s",
    }


def test_versions_are_the_makefiles():
    (version,) = re.findall(r"^VERSION := (\S+)", (ROOT / "Makefile").read_text(), re.M)
    described = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert described["appVersion"] == version
    images = {c["image"] for c in containers(kustomize()).values()}
    assert images == {f"towline:{version}"}


# ---- the chart beside it


def alike(objects):
    """By kind and name, less what may differ: Helm's own labels, the checksum, the
    hashed name of the ConfigMap, and the Namespace, which the chart does not make."""

    def strip(labels):
        for own in "version", "managed-by":
            labels.pop(f"app.kubernetes.io/{own}", None)
        labels.pop("helm.sh/chart", None)

    text = re.sub(r'"towline-[0-9a-z]{10}"', '"towline"', json.dumps(objects))
    found = {}
    for o in json.loads(text):
        strip(o["metadata"]["labels"])
        found[o["kind"], o["metadata"]["name"]] = o
    found.pop(("Namespace", "towline"), None)
    template = found["DaemonSet", "towline"]["spec"]["template"]["metadata"]
    template["annotations"].pop("checksum/config", None)
    return found


def pieces(name):
    """The values of config that make an overlay's file."""
    text = configuration(overlay(name))
    keys = "service", "inputs", "filters", "outputs"
    return dict(zip(keys, re.split(r"\n\n(?=\[)", text), strict=True))


SECRET = {
    "extraVolumes": [
        {
            "name": "output",
            "secret": {"secretName": "towline-output", "defaultMode": 0o400},
        }
    ],
    "extraVolumeMounts": [
        {"name": "output", "mountPath": "/etc/towline/output", "readOnly": True}
    ],
}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("docker", {"docker": {"enabled": True}}),
        ("elasticsearch", {}),
        ("opensearch", {}),
        ("tls-api-key", SECRET),
    ],
)
def test_the_chart_gives_what_an_overlay_gives(name, values):
    values = {**values, "config": pieces(name)}
    assert alike(chart(values)) == alike(overlay(name))


def test_the_chart_without_values_gives_what_the_base_gives():
    assert alike(chart()) == alike(kustomize())


def test_the_agents_policy_is_the_charts():
    (by_hand,) = manifests.load((KUBERNETES / "agents-networkpolicy.yaml").read_text())
    (made,) = (
        o
        for o in chart({"agentsNetworkPolicy": {"enabled": True}})
        if o["metadata"]["name"] == by_hand["metadata"]["name"]
    )
    assert made["spec"] == by_hand["spec"]
    assert made["metadata"]["namespace"] == "matillion"
    assert all(
        o["metadata"]["name"] != by_hand["metadata"]["name"]
        for o in [*kustomize(), *chart()]
    )


# ---- the agents' metrics beyond their logs

OBSERVATORY = {"observatory": {"enabled": True}}


def with_component(name, folder):
    """The base with the component, as an overlay of the operator's would have it."""
    component = KUBERNETES / "components" / name
    overlay = {
        "resources": [os.path.relpath(BASE, folder)],
        "components": [os.path.relpath(component, folder)],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    return kustomize(folder)


@pytest.fixture(scope="module")
def observatory(tmp_path_factory):
    return with_component("observatory", tmp_path_factory.mktemp("overlay"))


def without_configuration(objects):
    found = alike(objects)
    del found["ConfigMap", "towline"]
    return found


def test_observatory_is_the_same_in_both(observatory):
    by_chart = chart(OBSERVATORY)
    assert without_configuration(by_chart) == without_configuration(observatory)
    assert differences(configuration(observatory), configuration(by_chart)) == [
        ["Agent_Gauges", "poll"],
        ["Cgroup_Path", "/host/sys/fs/cgroup"],
    ]
    text = (KUBERNETES / "components/observatory/kustomization.yaml").read_text()
    said = [line[1:].split() for line in text.splitlines() if line.startswith("# ")]
    assert ["Agent_Gauges", "poll"] in said
    assert ["Cgroup_Path", "/host/sys/fs/cgroup"] in said


def test_observatory_mounts_the_control_groups_to_be_read(observatory):
    (mount,) = (
        m
        for m in containers(observatory)["towline"]["volumeMounts"]
        if m["name"] == "cgroup"
    )
    assert mount["readOnly"] and mount["mountPath"] == "/host/sys/fs/cgroup"
    (volume,) = (v for v in pod(observatory)["volumes"] if v["name"] == "cgroup")
    assert volume["hostPath"] == {"path": "/sys/fs/cgroup", "type": "Directory"}


def test_check_finds_observatory_right(tmp_path):
    done = checked(configuration(chart(OBSERVATORY)), tmp_path)
    assert done.returncode == 0, done.stdout


def test_each_option_of_the_service_is_a_value(tmp_path):
    """The table of docs/configuration.md, each at its default."""
    page = (ROOT / "docs/configuration.md").read_text()
    table = page.partition("## [SERVICE]")[2].partition("\n## ")[0]
    options = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| `([^`]+)` \|", table, re.M))
    assert {"Task_Buckets", "Agent_Poll_Interval", "Failure_Memory"} <= set(options)
    values = {"config": {"service": "[SERVICE]\n", "options": options}}
    text = configuration(chart(values))
    assert set(options) <= set(text.split())
    done = checked(text, tmp_path)
    assert done.returncode == 0, done.stdout


def test_observatory_leaves_options_of_ones_own(tmp_path):
    service = "[SERVICE]\n    Flush 1\n    agent_gauges off\n    Cgroup_Path /x\n"
    text = configuration(chart({**OBSERVATORY, "config": {"service": service}}))
    assert text.startswith(service)
    assert "poll" not in text and "/host" not in text
    assert checked(text, tmp_path).returncode == 0


# ---- the node's journal


def test_the_journal_is_the_same_in_both(tmp_path):
    by_chart = chart({"journal": {"enabled": True}})
    by_hand = with_component("journal", tmp_path)
    assert without_configuration(by_chart) == without_configuration(by_hand)
    for container in containers(by_hand).values():
        mounts = {m["name"]: m for m in container["volumeMounts"]}
        assert mounts["journal"]["readOnly"] and mounts["machine-id"]["readOnly"]


def test_its_example_is_right(tmp_path):
    text = (KUBERNETES / "components/journal/kustomization.yaml").read_text()
    lines = [line[4:] for line in text.splitlines() if line.startswith("#   ")]
    example = "\n".join(line for line in lines if "components" not in line)
    done = checked(f"{example}\n[OUTPUT]\n  Name null\n  Match host.*\n", tmp_path)
    assert done.returncode == 0, done.stdout


# ---- TLS and passwords

WEB = {"webConfig": {"secret": "towline-web"}}


def test_web_config_is_the_same_in_both(tmp_path):
    by_chart, by_hand = chart(WEB), with_component("web-config", tmp_path)
    assert without_configuration(by_chart) == without_configuration(by_hand)
    option = ["HTTP_Web_Config", "/etc/towline/web/web.yml"]
    assert differences(configuration(by_hand), configuration(by_chart)) == [option]
    text = (KUBERNETES / "components/web-config/kustomization.yaml").read_text()
    assert option in [line[1:].split() for line in text.splitlines()]


def test_check_reads_the_mounted_file(tmp_path):
    """Which is not here."""
    done = checked(configuration(chart(WEB)), tmp_path)
    assert done.returncode == 1
    assert "HTTP_Web_Config '/etc/towline/web/web.yml': no file" in done.stdout


def test_helm_test_asks_by_tls():
    command = ["template", "towline", CHART, "--set", "webConfig.secret=towline-web"]
    done = helm(*command, "--show-only", "templates/tests/ready.yaml")
    (hook,) = manifests.load(done.stdout)
    url = hook["spec"]["containers"][0]["command"][-1]
    assert url == "https://matillion-agent-metrics:8000/readyz"


# ---- what asks it


def test_helm_test_asks_whether_it_is_ready(settings, run, node):
    """The hook's own script, on a towline that is ready and on none."""
    done = helm(
        "template", "towline", CHART, "--show-only", "templates/tests/ready.yaml"
    )
    (hook,) = manifests.load(done.stdout)
    assert hook["metadata"]["annotations"]["helm.sh/hook"] == "test"
    *script, url = hook["spec"]["containers"][0]["command"]
    service = pick(chart(), "Service")["metadata"]["name"]
    assert script[0] == "towline" and url == f"http://{service}:8000/readyz"

    def ask(port):
        return towline(*script[1:], url.replace(f"{service}:8000", f"127.0.0.1:{port}"))

    node.container().write("hello")
    shipper = run(settings)
    shipper.until_ready()
    done = ask(shipper.address[1])
    assert done.returncode == 0 and done.stdout.endswith("ok\n"), done
    shipper.stop()
    assert ask(shipper.address[1]).returncode == 1

    settings.outputs = [{"Name": "es", "Host": "127.0.0.1", "Port": 1, "Match": "*"}]
    shipper = run(settings)
    done = ask(shipper.address[1])
    assert done.returncode == 1 and "es.0 has not answered" in done.stdout, done
    shipper.kill()
