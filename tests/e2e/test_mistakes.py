"""The mistakes of the monitoring guide in PromQL, rules and Prometheus' configuration:
each expression of the guide and the right one on the same series, by promtool; each
configuration that Prometheus refuses, or reads otherwise than the guide says.

docs/monitoring.md has the table of them, each with its proof here."""

import fnmatch
import json
import pathlib
import re
import subprocess
import uuid
from collections import namedtuple

import pytest
from harness import promtool, reference

AGENT = 'namespace="matillion",pod="matillion-agent-0",container="matillion-agent"'
CADVISOR = (
    'namespace="matillion",pod="matillion-agent-0",container="matillion-agent",'
    'id="/kubepods/pod1/c1",image="agent",name="c1",node="node-1"'
)


def of_agent(name, more=""):
    return f"{name}{{{AGENT}{more}}}"


def bucket(le, pod="matillion-agent-0"):
    return f'app_request_duration_seconds_bucket{{pod="{pod}",le="{le}"}}'


# One pair of expressions on one set of series (a sample a minute).  wrong_has and
# right_has are the numbers of series that each returns at `at`.
Case = namedtuple("Case", "wrong right series wrong_has right_has at")

LEAK = (
    "increase(app_open_sessions[30m]) > 0 and app_active_task_count == 0",
    "delta(app_open_sessions[30m]) > 0 and max_over_time(app_active_task_count[30m]) == 0",
)
MEMORY = (
    "increase(container_memory_usage_bytes{pod=~'matillion-agent.*'}[1h]) > 1073741824"
    " and app_active_task_count < 5",
    "delta(app_memory_usage_bytes[1h]) > 1073741824"
    " and max_over_time(app_active_task_count[1h]) < 5",
)
DOWN = ("count(app_agent_status == 1) == 0", "absent(app_agent_status == 1)")
QUANTILE = (
    "histogram_quantile(0.95, app_request_duration_seconds_bucket) > 30",
    "histogram_quantile(0.95, sum by (pod, le)"
    " (rate(app_request_duration_seconds_bucket[5m]))) > 30",
)
CAPACITY = (
    "app_active_task_count / app_max_task_capacity > 0.8",
    "app_active_task_count / on (namespace, pod) group_left () app_max_task_capacity > 0.8",
)
BACKLOG = (
    "app_active_task_count > 100",
    "app_active_task_count / app_max_task_capacity >= 1",
)
SESSIONS = ("app_open_sessions > 150", "app_open_sessions / app_max_connections > 0.9")
MEAN = (
    "avg_over_time(app_task_duration_seconds[1h]) > 300",
    "rate(app_task_execution_seconds_sum[1h]) / rate(app_task_execution_seconds_count[1h])"
    " > 300",
)
USAGE = (
    "container_memory_usage_bytes{pod=~'matillion-agent.*'}",
    'container_memory_working_set_bytes{container!~"|POD",'
    'pod=~"matillion-agent.*|.*matillion-runner.*",pod!~".*-script-runner.*"}',
)


def memory_of(pod, container):
    labels = f'{{namespace="matillion",pod="{pod}",container="{container}"}}'
    return {f"container_memory_{of}_bytes{labels}": "1e9x10" for of in KINDS}


KINDS = "usage", "working_set"
SAW = " ".join(["2e9", "1e9"] * 40)

