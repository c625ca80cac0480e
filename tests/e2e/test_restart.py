"""What is kept over a restart, whatever ended the process: cursors, counters,
and how records were cut."""

import pathlib
import random
import sqlite3
import threading
import time

import pytest
from harness.node import completed, cri, info
from harness.wait import until, until_equal


class Writer(threading.Thread):
    """Writes tasks, failures and traces, rotates now and then; keeps the truth."""

    def __init__(self, container, seconds, seed):
        super().__init__()
        self.container, self.seconds = container, seconds
        self.random = random.Random(seed)
        self.logs, self.tasks, self.total, self.errors = [], 0, 0, 0

    def run(self):
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            for _ in range(self.random.randrange(1, 40)):
                self.record()
            if self.random.random() < 0.1:
                self.container.rotate()
            time.sleep(self.random.random() / 20)
        self.write("{}")  # which ends the last one

    def record(self):
        match self.random.randrange(8):
            case 0:
                eighths = self.random.randrange(1, 800)
                text = completed(eighths / 8)
                self.tasks, self.total = self.tasks + 1, self.total + eighths / 8
                self.write(text)
            case 1:
                head = info(f"failed {len(self.logs)}", "ERROR")
                self.errors += 1
                self.write(head, "java.io.IOException: no", "\tat a.B.c(B.java:1)")
            case _:
                self.write(info(f"line {len(self.logs)}"))

    def write(self, *lines):
        """One record; its lines come in writes of their own now and then."""
        if self.random.random() < 0.3:
            for line in lines:
                self.container.write(line)
                time.sleep(self.random.random() / 200)
        else:
            self.container.write(*lines)
        self.logs.append("\n".join(lines))


@pytest.mark.parametrize("seed", range(3))
def test_killed_again_and_again_all_is_there_once_and_counted_once(
    table, config, node, run, seed
):
    settings = config(table.output)
    # No time ends a record, however late the writer's next line is.
    settings.inputs[0]["Flush_ms"] = 60_000
    writer = Writer(node.container(), 12, seed)
    kills = random.Random(seed)
    writer.start()
    shown = 0
    while writer.is_alive():
        towline = run(settings)
        time.sleep(kills.random() * 1.2)
        tasks = towline.metric("app_completed_tasks_total")
        assert tasks >= shown, "a scrape showed less than the one before"
        shown = tasks
        time.sleep(kills.random() / 4)
        towline.kill()
    writer.join()
    towline = run(settings)
    until_equal(table.count, len(writer.logs))
    assert table.logs() == sorted(writer.logs)
    towline.until_metric("towline_records_total", len(writer.logs))
    towline.until_metric("app_completed_tasks_total", writer.tasks)
    towline.until_metric("app_task_execution_seconds_sum", writer.total)
    towline.until_metric("app_task_errors_total", writer.errors)
    assert towline.metric("towline_collisions_total") == 0
    towline.stop()


@pytest.mark.parametrize("encoding", ["UTF-16LE", "UTF-16BE", "auto"])
def test_lines_of_utf16_survive_kills_within_characters(
    table, config, node, run, encoding
):
    """Over rotations, too: each line once, with its text."""
    chance = random.Random(encoding)
    container = node.container()
    settings = config(table.output)
    settings.inputs[0]["unicode.encoding"] = encoding
    codec = "UTF-16BE" if encoding == "auto" else encoding
    towline = run(settings)
    texts = []
    for file in range(3):
        new = [f"{file} {i} " + "é\u0a0a\u0a00🚀" * (i % 9) for i in range(80)]
        mark = "\ufeff" if encoding == "auto" else ""
        rest = (mark + "".join(t + "\n" for t in new)).encode(codec)
        while rest:
            n = chance.randrange(1, 900)
            container.raw(rest[:n])
            rest = rest[n:]
            if chance.random() < 0.15:
                towline.kill()
                towline = run(settings)
        texts += new
        if file < 2:
            container.rotate()
    until_equal(table.count, len(texts))
    assert table.logs() == sorted(texts)
    assert towline.metric("towline_utf16_errors_total") == 0
    assert towline.metric("towline_collisions_total") == 0
    towline.stop()


