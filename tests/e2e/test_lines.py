"""What becomes of single lines: long ones, parts, sides, traces, bad bytes."""

import pytest
from harness.node import cri
from harness.table import Table


@pytest.fixture
def shipped(tmp_path, node, config, run):
    """Ship bytes (or CRI lines) as one container's log; returns its documents by time."""

    def ship(*lines, parsers_file=None, filters=None, environment=None, **options):
        table = Table(tmp_path / "logs.db")
        data = b"".join(x if isinstance(x, bytes) else x.encode() for x in lines)
        node.container().raw(data)
        settings = config(table.output)
        settings.inputs[0].update(options)
        if "multiline.parser" in options:
            del settings.inputs[0]["Parser"]
        if filters is not None:
            settings.filters = filters
        if parsers_file:
            settings.service["Parsers_File"] = parsers_file
        towline = run(settings, "--exit-on-eof", wait=False, environment=environment)
        assert towline.wait() == 0
        return sorted(table.documents(), key=lambda d: d.get("time", ""))

    return ship


def test_parts_are_joined_by_side(shipped):
    a, b = shipped(
        cri("out 1 ", tag="P"),
        cri("err 1 ", side="stderr", tag="P"),
        cri("out 2"),
        cri("err 2", side="stderr"),
    )
    assert (a["log"], a["stream"], a["logtag"]) == ("out 1 out 2", "stdout", "P")
    assert (b["log"], b["stream"]) == ("err 1 err 2", "stderr")


def test_a_line_beyond_the_cap_is_cut_and_marked(shipped):
    parts = [cri("x" * 16384, tag="P") for _ in range(20)]
    long, after = shipped(*parts, cri("end"), cri("after"), Buffer_Max_Size="100000")
    assert long["log_truncated"] is True and set(long["log"]) == {"x"}
    assert len(long["log"]) <= 100000
    assert after["log"] == "after" and "log_truncated" not in after


def test_the_default_cap_holds_a_megabyte(shipped):
    (whole,) = shipped(cri("y" * 900_000))
    assert len(whole["log"]) == 900_000 and "log_truncated" not in whole


def test_bytes_that_are_not_utf8_become_the_replacement_character(shipped):
    head = cri("").encode()[:-1]
    (document,) = shipped(head + b"caf\xe9 \xff\xfe \xc3\n")
    assert document["log"] == "caf\ufffd \ufffd\ufffd \ufffd"


def test_control_characters_and_quotes_survive(shipped):
    text = 'tab\t quote" back\\slash \x01 \x7f é 日本 🚀'
    (document,) = shipped(cri(text))
    assert document["log"] == text


def test_colours_are_stripped_from_log(shipped):
    (document,) = shipped(cri("\x1b[31mERROR\x1b[0;39m [x] failed"))
    assert document["log"] == "ERROR [x] failed"


def test_a_line_that_is_not_cri_is_shipped_and_counted(shipped):
    documents = shipped("not a runtime's line\n", cri("a line"))
    assert sorted(d["log"] for d in documents) == ["a line", "not a runtime's line"]


DOCKER = '{{"log":"{}","stream":"stderr","time":"2026-11-22T08:00:00.5Z"}}\n'


@pytest.mark.parametrize("parser", ["containerd", "docker_no_time"])
def test_a_runtimes_lines_are_told_whatever_the_parsers_name(shipped, parser, tmp_path):
    """An input's other lines are still the parser's, where it has any."""
    parsers = tmp_path / "parsers.conf"
    parsers.write_text("""\
[PARSER]
    Name containerd
    Format regex
    Regex ^(?<time>[^ ]+) (?<stream>stdout|stderr) (?<logtag>[^ ]*) (?<log>.*)$
    Time_Key time
    Time_Format %Y-%m-%dT%H:%M:%S.%L%z
[PARSER]
    Name docker_no_time
    Format json
    Time_Key time
    Time_Format %Y-%m-%dT%H:%M:%S.%L
    Time_Keep off
""")
    first, second, other = (
        DOCKER.format("part "),
        DOCKER.format("end\\n"),
        '{"time":"2026-11-22T08:00:01.25Z","own":1}\n',
    )
    if parser == "containerd":
        time = "2026-11-22T08:00:00.500000000Z"
        first, second = f"{time} stderr P part \n", f"{time} stderr F end\n"
    last, *joined = shipped(
        first, second, other, parsers_file=str(parsers), Parser=parser
    )
    assert [(d["log"], d["stream"], d["logtag"]) for d in joined] == [
        ("part end", "stderr", "P")
    ]
    assert joined[0]["time"].startswith("2026-11-22T08:00:00.5")
    if parser == "containerd":
        assert last["log"] == other.strip()
    else:
        assert (last["own"], last["@timestamp"][:22]) == (1, "2026-11-22T08:00:01.25")


