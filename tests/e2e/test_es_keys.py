"""Ids and indices that the record names: what one value costs, and where it goes."""

import json

import pytest
from fake_server import FakeServer


def test_records_name_their_ids_and_indices(node, config, run):
    seen = []

    def behave(_, body):
        seen.extend(json.loads(line) for line in body.decode().splitlines())

    server = FakeServer(behave)
    lines = [{"order": 7, "n": 1}, {"order": 7, "n": 2}, {"order": 8, "n": 3}, {"n": 4}]
    node.container(namespace="Shop").write(*map(json.dumps, lines))
    settings = config(
        server.output
        | {
            "Logstash_Format": "On",
            "Logstash_Prefix_Key": "$kubernetes['namespace_name']",
            "Id_Key": "order",
        }
    )
    del settings.outputs[0]["Index"]
    towline = run(settings)
    towline.until_delivered(4)
    actions = [line["create"] for line in seen[::2]]
    assert {action["_index"][:5] for action in actions} == {"shop-"}
    assert [action["_id"] for action in actions[:3]] == ["7", "7", "8"]
    assert len(actions[3]["_id"]) == 40  # it names none: ours
    assert server.conflicts == 1 and len(server.documents) == 3
    assert towline.metric("towline_collisions_total") == 0
    towline.stop()
    server.close()


@pytest.mark.parametrize(
    ("key", "lifted"), [(None, False), ("payload", False), ("payload", True)]
)
def test_members_are_found_where_the_lines_are_merged(key, lifted, node, config, run):
    seen = []

    def behave(_, body):
        seen.extend(json.loads(line) for line in body.decode().splitlines())

    server = FakeServer(behave)
    lines = [
        {"event_id": "e1", "ns": "Shop"},
        {"event_id": "e2", "ns": "stock"},
        {"extra": {"event_id": "e3", "ns": "no"}},
    ]
    node.container().write(*map(json.dumps, lines))
    settings = config(
        server.output
        | {"Logstash_Format": "On", "Logstash_Prefix_Key": "ns", "Id_Key": "event_id"}
    )
    del settings.outputs[0]["Index"]
    if key:
        settings.filters[0]["Merge_Log_Key"] = key
    if key and lifted:
        settings.filters.append(
            {"Name": "nest", "Match": "*", "Operation": "lift", "Nested_under": key}
        )
    towline = run(settings)
    towline.until_delivered(3)
    actions = [line["create"] for line in seen[::2]]
    towline.stop()
    server.close()
    assert [action["_index"].split("-")[0] for action in actions] == [
        "shop",
        "stock",
        "logstash",
    ]
    assert [action["_id"] for action in actions[:2]] == ["e1", "e2"]
    assert len(actions[2]["_id"]) == 40
