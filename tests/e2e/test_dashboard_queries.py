"""Every PromQL expression of the dashboards, on a real Prometheus (Debian's 2.42):
a history of 8 hours whose series are made here, and what each panel must show of it."""

import json
import re
import subprocess

import pytest
from harness import grafana
from harness.history import History, tools
from harness.towline import ROOT

END, HOURS = 1_800_000_000, 8
RANGE = 6 * 3600
GIB = 2**30
EVERY = {"cluster": ".*", "namespace": ".*", "pod": ".*", "node": ".*"}
EVERY |= {"__rate_interval": "5m", "__range": "6h", "__range_s": RANGE}
EVERY |= {"who": "namespace", "core_hour": 0.04, "gib_hour": 0.005}

# ---- the series: a value that stays, or one that grows by so much a second.


def stays(value):
    return lambda at: value


def grows(by):
    """A counter since the history's beginning."""
    return lambda at: by * (at - END + HOURS * 3600)


def ago(seconds):
    return lambda at: at - seconds


def histogram(name, labels, rate, mean, shares):
    """So many a second, of which the share (of all) is at most le."""
    for le, share in [*shares, ("+Inf", 1)]:
        yield f"{name}_bucket", labels | {"le": le}, grows(rate * share)
    yield f"{name}_count", labels, grows(rate)
    yield f"{name}_sum", labels, grows(rate * mean)


def agent(pod, node, **more):
    mine = {"namespace": "m", "pod": pod, "container": "agent"}
    return mine | {"instance": node, "job": "matillion-agents"} | more


A0, A1 = agent("a0", "node-1"), agent("a1", "node-2")
GONE = agent("a2", "node-2") | {"namespace": "other"}
NODE1 = {"instance": "node-1", "job": "matillion-agents"}
NODE2 = NODE1 | {"instance": "node-2"}
ES = {"output": "es.0"}
# Of a process that is not towline's.
OTHER = {"instance": "10.0.0.7:8080", "job": "matillion-agents"}


def of_agents():
    levels = {
        "app_agent_status": [1, 1],
        "app_agent_connected": [1, 0],
        "app_active_task_count": [15, 3],
        "app_max_task_capacity": [20, 20],
        "app_active_request_count": [3, 0],
        "app_open_sessions": [12, 40],
        "app_max_connections": [100, 100],
        "app_task_duration_seconds": [6, 10],
        "app_memory_usage_bytes": [2 * GIB, GIB],
    }
    counters = {
        "app_completed_tasks_total": [0.09, 0.05],
        "app_failed_tasks_total": [0.01, 0],
        "app_new_failures_total": [1 / 3600, 0],
        "app_log_lines_total": [10, 2],
        "app_task_timeouts_total": [1 / 3600, 0],
        "app_cpu_usage_seconds_total": [0.5, 0.25],
    }
    for of, made in (levels, stays), (counters, grows):
        for name, pair in of.items():
            yield from (
                (name, labels, made(value))
                for labels, value in zip([A0, A1], pair, strict=True)
            )
    yield "app_agent_status", GONE, stays(0)
    yield "app_last_heartbeat_timestamp", A0, ago(5)
    yield "app_last_heartbeat_timestamp", A1, ago(50)
    yield "app_oldest_task_start_timestamp", A0, ago(600)
    yield "app_oldest_task_start_timestamp", A1, stays(0)
    for labels, state in (A0, "running"), (A1, "draining"):
        for one in "running", "draining":
            yield "app_agent_state", labels | {"state": one}, stays(int(one == state))
    yield "app_build_info", A0 | {"version": "1.2"}, stays(1)
    yield "app_build_info", A1 | {"version": "1.3"}, stays(1)
    for labels, kind, by in (A0, "X", 0.02), (A1, "X", 0.02), (A0, "Y", 0.01):
        yield "app_task_errors_total", labels | {"error_type": kind}, grows(by)
    took = "app_task_execution_seconds"
    half, late = [(1, 0), (5, 0.5), (15, 1)], [(1, 0), (5, 0), (15, 1)]
    yield from histogram(took, A0 | {"pipeline": "load"}, 0.09, 6, half)
    yield from histogram(took, A1 | {"pipeline": "sync"}, 0.05, 10, late)
    requests = "app_request_duration_seconds"
    yield from histogram(requests, A0, 1, 0.5, [(0.5, 0.5), (1, 1)])
    # cAdvisor's and kube-state-metrics' own, by their true names.
    cadvisor = {"namespace": "m", "pod": "matillion-agent-0", "container": "agent"}
    yield "container_memory_usage_bytes", cadvisor, stays(3 * GIB)
    for labels, container, size in (
        (A0, "agent", 4 * GIB),
        (A0, "metrics-exporter", GIB),
        (A1, "agent", 4 * GIB),
    ):
        kube = labels | {"container": container, "job": "kube-state-metrics"}
        for resource, value in ("memory", size), ("cpu", size / GIB / 2):
            name = "kube_pod_container_resource_requests"
            yield name, kube | {"resource": resource}, stays(value)


