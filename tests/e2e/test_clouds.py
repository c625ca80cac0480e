"""conf/terraform, conf/cloudwatch, conf/azure, and the guide's blocks for the three.

No provider, CloudWatch agent or Azure add-on can be had: these are checks of what the
files say (keys, references, names of metrics), not of what the clouds make of it.
The ConfigMaps are judged by a real API server, what is Prometheus' by a real promtool."""

import json
import re
import tomllib

import hcl2
import pytest
import yaml
from harness import manifests, promtool, reference
from harness.reference import ROOT
from test_apply import post

TERRAFORM = sorted((ROOT / "conf/terraform").glob("*.tf"))
CLOUDWATCH = ROOT / "conf/cloudwatch/agent.yaml"
AZURE = sorted((ROOT / "conf/azure").glob("*.yaml"))


def maps(path):
    """{name: data} of the ConfigMaps of a file."""
    objects = manifests.load(path.read_text())
    assert all(o["kind"] == "ConfigMap" for o in objects)
    return {o["metadata"]["name"]: o["data"] for o in objects}


# ---- Terraform


def plain(node):
    """Without the parser's marks: quotes, blocks, comments."""
    if isinstance(node, dict):
        pairs = node.items()
        return {k.strip('"'): plain(v) for k, v in pairs if k[:2] != "__"}
    if isinstance(node, list):
        return [plain(v) for v in node]
    return node


def terraform(text=None):
    """{kind: {name: block}}, a resource's name with its type in front."""
    found = {}
    for source in [text] if text else [path.read_text() for path in TERRAFORM]:
        for kind, blocks in plain(hcl2.loads(source)).items():
            for block in blocks:
                if kind in ("terraform", "locals"):
                    found.setdefault(kind, {}).update(block)
                    continue
                ((name, body),) = block.items()
                if kind == "resource":
                    ((second, body),) = body.items()
                    name = f"{name}.{second}"
                assert name not in found.setdefault(kind, {}), f"{name} stands twice"
                found[kind][name] = body
    return found


# What the provider's documentation (grafana/grafana, docs/resources) requires and allows.
ATTRIBUTES = {
    "grafana_folder": ({"title"}, {"uid", "org_id", "parent_folder_uid"}),
    "grafana_dashboard": (
        {"config_json"},
        {"folder", "message", "overwrite", "org_id"},
    ),
    "grafana_contact_point": ({"name", "email"}, {"disable_provenance", "org_id"}),
    "grafana_rule_group": (
        {"name", "folder_uid", "interval_seconds", "rule"},
        {"disable_provenance", "org_id"},
    ),
    "email": (
        {"addresses"},
        {"single_email", "disable_resolve_message", "message", "subject"},
    ),
    "rule": (
        {"name", "data"},
        {
            *("annotations", "condition", "exec_err_state", "for", "is_paused"),
            *("keep_firing_for", "labels", "no_data_state", "notification_settings"),
            *("missing_series_evals_to_resolve", "record", "uid"),
        },
    ),
    "data": (
        {"datasource_uid", "model", "ref_id", "relative_time_range"},
        {"query_type"},
    ),
    "relative_time_range": ({"from", "to"}, set()),
    "notification_settings": (
        {"contact_point"},
        {"group_by", "group_interval", "group_wait", "mute_timings", "repeat_interval"},
    ),
}
META = {"for_each", "count", "depends_on", "lifecycle", "provider"}


def wrong_attributes(kind, body):
    """Attributes that a resource or block lacks, or that it should not have."""
    body = {k: v for k, v in body.items() if k not in META}
    for block in body.pop("dynamic", []):
        ((name, dynamic),) = block.items()
        body[name] = dynamic["content"]
    required, optional = ATTRIBUTES[kind]
    found = [
        f"{kind}: {k}"
        for k in (required - set(body)) | (set(body) - required - optional)
    ]
    for name, blocks in body.items():
        if name in ATTRIBUTES and isinstance(blocks, list):
            found += [w for b in blocks for w in wrong_attributes(name, b)]
    return found


def test_resources_are_those_of_the_provider():
    found = terraform()
    kinds = {name.partition(".")[0] for name in found["resource"]}
    assert kinds == {k for k in ATTRIBUTES if k.startswith("grafana_")}
    for name, body in found["resource"].items():
        assert not wrong_attributes(name.partition(".")[0], body)
    assert list(found["provider"]) == ["grafana"]
    (versions,) = found["terraform"]["required_providers"]
    assert versions["grafana"]["source"] == '"grafana/grafana"'


