"""Agents are polled for their gauges: which, where, how often; and what a hostile
one can do with its answers.  Real agents: test_poller_agent.py."""

import pathlib
import re
import time

import pytest
from harness.fake_agent import (
    CHUNKED,
    INFO,
    METRICS,
    NEWEST,
    OK,
    PROMETHEUS,
    SECRET,
    FakeAgent,
    endless,
    leads_to,
    packed,
    raw,
)
from harness.fake_kube import NODE, FakeKube, made
from harness.node import info
from harness.towline import towline
from harness.wait import until, until_equal

OWNED = [
    "app_active_task_count",
    "app_active_request_count",
    "app_open_sessions",
    "app_agent_status",
]
HERE = {"namespace": "n", "pod": "vm", "container": "agent"}


@pytest.fixture
def fake_kube():
    made = FakeKube()
    yield made
    made.close()


@pytest.fixture
def polling(config, agent):
    """A configuration that polls the agent."""
    settings = config({"Name": "null"})
    settings.service |= {
        "Agent_Gauges": "poll",
        "Agents": f"n/vm/agent=127.0.0.1:{agent.port}",
        "Agent_Poll_Interval": 1,
        "Agent_Poll_Timeout": 2,
    }
    return settings


def value(towline, name, **labels):
    """The only sample with these labels; None: there is none."""
    found = [
        number
        for have, number in towline.samples(name)
        if labels.items() <= have.items()
    ]
    assert len(found) < 2, found
    return found[0] if found else None


def until_value(towline, name, want, **labels):
    until_equal(lambda: value(towline, name, **labels), want)


def until_failed(towline, reason, n=1):
    until(
        lambda: towline.metric("towline_agent_polls_failed_total", reason=reason) >= n,
        lambda: (
            towline.by("towline_agent_polls_failed_total", "reason"),
            towline.said(),
        ),
    )


def test_an_agent_elsewhere_is_polled(polling, run):
    towline = run(polling)
    until_value(towline, "app_active_task_count", 4, **HERE)
    assert value(towline, "app_active_request_count", **HERE) == 2
    assert value(towline, "app_open_sessions", **HERE) == 6
    assert value(towline, "app_agent_status", **HERE) == 1
    assert value(towline, "app_agent_connected", **HERE) == 1
    assert value(towline, "app_agent_state", state="running", **HERE) == 1
    assert value(towline, "app_agent_state", state="shutting_down", **HERE) == 0
    assert value(towline, "app_build_info", version="3.1", **HERE) == 1
    heartbeat = value(towline, "app_last_heartbeat_timestamp", **HERE)
    assert abs(heartbeat - time.time()) < 30
    assert SECRET not in towline.metrics_page() + towline.stop()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_agent_without_labels_is_named_after_its_address(agent, polling, run, host):
    address = f"{host}:{agent.port}"
    polling.service["Agents"] = address
    towline = run(polling)
    until_value(towline, "app_active_task_count", 4)
    ((labels, _),) = towline.samples("app_agent_status")
    assert (labels["namespace"], labels["pod"]) == ("default", address)


@pytest.mark.parametrize(
    ("pages", "asked"),
    [
        ({PROMETHEUS: "app_active_task_count 3\n"}, PROMETHEUS),
        ({METRICS: "jvm_threads 3\n", INFO: '{"activeTaskCount": 3}'}, INFO),
        ({METRICS: 503, PROMETHEUS: 401, INFO: '{"activeTaskCount": 3}'}, INFO),
    ],
)
def test_the_first_endpoint_that_answers_is_kept(agent, polling, run, pages, asked):
    agent.pages = pages
    towline = run(polling)
    until_value(towline, "app_active_task_count", 3, **HERE)
    first = [METRICS, PROMETHEUS, INFO]
    first = first[: first.index(asked) + 1]
    until(lambda: len(agent.asked) > len(first) + 1, agent.asked)
    assert agent.asked[: len(first)] == first
    assert set(agent.asked[len(first) :]) == {asked}
    assert towline.metric("towline_agent_polls_failed_total") == 0


