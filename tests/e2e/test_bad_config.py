"""Every wrong configuration stops the start: file, line, what is wrong, and the
nearest right name; all findings at once."""

import json
import re

import pytest
from harness.towline import towline

GOOD = """\
[SERVICE]
    Flush 1
    HTTP_Listen 127.0.0.1
    HTTP_Port 0
    State_Path state
[INPUT]
    Name tail
    Path log/containers/*.log
    Parser cri
    Tag a.*
[FILTER]
    Name kubernetes
    Match a.*
[OUTPUT]
    Name null
    Match a.*
"""

# Replace this text of GOOD by that one; then the finding stands in this line.
BAD = {
    "unknown section": ("[FILTER]", "[FILTERS]", 11, "FILTERS.*FILTER"),
    "section by prefix": ("[SERVICE]", "[S]", 1, r"\[S\]"),
    "unknown key in an input": ("Parser cri", "Parsr cri", 9, "Parsr.*Parser"),
    "unknown key in a filter": (
        "Match a.*\n[O",
        "Kube_UR x\n[O",
        13,
        "Kube_UR.*Kube_URL",
    ),
    "unknown input": ("Name tail", "Name tial", 7, "tial.*tail"),
    "unknown filter": (
        "Name kubernetes",
        "Name kubernets",
        12,
        "kubernets.*kubernetes",
    ),
    "unknown output": ("Name null", "Name nul", 15, "nul.*null"),
    "a filter as output": ("Name null", "Name kubernetes", 15, "FILTER"),
    "unknown parser": ("Parser cri", "Parser crii", 9, "crii.*cri"),
    "a multiline parser that nobody defined": (
        "Parser cri",
        "multiline.parser docker, mine",
        9,
        "no parser 'mine'",
    ),
    "no bool": ("HTTP_Port 0", "HTTP_Server maybe", 4, "maybe"),
    "no time": ("Flush 1", "Flush soon", 2, "soon"),
    "no number": ("HTTP_Port 0", "HTTP_Port http", 4, "http"),
    "a port too large": ("HTTP_Port 0", "HTTP_Port 70000", 4, "70000|65535"),
    "no offset": ("Parser cri", "Time_Offset 1h", 9, "Time_Offset.*1h.*hhmm"),
    "no size": ("Parser cri", "Buffer_Max_Size big", 9, "big"),
    "no Path": ("    Path log/containers/*.log\n", "", 6, "Path"),
    "no Match of one of several": (
        "[OUTPUT]\n",
        "[OUTPUT]\n    Name null\n[OUTPUT]\n",
        14,
        "no Match",
    ),
    "no Name": ("    Name null\n", "", 14, "Name"),
    "an input no output matches": (
        "null\n    Match a.*",
        "null\n    Match b.*",
        10,
        "a\\.",
    ),
    "a parser of a parsers' file that is not there": (
        "Flush 1\n    HTTP_Listen 127.0.0.1\n    HTTP_Port 0\n    State_Path state\n"
        "[INPUT]\n    Name tail\n    Path log/containers/*.log\n    Parser cri",
        "Parsers_File nowhere.conf\n[INPUT]\n    Name tail\n"
        "    Path log/containers/*.log\n    Parser of_ours",
        6,
        "no parser 'of_ours' .* Parsers_File that is not there",
    ),
    "an include that is not there": (
        "[INPUT]",
        "@INCLUDE nowhere.conf\n[INPUT]",
        6,
        "nowhere",
    ),
    "an option of another plugin": ("Name null", "Name null\n    Host x", 16, "Host"),
    "a comment behind a path": ("s/*.log", "s/*.log  # all", 8, "Path: the #"),
    "a comment behind a Match": (
        "null\n    Match a.*",
        "null\n    Match a.* #x",
        16,
        "Match: the #",
    ),
    "a path in quotes": ("log/containers/*.log", '"/log/*.log"', 8, "Path: the quotes"),
    "a user without a password": (
        "Name null",
        "Name es\n    HTTP_User elastic",
        16,
        "HTTP_User has no password",
    ),
    "two outputs of one name": (
        "Name null",
        "Name null\n    Match a.*\n    Alias one\n[OUTPUT]\n    Name null\n    Alias one",
        20,
        "the .OUTPUT. at .*:14 is called 'one', too",
    ),
    "an Alias that the state would cut": (
        "Name null",
        "Name null\n    Alias " + "a" * 64,
        16,
        "Alias: more than 63 bytes",
    ),
    "two outputs that write to one file": (
        "[OUTPUT]\n",
        "[OUTPUT]\n    Name sqlite\n    Match a.*\n    Path /x/a.db\n"
        "[OUTPUT]\n    Name sqlite\n    Match a.*\n    Path /x/a.db\n[OUTPUT]\n",
        21,
        "Path '/x/a.db' is that of the .OUTPUT. at .*:14, too",
    ),
    "an input of Fluent Bit's": (
        "Name tail",
        "Name http",
        7,
        "http is Fluent Bit's and not built yet; .*tail; with Unbuilt_Inputs skip",
    ),
    "an output of Fluent Bit's": (
        "Name null",
        "Name loki",
        15,
        "loki is .*; .*es.*; with Unbuilt_Outputs skip",
    ),
    "a parser of further lines that nobody defines": (
        "Parser cri",
        "Multiline On\n    Parser_Firstline json\n    Parser_1 jsn",
        11,
        "no parser 'jsn' is defined; did you mean 'json'",
    ),
    "an input that is not routable": (
        "Parser cri",
        "Routable off",
        9,
        "Routable off would discard all that .INPUT. tail reads: leave",
    ),
    "two encodings": (
        "Parser cri",
        "generic.encoding GBK\n    unicode.encoding auto",
        10,
        "unicode.encoding and generic.encoding both",
    ),
    "an encoding that there is not": (
        "Parser cri",
        "unicode.encoding UTF-32",
        9,
        "UTF-8.*UTF-16LE.*UTF-16BE.*auto",
    ),
    "a known option not built yet": (
        "Flush 1",
        "Streams_File streams.conf",
        2,
        "Streams_File.*not built yet",
    ),
}


