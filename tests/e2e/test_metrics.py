"""Metrics as Prometheus sees them: the real promtool, the real server."""

import pathlib
import subprocess

import pytest
import yaml
from harness import reference
from harness.alerting import debian
from harness.history import found_pod
from harness.node import info
from harness.prometheus import Prometheus
from harness.wait import until

ROOT = pathlib.Path(__file__).parents[2]

LABELS = '{namespace="matillion",pod="matillion-agent-0",container="matillion-agent"'

EXPECTED = [
    f"app_log_lines_total{LABELS}}} 9",
    f"app_task_timeouts_total{LABELS}}} 0",
    f"app_completed_tasks_total{LABELS}}} 1",
    f"app_failed_tasks_total{LABELS}}} 1",
    f'app_task_errors_total{LABELS},error_type="SQL_TIMEOUT"}} 1',
    f"app_task_duration_seconds{LABELS}}} 12.5",
    f"app_task_execution_seconds_sum{LABELS}}} 12.5",
    f"app_request_duration_seconds_sum{LABELS}}} 0.25",
    f"app_active_task_count{LABELS}}} 1",
    f"app_active_request_count{LABELS}}} 3",
    f"app_open_sessions{LABELS}}} 12",
    f"app_agent_status{LABELS}}} 1",
    f"app_max_task_capacity{LABELS}}} 20",
    f"app_max_connections{LABELS}}} 200",
    "towline_lines_total 9",
    "towline_records_total 9",
]


@pytest.fixture(scope="session")
def prometheus():
    """The directory of the real prometheus and promtool."""
    return debian()


@pytest.fixture
def towline(node, config, run):
    """A towline that finds one agent's log, and has counted it."""
    node.container().write(
        info("TASK_STARTED task_id=1"),
        info("TASK_STARTED task_id=2"),
        info("TASK_STARTED task_id=3"),
        info("TASK_COMPLETED task_id=1 pipeline=load execution_time=12.5"),
        info("TASK_FAILED task_id=2 execution_time=4.0"),
        info("query failed error_type=SQL_TIMEOUT", "ERROR"),
        info("REQUEST_COMPLETED duration=0.25"),
        info("levels: open_sessions=12 active_requests=3"),
        info("HEARTBEAT"),
    )
    settings = config({"Name": "null"})
    settings.service["Max_Connections"] = 200
    started = run(settings)
    until(
        lambda: not missing(started),
        lambda: f"{missing(started)} in:\n{started.get('/metrics')[1]}",
    )
    return started


def missing(towline):
    lines = towline.get("/metrics")[1].splitlines()
    return [line for line in EXPECTED if line not in lines]


def test_history_begins_at_its_value(node, config, run):
    """Whatever a first answer shows of the agent, it is not held at 0."""
    node.container().write(*(info("TASK_COMPLETED") for _ in range(1000)), info("."))
    started = run(config({"Name": "null"}))
    until(lambda: started.get("/metrics")[0] == 200, lambda: started.get("/metrics"))
    until(
        lambda: started.metric("app_completed_tasks_total") == 1000,
        lambda: started.get("/metrics")[1],
        20,
    )


def test_promtool_dislikes_two_names_alone(towline, prometheus):
    check = subprocess.run(
        [prometheus / "promtool", "check", "metrics"],
        input=towline.get("/metrics")[1],
        text=True,
        capture_output=True,
        check=False,
    )
    said = (check.stdout + check.stderr).splitlines()
    assert sorted(line.split()[0] for line in said) == [
        "app_active_request_count",
        "app_active_task_count",
    ]


def test_the_real_prometheus_reads_it(towline, prometheus, tmp_path):
    host, port = towline.address
    server = Prometheus(prometheus, tmp_path, f"{host}:{port}")
    try:
        pod = "matillion-agent-0"
        until(server.is_ready, "Prometheus is not ready")
        server.until_answers("up", lambda up: up == {None: 1})
        server.until_answers("app_open_sessions", lambda open: open.get(pod) == 12)
        assert server.ask("sum(app_agent_status)") == {None: 1}
        assert server.ask("app_open_sessions / app_max_connections * 100") == {pod: 6}
        mean = server.ask("avg_over_time(app_task_duration_seconds[1h])")
        assert mean == {pod: 12.5}
        # a rate takes two scrapes
        server.until_answers("rate(app_completed_tasks_total[5m])", bool)
        (series,) = server.exemplars("app_task_execution_seconds_bucket")
        assert series["seriesLabels"]["le"] == "15.0"
        (slow,) = series["exemplars"]
        assert (slow["labels"], float(slow["value"])) == ({"task_id": "1"}, 12.5)
    finally:
        server.stop()


