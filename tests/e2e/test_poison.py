"""Documents that a server will never take, beside good ones: the good are
shipped, the others end in the dead-letter file with the reason, nothing waits."""

import json
import stat

from harness.node import completed


def dead_letters(config):
    file = config.folder / "state/dead-letters.ndjson"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    return [json.loads(line) for line in file.read_text().splitlines()]


def mapped(index, **properties):
    """Make the index with a mapping that some documents do not fit."""
    body = {"mappings": {"properties": properties}}
    index.server.ask("PUT", f"/{index.name}", body)


def test_a_mapping_conflict_is_a_dead_letter_with_its_reason(
    node, index, es, config, run
):
    mapped(
        index,
        kubernetes={"properties": {"container_name": {"type": "integer"}}},
    )
    settings = config(es)
    towline = run(settings)
    good, bad = node.container(name="7"), node.container("matillion-agent-1", "seven")
    for i in range(100):
        good.write(f"good {i:03d}")
        if i % 20 == 0:
            bad.write(f"bad {i:03d}")
    towline.until_delivered(100)
    towline.until_metric("towline_dead_letters_total", 5)
    towline.stop()

    assert index.count() == 100
    letters = dead_letters(settings)
    assert sorted(letter["document"]["log"] for letter in letters) == [
        f"bad {i:03d}" for i in range(0, 100, 20)
    ]
    for letter in letters:
        assert letter["index"] == index.name and letter["status"] == 400
        assert letter["type"] in (
            "mapper_parsing_exception",
            "document_parsing_exception",
        )
        assert "container_name" in letter["reason"]
        assert len(letter["id"]) == 40 and letter["time"] and letter["output"]


def test_a_conflict_in_log_parsed_costs_log_parsed_alone(node, index, es, config, run):
    mapped(index, log_parsed={"properties": {"pipeline": {"type": "integer"}}})
    container = node.container()
    towline = run(config(es))
    container.write(completed(1.5, "7"), completed(2.5, "load"), "a plain line")
    towline.until_delivered(3)
    assert towline.metric("towline_stripped_documents_total") == 1
    assert towline.metric("towline_dead_letters_total") == 0
    towline.stop()
    documents = {d["log"]: d for d in index.documents()}
    assert len(documents) == 3
    stripped = [d for d in documents.values() if "pipeline=load" in d["log"]]
    assert "execution_time" not in stripped[0].get("log_parsed", {})


def test_a_term_too_long_for_the_index_is_a_dead_letter(node, index, es, config, run):
    mapped(index, log={"type": "keyword"})
    settings = config(es)
    towline = run(settings)
    container = node.container()
    container.write("good 1", "x" * 40000, "good 2")
    towline.until_delivered(2)
    towline.until_metric("towline_dead_letters_total", 1)
    towline.stop()
    assert index.logs() == ["good 1", "good 2"]
    (letter,) = dead_letters(settings)
    assert letter["type"] in (
        "illegal_argument_exception",
        "document_parsing_exception",
    )


def test_no_line_can_break_the_mapping(node, index, es, config, run):
    """One key with values of every kind, and hundreds of keys."""
    values = ["1", '"text"', "1.5", "true", '{"a":{"b":1}}', "[1,{}]", '"2026-01-01"']
    lines = [f'{{"level":"INFO","message":"m","odd":{value}}}' for value in values]
    many = ",".join(f'"key{i}":{i}' for i in range(2000))
    towline = run(config(es))
    node.container().write(*lines, f'{{"level":"INFO","message":"m",{many}}}')
    towline.until_delivered(len(lines) + 1)
    assert towline.metric("towline_dead_letters_total") == 0
    assert towline.metric("towline_stripped_documents_total") == 0
    towline.stop()
    assert index.count() == len(lines) + 1
    assert len(json.dumps(index.mapping())) < 20000


def members_that_a_server_refuses():
    """Each breaks a rule that servers have for fields of any keys, as it stands."""
    deep = '{"a":' * 13 + '{"x":1,"x":2}' + "}" * 13
    long = "z" * 40000
    return [
        f'"message":"{long}"',
        f'"a":"{long}"',
        '"a":"%s"' % ("\u4e00" * 9000),
        f'"h":{{"b":["{long}"]}}',
        f'"{long}":1',
        f'"h":{{"{long}":1}}',
        '"n":%s' % ("9" * 1500),
        '"h":[{"n":-0.%s}]' % ("9" * 1500),
        '"logEvent":{"message":"one","message":"two"}',
        '"a":[{"x":1,"x":2}]',
        '"h":{"x":1,"\\u0078":2}',
        '"h":{"c\\u0000d":2}',
        '"c\\u0000d":2',
        '"h":{"":1," ":2,".":3}',
        '"h":{"a":"\\ud800"}',
        '"many":{%s}' % ",".join(f'"k{i}":{i}' for i in range(3000)),
        f'"n":{deep}',
        '"h":{%s}' % ",".join(f'"x":{{"y":{i}}}' for i in range(100)),
    ]