# What Fluent Bit starts with: so does towline, and says what it does instead.
LENIENT = {
    "unknown key in SERVICE": ("Flush 1", "Flsh 1", 2, "note: .*Flsh.*Flush"),
    "Daemon": ("Flush 1", "Daemon On", 2, "warning: Daemon"),
    "one input, one output": (
        "    Name null\n    Match a.*\n",
        "    Name null\n",
        None,
        None,
    ),
    "an input that is routable": ("Parser cri", "Routable on", None, None),
    "a further SERVICE": (
        "[INPUT]",
        "[SERVICE]\n    Grace 2\n[INPUT]",
        6,
        "note: a further .SERVICE.: its keys count",
    ),
    "a filter without Match": (
        "kubernetes\n    Match a.*",
        "kubernetes",
        11,
        "warning: .*applies to nothing",
    ),
    "a parsers' file that is not there": (
        "Flush 1",
        "Parsers_File /fluent-bit/etc/parsers.conf",
        2,
        "warning: .*no such file",
    ),
    "a key twice": ("Flush 1", "Flush 1\n    Flush 2", 3, "warning: .*twice"),
    "a size beyond the cap": (
        "Parser cri",
        "Buffer_Max_Size 5G",
        9,
        "warning: .*16000000, which is taken",
    ),
    "options of Fluent Bit that mean nothing here": (
        "Parser cri",
        "Docker_Mode_Flush 4",
        9,
        "note: .*no effect",
    ),
    "an option that is not built, and off": (
        "Flush 1",
        "Streams_File off",
        2,
        "note: .*off anyway",
    ),
    "plugins of others": ("Flush 1", "Plugins_File plugins.conf", 2, "note: .*effect"),
    "another form of standard output": (
        "Name null",
        "Name stdout\n    Format msgpack",
        16,
        "warning: .*a JSON document a line",
    ),
    "an input that measures": (
        "[FILTER]",
        "[INPUT]\n    Name cpu\n    Tag cpu\n[FILTER]",
        12,
        "warning: .*cpu.*skipped",
    ),
    "a filter that measures": (
        "[FILTER]",
        "[FILTER]\n    Name throttle\n    Match *\n    Rate 5\n[FILTER]",
        12,
        "warning: .*throttle.*skipped",
    ),
    "an output that is skipped": (
        "    Flush 1\n",
        "    Unbuilt_Outputs skip\n[OUTPUT]\n    Name loki\n    Match *\n@SET a=b\n",
        4,
        "warning: .*loki.*skipped, nothing goes there",
    ),
}


