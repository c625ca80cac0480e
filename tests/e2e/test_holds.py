"""The server's own state is in the way: documents wait, say why, and go on."""

import pytest


@pytest.fixture
def held(config, run, node):
    """Start, write lines, wait until they are held; returns towline and container."""

    def start(output, n, said):
        towline = run(config(output))
        container = node.container()
        container.write(*(f"line {i:04d}" for i in range(n)))
        towline.until_said(said)
        assert towline.metric("towline_delivered_total") == 0
        assert towline.metric("towline_dead_letters_total") == 0
        return towline

    return start


def go_on(towline, index, n):
    towline.until_delivered(n)
    assert towline.metric("towline_dead_letters_total") == 0
    towline.stop()
    assert index.count() == n


def test_a_missing_pipeline_holds_until_it_is_there(held, index, es):
    name = f"p-{index.name}"
    towline = held(es | {"Pipeline": name}, 300, f"pipeline.*{name}")
    assert index.count() == 0
    index.server.ask("PUT", f"/_ingest/pipeline/{name}", {"processors": []})
    go_on(towline, index, 300)


def test_the_shard_limit_holds_until_it_is_raised(held, index, es):
    def limit(shards):
        settings = {"transient": {"cluster.max_shards_per_node": shards}}
        index.server.ask("PUT", "/_cluster/settings", settings)

    other = index.server.index(f"other-{index.name}")
    other.create(number_of_replicas=0)
    try:
        limit(1)
        towline = held(es, 300, "shards")
    finally:
        limit(None)
    go_on(towline, index, 300)
    other.delete()


@pytest.mark.parametrize("block", ["read_only_allow_delete", "write"])
def test_a_blocked_index_holds_until_the_block_goes(held, index, es, block):
    index.create(number_of_replicas=0)
    index.set(**{f"index__blocks__{block}": True})
    towline = held(es, 300, "cluster_block_exception|blocked")
    index.set(**{f"index__blocks__{block}": None})
    go_on(towline, index, 300)


def test_a_blocked_index_stops_only_what_goes_there(
    index, es, config, node, run, server
):
    """Two outputs, each of another input's records: they have cursors of their own."""
    other = server.index(f"other-{index.name}")
    index.create(number_of_replicas=0)
    index.set(index__blocks__write=True)
    settings = config(es | {"Match": "a.*"}, es | {"Match": "b.*", "Index": other.name})
    tail = settings.inputs.pop()
    for letter in "ab":
        path = f"{node.link_root}/containers/{letter}*.log"
        settings.inputs.append(tail | {"Path": path, "Tag": f"{letter}.*"})
    towline = run(settings)
    for letter in "ab":
        node.container(pod=f"{letter}-1").write(*(f"line {i}" for i in range(5000)))
    other.until_count(5000)
    towline.until_metric("towline_records_total", 10000)
    assert index.count() == 0
    index.set(index__blocks__write=None)
    # What is under way when the file goes back is sent again, and taken as a duplicate.
    index.until_count(5000)
    towline.stop()
    assert index.count() == other.count() == 5000
    other.delete()