def test_no_member_of_a_line_costs_log_parsed(node, index, es, config, run):
    members = members_that_a_server_refuses()
    towline = run(config(es))
    node.container().write(
        *(
            f'{{"level":"ERROR","loggerName":"n{i}",{member}}}'
            for i, member in enumerate(members)
        )
    )
    towline.until_delivered(len(members))
    for name in "lean_documents", "stripped_documents", "dead_letters", "retries":
        assert towline.metric(f"towline_{name}_total") == 0
    towline.stop()
    documents = index.documents()
    assert len(documents) == len(members)
    for document in documents:
        assert document["log_parsed"]["level"] == "ERROR"
        assert document["log_parsed"]["error_type"] == "UNKNOWN"
        assert document["log_parsed"]["extra"]


def test_a_conflict_in_extra_costs_extra_alone(node, index, es, config, run):
    extra = {"properties": {"size": {"type": "integer"}}}
    mapped(index, log_parsed={"properties": {"extra": extra}})
    towline = run(config(es))
    node.container().write(
        '{"level":"ERROR","message":"one","size":1}',
        '{"level":"ERROR","message":"two","size":"many"}',
    )
    towline.until_delivered(2)
    assert towline.metric("towline_lean_documents_total") == 1
    assert towline.metric("towline_stripped_documents_total") == 0
    assert towline.metric("towline_dead_letters_total") == 0
    towline.stop()
    documents = {"two" in d["log"]: d["log_parsed"] for d in index.documents()}
    assert documents[False]["extra"]["size"] == 1
    assert documents[True]["level"] == "ERROR" and documents[True]["extra_dropped"]
    assert "extra" not in documents[True]


def test_a_conflict_under_merge_log_key_costs_that_key_alone(
    node, index, es, config, run
):
    """A JSON line's members stand there as Fluent Bit merges them."""
    settings = config(es)
    settings.filters[0]["Merge_Log_Key"] = "log_processed"
    lines = [
        {"level": "ERROR", "extra": {"size": 1}, "error_type": {"name": "E"}},
        {"level": "ERROR", "extra": {"size": "many"}, "error_type": {"name": "E"}},
    ]
    towline = run(settings)
    container = node.container()
    container.write(json.dumps(lines[0]))
    towline.until_delivered(1)
    container.write(json.dumps(lines[1]))
    towline.until_delivered(2)
    assert towline.metric("towline_stripped_documents_total") == 1
    assert towline.metric("towline_lean_documents_total") == 0
    assert towline.metric("towline_dead_letters_total") == 0
    towline.stop()
    documents = {"many" in d["log"]: d for d in index.documents()}
    merged = documents[False]["log_processed"]
    assert merged | lines[0] == merged and merged["error_fingerprint"]
    assert "log_parsed" not in documents[False]
    assert "log_processed" not in documents[True]
    assert documents[True]["kubernetes"] and documents[True]["log_parsed_dropped"]


def test_no_time_of_a_runtime_is_refused(node, index, es, config, run):
    """A leap second, offsets as far as RFC 3339 goes and beyond java.time's, other forms."""
    times = {
        "2016-12-31T23:59:60.5Z": "2017-01-01T00:00:00.500000000Z",
        "2026-11-22T13:30:00+23:59": "2026-11-21T13:31:00.000000000Z",
        "2026-11-22T13:30:00-18:01": "2026-11-23T07:31:00.000000000Z",
        "2026-11-22T13:30:00-17:59": "2026-11-22T13:30:00-17:59",
        "2026-11-22T13:30:00.25+0100": "2026-11-22T12:30:00.250000000Z",
        "2026-11-22T13:30:00z": "2026-11-22T13:30:00.000000000Z",
        "2026-11-22T13:30:00.1234567890Z": "2026-11-22T13:30:00.123456789Z",
        "2026-11-22T13:30:01Z": "2026-11-22T13:30:01Z",
    }
    towline = run(config(es))
    container = node.container()
    for time in times:
        container.raw(f"{time} stdout F {time}\n".encode())
    towline.until_delivered(len(times))
    assert towline.metric("towline_dead_letters_total") == 0
    assert towline.metric("towline_stripped_documents_total") == 0
    towline.stop()
    assert {d["log"]: d["time"] for d in index.documents()} == times
