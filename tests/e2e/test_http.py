"""What it serves: metrics, health, and the probes that Fluent Bit's users have."""

import http.client
import json
import re

import pytest
from harness.table import Table
from harness.towline import towline as command


@pytest.fixture
def towline(tmp_path, node, config, run):
    node.container().write("a line")
    table = Table(tmp_path / "logs.db")
    towline = run(config(table.output))
    table.until_count(1)
    towline.until_delivered(1)
    return towline


def ask(towline, method, path, **headers):
    connection = http.client.HTTPConnection(*towline.address, timeout=30)
    try:
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return (
            response.status,
            response.getheader("Content-Type"),
            response.read().decode(),
        )
    finally:
        connection.close()


def test_health_and_readiness(towline):
    towline.until_ready()
    assert towline.get("/healthz")[0] == 200
    for path in "health", "uptime", "metrics", "metrics/prometheus", "plugins":
        assert towline.get(f"/api/v1/{path}")[0] == 200
    for path in "health", "metrics", "metrics/prometheus":
        assert towline.get(f"/api/v2/{path}")[0] == 200
    counters = json.loads(towline.get("/api/v1/metrics")[1])
    assert counters["input"]["tail.0"]["bytes"] > 0
    assert counters["output"]["sqlite.0"]["proc_records"] == 1
    plugins = json.loads(towline.get("/api/v1/plugins")[1])
    assert plugins["inputs"] == ["tail"] and plugins["outputs"] == ["sqlite"]
    assert towline.get("/nothing")[0] == 404
    assert ask(towline, "POST", "/metrics")[0] == 405
    assert ask(towline, "HEAD", "/metrics")[0] == 200
    towline.stop()


def health(config, towline, *arguments):
    """The command, told where it listens: the port was a free one."""
    file = towline.file.with_name("health.conf")
    config.service["HTTP_Port"] = towline.address[1]
    file.write_text(config.text())
    return command("health", "-c", file, *arguments)


@pytest.mark.parametrize("listen", ["127.0.0.1", "0.0.0.0", "::"])
def test_health_is_asked_without_a_client(settings, table, run, listen, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # it is not asked
    settings.service["HTTP_Listen"] = listen
    towline = run(settings)
    done = health(settings, towline)
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok\n", "")
    towline.stop()
    done = health(settings, towline)
    assert done.returncode == 1 and "no answer from http://" in done.stderr


def test_health_ready_says_what_is_missing(config, run):
    refuses = {"Name": "es", "Host": "127.0.0.1", "Port": 9, "Index": "i"}
    settings = config(refuses)
    towline = run(settings)
    assert health(settings, towline).returncode == 0
    done = health(settings, towline, "--ready")
    assert done.returncode == 1 and done.stdout == towline.get("/readyz")[1]


@pytest.mark.parametrize("entry", [{"HTTP_Port": 0}, {"HTTP_Server": "off"}])
def test_health_of_nobody_is_refused(settings, entry):
    settings.service |= entry
    done = command("health", "-c", settings.write())
    assert done.returncode == 1 and "nobody can ask" in done.stderr


def test_metrics_in_both_formats(towline):
    status, kind, text = ask(towline, "GET", "/metrics")
    assert status == 200 and kind.startswith("text/plain") and "0.0.4" in kind
    for name in "towline_read_bytes_total", "app_agent_status", "towline_build_info":
        assert len(re.findall(rf"^# TYPE {name} ", text, re.M)) == 1
    accept = "application/openmetrics-text;version=1.0.0"
    status, kind, text = ask(towline, "GET", "/metrics", Accept=accept)
    assert status == 200 and kind.startswith("application/openmetrics-text")
    assert text.endswith("# EOF\n")
    assert re.search(r'^app_task_execution_seconds_bucket{.*le="1.0"} ', text, re.M)
    towline.stop()


def test_what_is_counted_is_what_was_read(towline, node):
    size = sum(f.stat().st_size for f in node.root.glob("pods/*/*/*.log"))
    towline.until_metric("towline_read_bytes_total", size)
    towline.until_metric("towline_lag_bytes", 0)
    assert towline.metric("towline_lines_total") == 1
    towline.until_metric("towline_records_total", 1)
    assert towline.metric("towline_delivery_seconds_count") == 1
    towline.stop()
