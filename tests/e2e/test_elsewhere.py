"""Agents elsewhere than on Kubernetes: files of a machine and of Docker, whose agents
and labels the configuration names (conf/elsewhere.conf)."""

import json
import os
import re
import subprocess

import pytest
from harness.node import completed, docker, info
from harness.table import Table
from harness.towline import ROOT, towline
from harness.wait import until_equal

UNIT = "matillion_com_business_unit"
EXAMPLE = ROOT / "conf/elsewhere.conf"
TASKS = "app_completed_tasks_total"
IDS = [f"{n}" * 64 for n in (1, 2)]


class Machine:
    """A log that the agent writes itself, and Docker's of two more."""

    def __init__(self, root):
        self.logs, self.docker = root / "agent", root / "docker"
        self.log = self.logs / "agent.log"
        self.logs.mkdir()
        for each in IDS:
            (self.docker / each).mkdir(parents=True)

    def write(self, *texts):
        with open(self.log, "ab", buffering=0) as f:
            f.write("".join(text + "\n" for text in texts).encode())

    def write_docker(self, container, *texts):
        with open(self.docker / container / f"{container}-json.log", "ab") as f:
            f.write(b"".join(docker(text + "\n") for text in texts))


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.fixture
def example(tmp_path, table, agent):
    """The example as it stands, but for its output."""
    text, cut, _ = EXAMPLE.read_text().partition("[OUTPUT]")
    file = tmp_path / "elsewhere.conf"
    file.write_text(
        f"{text}{cut}\n    Name sqlite\n    Match *\n    Path {table.path}\n"
    )
    return file


@pytest.fixture
def environment(tmp_path, machine, agent):
    return {
        "TOWLINE_STATE": f"{tmp_path}/state",
        "TOWLINE_PORT": "0",
        "AGENT_ADDRESS": f"127.0.0.1:{agent.port}",
        "LOGS": f"{machine.logs}",
        "DOCKER": f"{machine.docker}",
    }


def tasks(towline):
    """{(pod, its business unit): tasks}"""
    found = towline.samples(TASKS)
    assert {(have["namespace"], have["container"]) for have, _ in found} == {
        ("production", "matillion-agent")
    }
    return {(have["pod"], have[UNIT]): value for have, value in found}


def test_the_example_counts_and_finds_them_by_their_labels(
    machine, example, environment, table, run
):
    machine.write(completed(1), info("TASK_FAILED task_id=f", "ERROR"))
    machine.write("java.lang.IllegalStateException: no", "\tat a.B.c(B.java:1)")
    machine.write_docker(IDS[0], completed(1), completed(1))
    machine.write_docker(IDS[1], completed(1))
    up = run(example, environment=environment)
    want = {
        ("vm-1", "sales"): 1,
        (IDS[0], "finance"): 2,
        (IDS[1], "finance"): 1,
    }
    until_equal(lambda: tasks(up), want)
    until_equal(lambda: up.metric("app_failed_tasks_total", pod="vm-1"), 1)
    # Polled and counted are one series: no sum counts twice.
    until_equal(lambda: up.metric("app_active_task_count", pod="vm-1"), 4)
    assert [have[UNIT] for have, _ in up.samples("app_agent_state")][:1] == ["sales"]
    # A rotation, and a new start.
    machine.write(completed(1))
    os.rename(machine.log, machine.log.with_suffix(".log.1"))
    machine.write(completed(1))
    until_equal(lambda: tasks(up)["vm-1", "sales"], 3)
    up.kill()
    up = run(example, environment=environment)
    machine.write_docker(IDS[1], completed(1))
    until_equal(
        lambda: tasks(up), want | {("vm-1", "sales"): 3, (IDS[1], "finance"): 2}
    )
    table.until_count(8)
    found = [d["kubernetes"] for d in table.documents()]
    assert {(k["pod_name"], k["labels"]["app"]) for k in found} == {
        (pod, "matillion-agent") for pod in ("vm-1", *IDS)
    }
    assert found[0]["labels"].keys() == {"app", "matillion_com/business-unit"}
    assert "pod_id" not in found[0]
    up.stop()


def test_check_finds_the_example_right(environment):
    done = towline("check", "-c", EXAMPLE, env=os.environ | environment)
    assert done.returncode == 0, done.stdout


