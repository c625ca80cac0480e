"""What asks a Fluent Bit asks a towline: the chart's probes, its monitors, its dashboards' names."""

import re
import subprocess

import pytest
import yaml
from harness import corpus, manifests
from harness.prometheus import Prometheus
from harness.promtool import tools
from harness.table import Table
from harness.towline import towline as command
from harness.wait import until, until_equal

CHART = yaml.safe_load((corpus.HOME / "chart-defaults/values.yaml").read_text())
# What the chart's dashboard and its example of a rule read.
READ = {
    "fluentbit_input_bytes_total",
    "fluentbit_input_records_total",
    "fluentbit_output_errors_total",
    "fluentbit_output_proc_bytes_total",
    "fluentbit_output_proc_records_total",
    "fluentbit_output_retries_failed_total",
    "fluentbit_output_retries_total",
}
THEIRS = "/api/v1/metrics/prometheus", "/api/v2/metrics", "/api/v2/metrics/prometheus"


@pytest.fixture
def two(tmp_path, node, config, run, dead_port):
    """Two inputs of two names to a table that takes all, and to a server that is not there."""
    node.container().write("a line", "another")
    other = tmp_path / "other.log"
    other.write_text("elsewhere\n")
    table = Table(tmp_path / "logs.db")
    dead = {"Name": "es", "Host": "127.0.0.1", "Port": dead_port, "Index": "i"}
    settings = config(table.output | {"Alias": "kept"}, dead)
    named = {"Alias": "elsewhere", "Path": other, "Tag": "matillion.agent.o"}
    settings.inputs.append(settings.inputs[0] | named)
    towline = run(settings)
    table.until_count(3)
    towline.metrics_page()
    return towline


def chart_paths():
    """What the chart's values have the kubelet and Prometheus ask for."""
    for probe in "livenessProbe", "readinessProbe":
        assert CHART[probe]["httpGet"]["port"] == "http"
        yield CHART[probe]["httpGet"]["path"]
    yield CHART["service"]["annotations"]["prometheus.io/path"]
    yield CHART["serviceMonitor"]["path"]


def test_each_probe_of_fluent_bits_chart_is_answered(two):
    assert {two.get(path)[0] for path in chart_paths()} == {200}


def test_the_port_is_the_one_that_the_chart_names(tmp_path):
    """The container's port called http, and the Service's, are metricsPort."""
    port = CHART["metricsPort"]
    assert CHART["service"]["port"] == port
    assert CHART["service"]["annotations"]["prometheus.io/port"] == str(port)
    entry = next(e for e in corpus.entries() if e.name == "chart-defaults")
    entry.lay(tmp_path / "chart")
    conf = tmp_path / "chart/fluent-bit.conf"
    assert re.search(rf"(?m)^\s+HTTP_Port {port}$", conf.read_text())
    # `health` asks where the configuration says that `run` listens.
    assert f":{port}" in command("health", "-c", conf, env=corpus_env()).stderr


def corpus_env():
    return corpus.ENVIRONMENT | {"PATH": "/usr/bin:/bin"}


def test_each_probe_of_our_chart_is_answered(two):
    objects = manifests.chart({"podMonitor": {"enabled": True}})
    towline = manifests.containers(objects)["towline"]
    ports = {port["name"] for port in towline["ports"]}
    probes = [v["httpGet"] for key, v in towline.items() if key.endswith("Probe")]
    monitor = manifests.pick(objects, "PodMonitor")["spec"]["podMetricsEndpoints"]
    assert len(probes) == 3 and {p["port"] for p in [*probes, *monitor]} <= ports
    # One output's server is not there: it is alive, and not ready.
    assert {p["path"]: two.get(p["path"])[0] for p in [*probes, *monitor]} == {
        "/healthz": 200,
        "/readyz": 503,
        "/metrics": 200,
    }


def of(towline, path):
    """{(family, name): value} of Fluent Bit's families."""
    page = towline.get(path)[1]
    found = re.findall(r'(?m)^(fluentbit_\w+)\{name="(.*?)"\} (\S+)$', page)
    return {(family, name): float(value) for family, name, value in found}


@pytest.mark.parametrize("path", THEIRS)
def test_inputs_and_outputs_have_the_names_of_fluent_bits_dashboards(two, path):
    until_equal(lambda: of(two, path)["fluentbit_output_proc_records_total", "kept"], 3)
    until(lambda: of(two, path)["fluentbit_output_retries_total", "es.0"], "no retry")
    at = of(two, path)
    assert {family for family, _ in at} >= READ
    assert at["fluentbit_input_records_total", "tail.0"] == 2
    assert at["fluentbit_input_bytes_total", "tail.0"] == len("a lineanother")
    assert at["fluentbit_input_records_total", "elsewhere"] == 1
    assert at["fluentbit_output_proc_bytes_total", "kept"] > 3 * len('{"log":""}')
    assert at["fluentbit_output_proc_records_total", "es.0"] == 0
    # Its template is what is tried again: no document was sent.
    assert at["fluentbit_output_retried_records_total", "es.0"] == 0
    assert at["fluentbit_output_errors_total", "es.0"] == 0
    assert "fluentbit_" not in two.get("/metrics")[1]


def test_promtool_takes_the_page(two):
    check = subprocess.run(
        [tools() / "promtool", "check", "metrics"],
        input=two.get("/api/v2/metrics/prometheus")[1],
        text=True,
        capture_output=True,
        check=False,
    )
    assert "fluentbit" not in check.stdout + check.stderr


def test_prometheus_scrapes_it(two, tmp_path):
    """It asks for OpenMetrics, in which a counter's family has no _total."""
    job = {"job_name": "fluent-bit", "metrics_path": CHART["serviceMonitor"]["path"]}
    job["static_configs"] = [{"targets": ["{}:{}".format(*two.address)]}]
    prometheus = Prometheus(tools(), tmp_path, None, job)
    try:
        until(prometheus.is_ready, "not ready")
        asked = 'sum(fluentbit_input_records_total{job="fluent-bit"})'
        until_equal(lambda: prometheus.ask(asked).get(None), 3)
    finally:
        prometheus.stop()
