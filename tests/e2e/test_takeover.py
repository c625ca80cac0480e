"""Going on where Fluent Bit stopped, by its DB."""

import gzip
import sqlite3

import pytest
from harness.node import info
from harness.table import Table
from harness.towline import towline as command

OLD = "id INTEGER PRIMARY KEY, name TEXT, offset INTEGER, inode INTEGER, created INTEGER, rotated INTEGER"
NEW = f"{OLD}, offset_marker INTEGER, offset_marker_size INTEGER"


@pytest.fixture
def flb(tmp_path):
    """Writes a DB of Fluent Bit's: [(inode, offset, more columns…)]."""

    def write(schema, *rows):
        db = sqlite3.connect(tmp_path / "flb.db")
        db.execute(f"CREATE TABLE in_tail_files ({schema})")
        for inode, offset, *more in rows:
            values = [None, "name", offset, inode, 0, 0, *more]
            marks = ",".join("?" * len(values))
            db.execute(f"INSERT INTO in_tail_files VALUES ({marks})", values)
        db.commit()
        db.close()
        return tmp_path / "flb.db"

    return write


def lines(first, last):
    return [info(f"line {i:04d}") for i in range(first, last)]


def shipped(run, settings, db, table):
    settings.inputs[0]["DB"] = db
    assert run(settings, "--exit-on-eof", wait=False).wait() == 0
    return sorted(log[-4:] for log in table.logs())


def test_files_go_on_where_it_stopped(table, config, node, run, flb):
    one, two, new = (node.container(pod=f"a-{i}") for i in range(3))
    one.write(*lines(0, 10))
    stat = one.log.stat()
    one.write(*lines(10, 20))
    two.write(*lines(20, 22))
    in_mid_line = two.log.stat().st_size - 5
    new.write(*lines(30, 31))
    db = flb(OLD, (stat.st_ino, stat.st_size), (two.log.stat().st_ino, in_mid_line))
    want = [f"{i:04d}" for i in (*range(10, 20), 21, 30)]
    assert shipped(run, config(table.output), db, table) == want


def test_another_file_under_an_old_inode_is_read_from_its_start(
    table, config, node, run, flb
):
    container = node.container()
    container.write(*lines(0, 10))
    stat = container.log.stat()
    db = flb(NEW, (stat.st_ino, stat.st_size, 12345, 32))
    assert len(shipped(run, config(table.output), db, table)) == 10


def test_rotated_files_that_it_had_read_are_not_read_again(
    table, config, node, run, flb
):
    """Its DB forgets a file that was rotated; one that was rotated after it stopped
    is in it, under its inode, and what came behind that is new."""
    container, new = node.container(pod="a-0"), node.container(pod="a-1")
    container.write(*lines(0, 10))
    compressed(container.rotate())
    container.write(*lines(10, 20))
    container.rotate()
    container.write(*lines(20, 25))
    stat = container.log.stat()
    container.write(*lines(25, 30))
    container.rotate()  # it has stopped
    container.write(*lines(30, 32))
    new.write(*lines(40, 42))
    new.rotate()
    new.write(*lines(42, 44))
    db = flb(OLD, (stat.st_ino, stat.st_size))
    want = [f"{i:04d}" for i in (*range(25, 32), *range(40, 44))]
    assert shipped(run, config(table.output), db, table) == want
    # Nor at another start.
    assert shipped(run, config(table.output), db, table) == want


def compressed(path):
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()


def test_only_the_first_start_reads_it(table, config, node, run, flb):
    container = node.container()
    container.write(*lines(0, 10))
    stat = container.log.stat()
    db = flb(NEW, (stat.st_ino, stat.st_size, 0, 0))
    settings = config(table.output)
    assert shipped(run, settings, db, table) == []
    container.write(*lines(10, 20))
    assert len(shipped(run, settings, db, table)) == 10
    assert len(shipped(run, settings, db, table)) == 10


def test_what_is_no_such_db_is_said(table, config, node, run, tmp_path):
    (tmp_path / "odd.db").write_text(
        "this is no database, but it is long enough\n" * 40
    )
    node.container().write(*lines(0, 3))
    settings = config(table.output)
    settings.inputs[0]["DB"] = tmp_path / "odd.db"
    towline = run(settings, "--exit-on-eof", wait=False)
    assert towline.wait() == 0
    assert "odd.db is not read" in towline.said()
    assert table.count() == 3


def test_the_way_back_and_forth_again(table, tmp_path, config, node, run):
    """What export-db writes, towline with a new state goes on from."""
    containers = [node.container(pod=f"a-{i}") for i in range(3)]
    for container in containers:
        container.write(*lines(0, 10))
    containers[0].rotate()
    containers[0].write(*lines(10, 15))
    settings = config(table.output)
    assert run(settings, "--exit-on-eof", wait=False).wait() == 0
    assert table.count() == 35
    db = tmp_path / "flb.db"
    done = command("export-db", db, "-c", settings.write())
    assert done.returncode == 0 and "3 files" in done.stdout, done.stderr
    rows = (
        sqlite3.connect(db)
        .execute("SELECT name, inode, offset, offset_marker_size FROM in_tail_files")
        .fetchall()
    )
    stats = [(str(c.link), c.log.stat()) for c in containers]
    assert sorted(rows) == sorted((n, s.st_ino, s.st_size, 32) for n, s in stats)
    assert command("export-db", db, "-c", settings.write()).returncode == 1

    for container in containers:
        container.write(*lines(20, 22))
    settings.service["State_Path"] = tmp_path / "another"
    (tmp_path / "another").mkdir()
    other = Table(tmp_path / "other.db")
    settings.outputs[0] |= {"Path": other.path}
    for rotated in containers[0].folder.glob("0.log.*"):
        rotated.unlink()  # Fluent Bit's DB knows nothing of it
    assert (
        shipped(run, settings, db, other)
        == ["0020", "0020", "0020", "0021"] + ["0021"] * 2
    )