def of_towline():
    for node, lag in (NODE1, 2), (NODE2, 30):
        yield "towline_build_info", node | {"version": "0.1.0"}, stays(1)
        yield "towline_lag_seconds", node, stays(lag)
        yield "towline_lag_bytes", node, stays(1000 * lag)
        yield "towline_records_total", node, grows(5)
        yield "towline_delivered_total", node | ES, grows(4)
        yield "towline_read_bytes_total", node, grows(500)
        yield "towline_memory_limit_bytes", node, stays(GIB)
        yield "towline_kube_pods", node, stays(7)
        yield "towline_state_stale_seconds", node, stays(0)
        yield "towline_held_documents", node | ES, stays(9)
        for counter in "lean_documents", "stripped_documents":
            yield f"towline_{counter}_total", node | ES, grows(1 / 3600)
        for counter in "truncated_lines", "folded_records":
            yield f"towline_{counter}_total", node, grows(2 / 3600)
        yield from histogram(
            "towline_delivery_seconds", node | ES, 4, 1, [(1, 0.5), (2, 1)]
        )
    yield "towline_config_reload_failed_total", NODE1, lambda at: int(at > END - 3600)
    yield "towline_config_reload_failed_total", NODE2, stays(0)
    for name, labels, by in (
        ("towline_retries_total", {"reason": "429"} | ES, 0.5),
        ("towline_dead_letters_total", {"reason": "mapping"} | ES, 1 / 3600),
        ("towline_lost_bytes_total", {"reason": "deleted"}, 10 / 3600),
        ("towline_read_errors_total", {"reason": "open"}, 3 / 3600),
        ("towline_parse_failures_total", {"kind": "parser"}, 4 / 3600),
        ("towline_agent_polls_failed_total", {"reason": "timeout"}, 6 / 3600),
    ):
        yield name, NODE1 | labels, grows(by)
    yield "towline_unread_files", NODE1 | {"reason": "refused"}, stays(2)
    yield "towline_kube_up", NODE1, stays(1)
    yield "towline_kube_up", NODE2, stays(0)
    for labels, size, cpu in (NODE1, GIB / 8, 0.1), (OTHER, GIB, 1):
        yield "process_resident_memory_bytes", labels, stays(size)
        yield "process_cpu_seconds_total", labels, grows(cpu)


# ---- what each panel must show: for each query, {legend or labels: value}


def both(first, second):
    return {"a0": first, "a1": second}


def rows(first, second):
    return {"m a0": first, "m a1": second}


QUANTILES = [{"50 %": 7.632}, {"95 %": 14.263}, {"99 %": 14.853}]
COST = 0.75 * 6 * 0.04 + 3 * 6 * 0.005  # cores and GiB, six hours of both

