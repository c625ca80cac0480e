"""The generator's truth file against a count of its log that shares no code with it."""

import json
import re
import subprocess
from collections import Counter

import pytest
from harness.towline import BENCH

GEN = BENCH / "gen"

CRI = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr) F (.*)")
LOGBACK = re.compile(r"\d{4}-\d\d-\d\d [\d:.]{12} (\w+) +\[[\w-]+\] [\w.]+ - (.*)")
EXCEPTION = re.compile(r"([\w.]+(?:Exception|Error)): ")
FIELD = re.compile(r'(\w+)=("[^"]*"|\S+)')
LINK = re.compile(r"(.+)_(matillion)_(matillion-agent)-[0-9a-f]{64}\.log")


def generate(directory, *options):
    subprocess.run([GEN, "--dir", directory, *map(str, options)], check=True)
    return json.loads((directory / "truth.json").read_text())


def read_text(lines):
    """Records of logback text: [level, message, trace lines]."""
    records = []
    open_record = None
    for side, text in lines:
        header = LOGBACK.fullmatch(text)
        in_trace = text.startswith(
            ("\tat ", "\t... ", "Caused by: ")
        ) or EXCEPTION.match(text)
        if side == "stdout" and in_trace and not header:
            open_record[2].append(text)
            continue
        record = [header[1], header[2], []] if header else ["", text, []]
        records.append(record)
        if side == "stdout":
            open_record = record
    return records


def read_json(lines):
    records = []
    for _, text in lines:
        if not text.startswith("{"):
            records.append(["", text, []])
            continue
        d = json.loads(text)
        fields = " ".join(
            f'{k}="{v}"'
            for k, v in d.items()
            if k not in ("message", "stack_trace") and not k.startswith("@")
        )
        trace = d.get("stack_trace", "").splitlines()
        records.append([d["level"], f"{d['message']} {fields}", trace])
    return records


def count(directory):
    found = Counter()
    completed, failed, errors, roots = Counter(), Counter(), Counter(), Counter()
    for log in sorted(directory.glob("pods/*/*/0.log*"), reverse=True):
        data = log.read_text()
        assert data.endswith("\n")
        matches = [CRI.fullmatch(line) for line in data.splitlines()]
        assert all(matches)
        lines = [m.groups() for m in matches]
        found["files"] += 1
        found["bytes"] += len(data.encode())
        found["lines"] += len(lines)
        is_json = any(text.startswith("{") for _, text in lines)
        for level, message, trace in (read_json if is_json else read_text)(lines):
            found["records"] += 1
            found["traces"] += bool(trace)
            fields = {k: v.strip('"') for k, v in FIELD.findall(message)}
            event = message.split(" ")[0]
            seconds = float(fields.get("execution_time", 0))
            if event == "TASK_STARTED":
                found["tasks_started"] += 1
            elif event == "TASK_COMPLETED":
                completed[fields["pipeline"]] += 1
                found["completed_execution_time"] += seconds
            elif event == "TASK_FAILED":
                failed[fields["pipeline"]] += 1
                found["failed_execution_time"] += seconds
            elif event == "REQUEST_COMPLETED":
                found["requests"] += 1
                found["request_duration"] += float(fields["duration"])
            elif event == "HEARTBEAT":
                found["heartbeats"] += 1
            if level == "ERROR":
                found["error_records"] += 1
                causes = [EXCEPTION.search(line) for line in trace if line[0] != "\t"]
                classes = [c[1] for c in causes] or [
                    fields.get("error_type", "UNKNOWN")
                ]
                errors[classes[0]] += 1
                if len(classes) > 1:
                    roots[classes[-1]] += 1
    ended = sum(completed.values()) + sum(failed.values())
    found["tasks_active"] = found["tasks_started"] - ended
    return {
        **found,
        "completed": completed,
        "failed": failed,
        "errors": errors,
        "root_errors": roots,
    }


@pytest.mark.parametrize("json_percent", [0, 50, 100])
def test_truth_of_a_batch(tmp_path, json_percent):
    truth = generate(
        tmp_path, "--lines", 40000, "--files", 2, "--seed", 7, "--json", json_percent
    )
    assert truth.pop("seed") == 7
    assert truth["lines"] == 40000 and truth["files"] == 2
    assert truth["traces"] > 20 and len(truth["errors"]) > 8
    assert count(tmp_path) == truth


def test_truth_of_a_live_log_over_a_rotation(tmp_path):
    truth = generate(
        tmp_path,
        "--live",
        "--files",
        3,
        "--rate",
        400,
        "--seconds",
        3,
        "--rotate-after",
        1,
    )
    del truth["seed"]
    found = count(tmp_path)
    assert found.pop("files") == 2 * truth.pop("files")
    assert found == truth
    assert 3 * 400 * 3 <= truth["lines"] < 3 * 400 * 3 + 3 * 64


def test_the_same_seed_gives_the_same_log_in_a_nodes_tree(tmp_path):
    trees = [tmp_path / "a", tmp_path / "b"]
    for tree in trees:
        generate(tree, "--lines", 3000, "--files", 3, "--link-root", tree)
    logs = [sorted(p.relative_to(t) for p in t.glob("pods/*/*/0.log")) for t in trees]
    assert logs[0] == logs[1] and len(logs[0]) == 3
    assert all(
        (trees[0] / p).read_bytes() == (trees[1] / p).read_bytes() for p in logs[0]
    )
    for link in trees[0].glob("containers/*"):
        pod, namespace, container = LINK.fullmatch(link.name).groups()
        folder = link.resolve().parent
        assert folder.name == container
        assert folder.parent.name.startswith(f"{namespace}_{pod}_")