def test_references_resolve_both_ways():
    found = terraform()
    text = re.sub(r"#.*", "", "\n".join(p.read_text() for p in TERRAFORM))
    asked = {f"{a}.{b}" for a, b in re.findall(r"\b(grafana_\w+)\.(\w+)\.", text)}
    assert asked and asked <= set(found["resource"])
    assert set(re.findall(r"\bvar\.(\w+)", text)) == set(found["variable"])
    assert set(re.findall(r"\blocal\.(\w+)", text)) == set(found["locals"])


def test_a_rules_condition_is_one_of_its_queries():
    (group,) = (
        b
        for n, b in terraform()["resource"].items()
        if n.startswith("grafana_rule_group")
    )
    (rule,) = group["dynamic"][0]["rule"]["content"]
    stages = {data["ref_id"]: data for data in rule["data"]}
    assert list(stages) == ['"A"', '"B"', '"fires"'] and rule["condition"] == '"fires"'
    for ref, data in stages.items():
        assert f"refId = {ref}" in data["model"]
    assert stages['"A"']["datasource_uid"] == "${var.prometheus_uid}"
    assert "$A" in stages['"B"']["model"] and '"B"' in stages['"fires"']["model"]


def test_the_guides_terraform_has_a_resource_and_a_folder_that_do_not_exist():
    # As YAML, which its fence says it is, it is one long string.
    assert isinstance(yaml.safe_load(reference.text(17)), str)
    found = terraform(reference.text(17))
    kinds = {name.partition(".")[0] for name in found["resource"]}
    assert kinds - set(ATTRIBUTES) == {"prometheus_rule_group"}
    for name, body in found["resource"].items():
        if name.startswith("grafana_dashboard"):
            assert "grafana_folder.matillion.id" in body["folder"]
    assert "grafana_folder.matillion" not in found["resource"]
    assert "provider" not in found and "terraform" not in found


# ---- CloudWatch

KINDS = dict(
    re.findall(
        r"^\| (\w+)(?:\{[^}]*\})? \| (\w+)",
        (ROOT / "docs/metrics.md").read_text(),
        re.M,
    )
) | {
    "app_log_lines_total": "counter",
    "app_memory_usage_bytes": "gauge",
    "app_cpu_usage_seconds_total": "counter",
}
EXPOSED = {
    f"{name}{suffix}": kind
    for name, kind in KINDS.items()
    for suffix in (["_bucket", "_sum", "_count"] if kind == "histogram" else [""])
}
LABELS = {"namespace", "pod", "container", "error_type", "quantile"}


def cloudwatch():
    """The agent's configuration and its Prometheus'."""
    data = maps(CLOUDWATCH)
    agent = json.loads(data["prometheus-cwagentconfig"]["cwagentconfig.json"])
    scrape = yaml.safe_load(data["prometheus-config"]["prometheus.yaml"])
    return agent, scrape


def test_cloudwatch_has_what_makes_metrics_of_series():
    agent, scrape = cloudwatch()
    section = agent["logs"]["metrics_collected"]["prometheus"]
    assert set(section) == {
        *("cluster_name", "log_group_name", "prometheus_config_path", "emf_processor"),
    }
    # prometheus-eks.yaml mounts the other ConfigMap there
    assert section["prometheus_config_path"] == "/etc/prometheusconfig/prometheus.yaml"
    assert section["cluster_name"] in section["log_group_name"]
    jobs = {job["job_name"] for job in scrape["scrape_configs"]}
    for declared in section["emf_processor"]["metric_declaration"]:
        assert declared["source_labels"] == ["job"]
        assert any(re.search(declared["label_matcher"], job) for job in jobs)


def test_cloudwatchs_selectors_find_metrics_that_it_takes():
    agent, _ = cloudwatch()
    emf = agent["logs"]["metrics_collected"]["prometheus"]["emf_processor"]
    chosen = set()
    for declared in emf["metric_declaration"]:
        for selector in declared["metric_selectors"]:
            found = {name for name in EXPOSED if re.search(selector, name)}
            assert found, f"{selector} selects nothing"
            assert {EXPOSED[name] for name in found} <= {"gauge", "counter"}, found
            # each alternative is a metric
            assert len(found) == 1 + selector.count("|") or "(" not in selector
            chosen |= found
    assert set(emf["metric_unit"]) <= chosen
    assert set(emf["metric_unit"].values()) <= {"Count", "Seconds", "Bytes"}


