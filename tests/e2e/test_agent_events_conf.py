"""A site's own words are data: a file of a few lines, no compiler."""

import pytest
from harness.node import info
from harness.table import Table

WORDS = """\
[EVENT]
    Word   JOB_DONE
    Means  task_completed

[EVENT]
    Word   TASK_COMPLETED
    Means  none

[EVENT]
    Word   PIPELINE_PAUSED
    Means  other

[KEY]
    Name   took_min
    Field  execution_time
    Unit   m
"""


@pytest.fixture
def shipped(tmp_path, node, config, run):
    """Ship lines with a words' file; returns towline and the documents by log."""

    def ship(words, *lines):
        table = Table(tmp_path / "logs.db")
        settings = config(table.output)
        file = tmp_path / "our-events.conf"
        file.write_text(words)
        settings.service["Agent_Events"] = file
        node.container().write(*lines)
        towline = run(settings)
        towline.until_delivered(len(lines))
        return towline, {d["log"]: d for d in table.documents()}

    return ship


def test_an_event_word_that_was_added_is_counted(shipped):
    done = info("JOB_DONE task_id=t1 pipeline=load execution_time=2.5")
    slow = info("JOB_DONE task_id=t2 pipeline=load took_min=1.5")
    old = info("TASK_COMPLETED task_id=t3 pipeline=load execution_time=7")
    paused = info("PIPELINE_PAUSED pipeline=load")
    towline, documents = shipped(WORDS, done, slow, old, paused)

    assert documents[done]["log_parsed"]["event"] == "JOB_DONE"
    assert documents[slow]["log_parsed"]["execution_time"] == 90.0
    assert "event" not in documents[old]["log_parsed"]
    assert documents[paused]["log_parsed"]["event"] == "PIPELINE_PAUSED"
    towline.until_metric("app_completed_tasks_total", 2)
    assert towline.metric("app_task_execution_seconds_sum") == 92.5
    towline.stop()


def test_without_the_word_it_is_not_counted(shipped):
    line = info("JOB_DONE task_id=t1 execution_time=2.5")
    towline, documents = shipped("", line)
    assert "event" not in documents[line]["log_parsed"]
    assert towline.metric("app_completed_tasks_total") == 0
    towline.stop()


def test_a_wrong_word_file_stops_the_start(tmp_path, config, run):
    settings = config(Table(tmp_path / "logs.db").output)
    file = tmp_path / "our-events.conf"
    file.write_text("[EVENT]\n    Word X\n    Means task_complted\n")
    settings.service["Agent_Events"] = file
    towline = run(settings, wait=False)
    assert towline.wait() == 1
    assert f"{file}:3: " in towline.said() and "task_completed" in towline.said()