# An option that may stand several times: the lines marked with ! are wrong, no others.
SEVERAL = """\
[INPUT]
    Name tail
    Path log/a
    Path log/b
    Tag a.*
    multiline.parser nope                   !
    multiline.parser go, mine
[INPUT]
    Name systemd
    Tag j
    Systemd_Filter _SYSTEMD_UNIT            !
    Systemd_Filter _SYSTEMD_UNIT=a.service
[PARSER]
    Name p
    Format json
    Decode_Field_As json log
    Decode_Field_As nope log                !
    Decode_Field json log
[MULTILINE_PARSER]
    name mine
    type regex
    rule "start_state" "/^x/" "cont"
    rule "cont" "/^[/" "cont"               !
    rule "cont" "/^z/" "cont"
[FILTER]
    Name grep
    Match *
    Regex log [a                            !
    Exclude log b
    Regex log c
[FILTER]
    Name modify
    Match *
    Set a                                   !
    Set b 1
    Rename c                                !
    Rename d e
    Condition Key_exist k                   !
    Condition Key_value_matches k [a        !
    Condition Key_exists k
[FILTER]
    Name record_modifier
    Match *
    Record ${NOBODY_SETS_IT}                !
    Record b c
[FILTER]
    Name rewrite_tag
    Match a.*
    Rule $log ^a b.$TAG maybe               !
    Rule $log ^c d.$TAG false
[FILTER]
    Name parser
    Match *
    Key_Name log
    Parser nobody                           !
    Parser json
[OUTPUT]
    Name null
    Match *
"""


@pytest.fixture
def write(tmp_path, node):
    def write(text):
        file = tmp_path / "towline.conf"
        file.write_text(text)
        return file

    return write


def findings(text, file):
    """[(line, what)] of the errors, as FILE:LINE: WHAT."""
    found = re.findall(rf"^{re.escape(str(file))}:(\d+): (.*)$", text, re.M)
    return [
        (int(n), what) for n, what in found if not what.startswith(("note", "warning"))
    ]


