"""conf/prometheus/rules by promtool, which runs tests/prometheus.  Each alert has a series
there that fires it and one that must not, and each row of the README's on-call table
names an alert."""

import json
import re
import urllib.parse

import pytest
from harness.alerting import RULES, alerts, debian, loaded, newest, rules, said
from harness.towline import ROOT

CASES = ROOT / "tests/prometheus"
RUNBOOK = "docs/monitoring.md#"
SEVERITIES = {"critical", "warning", "info"}
# The exporters' own: cAdvisor's, Prometheus' and its client libraries'.
FOREIGN = re.compile(
    "container_(cpu_cfs_(throttled_)?periods_total|spec_memory_limit_bytes)"
    "|up|process_start_time_seconds"
)


ALERTS = alerts()
GROUPS = [
    (path.name, test)
    for path in sorted(CASES.glob("*.yml"))
    for test in loaded(path)["tests"]
]


@pytest.fixture(scope="session", params=["2.42", "3"])
def promtool(request):
    if request.param == "3":
        return newest("promtool")
    return debian() / "promtool"


# ---- promtool


def test_promtool_accepts_the_rules(promtool):
    files = sorted(RULES.glob("*.yml"))
    assert len(files) == 8
    said(promtool, "check", "rules", "--lint-fatal", *files)


@pytest.mark.parametrize("case", sorted(CASES.glob("*.yml")), ids=lambda c: c.stem)
def test_rules_say_what_their_cases_want(promtool, case):
    said(promtool, "test", "rules", case)


def test_a_case_can_fail(promtool, tmp_path):
    """The same case on rules whose threshold is another."""
    changed = tmp_path / "agents.yml"
    text = (RULES / "agents.yml").read_text()
    changed.write_text(text.replace("app_open_sessions > 150", "app_open_sessions > 9"))
    case = (CASES / "agents.yml").read_text()
    (tmp_path / "case.yml").write_text(
        re.sub(r"rule_files: .*", f"rule_files: [{changed}]", case)
    )
    with pytest.raises(AssertionError, match="DatabaseConnectionsExhausted"):
        said(promtool, "test", "rules", tmp_path / "case.yml")


# ---- each alert


@pytest.fixture(params=ALERTS)
def alert(request):
    return ALERTS[request.param]


def minutes(duration):
    unit = {"s": 1 / 60, "m": 1, "h": 60, "d": 1440}
    parts = re.findall("([0-9]+)([smhd])", duration)
    assert "".join(map("".join, parts)) == duration
    return sum(int(number) * unit[name] for number, name in parts)


def test_an_alert_is_complete(alert):
    """No alert on one failing sample: `for` is four evaluations at least."""
    assert minutes(alert["for"]) >= 1
    assert alert["labels"]["severity"] in SEVERITIES
    assert alert["labels"]["component"] in {"agent", "towline"}
    notes = alert["annotations"]
    assert set(notes) == {"summary", "description", "runbook_url", "dashboard"}
    assert notes["runbook_url"] == RUNBOOK + alert["alert"].lower()
    assert re.search(r"[0-9]|\$value", notes["description"])


DASHBOARDS = ROOT / "conf/grafana/dashboards"


def test_an_alert_leads_to_a_panel_of_its_metric(alert):
    boards = [json.loads(path.read_text()) for path in DASHBOARDS.glob("*.json")]
    link = urllib.parse.urlsplit(alert["annotations"]["dashboard"])
    (board,) = [b for b in boards if link.path == f"/d/{b['uid']}"]
    query = urllib.parse.parse_qs(link.query)
    panel = query.pop("viewPanel", None)
    variables = {f"var-{v['name']}" for v in board["templating"]["list"]}
    assert set(query) <= variables
    if panel:
        (shown,) = [p for p in board["panels"] if str(p["id"]) == panel[0]]
        asked = " ".join(target["expr"] for target in shown["targets"])
        assert families(asked) & families(alert["expr"]) or ":" in alert["expr"]


def families(text):
    return set(re.findall(r"\b(?:app|towline|container|process)_\w+|\bup\b", text))


def series_of(test, word):
    """The names of a test's series that have a label which begins with the word."""
    return {
        re.match(r"[\w:]+", series["series"])[0]
        for series in test["input_series"]
        if f'="{word}' in series["series"]
    }


def cases_of(name):
    """Its cases, each with its test, and whether it expects alerts."""
    return [
        (test, case, bool(case.get("exp_alerts")))
        for _, test in GROUPS
        for case in test.get("alert_rule_test", [])
        if case["alertname"] == name
    ]


