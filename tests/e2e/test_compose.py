"""docker/compose.yml: read as docker compose reads it, and run as far as goes without Docker."""

import collections
import json
import os
import pathlib
import subprocess
import time
import urllib.parse
import uuid

import pytest
import yaml
from harness.node import info
from harness.towline import ROOT, changed
from harness.towline import towline as command
from harness.wait import until

FOLDER = ROOT / "docker"


@pytest.fixture(scope="session")
def compose():
    """Checked against the specification's schema, then interpolated."""
    reader = subprocess.run(
        [ROOT / "tests/containers/compose"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.strip()

    def read(file):
        return subprocess.run(
            [reader, "-format", "json", file],
            cwd=FOLDER,
            capture_output=True,
            text=True,
        )

    return read


@pytest.fixture(scope="session")
def services(compose):
    done = compose(FOLDER / "compose.yml")
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)["services"]


def test_an_unknown_key_is_refused(tmp_path, compose):
    text = (FOLDER / "compose.yml").read_text()
    wrong = tmp_path / "compose.yml"
    wrong.write_text(text.replace("read_only: true", "readonly: true"))
    done = compose(wrong)
    assert done.returncode != 0 and "readonly" in done.stderr + done.stdout


def test_services_are_hardened_and_local(services):
    assert set(services) == {
        "towline",
        "opensearch",
        "dashboards",
        "prometheus",
        "grafana",
        "example",
    }
    for service in services.values():
        assert {p["host_ip"] for p in service.get("ports", [])} <= {"127.0.0.1"}
    towline = services["towline"]
    assert towline["read_only"] and towline["cap_drop"] == ["ALL"]
    mounts = {v["target"]: v for v in towline["volumes"]}
    assert mounts["/var/lib/docker/containers"]["read_only"]
    assert mounts["/etc/towline/towline.conf"]["source"] == str(FOLDER / "compose.conf")
    assert towline["build"]["context"] == str(ROOT)
    assert (ROOT / towline["build"]["dockerfile"]).exists()
    # No log of these is where towline looks, its own least of all.
    assert {s["logging"]["driver"] for s in services.values()} == {"local"}
    assert mounts["/var/log/pods"]["read_only"]
    assert mounts["/var/log/pods"]["source"] == "logs"


def sources(service):
    """{path in the container: path here} of its files, as compose.yml mounts them."""
    volumes = [v for v in service["volumes"] if v["type"] == "bind"]
    assert all(v["read_only"] for v in volumes)
    return {v["target"]: pathlib.Path(v["source"]) for v in volumes}


def test_grafana_has_the_dashboards_and_prometheus_the_rules(services):
    grafana = sources(services["grafana"])
    provider = grafana["/etc/grafana/provisioning"] / "dashboards/towline.yml"
    (provider,) = yaml.safe_load(provider.read_text())["providers"]
    folder = provider["options"]["path"]
    assert sorted(grafana[folder].glob("*.json"))
    # OpenSearch's Error Explorer stands over Elasticsearch's.
    over = grafana[f"{folder}/error-explorer.json"]
    assert over.exists() and "opensearch" in str(over)
    assert (grafana[folder] / over.name).exists()
    sources_file = grafana["/etc/grafana/provisioning"] / "datasources/towline.yml"
    hosts = {
        urllib.parse.urlsplit(s["url"]).hostname
        for s in yaml.safe_load(sources_file.read_text())["datasources"]
    }
    assert hosts - set(services) == {"alertmanager", "elasticsearch"}
    prometheus = sources(services["prometheus"])
    assert prometheus["/etc/prometheus/rules"] == ROOT / "conf/prometheus/rules"


def test_prometheus_takes_its_configuration(services, tmp_path):
    prometheus = sources(services["prometheus"])
    text = prometheus["/etc/prometheus/prometheus.yml"].read_text()
    rules = "/etc/prometheus/rules"
    assert rules in text
    conf = tmp_path / "prometheus.yml"
    conf.write_text(text.replace(rules, str(prometheus[rules])))
    tool = [ROOT / "tests/servers/prometheus"]
    tools = subprocess.check_output(tool, text=True).strip()
    done = subprocess.run(
        [f"{tools}/promtool", "check", "config", conf], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (job,) = yaml.safe_load(text)["scrape_configs"]
    assert job["honor_labels"] is True
    assert job["static_configs"][0]["targets"] == ["towline:8000"]


LOGS = "/var/log/pods"
LINES = 10 * 3 + 4  # of ten tasks: start, end, heartbeat, and one trace


@pytest.fixture
def example(tmp_path, services):
    """The folder of its log, with the lines of thirty tasks, its seconds cut short."""
    folder = tmp_path / "pods"
    (tmp_path / "sleep").symlink_to("/bin/true")
    env = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    service = services["example"]
    (mount,) = service["volumes"]
    assert (mount["target"], mount["source"]) == (LOGS, "logs")
    script = [part.replace(LOGS, str(folder)) for part in service["command"]]

    def lines():
        return [line for log in folder.glob("*/*/0.log") for line in log.open()]

    with subprocess.Popen([*service["entrypoint"], *script], env=env) as shell:
        until(lambda: len(lines()) >= 3 * LINES, lines)
        shell.kill()
    (log,) = folder.glob("*/*/0.log")
    log.write_text("".join(lines()[: 3 * LINES]))
    return folder


def test_its_example_is_indexed_and_counted(tmp_path, example, servers, run):
    docker = tmp_path / "docker" / ("a" * 64)
    docker.mkdir(parents=True)
    with open(docker / f"{docker.name}-json.log", "w") as log:
        entry = {"log": info("TASK_COMPLETED task_id=1") + "\n", "stream": "stdout"}
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        log.write(json.dumps(entry | {"time": now}) + "\n")

    server = servers("opensearch")
    index = server.index(f"compose-{uuid.uuid4().hex[:8]}")
    text = changed(
        FOLDER / "compose.conf",
        Host="127.0.0.1",
        Port=server.port,
        Index=index.name,
        Parsers_File=ROOT / "conf/parsers.conf",
    ).replace("[SERVICE]", "[SERVICE]\n    HTTP_Listen 127.0.0.1\n    HTTP_Port 0")
    for path, here in (LOGS, example), ("/var/lib/docker/containers", docker.parent):
        assert text.count(f"{path}/") == 1
        text = text.replace(f"{path}/", f"{here}/")
    conf = tmp_path / "compose.conf"
    conf.write_text(text)
    towline = run(conf, "--state", tmp_path / "state")
    towline.until_delivered(3 * 30 + 1)
    agent = {"namespace": "matillion", "pod": "matillion-agent-0"}
    towline.until_metric("app_completed_tasks_total", 27, **agent)
    assert towline.metric("app_failed_tasks_total", **agent) == 3
    assert towline.metric("app_agent_status", **agent) == 1
    found = [hit["_source"] for hit in index.search(size=100)["hits"]["hits"]]
    report = command("report", "errors", "-c", conf, "--json")
    index.delete()
    events = collections.Counter(d["log_parsed"]["event"] for d in found)
    assert events["TASK_COMPLETED"] == 27 + 1 and events["TASK_FAILED"] == 3
    roots = {document["log_parsed"].get("root_error_type") for document in found}
    assert roots == {None, "java.sql.SQLException"}
    (row,) = json.loads(report.stdout)
    assert row["error_type"] == "java.lang.IllegalStateException" and row["count"] == 3
