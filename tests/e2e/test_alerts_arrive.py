"""From a sample to a receiver: a real Prometheus with the shipped rules, a real
Alertmanager with the shipped routes.  Times are seconds here, and receivers are webhooks
of the same names; all else is as it is shipped.  The series are a stand-in's."""

import collections
import contextlib
import datetime
import http.server
import json
import re
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest
import yaml
from harness.alerting import ALERTMANAGER, PROMETHEUS, RULES, alerts, debian, loaded
from harness.namespace import can_mount, mounted
from harness.wait import until

CLUSTER = loaded(PROMETHEUS / "prometheus-2.yml")["global"]["external_labels"]
TEXT = "text/plain; version=0.0.4"


class Around:
    """A target that Prometheus scrapes, and what receivers are sent."""

    def __init__(self):
        self.samples = 'towline_build_info{version="0.1.0"} 1\n'
        self.got = collections.defaultdict(set)
        around = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self, body=b"", kind="text/plain"):
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                self.answer(around.samples.encode(), TEXT)

            def do_POST(self):
                length = int(self.headers["Content-Length"])
                for alert in json.loads(self.rfile.read(length))["alerts"]:
                    if alert["status"] == "firing":
                        labels = alert["labels"]
                        who = labels.get("pod") or labels.get("instance")
                        around.got[self.path[1:]].add((labels["alertname"], who))
                self.answer()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = "127.0.0.1:{}".format(self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def around():
    made = Around()
    yield made
    made.server.shutdown()


def is_ready(address):
    try:
        urllib.request.urlopen(f"http://{address}/-/ready", timeout=10).close()
    except urllib.error.HTTPError:
        return False
    return True


@pytest.fixture
def start(tmp_path):
    """Start a server that says where it listens; its address, when it is ready."""
    with contextlib.ExitStack() as running:

        def started(program, *arguments, within=()):
            log = tmp_path / f"{program}.log"
            command = [*within, debian() / program, "--web.listen-address=127.0.0.1:0"]
            process = subprocess.Popen(
                [*command, *arguments], stderr=log.open("w"), cwd=tmp_path
            )
            running.callback(process.wait, 20)
            running.callback(process.terminate)
            listens = re.compile(r'msg="Listening on" address=(\S+)')
            found = until(lambda: listens.search(log.read_text()), log.read_text)
            until(lambda: is_ready(found[1]), log.read_text)
            return found[1]

        yield started


def quick(route):
    """The same route, in seconds: the alert that silences another may come after it."""
    waits = {"group_wait": "5s", "group_interval": "1s", "repeat_interval": "1h"}
    return route | waits | {"routes": [quick(r) for r in route.get("routes", [])]}


@pytest.fixture
def alertmanager(around, start, tmp_path):
    """Debian's reads its templates below /usr/share, where it is not installed."""
    if not can_mount():
        pytest.skip("no mount namespace: Alertmanager's templates cannot be in place")
    config = loaded(ALERTMANAGER)
    config["route"] = quick(config["route"])
    config["receivers"] = [
        {
            "name": receiver["name"],
            "webhook_configs": [{"url": f"http://{around.address}/{receiver['name']}"}],
        }
        for receiver in config["receivers"]
    ]
    (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(config))
    return start(
        "prometheus-alertmanager",
        "--config.file=alertmanager.yml",
        "--storage.path=alertmanager",
        "--cluster.listen-address=",
        within=mounted(debian().parent / "share", "/usr/share"),
    )


def found(file, name, **meta):
    """A shipped job, and what Kubernetes' discovery would tell it of one pod."""
    jobs = loaded(PROMETHEUS / file)["scrape_configs"]
    (job,) = [job for job in jobs if job["job_name"] == name]
    del job["kubernetes_sd_configs"]
    labels = {f"__meta_kubernetes_{label}": value for label, value in meta.items()}
    job["static_configs"] = [{"targets": ["127.0.0.1:1"], "labels": labels}]
    return job


def towlines_job(around):
    return found(
        "scrape.yml",
        "matillion-agents",
        pod_annotation_prometheus_io_scrape="true",
        pod_annotation_prometheus_io_port=around.address.split(":")[1],
        pod_label_app_kubernetes_io_name="towline",
        pod_node_name="node-1",
    )


def agents_job(around):
    """The agent's own endpoint, at a port of the test's."""
    job = found(
        "scrape-agents.yml",
        "matillion-agents-own",
        namespace="matillion",
        pod_name="busy",
        pod_ip="127.0.0.1",
        pod_label_app="matillion-runner-pods",
        pod_container_name="matillion-runner-pods",
    )
    (address,) = [
        step for step in job["relabel_configs"] if step.get("replacement") == "$1:8080"
    ]
    address["replacement"] = around.address
    return job


@pytest.fixture
def prometheus(around, alertmanager, start, tmp_path):
    (tmp_path / "rules").mkdir()
    for path in RULES.glob("*.yml"):
        text = re.sub(r"\bfor: \w+", "for: 2s", path.read_text())
        text = re.sub(r"\binterval: \w+", "interval: 1s", text)
        (tmp_path / "rules" / path.name).write_text(text)
    config = loaded(PROMETHEUS / "prometheus-2.yml")
    config["global"] |= {"scrape_interval": "1s", "evaluation_interval": "1s"}
    del config["scrape_config_files"]
    config["scrape_configs"] = [towlines_job(around)]
    (to,) = config["alerting"]["alertmanagers"]
    to["static_configs"] = [{"targets": [alertmanager]}]
    del config["remote_write"]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    return start(
        "prometheus",
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=prometheus",
    )


def asked(address, path):
    with urllib.request.urlopen(f"http://{address}{path}", timeout=10) as answer:
        return json.load(answer)


def agent(name, pod, value, **more):
    labels = {"namespace": "matillion", "pod": pod, "container": "c"} | more
    text = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{name}{{{text}}} {value}\n"


def test_each_alert_arrives_where_it_belongs(around, prometheus):
    unit = {"matillion_com_business_unit": "finance"}
    around.samples += (
        'towline_held_documents{output="es.0"} 3\n'
        "towline_state_stale_seconds 90\n"
        + agent("app_open_sessions", "full", 151)
        + agent("app_open_sessions", "busy", 120)
        + agent("app_open_sessions", "ledger", 120, **unit)
        + agent("app_open_sessions", "quiet", 100)
        + agent("app_active_task_count", "busy", 19)
        + agent("app_max_task_capacity", "busy", 20)
        + agent("app_active_task_count", "quiet", 3)
        + agent("app_max_task_capacity", "quiet", 20)
    )
    want = {
        "on-call": {("DatabaseConnectionsExhausted", "full")},
        "platform-on-call": {("TowlineStateStale", "node-1")},
        "platform": {("TowlineHolds", "node-1")},
        "finance": {("OpenSessionsHigh", "ledger")},
        # OpenSessionsHigh of the full agent is not: the critical alert says it.
        "team": {("OpenSessionsHigh", "busy"), ("PeakLoad", "busy")},
    }
    until(
        lambda: all(around.got[who] >= told for who, told in want.items()),
        lambda: f"{dict(around.got)}, {asked(prometheus, '/api/v1/alerts')}",
    )
    inhibited = {("OpenSessionsHigh", "full")}
    assert inhibited <= fired(prometheus)
    assert {who: around.got[who] for who in want} == want


def fired(prometheus):
    return {
        (alert["labels"]["alertname"], alert["labels"].get("pod"))
        for alert in asked(prometheus, "/api/v1/alerts")["data"]["alerts"]
        if alert["state"] == "firing"
    }


def test_all_rules_are_evaluated_without_an_error(prometheus):
    def groups():
        return asked(prometheus, "/api/v1/rules")["data"]["groups"]

    def evaluated():
        return all(r["health"] == "ok" for g in groups() for r in g["rules"])

    until(
        evaluated,
        lambda: [r for g in groups() for r in g["rules"] if r.get("lastError")],
    )
    assert len([g for g in groups() for r in g["rules"]]) == sum(
        len(group["rules"])
        for path in RULES.glob("*.yml")
        for group in loaded(path)["groups"]
    )


def test_an_agent_that_is_scraped_too_counts_once(around, start, tmp_path):
    """Both sides have the gauges; the agent's own names a draining agent 2."""
    own = Around()
    labels = {"container": "matillion-runner-pods"}
    around.samples += (
        agent("app_active_task_count", "busy", 12, **labels)
        + agent("app_max_task_capacity", "busy", 20, **labels)
        + agent("app_agent_status", "busy", 1, **labels)
    )
    own.samples = (
        "app_active_task_count 12\napp_agent_status 2\napp_agent_connected 1\n"
        'target_info{command_line="--password=secret"} 1\n'
        'jvm_memory_used_bytes{area="heap",task_id="7"} 5\n'
    )
    jobs = [towlines_job(around), agents_job(own)]
    config = {"global": {"scrape_interval": "1s"}, "scrape_configs": jobs}
    (tmp_path / "both.yml").write_text(yaml.safe_dump(config))
    store = "--storage.tsdb.path=both"
    address = start("prometheus", "--config.file=both.yml", store)

    def value(expression):
        query = urllib.parse.urlencode({"query": expression})
        answer = asked(address, f"/api/v1/query?{query}")
        return [float(row["value"][1]) for row in answer["data"]["result"]]

    pod = '{namespace="matillion",pod="busy",container="matillion-runner-pods"}'
    until(lambda: value("sum(up)") == [2], lambda: value("up"))
    until(lambda: value("jvm_memory_used_bytes" + pod) == [5], "no series of the agent")
    until(lambda: value("app_active_task_count" + pod), "no series of towline")
    assert value("sum by (pod) (app_active_task_count)") == [12]
    assert value("sum(app_agent_status)") == [1]
    assert value('{__name__=~".+",task_id!=""}') == []
    assert value("target_info") == []
    # Of two jobs, the labels by which the rules join are the same.
    joined = (
        "jvm_memory_used_bytes * on (namespace, pod, container) app_max_task_capacity"
    )
    assert value(joined) == [100]


# ---- inhibition, by Alertmanager alone

ALERTS = alerts()


def sent(alertmanager, *labels):
    now = datetime.datetime.now(datetime.UTC).isoformat()
    body = json.dumps([{"labels": CLUSTER | each, "startsAt": now} for each in labels])
    request = urllib.request.Request(
        f"http://{alertmanager}/api/v2/alerts",
        body.encode(),
        {"Content-Type": "application/json"},
    )
    urllib.request.urlopen(request, timeout=10).close()


def of(alert, **more):
    return {"alertname": alert} | ALERTS[alert]["labels"] | more


A = {"namespace": "m", "pod": "a", "instance": "n1"}
B = {"namespace": "m", "pod": "b", "instance": "n2"}
POOL = {"namespace": "m"}
NODE = {"instance": "n1"}


@pytest.mark.parametrize(
    ("source", "silenced", "heard"),
    [
        (
            of("AgentDown", **A),
            [
                of("StuckTask", **A),
                of("SlowTaskExecution", **A),
                of("AgentSilent", **A),
            ],
            [of("StuckTask", **B), of("HighTaskBacklog", **POOL)],
        ),
        (
            of("AgentClusterDown", **POOL),
            [
                of("AgentDown", **A),
                of("TaskSloBurn1h", **POOL),
                of("AnomalyLow", **POOL),
            ],
            [of("AgentDown", **B | {"namespace": "other"}), of("TowlineHolds", **NODE)],
        ),
        (
            of("TowlineDown", **NODE),
            [of("StuckTask", **A), of("TowlineLagOld", **NODE)],
            [of("StuckTask", **B), of("TaskSloBurn1h", **POOL)],
        ),
        (
            of("TowlineMissing"),
            [of("AgentsGone", **POOL), of("TowlineDown", **NODE), of("StuckTask", **A)],
            [],
        ),
        (
            of("TowlineOutputStalled", **NODE),
            [of("TowlineLagGrows", **NODE), of("TowlineHolds", **NODE)],
            [of("TowlineHolds", instance="n2"), of("TowlineLostBytes", **NODE)],
        ),
        (
            of("TaskSloBurn1h", **POOL),
            [of("TaskSloBurn6h", **POOL), of("TaskSloBurn3d", **POOL)],
            [of("TaskSloBurn6h", namespace="other")],
        ),
    ],
    ids=lambda value: value["alertname"] if isinstance(value, dict) else "",
)
def test_an_alert_silences_what_it_explains(alertmanager, source, silenced, heard):
    sent(alertmanager, source, *silenced, *heard)

    def states():
        return {
            frozenset(alert["labels"].items()): alert["status"]["state"]
            for alert in asked(alertmanager, "/api/v2/alerts")
        }

    want = {frozenset((CLUSTER | each).items()): "suppressed" for each in silenced}
    want |= {frozenset((CLUSTER | each).items()): "active" for each in [source, *heard]}
    until(lambda: states() == want, lambda: states())
