"""docs/monitoring.md against the guide, the tests and the files that it names."""

import ast
import fnmatch
import functools
import re

import pytest
import test_expressions
import test_mistakes
import yaml
from harness import alerting, reference
from harness.reference import PAGE, ROOT, Row, rows, section

WHERE, MISTAKES = "## Where each thing is", "## Mistakes of the guide"
METRIC = r"\b(?:app|towline|kube|process|container)_\w+|\bup\b"
# Tests that are no proof of one mistake.
OF_THE_WHOLE = {"test_each_alert_is_tried"}
# What the issue that asked for this page lists, by words that stand in its rows.
KNOWN = [
    *("`MemoryLeakDetected`", "increase(container_memory_usage_bytes"),
    *("increase(app_open_sessions[30m])", "count(app_agent_status == 1) == 0"),
    *("histogram_quantile(0.95, app_request", "`action: drop`", "labeldrop"),
    *("__tmp_sample_rate", "app_active_task_count / app_max_task_capacity"),
    *("`HighTaskBacklog`: `> 100`", "sum(app_agent_status)", "prometheus.io/interval"),
    *("{{$labels.pod}}", "metric_relabel_configs", "retention.time", "page cache"),
    *('{"dashboard": …}', "emf_processor", "ecs_service_discovery", "_type"),
    *(
        "Parser cri",
        "Kube_Tag_Prefix",
        "prometheus_rule_group",
        "namespace: kube-system",
    ),
    "namespace: amazon-cloudwatch",
]


def body(heading):
    """The rows of the tables below a heading, less their heads."""
    return [
        row for row in rows(heading) if row.cells[0] not in ("block", "the guide's")
    ]


def blocks_of(row: Row):
    return (
        [int(n) for n in row.cells[0].split(", ")] if row.cells[0][0].isdigit() else []
    )


@functools.cache
def defined_in(file):
    """The functions of a file of tests, and all its words that may name a case."""
    if file.endswith(".c"):
        text = (ROOT / "tests/unit" / file).read_text()
        return set(re.findall(r"^(test_\w+)\(", text, re.M)), set()
    tree = ast.parse((ROOT / "tests/e2e" / file).read_text())
    functions = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
    words = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)}
    return functions, words


def test_the_guide_is_that_of_the_other_fixture():
    own = reference.DOCUMENT.with_name("fluent-bit.conf").read_text()
    assert reference.inner(12, "fluent-bit.conf").rstrip() == own.rstrip()
    assert len(reference.BLOCKS) == 21


@pytest.mark.parametrize("number", reference.BLOCKS)
def test_each_promise_of_a_block_has_its_row(number):
    found = [row.cells[1].strip("`") for row in body(WHERE) if number in blocks_of(row)]
    assert sorted(found) == sorted(reference.items()[number])


def test_what_is_future_there_has_its_row():
    head = "### What the guide lists as future"
    assert [row.cells[0] for row in body(head)] == reference.future()
    without = [row.cells[-1] for row in body(head) if not row.tests]
    assert without == ["none", "none"]


def test_each_row_names_a_test():
    for heading in WHERE, MISTAKES:
        for row in body(heading):
            if blocks_of(row):  # others are of the future
                assert row.tests, row.cells


def test_what_an_expression_is_compared_with_is_marked():
    """In the tables of expressions, panels and rules."""
    for heading in "### Expressions", "### Dashboards", "### Alert rules":
        for row in body(heading):
            assert len(row.cells) == 5 and row.cells[3], row.cells
            assert row.tests[0][0] == "test_expressions.py", row.cells


def test_each_series_that_is_asked_for_is_compared_with_something():
    """By the first column of the table: each has a glob, but for what rules record."""
    table = rows("### What is compared with what")
    globs = re.findall(r"`([\w*]+)", " ".join(row.cells[0] for row in table[1:]))
    asked = [rule["expr"] for _, rule in alerting.rules("expr")]
    asked += [*reference.expressions(), *(q[-1] for q in test_expressions.QUERIES)]
    names = set(re.findall(METRIC, re.sub(r"\b(on|by) \([^)]*\)", "", " ".join(asked))))
    assert len(names) > 60
    assert [n for n in names if not any(fnmatch.fnmatch(n, g) for g in globs)] == []


def test_what_was_parsed_alone_is_marked():
    for row in body(WHERE):
        cloud = any(file == "test_clouds.py" for file, *_ in row.tests)
        assert row.cells[-1].startswith("parse: ") == cloud, row.cells


def test_each_test_that_is_named_exists():
    named = {match.groups() for match in reference.TEST.finditer(PAGE.read_text())}
    assert len(named) > 60
    for file, function, case in named:
        functions, words = defined_in(file)
        assert function in functions, f"{file}::{function}"
        assert not case or case in words, f"{file}::{function}[{case}]"


def test_each_case_of_the_mistakes_is_named():
    page = PAGE.read_text()
    for name in [*test_mistakes.CASES, *test_mistakes.FIRES]:
        assert f"[{name}]`" in page, name
    for path in ROOT.glob("tests/e2e/test_mistakes*.py"):
        for function in defined_in(path.name)[0]:
            if function.startswith("test_") and function not in OF_THE_WHOLE:
                assert f"`{path.name}::{function}" in page, function


def test_the_mistakes_that_were_known_are_there():
    text = section(MISTAKES)
    assert [known for known in KNOWN if known not in text] == []
    assert {n for row in body(MISTAKES) for n in blocks_of(row)} >= set(
        range(1, 22)
    ) - {2}


def test_paths_and_anchors_lead_somewhere():
    text = PAGE.read_text()
    anchors = {
        re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.+)$", text, re.M)
    }
    for anchor in re.findall(r"\]\(#([\w-]+)\)", text):
        assert anchor in anchors, anchor
    for link in re.findall(r"\]\((?!https:|#)([^)#]+)", text):
        assert (PAGE.parent / link).exists(), link
    for path in re.findall(r"\bconf/[\w./-]*\w", text):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("number", [6, 8, 9, 10, 11, 14, 21])
def test_what_is_said_to_be_in_a_file_is_in_it(number):
    """A job, panel, alert or key, under the guide's own name."""
    for row in body(WHERE):
        if number in blocks_of(row):
            path = ROOT / re.search(r"conf/[\w./-]*\w", row.cells[2])[0]
            assert row.cells[1].strip("`") in path.read_text(), row.cells


# ---- the alerts


def alerts():
    """{alert: its lines} of the page."""
    parts = re.split(r"^### (\w+)\n", section("## Alerts"), flags=re.M)[1:]
    return dict(
        zip(parts[::2], (p.strip().splitlines() for p in parts[1::2]), strict=True)
    )


def rules():
    """{alert: runbook_url} of the project's rules."""
    found = {}
    for path in (ROOT / "conf/prometheus/rules").glob("*.yml"):
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                if "alert" in rule:
                    found[rule["alert"]] = rule["annotations"]["runbook_url"]
    return found


def test_an_alert_has_its_three_lines():
    for name, lines in alerts().items():
        starts = [line.partition(" ")[2].partition(":**")[0] for line in lines]
        assert starts == ["**Means", "**Look", "**Do"], name


def test_the_alerts_are_those_of_the_rules():
    """And the guide's are among them."""
    assert set(test_mistakes.ALERTS) <= set(alerts())
    assert set(alerts()) == set(rules())
    for name, url in rules().items():
        assert url.endswith(f"docs/monitoring.md#{name.lower()}"), url