def test_quantiles_as_gauges_are_those_of_prometheus(
    node, config, run, prometheus, tmp_path
):
    container = node.container()
    container.write(info("."))
    settings = config({"Name": "null"})
    settings.service["Quantiles"] = "0.5, 0.9, 0.99"
    started = run(settings)
    for lines in (1, 2):  # the history; the window begins behind it
        started.until_metric("app_log_lines_total", lines)
        container.write(info("."))
    started.until_metric("app_log_lines_total", 3)
    assert not started.samples("app_task_duration_quantile_seconds")
    for n in range(40):
        container.write(info(f"TASK_COMPLETED execution_time={n * n / 3}"))
        container.write(info(f"REQUEST_COMPLETED duration={n / 7}"))
    started.until_metric("app_log_lines_total", 83)
    host, port = started.address
    server = Prometheus(prometheus, tmp_path, f"{host}:{port}")
    try:
        until(server.is_ready, "Prometheus is not ready")
        for family, gauge in (
            ("app_task_execution_seconds", "app_task_duration_quantile_seconds"),
            ("app_request_duration_seconds", "app_request_duration_quantile_seconds"),
        ):
            for quantile in (0.5, 0.9, 0.99):
                asked = f'{gauge}{{quantile="{quantile}"}}'
                server.until_answers(asked, bool)
                want = server.ask(f"histogram_quantile({quantile}, {family}_bucket)")
                assert server.ask(asked) == pytest.approx(want)
    finally:
        server.stop()


def test_the_shipped_scrape_configuration(towline, prometheus, tmp_path):
    """towline's instance is its node, an agent's its address, other pods are left alone.

    Debian's Prometheus is built without Kubernetes discovery: what it would find is
    given to the same relabelings."""
    conf = yaml.safe_load((ROOT / "conf/prometheus/scrape.yml").read_text())
    (job,) = conf["scrape_configs"]
    (where,) = job.pop("kubernetes_sd_configs")
    assert where["role"] == "pod"
    assert where["namespaces"]["names"] == ["default", "matillion", "towline"]
    host, port = towline.address
    other = found_pod("127.0.0.3", port, "node-1")
    other["labels"]["__meta_kubernetes_pod_annotation_prometheus_io_scrape"] = "false"
    job["static_configs"] = [
        found_pod(f"{host}:1", port, "node-1", app_kubernetes_io_name="towline"),
        found_pod("127.0.0.2", 1, "node-1", app="matillion-runner-pods"),
        other,
    ]
    server = Prometheus(prometheus, tmp_path, None, job)
    instance = 'label_replace(up, "pod", "$1", "instance", "(.*)")'
    try:
        until(server.is_ready, "Prometheus is not ready")
        want = {"node-1": 1, "127.0.0.2:1": 0}
        server.until_answers(instance, lambda up: up == want)
        server.until_answers(
            'app_open_sessions{instance="node-1"}',
            lambda sessions: sessions == {"matillion-agent-0": 12},
        )
    finally:
        server.stop()


def test_the_guides_own_scrape_configuration(towline, prometheus, tmp_path):
    """As it stands, but for the discovery: the agent's labels are not in its way."""
    (job,) = reference.parsed(6)["scrape_configs"]
    (where,) = job.pop("kubernetes_sd_configs")
    assert where["role"] == "pod"
    host, port = towline.address
    job["static_configs"] = [found_pod(f"{host}:1", port, "node-1")]
    server = Prometheus(prometheus, tmp_path, None, job)
    try:
        until(server.is_ready, "Prometheus is not ready")
        server.until_answers(
            f'app_open_sessions{{instance="{host}:{port}", namespace="matillion"}}',
            lambda sessions: sessions == {"matillion-agent-0": 12},
        )
    finally:
        server.stop()


def test_the_first_start_makes_no_burst(node, config, run, prometheus, tmp_path):
    """increase() shows what happened since, not the history that the files hold."""
    container = node.container()
    container.write(
        *(info("TASK_COMPLETED execution_time=1.5") for _ in range(50_000)),
        *(info("failed error_type=OLD", "ERROR") for _ in range(1000)),
        info("."),
    )
    started = run(config({"Name": "null"}))
    server = Prometheus(prometheus, tmp_path, "{}:{}".format(*started.address))
    pod, bursts = "matillion-agent-0", {}

    def increases(name):
        return server.ask(f"sum by (pod) (increase({name}[1h]))").get(pod)

    try:
        until(server.is_ready, "Prometheus is not ready")
        server.until_answers(
            "app_completed_tasks_total", lambda now: now.get(pod) == 50_000
        )
        server.until_answers("count_over_time(up[1h]) > 5", bool)
        for name in ("app_completed_tasks_total", "app_task_errors_total"):
            bursts[name] = increases(name)
        assert bursts == dict.fromkeys(bursts, 0)
        container.write(*(info("TASK_COMPLETED") for _ in range(7)), info("."))
        # extrapolated to the ends of the range: not 7 exactly, but no burst
        name = "app_completed_tasks_total"
        until(lambda: 6 < increases(name) < 15, lambda: increases(name))
    finally:
        server.stop()
    started.stop()
