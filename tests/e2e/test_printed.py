"""No log line, name or server's text commands the terminal that shows it; what a
command could not print is no success."""

import json
import re
import subprocess

import pytest
from fake_server import FakeServer
from harness.towline import BINARY, section, towline

EVIL = "\x1b[31mred\x1b]0;t\x07 \u009b31m \u202e rev \u2066 \x7f \r"
BAD = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def shown(done, codes):
    assert done.returncode in codes, done.stderr
    assert not BAD.search(done.stdout + done.stderr)
    return done.stdout + done.stderr


@pytest.fixture
def evil(tmp_path):
    """A log of hostile lines, under a hostile name."""
    log = tmp_path / "\x1b[31mname\u009b.log"
    log.write_text(
        f"2026-11-22T08:00:00Z stdout F x {EVIL}\n"
        "2026-11-22T08:00:00Z stdout F 2026-11-22 08:00:00.1 ERROR [t] a.B - "
        f"java.lang.Evil\u009b5m: {EVIL}\n"
    )
    return log


def test_lines_and_names(evil):
    lines = shown(towline("parse", evil), [0]).splitlines()
    assert "\u009b31m \u202e rev \u2066 \x7f" in json.loads(lines[0])["log"]
    assert "\\xc2\\x9b5m" in shown(towline("parse", "--explain", evil), [0])
    assert "\\xc2\\x9b" in shown(towline("parse", f"{evil}.none"), [1])
    assert "\\xc2\\x9b" in shown(towline("check", "-c", evil), [1])


@pytest.mark.parametrize("status", [200, 400])
def test_a_servers_text(tmp_path, status):
    bucket = {"key": EVIL, "doc_count": 5, "first": {"value_as_string": EVIL}}
    answer = {
        "hits": {"total": {"value": 5}, "hits": [{"_source": {"log": EVIL}}]},
        "aggregations": {"error_types": {"buckets": [bucket]}},
        "error": {"type": EVIL, "reason": EVIL},
    }
    fake = FakeServer()
    fake.search = status, json.dumps(answer).encode()
    conf = tmp_path / "t.conf"
    tail = {"Name": "tail", "Path": f"{tmp_path}/none.log", "Tag": "t"}
    conf.write_text(
        section("INPUT", **tail) + section("OUTPUT", **fake.output, Match="*")
    )
    said = ""
    for what in ["errors"], ["errors", "--json"], ["performance"]:
        said += shown(towline("report", *what, "-c", conf), [0, 1])
    assert "red" in said
    fake.close()


@pytest.mark.parametrize("what", ["template", "lifecycle", "queries", "dashboards"])
def test_a_full_disk(what):
    for command in ["setup", "--print", what], ["help"], ["version"]:
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [BINARY, *command], stdout=full, stderr=subprocess.PIPE
            )
        assert done.returncode == 1, command
        assert b"standard output could not be written" in done.stderr
