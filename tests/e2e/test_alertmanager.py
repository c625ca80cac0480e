"""conf/alertmanager/alertmanager.yml by amtool: whom an alert reaches."""

import re

import pytest
from harness.alerting import ALERTMANAGER, alerts, debian, loaded, said

ALERTS = alerts()
CONFIG = loaded(ALERTMANAGER)


@pytest.fixture(scope="session")
def amtool():
    return debian() / "amtool"


def receiver(amtool, **labels):
    route = [f"{name}={value}" for name, value in labels.items()]
    config = f"--config.file={ALERTMANAGER}"
    return said(amtool, "config", "routes", "test", config, *route).split("\n")[0]


def test_amtool_accepts_it(amtool):
    assert "SUCCESS" in said(amtool, "check-config", ALERTMANAGER)


# By severity and component; what has labels of its own is below.
WHO = {
    ("critical", "agent"): "on-call",
    ("critical", "towline"): "platform-on-call",
    ("warning", "agent"): "team",
    ("warning", "towline"): "platform",
    ("info", "agent"): "digest",
    ("info", "towline"): "digest",
}


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_reaches_who_its_severity_and_component_say(amtool, alert):
    labels = ALERTS[alert]["labels"]
    who = WHO[labels["severity"], labels["component"]]
    assert receiver(amtool, alertname=alert, namespace="m", **labels) == who


@pytest.mark.parametrize(
    ("labels", "who"),
    [
        ({"severity": "warning", "pipeline": "load_orders"}, "pipelines"),
        ({"severity": "warning", "pipeline": "finance_close"}, "finance"),
        ({"severity": "critical", "pipeline": "finance_close"}, "on-call"),
        ({"severity": "warning", "pipeline": ""}, "team"),
        ({"severity": "warning", "matillion_com_business_unit": "finance"}, "finance"),
        ({"severity": "warning", "matillion_com_business_unit": "retail"}, "team"),
        ({"severity": "info", "matillion_com_business_unit": "finance"}, "digest"),
        ({}, "team"),
    ],
)
def test_a_pipeline_and_a_business_unit_have_receivers(amtool, labels, who):
    assert receiver(amtool, component="agent", **labels) == who


def test_each_receiver_has_a_route_and_a_place_to_send_to(amtool):
    tree = said(amtool, "config", "routes", "show", f"--config.file={ALERTMANAGER}")
    routed = set(re.findall(r"receiver: (\S+)", tree))
    made = {r["name"] for r in CONFIG["receivers"] if set(r) - {"name"}}
    assert routed == made


def names(matchers):
    """The alerts that matchers on alertname take; None without one."""
    taken = None
    for matcher in matchers:
        name, operator, value = re.fullmatch(
            r'(\w+)(=~|!~|!=|=)"(.*)"', matcher
        ).groups()
        if name != "alertname":
            continue
        text = value if "~" in operator else re.escape(value)
        found = {alert for alert in ALERTS if re.fullmatch(text, alert)}
        assert found, f"{matcher} names no alert"
        if "~" in operator and "|" in value:
            for part in re.sub(r"\(.*\)", "", value).split("|"):
                assert any(alert.startswith(part.strip(".+")) for alert in ALERTS), part
        found = set(ALERTS) - found if "!" in operator else found
        taken = found if taken is None else taken & found
    return taken


def test_inhibitions_name_alerts_that_exist():
    for rule in CONFIG["inhibit_rules"]:
        sources = names(rule["source_matchers"])
        targets = names(rule["target_matchers"])
        assert sources
        assert not (targets or set()) & sources, "an alert silences its own kind"
        assert "cluster" in rule["equal"]
