"""[INPUT] systemd: the entries of a journal are records, nothing is lost, nothing
comes twice; what was deleted unread is counted."""

import contextlib
import json
import os
import re
import sqlite3

import pytest
from harness.journal import Journal, Journald, entry, journalctl
from harness.namespace import can_mount
from harness.table import Table
from harness.towline import ROOT, towline
from harness.wait import until, until_equal


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / "journal")


@pytest.fixture
def journald(tmp_path):
    if os.geteuid() != 0 or not can_mount():
        pytest.skip("a journald of its own needs a mount namespace")
    if not os.path.isdir("/var/log/journal"):
        pytest.skip("/var/log/journal is not there to mount over")
    made = []

    def start():
        made.append(Journald(tmp_path / f"journald{len(made)}"))
        return made[-1]

    yield start
    for one in made:
        one.end()


@pytest.fixture
def reads(settings):
    """The configuration with the journal as its only input."""

    def of(folder, **options):
        where = {} if folder is None else {"Path": folder}
        settings.inputs = [{"Name": "systemd", "Tag": "host.*"} | where | options]
        settings.filters = [{"Name": "kubernetes", "Match": "*"}]
        for output in settings.outputs:
            output["Match"] = "host.*"
        return settings

    return of


@pytest.fixture
def stands(reads, run, sinks):
    """A reader without room, which stands within the first file, and the port at which a
    server lets it go on."""

    def of(folder):
        sink = sinks()
        sink.end()
        settings = reads(folder)
        settings.service |= {"Batches": 3, "Batch_Size": "64K"}
        settings.outputs = [{"Name": "es", "Host": "127.0.0.1", "Port": sink.port}]
        settings.outputs[0]["Match"] = "*"
        reader = run(settings)
        until(lambda: reader.metric("towline_records_total"), "no record")
        return reader, sink.port

    return of


def messages(table):
    return [d.get("MESSAGE") for d in table.documents()]


def in_order(table, **fields):
    """The messages as they were delivered, of the entries that have these fields."""
    rows = table.rows("SELECT doc FROM logs ORDER BY rowid")
    documents = [json.loads(row[0]) for row in rows]
    return [d["MESSAGE"] for d in documents if fields.items() <= d.items()]


@contextlib.contextmanager
def damaged(file):
    """The bytes of a file, to be changed."""
    data = bytearray(file.read_bytes())
    yield data
    file.write_bytes(data)


def stored(settings):
    """The positions that the state has."""
    file = f"{settings.service['State_Path']}/state.db"
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as db:
        query = "SELECT value FROM counters WHERE key LIKE 'journal:%'"
        return [int(value.split()[0]) for (value,) in db.execute(query)]


def ended(run, settings):
    started = run(settings, "--exit-on-eof", wait=False)
    assert started.wait() == 0, started.said()
    return started


def test_an_entry_is_a_record_with_its_fields_and_time(journal, table, reads, run):
    journal.write(
        entry(
            7,
            "starting\nnow",
            PRIORITY=4,
            _SYSTEMD_UNIT="kubelet.service",
            _HOSTNAME="node-a",
            _PID=12,
            TAGGED=["a", "b\x01", "c"],
            RAW=b"\xff\x00z",
        ),
        entry(8, "no unit", _HOSTNAME="node-a", _TRANSPORT="kernel"),
    )
    settings = reads(journal.folder)
    ended(run, settings)
    first, second = sorted(table.documents(), key=lambda d: d["@timestamp"])
    assert first == {
        "@timestamp": "2026-11-22T08:00:00.007000000Z",
        "MESSAGE": "starting\nnow",
        "PRIORITY": "4",
        "_BOOT_ID": first["_BOOT_ID"],
        "_SYSTEMD_UNIT": "kubelet.service",
        "_HOSTNAME": "node-a",
        "_PID": "12",
        "TAGGED": ["a", "b\x01", "c"],
        "RAW": "\ufffd\x00z",
    }
    assert second["MESSAGE"] == "no unit"
    rows = towline("status", "-c", settings.write(), "--json").stdout
    (row,) = json.loads(rows)
    assert row["path"] == f"journal {journal.folder} (host.*)"
    assert row["size"] == row["shipped"] == row["counted"] == 2 and row["lag"] == 0