EXPECTED = {
    "towline-health": {
        "Agent Status": [{"Running Agents": 2}],
        "Agents down": [{"down": 1}],
        "Agents cut off": [{"cut off": 1}],
        "Busiest agent": [{"busy": 0.75}],
        "Failed tasks": [{"failed": 216}],
        "New failures": [{"new": 6}],
        "Active Tasks Over Time": [both(15, 3), {"an agent's limit": 20}],
        "Task Completion Rate": [both(0.09, 0.05)],
        "Failed share": [both(0.1, 0)],
        "Errors by type": [{"X": 0.04, "Y": 0.01}],
        "Age of the last heartbeat": [both(5, 50)],
        "Oldest running task": [{"a0": 600}],
        "Log lines": [both(10, 2)],
        "Tasks without an end": [both(1, 0)],
        "Requests under way": [both(3, 0)],
        "Open sessions": [both(12, 40), {"an agent's limit": 100}],
        "Agents": [
            rows(1, 1) | {"other a2": 0},
            rows(1, 0),
            {"m a0 running": 1, "m a1 draining": 1},
            rows(15, 3),
            rows(0.75, 0.15),
            rows(12, 40),
            {"m a0 1.2": 1, "m a1 1.3": 1},
        ],
    },
    "towline-performance": {
        "Tasks completed": [{"tasks": 0.14 * RANGE}],
        "Task duration, 95th percentile": [{"95 %": 14.263}],
        "Request duration, 95th percentile": [{"95 %": 0.95}],
        "Share of time at work": [{"at work": 0.45}],
        "Average Task Duration": [both(6, 10)],
        "Mean duration of the tasks of an hour": [both(6, 10)],
        "Task duration, quantiles": QUANTILES,
        "Task durations": [{"1": 0, "5": 13.5, "15": 42, "+Inf": 42}],
        "Request duration, quantiles": [{"50 %": 0.5}, {"95 %": 0.95}, {"99 %": 0.99}],
        "Share of places taken": [both(0.75, 0.15)],
        "Slowest pipelines": [
            {"load": 6, "sync": 10},
            {"load": 0.09 * RANGE, "sync": 0.05 * RANGE},
        ],
        "Task duration by pipeline, 95th percentile": [{"load": 14, "sync": 14.5}],
        "Memory Usage vs Task Count": [
            {"a0 memory": 2 * GIB, "a1 memory": GIB},
            {"a0 tasks": 15, "a1 tasks": 3},
        ],
        "CPU": [both(0.5, 0.25)],
        "Memory by running task": [both(2 * GIB / 15, GIB / 3)],
        "Tasks in four hours, by the trend of six": [{"tasks": 18}, {"places": 40}],
    },
    "towline-cost": {
        "Task time": [{"task time": 1.04 * RANGE}],
        "CPU time": [{"CPU": 0.75 * RANGE}],
        "CPU time of a task": [{"CPU": 0.75 / 0.14}],
        "What it cost": [{"cost": COST}],
        "Task time by owner": [{"m": 1.04 * RANGE}, {"m": 1}, {"m": COST}],
        "Task time by pipeline": [
            {"load": 0.54 * RANGE, "sync": 0.5 * RANGE},
            {"load": 0.54 / 1.04, "sync": 0.5 / 1.04},
        ],
        "Task time over the days, by owner": [{"m": 1.04}],
        "Agents larger than they need": [
            rows(2 * GIB, GIB),
            rows(4 * GIB, 4 * GIB),
            rows(0.5, 0.25),
            rows(2, 2),
            rows(0, 0),
        ],
    },
    "towline-self": {
        "Nodes": [{"nodes": 2}],
        "Largest lag": [{"lag": 30}],
        "Lost bytes": [{"lost": 60}],
        "Dead letters": [{"dead letters": 6}],
        "Files not read": [{"files": 2}],
        "Without metadata": [{"nodes": 1}],
        "Records": [{"read": 10}, {"delivered to es.0": 8}],
        "Lag": [
            {"node-1": 2, "node-2": 30},
            {"node-1 bytes": 2000, "node-2 bytes": 30000},
        ],
        "From the line to the index": [{"es.0": 1.9}],
        "Sent again": [{"es.0 429": 0.5}],
        "Held documents": [{"node-1 es.0": 9, "node-2 es.0": 9}],
        "Documents cut, and dead letters": [
            {"without extra": 2},
            {"without log_parsed": 2},
            {"dead letter: mapping": 1},
        ],
        "Bytes read": [{"node-1": 500, "node-2": 500}],
        "What could not be read": [
            {"read: open": 3},
            {"parse: parser": 4},
            {"cut": 4},
            {"folded": 4},
        ],
        "Agents' polls that failed": [{"node-1 timeout": 6}],
        "State that could not be written": [{"node-1": 0, "node-2": 0}],
        "Memory": [{"node-1": GIB / 8}, {"limit": GIB}],
        "CPU": [{"node-1": 0.1}],
        "Versions": [
            {"node-1 0.1.0": 1, "node-2 0.1.0": 1},
            {"node-1": 7, "node-2": 7},
            {"node-1": 1, "node-2": 0},
        ],
    },
}


def expressions():
    """(uid, panel, number of the query, target) of all that Prometheus is asked."""
    for file in grafana.FILES:
        dashboard = grafana.load(file)
        for panel in grafana.panels(dashboard):
            for n, target in enumerate(panel["targets"]):
                if "expr" in target:
                    yield dashboard["uid"], panel["title"], n, target


CASES = list(expressions())
NAMES = [f"{uid}: {title} {target['refId']}" for uid, title, _, target in CASES]


@pytest.fixture(scope="session")
def history(tmp_path_factory):
    folder = tmp_path_factory.mktemp("history")
    made = History(folder, [*of_agents(), *of_towline()], END, HOURS)
    yield made
    made.stop()


def key(target, labels):
    """What the series is called: by its legend, in a table by its labels."""
    legend = target["legendFormat"].replace("{{$who}}", "{{namespace}}")
    if legend:
        return re.sub(r"{{(\w+)}}", lambda m: labels.get(m[1], ""), legend)
    return " ".join(labels[name] for name in sorted(labels))


