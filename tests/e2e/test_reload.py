"""SIGHUP: another configuration, checked first; no record lost or twice over it."""

import signal
import socket
import time

import pytest
from harness.node import completed, info
from harness.table import Table
from harness.wait import until


def hup(towline):
    towline.process.send_signal(signal.SIGHUP)


def reload(towline):
    """Its address, when it listens again."""
    towline.seen = len(towline.said())
    hup(towline)
    match = until(towline.listens, towline.said, 30)
    towline.address = match[1].strip("[]"), int(match[2])


def test_a_right_configuration_is_gone_on_with(table, tmp_path, config, node, run):
    container = node.container()
    other = Table(tmp_path / "other.db")
    towline = run(config(table.output))
    container.write(*(completed(1) for _ in range(500)))
    table.until_count(500)
    config(other.output).write()
    reload(towline)
    container.write(*(completed(1) for _ in range(500)))
    other.until_count(500)
    assert table.count() == 500
    towline.until_metric("app_completed_tasks_total", 1000)
    towline.until_metric("towline_records_total", 1000)
    towline.stop()


def test_in_mid_flow_nothing_is_lost_or_twice(table, config, node, run):
    container = node.container()
    settings = config(table.output)
    towline = run(settings)
    wrote = []
    for round in range(6):
        settings.service["Flush"] = f"0.{round + 1}"
        settings.write()
        for i in range(40):
            lines = [info(f"line {round} {i} {j}") for j in range(50)]
            container.write(*lines)
            wrote += lines
            if i == 20:
                hup(towline)
            time.sleep(0.01)
    towline.seen = 0
    table.until_count(len(wrote))
    assert table.logs() == sorted(wrote)
    towline.until_said("(?s)(right; delivering.*){2}")
    towline.stop()
    assert table.count() == len(wrote)


def test_a_wrong_one_is_refused_whole_with_its_reasons(table, config, node, run):
    container = node.container()
    settings = config(table.output)
    towline = run(settings)
    wrong = "\n[OUTPUT]\n    Name nul\n[INPUT]\n    Name tial\n"
    towline.file.write_text(settings.text() + wrong)
    hup(towline)
    towline.until_said("going on with the one before")
    assert "'nul'" in towline.said() and "'tial'" in towline.said()
    towline.until_metric("towline_config_reload_failed_total", 1)
    container.write(info("still here"))
    table.until_count(1)
    towline.stop()


@pytest.fixture(params=["State_Path", "HTTP_Port"])
def unusable(request, tmp_path):
    """An option of [SERVICE] that `check` takes, and that stops a start: no directory, a port in use."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        values = {"State_Path": tmp_path / "file", "HTTP_Port": taken.getsockname()[1]}
        values["State_Path"].write_text("")
        yield request.param, values[request.param]


def test_one_that_does_not_start_is_refused(table, config, node, run, unusable):
    container = node.container()
    settings = config(table.output)
    towline = run(settings)
    wrong = config(table.output)
    option, value = unusable
    wrong.service[option] = value
    wrong.write()
    reload(towline)
    towline.until_said("does not start, see above: going on with the one before")
    towline.until_metric("towline_config_reload_failed_total", 1)
    container.write(info("still here"))
    table.until_count(1)
    towline.stop()
