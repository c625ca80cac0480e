"""The server is killed, stopped, away at the start: the files are the buffer."""

import pytest


@pytest.fixture(params=["opensearch", "elasticsearch"])
def product(request):
    return request.param


def output(server):
    return {"Name": server.output, "Host": "127.0.0.1", "Port": server.port} | {
        "Index": "matillion-agent-logs"
    }


def lines(first, end):
    return [f"line {i:05d}" for i in range(first, end)]


def test_what_was_written_while_the_server_was_away_comes_once(
    product, own_server, node, config, run
):
    server = own_server(product)
    index = server.index("matillion-agent-logs")
    container = node.container()
    towline = run(config(output(server)))
    container.write(*lines(0, 2000))
    towline.until_delivered(2000)

    server.kill()
    container.write(*lines(2000, 3000))
    container.rotate()
    container.write(*lines(3000, 4000))
    towline.until_metric("towline_records_total", 4000)
    server.start()
    towline.until_delivered(4000, 120)

    server.stop()
    container.write(*lines(4000, 5000))
    server.start()
    towline.until_delivered(5000, 120)
    assert towline.metric("towline_dead_letters_total") == 0
    assert towline.metric("towline_retries_total") > 0
    towline.stop()
    assert index.count() == 5000
    documents = index.documents(size=10000)
    assert sorted(d["log"] for d in documents) == lines(0, 5000)


def test_a_start_without_a_server_waits_for_it(product, own_server, node, config, run):
    server = own_server(product)
    server.stop()
    node.container().write(*lines(0, 100))
    towline = run(config(output(server)))
    towline.until_metric("towline_records_total", 100)
    assert towline.get("/readyz")[0] == 503
    assert towline.get("/healthz")[0] == 200
    server.start()
    towline.until_ready()
    towline.until_delivered(100)
    towline.stop()
    assert server.index("matillion-agent-logs").count() == 100
