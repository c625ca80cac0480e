"""The stand-in agent's truth file against a count of its log that shares no code
with it, and the container runtime's way of writing."""

import json
import re
import subprocess
import sys
from collections import Counter, defaultdict

import pytest
from harness import agent

LINE = re.compile(rb"(\S+) (stdout|stderr) ([PF]) (.*)")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
START = re.compile(r"\d{4}-\d\d-\d\d[ T]")
CLASS = re.compile(r"(?:Caused by: )?((?:\w+\.)+[\w$]+)(?::|$)")
FIELD = re.compile(r'(\w+)=("[^"]*"|\S+)')
UNITS = re.compile(r"(?:PT)?(\d[\d.]*)(ms|s|S)?")


def lines_of(node):
    """{side: its lines, parts joined}, over rotated files in their order."""
    sides, parts = defaultdict(list), defaultdict(bytes)
    files = sorted(node.root.glob("pods/*/*/0.log*"), key=lambda f: f.name == "0.log")
    for file in files:
        for line in file.read_bytes().splitlines():
            _, side, tag, content = LINE.fullmatch(line).groups()
            parts[side] += content
            if tag == b"F":
                sides[side.decode()].append(parts.pop(side).decode())
    assert not parts
    return sides


def records_of_text(lines):
    """Logback text: (level, message's fields, text)."""
    records = []
    for line in (COLOUR.sub("", line) for line in lines):
        if START.match(line) or not records or not START.match(records[-1][0]):
            records.append([line])
        else:
            records[-1].append(line)
    for record in records:
        blank = len(record) > 2 and record[-1] == ""
        text = "\n".join(record[:-1] if blank else record)
        level = re.search(r"\b(INFO|WARN|ERROR)\b", record[0])
        event = re.search(
            r'(?<![\w"])(TASK_\w+|HEARTBEAT|REQUEST_COMPLETED)\b', record[0]
        )
        fields = {k: v.strip('"') for k, v in FIELD.findall(record[0])}
        yield level and level[1], event and event[1], fields, record[1:], text
        if blank:
            yield None, None, {}, [], ""


def records_of_json(lines):
    for line in lines:
        d = json.loads(line)
        trace = d.get("stack_trace") or d.get("error", {}).get("stack_trace", "")
        event = d.get("event")
        if isinstance(event, dict):
            event = event["action"]
        yield d.get("level") or d["log"]["level"], event, d, trace.split("\n"), line


def seconds_of(fields):
    if "execution_time_ms" in fields:
        return float(fields["execution_time_ms"]) / 1000
    match = UNITS.fullmatch(str(fields["execution_time"]))
    return match and float(match[1]) / (1000 if match[2] == "ms" else 1)


def word(text, word):
    return re.search(rf"(?i)(?<!\w)(?<!\w[.:']){word}(?!\w)(?![.:']\w)", text)


def count(encoding, lines):
    found, groups = Counter(), defaultdict(Counter)
    records = records_of_json if encoding in ("logstash", "ecs") else records_of_text
    for level, event, fields, trace, text in records(lines):
        found["records"] += 1
        found["error_word_records"] += bool(word(text, "error"))
        found["completed_word_records"] += bool(word(text, "task_completed"))
        if event == "TASK_COMPLETED":
            groups["completed"][fields["pipeline"]] += 1
            if seconds := seconds_of(fields):
                found["execution_times"] += 1
                found["completed_execution_time"] += seconds
        if event == "TASK_FAILED":
            groups["failed"][fields["pipeline"]] += 1
        found["tasks_started"] += event == "TASK_STARTED"
        found["heartbeats"] += event == "HEARTBEAT" or "heartbeat sent" in text
        found["requests"] += event == "REQUEST_COMPLETED" or "request completed" in text
        if level == "ERROR" or event == "TASK_FAILED":
            classes = [m[1] for m in map(CLASS.match, trace) if m]
            kind = fields.get("error_type") or (classes or ["UNKNOWN"])[0]
            groups["error_types"][kind] += 1
            groups["error_word"][kind] += bool(word(text, "error"))
            groups["errors"][kind] += level == "ERROR"
            if len(classes) > 1:
                groups["root_errors"][classes[-1]] += 1
    return {**found, **{name: +group for name, group in groups.items()}}


@pytest.mark.parametrize("encoding", agent.ENCODINGS)
def test_the_truth_is_what_the_log_says(agents, encoding):
    run = agents(encoding)
    sides = lines_of(run.node)
    assert len(sides["stdout"]) == run.truth["lines"]
    assert len(sides["stderr"]) == run.truth["stderr_lines"]
    found = count(encoding, sides["stdout"])
    assert found == {name: run.truth[name] for name in found}
    assert len(run.truth["errors"]) == 10 and len(run.truth["completed"]) == 5


def test_a_rotation_loses_no_line_and_late_lines_go_to_the_renamed_file(tmp_path):
    run = agent.finish(
        *agent.start(tmp_path, "logstash", tasks=120, late=5, rotate=[50])
    )
    (log,) = run.node.root.glob("pods/*/*/0.log")
    assert len(list(log.parent.iterdir())) == 2 and log.stat().st_size > 0
    found = count("logstash", lines_of(run.node)["stdout"])
    assert found == {name: run.truth[name] for name in found}


def test_long_lines_come_in_parts_and_an_unfinished_one_is_a_part(tmp_path):
    says = "import sys; sys.stdout.write('x' * 40000 + chr(10) + 'end')"
    command = ["--root", tmp_path, "--pod", "p", "--uid", "u", "--", sys.executable]
    subprocess.run([agent.AGENT / "cri", *command, "-c", says], check=True)
    log = (tmp_path / "pods/matillion_p_u/matillion-agent/0.log").read_bytes()
    parts = [LINE.fullmatch(line).groups()[2:] for line in log.splitlines()]
    assert [(tag, len(content)) for tag, content in parts] == [
        (b"P", 16384),
        (b"P", 16384),
        (b"F", 40000 - 2 * 16384),
        (b"P", 3),
    ]
