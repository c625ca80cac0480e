"""Ids and indices that the record names: what one value costs, and where it goes."""

import json

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