def test_three_failures_in_a_row_are_no_zeros_but_the_status(agent, polling, run):
    towline = run(polling)
    until_value(towline, "app_active_task_count", 4, **HERE)
    good, agent.pages = agent.pages, {}
    until_value(towline, "app_agent_status", 0, **HERE)
    assert towline.metric("towline_agent_polls_failed_total", reason="status") >= 3
    for name in set(OWNED) - {"app_agent_status"} | {
        "app_agent_connected",
        "app_agent_state",
    }:
        assert value(towline, name, **HERE) is None
    assert value(towline, "app_build_info", **HERE) == 1
    towline.until_said("n/vm at 127.0.0.1 has not answered 3 polls.*answers 404")
    agent.pages = good
    until_value(towline, "app_agent_status", 1, **HERE)
    assert value(towline, "app_active_task_count", **HERE) == 4
    towline.until_said("n/vm answers")


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("hangs", "timeout"),
        ("trickles", "timeout"),
        (endless(OK + b"\r\napp_open_sessions 5\n", b"# no end\n" * 4000), "too_large"),
        (endless(OK, b"X-More: " + b"x" * 1000 + b"\r\n"), "too_large"),
        (endless(OK + b"X-Long: ", b"x" * 1000), "too_large"),
        (raw(OK, b"a:\r\n" * 1000, b"\r\n", NEWEST.encode()), "too_large"),
        (endless(CHUNKED + b"5;", b"x" * 65536), "too_large"),
    ],
    ids=["hang", "trickle", "body", "head", "line", "lines", "extension"],
)
def test_an_answer_has_bounds(agent, polling, run, page, reason):
    agent.pages = {METRICS: page if callable(page) else getattr(agent, page)}
    towline = run(polling)
    until_failed(towline, reason, 2)
    assert value(towline, "app_open_sessions", **HERE) is None
    towline.stop()


@pytest.mark.parametrize(
    "answer",
    [
        lambda handler: handler.wfile.write(b"\x00\xff garbage\r\n\r\n" * 100),
        lambda handler: handler.wfile.write(b"app_open_sessions 5\n" * 100),
        lambda handler: handler.wfile.write(
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"
        ),
        "<html>app_open_sessions 5</html>",
        "{" * 1000,
    ],
)
def test_garbage_is_no_answer(agent, polling, run, answer):
    agent.pages = {METRICS: answer}
    towline = run(polling)
    until(lambda: towline.metric("towline_agent_polls_failed_total") >= 2, towline.said)
    assert value(towline, "app_open_sessions", **HERE) is None
    assert value(towline, "app_agent_status", **HERE) in {None, 0}


@pytest.mark.parametrize("codings", ["gzip", "gzip, gzip, gzip", "GZIP"])
def test_no_answer_is_unpacked(agent, polling, run, codings):
    """libcurl 7.88 would, for an answer as small as it likes, and knows no end."""
    agent.pages = {METRICS: packed(codings)}
    towline = run(polling)
    until_failed(towline, "answer", 2)
    assert value(towline, "app_open_sessions", **HERE) is None
    towline.until_said("its answer is packed")
    towline.stop()


def test_no_redirect_is_followed_and_no_proxy_asked(agent, polling, run):
    elsewhere = FakeAgent()
    agent.pages = {METRICS: leads_to(f"http://127.0.0.1:{elsewhere.port}{METRICS}")}
    proxy = f"http://127.0.0.1:{elsewhere.port}"
    names = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"]
    towline = run(polling, environment=dict.fromkeys(names, proxy))
    until_failed(towline, "status", 2)
    towline.stop()
    elsewhere.close()
    assert elsewhere.asked == []
    assert METRICS in agent.asked