@pytest.mark.parametrize(
    ("offset", "hour"), [({}, "08"), ({"Time_Offset": "+0100"}, "07")]
)
def test_a_plain_line_has_the_time_that_it_begins_with(shipped, offset, hour):
    """Without a zone it is UTC, or Time_Offset; a line without a time has the last one's."""
    documents = shipped(
        "2026-11-22 08:00:00,001 INFO  [main] c.m.Agent - logback\n",
        "2026-11-22T08:00:00.002 INFO 1 --- [app] [main] c.m.Agent : spring\n",
        "2026-11-22T09:00:00.003+01:00 INFO 1 --- [app] [main] c.m.Agent : zone\n",
        "2026-11-22 03:00:00.004 -0500 INFO  [main] c.m.Agent - zone apart\n",
        '{"timestamp":1795334400005,"level":"INFO","message":"epoch"}\n',
        '{"text":"no time"}\n',
        **offset,
    )
    zoned, last = "2026-11-22T08:00:00.00{}", "2026-11-22T08:00:00.005"
    assert [d["@timestamp"][:23] for d in documents] == [
        f"2026-11-22T{hour}:00:00.001",
        f"2026-11-22T{hour}:00:00.002",
        zoned.format(3),
        zoned.format(4),
        last,
        last,
    ]
    assert not any("time" in d for d in documents)


@pytest.mark.parametrize(
    ("options", "tz", "hours"),
    [
        ("Time_Zone Europe/Vienna", "Asia/Tokyo", ("11", "10")),
        ("Time_Zone America/New_York\n    Time_Offset +0100", "", ("17", "16")),
        ("Time_System_Timezone on", "Europe/Vienna", ("11", "10")),
        ("Time_System_Timezone on", ":/usr/share/zoneinfo/Europe/Vienna", ("11", "10")),
        ("Time_System_Timezone on", "XST3XDT,M3.2.0,M11.1.0", ("15", "14")),
        ("Time_System_Timezone on", "", ("12", "12")),
        ("Time_Offset -0300", "Europe/Vienna", ("15", "15")),
    ],
)
def test_a_time_without_a_zone_is_of_the_parsers(shipped, tmp_path, options, tz, hours):
    """In winter and in summer; %z in the text goes before it."""
    parsers = tmp_path / "parsers.conf"
    parsers.write_text(f"""\
[PARSER]
    Name clock
    Format regex
    Regex ^(?<at>[^ ]+ [^ ]+) (?<text>.*)$
    Time_Key at
    Time_Format %Y-%m-%d %H:%M:%S
    {options}
[PARSER]
    Name zoned
    Format regex
    Regex ^(?<at>[^ ]+ [^ ]+ [^ ]+) zoned$
    Time_Key at
    Time_Format %Y-%m-%d %H:%M:%S %z
    {options}
""")
    both = {"Name": "parser", "Match": "*", "Key_Name": "log", "Parser": "zoned"}
    documents = shipped(
        "2026-01-15 12:00:00 winter\n",
        "2026-07-15 12:00:00 summer\n",
        "2026-07-15 12:00:00 +0100 zoned\n",
        parsers_file=str(parsers),
        filters=[both, both | {"Parser": "clock"}],
        environment={"TZ": tz},
    )
    assert [d["@timestamp"][:13] for d in documents] == [
        f"2026-01-15T{hours[0]}",
        f"2026-07-15T{hours[1]}",
        "2026-07-15T11",
    ]


