"""A real API server's pods are polled at their addresses: found, drained, moved,
ended, deleted.  What lies of the API server do: test_kube_lies.py."""

import pytest
from harness.fake_agent import METRICS
from harness.node import info
from harness.wait import until
from harness.watched import up
from test_poller import until_value, value
from test_resources import CPU, MEMORY, fill, v2


@pytest.fixture
def watched(watched, agent):
    """Its agents are polled."""
    watched.config.service |= {
        "Agent_Gauges": "poll",
        "Agent_Ports": f"{agent.port}{METRICS}",
        "Agent_Poll_Interval": 1,
    }
    return watched


def test_a_pod_is_polled_from_its_start_to_its_end(watched, agent, run):
    pod = watched.pod("matillion-agent-0")
    log = pod.log(watched.node)
    log.write(info("levels: open_sessions=12"))
    towline = up(run(watched.config))
    who = {"namespace": watched.namespace, "pod": pod.name}
    until_value(towline, "app_open_sessions", 12, **who)  # Pending: its log tells
    assert agent.asked == []
    pod.runs(log, ip="127.0.0.1")
    until_value(towline, "app_open_sessions", 6, **who)
    assert value(towline, "app_agent_status", **who) == 1
    pod.delete(grace=43200)  # it drains
    assert pod.read()["metadata"]["deletionTimestamp"]
    asked = len(agent.asked)
    until(lambda: len(agent.asked) > asked + 2, agent.asked)
    assert value(towline, "app_agent_connected", **who) == 1
    pod.delete()
    until_value(towline, "app_agent_connected", None, **who)
    asked = len(agent.asked)
    again = watched.pod("matillion-agent-0")  # of another uid
    again.runs(again.log(watched.node), ip="127.0.0.1")
    until_value(towline, "app_agent_connected", 1, **who)
    assert len(agent.asked) > asked
    again.set_status(phase="Failed")
    until_value(towline, "app_agent_connected", None, **who)
    towline.stop()


def test_what_is_polled_and_measured_has_the_labels_of_its_pod(watched, run, tmp_path):
    """Agent_Labels; docs/metrics.md says how they live."""
    root = tmp_path / "cgroup"
    watched.config.service |= {
        "Agent_Labels": "matillion.com/business-unit",
        "Cgroup_Path": root,
        "Cgroup_Interval": 1,
    }
    labels = {"matillion.com/business-unit": "sales"}
    pod = watched.pod("matillion-agent-0", labels=labels)
    log = pod.log(watched.node)
    fill(v2(root, f"kubepods.slice/cri-containerd-{log.id}.scope"), 3000, 1.5, 2)
    (root / "cgroup.controllers").write_text("cpu memory\n")
    log.write(info("HEARTBEAT"))
    pod.runs(log, ip="127.0.0.1")
    towline = up(run(watched.config))
    who = {"pod": pod.name, "matillion_com_business_unit": "sales"}
    wanted = {"app_agent_connected": 1, "app_open_sessions": 6, MEMORY: 3000, CPU: 1.5}
    for name, number in wanted.items():
        until_value(towline, name, number, **who)
    for name in [*wanted, "app_agent_status", "app_log_lines_total"]:
        assert len(towline.samples(name)) == 1, name
        assert value(towline, name, **who) is not None, name
    towline.stop()