def test_names_may_lose_underscores_and_case(journal, table, reads, run):
    journal.write(entry(0, "x", _HOSTNAME="n", __A=1, SYSLOG_PID=3), compress="yes")
    ended(run, reads(journal.folder, Strip_Underscores="On", Lowercase="On"))
    (document,) = table.documents()
    del document["@timestamp"], document["boot_id"]
    assert document == {"message": "x", "hostname": "n", "syslog_pid": "3"}


def test_filters_choose_entries_and_tags_choose_outputs(journal, table, reads, run):
    for i, unit in enumerate(["kubelet", "containerd", "kubelet", "sshd"]):
        fields = {"_SYSTEMD_UNIT": f"{unit}.service", "PRIORITY": 3 + i % 3}
        journal.write(entry(i, f"{unit} {i}", **fields))
    units = [f"_SYSTEMD_UNIT={u}.service" for u in ("kubelet", "containerd")]
    settings = reads(journal.folder, Systemd_Filter=units)
    settings.outputs[0]["Match"] = "host.kubelet.service"
    ended(run, settings)
    assert sorted(messages(table)) == ["kubelet 0", "kubelet 2"]

    both = [units[0], "PRIORITY=5"]
    settings = reads(
        journal.folder, Tag="and.*", Systemd_Filter=both, Systemd_Filter_Type="And"
    )
    settings.outputs[0]["Match"] = "and.*"
    table.path.unlink()
    ended(run, settings)
    assert messages(table) == ["kubelet 2"]


def test_entries_that_do_not_fit_are_passed(journal, table, reads, run):
    """They are not lost when they are deleted, and not read again at a start."""
    journal.messages(5, file="system@a.journal", _SYSTEMD_UNIT="other.service")
    far = {"_SYSTEMD_UNIT": "other.service"}
    journal.write(entry(100000, "far", **far), file="system@a.journal")
    settings = reads(journal.folder, Systemd_Filter="_SYSTEMD_UNIT=kubelet.service")
    reader = run(settings)
    until_equal(lambda: stored(settings), [0])
    reader.kill()
    journal.write(entry(100001, "last", **far), file="system@a.journal")
    want = entry(100002, "mine", _SYSTEMD_UNIT="kubelet.service")
    journal.write(want, file="system@a.journal")
    reader = run(settings)
    until_equal(lambda: messages(table), ["mine"])
    (journal.folder / "system@a.journal").unlink()
    reader.until_metric("towline_journal_lag_entries", 0)
    assert reader.metric("towline_journal_lost_entries_total") == 0, reader.said()
    reader.stop()


