"""towline status: cursors and lag by file, while it runs and after."""

import json

from harness.node import info
from harness.table import Table
from harness.towline import towline as command
from harness.wait import until


def status(settings, *arguments):
    done = command("status", "-c", settings.write(), "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return {row.pop("path"): row for row in json.loads(done.stdout)}


def test_cursors_and_lag_by_file(tmp_path, config, node, run):
    table = Table(tmp_path / "logs.db")
    settings = config(table.output)
    one, two = node.container(pod="a-1"), node.container(pod="a-2")
    one.write(*(info(f"line {i}") for i in range(100)))
    two.write(info("alone"))
    size = one.log.stat().st_size
    towline = run(settings)
    table.until_count(101)
    done = {"lag": 0, "size": size, "shipped": size, "counted": size, "open": True}
    until(
        lambda: status(settings).get(str(one.link)) == done,
        lambda: status(settings),
    )
    assert set(status(settings)) == {str(one.link), str(two.link)}
    towline.stop()
    one.write("more")
    assert status(settings) == {}
    assert status(settings, "--all")[str(one.link)]["shipped"] == size
    table_form = command("status", "--all", "--state", settings.service["State_Path"])
    assert "2 files" in table_form.stdout and str(one.link) in table_form.stdout


def test_without_a_state_it_says_so(tmp_path):
    done = command("status", "--state", tmp_path / "nothing")
    assert done.returncode == 1 and "nothing/state.db" in done.stderr
