"""Retry_Limit, where a server takes no request at all: each batch is given up in its
own time, into the dead letters, and the log is read on."""

import json
import socket

import pytest
from fake_server import FakeServer
from harness.wait import until

WAIT = 120


def lines(first, end):
    return [f"line {i:05d}" for i in range(first, end)]


def letters(settings):
    file = settings.folder / "state/dead-letters.ndjson"
    return [json.loads(line) for line in file.read_text().splitlines()]


def until_given_up(towline, n):
    towline.until_metric("towline_dead_letters_total", n, WAIT, reason="given_up")


def output(port, **options):
    return {"Name": "es", "Host": "127.0.0.1", "Port": port, "Retry_Limit": 2} | options


@pytest.fixture
def silent_port():
    """Connections are made there, and nothing is answered."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        yield bound.getsockname()[1]


def gives_up(port, options, node, config, run):
    settings = config(output(port, **options))
    node.container().write("line")
    towline = run(settings)
    until_given_up(towline, 1)
    said = towline.stop()

    (letter,) = letters(settings)
    assert letter["document"]["log"] == "line"
    assert letter["reason"].startswith("no answer: ")
    assert "Retry_Limit gives up 1 record: no answer" in said


@pytest.mark.parametrize(
    "options",
    [{}, {"Template": "Off"}, {"Host": "none.invalid"}],
    ids=["refused", "no template", "no name"],
)
def test_records_for_a_server_that_was_never_there_are_given_up(
    options, dead_port, node, config, run
):
    gives_up(dead_port, options, node, config, run)


@pytest.mark.parametrize(
    "options", [{"net.io_timeout": "1s"}, {"net.connect_timeout": "1s", "tls": "On"}]
)
def test_records_for_a_server_that_says_nothing_are_given_up(
    options, silent_port, node, config, run
):
    gives_up(silent_port, options, node, config, run)


def test_records_for_a_server_without_tls_are_given_up(node, config, run):
    fake = FakeServer()
    gives_up(fake.port, {"tls": "On"}, node, config, run)
    fake.close()


@pytest.mark.parametrize("status", [401, 429, 503])
def test_records_for_a_server_that_refuses_all_requests_are_given_up(
    status, node, config, run
):
    fake = FakeServer(lambda n, body: status)
    settings = config(output(fake.port))
    node.container().write("line")
    towline = run(settings)
    until_given_up(towline, 1)
    towline.stop()
    fake.close()
    assert [letter["status"] for letter in letters(settings)] == [status]


def test_it_is_ready_when_all_was_given_up_and_not_before(node, config, run):
    fake = FakeServer()
    settings = config(output(fake.port, Index="i"))
    container = node.container()
    container.write("taken")
    towline = run(settings)
    towline.until_delivered(1)
    towline.until_ready()
    fake.behave = lambda n, body: 503
    for n in 1, 2:
        container.write(f"given up {n}")
        until(lambda: towline.get("/readyz")[0] == 503, "no 503")
        assert "the server does not take requests" in towline.get("/readyz")[1]
        until_given_up(towline, n)
        towline.until_ready()
    fake.close()


def test_batches_of_an_outage_are_given_up_beside_each_other(
    own_server, node, config, run
):
    server = own_server("opensearch")
    settings = config(output(server.port, Name="opensearch", Index="logs"))
    settings.service["Batch_Size"] = "64k"
    container = node.container()
    towline = run(settings)
    container.write(*lines(0, 100))
    towline.until_delivered(100)
    server.kill()
    container.write(*lines(100, 600))  # several batches
    until_given_up(towline, 500)
    server.start()
    container.write(*lines(600, 700))
    towline.until_delivered(200, WAIT)
    towline.stop()

    found = [letter["document"]["log"] for letter in letters(settings)]
    assert sorted(found) == lines(100, 600)
    stored = [d["log"] for d in server.index("logs").documents(size=1000)]
    assert sorted(stored) == lines(0, 100) + lines(600, 700)
