"""Prometheus' and Alertmanager's own tools, and the alert rules that the project ships."""

import functools
import os
import pathlib
import subprocess

import pytest
import yaml

from .towline import ROOT

PROMETHEUS = ROOT / "conf/prometheus"
RULES = PROMETHEUS / "rules"
ALERTMANAGER = ROOT / "conf/alertmanager/alertmanager.yml"


def loaded(path):
    return yaml.safe_load(path.read_text())


def rules(kind):
    """Each rule that has the key (alert, record, expr), with its file."""
    return [
        (path, rule)
        for path in sorted(RULES.glob("*.yml"))
        for group in loaded(path)["groups"]
        for rule in group["rules"]
        if kind in rule
    ]


def alerts():
    """The alert rules, by name."""
    return {rule["alert"]: rule for _, rule in rules("alert")}


@functools.cache
def debian():
    """The directory of Debian's prometheus, promtool, prometheus-alertmanager, amtool."""
    tool = ROOT / "tests/servers/prometheus"
    return pathlib.Path(subprocess.check_output([tool], text=True).strip())


def newest(program):
    """Prometheus 3's, where it was built: that takes minutes, and is the audit's."""
    tool = ROOT / "tests/servers/prometheus3"
    only = os.environ | {"CACHED_ONLY": "1"}
    done = subprocess.run(
        [tool, program], env=only, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"tests/servers/prometheus3 {program} has not been run")
    return pathlib.Path(done.stdout.strip())


def ran(*command):
    """What a tool says, and whether it found nothing wrong."""
    done = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False
    )
    return done.returncode == 0, done.stdout + done.stderr


def said(*command):
    """What a tool says that finds nothing wrong."""
    good, text = ran(*command)
    assert good, text
    return text.strip()
