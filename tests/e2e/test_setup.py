"""towline setup, and the files of conf/elasticsearch that it prints (on real servers:
test_setup_servers.py).  ILM, ISM, Kibana and Dashboards cannot be had here: what is
theirs is read, and no more (each such test says so)."""

import json
import re

import pytest
from harness.towline import ROOT, towline

FOLDER = ROOT / "conf/elasticsearch"
PRODUCTS = {
    "elasticsearch": ["elasticsearch-8", "elasticsearch-9", "elasticsearch-8.19.21"],
    "opensearch": ["opensearch-2", "opensearch-3", "opensearch-2.19"],
}
REQUEST = re.compile(r"^# (.+)\n(GET|PUT) (\S+)\n((?:^[^#\n].*\n)+)", re.M)


def printed(what, product):
    done = towline("setup", "--print", what, "--for", product)
    assert done.returncode == 0 and done.stderr == ""
    return done.stdout


def requests(what, product):
    """[(method, path, body)], of which the text consists."""
    text = printed(what, product)
    found = list(REQUEST.finditer(text))
    assert "\n".join(match[0] for match in found) == text
    return [(match[2], f"/{match[3]}", json.loads(match[4])) for match in found]


def test_by_itself_it_is_for_elasticsearch():
    done = towline("setup", "--print", "lifecycle")
    assert done.stdout == printed("lifecycle", "elasticsearch-8")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--print", "tables"],
        ["--print", "queries", "--for", "elasticsearch-7"],
        ["--print", "queries", "--for", "elasticsearch-80"],
        ["--print", "queries", "--for", "solr-9"],
        ["--print", "queries", "more"],
    ],
)
def test_other_words_are_refused(arguments):
    done = towline("setup", *arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert "setup" in done.stderr


def test_without_print_it_says_so():
    assert "--print WHAT is needed" in towline("setup").stderr


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_a_command_is_asked_for_help_as_others_are(option):
    for command in "run", "check", "report", "setup":
        done = towline(command, option)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == towline("help", command).stdout
    # It is an option, and no operand.
    assert towline("parse", "help").returncode == 1


@pytest.mark.parametrize("product", PRODUCTS)
def test_all_versions_of_a_product_are_served_alike(product):
    for what in "template", "lifecycle", "queries", "dashboards":
        texts = {printed(what, version) for version in PRODUCTS[product]}
        assert len(texts) == 1 and texts != {""}


def test_each_file_is_printed_for_its_product():
    """What is in the program is what is in the folder."""
    texts = {
        product: "".join(
            printed(what, versions[0])
            for what in ["template", "lifecycle", "queries", "dashboards"]
        )
        for product, versions in PRODUCTS.items()
    }
    files = [*FOLDER.glob("**/*.json"), *FOLDER.glob("*.ndjson")]
    assert len(files) == 14
    for file in files:
        (of,) = [p for p in PRODUCTS if p in file.name] or [None]
        for product, text in texts.items():
            assert (file.read_text() in text) == (of in (None, product)), file


# ---- saved objects


def objects():
    lines = (FOLDER / "saved-objects.ndjson").read_text().splitlines()
    return [json.loads(line) for line in lines]


def fields(mapping, before=""):
    """All fields of a mapping, with those that stand beside them."""
    for name, of in mapping.get("properties", {}).items():
        yield before + name
        yield from fields(of, f"{before}{name}.")
        yield from (f"{before}{name}.{more}" for more in of.get("fields", {}))


def test_saved_objects_name_what_there_is():
    """A check of their form; they were not imported."""
    every = objects()
    known = {(one["type"], one["id"]) for one in every}
    assert len(known) == len(every) == 7
    for one in every:
        assert one["attributes"]["title"]
        for reference in one["references"]:
            assert (reference["type"], reference["id"]) in known
        meta = one["attributes"].get("kibanaSavedObjectMeta")
        if meta:
            source = json.loads(meta["searchSourceJSON"])
            names = {reference["name"] for reference in one["references"]}
            assert source.get("indexRefName") in names | {None}
    (board,) = [one for one in every if one["type"] == "dashboard"]
    panels = json.loads(board["attributes"]["panelsJSON"])
    names = [reference["name"] for reference in board["references"]]
    assert [panel["panelRefName"] for panel in panels] == names
    taken = set()
    for panel in panels:
        at = panel["gridData"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken and at["x"] + at["w"] <= 48
        taken |= cells


@pytest.mark.parametrize("product", PRODUCTS)
def test_saved_objects_and_queries_ask_for_fields_that_are_mapped(product):
    template = json.loads((FOLDER / f"index-template-{product}.json").read_text())
    mapped = set(fields(template["template"]["mappings"]))
    assert "log_parsed.error_fingerprint.keyword" in mapped
    text = (FOLDER / "saved-objects.ndjson").read_text()
    for file in (FOLDER / "queries").glob("*.json"):
        text += file.read_text()
    asked = set(re.findall(r"log_parsed\.[\w.]+", text))
    assert len(asked) > 8 and asked <= mapped


def test_policies_roll_over_before_they_delete():
    """ILM's and ISM's: a parse check."""
    ilm = json.loads((FOLDER / "lifecycle/elasticsearch-ilm-policy.json").read_text())
    phases = ilm["policy"]["phases"]
    assert phases["hot"]["actions"]["rollover"]["max_age"] == "1d"
    assert phases["delete"]["min_age"] == "30d"
    stream = json.loads(
        (FOLDER / "lifecycle/elasticsearch-ilm-template.json").read_text()
    )
    name = stream["template"]["settings"]["index.lifecycle.name"]
    paths = [path for _, path, _ in requests("lifecycle", "elasticsearch-8")]
    assert f"/_ilm/policy/{name}" in paths
    ism = json.loads((FOLDER / "lifecycle/opensearch-ism-policy.json").read_text())
    states = {state["name"]: state for state in ism["policy"]["states"]}
    assert ism["policy"]["default_state"] == "hot"
    (then,) = states["hot"]["transitions"]
    assert states[then["state_name"]]["actions"] == [{"delete": {}}]
    assert then["conditions"] == {"min_rollover_age": "30d"}
    patterns = [one["index_patterns"] for one in ism["policy"]["ism_template"]]
    os = json.loads((FOLDER / "lifecycle/opensearch-data-stream.json").read_text())
    assert patterns == [os["index_patterns"]]
