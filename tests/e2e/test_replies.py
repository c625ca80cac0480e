"""Answers that go wrong: resets, trickles, refusals of size, nonsense.  Every
document is stored once, whatever the server did."""

import json

import pytest
from fake_server import FakeServer, items_in
from harness.towline import towline as command
from harness.wait import until

LINES = [f"line {i:05d}" for i in range(3000)]


@pytest.fixture
def fake():
    made = []

    def start(behave):
        made.append(FakeServer(behave))
        return made[-1]

    yield start
    for server in made:
        server.close()


def ship(fake, behave, node, config, run, lines=LINES):
    server = fake(behave)
    node.container().write(*lines)
    towline = run(config(server.output))
    towline.until_delivered(len(lines))
    assert towline.metric("towline_dead_letters_total") == 0
    towline.stop()
    assert server.logs() == lines
    return server


@pytest.mark.parametrize("how", ["reset", "cut", "garbage", 429, 503, 502, 403, 401])
def test_a_bad_answer_is_asked_again(how, fake, node, config, run):
    server = ship(fake, lambda n, _: how if n == 1 else None, node, config, run)
    stored_but_unheard = how in ("cut", "garbage")
    assert (server.conflicts > 0) == stored_but_unheard


@pytest.mark.parametrize("ends", ["answered", "killed"])
def test_the_cursor_keeps_the_files_order_whatever_order_answers_have(
    ends, fake, node, config, run
):
    """The first batch's answer comes last; by then all the others' are there."""
    lines = [f"line {i:05d} " + "x" * 300 for i in range(12000)]
    server = fake(lambda _, body: "late" if b"line 00000 " in body else None)
    container = node.container()
    container.write(*lines[::2])
    container.write(*lines[1::2], side="stderr")
    settings = config(server.output)
    towline = run(settings)
    until(lambda: server.logs() == lines, lambda: len(server.logs()))
    towline.until_metric("towline_records_total", len(lines))
    delivered = towline.metric("towline_delivered_total")
    assert 0 < delivered < len(lines)
    assert shipped(settings, container) == 0
    if ends == "killed":
        towline.kill()
    server.late.set()
    if ends == "killed":
        towline = run(settings)
    # To the end of stdout's last record; behind it everything is stderr's.
    until(lambda: shipped(settings, container) > 0, "not shipped")
    # Of a killed one stdout comes again; stderr as far as its cursor was not on disk.
    if ends == "killed":
        until(lambda: server.conflicts >= 6000, lambda: server.conflicts)
    else:
        assert server.conflicts == 0
    assert towline.metric("towline_records_total") == len(lines)
    towline.stop()
    assert server.logs() == lines


def shipped(settings, container):
    done = command("status", "-c", settings.write(), "--json")
    rows = {row["path"]: row for row in json.loads(done.stdout)}
    return rows.get(str(container.link), {"shipped": 0})["shipped"]


def test_an_answer_that_trickles_is_read_whole(fake, node, config, run):
    ship(fake, lambda n, _: "trickle", node, config, run)


def test_413_halves_the_batch_until_it_fits(fake, node, config, run):
    def behave(n, body):
        return 413 if len(body) > 20000 else None

    server = ship(fake, behave, node, config, run)
    assert max(server.sizes) > 20000 and server.conflicts == 0


def test_a_document_too_large_is_a_dead_letter_and_the_others_go_on(
    fake, node, config, run
):
    server = fake(lambda n, body: 413 if len(body) > 20000 else None)
    container = node.container()
    container.write(*LINES[:100], "x" * 30000, *LINES[100:200])
    towline = run(config(server.output))
    towline.until_delivered(200)
    container.write(LINES[200])  # that this one is taken proves it
    towline.until_metric("towline_dead_letters_total", 1)
    towline.until_delivered(201)
    towline.stop()
    assert server.logs() == LINES[:201]


def test_a_whole_request_400_is_bisected(fake, node, config, run):
    """A server that refuses a request for one item in it."""

    def behave(n, body):
        return 400 if b"line 00077" in body and items_in(body) > 1 else None

    ship(fake, behave, node, config, run, LINES[:200])


def test_gzip_bodies(fake, node, config, run):
    server = fake(lambda n, _: None)
    node.container().write(*LINES)
    towline = run(config(server.output | {"Compress": "gzip"}))
    towline.until_delivered(len(LINES))
    towline.stop()
    assert server.logs() == LINES
