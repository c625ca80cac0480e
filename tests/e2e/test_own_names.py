"""Fields of a [PARSER] that are called as members of the document are: none is
lost, and no server refuses the document for it."""

import json

PARSERS = """
[PARSER]
    Name timed
    Format json
    Time_Key time
    Time_Format %Y-%m-%dT%H:%M:%S.%L%z
    Time_Keep On
"""

VALUES = [
    "nonsense",
    "2026-11-22T08:00:00.5Z",
    "2026-11-22T08:00:00.5+17:30",
    "2026-11-22T08:00:00.5+0000",
    "2026-11-22T08:00:60Z",
    "",
    1795334400002,
    8888888888888,
    -1,
    1.5,
    True,
    None,
    {"a": 1},
    [1, {"b": 2}],
]
NAMES = [
    "time",
    "stream",
    "logtag",
    "kubernetes",
    "kubernetes_namespace",
    "log_parsed",
    "log_truncated",
    "log_parsed_dropped",
    "@timestamp",
    "log.level",
    "log_parsed.level",
    "a..b",
    " ",
    "_id",
    "_id.x",
    "_index",
    "_source",
    "_routing",
    "_version",
    "_seq_no",
    "_primary_term",
    "_field_names",
    "_ignored",
    "_ignored_source",
    "_nested_path",
    "_doc_count",
    "_data_stream_timestamp",
]


def found(document, name):
    """The values that stand somewhere under the name."""
    extra = document.get("log_parsed", {}).get("extra", {})
    return [document.get(name), extra.get(name), extra.get("_" + name)]


def lines():
    for i, value in enumerate(VALUES):
        for j, name in enumerate(NAMES):
            yield {"n": f"{i}-{j}", name: value}


def judge(index):
    documents = {d["n"]: d for d in index.documents()}
    assert len(documents) == len(VALUES) * len(NAMES)
    for line in lines():
        (name,) = set(line) - {"n"}
        assert line[name] in found(documents[line["n"]], name)
    return documents


def deliver(config, run, write):
    (config.folder / "parsers.conf").write_text(PARSERS)
    config.service["Parsers_File"] = f"{config.folder}/parsers.conf"
    towline = run(config)
    write(*map(json.dumps, lines()))
    towline.until_delivered(len(VALUES) * len(NAMES))
    for name in "lean_documents", "stripped_documents", "dead_letters", "retries":
        assert towline.metric(f"towline_{name}_total") == 0
    towline.stop()


def test_in_a_plain_file_they_stand_where_the_mapping_takes_them(
    index, es, config, run, tmp_path
):
    settings = config(es)
    file = tmp_path / "plain.log"
    settings.inputs[0] |= {"Path": file, "Parser": "timed"}
    settings.filters = []
    deliver(settings, run, lambda *ls: file.write_text("".join(x + "\n" for x in ls)))
    documents = judge(index)
    assert documents["1-0"]["time"] == VALUES[1]
    assert documents["1-0"]["@timestamp"] == "2026-11-22T08:00:00.500000000Z"
    assert documents["0-1"]["stream"] == "nonsense"
    assert documents["0-0"]["log_parsed"] == {"extra": {"time": "nonsense"}}


def test_beside_the_runtimes_they_are_under_extra(node, index, es, config, run):
    settings = config(es)
    settings.filters.append(
        {"Name": "parser", "Match": "*", "Key_Name": "log", "Parser": "timed"}
        | {"Reserve_Data": "On"}
    )
    deliver(settings, run, node.container().write)
    documents = judge(index)
    for document in documents.values():
        assert document["stream"] == "stdout" and document["logtag"] == "F"
        assert document["kubernetes"]["pod_name"]
    assert documents["0-1"]["log_parsed"]["extra"]["stream"] == "nonsense"
