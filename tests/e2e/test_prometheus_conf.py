"""conf/prometheus' whole configurations, by promtool.  Debian's is built without
Kubernetes discovery, and knows no scrape_config_files: it is given the jobs themselves,
with what they would find.  Prometheus 3's reads the files as they are."""

import re
import shutil

import pytest
import yaml
from harness.alerting import PROMETHEUS, debian, loaded, newest, ran, said

TWO, THREE = PROMETHEUS / "prometheus-2.yml", PROMETHEUS / "prometheus-3.yml"
SCRAPES = [
    PROMETHEUS / name for name in ("scrape.yml", "scrape-agents.yml", "scrape-tls.yml")
]


def without_discovery(job):
    job = dict(job)
    del job["kubernetes_sd_configs"]
    return job | {"static_configs": [{"targets": ["127.0.0.1:8000"]}]}


def jobs(*files):
    return [job for file in files for job in loaded(file)["scrape_configs"]]


def inlined(config):
    """As it stands for a Prometheus of before 2.43."""
    files = [PROMETHEUS / name for name in config["scrape_config_files"]]
    rest = {k: v for k, v in config.items() if k != "scrape_config_files"}
    return rest | {"scrape_configs": [without_discovery(job) for job in jobs(*files)]}


def checked(promtool, config, folder):
    """Syntax alone: the files of secrets are a cluster's."""
    shutil.copytree(PROMETHEUS / "rules", folder / "rules")
    (folder / "config.yml").write_text(yaml.safe_dump(config))
    return ran(promtool, "check", "config", "--syntax-only", folder / "config.yml")


def test_prometheus_2_accepts_its_configuration(tmp_path):
    assert checked(debian() / "promtool", inlined(loaded(TWO)), tmp_path)[0]


def test_prometheus_2_accepts_the_job_with_tls(tmp_path):
    config = {"scrape_configs": [without_discovery(job) for job in jobs(SCRAPES[2])]}
    assert checked(debian() / "promtool", config, tmp_path)[0]


@pytest.mark.parametrize("file", [TWO, THREE, *SCRAPES], ids=lambda file: file.name)
def test_prometheus_3_accepts_the_files_as_they_are(file):
    said(newest("promtool"), "check", "config", "--syntax-only", file)


def test_prometheus_2_refuses_the_keys_of_3(tmp_path):
    """So that the comment that these are flags there is true."""
    good, why = checked(debian() / "promtool", inlined(loaded(THREE)), tmp_path)
    assert not good
    refused = set(re.findall(r"field (\w+) not found", why))
    assert {"convert_classic_histograms_to_nhcb", "retention"} <= refused


def test_the_two_differ_in_nothing_else():
    two, three = loaded(TWO), loaded(THREE)
    assert three.pop("storage") == {
        "tsdb": {"retention": {"time": "30d", "size": "50GB"}}
    }
    for key in (
        "convert_classic_histograms_to_nhcb",
        "always_scrape_classic_histograms",
    ):
        assert three["global"].pop(key) is True
    assert two == three
    flags = re.findall(r"--storage\.tsdb\.retention\.(\w+)=(\w+)", TWO.read_text())
    assert dict(flags) == {"time": "30d", "size": "50GB"}


def test_retention_outlasts_what_the_bands_look_back():
    """The week's band is of seven and a half days ago."""
    text = (PROMETHEUS / "rules/anomalies.yml").read_text()
    hours = max(int(h) for h in re.findall(r"offset (\d+)h", text))
    days = int(loaded(THREE)["storage"]["tsdb"]["retention"]["time"].rstrip("d"))
    assert 168 - 1 <= hours < 24 * days


# ---- relabelings, by promtool's service discovery


def after(labels, steps, tmp_path):
    """The labels that the steps leave; None when they drop the target or the series."""
    target = labels.pop("__address__", "10.0.0.1:1")
    job = {"job_name": "job", "relabel_configs": steps}
    job["static_configs"] = [{"targets": [target], "labels": labels}]
    (tmp_path / "sd.yml").write_text(yaml.safe_dump({"scrape_configs": [job]}))
    text = said(
        debian() / "promtool",
        *("check", "service-discovery", "--timeout=300ms", tmp_path / "sd.yml", "job"),
    )
    (found,) = yaml.safe_load(text)
    labels = found.get("labels") or {}
    return {k: v for k, v in labels.items() if not k.startswith("__")} or None


OWN, CADVISOR = jobs(PROMETHEUS / "scrape-agents.yml")
(ANNOTATED,) = jobs(PROMETHEUS / "scrape.yml")
META = "__meta_kubernetes_"


def pod(app, container, **more):
    return {
        f"{META}namespace": "matillion",
        f"{META}pod_name": "matillion-runner-app-1",
        f"{META}pod_ip": "10.1.2.3",
        f"{META}pod_label_app": app,
        f"{META}pod_container_name": container,
    } | more


@pytest.mark.parametrize(
    "app",
    ["matillion-runner-pods", "matillion-agent-pods", "eu-matillion-runner-pods"],
)
def test_an_agents_own_endpoint_has_the_labels_of_towlines_series(app, tmp_path):
    container = "matillion-agent-pods" if "agent" in app else "matillion-runner-pods"
    assert after(pod(app, container), OWN["relabel_configs"], tmp_path) == {
        "instance": "10.1.2.3:8080",
        "job": "job",
        "namespace": "matillion",
        "pod": "matillion-runner-app-1",
        "container": container,
    }