@pytest.mark.parametrize("uid, title, n, target", CASES, ids=NAMES)
def test_a_panel_shows_what_is_in_the_history(history, uid, title, n, target):
    asked = grafana.interpolated(target["expr"], **EVERY)
    answer = history.ask(asked)
    found = {key(target, labels): value for labels, value in answer}
    assert len(found) == len(answer), "two series of one name"
    want = EXPECTED[uid][title][n]
    # In 2.42 a range has the sample at its beginning, in 3.16 it has not.
    assert found == pytest.approx(want, rel=5e-3, abs=1e-9)


# ---- the reference document's dashboards

REFERENCE = ROOT / "tests/fixtures/reference"
# Theirs that a panel here does not show as it is, and why.
OTHERWISE = {
    "container_memory_usage_bytes{pod=~'matillion-agent.*'}": "holds the page cache",
    "app_active_task_count * 1000000": "scaled by guess: the tasks have an axis here",
}


def of_document():
    for name, uid in (
        ("agent-health", "towline-health"),
        (
            "agent-performance",
            "towline-performance",
        ),
    ):
        text = (REFERENCE / f"{name}.json").read_text()
        for panel in json.loads(text)["dashboard"]["panels"]:
            for target in panel["targets"]:
                yield uid, panel["title"], target["expr"]


def by_pod(answer):
    found = {labels.get("pod"): value for labels, value in answer}
    assert len(found) == len(answer)
    return found


@pytest.mark.parametrize("uid, title, theirs", list(of_document()))
def test_the_documents_panels_are_here_and_show_the_same(history, uid, title, theirs):
    ours = [t for u, of, _, t in CASES if (u, of) == (uid, title)]
    assert ours, f"no panel {title}"
    want = by_pod(history.ask(theirs))
    assert want, "it does not answer at all"
    if theirs not in OTHERWISE:
        shown = history.ask(grafana.interpolated(ours[0]["expr"], **EVERY))
        assert by_pod(shown) == pytest.approx(want)


def test_each_expected_panel_is_there():
    there = {(uid, title) for uid, title, _, _ in CASES}
    assert there == {(uid, t) for uid, every in EXPECTED.items() for t in every}


@pytest.mark.parametrize("uid, title, n, target", CASES, ids=NAMES)
def test_a_chosen_agent_is_shown_alone(history, uid, title, n, target):
    """As Grafana writes two chosen values: (a0|none)."""
    if uid == "towline-self":
        chosen, other = {"node": "(node-1|none)"}, "node-2"
    else:
        chosen, other = {"pod": "(a0|none)", "namespace": "(m|none)"}, "a1"
    answer = history.ask(grafana.interpolated(target["expr"], **EVERY | chosen))
    for labels, _ in answer:
        assert other not in labels.values()
    empty = {"Agents down", "Agents cut off", "Without metadata"}
    assert answer or title in empty


def test_the_annotation_of_alerts_parses(history):
    dashboard = grafana.load(grafana.FOLDER / "dashboards/agent-health.json")
    (alerts,) = dashboard["annotations"]["list"]
    assert history.ask(grafana.interpolated(alerts["target"]["expr"], **EVERY)) == []


def test_promtool_takes_every_expression_for_a_rule(tmp_path):
    """A parse check, by 2.42's."""
    rules = [
        {"record": f"panel:{n}", "expr": grafana.interpolated(c[-1]["expr"], **EVERY)}
        for n, c in enumerate(CASES)
    ]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(
        [tools() / "promtool", "check", "rules", file], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(CASES)} rules found" in done.stdout


# ---- names

# Of others, by their true names.
OTHERS = ["kube_pod_container_resource_requests"]
NAME = re.compile(r"\b(?:app|towline|kube|process|container)_\w+")


def test_each_series_is_of_those_that_the_variables_choose():
    for uid, title, _, target in CASES:
        text = target["expr"]
        asked = NAME.findall(re.sub(r"\b(?:by|on) \([^)]*\)", "", text))
        chosen = '{cluster=~"$cluster", ' + (
            'instance=~"$node"' if uid == "towline-self" else 'namespace=~"$namespace"'
        )
        own = sum(name.startswith("process_") for name in asked)
        assert text.count(chosen) == len(asked) - own > 0, title


def test_each_metric_is_one_that_there_is():
    text = (ROOT / "docs/metrics.md").read_text()
    documented = set(re.findall(r"^\| (\w+)", text, re.M))
    known = documented | set(OTHERS)
    asked = {n for *_, t in CASES for n in NAME.findall(t["expr"])}
    for name in asked:
        family = re.sub(r"_(bucket|sum|count)$", "", name)
        assert name in known or family in known, name
    assert len(asked) > 40
