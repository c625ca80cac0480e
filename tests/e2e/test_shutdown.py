"""How it ends: SIGTERM drains, a second instance is refused, nothing is lost."""

import contextlib
import os
import signal
import threading

import pytest
from harness.wait import until


def test_sigterm_delivers_what_was_read(index, es, config, node, run):
    settings = config(es)
    settings.service["Grace"] = 60  # all of it, however busy the machine is
    container = node.container()
    towline = run(settings)
    container.write(*(f"line {i:06d}" for i in range(50000)))
    until(lambda: towline.metric("towline_records_total") > 0, "nothing read")
    towline.stop()
    shipped = index.count()
    assert shipped > 0
    logs = sorted(d["log"] for d in index.documents(size=10000))
    assert logs == [f"line {i:06d}" for i in range(len(logs))]

    towline = run(settings)  # goes on; the rest, and nothing twice
    until(lambda: index.count() == 50000, lambda: index.count())
    towline.stop()
    assert index.count() == 50000


def test_sigterm_ends_it_when_the_server_is_away(table, config, node, run):
    settings = config({"Name": "es", "Host": "127.0.0.1", "Port": 1, "Index": "x"})
    settings.service["Grace"] = 1
    node.container().write("line")
    towline = run(settings)
    towline.until_metric("towline_records_total", 1)
    assert "1 records were not delivered" in towline.stop(20)


def test_a_second_sigterm_ends_it_at_once(table, config, node, run):
    """What was not delivered by then is read again at the next start."""
    settings = config(table.output)
    settings.service["Grace"] = 600
    container = node.container()
    towline = run(settings)
    container.write(*(f"line {i:05d}" for i in range(2000)))
    table.until_count(2000)
    with table.locked():
        container.write(*(f"line {i:05d}" for i in range(2000, 5000)))
        towline.until_metric("towline_records_total", 5000)
        towline.process.send_signal(signal.SIGTERM)
        towline.until_said("no more reading")
        assert towline.process.poll() is None
        towline.process.send_signal(signal.SIGTERM)
        assert towline.wait() == -signal.SIGTERM  # Grace is ten minutes
    towline = run(settings)
    table.until_count(5000)
    towline.until_metric("towline_records_total", 5000)
    towline.stop()
    assert table.logs() == [f"line {i:05d}" for i in range(5000)]


def test_a_record_that_is_still_open_is_shipped_at_the_end(table, config, node, run):
    container = node.container()
    towline = run(config(table.output))
    container.write("first")
    table.until_count(1)
    container.write(
        "2026-11-22 08:00:00.001 ERROR [main] c.m.A - failed", "a.b.CException: no"
    )
    towline.until_metric("towline_lines_total", 3)
    towline.stop()
    run(config(table.output), "--exit-on-eof", wait=False).wait()
    assert table.count() == 2 and table.logs()[0].endswith("failed\na.b.CException: no")


def test_a_second_instance_on_the_same_state_is_refused(table, config, node, run):
    settings = config(table.output)
    towline = run(settings)
    second = run(settings, wait=False)
    assert second.wait() == 3
    assert "state" in second.said()
    node.container().write("line")
    table.until_count(1)
    towline.stop()


def test_killed_and_started_again_nothing_is_lost_or_twice(table, config, node, run):
    container = node.container()
    settings = config(table.output)
    for i in range(3):
        towline = run(settings)
        container.write(*(f"line {j:05d}" for j in range(i * 3000, (i + 1) * 3000)))
        until(lambda n=i: table.count() > n * 3000, "nothing shipped")
        towline.process.send_signal(signal.SIGKILL)
        towline.kill()
    run(settings, "--exit-on-eof", wait=False).wait()
    assert table.logs() == [f"line {i:05d}" for i in range(9000)]


IGNORED = ["IO", "PIPE", "USR1", "USR2", "ALRM", "QUIT", "VTALRM", "PROF", "XFSZ"]


@pytest.mark.parametrize("name", [*IGNORED, "RTMIN", "RTMAX"])
def test_a_signal_of_no_meaning_does_not_end_it(table, settings, node, run, name):
    container = node.container()
    towline = run(settings)
    towline.process.send_signal(getattr(signal, f"SIG{name}"))
    container.write("line")
    table.until_count(1)
    towline.stop()


def test_whoever_opens_rotated_files_for_writing_does_not_end_it(
    table, settings, node, run
):
    """The opening breaks a read lease, when there is one just then (SIGIO)."""
    container = node.container()
    towline = run(settings)
    over = threading.Event()

    def opens():
        while not over.is_set():
            for file in container.folder.iterdir():
                with contextlib.suppress(FileNotFoundError):  # renamed just now
                    os.close(os.open(file, os.O_WRONLY | os.O_APPEND))

    openers = [threading.Thread(target=opens) for _ in range(4)]
    for opener in openers:
        opener.start()
    try:
        for i in range(20):
            container.write(f"line {i:02d}")
            table.until_count(i + 1)
            container.rotate()
    finally:
        over.set()
        for opener in openers:
            opener.join()
    towline.stop()
    assert table.logs() == [f"line {i:02d}" for i in range(20)]
