"""What pods ask by annotation, where the configuration lets them."""

import pytest
from harness.watched import labels, up

PARSERS = r"""
[PARSER]
    Name   of_pod
    Format regex
    Regex  ^(?<first>\w+) (?<rest>.*)$
[PARSER]
    Name   of_container
    Format regex
    Regex  ^(?<word>\w+)
"""


@pytest.fixture
def watched(watched, tmp_path):
    (tmp_path / "parsers.conf").write_text(PARSERS)
    watched.config.service["Parsers_File"] = "parsers.conf"
    watched.filter |= {"K8S-Logging.Parser": "On", "K8S-Logging.Exclude": "On"}
    return watched


def extra(table, text):
    """The fields that a parser found."""
    return table.document(text).get("log_parsed", {}).get("extra", {})


@pytest.mark.parametrize("prefix", ["fluentbit.io", "towline.io"])
def test_a_parser_is_chosen_and_a_containers_own_wins(watched, table, run, prefix):
    pod = watched.pod(
        containers=["a", "b"],
        annotations={
            f"{prefix}/parser": "of_pod",
            f"{prefix}/parser-b": "of_container",
            f"{prefix}/parser_stderr-b": "of_pod",
        },
    )
    pod.log(watched.node, "a").write("one of a")
    log = pod.log(watched.node, "b")
    log.write("two of b")
    log.write("three of b", side="stderr")
    run(watched.config)
    assert extra(table, "one of a") == {"first": "one", "rest": "of a"}
    assert extra(table, "two of b") == {"word": "two"}
    assert extra(table, "three of b") == {"first": "three", "rest": "of b"}


def test_a_parser_that_is_none_is_said(watched, table, run):
    pod, _ = watched.running("a line", annotations={"fluentbit.io/parser": "of_nobody"})
    towline = run(watched.config)
    assert extra(table, "a line") == {}
    towline.until_said(f"pod {pod.name} asks for a parser 'of_nobody'")


def test_logs_are_excluded_and_a_containers_own_wins(watched, table, run):
    excluded, its_log = watched.running(
        "of none", annotations={"fluentbit.io/exclude": "true"}
    )
    pod = watched.pod(
        containers=["a", "b"],
        annotations={
            "fluentbit.io/exclude": "true",
            "towline.io/exclude-b": "false",
            "fluentbit.io/exclude_stderr-b": "true",
        },
    )
    logs = {name: pod.log(watched.node, name) for name in ("a", "b")}
    for name, log in logs.items():
        for side in "stdout", "stderr":
            log.write(f"{side} of {name}", side=side)
    towline = up(run(watched.config))
    table.document("stdout of b")
    # Read to its end, all of it: five lines, of which one is shipped.
    towline.until_metric("towline_records_total", 5)
    towline.until_metric("towline_lag_bytes", 0)
    assert table.logs() == ["stdout of b"]
    excluded.annotate({"fluentbit.io/exclude": None})
    its_log.write("wanted again")
    while "wanted again" not in table.logs():
        its_log.write("wanted again")
    assert "of none" not in table.logs()


def test_annotations_ask_nothing_where_they_may_not(watched, table, run):
    del watched.filter["K8S-Logging.Parser"], watched.filter["K8S-Logging.Exclude"]
    asked = {"fluentbit.io/exclude": "true", "fluentbit.io/parser": "of_pod"}
    watched.running("a line", labels={"app": "a"}, annotations=asked)
    run(watched.config)
    assert labels(table, "a line") == {"app": "a"}
    assert extra(table, "a line") == {}
