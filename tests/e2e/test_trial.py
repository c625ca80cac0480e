"""[INPUT] dummy and stdin, for tests and trials."""

import pytest
from harness.towline import towline

TIME = "2026-11-22T08:00:00.1Z"


@pytest.fixture
def trial(settings):
    """The configuration of one such input."""

    def of(name, **options):
        settings.inputs = [{"Name": name, "Tag": "trial.*"} | options]
        settings.filters = []
        settings.service["HTTP_Server"] = "Off"
        settings.outputs[0]["Match"] = "trial.*"
        return settings.write()

    return of


def documents(table):
    return [
        {key: d[key] for key in d if key != "@timestamp"} for d in table.documents()
    ]


def test_records_are_made_up(trial, table):
    record = '{"hello": "world", "n": {"m": 1}}'
    options = {"Rate": 100, "Samples": 3, "Copies": 2, "Dummy": record}
    done = towline("run", "-c", trial("dummy", **options), "--exit-on-eof")
    assert done.returncode == 0, done.stderr
    assert documents(table) == [{"hello": "world", "n": {"m": 1}}] * 6


def test_lines_of_standard_input_end_the_run(trial, table):
    text = '{"a": 1}\nplain\n{"cut": \n\nlast, without a newline'
    done = towline("run", "-c", trial("stdin"), text=text)
    assert done.returncode == 0, done.stderr
    assert documents(table) == [
        {"a": 1},
        {"log": "plain"},
        {"log": '{"cut": '},
        {"log": ""},
        {"log": "last, without a newline"},
    ]


@pytest.mark.parametrize(
    "parser, line, want",
    [
        ("cri", f"{TIME} stdout F hello", {"stream": "stdout", "logtag": "F"}),
        ("docker", '{"log": "hello", "time": "%s"}' % TIME, {}),
    ],
)
def test_a_runtimes_parser_reads_lines_of_standard_input(
    trial, table, parser, line, want
):
    done = towline("run", "-c", trial("stdin", Parser=parser), text=f"{line}\nother\n")
    assert done.returncode == 0, done.stderr
    hello = {"log": "hello", "time": TIME} | want
    assert documents(table) == [hello, {"log": "other"}]


def test_a_long_line_is_cut_and_its_rest_is_passed_over(trial, table):
    text = f"{'x' * 300000}\nafter\n" + "y\n" * 3000
    done = towline("run", "-c", trial("stdin", Buffer_Max_Size=2000), text=text)
    assert done.returncode == 0, done.stderr
    long, after, *rest = documents(table)
    assert long.pop("log_truncated") and set(long["log"]) == {"x"}
    assert len(long["log"]) == 2000 and after == {"log": "after"}
    assert rest == [{"log": "y"}] * 3000


def test_mistakes(trial, settings):
    assert (
        "not a JSON object" in towline("check", "-c", trial("dummy", Dummy="x")).stdout
    )
    trial("stdin")
    settings.inputs *= 2
    done = towline("check", "-c", settings.write())
    assert done.returncode == 1 and "has one reader" in done.stdout