CASES = {
    "increase-of-a-gauge-that-falls": Case(
        *LEAK,
        {
            of_agent("app_open_sessions"): "40-1x40",
            of_agent("app_active_task_count"): "0x40",
        },
        1,
        0,
        "30m30s",
    ),
    "a-leak-is-found-by-delta": Case(
        *LEAK,
        {
            of_agent("app_open_sessions"): "5+1x40",
            of_agent("app_active_task_count"): "0x40",
        },
        1,
        1,
        "30m30s",
    ),
    "idle-now-is-not-idle-for-30-minutes": Case(
        *LEAK,
        {
            of_agent("app_open_sessions"): "5+1x40",
            of_agent("app_active_task_count"): "9x29 0x10",
        },
        1,
        0,
        "30m30s",
    ),
    "memory-of-other-labels": Case(
        *MEMORY,
        {
            f"container_memory_usage_bytes{{{CADVISOR}}}": "1e9+1e8x70",
            of_agent("app_memory_usage_bytes"): "1e9+1e8x70",
            of_agent("app_active_task_count"): "0x70",
        },
        0,
        1,
        "1h30s",
    ),
    "memory-that-goes-up-and-down": Case(
        MEMORY[0].replace(" and ", " and on (namespace, pod) "),
        MEMORY[1],
        {
            f"container_memory_usage_bytes{{{CADVISOR}}}": SAW,
            of_agent("app_memory_usage_bytes"): SAW,
            of_agent("app_active_task_count"): "0x80",
        },
        1,
        0,
        "1h30s",
    ),
    "no-agent-is-up": Case(*DOWN, {of_agent("app_agent_status"): "0x10"}, 0, 1, "5m"),
    "no-agent-at-all": Case(*DOWN, {"up": "1x10"}, 0, 1, "5m"),
    "one-agent-is-up": Case(
        *DOWN,
        {'app_agent_status{pod="a"}': "0x10", 'app_agent_status{pod="b"}': "1x10"},
        0,
        0,
        "5m",
    ),
    "an-agent-that-is-gone-has-no-status": Case(
        "app_agent_status == 0",
        'app_agent_status == 0 or up{job="matillion-agents"} == 0',
        {
            of_agent("app_agent_status"): "1x5 stale",
            'up{job="matillion-agents",instance="node-1"}': "1x5 0x10",
        },
        0,
        1,
        "8m",
    ),
    "a-quantile-of-all-time-is-slow-to-rise": Case(
        *QUANTILE,
        {
            bucket("1"): "100000x60",
            bucket("60"): "100000x55 100020+20x10",
            bucket("+Inf"): "100000x55 100020+20x10",
        },
        0,
        1,
        "1h30s",
    ),
    "a-quantile-of-all-time-does-not-fall": Case(
        *QUANTILE,
        {
            bucket("1"): "0+1x60",
            bucket("60"): "5000+1x60",
            bucket("+Inf"): "5000+1x60",
        },
        1,
        0,
        "1h30s",
    ),
    "a-quantile-ends-at-the-last-bucket": Case(
        QUANTILE[0],
        'sum by (pod) (rate(app_request_duration_seconds_bucket{le="+Inf"}[5m]))'
        ' - sum by (pod) (rate(app_request_duration_seconds_bucket{le="10"}[5m])) > 0',
        # all requests take 100 s; one agent has the client libraries' buckets, up to 10 s
        {
            bucket("10", "default"): "0x60",
            bucket("+Inf", "default"): "0+20x60",
            bucket("10", "wide"): "0x60",
            bucket("300", "wide"): "0+20x60",
            bucket("+Inf", "wide"): "0+20x60",
        },
        1,
        2,
        "50m30s",
    ),
    "capacity-of-other-labels": Case(
        *CAPACITY,
        {
            of_agent("app_active_task_count"): "19x10",
            'app_max_task_capacity{namespace="matillion",pod="matillion-agent-0"}': "20x10",
        },
        0,
        1,
        "5m",
    ),
    "capacity-of-the-same-labels": Case(
        *CAPACITY,
        {
            of_agent("app_active_task_count"): "19x10",
            of_agent("app_max_task_capacity"): "20x10",
        },
        1,
        1,
        "5m",
    ),
    "more-tasks-than-an-agent-runs": Case(
        *BACKLOG,
        {
            of_agent("app_active_task_count"): "20x10",
            of_agent("app_max_task_capacity"): "20x10",
        },
        0,
        1,
        "5m",
    ),
    "all-of-fewer-sessions-than-150": Case(
        *SESSIONS,
        {
            of_agent("app_open_sessions"): "100x10",
            of_agent("app_max_connections"): "100x10",
        },
        0,
        1,
        "5m",
    ),
    "160-of-500-sessions": Case(
        *SESSIONS,
        {
            of_agent("app_open_sessions"): "160x10",
            of_agent("app_max_connections"): "500x10",
        },
        1,
        0,
        "5m",
    ),
    "no-maximum-of-connections": Case(
        "app_open_sessions / app_max_connections * 100",
        "app_open_sessions unless app_max_connections",
        {of_agent("app_open_sessions"): "160x10"},
        0,
        1,
        "5m",
    ),
    "the-mean-of-an-agent-at-rest": Case(
        *MEAN,
        {
            of_agent("app_task_duration_seconds"): "700x120",
            of_agent("app_task_execution_seconds_sum"): "7000x120",
            of_agent("app_task_execution_seconds_count"): "10x120",
        },
        1,
        0,
        "1h30m30s",
    ),
    "a-mean-of-means": Case(
        *MEAN,
        {
            # 50 minutes with a task of 900 s in each five, then 100 tasks of 10 s a minute
            of_agent("app_task_duration_seconds"): "900x50 10x20",
            of_agent("app_task_execution_seconds_sum"): "0+180x50 10000+1000x20",
            of_agent("app_task_execution_seconds_count"): "0+0.2x50 110+100x20",
        },
        1,
        0,
        "1h30s",
    ),
    "errors-of-many-types": Case(
        "rate(app_task_errors_total[5m]) > 0.1",
        "sum by (namespace, pod) (rate(app_task_errors_total[5m])) > 0.1",
        {
            of_agent("app_task_errors_total", f',error_type="{e}"'): "0+4x20"
            for e in "abc"
        },
        0,
        1,
        "10m30s",
    ),
    "few-tasks-of-which-all-fail": Case(
        "rate(app_task_errors_total[5m]) > 0.1",
        "increase(app_failed_tasks_total[1h]) / (increase(app_failed_tasks_total[1h])"
        " + increase(app_completed_tasks_total[1h])) > 0.01",
        {
            of_agent("app_task_errors_total", ',error_type="SQL"'): "0+0.5x70",
            of_agent("app_failed_tasks_total"): "0+0.5x70",
            of_agent("app_completed_tasks_total"): "0x70",
        },
        0,
        1,
        "1h30s",
    ),
    "a-draining-agent-counts-twice": Case(
        "sum(app_agent_status) == 3",
        "sum(app_agent_status > bool 0) == 2",
        {
            'app_agent_status{pod="runs"}': "1x10",
            'app_agent_status{pod="drains"}': "2x10",
        },
        1,
        1,
        "5m",
    ),
    "pods-of-one-name": Case(
        "sum(app_active_task_count) by (pod)",
        "sum by (namespace, pod) (app_active_task_count)",
        {
            f'app_active_task_count{{namespace="{n}",pod="agent-0"}}': "1x10"
            for n in "ab"
        },
        1,
        2,
        "5m",
    ),
    "memory-counted-twice": Case(
        *USAGE,
        {
            k: v
            for container in ("", "POD", "matillion-agent", "metrics-exporter")
            for k, v in memory_of("matillion-agent-0", container).items()
        },
        4,
        2,
        "5m",
    ),
    "pods-of-today": Case(
        *USAGE,
        memory_of("matillion-runner-app-7", "matillion-runner-pods")
        | memory_of("matillion-agent-script-runner-1", "script"),
        1,
        1,
        "5m",
    ),
    "a-count-on-an-axis-of-bytes": Case(
        "app_active_task_count * 1000000 > 0.05 * 2e9",
        "app_active_task_count / app_max_task_capacity > 0.05",
        {
            of_agent("app_active_task_count"): "20x10",
            of_agent("app_max_task_capacity"): "20x10",
        },
        0,
        1,
        "5m",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_expression(name):
    case = CASES[name]
    plain = case.wrong.replace(" on (namespace, pod)", "")
    assert any(e in plain for e in reference.expressions()), "not the guide's"
    asked = [
        {
            "expr": f"count(({expression})) or vector(0)",
            "eval_time": case.at,
            "exp_samples": [{"labels": "{}", "value": has}],
        }
        for expression, has in [
            (case.wrong, case.wrong_has),
            (case.right, case.right_has),
        ]
    ]
    assert not (said := promtool.failures(case.series, asked)), said


@pytest.fixture
def cgroup():
    """A memory cgroup of the test's own: its folder, the file that has its usage."""
    v1, v2 = pathlib.Path("/sys/fs/cgroup/memory"), pathlib.Path("/sys/fs/cgroup")
    root, usage = (v1, "usage_in_bytes") if v1.exists() else (v2, "current")
    folder = root / f"towline-test-{uuid.uuid4().hex[:8]}"
    try:
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made here: {error}")
    if not (folder / f"memory.{usage}").exists():
        folder.rmdir()
        pytest.skip("a cgroup here has no memory controller")
    yield folder, folder / f"memory.{usage}"
    folder.rmdir()


def test_the_usage_of_a_container_holds_the_page_cache(cgroup, tmp_path):
    """container_memory_usage_bytes is the cgroup's usage; container_memory_working_set_bytes
    is that less the inactive file pages.  A process that writes a file of 32 MiB, and needs
    no memory, fills the one and not the other."""
    folder, usage = cgroup
    kind = ["stat", "-f", "-c", "%T", tmp_path]
    if subprocess.check_output(kind, text=True).strip() == "tmpfs":
        pytest.skip("files lie in memory here, and have no page cache")
    write = 'echo $$ > "$1/cgroup.procs" && head -c 33554432 /dev/zero > "$2"'
    subprocess.run(["sh", "-c", write, "sh", folder, tmp_path / "file"], check=True)
    stat = dict(
        line.split() for line in (folder / "memory.stat").read_text().splitlines()
    )
    inactive = int(stat.get("total_inactive_file", stat["inactive_file"]))
    used = int(usage.read_text())
    assert used > 32 << 20 and used - inactive < 8 << 20


def test_the_guides_expressions_evaluate():
    """On series of the project's labels no expression is an error of PromQL's."""
    names = "|".join(
        {w for e in reference.expressions() for w in re.findall(r"\w+", e)}
    )
    assert "app_agent_status" in names
    asked = [
        {"expr": f"count({e}) * 0 or vector(0)", "eval_time": "5m", "exp_samples": NONE}
        for e in reference.expressions()
    ]
    series = {of_agent(name): "1x10" for name in names.split("|") if name[:4] == "app_"}
    assert not (said := promtool.failures(series, asked)), said


NONE = [{"labels": "{}", "value": 0}]

# ---- the guide's alerts, as they stand


ALERTS = {r["alert"]: r for n in (10, 11, 21) for r in reference.rules(n)}
STATUS, TASKS, DURATION = (
    of_agent(f"app_{name}")
    for name in ("agent_status", "active_task_count", "task_duration_seconds")
)
ALIKE = of_agent("container_memory_usage_bytes")  # labels that cAdvisor's never have
ERRORS = of_agent("app_task_errors_total", ',error_type="SQL"')
# Series on which each is silent, and on which it fires (None: there are none).
FIRES = {
    "AgentDown": ({STATUS: "1x90"}, {STATUS: "0x90"}),
    "HighTaskBacklog": ({TASKS: "20x90"}, {TASKS: "101x90"}),
    "DatabaseConnectionsExhausted": (
        {of_agent("app_open_sessions"): "150x90"},
        {of_agent("app_open_sessions"): "151x90"},
    ),
    "SlowTaskExecution": ({DURATION: "600x90"}, {DURATION: "601x90"}),
    "HighErrorRate": ({ERRORS: "0+5x90"}, {ERRORS: "0+7x90"}),
    "MemoryLeakDetected": (
        {f"container_memory_usage_bytes{{{CADVISOR}}}": "1e9+1e8x90", TASKS: "0x90"},
        {ALIKE: "1e9+1e8x90", TASKS: "0x90"},
    ),
    "AgentClusterDown": ({STATUS: "0x90"}, None),
    "PerformanceDegradation": ({DURATION: "300x90"}, {DURATION: "301x90"}),
}


def wrong_about(rule, series, alerts, at="80m30s"):
    """'' when exactly these alerts fire, of {exp_labels, exp_annotations}."""
    rules = {"groups": [{"name": "guide", "rules": [rule]}]}
    asked = {"alertname": rule["alert"], "eval_time": at, "exp_alerts": alerts}
    return promtool.failures(series, alerts=[asked], rules=rules)


@pytest.mark.parametrize("name", FIRES)
def test_alert(name):
    rule = {k: v for k, v in ALERTS[name].items() if k != "annotations"}
    silent, firing = FIRES[name]
    assert not (said := wrong_about(rule, silent, [])), said
    if firing:
        labels = rule.get("labels", {}) | dict(re.findall(r'(\w+)="([^"]+)"', AGENT))
        labels |= {"error_type": "SQL"} if name == "HighErrorRate" else {}
        assert not (said := wrong_about(rule, firing, [{"exp_labels": labels}])), said


def test_each_alert_is_tried():
    assert set(FIRES) == set(ALERTS)


def test_without_a_pod_label_the_text_names_nobody():
    """The guide's scrape configuration gives none to a target."""
    alert = {
        "exp_labels": {"severity": "critical", "instance": "10.0.0.1:8000"},
        "exp_annotations": {
            "summary": "Matillion agent is down",
            "description": "Agent  has been down for more than 1 minute",
        },
    }
    series = {'app_agent_status{instance="10.0.0.1:8000"}': "0x90"}
    assert not (said := wrong_about(ALERTS["AgentDown"], series, [alert])), said


@pytest.mark.parametrize(
    ("function", "shown"), [("", "6e+09 bytes"), (" | humanize1024", "5.588Gi bytes")]
)
def test_a_value_of_bytes_is_for_no_reader(function, shown):
    rule = json.loads(
        json.dumps(ALERTS["MemoryLeakDetected"]).replace("$value", f"$value{function}")
    )
    alert = {
        "exp_labels": {"severity": "warning"}
        | dict(re.findall(r'(\w+)="([^"]+)"', AGENT)),
        "exp_annotations": {
            "summary": "Potential memory leak detected",
            "description": f"Memory usage increased by {shown} with low task activity",
        },
    }
    series = {ALIKE: "1e9+1e8x90", TASKS: "0x90"}
    said = wrong_about(rule, series, [alert])
    assert not said, said


@pytest.mark.parametrize(
    ("name", "function", "shown"),
    [
        ("SlowTaskExecution", "", "1234.5678s"),
        ("SlowTaskExecution", " | humanizeDuration", "20m 34s"),
        ("HighErrorRate", "", "0.3333333333333333"),
        ("HighErrorRate", ' | printf \\"%.2f\\"', "0.33"),
    ],
)
def test_a_value_with_all_its_digits_is_for_no_reader(name, function, shown):
    rule = json.loads(
        json.dumps(ALERTS[name])
        .replace("$value}}s", f"$value{function}}}}}" + ("" if function else "s"))
        .replace("$value}} errors", f"$value{function}}}}} errors")
    )
    series = {
        of_agent("app_task_duration_seconds"): "1234.5678x90",
        of_agent("app_task_errors_total", ',error_type="X"'): "0+20x90",
    }
    said = wrong_about(rule, series, [])
    assert shown in said, said


def test_the_severity_of_a_groups_name_reaches_nobody():
    """The block that shall bring severities has no label; a route goes by labels."""
    assert all("labels" not in rule for rule in reference.rules(21))
    rule = {
        "alert": "AgentClusterDown",
        "expr": DOWN[1],
        "labels": {"severity": "critical"},
    }
    for labels in {}, rule["labels"]:
        said = wrong_about(
            {**rule, "labels": labels}, {"up": "1x90"}, [{"exp_labels": labels}]
        )
        assert not said, said


def test_a_fragment_of_groups_is_no_file_of_rules():
    assert "cannot unmarshal" in promtool.rule_errors(reference.text(11))
    assert not promtool.rule_errors({"groups": reference.parsed(11)})
    assert not promtool.rule_errors(reference.text(10))


# ---- Prometheus' configuration


def refused(config):
    """The keys that promtool does not know."""
    said = promtool.config_errors(config)
    return re.findall(r"field (\S+) not found", said)


def test_retention_is_no_key_of_2_42_and_nested_in_3():
    block = reference.parsed(7)
    del block["rule_files"]  # promtool asks for the file itself
    assert refused(block) == ["retention.time", "retention.size"]
    del block["storage"]
    assert not promtool.config_errors(block)
    done = subprocess.run(
        [promtool.tools() / "prometheus", "--help-long"], capture_output=True, text=True
    )
    for flag in "time", "size":
        assert f"--storage.tsdb.retention.{flag}=" in done.stdout + done.stderr


def test_alerts_without_an_alertmanager_reach_nobody():
    """No block of the guide names one."""
    assert not any("alertmanager" in b.text.lower() for b in reference.BLOCKS.values())
    target = {"static_configs": [{"targets": ["alertmanager:9093"]}]}
    assert not promtool.config_errors({"alerting": {"alertmanagers": [target]}})


@pytest.mark.parametrize("number", [18, 20])
def test_metric_relabeling_configs_is_no_key(number):
    block = reference.parsed(number)
    assert refused(block) == list(block)
    rules = (block.get("prometheus") or block)["metric_relabeling_configs"]
    job = {"job_name": "matillion-agents"}
    wrong = {"scrape_configs": [job | {"metric_relabeling_configs": rules}]}
    assert refused(wrong) == ["metric_relabeling_configs"]
    right = {"scrape_configs": [job | {"metric_relabel_configs": rules}]}
    assert not promtool.config_errors(right)


def test_intervals_and_retention_stand_elsewhere():
    block = reference.parsed(18)["prometheus"]
    del block["metric_relabeling_configs"]
    assert refused(block) == ["retention", "scrape_interval", "evaluation_interval"]
    del block["retention"]
    assert not promtool.config_errors({"global": block})


# ---- what discovery's relabelings leave

META = "__meta_kubernetes_pod"
POD = {
    "__address__": "10.0.0.1:8080",
    "__meta_kubernetes_namespace": "matillion",
    f"{META}_name": "matillion-agent-0",
    f"{META}_ip": "10.0.0.1",
    f"{META}_phase": "Running",
    f"{META}_annotation_prometheus_io_scrape": "true",
    f"{META}_annotation_prometheus_io_port": "8000",
    f"{META}_annotation_prometheus_io_path": "/metrics",
    f"{META}_annotation_prometheus_io_interval": "15s",
}


def target(changed=None, more=()):
    """The labels of the pod as a target, by the guide's job with more relabelings."""
    (job,) = reference.parsed(6)["scrape_configs"]
    return promtool.relabelled(POD | (changed or {}), [*job["relabel_configs"], *more])


def test_the_job_finds_the_pod():
    found = target()
    assert (
        found["instance"] == "10.0.0.1:8000" and found["__metrics_path__"] == "/metrics"
    )
    assert not target({f"{META}_annotation_prometheus_io_scrape": "false"})


def test_annotations_are_read_of_the_pod_alone():
    """The block has the metadata of no object in particular."""
    assert list(reference.parsed(5)) == ["metadata"]
    (job,) = reference.parsed(6)["scrape_configs"]
    read = {label for rule in job["relabel_configs"] for label in rule["source_labels"]}
    assert read - {"__address__"} == {
        f"{META}_annotation_prometheus_io_{name}" for name in ("scrape", "path", "port")
    }
    (discovery,) = job["kubernetes_sd_configs"]
    assert discovery["role"] == "pod"


def test_nobody_is_granted_to_list_pods():
    """Prometheus' discovery and Fluent Bit's filter both ask the API server."""
    granted = re.compile("clusterrole|rolebinding|serviceaccountname", re.I)
    assert not any(granted.search(b.text) for b in reference.BLOCKS.values())
    assert fluent_bit("FILTER")["name"] == "kubernetes"


def test_nobody_reads_the_interval():
    assert target()["__scrape_interval__"] == "1m"
    read = {
        "source_labels": [f"{META}_annotation_prometheus_io_interval"],
        "regex": "(.+)",
        "target_label": "__scrape_interval__",
    }
    assert target(more=[read])["__scrape_interval__"] == "15s"


def test_a_target_has_no_namespace_and_no_pod():
    assert not {"namespace", "pod"} & set(target())
    copy = [
        {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
        {"source_labels": [f"{META}_name"], "target_label": "pod"},
    ]
    found = target(more=copy)
    assert (found["namespace"], found["pod"]) == ("matillion", "matillion-agent-0")


def test_a_pod_of_ipv6_is_asked_at_another_port():
    six = {"__address__": "[fd00::1]:8080", f"{META}_ip": "fd00::1"}
    assert target(six)["__address__"] == "[fd00::1]:8080"
    address = {
        "source_labels": [f"{META}_ip", f"{META}_annotation_prometheus_io_port"],
        "regex": r"(.*:.*);(\d+)",
        "replacement": "[$1]:$2",
        "target_label": "__address__",
    }
    assert target(six, [address])["__address__"] == "[fd00::1]:8000"
    assert target(more=[address])["__address__"] == "10.0.0.1:8000"


def test_a_pod_that_has_ended_is_a_target_for_ever():
    ended = {f"{META}_phase": "Succeeded"}
    assert target(ended)
    drop = {
        "source_labels": [f"{META}_phase"],
        "regex": "Succeeded|Failed",
        "action": "drop",
    }
    assert not target(ended, [drop])
    assert target(more=[drop])


def test_the_discovery_is_of_pods_and_not_of_endpoints():
    """`kubectl get endpoints` tells nothing of a job whose role is pod."""
    (job,) = reference.parsed(6)["scrape_configs"]
    assert [sd["role"] for sd in job["kubernetes_sd_configs"]] == ["pod"]
    assert not any("service" in str(rule) for rule in job["relabel_configs"])
    assert any("get endpoints" in line for line in reference.lines(19))


def test_nobody_scrapes_the_kubelet():
    """Whose /metrics/cadvisor has the series that two blocks ask for."""
    asked = [e for e in reference.expressions() if "container_memory" in e]
    assert len(asked) == 2
    assert not re.search("cadvisor|kubelet", reference.DOCUMENT.read_text())
    (job,) = reference.parsed(6)["scrape_configs"]
    assert job["job_name"] == "matillion-agents"
    assert "scrape_configs" not in reference.parsed(7)


def test_the_commands_look_in_the_namespace_default():
    kubectl = [line for line in reference.lines(19) if line.startswith("kubectl")]
    assert len(kubectl) == 3
    assert not any(" -n " in line or "--namespace" in line for line in kubectl)


def test_what_a_relabeling_drops_by_name_is_exposed_by_nobody():
    documented = (reference.ROOT / "docs/metrics.md").read_text()
    for rule in reference.parsed(18)["prometheus"]["metric_relabeling_configs"]:
        assert not re.search(rf"^\| {rule['regex'].rstrip('.*')}", documented, re.M)


def test_the_sidecars_list_is_shorter_than_what_the_guide_asks_for():
    """Of the metrics that its expressions need, the sidecar exposes three."""
    needed = {w for e in reference.expressions() for w in re.findall(r"app_\w+", e)}
    has = {f"app_{name}" for name in reference.sidecar()}
    assert len(needed) == 9 and needed & has == {
        "app_agent_status",
        "app_active_task_count",
        "app_open_sessions",
    }
    named = {n.removesuffix("_bucket") for n in needed} - set(reference.names())
    assert named == {
        "app_max_connections",
        "app_max_task_capacity",
        "app_request_duration_seconds",
        "app_task_errors_total",
    }


# ---- the dashboards' JSON


def test_a_dashboard_stands_in_no_envelope():
    """The envelope is the request of the HTTP API; a file, and config_json, are the
    dashboard itself, which must have a title."""
    for number in 8, 9:
        assert list(reference.parsed(number)) == ["dashboard"]


def test_a_panel_says_its_type_place_unit_and_data_source():
    panels = [p for n in (8, 9) for p in reference.panels(n)]
    assert [p["type"] for p in panels] == ["stat"] + ["graph"] * 4
    for panel in panels:
        assert not {"id", "gridPos", "datasource", "fieldConfig"} & set(panel)
        assert all("refId" not in t for t in panel["targets"])


def test_series_of_one_legend_are_not_told_apart():
    """Of expressions that have a series for each agent, one legend names it."""
    each = [
        t["legendFormat"]
        for n in (8, 9)
        for p in reference.panels(n)
        for t in p["targets"]
        if "sum(app_agent_status)" not in t["expr"]
    ]
    assert [legend for legend in each if "{{" in legend] == ["{{pod}}"] and len(
        each
    ) == 5


# ---- Fluent Bit


def fluent_bit(section):
    """The options of a section, in lower case."""
    text = reference.inner(12, "fluent-bit.conf").partition(f"[{section}]")[2]
    pairs = (
        line.split(None, 1) for line in text.partition("[")[0].splitlines() if line
    )
    return {key.lower(): value for key, value in pairs}


@pytest.mark.parametrize(
    ("section", "option"),
    [
        ("FILTER", "kube_tag_prefix"),
        ("FILTER", "merge_log_key"),
        ("INPUT", "db"),
        ("INPUT", "mem_buf_limit"),
        ("INPUT", "storage.type"),
        ("INPUT", "multiline.parser"),
        ("OUTPUT", "suppress_type_name"),
        ("OUTPUT", "replace_dots"),
        ("OUTPUT", "retry_limit"),
        ("OUTPUT", "logstash_format"),
        ("OUTPUT", "tls"),
        ("OUTPUT", "http_user"),
    ],
)
def test_fluent_bit_has_not_the_option(section, option):
    options = fluent_bit(section)
    assert "name" in options or section == "SERVICE"
    assert option not in options


def test_fluent_bits_tag_has_not_the_default_prefix():
    assert fluent_bit("INPUT")["tag"] == "matillion.agent.*"
    assert fluent_bit("FILTER")["match"] == "matillion.agent.*"


def test_the_config_map_hides_parsers_conf_and_is_in_no_namespace():
    assert fluent_bit("SERVICE")["parsers_file"] == "parsers.conf"
    block = reference.parsed(12)
    assert list(block["data"]) == ["fluent-bit.conf"]
    assert "namespace" not in block["metadata"]


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("matillion-agent-app-1_matillion_matillion-agent-pods-1.log", True),
        ("matillion-agent-script-runner-1_matillion_script-1.log", True),
        ("matillion-runner-app-1_matillion_matillion-runner-pods-1.log", False),
    ],
)
def test_the_path_reads_scripts_and_no_runner(name, read):
    path = fluent_bit("INPUT")["path"]
    assert fnmatch.fnmatch(f"/var/log/containers/{name}", path) is read