def test_an_agent_names_no_record_anew(tmp_path, config, run):
    """The option is added to a configuration that has shipped: nothing comes twice,
    and files that begin alike are not taken for one."""
    table, same = Table(tmp_path / "logs.db"), completed(1)
    for name in ("a", "b"):
        (tmp_path / f"{name}.log").write_text(f"{same}\n")
    settings = config(table.output)
    settings.inputs[0] |= {"Path": f"{tmp_path}/?.log", "Tag": "matillion.agent.x"}
    for agent in ({}, {"Agent": "n/*/agent", "Agent_Labels": "app=x"}):
        settings.filters[0] |= agent
        assert run(settings, "--exit-on-eof", wait=False).wait() == 0
        assert table.logs() == [same, same]


def test_lost_bytes_are_told_by_its_name(tmp_path, config, table, run):
    log = tmp_path / "agent.log"
    log.write_text(f"{completed(1)}\n")
    settings = config(table.output)
    settings.inputs[0] |= {"Path": log, "Tag": "matillion.agent.x"}
    settings.filters[0] |= {"Agent": "n/vm-1/c"}
    up = run(settings)
    up.until_delivered(1)
    up.kill()
    with log.open("a") as more:
        more.write(f"{completed(2)}\n" * 3)
    up = run(settings)
    table.until_count(4)
    up.kill()
    with log.open("a") as more:
        more.write("a last line that nobody reads\n")
    log.rename(tmp_path / "away")
    (tmp_path / "away").unlink()
    log.write_text(f"{completed(3)}\n")
    up = run(settings)
    until_equal(lambda: bool(up.metric("towline_lost_bytes_total", pod="vm-1")), True)
    up.stop()


def test_it_waits_for_no_api_server(tmp_path, config, table, run):
    """None knows it: its files are read at once, and miss nothing."""
    log = tmp_path / "agent.log"
    log.write_text(f"{completed(1)}\n")
    settings = config(table.output)
    settings.inputs[0] |= {"Path": log, "Tag": "matillion.agent.x"}
    settings.filters[0] |= {"Agent": "n/p/c", "Kube_URL": "http://127.0.0.1:9"}
    settings.filters[0] |= {"API_Wait": 60, "Pod_Wait": 60}
    up = run(settings)
    up.until_delivered(1, 20)
    assert up.metric("towline_pod_waits") == 0
    assert up.metric("towline_unenriched_records_total") == 0
    up.stop()


@pytest.mark.parametrize(
    "options, said",
    [
        ({"Agent": "n/p"}, "'n/p' is not NAMESPACE/POD/CONTAINER"),
        ({"Agent_Labels": "app=x"}, "Agent_Labels are of no agent"),
        ({"Agent": "n/p/c", "Agent_Labels": "=x"}, "'=x' is not KEY=VALUE"),
    ],
)
def test_what_is_wrong_is_said(config, options, said):
    settings = config({"Name": "null"})
    settings.filters[0] |= options
    done = towline("check", "-c", settings.write())
    assert done.returncode == 1 and said in done.stdout


def test_cloudwatchs_time_before_a_line_hides_json(tmp_path):
    """`aws logs tail --format short`, and the command of docs/monitoring.md that takes
    its times off."""
    page = (ROOT / "docs/monitoring.md").read_text()
    (expression,) = re.findall(r"sed -u '([^']+)'", page)
    message = "TASK_COMPLETED task_id=1 execution_time=3"
    lines = [completed(1), json.dumps({"level": "INFO", "message": message})]
    text = "".join(f"2026-11-22T08:00:00 {line}\n" for line in lines)
    done = subprocess.run(
        ["sed", "-u", expression], input=text, capture_output=True, text=True
    )
    assert done.stdout == "".join(f"{line}\n" for line in lines)
    log = tmp_path / "agent.log"
    for have, events in ((text, 1), (done.stdout, 2)):
        log.write_text(have)
        said = towline("parse", log).stdout
        assert said.count('"event":"TASK_COMPLETED"') == events, said


def test_parse_explains_whose_it_is(tmp_path, config):
    log = tmp_path / "agent.log"
    log.write_text(f"{completed(1)}\n")
    settings = config({"Name": "null"})
    settings.inputs[0] |= {"Path": log, "Tag": "matillion.agent.x"}
    for agent in ("n/*/c", None):
        settings.filters[0].pop("Agent", None)
        settings.filters[0] |= {"Agent": agent} if agent else {}
        done = towline("parse", "--explain", "-c", settings.write(), log)
        assert done.returncode == 0, done.stderr
        assert ('"pod_name":"agent"' in done.stdout) == bool(agent)
        assert ("app_completed_tasks_total + 1" in done.stdout) == bool(agent)
        assert ("Agent of [FILTER] kubernetes" in done.stdout) != bool(agent)
