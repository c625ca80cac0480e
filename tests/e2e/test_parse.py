"""towline parse: what --explain says, and standard input as it comes."""

import json
import os
import pathlib
import re
import signal
import subprocess
import threading

import pytest
from harness.towline import BINARY, section, towline

HEAD = "2026-11-22T08:00:00Z stdout F "
TRACE = [
    "2026-11-22 08:00:00.1 ERROR [t] a.B - task_id=t-1 pipeline=p execution_time=2s",
    "java.lang.IllegalStateException: x",
    "\tat a.B.c(D.java:1)",
]
WEB = r"^(?<code>\d+) (?<path>[^ ]*)(?<rest> (x+x+)+)?$"


@pytest.fixture
def conf(tmp_path):
    """A configuration whose input has a Parser."""
    web = section("PARSER", Name="web", Format="regex", Regex=WEB, Types="code:integer")
    (tmp_path / "p.conf").write_text(web)
    file = tmp_path / "t.conf"
    file.write_text(
        section("SERVICE", Parsers_File="p.conf")
        + section("INPUT", Name="tail", Path="/none/x", Tag="t", Parser="web")
        + section("OUTPUT", Name="null", Match="*")
    )
    return file


def explained(text, *arguments):
    """[(document, [its lines of explanation])]"""
    done = towline("parse", "--explain", *arguments, text=text)
    assert done.returncode == 0, done.stderr
    records = []
    for line in done.stdout.splitlines():
        if line.startswith("{"):
            records.append((json.loads(line), []))
        else:
            records[-1][1].append(re.sub(" +", " ", line.strip()))
    return records


def test_the_parser_is_named_and_whether_it_matched(conf):
    (_, first), (_, second) = explained("200 /a\nnone of it\n", "-c", conf)
    assert "parser web matched" in first
    assert {"field code = 200", "field path = /a"} <= set(first)
    assert "parser web did not match: the whole line is the log" in second
    (_, cri), (_, plain) = explained(f"{HEAD}a\nb\n")
    assert "cri time = 2026-11-22T08:00:00Z" in cri
    assert "cri not the runtime's format: the whole line is the log" in plain


@pytest.mark.parametrize("name", ["dummy", "stdin", "systemd"])
def test_without_an_input_that_reads_lines_it_says_so(tmp_path, name):
    file = tmp_path / "t.conf"
    file.write_text(
        section("INPUT", Name=name, Tag="t") + section("OUTPUT", Name="null", Match="*")
    )
    lines = tmp_path / "x.log"
    lines.write_text("a line\n")
    done = towline("parse", "-c", file, lines)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"{file} has no [INPUT] tail" in done.stderr


def test_only_what_stands_in_the_document_is_shown(tmp_path, conf):
    lines = [
        *TRACE,
        "2026-11-22 08:00:00.1 INFO [t] a.B - REQUEST_COMPLETED duration=1.5s a=b",
    ]
    text = "".join(f"{HEAD}{line}\n" for line in lines)
    for document, said in explained(text):
        parsed = document["log_parsed"]
        shown = {
            line.split()[1]: line
            for line in said
            if re.match(r"(agent|extra) \S+ =", line)
        }
        assert set(shown) == (set(parsed) | set(parsed.get("extra", {}))) - {"extra"}
    # without [FILTER] kubernetes there is no log_parsed
    bare = tmp_path / "bare.conf"
    bare.write_text(conf.read_text().replace("    Parser web\n", ""))
    for document, said in explained(text, "-c", bare):
        assert "log_parsed" not in document
        assert not [line for line in said if line.startswith(("agent", "extra"))]


def test_why_lines_are_one_record(conf):
    lines = [*TRACE, '{"a":1}']
    text = "".join(f"{HEAD}{line}\n" for line in lines)
    text += HEAD.replace("F", "P") + "par\n" + HEAD + "tial\n"
    trace, json_line, partial = [said for _, said in explained(text)]
    assert any(line.startswith("joined 3 lines") for line in trace)
    assert "ended no line followed that goes on with it" in trace
    assert "ended a JSON object is complete" in json_line
    assert any(line.startswith("joined parts of one line") for line in partial)
    ((_, said),) = explained("200 /a\n", "-c", conf)
    assert "ended each line is a record with Parser 'web'" in said


def test_an_endless_expression_is_said_once(conf):
    text = f"200 /a {'x' * 60}!\n" * 3
    done = towline("parse", "-c", conf, text=text)
    assert [json.loads(x)["log"] for x in done.stdout.splitlines()] == text.split("\n")[
        :3
    ]
    assert done.stderr.count("given up") == 1
    assert "(?<code>" in done.stderr and "68 bytes" in done.stderr


@pytest.fixture
def stream():
    """parse with a pipe as its standard input."""
    process = subprocess.Popen(
        [BINARY, "parse"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    yield process
    process.terminate()
    process.wait()


def files(process):
    """The files that it has open."""
    folder = pathlib.Path(f"/proc/{process.pid}/fd")
    return [pathlib.Path(os.readlink(fd)) for fd in folder.iterdir()]


def window(process):
    return [path for path in files(process) if "towline-parse-" in path.name]


def test_standard_input_is_read_as_it_comes(stream):
    for i in range(3):
        stream.stdin.write(f"{HEAD}line {i}\n".encode())
        stream.stdin.flush()
        assert json.loads(stream.stdout.readline())["log"] == f"line {i}"
    assert not [path for path in files(stream) if path.is_relative_to("/tmp")]
    (file,) = set(window(stream))
    stream.stdin.close()
    assert stream.wait(60) == 0
    assert not file.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_leaves_nothing_behind(stream, number):
    stream.stdin.write(f"{HEAD}a\n".encode())
    stream.stdin.flush()
    assert stream.stdout.readline()
    (file,) = set(window(stream))
    stream.send_signal(number)
    assert stream.wait(60) == -number
    assert not file.exists()


def test_a_long_stream_keeps_a_window_of_it(stream):
    piece = f"{HEAD}{'x' * 1000}\n".encode() * 1000

    def write():
        for _ in range(150):
            stream.stdin.write(piece)
        stream.stdin.flush()

    writer = threading.Thread(target=write)
    writer.start()
    for _ in range(150 * 1000 - 1):  # the last one may still be open
        assert len(json.loads(stream.stdout.readline())["log"]) == 1000
    writer.join()
    (file,) = set(window(stream))
    assert file.stat().st_size == 150 * len(piece)
    assert file.stat().st_blocks * 512 < 100 << 20
    rest, _ = stream.communicate(timeout=60)
    assert rest.count(b"\n") <= 1
    assert not file.exists()
