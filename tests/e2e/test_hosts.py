"""Several hosts of one output: one that is killed or hangs stalls none, and
nothing is lost or comes twice."""

import json

import pytest
from harness.node import completed
from harness.relay import Relay
from harness.towline import towline
from harness.wait import until


@pytest.fixture
def relay(server):
    made = Relay(server.port)
    yield made
    made.kill()


def lines(first, end):
    return [f"line {i:05d}" for i in range(first, end)]


def in_pieces(container, towline, first, end, step=200):
    """Lines as they come while a server works; each is delivered soon."""
    for i in range(first, end, step):
        container.write(*lines(i, i + step))
        towline.until_delivered(i + step)


def until_probed(container, towline, at):
    """Lines one by one until a host that failed is well; the number of the next."""
    while "takes requests again" not in towline.said():
        assert at < 10000
        container.write(*lines(at, at + 1))
        at += 1
        towline.until_delivered(at)
    return at


def retried(towline):
    return lambda: towline.metric("towline_retries_total") > 0


@pytest.mark.parametrize("how", ["kill", "stall"])
def test_a_host_that_fails_under_load_stalls_none(
    how, server, relay, index, es, node, config, run
):
    es |= {"Host": f"127.0.0.1:{relay.port}, 127.0.0.1", "net.io_timeout": "2s"}
    container = node.container()
    towline = run(config(es))
    in_pieces(container, towline, 0, 2000)
    assert relay.taken > 0

    container.write(*lines(2000, 4000))
    getattr(relay, how)()
    towline.until_delivered(4000)
    in_pieces(container, towline, 4000, 6000)
    until(retried(towline), "nobody has seen it fail")
    assert towline.get("/readyz")[0] == 200

    if how == "stall":
        relay.kill()
    relay.start()
    at = until_probed(container, towline, 6000)
    in_pieces(container, towline, at, at + 1000, 100)
    at += 1000
    assert towline.metric("towline_dead_letters_total") == 0
    assert towline.metric("towline_collisions_total") == 0
    said = towline.stop()
    assert f"host=127.0.0.1:{relay.port}" in said
    assert index.count() == at
    assert sorted(d["log"] for d in index.documents(size=10000)) == lines(0, at)


def test_a_server_that_is_killed_stalls_none(own_server, node, config, run):
    one, other = own_server("opensearch"), own_server("opensearch")
    index = "matillion-agent-logs"
    container = node.container()
    hosts = f"127.0.0.1:{one.port} 127.0.0.1:{other.port}"
    towline = run(config({"Name": "opensearch", "Host": hosts, "Index": index}))
    in_pieces(container, towline, 0, 2000)
    assert one.index(index).count() > 0 and other.index(index).count() > 0

    container.write(*lines(2000, 4000))
    one.kill()
    towline.until_delivered(4000)
    in_pieces(container, towline, 4000, 5000)
    one.start()
    at = until_probed(container, towline, 5000)
    in_pieces(container, towline, at, at + 1000)
    towline.stop()
    found = [
        d["log"] for s in (one, other) for d in s.index(index).documents(size=10000)
    ]
    # Two servers, not a cluster: what one took as it was killed is in both.
    assert sorted(set(found)) == lines(0, at + 1000)


def test_a_host_that_is_not_there(dead_port, server, index, es, node, config, run):
    es |= {"Host": f"127.0.0.1:{dead_port} 127.0.0.1"}
    node.container().write(*(completed(i) for i in range(1, 101)))
    settings = config(es)
    assert run(settings, "--exit-on-eof", wait=False).wait(30) == 0
    index.refresh()
    assert index.count() == 100
    done = towline("report", "performance", "-c", settings.write(), "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert row["tasks"] == 100
    assert f"no answer from 127.0.0.1:{dead_port}" in done.stderr
