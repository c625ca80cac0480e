"""What towline setup prints, on real servers: templates and data streams."""

import pytest
from harness.server import Refused
from test_setup import PRODUCTS, requests


@pytest.fixture(params=PRODUCTS)
def own(request, own_server):
    return own_server(request.param)


def has_labels_by_parts(server):
    """Maven has no analysis-common for Elasticsearch: its template is put without."""
    return server.product == "opensearch"


def test_the_templates_are_taken_and_are_those_of_an_output(
    own, agents, node, config, run
):
    agent = agents("spring")
    node.adopt(agent.node)
    (_, component, body), (_, template, whole) = requests(
        "template", PRODUCTS[own.product][0]
    )
    assert whole["template"] == body["template"]
    if not has_labels_by_parts(own):
        with pytest.raises(Refused, match="path_hierarchy"):
            own.ask("PUT", component, body)
    es = {"Name": own.output, "Host": "127.0.0.1", "Port": own.port}
    name = "matillion-agent-logs"
    if has_labels_by_parts(own):
        own.ask("PUT", component, body)
        own.ask("PUT", template, whole)
        before = own.ask("GET", template)
    towline = run(config(es | {"Index": name}))
    towline.until_delivered(agent.records)
    assert own.index(name).count() == agent.records
    (found,) = own.ask("GET", template)["index_templates"]
    mapped = found["index_template"]["template"]["mappings"]["properties"]
    assert mapped.keys() == whole["template"]["mappings"]["properties"].keys()
    if has_labels_by_parts(own):  # ours stays: its version is the output's
        assert own.ask("GET", template) == before
        assert "index template" not in towline.said()


def test_towline_writes_into_the_data_stream_of_the_lifecycle(
    own, agents, node, config, run
):
    """Retention is for real in Elasticsearch's lifecycle; ILM's and ISM's policies have
    no server here: their requests are only read."""
    agent = agents("spring")
    node.adopt(agent.node)
    es = {"Name": own.output, "Host": "127.0.0.1", "Port": own.port}
    # An output's start puts the component, as the server takes it.
    first = config(es | {"Index": "other"})
    before = run(first)
    before.until_delivered(agent.records)
    before.stop()
    wanted = requests("lifecycle", PRODUCTS[own.product][0])
    puts = {path: body for _, path, body in wanted[:1]}
    for path, body in puts.items():
        assert path == "/_index_template/matillion-logs" and "data_stream" in body
        own.ask("PUT", path, body)
    second = config(es | {"Index": "matillion-agent-logs"})
    second.service["State_Path"] += "-2"
    second.folder = first.folder / "second"
    second.folder.mkdir()
    towline = run(second)
    towline.until_delivered(agent.records)
    # The API of data streams is not in a bare Elasticsearch.
    state = own.ask("GET", "/_cluster/state/metadata")["metadata"]
    stream = state["data_stream"]["data_stream"]["matillion-agent-logs"]
    assert stream["timestamp_field"]["name"] == "@timestamp"
    assert own.index("matillion-agent-logs").count() == agent.records
    mapping = own.index("matillion-agent-logs").mapping()
    assert mapping["_meta"]["managed_by"] == "towline"
    assert "would displace" not in towline.said()
    if own.product == "elasticsearch":
        assert stream["lifecycle"]["data_retention"] == "30d"
    towline.stop()
