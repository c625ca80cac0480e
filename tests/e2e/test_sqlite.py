"""The same truth without a server: into sqlite, asked with towline report."""

import json
import os
import shutil
import sqlite3
import stat
import subprocess
import time

import pytest
from harness.agent import ENCODINGS
from harness.table import Table
from harness.towline import towline as command
from harness.wait import until


def report(config, *arguments):
    done = command("report", *arguments, "-c", config, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_both_reports_say_what_the_agent_did(
    agents, encoding, node, table, config, run
):
    agent = agents(encoding)
    node.adopt(agent.node)
    settings = config(table.output)
    assert run(settings, "--exit-on-eof", wait=False).wait() == 0
    assert table.count() == agent.records
    file = settings.write()

    errors = {row["error_type"]: row for row in report(file, "errors")}
    counts = {name: row["count"] for name, row in errors.items()}
    assert counts == agent.errors("error_types")
    assert all(row["first_seen"] <= row["last_seen"] for row in errors.values())
    assert all(row["sample"] for row in errors.values())

    (tasks,) = report(file, "performance")
    truth = agent.truth
    assert tasks["tasks"] == sum(truth["completed"].values())
    mean = truth["completed_execution_time"] / truth["execution_times"]
    assert tasks["mean"] == pytest.approx(mean, rel=1e-14)
    assert tasks["p50"] <= tasks["p95"] <= tasks["p99"] <= tasks["max"] <= 600


def test_tasks_by_pipeline(agents, node, table, config, run):
    agent = agents("spring")
    node.adopt(agent.node)
    settings = config(table.output)
    assert run(settings, "--exit-on-eof", wait=False).wait() == 0
    rows = report(settings.write(), "performance", "--by", "pipeline")
    tasks = {row["pipeline"]: row["tasks"] for row in rows}
    assert tasks == agent.truth["completed"]


def test_a_document_has_the_names_that_dashboards_know(node, table, config, run):
    container = node.container(pod="matillion-agent-7d9f", uid="0b5c-11")
    container.write("plain", side="stderr")
    assert run(config(table.output), "--exit-on-eof", wait=False).wait() == 0
    (document,) = table.documents()
    assert document["log"] == "plain"
    assert document["stream"] == "stderr" and document["logtag"] == "F"
    assert document["@timestamp"][:19] == document["time"][:19]
    kubernetes = document["kubernetes"]
    assert kubernetes["pod_name"] == "matillion-agent-7d9f"
    assert kubernetes["namespace_name"] == "matillion"
    assert kubernetes["container_name"] == "matillion-agent"
    assert kubernetes["pod_id"] == "0b5c-11"
    assert kubernetes["docker_id"] in container.link.name


def test_ids_that_are_taken_are_counted(node, table, config, run):
    """By another towline, say, or by this one before its state was deleted."""
    container = node.container()
    container.write(*(f"line {i}" for i in range(50)))
    settings = config(table.output)
    assert run(settings, "--exit-on-eof", wait=False).wait() == 0
    shutil.rmtree(settings.folder / "state")
    link = container.link.readlink()
    container.link.unlink()
    towline = run(settings)
    towline.metrics_page()  # it has looked
    container.link.symlink_to(link)  # a new file, as far as towline knows
    towline.until_metric("towline_collisions_total", 50)
    towline.stop()
    assert table.count() == 50


def test_reading_again_adds_nothing(node, table, config, run):
    node.container().write(*(f"line {i}" for i in range(500)))
    settings = config(table.output)
    for _ in range(2):
        assert run(settings, "--exit-on-eof", wait=False).wait() == 0
        assert table.count() == 500
    assert stat.S_IMODE((settings.folder / "state").stat().st_mode) == 0o700


def lines(first, end):
    return [f"line {i:05d}" for i in range(first, end)]


def test_killed_in_the_middle_of_it_nothing_is_lost_or_twice(node, table, config, run):
    """At moments of all kinds, most of them within a transaction."""
    container = node.container()
    settings = config(table.output)
    for i in range(12):
        container.write(*lines(i * 4000, (i + 1) * 4000))
        towline = run(settings, wait=False)
        have = table.count()
        until(lambda n=have: table.count() > n, "nothing shipped")
        time.sleep(0.003 * i)
        towline.kill()
        assert table.rows("PRAGMA integrity_check") == [("ok",)]
    assert run(settings, "--exit-on-eof", wait=False).wait() == 0
    assert table.logs() == lines(0, 12 * 4000)


@pytest.fixture
def small_disk(tmp_path):
    """A folder with room for 4 MB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "towline-test", disk]
    if subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("needs a mount")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_a_full_disk_loses_nothing(small_disk, node, config, run):
    table = Table(small_disk / "logs.db")
    container = node.container()
    towline = run(config(table.output))
    container.write(*lines(0, 100))
    table.until_count(100)
    with open(small_disk / "other", "wb", buffering=0) as other:
        with pytest.raises(OSError):
            while True:
                other.write(bytes(65536))
    container.write(*lines(100, 2000))
    towline.until_metric("towline_records_total", 2000)
    towline.until_said("full; records wait in their files")
    assert towline.get("/readyz")[0] == 503
    assert table.count() == 100
    (small_disk / "other").unlink()
    table.until_count(2000)
    towline.until_ready()
    assert f"{table.path} is written again  output=sqlite.0\n" in towline.stop()
    assert table.logs() == lines(0, 2000)


def test_a_file_that_is_locked_at_the_start_is_waited_for(node, table, config, run):
    container = node.container()
    container.write(*lines(0, 100))
    with table.locked():
        towline = run(config(table.output))
        towline.until_said("database is locked; records wait in their files")
        assert towline.get("/readyz")[0] == 503
        towline.until_metric("towline_records_total", 100)
        assert towline.metric("towline_delivered_total") == 0
    table.until_count(100)
    towline.until_ready()
    towline.stop()
    assert table.logs() == lines(0, 100)


def beside(path):
    return [path.with_name(path.name + end) for end in ("", "-wal", "-shm")]


def delete(path):
    path.unlink()


def delete_all(path):
    for file in beside(path):
        file.unlink(missing_ok=True)


def rename(path):
    path.rename(path.with_name("before.db"))


def replace(path):
    other = path.with_name("other.db")
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE mine (x)")
    connection.execute("INSERT INTO mine VALUES (7)")
    connection.commit()
    connection.close()
    path.rename(path.with_name("before.db"))
    other.rename(path)


def empty(path):
    with open(path, "w"):
        pass


@pytest.mark.parametrize("how", [delete, delete_all, rename, replace, empty])
def test_a_file_that_is_deleted_or_replaced_is_opened_anew(
    how, node, table, config, run, tmp_path
):
    container = node.container()
    towline = run(config(table.output))
    container.write(*lines(0, 100))
    table.until_count(100)
    how(table.path)
    towline.until_said("was deleted or replaced: it is opened anew")
    container.write(*lines(100, 200))
    table.until_count(100)
    towline.stop()
    assert table.logs() == lines(100, 200)
    assert table.rows("PRAGMA integrity_check") == [("ok",)]
    before = Table(tmp_path / "before.db")
    if how in (rename, replace):
        assert before.logs() == lines(0, 100)
        assert before.rows("PRAGMA integrity_check") == [("ok",)]
    if how is replace:
        assert table.rows("SELECT x FROM mine") == [(7,)]
    else:
        assert stat.S_IMODE(table.path.stat().st_mode) == 0o600


def test_a_journal_that_is_deleted_takes_no_rows_with_it(node, table, config, run):
    container = node.container()
    towline = run(config(table.output))
    container.write(*lines(0, 100))
    table.until_count(100)
    for file in beside(table.path)[1:]:
        file.unlink()
    towline.until_said("it is opened anew")
    container.write(*lines(100, 200))
    table.until_count(200)
    towline.kill()
    assert table.logs() == lines(0, 200)
    assert table.rows("PRAGMA integrity_check") == [("ok",)]


def test_while_the_folder_is_away_records_wait(node, config, run, tmp_path):
    folder = tmp_path / "tables"
    folder.mkdir()
    table = Table(folder / "logs.db")
    container = node.container()
    towline = run(config(table.output))
    container.write(*lines(0, 100))
    table.until_count(100)
    folder.rename(tmp_path / "away")
    container.write(*lines(100, 200))
    towline.until_said("its directory is not there; records wait in their files")
    (tmp_path / "away").rename(folder)
    table.until_count(200)
    towline.stop()
    assert table.logs() == lines(0, 200)


def no_directory(path):
    path.parent.rmdir()
    return "its directory is not there", lambda: path.parent.mkdir()


def a_directory(path):
    path.mkdir()
    return "it is no regular file", path.rmdir


def a_pipe(path):
    os.mkfifo(path)
    return "it is no regular file", path.unlink


def a_link(path):
    path.symlink_to(path.parent / "other")
    return "it is a link, which is not followed", path.unlink


@pytest.mark.parametrize("fault", [no_directory, a_directory, a_pipe, a_link])
def test_check_and_run_warn_of_a_path_that_cannot_be_written(
    fault, node, config, run, tmp_path
):
    folder = tmp_path / "tables"
    folder.mkdir()
    table = Table(folder / "logs.db")
    node.container().write(*lines(0, 10))
    settings = config(table.output)
    why, mend = fault(table.path)
    file = settings.write()
    line = 1 + file.read_text().splitlines().index(f"    Path {table.path}")
    warning = (
        f"{file}:{line}: warning: Path '{table.path}' cannot be written here: {why}; "
        "records wait in their files\n"
    )
    there = sorted(tmp_path.rglob("tables*"))
    check = command("check", "-c", file)
    assert check.returncode == 0 and warning in check.stdout
    assert sorted(tmp_path.rglob("tables*")) == there  # check makes nothing
    towline = run(settings)
    towline.until_said(f"{why}; records wait in their files")
    assert towline.get("/readyz")[0] == 503
    mend()
    table.until_count(10)
    towline.until_ready()
    assert warning in towline.stop()
    assert table.logs() == lines(0, 10)
    assert not (folder / "other").exists()


def test_a_file_that_is_no_database_is_left_alone(node, table, config, run):
    node.container().write(*lines(0, 10))
    text = "no database\n" * 100
    table.path.write_text(text)
    towline = run(config(table.output))
    towline.until_said("file is not a database; records wait in their files")
    assert table.path.read_text() == text
    table.path.unlink()
    table.until_count(10)
    towline.stop()


def test_a_path_without_the_right_to_write_is_told_by_check(small_disk, config):
    remount = ["mount", "-o", "remount,ro", small_disk]
    subprocess.run(remount, check=True)
    settings = config(Table(small_disk / "logs.db").output)
    check = command("check", "-c", settings.write())
    assert check.returncode == 0
    assert "cannot be written here: Read-only file system; records" in check.stdout


def test_a_run_to_the_end_fails_when_its_file_cannot_be_made(
    node, config, run, tmp_path
):
    node.container().write(*lines(0, 10))
    settings = config(Table(tmp_path / "none" / "logs.db").output)
    towline = run(settings, "--exit-on-eof", wait=False)
    assert towline.wait() == 1
    assert "10 records were not delivered in time" in towline.said()
