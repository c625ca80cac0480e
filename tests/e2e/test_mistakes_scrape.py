"""The mistakes of the monitoring guide that a real Prometheus shows: what its
relabelings make of scraped series, and where a failed scrape is told."""

import http.server
import json
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request

import pytest
from harness import promtool, reference
from harness.wait import until
from test_metrics import Prometheus

EXPOSED = """\
# TYPE app_tasks gauge
app_tasks 1
# TYPE app_task_seconds gauge
app_task_seconds{task_id="task-1"} 1
app_task_seconds{user_id="abcdefghijkl"} 1
# TYPE app_debug_lines gauge
app_debug_lines 1
"""


@pytest.fixture(scope="module")
def exposed():
    """HOST:PORT of a target."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(EXPOSED.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def scraped(exposed, tmp_path):
    """A Prometheus that has scraped it, by jobs that differ in their relabelings."""
    servers = []

    def start(target=exposed, rules=()):
        job = {
            "job_name": "job",
            "static_configs": [{"targets": [target]}],
            "metric_relabel_configs": list(rules),
        }
        server = Prometheus(promtool.tools(), tmp_path, None, job)
        servers.append(server)
        until(server.is_ready, "Prometheus is not ready")
        until(lambda: server.ask("up"), "no scrape")
        return server

    yield start
    for server in servers:
        server.stop()


def get(server, path):
    with urllib.request.urlopen(f"http://{server.address}/api/v1/{path}") as response:
        return json.load(response)["data"]


def series(server):
    """The labels of each app_ series, less the target's own."""
    found = get(server, "series?match[]=%7B__name__=~%22app_.%2B%22%7D")
    own = "instance", "job"
    return sorted(
        tuple(sorted((k, v) for k, v in labels.items() if k not in own))
        for labels in found
    )


def named(name, **labels):
    return (("__name__", name), *labels.items())


TASKS, DEBUG = named("app_tasks"), named("app_debug_lines")
TASK = named("app_task_seconds", task_id="task-1")
USER = named("app_task_seconds", user_id="abcdefghijkl")


def test_drop_drops_every_series(scraped):
    (drop, _) = reference.parsed(20)["metric_relabeling_configs"]
    assert series(scraped(rules=[drop])) == []


def test_labeldrop_drops_the_label(scraped):
    rules = [{"action": "labeldrop", "regex": "task_id"}]
    bare = named("app_task_seconds")
    assert series(scraped(rules=rules)) == sorted([TASKS, DEBUG, bare, USER])


def test_a_shortened_label_stands_beside_the_long_one(scraped):
    (_, shorten) = reference.parsed(20)["metric_relabeling_configs"]
    both = (*USER, ("user_id_short", "abcdefgh..."))
    assert series(scraped(rules=[shorten])) == sorted([TASKS, DEBUG, TASK, both])


def test_a_label_is_shortened_in_its_own_place(scraped):
    (_, shorten) = reference.parsed(20)["metric_relabeling_configs"]
    short = named("app_task_seconds", user_id="abcdefgh...")
    rules = [shorten | {"target_label": "user_id"}]
    assert series(scraped(rules=rules)) == sorted([TASKS, DEBUG, TASK, short])


ALIKE = """\
app_task_seconds{user_id="abcdefgh-1"} 1
app_task_seconds{user_id="abcdefgh-2"} 2
"""


def test_users_that_begin_alike_are_one_when_shortened(scraped, monkeypatch):
    """The sample of one of them is kept, and is not their sum."""
    monkeypatch.setattr(sys.modules[__name__], "EXPOSED", ALIKE)
    (_, shorten) = reference.parsed(20)["metric_relabeling_configs"]
    server = scraped(rules=[shorten | {"target_label": "user_id"}])
    assert series(server) == [named("app_task_seconds", user_id="abcdefgh...")]
    assert server.ask("app_task_seconds")[None] in (1, 2)


def test_a_remote_write_needs_its_path(scraped):
    """What receives samples, Prometheus among them, takes them at a path."""
    (remote,) = reference.parsed(7)["remote_write"]
    assert urllib.parse.urlsplit(remote["url"]).path == ""
    server = scraped()

    def posted(path):
        request = urllib.request.Request(f"http://{server.address}{path}", b"none")
        with pytest.raises(urllib.error.HTTPError) as answer:
            urllib.request.urlopen(request)
        return answer.value.code, answer.value.read().decode()

    assert "remote write receiver" in posted("/api/v1/write")[1]
    code, said = posted("/")
    assert code == 405 and "remote write" not in said


def test_a_sample_rate_samples_nothing(scraped):
    """It is a label like any other, and stays on the series."""
    (_, rate) = reference.parsed(18)["prometheus"]["metric_relabeling_configs"]
    found = series(scraped(rules=[rate]))
    marked = (*DEBUG, ("__tmp_sample_rate", "0.1"))
    assert found == sorted([TASKS, TASK, USER, tuple(sorted(marked))])


def test_the_log_does_not_tell_of_a_failed_scrape(scraped, dead_port):
    server = scraped(f"127.0.0.1:{dead_port}")
    until(lambda: server.ask("up") == {None: 0}, "no failed scrape")
    assert str(dead_port) not in server.log.read_text()
    (told,) = get(server, "targets")["activeTargets"]
    assert told["health"] == "down" and "refused" in told["lastError"]


def test_a_federated_series_has_no_type(scraped):
    """Of which the CloudWatch agent takes none."""
    url = f"http://{scraped().address}/federate?match[]=app_tasks"
    with urllib.request.urlopen(url) as response:
        text = response.read().decode()
    assert "# TYPE app_tasks untyped\n" in text and "# TYPE app_tasks gauge" in EXPOSED
