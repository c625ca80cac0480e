"""Metrics as Prometheus sees them: the real promtool, the real server."""

import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOWLINE = Path(os.environ.get("TOWLINE", ROOT / "build" / "towline"))

# Every expression of the document whose readers this project serves, and the
# rate() form of its quantile; those about the cgroup's metrics aside.
EXPRESSIONS = [
    "app_active_task_count > 18",
    "rate(app_completed_tasks_total[5m])",
    "app_active_task_count / app_max_task_capacity > 0.8",
    "app_open_sessions > 100",
    "increase(app_open_sessions[30m]) > 0 and app_active_task_count == 0",
    "app_open_sessions / app_max_connections * 100",
    "avg_over_time(app_task_duration_seconds[1h]) > 300",
    "histogram_quantile(0.95, app_request_duration_seconds_bucket) > 30",
    "histogram_quantile(0.95, sum by (le) (rate(app_request_duration_seconds_bucket[5m])))",
    "sum(app_agent_status)",
    "sum(app_active_task_count) by (pod)",
    "avg_over_time(app_task_duration_seconds[1h])",
    "app_active_task_count * 1000000",
    "app_agent_status == 0",
    "app_active_task_count > 100",
    "app_open_sessions > 150",
    "avg_over_time(app_task_duration_seconds[30m]) > 600",
    "rate(app_task_errors_total[5m]) > 0.1",
    "count(app_agent_status == 1) == 0",
]

CONF = """
[SERVICE]
    Flush           1
    HTTP_Listen     127.0.0.1
    HTTP_Port       0
    State_Path      {dir}/state
    Max_Connections 200

[INPUT]
    Name   tail
    Path   {dir}/containers/matillion-agent*.log
    Parser cri
    Tag    matillion.agent.*

[OUTPUT]
    Name  null
    Match *
"""

LABELS = '{namespace="default",pod="matillion-agent-0",container="agent"'


def wait_for(what, seconds=30):
    """Return the first true value of what(); fail after so many seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = what()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain")


def get(url, accept="*/*"):
    request = urllib.request.Request(url, headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode(), answer.headers["Content-Type"]


class Node:
    """A node's log tree with one agent in it."""

    def __init__(self, path):
        self.dir = path
        pod = path / "pods" / "default_matillion-agent-0_3f2a-11" / "agent"
        pod.mkdir(parents=True)
        (path / "containers").mkdir()
        self.log = pod / "0.log"
        self.log.touch()
        link = path / "containers" / f"matillion-agent-0_default_agent-{'ab' * 32}.log"
        link.symlink_to(self.log)

    def write(self, *messages, level="INFO"):
        with self.log.open("a") as log:
            for message in messages:
                now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
                head = f"{now.replace('T', ' ')}.001 {level:<5} [task-1] c.m.agent.TaskRunner"
                log.write(f"{now}.001000000Z stdout F {head} - {message}\n")


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path)


@pytest.fixture
def towline(node):
    """Start towline on the node when called; return its base URL."""
    started = []

    def start():
        conf = node.dir / "towline.conf"
        conf.write_text(CONF.format(dir=node.dir))
        said = node.dir / "said"
        process = subprocess.Popen(
            [TOWLINE, "run", "-c", conf], stderr=said.open("w"), cwd=node.dir
        )
        started.append(process)

        def url():
            assert process.poll() is None, said.read_text()
            found = re.search(r"at (http://\S+)", said.read_text())
            return found and found[1]

        return wait_for(url)

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0


@pytest.fixture(scope="session")
def prometheus():
    """The directory of the real prometheus and promtool."""
    tool = ROOT / "tests" / "servers" / "prometheus"
    return Path(subprocess.check_output([tool], text=True).strip())


def write_a_day(node):
    node.write(
        "TASK_STARTED task_id=1", "TASK_STARTED task_id=2", "TASK_STARTED task_id=3"
    )
    node.write("TASK_COMPLETED task_id=1 pipeline=load execution_time=12.5")
    node.write("TASK_FAILED task_id=2 execution_time=4.0")
    node.write("query failed error_type=SQL_TIMEOUT", level="ERROR")
    node.write(
        "REQUEST_COMPLETED duration=0.25", "status open_sessions=12 active_requests=3"
    )
    node.write("HEARTBEAT")


EXPECTED = [
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


def scrape(url, accept="text/plain"):
    try:
        return get(f"{url}/metrics", accept)[0]
    except urllib.error.HTTPError as error:
        assert error.code == 503  # it counts the history first
        return ""


def test_what_the_files_hold_is_counted_before_the_first_answer(node, towline):
    write_a_day(node)
    url = towline()
    # The first answer has the agent's counters whole; gauges and the last
    # record, which a timer ends, may take a moment.
    text = wait_for(lambda: scrape(url))
    lines = wait_for(
        lambda: [
            text.splitlines()
            for text in [scrape(url)]
            if all(line in text.splitlines() for line in EXPECTED)
        ]
    )
    assert lines
    assert f"app_completed_tasks_total{LABELS}}}" in text


def test_promtool_dislikes_two_names_alone(node, towline, prometheus):
    write_a_day(node)
    url = towline()
    text = wait_for(lambda: scrape(url))
    check = subprocess.run(
        [prometheus / "promtool", "check", "metrics"],
        check=False,
        input=text,
        text=True,
        capture_output=True,
    )
    said = (check.stdout + check.stderr).splitlines()
    assert sorted(line.split()[0] for line in said) == [
        "app_active_request_count",
        "app_active_task_count",
    ]


def test_the_real_prometheus_reads_it_and_answers_every_expression(
    node, towline, prometheus, tmp_path
):
    write_a_day(node)
    url = towline()
    wait_for(lambda: scrape(url))
    host = urllib.parse.urlsplit(url).netloc
    (tmp_path / "prometheus.yml").write_text(
        json.dumps(
            {
                "global": {"scrape_interval": "1s"},
                "scrape_configs": [
                    {
                        "job_name": "towline",
                        "honor_labels": True,
                        "static_configs": [{"targets": [host]}],
                    }
                ],
            }
        )
    )
    said = tmp_path / "prometheus.log"
    server = subprocess.Popen(
        [
            prometheus / "prometheus",
            f"--config.file={tmp_path}/prometheus.yml",
            f"--storage.tsdb.path={tmp_path}/data",
            "--web.listen-address=127.0.0.1:0",
        ],
        stderr=said.open("w"),
        stdout=subprocess.DEVNULL,
    )
    try:
        at = wait_for(
            lambda: re.search(r'msg="Listening on" address=(\S+)', said.read_text())
        )

        def ask(expression):
            query = urllib.parse.urlencode({"query": expression})
            answer = json.loads(get(f"http://{at[1]}/api/v1/query?{query}")[0])
            assert answer["status"] == "success", answer
            return {
                r["metric"].get("pod"): float(r["value"][1])
                for r in answer["data"]["result"]
            }

        wait_for(lambda: ask("up").get(None) == 1)
        wait_for(lambda: ask("app_open_sessions").get("matillion-agent-0") == 12)
        for expression in EXPRESSIONS:
            ask(expression)
        assert ask("sum(app_agent_status)") == {None: 1}
        assert ask("app_open_sessions / app_max_connections * 100") == {
            "matillion-agent-0": 6
        }
        assert ask("avg_over_time(app_task_duration_seconds[1h])") == {
            "matillion-agent-0": 12.5
        }
        wait_for(lambda: ask("rate(app_completed_tasks_total[5m])"))  # two scrapes
    finally:
        server.terminate()
        server.wait(timeout=20)