def test_cloudwatchs_dimensions_are_labels_that_series_have():
    agent, scrape = cloudwatch()
    (job,) = scrape["scrape_configs"]
    of_target = {rule.get("target_label") for rule in job["relabel_configs"]}
    emf = agent["logs"]["metrics_collected"]["prometheus"]["emf_processor"]
    for declared in emf["metric_declaration"]:
        for dimensions in declared["dimensions"]:
            assert len(dimensions) <= 30 and "ClusterName" in dimensions
            rest = set(dimensions) - {"ClusterName"}
            assert rest <= LABELS | {"NodeName"} and "NodeName" in of_target
            if any(s.startswith("^towline_") for s in declared["metric_selectors"]):
                assert not rest & LABELS
            for label, selector in (
                ("error_type", "^app_task_errors_total$"),
                ("quantile", "^app_(task|request)_duration_quantile_seconds$"),
            ):
                assert (label in dimensions) <= (
                    declared["metric_selectors"] == [selector]
                )


def without_kubernetes(config):
    """Debian's Prometheus has no discovery by Kubernetes."""
    for job in config["scrape_configs"]:
        (found,) = job.pop("kubernetes_sd_configs")
        assert found["role"] == "pod"
    return config


META_LABELS = {
    "__address__": "10.0.0.1:8080",
    "__meta_kubernetes_pod_annotation_prometheus_io_scrape": "true",
    "__meta_kubernetes_pod_annotation_prometheus_io_port": "8000",
    "__meta_kubernetes_pod_annotation_prometheus_io_path": "/metrics",
    "__meta_kubernetes_pod_label_app_kubernetes_io_name": "towline",
    "__meta_kubernetes_pod_node_name": "node-1",
    "__meta_kubernetes_pod_ip": "10.0.0.1",
}


@pytest.mark.parametrize(
    ("ip", "address"), [("10.0.0.1", "10.0.0.1:8000"), ("fd00::1", "[fd00::1]:8000")]
)
def test_cloudwatchs_scrape_finds_towline(ip, address):
    config = without_kubernetes(cloudwatch()[1])
    assert not promtool.config_errors(config)
    (job,) = config["scrape_configs"]
    assert job["honor_labels"]
    host = f"[{ip}]" if ":" in ip else ip
    pod = {"__address__": f"{host}:8080", "__meta_kubernetes_pod_ip": ip}
    found = promtool.relabelled(META_LABELS | pod, job["relabel_configs"])
    assert found["__address__"] == address and found["NodeName"] == "node-1"
    assert found["__metrics_path__"] == "/metrics"
    ended = {"__meta_kubernetes_pod_phase": "Succeeded"}
    assert not promtool.relabelled(META_LABELS | ended, job["relabel_configs"])


def test_the_guides_cloudwatch_makes_no_metric_and_looks_for_ecs():
    block = reference.parsed(14)
    assert block["metadata"] == {"name": "cwagentconfig"}
    assert "prometheus-cwagentconfig" in maps(CLOUDWATCH)
    agent = json.loads(reference.inner(14, "cwagentconfig.json"))
    section = agent["logs"]["metrics_collected"]["prometheus"]
    assert not {"emf_processor", "cluster_name", "log_group_name"} & set(section)
    # and what ECS discovery needs to find anything
    assert set(section["ecs_service_discovery"]) == {"sd_frequency", "sd_result_file"}
    # the scrape configuration that it names is in no block
    assert "prometheus.yaml" not in block["data"]
    assert reference.DOCUMENT.read_text().count("prometheusconfig") == 1
    # "Container Insights" is the section kubernetes; cpu and mem are the node's
    assert set(agent["logs"]["metrics_collected"]) == {"prometheus"}
    assert set(agent["metrics"]["metrics_collected"]) == {"cpu", "mem"}


# ---- Azure


def settings(data, key):
    """A section of TOML; one of sections by name, as schema v2 has them, as a dict."""
    text = data[key]
    if key.endswith("-metrics"):
        sections = yaml.safe_load(text)
        return {name: tomllib.loads(toml) for name, toml in sections.items()}
    return tomllib.loads(text)


