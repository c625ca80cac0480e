"""Outputs that differ: each has records of its own, and waits for no other."""

import json
import re

import pytest
from harness.table import Table
from harness.towline import towline
from harness.wait import until_equal


def lines(first, end):
    return [f"line {i:05d}" for i in range(first, end)]


def documents(table):
    return sorted(d["log"] for d in table.documents())


def test_one_output_is_down_and_two_others_have_all(
    node, config, run, sinks, table, dead_port
):
    """Each in its own shape; with a restart and a kill while it is down."""
    a, b = sinks(), sinks()
    settings = config(
        a.output(Index="first", Alias="first"),
        a.output(Alias="down", Time_Key="when", HTTP_User="u", HTTP_Passwd="p")
        | {"Port": dead_port},
        b.output(Logstash_Format="On", Write_Operation="index", Alias="third"),
        table.output,
    )
    settings.service["Grace"] = 0.5
    container = node.container()
    running = run(settings)
    for i in range(5):
        container.write(*lines(i * 2000, (i + 1) * 2000))
        container.rotate()
        until_equal(a.exact, (i + 1) * 2000)
        until_equal(b.exact, (i + 1) * 2000)
        until_equal(table.count, (i + 1) * 2000)
    running.until_metric("towline_records_total", 10000)
    running.until_metric("towline_output_lag_bytes", 0, output="first")
    assert running.metric("towline_output_lag_bytes", output="down") > 10000 * 50
    assert running.metric("towline_retries_total", output="down") > 0
    assert running.metric("towline_retries_total", output="first") == 0
    want = {"first": False, "down": True, "third": False, "sqlite.0": False}
    until_equal(lambda: behind(settings), want)
    running.stop()
    running = run(settings)
    container.write(*lines(10000, 12000))
    until_equal(a.exact, 12000)
    running.kill()
    running = run(settings)
    container.write(*lines(12000, 13000))
    until_equal(a.different, 13000)
    until_equal(b.different, 13000)
    until_equal(table.count, 13000)
    down = sinks()
    settings.outputs[1]["Port"] = down.port
    running.stop()
    running = run(settings)
    until_equal(down.exact, 13000)
    running.until_metric("towline_records_total", 13000)
    assert documents(table) == lines(0, 13000)
    running.stop()
    assert "WARN" not in running.said() and "lost" not in running.said()


@pytest.mark.parametrize("left", [["b", "a"], ["b"]])
def test_an_output_at_another_place_keeps_its_cursors(node, config, run, sinks, left):
    """Without an Alias it is known by its place: another order, or the first is gone."""
    a, b = sinks(), sinks()
    settings = config(a.output(Index="a"), b.output(Index="b"))
    settings.service["Grace"] = 0.5
    container = node.container()
    running = run(settings)
    container.write(*lines(0, 100))
    until_equal(lambda: (a.exact(), b.exact()), (100, 100))
    running.until_delivered(200)  # it has heard so, too
    b.end()
    container.write(*lines(100, 200))
    until_equal(a.exact, 200)
    running.stop()
    b = sinks(b.port)
    settings.outputs = [o for i in left for o in settings.outputs if o["Index"] == i]
    for _ in range(2):  # it keeps its name at the next start
        running = run(settings)
        until_equal(b.exact, 100)
        running.stop()
    assert len(re.findall("output es.0 is the one that was es.1", running.said())) == 2
    running = run(settings)
    container.write(*lines(200, 210))
    until_equal(b.exact, 110)
    until_equal(a.exact, 210 if "a" in left else 200)
    running.stop()


def behind(settings):
    """Which outputs have not all: of `towline status`."""
    result = towline("status", "--json", "-c", settings.write())
    lag = {}
    for row in json.loads(result.stdout):
        for name, of in row["outputs"].items():
            lag[name] = lag.get(name, 0) + of["lag"]
    return {name: n > 0 for name, n in lag.items()}


def test_an_output_that_comes_back_catches_up_alone(node, config, run, sinks):
    a, b = sinks(), sinks()
    port = b.port
    container = node.container()
    running = run(config(a.output(Index="x"), b.output(Index="y")))
    container.write(*lines(0, 3000))
    until_equal(b.exact, 3000)
    running.until_metric("towline_delivered_total", 3000, output="es.1")
    b.end()
    container.write(*lines(3000, 60000))
    until_equal(a.exact, 60000)
    b = sinks(port)
    until_equal(b.different, 57000)
    running.until_metric("towline_lag_bytes", 0)
    assert a.exact() == 60000
    running.until_metric("towline_records_total", 60000)
    running.stop()


def test_each_output_has_what_it_matches(node, config, run, tmp_path):
    """Every record is counted once, whoever reads it; null is shown the first lane's."""
    tables = [Table(tmp_path / f"{i}.db") for i in range(2)]
    settings = config(
        *(t.output | {"Match": f"{m}.*"} for t, m in zip(tables, "ab", strict=True)),
        {"Name": "null", "Match": "c.*", "Alias": "shown"},
    )
    settings.filters[0]["Match"] = "*"
    tail = settings.inputs.pop()
    for letter in "abc":
        path = f"{node.link_root}/containers/{letter}*.log"
        settings.inputs.append(tail | {"Path": path, "Tag": f"{letter}.*"})
    for i, letter in enumerate("abc"):
        node.container(pod=f"{letter}-1").write(*lines(i * 100, (i + 1) * 100))
    running = run(settings)
    running.until_metric("towline_lag_bytes", 0)
    running.until_metric("towline_records_total", 300)
    running.until_metric("towline_delivered_total", 100, output="shown")
    running.stop()
    assert [documents(t) for t in tables] == [lines(0, 100), lines(100, 200)]


def test_outputs_come_and_go(node, config, run, sinks, tmp_path):
    """A new one begins where the first one stands; one that is gone is said."""
    first, second = Table(tmp_path / "1.db"), Table(tmp_path / "2.db")
    container = node.container()
    container.write(*lines(0, 100))
    settings = config(first.output)
    assert run(settings, "--exit-on-eof", wait=False).wait() == 0
    settings.outputs.append(settings.outputs[0] | second.output)
    container.write(*lines(100, 200))
    assert run(settings, "--exit-on-eof", wait=False).wait() == 0
    assert documents(first) == lines(0, 200)
    assert documents(second) == lines(100, 200)
    del settings.outputs[1]
    running = run(settings, "--exit-on-eof", wait=False)
    assert running.wait() == 0
    assert "no output is called 'sqlite.1' any more" in running.said()
    settings.outputs[0]["Alias"] = "count"  # what the state calls its own cursors
    container.write(*lines(200, 300))
    running = run(settings, "--exit-on-eof", wait=False)
    assert running.wait() == 0
    assert running.said().count("any more") == 1
    assert documents(first) == lines(0, 300)


def test_there_may_be_sixteen(node, config, run, sinks):
    sink = sinks()
    settings = config(*(sink.output(Index=f"i{i}") for i in range(16)))
    settings.outputs += [{"Name": "null", "Match": "*"}]
    node.container().write(*lines(0, 1000))
    running = run(settings, "--exit-on-eof", wait=False)
    assert running.wait() == 0
    assert sink.total()["documents"] == 16000
    settings.outputs.append(settings.outputs[0] | {"Index": "one-more"})
    result = towline("check", "-c", settings.write())
    assert result.returncode == 1
    assert (
        "more than 16 outputs beside stdout and null" in result.stdout + result.stderr
    )