def test_an_alert_has_a_series_that_fires_it_and_one_that_must_not(alert):
    firing, quiet = set(), set()
    for test, case, fires in cases_of(alert["alert"]):
        expected = case.get("exp_alerts", [])
        labels = [str(v) for e in expected for v in e["exp_labels"].values()]
        assert not [value for value in labels if value.startswith("quiet")]
        assert all(e["exp_annotations"] for e in expected)
        firing |= series_of(test, "fires") if fires else set()
        quiet |= series_of(test, "quiet")
    assert firing, "no test in which it fires"
    assert firing <= quiet, f"no series of {firing - quiet} that must not fire it"
    # The series are of the metrics that the expression asks, or of what these make.
    assert families(alert["expr"]) & firing or ":" in alert["expr"]


def test_an_alert_waits(alert):
    """Of the test in which it fires, an earlier time at which it does not yet."""
    for test, case, fires in cases_of(alert["alert"]):
        if fires:
            early = [
                minutes(other["eval_time"]) < minutes(case["eval_time"])
                for same, other, does in cases_of(alert["alert"])
                if same is test and not does
            ]
            assert any(early), test["name"]


def test_names_of_alerts_are_unique():
    assert len(ALERTS) == len(rules("alert"))


# ---- what expressions ask for


def test_expressions_ask_for_metrics_that_exist():
    documented = re.findall(
        r"^\| ((?:app|towline)_\w+)", (ROOT / "docs/metrics.md").read_text(), re.M
    )
    known = set(documented)
    known |= {
        name + part for name in documented for part in ("_bucket", "_sum", "_count")
    }
    recorded = {rule["record"] for _, rule in rules("record")}
    for path, rule in rules("expr"):
        text = re.sub(r'"[^"]*"|\[\w+(:\w+)?\]', "", rule["expr"])
        text = re.sub(r"\b(?:on|by|without|ignoring) \([^)]*\)", "", text)
        made = set(re.findall(r"\b\w+(?::\w+)+", text))
        assert made <= recorded, f"{path.name}: {made - recorded} is recorded nowhere"
        for name in families(re.sub(r"\b\w+(?::\w+)+", "", text)):
            assert name in known or FOREIGN.fullmatch(name), f"{path.name}: {name}"


# ---- the README's table


# A number of the table with its unit, and what it may be in an expression.
UNITS = {
    "MiB": lambda n: {f"> {n} * 1024 * 1024"},
    "%": lambda n: {f"> {n / 100:g}"},
    "minutes": lambda n: {f"> {60 * n}", f"[{n}m]"},
    "seconds": lambda n: {f"> {n}"},
    "": lambda n: {f"> {n}", f"== {n}"},
}


def thresholds(text):
    text = text.replace("half an hour", "30 minutes").replace("one ", "0 ")
    for number, unit in re.findall(r"(\d+)(?: (MiB|%|minutes|seconds))?", text):
        yield UNITS[unit](int(number))


def test_a_threshold_that_is_not_the_rules_is_seen():
    assert list(thresholds(" more than 32 MiB, for half an hour ")) == [
        {"> 32 * 1024 * 1024"},
        {"> 1800", "[30m]"},
    ]
    assert list(thresholds(" one in 15 minutes ")) == [
        {"> 0", "== 0"},
        {"> 900", "[15m]"},
    ]


def test_each_row_of_the_on_call_table_names_an_alert():
    text = (ROOT / "README.md").read_text()
    on_call = text.split("## When you are on call\n")[1].split("\n## ")[0]
    (table,) = re.findall(r"(?:^\|.*\n)+", on_call, re.M)
    head, _, *rows = [
        [cell.strip() for cell in re.split(r"(?<!\\)\|", row.strip("|"))]
        for row in table.splitlines()
    ]
    assert head[-1] == "alert"
    assert len(rows) >= 9
    for row in rows:
        assert len(row) == len(head), row
        named = re.findall(r"`([A-Z]\w+)`", row[-1])
        assert named, row[0]
        assert set(named) <= set(ALERTS), row[0]
        for name, threshold, wait in re.findall(
            r"`([A-Z]\w+)`:([^;]*)\((\w+)\)", row[-1]
        ):
            assert ALERTS[name]["for"] == wait, name
            for forms in thresholds(threshold):
                assert any(form in ALERTS[name]["expr"] for form in forms), (
                    f"{name}: {threshold} is not {ALERTS[name]['expr']}"
                )
            named.remove(name)
        assert not named, f"no threshold and no time of {named}"