def azure(name):
    return maps(ROOT / f"conf/azure/{name}.yaml")[name]


def test_each_config_map_of_azure_is_named_like_its_file():
    for path in AZURE:
        assert list(maps(path)) == [path.stem]


def test_azures_default_targets():
    data = azure("ama-metrics-settings-configmap")
    assert data["schema-version"] == "v2" and len(data["config-version"]) <= 10
    found = settings(data, "cluster-metrics")
    assert set(found) == {
        "default-targets-scrape-enabled",
        "pod-annotation-based-scraping",
        "default-targets-metrics-keep-list",
        "minimal-ingestion-profile",
        "default-targets-scrape-interval-settings",
    }
    enabled = found["default-targets-scrape-enabled"]
    assert all(isinstance(on, bool) for on in enabled.values())
    for section in "metrics-keep-list", "scrape-interval-settings":
        assert set(found[f"default-targets-{section}"]) <= {
            k for k in enabled if enabled[k]
        }
    # nobody is scraped by annotation and by the job, too
    assert found["pod-annotation-based-scraping"] == {"podannotationnamespaceregex": ""}
    assert tomllib.loads(data["prometheus-collector-settings"])["debug-mode"] is False


def test_azure_keeps_what_the_rules_ask_of_cadvisor():
    keep = settings(azure("ama-metrics-settings-configmap"), "cluster-metrics")
    keep = re.compile(keep["default-targets-metrics-keep-list"]["cadvisor"])
    asked = set()
    for path in (ROOT / "conf/prometheus").glob("**/*.yml"):
        asked |= set(re.findall(r"\bcontainer_\w+[a-z]\b(?=[{\[])", path.read_text()))
    assert all(keep.fullmatch(name) for name in asked), asked
    assert keep.fullmatch("container_memory_working_set_bytes")


def test_azures_job_is_that_of_scrape_yml():
    ours = yaml.safe_load((ROOT / "conf/prometheus/scrape.yml").read_text())
    text = azure("ama-metrics-prometheus-config")["prometheus-config"]
    config = yaml.safe_load(text)
    (job,) = config["scrape_configs"]
    assert job == next(
        j for j in ours["scrape_configs"] if j["job_name"] == job["job_name"]
    )
    assert not promtool.config_errors(without_kubernetes(config))


def test_azures_container_insights():
    data = azure("container-azm-ms-agentconfig")
    assert data["schema-version"] == "v1" and len(data["config-version"]) <= 10
    logs = settings(data, "log-data-collection-settings")["log_collection_settings"]
    assert set(logs) == {"stdout", "stderr", "env_var", "schema"}
    for stream in "stdout", "stderr":
        assert (
            logs[stream]["enabled"]
            and "kube-system" in logs[stream]["exclude_namespaces"]
        )
    assert logs["schema"] == {"containerlog_schema_version": "v2"}
    scrape = settings(data, "prometheus-data-collection-settings")
    cluster = scrape["prometheus_data_collection_settings"]["cluster"]
    assert cluster == {"interval": "1m", "monitor_kubernetes_pods": False}


def test_the_guides_azure_is_in_no_namespace_and_scrapes_for_log_analytics():
    block = reference.parsed(15)
    assert "namespace" not in block["metadata"]
    scrape = tomllib.loads(block["data"]["prometheus-data-collection-settings"])
    scrape = scrape["prometheus_data_collection_settings"]
    assert scrape["cluster"]["monitor_kubernetes_pods"]
    # towline's namespace is not among them, and a node without urls is asked nothing
    assert scrape["cluster"]["monitor_kubernetes_pods_namespaces"] == [
        "default",
        "matillion",
    ]
    assert scrape["node"] == {"interval": "1m"}
    assert "ama-metrics" not in reference.DOCUMENT.read_text()


# ---- the ConfigMaps on a real API server


@pytest.mark.parametrize("path", [CLOUDWATCH, *AZURE], ids=lambda path: path.stem)
def test_the_api_server_takes_the_config_maps(kube, path):
    for made in manifests.load(path.read_text()):
        space = made["metadata"]["namespace"]
        assert space == ("amazon-cloudwatch" if path == CLOUDWATCH else "kube-system")
        if path == CLOUDWATCH:  # a namespace that this server has not
            made["metadata"]["namespace"] = kube.namespace()
        post(kube, made, dryRun="All")