def test_without_a_parser_multiline_parser_docker_reads_its_lines(shipped):
    (joined,) = shipped(
        DOCKER.format("part "),
        DOCKER.format("end\\n"),
        **{"multiline.parser": "docker, cri"},
    )
    assert (joined["log"], joined["stream"]) == ("part end", "stderr")
    assert joined["time"] == "2026-11-22T08:00:00.5Z"


GO = """\
panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.main()
\t/src/main.go:8 +0x1d"""
PYTHON = """\
Traceback (most recent call last):
  File "/src/load.py", line 7, in <module>
    load()
ValueError: no rows"""
RUBY = """\
/src/load.rb:3:in `load': no rows (ArgumentError)
\tfrom /src/load.rb:7:in `<main>'"""


@pytest.mark.parametrize(
    "name", ["go", "python", "ruby", "cri, go, python, ruby, java"]
)
def test_a_trace_of_another_language_is_in_one_record(shipped, name):
    """multiline.parser may name them, as in Fluent Bit."""
    traces = [GO, PYTHON, RUBY]
    lines = [
        cri(line)
        for trace in traces
        for line in ["2026-11-22 08:00:00 INFO next", *trace.split("\n")]
    ]
    documents = shipped(*lines, **{"multiline.parser": name})
    logs = [d["log"] for d in documents]
    assert [sum(trace in log for log in logs) for trace in traces] == [1, 1, 1]


OWN = """\
[MULTILINE_PARSER]
    name          own
    type          regex
    flush_timeout 1000
    rule "start_state" "/^\\d+ started/" "cont"
    rule "cont"        "/^ +#/"         "cont"
[MULTILINE_PARSER]
    name          sql
    type          endswith
    match_string  ;
"""


@pytest.mark.parametrize("place", ["input", "filter", "filter of other tags"])
def test_rules_of_ones_own_join_lines(shipped, tmp_path, place):
    """The id stays that of the first line: the filter's rules hold where records are cut."""
    parsers = tmp_path / "parsers.conf"
    parsers.write_text(OWN)
    lines = ["7 started", "  # one", "select", "1;", "8 started", "9 started", " # two"]
    options = {"multiline.parser": "cri, own, sql"}
    if place != "input":
        match = "*" if place == "filter" else "other.*"
        options["Name"] = "multiline"
        options["Match"] = match
        options["multiline.key_content"] = "log"
        options = {"filters": [options]}
    documents = shipped(*map(cri, lines), parsers_file=str(parsers), **options)
    joined = ["7 started\n  # one", "select\n1;", "8 started", "9 started\n # two"]
    assert [d["log"] for d in documents] == (lines if "other" in place else joined)


FIRST = """\
[PARSER]
    Name        first
    Format      regex
    Regex       ^(?<time>\\w+ +\\d+ [\\d:]+) (?<message>.*)$
    Time_Key    time
    Time_Format %b %d %H:%M:%S
"""


def test_multiline_and_parser_firstline(shipped, tmp_path):
    """The first line's fields; the last one has the further lines."""
    parsers = tmp_path / "parsers.conf"
    parsers.write_text(FIRST)
    lines = [
        "before\n",
        "\n",
        "Nov 22 08:00:00 a b\n",
        "  at c\n",
        "Nov 22 08:00:01 d\n",
    ]
    documents = shipped(
        *lines,
        parsers_file=str(parsers),
        filters=[],
        **{"Multiline": "On", "Parser_Firstline": "first"},
        **{"Offset_Key": "at", "Skip_Empty_Lines": "On"},
    )
    assert [(d["at"], d.get("message")) for d in documents] == [
        (0, None),
        (8, "a b\n  at c"),
        (35, "d"),
    ]
    assert documents[0]["log"] == "before"
    assert [d["@timestamp"][4:19] for d in documents[1:]] == [
        "-11-22T08:00:00",
        "-11-22T08:00:01",
    ]


