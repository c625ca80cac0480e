"""What happens to one of several outputs happens to no other."""

import json
import random

from harness.table import Table
from harness.towline import towline
from harness.wait import until, until_equal
from test_outputs import behind, documents, lines


def tables(tmp_path, n):
    return [Table(tmp_path / f"{i}.db") for i in range(n)]


def test_three_outputs_are_exact_over_kills_at_any_point(node, config, run, tmp_path):
    """At different places: one of them takes nothing in every second life."""
    chance = random.Random(13)
    each = tables(tmp_path, 3)
    settings = config(*(t.output | {"Alias": f"o{i}"} for i, t in enumerate(each)))
    container, n = node.container(), 0
    for life in range(8):
        running = run(settings)
        shut = each[life % 3] if life % 2 else None
        open_ones = [t for t in each if t is not shut]
        if shut is not None:
            until(lambda t=shut: t.path.exists(), "no table")
            with shut.locked():
                for _ in range(3):
                    container.write(*lines(n, n + 400))
                    container.rotate()
                    n += 400
                want = n - chance.randrange(400)
                until(
                    lambda ts=open_ones, w=want: all(t.count() >= w for t in ts),
                    "the others have not got their records",
                )
                running.kill()
            continue
        container.write(*lines(n, n + 1000))
        n += 1000
        want = n - chance.randrange(1000)
        until(lambda w=want: each[life % 3].count() >= w, "no records")
        running.kill()
    running = run(settings)
    for table in each:
        until_equal(table.count, n)
    running.until_metric("towline_records_total", n)
    running.until_metric("towline_lag_bytes", 0)
    assert all(documents(t) == lines(0, n) for t in each)
    until_equal(lambda: behind(settings), {f"o{i}": False for i in range(3)})
    running.stop()


def test_what_retention_took_is_lost_for_the_output_that_was_down(
    node, config, run, sinks, tmp_path, dead_port
):
    """Deleted while nothing runs, so that no descriptor keeps it."""
    table, sink = tables(tmp_path, 1)[0], sinks()
    settings = config(
        table.output | {"Alias": "well"},
        sink.output(Alias="down") | {"Port": dead_port},
    )
    settings.service["Grace"] = 0.5
    container = node.container()
    container.write(*lines(0, 1000))
    running = run(settings)
    until_equal(table.count, 1000)
    first = container.rotate()
    container.write(*lines(1000, 2000))
    until_equal(table.count, 2000)
    running.stop()
    first.unlink()
    settings.outputs[1]["Port"] = sink.port
    running = run(settings)
    until_equal(sink.exact, 1000)
    running.until_said("bytes are lost for the output down")
    running.until_metric("towline_lag_bytes", 0)
    assert "lost for the output well" not in running.said()
    assert documents(table) == lines(0, 2000)
    running.stop()


def apart(settings):
    """In how many logs each output is behind another: of `towline status`."""
    rows = json.loads(towline("status", "--json", "-c", settings.write()).stdout)
    return {name: of["logs_apart"] for name, of in rows[0]["outputs"].items()}


def test_logs_that_an_output_reads_by_itself_are_shown(node, config, run, sinks):
    """Of two that share all reading the one that is down, until it has caught up."""
    well, down = sinks(), sinks()
    settings = config(
        well.output(Index="x", Alias="well"), down.output(Index="y", Alias="down")
    )
    containers = [node.container(pod=f"agent-{i}") for i in range(2)]
    running = run(settings)

    def shown():
        names = "well", "down"
        metric = "towline_output_logs_apart"
        return {name: running.metric(metric, output=name) for name in names}

    for container in containers:
        container.write(*lines(0, 1000))
    until_equal(down.exact, 2000)
    until_equal(shown, {"well": 0, "down": 0})
    down.end()
    for container in containers:
        container.write(*lines(1000, 40000))
    until_equal(well.exact, 80000)
    until(lambda: shown()["down"] > 0 and shown()["well"] == 0, shown)
    until(lambda: apart(settings) == shown(), lambda: (apart(settings), shown()))

    def said():
        lines = towline("status", "-c", settings.write()).stdout.splitlines()
        return sorted(line.partition("output ")[2] for line in lines[-2:])

    def as_shown():
        n = shown()["down"]
        return [f"down; logs that it reads by itself: {n:.0f}", "well"]

    until(lambda: said() == as_shown(), lambda: (said(), as_shown()))
    running.kill()
    running = run(settings)
    until(lambda: shown()["down"] > 0 and shown()["well"] == 0, shown)
    sinks(down.port)
    running.until_metric("towline_lag_bytes", 0)
    until_equal(shown, {"well": 0, "down": 0})
    until_equal(lambda: apart(settings), {"well": 0, "down": 0})
    running.stop()
