"""The stand-in agent's real Actuator and metrics (tests/agent) are polled: its three
endpoints under their names, while it drains, is cut off, hangs."""

import json
import pathlib
import re
import urllib.request

import pytest
import yaml
from harness import agent
from harness.alerting import debian
from harness.node import Node
from harness.prometheus import Prometheus
from harness.towline import ROOT
from harness.wait import until, until_equal
from test_poller import OWNED, until_failed, until_value, value

ENDPOINTS = {
    "newest": ("metrics", "/metrics"),
    "actuator": ("actuator", "/actuator/prometheus"),
    "info": ("actuator", "/actuator/info"),
}
POD = "matillion-agent-logback"


class Agent:
    """One that runs, its log's node, and the commands that it takes."""

    def __init__(self, folder):
        ports = folder / "ports.json"
        more = ["--actuator", "0", "--ports", ports]
        self.node, self.process = agent.start(
            folder, "logback", tasks=100_000, rate=10, more=more
        )
        until(lambda: ports.exists() and ports.read_text(), "no ports", 120)
        self.ports = json.loads(ports.read_text())

    def url(self, which):
        port, path = ENDPOINTS[which]
        return f"http://127.0.0.1:{self.ports[port]}{path}"

    def page(self, which):
        with urllib.request.urlopen(self.url(which), timeout=30) as answer:
            return answer.read().decode()

    def command(self, *words):
        for word in words:
            url = f"http://127.0.0.1:{self.ports['metrics']}/command/{word}"
            urllib.request.urlopen(url, timeout=30).close()

    def endpoint(self, which):
        """As Agent_Ports has it."""
        port, path = ENDPOINTS[which]
        return f"{self.ports[port]}{path}"


@pytest.fixture(scope="module")
def living(tmp_path_factory):
    started = Agent(tmp_path_factory.mktemp("agent"))
    yield started
    started.process.kill()
    started.process.wait()


@pytest.fixture
def standin(living):
    """As it is when it begins, whatever the test before has told it."""
    living.command("wake", "run", "connect")
    return living


@pytest.fixture
def polling(tmp_path, config, standin):
    """A configuration that reads its log and polls it."""
    settings = config({"Name": "null"})
    settings.inputs[0]["Path"] = Node(standin.node.root).path
    settings.service |= {
        "Agent_Gauges": "poll",
        "Agents": f"matillion/{POD}/matillion-agent=127.0.0.1",
        "Agent_Ports": standin.endpoint("newest"),
        "Agent_Poll_Interval": 1,
        "Agent_Poll_Timeout": 2,
    }
    return settings


def number(page, name):
    return float(re.search(rf"(?m)^{name}(?:\{{.*\}})? (\S+)$", page)[1])


def test_it_has_the_names_of_each_age(standin):
    newest = standin.page("newest")
    for name in "status connected task_running task_queued request_active".split():
        assert number(newest, f"matillion_agent_{name}_unit") >= 0
    assert number(newest, "matillion_agent_version_unit") == 1
    assert "s3cret-of-the-command-line" in newest  # in target_info, as the real one's
    since = standin.page("actuator")
    for name in ["active_task_count", "active_request_count", "open_sessions_count"]:
        assert number(since, f"app_{name}") >= 0
    assert number(since, "app_agent_status") == number(since, "app_agent_connected")
    assert number(since, "app_version_info") == 1
    assert list(standin.node.root.glob("tomcat.*"))  # it leaves nothing elsewhere
    told = json.loads(standin.page("info"))
    assert told["agentStatus"] == "RUNNING" and told["buildInfo"]["version"]


@pytest.mark.parametrize("which", ENDPOINTS)
def test_each_endpoint_tells_what_the_agent_says(standin, polling, run, which):
    standin.command("request")
    wanted = json.loads(standin.page("info"))
    polling.service["Agent_Ports"] = standin.endpoint(which)
    towline = run(polling)
    requests = wanted["activeRequestCount"]
    assert requests > 0  # its log states none
    until_value(towline, "app_active_request_count", requests, pod=POD)
    assert value(towline, "app_agent_status", pod=POD) == 1
    assert value(towline, "app_agent_state", pod=POD, state="running") == 1
    connected = None if which == "info" else 1
    assert value(towline, "app_agent_connected", pod=POD) == connected
    version = wanted["buildInfo"]["version"]
    assert value(towline, "app_build_info", pod=POD, version=version) == 1
    sessions = value(towline, "app_open_sessions", pod=POD)
    assert sessions >= wanted["openSessionsCount"]
    until(
        lambda: (
            value(towline, "app_open_sessions", pod=POD)
            > json.loads(standin.page("info"))["openSessionsCount"] - 3
        ),
        "sessions grow",
    )
    assert 0 <= value(towline, "app_active_task_count", pod=POD) <= 20
    until(  # from its log
        lambda: towline.metric("app_completed_tasks_total", pod=POD) > 0,
        "no task is completed",
    )
    assert "s3cret" not in towline.metrics_page() + towline.stop()
    assert b"s3cret" not in b"".join(
        f.read_bytes() for f in pathlib.Path(polling.folder, "state").iterdir()
    )