def test_kills_lose_nothing_and_repeat_nothing(journal, table, reads, run):
    settings = reads(journal.folder, Tag="host")
    settings.outputs[0]["Match"] = "host"
    want = []
    for _ in range(4):
        want += journal.messages(400)
        reader = run(settings)
        want += journal.messages(100)
        until_equal(lambda: table.count() > len(want) // 2, True)
        reader.kill()
    reader = run(settings)
    until_equal(lambda: table.count(), len(want))
    assert in_order(table) == want
    reader.until_metric("towline_records_total", len(want))
    assert reader.metric("towline_journal_lost_entries_total") == 0
    reader.stop()
    again = run(settings)
    want += journal.messages(1)
    until_equal(lambda: table.count(), len(want))
    again.until_metric("towline_records_total", len(want))
    again.until_delivered(1)
    again.stop()


def test_a_first_start_may_leave_out_what_is_there(journal, table, reads, run):
    journal.messages(5)
    settings = reads(journal.folder, Read_From_Tail="On")
    reader = run(settings)
    until_equal(lambda: stored(settings), [0])
    want = journal.messages(3)
    until_equal(lambda: in_order(table), want)
    reader.kill()
    want += journal.messages(2)
    ended(run, settings)
    assert in_order(table) == want


@pytest.mark.parametrize("unit", ["other.service", None])
def test_what_comes_after_a_first_start_without_an_entry_is_read(
    unit, journal, table, reads, run
):
    """It was not there at that start."""
    kubelet = {}
    if unit:
        journal.messages(2, _SYSTEMD_UNIT=unit)
        kubelet["Systemd_Filter"] = "_SYSTEMD_UNIT=kubelet.service"
    settings = reads(journal.folder, Read_From_Tail="On", **kubelet)
    ended(run, settings)
    want = journal.messages(3)
    ended(run, settings)
    assert in_order(table) == want
    ended(run, settings)
    assert in_order(table) == want


def test_an_output_that_took_nothing_before_a_restart_has_all(
    journal, table, reads, run, tmp_path, dead_port
):
    """Another one was ahead of it."""
    late = Table(tmp_path / "late.db")
    want = journal.messages(5)
    settings = reads(journal.folder)
    settings.outputs.append({"Name": "es", "Host": "127.0.0.1", "Port": dead_port})
    settings.outputs[1] |= {"Match": "*", "Alias": "late"}
    reader = run(settings)
    until_equal(lambda: in_order(table), want)
    until_equal(lambda: max(stored(settings), default=0), 5)
    reader.kill()
    want += journal.messages(2)
    settings.outputs[1] = late.output | {"Match": "*", "Alias": "late"}
    ended(run, settings)
    assert in_order(table) == want
    assert in_order(late) == want


def test_fluent_bits_database_says_where_to_go_on(journal, table, reads, run, tmp_path):
    journal.messages(4)
    shown = journalctl(journal.folder, "--show-cursor", "-n", "1", "--no-pager")
    cursor = shown.split("-- cursor: ")[1].strip()
    with sqlite3.connect(tmp_path / "flb.db") as db:
        db.execute(
            "CREATE TABLE in_systemd_cursor (cursor TEXT NOT NULL, updated INTEGER)"
        )
        db.execute("INSERT INTO in_systemd_cursor VALUES (?, 1)", [cursor])
    want = journal.messages(2)
    started = ended(run, reads(journal.folder, DB=tmp_path / "flb.db"))
    assert in_order(table) == want
    assert "going on where Fluent Bit stopped" in started.said()


def test_what_was_deleted_unread_is_counted(journal, table, reads, run):
    """The numbers of one journal's entries go on over its files."""
    journal.messages(10, file="system@a.journal")
    settings = reads(journal.folder)
    ended(run, settings)
    journal.messages(5, file="system@a.journal")
    (journal.folder / "system@a.journal").unlink()
    want = journal.messages(3, file="system.journal")
    reader = run(settings)
    until_equal(lambda: table.count(), 13)
    assert in_order(table)[-3:] == want
    reader.until_metric("towline_journal_lost_entries_total", 1)
    assert "nobody knows how many" in reader.stop()


@pytest.mark.parametrize("tag", ["host.*", "node.*"])
def test_a_journal_whose_entries_wait_is_no_file_that_is_gone(
    tag, journal, reads, run, tmp_path, dead_port
):
    """What a file had that is gone is counted, ten seconds after a start.  Nor is a journal
    such a file that no input reads any more, as its Tag is another one."""
    folder = tmp_path / "app"
    folder.mkdir()
    for name in "gone", "stays":
        (folder / f"{name}.log").write_text("one\ntwo\n")
    journal.messages(20)
    settings = reads(journal.folder)
    tail = {"Name": "tail", "Tag": "host.app", "Read_from_Head": "On"}
    settings.inputs.append(tail | {"Path": folder / "*.log"})
    settings.outputs = [
        {"Name": "es", "Match": "*", "Host": "127.0.0.1", "Port": dead_port}
    ]
    reader = run(settings)
    reader.until_metric("towline_lag_bytes", 16)
    reader.until_metric("towline_journal_lag_entries", 20)
    reader.kill()
    (folder / "gone.log").unlink()
    settings.inputs[0]["Tag"] = tag
    reader = run(settings)
    reader.until_said("gone.log.* lost")
    assert re.findall("journal .* lost", reader.said()) == []
    assert reader.metric("towline_lost_bytes_total") == 8
    reader.stop()
    rows = json.loads(towline("status", "-c", settings.write(), "--json").stdout)
    read = [row["path"] for row in rows if row["path"].startswith("journal")]
    assert read == [f"journal {journal.folder} ({tag})"]


def test_a_journal_is_known_by_its_path_and_tag(journal, table, reads, run):
    """A slash behind Path is no other one.  An input of another Tag reads it from its head;
    that of the first one goes on where it stopped."""
    records = 0
    for where, tag, read in ("", "a", 2), ("/", "a", 2), ("", "b", 6), ("//", "a", 4):
        want = journal.messages(2)
        settings = reads(f"{journal.folder}{where}", Tag=tag)
        settings.outputs[0]["Match"] = "*"
        reader = run(settings)
        until_equal(lambda want=want: in_order(table)[-2:], want)
        records += read
        reader.until_metric("towline_records_total", records)
        reader.stop()


@pytest.mark.parametrize("restarts", [False, True])
@pytest.mark.parametrize("delivered", [0, 4])
def test_a_gap_of_counted_entries_leaves_the_count_right(
    delivered, restarts, journal, table, reads, run
):
    """What was counted and not delivered is read again; some of it may be gone then.  So it is
    when all that is left was delivered, and read up to there, before others come."""
    settings = reads(journal.folder)
    settings.outputs[0]["Alias"] = "one"
    journal.messages(delivered, file="system@a.journal")
    if delivered:
        ended(run, settings)
    journal.messages(10, file="system@a.journal")
    want = journal.messages(3)
    working = settings.outputs[0]
    settings.outputs[0] = {"Name": "es", "Host": "127.0.0.1", "Port": 1}
    settings.outputs[0] |= {"Match": working["Match"], "Alias": "one"}
    reader = run(settings)
    reader.until_metric("towline_records_total", delivered + 13)
    reader.kill()
    (journal.folder / "system@a.journal").unlink()
    settings.outputs[0] = working
    if restarts:
        reader = run(settings)
        until_equal(lambda: in_order(table)[-3:], want)
        reader.stop()
    want += journal.messages(2)
    reader = run(settings)
    until_equal(lambda: in_order(table)[-5:], want)
    reader.until_metric("towline_records_total", delivered + 15)
    reader.stop()


def test_corrupt_files_are_said_and_all_others_are_read(journal, table, reads, run):
    want = journal.messages(50)
    (journal.folder / "broken.journal").write_bytes(b"LPKSHHRH" + b"\xff" * 5000)
    (journal.folder / "empty.journal").write_bytes(b"")
    reader = run(reads(journal.folder))
    until_equal(lambda: in_order(table), want)
    reader.until_metric("towline_journal_unreadable_files", 1)
    reader.until_said("broken.journal cannot be read as a journal")
    want += journal.messages(5)
    until_equal(lambda: in_order(table), want)
    reader.stop()


def test_entries_that_cannot_be_read_are_counted(journal, table, reads, run):
    journal.messages(2000, file="system@1.journal")
    with damaged(journal.folder / "system@1.journal") as data:
        at, end = data.find(b"message 1000"), data.find(b"message 1010")
        data[at - 100 : end] = b"\xff" * (end - at + 100)
    journal.messages(10)
    reader = run(reads(journal.folder))
    until_equal(lambda: table.count(), 2000)
    reader.until_metric("towline_journal_lost_entries_total", 10)
    assert "10 of its entries cannot be read" in reader.stop()


def test_a_file_that_breaks_off_is_said_and_counted(journal, table, reads, run):
    """The chain of the places of its entries is cut."""
    journal.messages(2000, file="system@1.journal")
    with damaged(journal.folder / "system@1.journal") as data:
        at = int.from_bytes(data[176:184], "little")
        while next_at := int.from_bytes(data[at + 16 : at + 24], "little"):
            last, at = at, next_at
        data[last : last + 16] = b"\xff" * 16
    journal.messages(10)
    reader = run(reads(journal.folder))
    until_equal(lambda: "message 2009" in messages(table), True)
    missing = 2010 - table.count()
    assert missing > 0
    reader.until_metric("towline_journal_lost_entries_total", missing)
    assert "system@1.journal is corrupt" in reader.stop()


def test_a_real_journald_rotates_flushes_and_vacuums(journald, table, reads, run):
    one = journald()
    mine = {"SYSLOG_IDENTIFIER": "test"}
    settings = reads(None, Systemd_Filter="SYSLOG_IDENTIFIER=test")
    one.log_messages("a0", "a1", "a2")
    reader = run(settings, under=one.under)
    want = ["a0", "a1", "a2"]
    until_equal(lambda: in_order(table, **mine), want)
    one.control("--flush")  # from /run to /var, under other numbers
    one.log_messages("b0", "b1")
    want += ["b0", "b1"]
    until_equal(lambda: in_order(table, **mine), want)
    for turn in range(3):
        one.control("--rotate")
        one.log_messages(f"c{turn}")
        want.append(f"c{turn}")
    until_equal(lambda: in_order(table, **mine), want)
    assert reader.metric("towline_journal_lost_entries_total") == 0, reader.said()
    until_equal(lambda: stored(settings), [len(want)])
    reader.kill()

    lost = [f"d{i}" for i in range(20)]
    one.log_messages(*lost)
    one.control("--rotate")
    one.log_messages("e0")
    one.control("--rotate")
    one.log_messages("f0")
    one.control("--vacuum-files=2")
    reader = run(settings, under=one.under)
    until_equal(lambda: in_order(table, **mine)[-1], "f0")
    got = in_order(table, **mine)
    assert got[: len(want)] == want and len(set(got)) == len(got)
    missing = len(set(want + lost + ["e0", "f0"]) - set(got))
    counted = reader.metric("towline_journal_lost_entries_total")
    assert counted >= missing > 0, reader.said()
    assert "were deleted before they were read" in reader.stop()


def test_files_that_are_deleted_one_after_the_other_are_all_counted(
    journald, stands, sinks
):
    """As a vacuum does, while a reader without room stands within the first of them."""
    one = journald()
    one.control("--flush")
    for _ in range(4):
        one.log_messages(*(f"{i} " + "x" * 3000 for i in range(100)))
        one.control("--rotate")
    reader, port = stands(one.folder)
    files = sorted(one.folder.glob("*/system@*"))
    first = int(files[0].name.split("-")[-2], 16)
    files[0].unlink()
    reader.until_said("were deleted before they were read")
    for file in files[1:-1]:
        file.unlink()
    sinks(port)
    known = [f"towline_{what}_total" for what in ("records", "journal_lost_entries")]
    cursor = journalctl(one.folder, "-n", "1", "--show-cursor")
    n = int(re.search(r";i=(\w+)", cursor)[1], 16) - first + 1
    until_equal(lambda: sum(map(reader.metric, known)), n)
    reader.stop()


def test_files_deleted_behind_the_one_that_is_read_are_all_counted(
    journal, stands, sinks
):
    """One after the other, while a reader without room stands in a file that stays."""
    for name in "abcd":
        lines = [entry(ord(name) * 1000 + i, "x" * 3000) for i in range(100)]
        journal.write(*lines, file=f"{name}.journal")
    reader, port = stands(journal.folder)
    for i, name in enumerate("bc"):
        (journal.folder / f"{name}.journal").unlink()
        reader.until_metric("towline_journal_lost_entries_total", 100 * (i + 1))
    sinks(port)
    reader.until_metric("towline_records_total", 200)
    reader.until_metric("towline_journal_lost_entries_total", 200)
    reader.stop()


def test_a_golden_test_has_a_journal_made_of_an_export(journal, tmp_path):
    """As docs/fluent-bit.md has it."""
    journal.messages(3)
    exported = journalctl(journal.folder, "-o", "export", "-n", "2")
    golden = tmp_path / "golden"
    Journal(golden / "var/log/journal").write(exported.encode())
    (golden / "fluent-bit.conf").write_text(
        "[INPUT]\n Name systemd\n Tag host.*\n Systemd_Filter PRIORITY=6\n"
        "[OUTPUT]\n Name es\n Match host.kubelet.service\n Host nowhere\n"
    )
    updated = towline("test", "--update", golden)
    assert updated.returncode == 0, updated.stderr
    expected = golden / "expected/es.0.ndjson"
    documents = [json.loads(line) for line in expected.read_text().splitlines()]
    said = [d["_source"]["MESSAGE"] for d in documents]
    assert said == ["message 1", "message 2"]
    assert towline("test", golden).returncode == 0
    expected.write_text(expected.read_text().replace("message 2", "message 3"))
    assert towline("test", golden).returncode == 1


def test_the_rights_of_the_unit_suffice(journal, table, reads, run):
    """Those of conf/towline.service: of all capabilities but one, to read."""
    unit = (ROOT / "conf/towline.service").read_text()
    (right,) = re.findall(r"CapabilityBoundingSet=CAP_(\w+)\n", unit)
    want = journal.messages(3)
    file = journal.folder / "system.journal"
    os.chown(file, 1234, 1234)
    file.chmod(0o600)
    rights = ["--bounding-set", f"-all,+{right.lower()}", "--no-new-privs"]
    reader = run(reads(journal.folder), under=["setpriv", *rights])
    until_equal(lambda: in_order(table), want)
    assert reader.metric("towline_journal_unreadable_files") == 0
    reader.stop()


def test_check_says_where_there_is_no_journal(reads, tmp_path):
    settings = reads(tmp_path / "nowhere", Systemd_Filter=["no field", "lower=1"])
    checked = towline("check", "-c", settings.write())
    assert checked.returncode == 1
    said = checked.stdout + checked.stderr
    assert "is not FIELD=VALUE" in said and "'lower' is no field" in said
    assert "nowhere' is not there (yet)" in said


def test_check_says_which_filter_no_entry_fits(journal, reads):
    """Values are compared whole, and of one field an entry has one."""
    journal.messages(1)
    units = ["kubelet", "kube*.service", '"a.service"', "a.service,b.service"]
    right = ["kubelet.service", "user@1000.service", r"dev-a\x2db.swap"]
    filters = [f"_SYSTEMD_UNIT={unit}" for unit in units + right]
    settings = reads(journal.folder, Systemd_Filter=[*filters, "_COMM=a"])
    said = towline("check", "-c", settings.write()).stdout
    assert re.findall("no unit is called '(.*)': ", said) == units
    assert "Systemd_Filter_Type And" not in said
    filters = [f"_SYSTEMD_UNIT={unit}" for unit in right[:2]]
    settings = reads(
        journal.folder, Systemd_Filter=[*filters, "_COMM=a"], Systemd_Filter_Type="And"
    )
    said = towline("check", "-c", settings.write()).stdout
    named = f"'{filters[0]}' and '{filters[1]}'"
    assert re.findall("with (.*) has that field twice", said) == [named]


def test_a_path_that_is_a_file_is_an_error(journal, reads, tmp_path):
    journal.messages(1)
    settings = reads(journal.folder / "system.journal").write()
    for command in "check", "run":
        done = towline(command, "-c", settings)
        assert done.returncode == 1
        assert "system.journal' is no directory" in done.stdout + done.stderr


def test_status_tells_entries_from_bytes(journal, reads, run, tmp_path, dead_port):
    (tmp_path / "a.log").write_text("one\ntwo\n")
    journal.messages(20)
    settings = reads(journal.folder)
    settings.inputs.append(
        {"Name": "tail", "Tag": "host.a", "Path": tmp_path / "a.log"}
    )
    dead = {"Name": "es", "Alias": "dead", "Host": "127.0.0.1", "Port": dead_port}
    settings.outputs.append({"Match": "*"} | dead)
    reader = run(settings)
    reader.until_metric("towline_journal_lag_entries", 20)
    reader.until_metric("towline_lag_bytes", 8)
    reader.kill()
    said = towline("status", "-c", settings.write()).stdout
    assert (
        "\n1 files, 8 bytes on disk that are not shipped, 0 files held;"
        " 1 journals, 20 entries that are not shipped, 0 held\n"
    ) in said
    assert " 8 of them not to the output dead, nor 20 entries\n" in said