def test_a_hanging_agent_delays_neither_others_nor_the_end(agent, polling, run):
    other = FakeAgent()
    agent.pages = {METRICS: agent.hangs}
    polling.service["Agents"] += f", n/other/agent=127.0.0.1:{other.port}"
    polling.service["Agent_Poll_Timeout"] = 600
    towline = run(polling)
    until_value(towline, "app_active_task_count", 4, pod="other")
    until(lambda: agent.asked, "the first one is asked, too")
    began = time.monotonic()
    towline.stop()
    assert time.monotonic() - began < 20
    other.close()


def test_the_log_tells_what_no_poll_does(agent, polling, node, run):
    """An agent with a log that cannot be polled, and one with both."""
    both = node.container("matillion-agent-0", "agent", "n")
    log = node.container("matillion-agent-1", "agent", "n")
    for container in both, log:
        container.write(info("TASK_STARTED task_id=1"), info("HEARTBEAT"))
        container.write(info("levels: open_sessions=12 active_requests=3"))
    polling.service["Agents"] = (
        f"n/matillion-agent-0/agent=127.0.0.1:{agent.port}, n/dead/agent=127.0.0.1:1"
    )
    towline = run(polling)
    until_value(towline, "app_open_sessions", 6, pod="matillion-agent-0")
    assert value(towline, "app_active_task_count", pod="matillion-agent-0") == 4
    until_value(towline, "app_open_sessions", 12, pod="matillion-agent-1")
    assert value(towline, "app_active_task_count", pod="matillion-agent-1") == 1
    assert value(towline, "app_agent_status", pod="matillion-agent-1") == 1
    assert value(towline, "app_completed_tasks_total", pod="matillion-agent-0") == 0
    until_value(towline, "app_agent_status", 0, pod="dead")
    assert value(towline, "app_active_task_count", pod="dead") is None


@pytest.mark.parametrize("owner", ["log", "off"])
def test_nobody_is_polled_unless_it_is_asked_for(agent, polling, node, run, owner):
    node.container().write(info("HEARTBEAT"), info("x open_sessions=2"))
    polling.service["Agent_Gauges"] = owner
    towline = run(polling)
    until(lambda: towline.samples("app_last_heartbeat_timestamp"), towline.said)
    shown = {name for name in OWNED if towline.samples(name)}
    assert shown == (set(OWNED) if owner == "log" else set())
    assert agent.asked == []


def test_a_pod_is_polled_while_it_is_there(agent, polling, fake_kube, run):
    """Found by its container's name, at its podIP; gone when it is deleted, at once."""
    del polling.service["Agents"]
    polling.service["Agent_Ports"] = f"{agent.port}{METRICS}"
    (token := polling.folder / "token").write_text("t")
    polling.filters[0] |= {
        "Kube_URL": fake_kube.url,
        "Kube_Token_File": token,
        "Kube_Node_Name": NODE,
    }

    def pod(
        name, phase="Running", container="matillion-agent", labels=None, ip="127.0.0.1"
    ):
        made_of = made(name, labels)
        made_of["spec"]["containers"] = [{"name": "proxy"}, {"name": container}]
        made_of["status"] = {"podIP": ip, "phase": phase}
        return fake_kube.put(made_of)

    hostile = "0.0.0.0", f"127.0.0.1:{agent.port}{METRICS}?", "x@127.0.0.1"
    for number, address in enumerate(hostile):
        pod(f"matillion-agent-hostile-{number}", ip=address)

    one = pod("matillion-agent-0")
    pod("matillion-agent-pending", "Pending")
    pod("matillion-agent-done", "Succeeded")
    pod("matillion-agent-other", container="other")
    pod("matillion-runner-1", container="x", labels={"app": "r-matillion-runner-pods"})
    pod("matillion-script-runner-1")
    pod("nginx")
    towline = run(polling)
    until_value(towline, "app_active_task_count", 4, pod="matillion-agent-0")
    until_value(towline, "app_active_task_count", 4, pod="matillion-runner-1")
    polled = {
        (labels["namespace"], labels["pod"], labels["container"])
        for labels, _ in towline.samples("app_agent_status")
    }
    assert polled == {
        ("matillion", "matillion-agent-0", "matillion-agent"),
        ("matillion", "matillion-runner-1", "proxy"),
    }
    towline.until_said("is not polled: no pod can have the address")
    assert set(agent.asked) == {METRICS}
    one["metadata"]["deletionTimestamp"] = "2026-11-27T20:00:00Z"
    fake_kube.put(one)  # it drains, for up to twelve hours
    asked = len(agent.asked)
    until(lambda: len(agent.asked) > asked + 3, agent.asked)
    assert value(towline, "app_agent_status", pod="matillion-agent-0") == 1
    fake_kube.put(one, "DELETED")
    until_value(towline, "app_agent_status", None, pod="matillion-agent-0")
    assert value(towline, "app_agent_status", pod="matillion-runner-1") == 1
    new = pod("matillion-agent-0")  # a StatefulSet's
    until_value(towline, "app_agent_status", 1, pod="matillion-agent-0")
    new["status"]["phase"] = "Failed"
    fake_kube.put(new)
    until_value(towline, "app_agent_status", None, pod="matillion-agent-0")