def test_the_newest_that_answers_is_asked(standin, polling, run, dead_port):
    """An agent of an older age: nothing listens at the newest port."""
    actuator = standin.ports["actuator"]
    polling.service["Agent_Ports"] = (
        f"{dead_port}/metrics, {actuator}/actuator/none, {standin.endpoint('actuator')}"
    )
    towline = run(polling)
    until_value(towline, "app_agent_connected", 1, pod=POD)
    assert towline.metric("towline_agent_polls_failed_total") == 0


def test_one_that_drains_runs(standin, polling, run):
    towline = run(polling)
    for word, state in [("drain", "pending_shutdown"), ("shut", "shutting_down")]:
        standin.command(word)
        until_value(towline, "app_agent_state", 1, pod=POD, state=state)
        assert value(towline, "app_agent_state", pod=POD, state="running") == 0
        assert value(towline, "app_agent_status", pod=POD) == 1
    standin.command("cut")
    until_value(towline, "app_agent_connected", 0, pod=POD)
    assert value(towline, "app_agent_status", pod=POD) == 1


@pytest.mark.parametrize("which", ENDPOINTS)
def test_one_that_hangs_does_not_run(standin, polling, run, which):
    polling.service["Agent_Ports"] = standin.endpoint(which)
    towline = run(polling)
    until_value(towline, "app_agent_status", 1, pod=POD)
    until_equal(lambda: len(towline.samples("app_agent_state")), 5)
    standin.command("hang")
    until_failed(towline, "timeout", 3)
    until_value(towline, "app_agent_status", 0, pod=POD)
    for name in set(OWNED) - {"app_agent_status"}:
        assert value(towline, name, pod=POD) is None
    assert value(towline, "app_build_info", pod=POD) == 1
    standin.command("wake")
    until_value(towline, "app_agent_status", 1, pod=POD)
    assert value(towline, "app_open_sessions", pod=POD) > 0


# ---- Prometheus scrapes both


def scraped(tmp_path, targets, relabel):
    """A real Prometheus of {job: address}."""
    jobs = [
        {
            "job_name": job,
            "metrics_path": path,
            "honor_labels": True,
            "static_configs": [{"targets": [address]}],
            "metric_relabel_configs": relabel.get(job, []),
        }
        for job, (address, path) in targets.items()
    ]
    prometheus = Prometheus(debian(), tmp_path, None, *jobs)
    until(prometheus.is_ready, "Prometheus is not ready")
    return prometheus


def dropped(file, job):
    """The metric_relabel_configs of a shipped job."""
    jobs = yaml.safe_load((ROOT / "conf/prometheus" / file).read_text())
    (found,) = [j for j in jobs["scrape_configs"] if j["job_name"] == job]
    return found["metric_relabel_configs"]


def test_no_sum_counts_twice_when_prometheus_scrapes_the_agent_too(
    standin, polling, run, tmp_path, request
):
    """Agent_Gauges off: the agent's own series alone; poll: its own dropped by what the
    shipped jobs drop, the agents' own and that of all annotated pods."""
    own = dropped("scrape-agents.yml", "matillion-agents-own")
    all_annotated = dropped("scrape.yml", "matillion-agents")
    labels = [
        {"target_label": name, "replacement": text}
        for name, text in [
            ("namespace", "matillion"),
            ("pod", POD),
            ("container", "matillion-agent"),
        ]
    ]
    standin.command("request")
    requests = json.loads(standin.page("info"))["activeRequestCount"]
    actuator = f"127.0.0.1:{standin.ports['actuator']}"
    cases = [
        ("off", [], labels),
        ("poll", [], [*labels, *own]),
        ("poll", all_annotated, all_annotated),
    ]
    for number, (owner, of_towline, of_agent) in enumerate(cases):
        polling.service["Agent_Gauges"] = owner
        folder = tmp_path / str(number)
        folder.mkdir()
        towline = run(polling)
        address = "{}:{}".format(*towline.address)
        prometheus = scraped(
            folder,
            {
                "towline": (address, "/metrics"),
                "agent": (actuator, "/actuator/prometheus"),
            },
            {"towline": of_towline, "agent": of_agent},
        )
        request.addfinalizer(prometheus.process.kill)
        for asked in (
            "app_completed_tasks_total > 0",
            "jvm_threads_live_threads",
            f"app_active_request_count == {requests}",
        ):
            prometheus.until_answers(asked, bool)
        for name, wanted in [
            ("app_active_request_count", requests),
            ("app_agent_status", 1),
        ]:
            assert prometheus.ask(f"sum by (pod) ({name})") == {POD: wanted}
            assert prometheus.ask(f"count({name})") == {None: 1}, (number, name)
        prometheus.stop()
        towline.stop()