def test_after_a_clean_stop_nothing_is_read_again(table, config, node, run):
    container = node.container()
    settings = config(table.output)
    towline = run(settings)
    container.write(*(info(f"line {i}") for i in range(1000)))
    towline.until_delivered(1000)
    towline.stop()
    container.write(info("one more"))
    towline = run(settings)
    towline.until_delivered(1)
    towline.until_metric("towline_lines_total", 1)
    towline.until_metric("towline_records_total", 1001)
    towline.stop()
    assert table.count() == 1001


def test_a_record_that_time_ended_stays_as_it_was_cut(table, config, node, run):
    """Killed before the cursor moved: what comes later does not join it."""
    container = node.container()
    settings = config(table.output)
    towline = run(settings)
    container.write(info("failed", "ERROR"))
    table.until_count(1)  # the timer ended it
    towline.kill()
    container.write("java.io.IOException: late")
    container.write(info("next"))
    towline = run(settings)
    table.until_count(3)
    towline.stop()
    assert len(table.logs()) == 3
    assert "java.io.IOException: late" in table.logs()


def test_a_corrupt_state_is_set_aside_and_the_output_keeps_each_once(
    table, config, node, run
):
    container = node.container()
    settings = config(table.output)
    towline = run(settings)
    container.write(*(completed(1) for _ in range(100)))
    towline.until_delivered(100)
    towline.stop()
    file = pathlib.Path(settings.service["State_Path"]) / "state.db"
    data = bytearray(file.read_bytes())
    data[100:3000] = b"x" * 2900
    file.write_bytes(data)
    container.write(completed(1))
    towline = run(settings)
    towline.until_said("corrupt and was set aside")
    towline.metrics_page()  # the files' ends are known
    container.write(completed(1))
    table.until_count(102)
    towline.until_metric("app_completed_tasks_total", 1)  # from the files' ends on
    towline.stop()


def test_a_full_disk_is_said_shows_in_readyz_and_passes(table, config, node, run):
    """The state's disk, as far as its own size goes: a lock held on the file."""
    settings = config(table.output)
    container = node.container()
    towline = run(settings)
    container.write(info("one"))
    towline.until_delivered(1)
    towline.until_ready()
    blocker = sqlite3.connect(f"{settings.service['State_Path']}/state.db", timeout=30)
    blocker.execute("BEGIN IMMEDIATE")
    container.write(info("two"))
    towline.until_said("cannot write .*state.db")
    until(lambda: towline.get("/readyz")[0] == 503, lambda: towline.get("/readyz"))
    assert "cannot be written" in towline.get("/readyz")[1]
    blocker.rollback()
    blocker.close()
    towline.until_ready()
    table.until_count(2)
    towline.until_metric("towline_records_total", 2)
    towline.stop()
    assert towline.said().count("cannot write") == 1


def test_the_state_is_for_its_owner_alone(table, config, node, run, tmp_path):
    """The kubelet makes the directory with mode 0755; an older towline, its file 0644."""
    (tmp_path / "state").mkdir(mode=0o755)
    (tmp_path / "state/state.db").touch(mode=0o644)
    node.container().write("hello")
    towline = run(config(table.output))
    table.until_count(1)
    modes = {f.name: f.stat().st_mode & 0o777 for f in (tmp_path / "state").iterdir()}
    assert set(modes) == {"lock", "state.db", "state.db-wal", "state.db-shm"}
    assert set(modes.values()) == {0o600}
    towline.stop()


def test_a_newer_schema_stops_the_start(table, config, node, run):
    settings = config(table.output)
    run(settings).stop()
    state = sqlite3.connect(f"{settings.service['State_Path']}/state.db")
    state.execute("PRAGMA user_version = 99")
    state.close()
    towline = run(settings, wait=False)
    assert towline.wait() == 1
    assert "newer towline" in towline.said()


def test_a_plain_file_renamed_between_two_runs_is_read_on(table, config, run, tmp_path):
    """Its name tells no rotation: it is known by what the run before knew of it."""
    folder = tmp_path / "plain"
    folder.mkdir()
    file = folder / "app.log"
    file.write_text(cri("one"))
    settings = config(table.output)
    settings.inputs[0]["Path"] = f"{folder}/*"
    run(settings, "--exit-on-eof", wait=False).wait()
    with file.open("a") as out:
        out.write(cri("two"))
    file.rename(folder / "old-app.log")
    file.write_text(cri("three"))
    run(settings, "--exit-on-eof", wait=False).wait()
    assert table.logs() == ["one", "three", "two"]