def test_a_reload_changes_the_agents(agent, polling, run):
    towline = run(polling)
    until_value(towline, "app_agent_status", 1, pod="vm")
    polling.service["Agents"] = f"n/two/agent=127.0.0.1:{agent.port}"
    polling.write()
    towline.seen = len(towline.said())
    towline.process.send_signal(1)
    match = until(towline.listens, towline.said, 30)
    towline.address = match[1], int(match[2])
    until_value(towline, "app_agent_status", 1, pod="two")
    assert value(towline, "app_agent_status", pod="vm") is None
    towline.stop()


def test_as_many_agents_as_series(agent, polling, run):
    names = [f"n/vm{i}/agent=127.0.0.1:{agent.port}" for i in range(40)]
    polling.service |= {"Agents": ", ".join(names), "Max_Series": 20}
    towline = run(polling)
    until(lambda: len(towline.samples("app_agent_status")) == 20, towline.said)
    towline.until_said("20 agents are polled: n/vm.* is not; raise Max_Series")
    towline.stop()


def test_it_has_one_thread_of_its_own(polling, run):
    towline = run(polling)
    until_value(towline, "app_agent_status", 1, pod="vm")
    tasks = pathlib.Path(f"/proc/{towline.process.pid}/task")
    with towline.standing():
        names = [(task / "comm").read_text().strip() for task in tasks.iterdir()]
    assert names.count("poll") == 1


def test_wrong_values_stop_the_start(tmp_path, polling):
    polling.service |= {
        "Agents": "http://vm, a/b=vm",
        "Agent_Ports": "9464",
        "Agent_Selector": "app",
        "Agent_Gauges": "pol",
    }
    checked = towline("check", "-c", polling.write())
    assert checked.returncode != 0
    said = checked.stdout + checked.stderr
    for wrong in ["Agents http://vm", "Agents a/b=vm", "Agent_Ports 9464", "pol.*poll"]:
        assert re.search(wrong, said), said


def test_two_agents_of_one_name_stop_the_start(polling):
    polling.service["Agents"] = "a/b/c=one, a/b/d=one, a/b/c=two, vm:1, vm:1"
    checked = towline("check", "-c", polling.write())
    assert checked.returncode != 0
    said = checked.stdout + checked.stderr
    assert re.findall("Agents (.*): another one has its name", said) == [
        "a/b/c=two",
        "vm:1",
    ]


def test_a_list_of_ports_without_one_stops_the_start(polling):
    polling.service["Agent_Ports"] = ","
    checked = towline("check", "-c", polling.write())
    assert checked.returncode != 0
    assert "Agent_Ports: it names none" in checked.stdout + checked.stderr


def test_without_any_agent_it_says_so(polling, run):
    del polling.service["Agents"]
    towline = run(polling)
    towline.until_said("Agent_Gauges poll: no agent is known")
