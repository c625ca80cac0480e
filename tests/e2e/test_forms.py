"""A configuration in each of its forms: what `check`, `convert` and the schema say of it."""

import json

import jsonschema
import pytest
import yaml
from harness.towline import ROOT, towline

CLASSIC = ROOT / "tests/fixtures/fluent-bit.conf"
YAML = ROOT / "tests/fixtures/fluent-bit.yaml"
VALUES = ROOT / "conf/helm/towline/values.yaml"
CONFIGS = [CLASSIC, *ROOT.glob("conf/*.conf"), ROOT / "docker/compose.conf"]
# What `check` says as long as no token is there.
NO_POD = "in a pod it is there"
LINES = """2026-11-22T08:00:00.1Z stdout P 2026-11-22 08:00:00.100 INFO  [main] a.B - one
2026-11-22T08:00:00.2Z stdout F  and two
2026-11-22T08:00:00.3Z stderr F {"level": "ERROR", "message": "three"}
"""


@pytest.fixture(scope="module")
def schema():
    done = towline("help", "--schema")
    assert done.returncode == 0
    assert done.stdout == (ROOT / "docs/towline.schema.json").read_text()
    document = json.loads(done.stdout)
    jsonschema.Draft7Validator.check_schema(document)
    return jsonschema.Draft7Validator(document)


def converted(path):
    done = towline("convert", path)
    assert done.returncode == 0 and not done.stderr, done.stderr
    return done.stdout


def test_check_reads_each_form(tmp_path):
    whole = CLASSIC.read_text()
    data = {"fluent-bit.conf": whole, "other": "x"}
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "data": data}
    listed = {"apiVersion": "v1", "kind": "List", "items": [config_map]}
    (tmp_path / "map.yaml").write_text(yaml.safe_dump_all([{}, config_map]))
    (tmp_path / "map.json").write_text(json.dumps(listed))
    for path in CLASSIC, YAML, VALUES, tmp_path / "map.yaml", tmp_path / "map.json":
        for arguments in ["check", path], ["check", "-c", path]:
            done = towline(*arguments)
            said = [line for line in done.stdout.splitlines() if NO_POD not in line]
            assert len(said) == 1 and ": right" in said[0], done.stdout
            assert said[0].endswith("from tail through kubernetes to es")
    done = towline("check", "-", text=(tmp_path / "map.yaml").read_text())
    assert done.returncode == 0 and "(ConfigMap )" in done.stdout
    assert towline("check", CLASSIC, YAML).returncode == 2
    assert towline("check", "-c", CLASSIC, YAML).returncode == 2


def test_run_wants_the_configuration_itself(tmp_path):
    for more in [], ["--dry-run"]:
        done = towline("run", "-c", VALUES, "--state", tmp_path, *more)
        assert done.returncode == 1 and "towline convert" in done.stderr


def test_the_same_documents_in_both_forms(tmp_path):
    there = tmp_path / "there.yaml"
    there.write_text(converted(CLASSIC))
    back = tmp_path / "back.conf"
    back.write_text(converted(there))
    want = towline("parse", "-c", CLASSIC, text=LINES)
    assert want.returncode == 0 and len(want.stdout.splitlines()) == 2
    for path in YAML, there, back:
        done = towline("parse", "-c", path, text=LINES)
        assert (done.returncode, done.stdout) == (0, want.stdout)


def test_convert_refuses_what_it_cannot_say(tmp_path):
    assert towline("convert").returncode == 2
    done = towline("convert", tmp_path / "none")
    assert done.returncode == 1 and "none" in done.stderr
    done = towline("convert", ROOT / "conf/agent-events.conf")
    assert done.returncode == 1 and "in the YAML form" in done.stderr


def test_a_converted_map_runs_alone(tmp_path):
    config_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "data": {
            "fluent-bit.conf": "[SERVICE]\n  Parsers_File own.conf\n@INCLUDE in.conf\n"
            "[OUTPUT]\n  Name stdout\n  Match *\n",
            "in.conf": "[INPUT]\n  Name tail\n  Tag t\n  Path ${P}\n  Parser own\n",
            "own.conf": "[PARSER]\n  Name own\n  Format json\n",
        },
    }
    path = tmp_path / "map.yaml"
    path.write_text(yaml.safe_dump(config_map))
    alone = tmp_path / "alone.yaml"
    alone.write_text(converted(path))
    assert "path: ${P}" in alone.read_text()
    for file in path, alone:
        done = towline("check", file, env={"P": "/var/log/x.log"})
        assert done.returncode == 0 and "from tail to stdout" in done.stdout


def test_the_schema_takes_what_check_takes(schema, tmp_path):
    texts = [YAML.read_text(), *map(converted, [*CONFIGS[:1], VALUES])]
    texts += [converted(path) for path in CONFIGS if path.name != "agent-events.conf"]
    for text in texts:
        schema.validate(yaml.safe_load(text))


GOOD = {"name": "es", "match": "*", "host": "a", "port": 9200}


@pytest.mark.parametrize(
    "change, good",
    [
        ({}, True),
        ({"port": "${PORT}"}, True),
        ({"port": "9200"}, True),
        ({"port": 0}, False),
        ({"prt": 1}, False),
        ({"compress": "GZIP"}, True),
        ({"compress": "zip"}, False),
        ({"tls": "On"}, True),
        ({"tls": "perhaps"}, False),
        ({"name": "ess"}, False),
        ({"net.keepalive": "on"}, True),
        ({"retry_limit": False}, True),
        ({"retry_limit": True}, False),
        ({"name": "elasticsearch"}, True),
    ],
)
def test_the_schema_and_check_agree(schema, tmp_path, change, good):
    pipeline = {
        "inputs": [{"name": "tail", "tag": "t", "path": ["/var/log/a", "/var/log/b"]}],
        "outputs": [{**GOOD, **change}],
    }
    path = tmp_path / "x.yaml"
    path.write_text(yaml.safe_dump({"pipeline": pipeline}))
    assert schema.is_valid(yaml.safe_load(path.read_text())) == good
    done = towline("check", path, env={"PORT": "9200"})
    assert (done.returncode == 0) == good, done.stdout


def test_the_schema_takes_keys_that_a_star_stands_for(schema, tmp_path):
    tail = {"name": "tail", "tag": "t", "path": "/x", "multiline": True}
    tail |= {"parser_firstline": "p", "parser_1": "p"}
    rewrite = {"name": "rewrite_tag", "match": "t", "rule": "$log ^a b false"}
    config = {
        "parsers": [{"name": "p", "format": "regex", "regex": "(?<a>x)"}],
        "pipeline": {
            "inputs": [tail],
            "filters": [rewrite | {"emitter_name": "e"}],
            "outputs": [{"name": "null", "match": "*"}],
        },
    }
    path = tmp_path / "x.yaml"
    path.write_text(yaml.safe_dump(config))
    schema.validate(config)
    done = towline("check", path)
    assert done.returncode == 0, done.stdout