def test_the_good_one_is_good(write, tmp_path):
    done = towline("check", "-c", write(GOOD), cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("case", BAD)
def test_a_bad_one_is_found(write, tmp_path, case):
    old, new, line, what = BAD[case]
    assert old in GOOD
    file = write(GOOD.replace(old, new, 1))
    for command in "check", "run":
        done = towline(command, "-c", file, cwd=tmp_path)
        assert done.returncode == 1, done.stdout + done.stderr
        found = findings(done.stdout + done.stderr, file)
        matching = [n for n, text in found if re.search(what, text)]
        assert matching == [line], done.stdout + done.stderr
        assert not (tmp_path / "state").exists()


def test_all_findings_come_at_once(write, tmp_path):
    text = (
        GOOD.replace("Flush 1", "Flush x")
        .replace("Parser", "Parsr")
        .replace("null", "nul")
    )
    file = write(text)
    done = towline("check", "-c", file, cwd=tmp_path)
    assert [n for n, _ in findings(done.stdout + done.stderr, file)] == [2, 9, 15]


def test_of_an_option_that_repeats_the_wrong_line_is_named(write, tmp_path):
    lines = SEVERAL.splitlines()
    wrong = [i + 1 for i, line in enumerate(lines) if line.endswith("!")]
    file = write("\n".join(line.rstrip(" !") for line in lines) + "\n")
    for command in "check", "run":
        done = towline(command, "-c", file, cwd=tmp_path)
        assert done.returncode == 1, done.stdout + done.stderr
        found = [n for n, _ in findings(done.stdout + done.stderr, file)]
        assert found == wrong, done.stdout + done.stderr


@pytest.mark.parametrize("case", LENIENT)
def test_what_fluent_bit_starts_with_is_right(write, tmp_path, case):
    old, new, line, what = LENIENT[case]
    assert old in GOOD
    file = write(GOOD.replace(old, new, 1))
    done = towline("check", "-c", file, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.findall(rf"^{re.escape(str(file))}:(\d+): (.*)$", done.stdout, re.M)
    matching = [int(n) for n, text in found if re.search(what or "^$", text)]
    assert matching == ([line] if line else []), done.stdout


def test_a_file_of_two_inputs_is_the_firsts(config, run, node, tmp_path):
    """Each line comes once, by the first one's tag, over restarts and rotations, too."""
    settings = config({"Name": "stdout"}, {"Name": "null", "Match": "b.*"})
    settings.inputs.append(dict(settings.inputs[0], Tag="b.*"))
    settings.inputs[0]["Path"] = node.path.replace("*", "matillion*")
    shared = node.container()
    shared.write("one", "two")
    other = node.container(pod="elsewhere-0")
    other.write("three")
    out = tmp_path / "out"
    shell = ("sh", "-c", f'exec "$@" >> {out}', "sh")
    for more in "four", "five":
        done = run(settings, "--exit-on-eof", wait=False, under=shell)
        assert done.wait() == 0
        assert "can name one file" in done.said()
        shared.rotate()
        shared.write(more)
    done = run(settings, "--exit-on-eof", wait=False, under=shell)
    assert done.wait() == 0
    found = [json.loads(line) for line in out.read_text().splitlines()]
    assert sorted(d["log"] for d in found) == ["five", "four", "one", "two"]


def test_traps_of_the_old_grammar_are_none(write, tmp_path):
    text = GOOD.replace("    Flush 1", "\tFLUSH\t\t1\n   \t \n# a comment\n  # another")
    assert towline("check", "-c", write(text), cwd=tmp_path).returncode == 0


def test_a_file_that_is_not_there(tmp_path):
    done = towline("check", "-c", tmp_path / "none.conf")
    assert done.returncode == 1 and "none.conf" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "arguments", [["frobnicate"], ["run", "--no-such"], ["report", "x"], ["run", "-c"]]
)
def test_wrong_usage_is_2(arguments):
    done = towline(*arguments)
    assert done.returncode == 2 and done.stderr


def test_help_names_every_command_and_fluent_bits_spelling_works(write, tmp_path):
    for arguments in ["help"], ["--help"]:
        done = towline(*arguments)
        assert done.returncode == 0
        for command in "run", "check", "parse", "report", "version", "help":
            assert re.search(rf"^ +{command}\b", done.stdout, re.M), done.stdout
    assert towline("version").stdout.startswith("towline ")
    file = write(GOOD)
    assert towline("-c", file, "--dry-run", cwd=tmp_path).returncode == 0
    assert towline("-c", file, "--exit-on-eof", cwd=tmp_path).returncode == 0


def test_a_port_in_use_stops_the_start(write, tmp_path, run):
    first = run(write(GOOD.replace("State_Path state", f"State_Path {tmp_path}/first")))
    port = first.address[1]
    other = tmp_path / "other.conf"
    other.write_text(GOOD.replace("HTTP_Port 0", f"HTTP_Port {port}"))
    done = towline("run", "-c", other, cwd=tmp_path)
    assert done.returncode == 1 and str(port) in done.stderr


def test_a_state_folder_that_cannot_be_written_stops_the_start(write, tmp_path):
    (tmp_path / "state").write_text("a file")
    done = towline("run", "-c", write(GOOD), cwd=tmp_path)
    assert done.returncode == 1 and "state" in done.stderr


def shared_directory(path):
    path.mkdir()
    path.chmod(0o777)
    return "it may be written by every user"


def below_nothing(path):
    path.parent.rmdir()
    return "its directory is not there"


def a_file(path):
    path.write_text("")
    return "it is no directory"


def a_directory(path):
    path.mkdir()
    return "it is no regular file"


def a_link(path):
    path.symlink_to(path.parent / "other")
    return "it is a link, which is not followed"


@pytest.mark.parametrize(
    "option, fault",
    [
        ("State_Path", shared_directory),
        ("State_Path", below_nothing),
        ("State_Path", a_file),
        ("Log_File", below_nothing),
        ("Log_File", a_directory),
        ("Log_File", a_link),
    ],
)
def test_places_that_stop_the_start_are_told_by_check(write, tmp_path, option, fault):
    """As a note: check may run on another machine, or as another user."""
    place = tmp_path / "folder" / "place"
    place.parent.mkdir()
    why = fault(place)
    given = f"    {option} {place}\n"
    file = write(GOOD.replace("    State_Path state\n", given))
    state = ["--state", tmp_path / "state"] if option == "Log_File" else []
    note = f"{file}:5: note: {option} '{place}' cannot be used here: {why}; run does not start"
    before = sorted(tmp_path.rglob("*"))
    check = towline("check", "-c", file)
    assert check.returncode == 0 and note in check.stdout
    assert sorted(tmp_path.rglob("*")) == before
    run = towline("run", "--exit-on-eof", *state, "-c", file)
    assert run.returncode == 1 and note in run.stderr


def test_right_places_are_not_told(write, tmp_path):
    for state in "state", tmp_path / "new", f"{tmp_path}/new/", tmp_path, "/tmp":
        for log in "/dev/stderr", tmp_path / "said", "said":
            given = f"State_Path {state}\n    Log_File {log}"
            check = towline(
                "check", "-c", write(GOOD.replace("State_Path state", given))
            )
            assert "cannot be used here" not in check.stdout
