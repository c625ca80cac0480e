"""How each container runtime writes and rotates, step by step; every line once."""

import json
import time

import pytest
from harness.table import Table


@pytest.fixture
def table(tmp_path):
    return Table(tmp_path / "logs.db")


def lines(first, end):
    return [f"line {i:05d}" for i in range(first, end)]


# ---- Docker's json-file driver


def docker(text, side="stdout"):
    """One line of json-file; Go's encoder escapes what HTML would read."""
    now = time.time_ns()
    second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9))
    entry = {"log": text, "stream": side, "time": f"{second}.{now % 10**9:09d}Z"}
    line = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&":
        line = line.replace(sign, f"\\u{ord(sign):04x}")
    return (line + "\n").encode()


@pytest.fixture
def docker_config(config, table):
    made = config(table.output)
    made.inputs[0]["Parser"] = "docker"
    return made


def test_docker_lines_are_joined_and_unescaped(node, table, run, docker_config):
    towline = run(docker_config)
    container = node.container()
    container.raw(
        docker('say "<hi>"\t\\n\n') + docker("left ") + docker("err\n", "stderr")
    )
    container.raw(docker("right\n"))
    trace = ["java.lang.IllegalStateException: shut", "\tat c.m.A.<init>(A.java:1)"]
    for line in trace:
        container.raw(docker(line + "\n"))
    container.raw(docker("after\n") + docker("one\ntwo\n"))
    want = ['say "<hi>"\t\\n', "err", "\n".join(["left right", *trace]), "after"]
    want.append("one\ntwo")
    table.until_count(len(want))
    assert table.logs() == sorted(want)
    sides = {d["log"]: d["stream"] for d in table.documents()}
    assert sides["err"] == "stderr"
    assert sides["after"] == "stdout"
    assert towline.metric("towline_parse_failures_total") == 0
    towline.stop()