def test_parser_n_reads_further_lines(shipped, tmp_path):
    """The first that reads a line: its fields are the record's; other lines are text."""
    parsers = tmp_path / "parsers.conf"
    parsers.write_text(
        FIRST
        + """
[PARSER]
    Name   cause
    Format regex
    Regex  ^Caused by: (?<cause>.*)$
[PARSER]
    Name   pairs
    Format regex
    Regex  ^  (?<key>[a-z]+) is (?<count>\\d+)$
    Types  count:integer
"""
    )
    lines = [
        "Nov 22 08:00:00 failed\n",
        "  at c\n",
        "  n is 7\n",
        "Caused by: d\n",
        "  at e\n",
        "Nov 22 08:00:01 next\n",
    ]
    failed, following = shipped(
        *lines,
        parsers_file=str(parsers),
        filters=[],
        **{"Multiline": "On", "Parser_Firstline": "first"},
        **{"Parser_1": "cause", "Parser_2": "pairs"},
    )
    names = ("message", "cause", "key", "count", "log")
    assert [failed.get(n) for n in names] == [
        "failed\n  at c\n  at e",
        "d",
        "n",
        7,
        None,
    ]
    assert [following.get(n) for n in names] == ["next", None, None, None, None]


def test_docker_mode_parser_tells_the_first_line(shipped, tmp_path):
    parsers = tmp_path / "parsers.conf"
    parsers.write_text(FIRST)
    lines = ["Nov 22 08:00:00 a\\n", "b\\n", "Nov 22 08:00:01 c\\n"]
    documents = shipped(
        *map(DOCKER.format, lines),
        parsers_file=str(parsers),
        **{"Docker_Mode": "On", "Docker_Mode_Parser": "first", "Parser": "docker"},
    )
    assert [d["log"] for d in documents] == [
        "Nov 22 08:00:00 a\nb",
        "Nov 22 08:00:01 c",
    ]


def test_lines_of_another_encoding_become_utf8(shipped):
    head = cri("").encode()[:-1]
    (document,) = shipped(
        head + "日本 é".encode("cp932", "replace") + b"\n",
        **{"generic.encoding": "ShiftJIS"},
    )
    assert document["log"] == "日本 ?"


def test_an_empty_line_is_a_line(shipped):
    assert [d["log"] for d in shipped(cri("a"), cri(""), cri("b"))] == ["a", "", "b"]


def test_a_trace_is_one_record_though_stderr_speaks_between(shipped):
    head = "2026-11-22T08:00:00.001Z ERROR 1 --- [a] [t] c.m.A : failed"
    trace = ["", "a.b.OuterException: no", "\tat a.B.c(B.java:1)"]
    trace += ["Caused by: a.b.InnerException: why", "\t... 3 common frames omitted"]
    lines = [cri(head), cri("noise", side="stderr"), *map(cri, trace)]
    joined, noise = shipped(*lines, cri("noise", side="stderr"))[:2]
    assert joined["log"] == "\n".join([head, *trace])
    parsed = joined["log_parsed"]
    assert parsed["error_type"] == "a.b.OuterException"
    assert parsed["root_error_type"] == "a.b.InnerException"
    assert noise["log"] == "noise"


def test_durations_survive_as_they_were_written(shipped):
    times = ["12.5", "3", "0.1", "1e2", "7.250"]
    lines = [cri(f"TASK_COMPLETED task_id=t{t} execution_time={t}") for t in times]
    documents = shipped(*lines)
    values = [d["log_parsed"]["execution_time"] for d in documents]
    assert values == [12.5, 3.0, 0.1, 100.0, 7.25]
    assert all(isinstance(value, float) for value in values)


def test_hostile_numbers_are_no_field_and_the_line_is_shipped(shipped):
    bad = ["-1", "NaN", "Infinity", "1,5", "1e999", ""]
    documents = shipped(
        *(cri(f"TASK_COMPLETED task_id=t execution_time={b}") for b in bad)
    )
    assert len(documents) == len(bad)
    for document in documents:
        assert "execution_time" not in document["log_parsed"]
        assert document["log_parsed"]["event"] == "TASK_COMPLETED"


def test_a_line_cannot_overwrite_what_towline_writes(shipped):
    line = (
        '{"kubernetes":{"pod_name":"x"},"@timestamp":"1999","log":"x","level":"INFO"}'
    )
    (document,) = shipped(cri(line))
    assert document["kubernetes"]["pod_name"] == "matillion-agent-0"
    assert document["@timestamp"].startswith("20") and document["log"] == line
