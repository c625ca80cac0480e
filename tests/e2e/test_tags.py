"""Tags that are made of a file's path, and outputs that are chosen by an expression."""

import json

POD = r"(?<pod_name>[^_/]+)_(?<namespace_name>[^_/]+)_(?<name>[^/]+)-[a-z0-9]{64}\.log$"


def test_parts_of_the_path_choose_an_output(config, run, node, tmp_path):
    settings = config(
        {"Name": "stdout", "Match": "nothing", "Match_Regex": r"\.shop\.web-\d"},
        {"Name": "null", "Match": "*"},
    )
    settings.inputs[0] |= {"Tag": "k.<namespace_name>.<pod_name>", "Tag_Regex": POD}
    settings.filters[0] = {"Name": "kubernetes", "Match_Regex": r"^k\.\w+\.web-0$"}
    node.container(pod="web-0", namespace="shop").write("one")
    node.container(pod="web-1", namespace="shop").write("two")
    node.container(pod="web-0", namespace="other").write("three")
    out = tmp_path / "out"
    shell = ("sh", "-c", f'exec "$@" > {out}', "sh")
    done = run(settings, "--exit-on-eof", wait=False, under=shell)
    assert done.wait() == 0, done.said()
    found = [json.loads(line) for line in out.read_text().splitlines()]
    assert {d["log"]: "kubernetes" in d for d in found} == {"one": True, "two": False}
