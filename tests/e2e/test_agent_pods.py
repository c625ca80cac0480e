"""Which pods are agents: under their older name and their newer one, of any
release, and no script runner.  The others that our own configuration reads are
shipped and not counted."""

import re

import pytest
from harness.node import completed
from harness.towline import ROOT, towline
from harness.wait import until_equal

AGENTS = {
    "matillion-agent-app-5d9c7": "matillion-agent-pods",
    "matillion-runner-app-7f6b8": "matillion-runner-pods",
    "west-matillion-runner-app-9cc4d": "west-matillion-runner-pods",
}
OTHERS = {
    "matillion-runner-script-runner-0": "script-runner",
    "matillion-runner-app-0": "metrics-exporter",
}


@pytest.fixture
def conf(node):
    """The Path of conf/towline.conf, below the test's own folder."""
    text = (ROOT / "conf/towline.conf").read_text()
    path = re.search(r"^ +Path +(.+)$", text, re.MULTILINE)[1]
    return {"Path": path.replace("/var/log", str(node.root))}


@pytest.fixture
def containers(node):
    """One that both names of Path find, each with a line of its pod's name."""
    made = {
        pod: node.container(pod, name, namespace="matillion-runner")
        for pod, name in (AGENTS | OTHERS).items()
    }
    made["coredns-0"] = node.container("coredns-0", "coredns", "kube-system")
    for pod, container in made.items():
        container.write(completed(1, pipeline=pod))
    return made


def test_agents_of_both_names_are_counted(containers, conf, settings, table, run):
    settings.inputs[0] |= conf
    started = run(settings)
    table.until_count(len(AGENTS) + len(OTHERS))
    counted = dict.fromkeys(AGENTS, 1)
    until_equal(lambda: started.by("app_completed_tasks_total", "pod"), counted)
    agents = {labels["pod"] for labels, _ in started.samples("app_agent_status")}
    assert agents == set(AGENTS)
    started.until_metric("towline_records_total", len(AGENTS) + len(OTHERS))


def test_the_names_may_be_others(containers, settings, table, run):
    settings.service["Agent_Pods"] = "coredns-*, matillion-runner-*"
    settings.service["Agent_Exclude_Pods"] = "*-app-*"
    started = run(settings)
    table.until_count(len(containers))
    counted = {"coredns-0": 1, "matillion-runner-script-runner-0": 1}
    until_equal(lambda: started.by("app_completed_tasks_total", "pod"), counted)


def test_parse_explains_who_is_counted(containers):
    for pod, container in containers.items():
        said = towline("parse", "--explain", container.log).stdout
        assert ("app_completed_tasks_total + 1" in said) == (pod in AGENTS), said
        assert ("Agent_Exclude_*" in said) == (pod not in AGENTS), said
