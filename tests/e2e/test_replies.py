"""Answers that go wrong: resets, trickles, refusals of size, nonsense.  Every
document is stored once, whatever the server did."""

import pytest
from fake_server import FakeServer, items_in

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