@pytest.mark.parametrize(
    ("app", "container"),
    [
        ("matillion-runner-script-runner-pods", "script-runner"),
        ("matillion-runner-pods", "metrics-exporter"),
        ("towline", "towline"),
    ],
)
def test_other_pods_and_containers_are_left_alone(app, container, tmp_path):
    assert after(pod(app, container), OWN["relabel_configs"], tmp_path) is None


def annotated(ip, **more):
    """A pod of towline's, as discovery describes it."""
    host = f"[{ip}]" if ":" in ip else ip
    return {
        "__address__": f"{host}:9999",
        f"{META}pod_ip": ip,
        f"{META}pod_phase": "Running",
        f"{META}pod_annotation_prometheus_io_scrape": "true",
        f"{META}pod_annotation_prometheus_io_port": "8000",
    } | more


@pytest.mark.parametrize(
    ("ip", "host"), [("10.1.2.3", "10.1.2.3"), ("fd00::1:3", "[fd00::1:3]")]
)
def test_an_address_of_either_kind_gets_its_port(ip, host, tmp_path):
    found = after(annotated(ip), ANNOTATED["relabel_configs"], tmp_path)
    assert found["instance"] == f"{host}:8000"
    agent = pod("matillion-runner-pods", "matillion-runner-pods")
    agent[f"{META}pod_ip"] = ip
    found = after(agent, OWN["relabel_configs"], tmp_path)
    assert found["instance"] == f"{host}:8080"


@pytest.mark.parametrize("phase", ["Pending", "Running", "Unknown"])
def test_a_pod_that_has_not_ended_is_a_target(phase, tmp_path):
    for found, job in both_jobs(phase):
        assert after(found, job["relabel_configs"], tmp_path)


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_has_ended_is_none(phase, tmp_path):
    for found, job in both_jobs(phase):
        assert after(found, job["relabel_configs"], tmp_path) is None


def both_jobs(phase):
    phase = {f"{META}pod_phase": phase}
    own = pod("matillion-runner-pods", "matillion-runner-pods", **phase)
    return [(annotated("10.1.2.3", **phase), ANNOTATED), (own, OWN)]


def series(name, **labels):
    """A series in the place of a target: __name__ is no name of a target's label."""
    return {"name_": name} | labels


def metric(labels, job, tmp_path):
    steps = [
        step
        | {
            "source_labels": [
                "name_" if label == "__name__" else label
                for label in step["source_labels"]
            ]
        }
        if "source_labels" in step
        else step
        for step in job["metric_relabel_configs"]
    ]
    return after(labels, steps, tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "app_agent_status",
        "app_agent_connected",
        "app_active_task_count",
        "app_active_request_count",
        "app_open_sessions",
        "app_open_sessions_count",
        "app_version_info",
        "target_info",
        "app_task_id_4711",
    ],
)
def test_gauges_that_towline_owns_secrets_and_series_a_task_are_dropped(name, tmp_path):
    assert metric(series(name), OWN, tmp_path) is None


@pytest.mark.parametrize("name", ["app_agent_status", "app_open_sessions_count"])
def test_an_agent_that_is_annotated_has_its_gauges_dropped_and_towline_has_not(
    name, tmp_path
):
    assert metric(series(name), ANNOTATED, tmp_path) is None
    assert metric(series(name, pod="p"), ANNOTATED, tmp_path)["pod"] == "p"
    assert metric(series("app_completed_tasks_total"), ANNOTATED, tmp_path)
    assert metric(series("target_info"), ANNOTATED, tmp_path) is None


def test_both_jobs_drop_the_same_gauges():
    own, annotated = (
        next(step for step in job["metric_relabel_configs"] if "app_" in step["regex"])
        for job in (OWN, ANNOTATED)
    )
    assert annotated["regex"] == own["regex"] + ";"
    assert annotated["source_labels"] == ["__name__", "pod"]
    assert own["source_labels"] == ["__name__"]
    assert annotated["action"] == own["action"] == "drop"


def test_labels_that_cost_are_taken_away_and_the_series_stays(tmp_path):
    cost = {"task_id": "4711", "user_id": "8", "area": "heap"}
    left = metric(series("jvm_memory_used_bytes", **cost), OWN, tmp_path)
    assert left["name_"] == "jvm_memory_used_bytes"
    assert left["area"] == "heap"
    assert not {"task_id", "user_id"} & set(left)


def test_of_cadvisor_what_the_rules_read_is_kept_of_agents(tmp_path):
    text = "".join(path.read_text() for path in (PROMETHEUS / "rules").glob("*.yml"))
    read = set(re.findall(r"\bcontainer_(?:cpu|memory|spec)\w+", text))
    assert len(read) == 3
    agent = {"container": "matillion-runner-pods", "id": "/kubepods/1", "image": "i"}
    for name in read | {"container_memory_working_set_bytes"}:
        left = metric(series(name, **agent), CADVISOR, tmp_path)
        assert left["container"] == agent["container"]
        assert not {"id", "image"} & set(left)
        assert metric(series(name, container="nginx"), CADVISOR, tmp_path) is None
    other = series("container_fs_reads_total", **agent)
    assert metric(other, CADVISOR, tmp_path) is None


@pytest.mark.parametrize(
    ("name", "is_written"),
    [
        ("app_task_execution_seconds_bucket", False),
        ("towline_delivery_seconds_bucket", False),
        ("process_open_fds", False),
        ("app_task_execution_seconds_sum", True),
        ("agent:app_task_execution_seconds:p95_5m", True),
        ("anomaly:upper", True),
    ],
)
def test_what_is_written_to_long_term_storage(name, is_written, tmp_path):
    (remote,) = loaded(TWO)["remote_write"]
    job = {"metric_relabel_configs": remote["write_relabel_configs"]}
    assert (metric(series(name), job, tmp_path) is not None) == is_written
