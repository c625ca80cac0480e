"""Filters that change records, and their tags: every document at the output of its tag, once."""

import pytest
from harness.table import Table
from harness.wait import until

LINES = [f"{'ERROR' if i % 3 == 0 else 'INFO'} number {i}" for i in range(9000)]
ERRORS = [line for line in LINES if line.startswith("ERROR")]
RULE = "$message ^(ERROR) errors.$1.$kubernetes['namespace_name']"


@pytest.fixture
def outputs(tmp_path):
    return Table(tmp_path / "rest.db"), Table(tmp_path / "errors.db")


@pytest.fixture
def settings(node, config, outputs):
    def of(keep):
        node.container().write(*LINES)
        rest, errors = outputs
        made = config(rest.output, errors.output | {"Match": "errors.ERROR.matillion"})
        match = {"Match": "matillion.agent.*"}
        made.filters += [
            {"Name": "modify", "Rename": "log message"} | match,
            {"Name": "grep", "Exclude": "message 7$"} | match,
            {"Name": "rewrite_tag", "Rule": f"{RULE} {keep}"} | match,
            {"Name": "nest", "Operation": "nest", "Match": "errors.*"}
            | {"Wildcard": "message", "Nest_under": "text"},
        ]
        return made

    return of


def messages(table):
    return sorted(row.get("message", row.get("text")) for row in table.documents())


def kept(lines):
    return sorted(line for line in lines if not line.endswith("7"))


def test_records_go_to_the_outputs_of_their_new_tag(settings, outputs, run):
    rest, errors = outputs
    made = settings("false")
    assert run(made, "--exit-on-eof", wait=False).wait() == 0
    assert messages(rest) == kept(set(LINES) - set(ERRORS))
    texts = [row["text"]["message"] for row in errors.documents()]
    assert sorted(texts) == kept(ERRORS)


def test_a_kept_record_is_two_documents_over_kills(settings, outputs, run):
    rest, errors = outputs
    made = settings("true")
    towline = run(made)
    until(lambda: towline.metric("towline_delivered_total") > 0, "nothing delivered")
    towline.kill()
    assert run(made, "--exit-on-eof", wait=False).wait() == 0
    assert messages(rest) == kept(LINES)
    texts = [row["text"]["message"] for row in errors.documents()]
    assert sorted(texts) == kept(ERRORS)


def test_dropped_records_are_counted_and_passed_over(settings, outputs, run):
    towline = run(settings("false"))
    towline.until_metric("towline_filtered_records_total", len(LINES) // 10)
    towline.until_metric("towline_lag_bytes", 0)
