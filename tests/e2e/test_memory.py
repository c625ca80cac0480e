"""Memory stays under the sum that is stated at the start, whatever the files do."""

import gzip
import json
import os
import re
import resource
import shutil
import time

import pytest
from harness.node import cri, info
from harness.towline import towline as command
from harness.wait import until, until_equal

MIB = 1 << 20
MEGABYTE = cri("agent says hello").encode() * (MIB // len(cri("agent says hello")))


def in_process(towline):
    """The stated sum less the kernel's memory, which is not in VmHWM, in bytes."""
    said = towline.until_said(r"memory at most .*")[0]
    parts = re.findall(
        r"(?:\b|, |: )([a-z ]+) (\d+)(?=[,( ])", said.partition("MiB:")[2]
    )
    sums = {name.strip(): int(mib) * MIB for name, mib in parts}
    stated = towline.metric("towline_memory_limit_bytes")
    assert sum(sums.values()) == pytest.approx(stated, abs=8 * MIB)
    return stated - sums["sockets"] - sums["watches and open files"]


def peak(towline):
    with open(f"/proc/{towline.process.pid}/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1]) * 1024


@pytest.fixture
def small(config, run):
    """towline with little of everything that has a cap."""

    def start(output, service=None, **options):
        settings = config(output)
        settings.service |= {"Batches": 2, "Batch_Size": "256K", "Max_Series": 4}
        settings.service |= service or {}
        settings.inputs[0] |= {"Max_Files": 64, "Buffer_Max_Size": "256K"} | options
        return run(settings)

    return start


def under(towline):
    assert peak(towline) < in_process(towline), towline.said()


def test_ten_thousand_files(node, small):
    for _ in range(10_000):
        node.container().write("hello")
    towline = small({"Name": "null"}, Max_Files=10_000)
    towline.until_metric("towline_records_total", 10_000, 60)
    assert towline.metric("towline_refused_files_total") == 0
    under(towline)
    towline.stop()


def test_files_beyond_the_cap_wait_until_others_are_quiet(node, small, table):
    containers = [node.container() for _ in range(80)]
    for container in containers:
        container.raw(cri("half of a line ", tag="P").encode())
    towline = small(table.output, Refresh_Interval=1)
    towline.until_said("raise Max_Files")
    towline.until_metric("towline_unread_files", 16, reason="max_files")
    assert towline.metric("towline_refused_files_total") >= 16
    code, body = towline.get("/readyz")
    assert (
        code == 200
        and body.count(": Max_Files are followed: it waits for room\n") == 16
    )
    until(
        lambda: sum(bool(row["unread"]) for row in json.loads(status(towline))) == 16,
        lambda: status(towline),
    )
    for container in containers:
        container.write("and the rest")
    towline.until_metric("towline_records_total", 80)
    towline.until_metric("towline_unread_files", 0)
    assert "can be read" not in towline.said()
    for container in containers:  # most of them were closed meanwhile
        container.write("more")
    towline.until_metric("towline_records_total", 160)
    table.until_count(160)
    assert towline.metric("towline_collisions_total") == 0
    towline.stop()


def cpu(towline):
    with open(f"/proc/{towline.process.pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.alone
def test_a_hundred_thousand_names(config, run, tmp_path):
    """Of a million with TOWLINE_TEST_NAMES=1000000.  One in ten has a line."""
    names = int(os.environ.get("TOWLINE_TEST_NAMES", "100000"))
    folder = tmp_path / "logs"
    folder.mkdir()
    for n in range(names):
        os.mknod(folder / f"{n}.log")
        if n % 10 == 0:
            (folder / f"{n}.log").write_text("a line\n")
    settings = config({"Name": "null"})
    settings.service |= {"Batches": 2, "Batch_Size": "256K", "Max_Series": 4}
    settings.inputs[0] |= {"Path": f"{folder}/*.log", "Max_Files": names // 20}
    settings.inputs[0] |= {"Refresh_Interval": 5, "Buffer_Max_Size": "256K"}
    towline = run(settings)
    towline.until_metric("towline_records_total", names // 10, 120)
    under(towline)
    for n in range(0, names, names // 100):
        with open(folder / f"{n}.log", "a") as log:
            log.write("another\n")
    towline.until_metric("towline_records_total", names // 10 + 100, 60)
    before = cpu(towline)
    time.sleep(10)  # two looks
    assert cpu(towline) - before < 10 * (0.1 + 1e-6 * names)
    under(towline)
    towline.stop()


def test_no_more_files_are_remembered_than_the_sum_says(node, small, table):
    """One that was forgotten and comes back is stored once, and counted once."""
    towline = small(table.output, Max_Files=4)
    first = node.container()
    first.write("first", "its end")
    table.until_count(2)
    shutil.copy2(first.log, kept := first.folder / "kept")
    first.log.unlink()
    for n in range(24):
        container = node.container()
        container.write("hello")
        table.until_count(3 + n)
        container.log.unlink()
        container.link.unlink()
    until(lambda: towline.metric("towline_forgotten_streams_total") >= 8, towline.said)
    assert "raise Max_Files" in towline.said()
    until(lambda: len(json.loads(status(towline))) <= 16, lambda: status(towline))
    towline.until_metric("towline_records_total", 26)
    lines = towline.metric("towline_lines_total")
    kept.rename(first.log)
    towline.until_metric("towline_lines_total", lines + 2)
    first.write("more")  # this is new
    table.until_count(27)
    towline.until_metric("towline_records_total", 27)
    assert towline.metric("towline_collisions_total") == 0
    towline.stop()


def test_packed_files_that_were_read_make_room(config, run, table, tmp_path):
    """Each is a log of its own, and no live file is beside it."""
    for n in range(12):
        with gzip.open(tmp_path / f"{n}.gz", "wt") as packed:
            packed.write(f"{n} one\n{n} two\n")
    settings = config(table.output)
    settings.inputs[0] |= {"Path": f"{tmp_path}/*.gz", "Max_Files": 4}
    towline = run(settings)
    table.until_count(24)
    towline.until_metric("towline_records_total", 24)
    towline.stop()


def status(towline):
    return command("status", "--all", "-c", towline.file, "--json").stdout


def ids(container, n):
    """n tasks that no end comes for, then n lines, each with a pipeline, an error type and a failure of its own."""
    started = cri(info("TASK_STARTED task_id=@"))
    failed = cri(
        info("TASK_COMPLETED pipeline=p@ execution_time=1.5 error_type=E@", "ERROR")
    )
    for line in started, failed:
        head, *rest = line.split("@")
        for begin in range(0, n, 100_000):
            numbers = map(str, range(begin, begin + min(n, 100_000)))
            container.raw("".join(head + i + i.join(rest) for i in numbers).encode())
    container.write("the end")


def test_a_million_ids_where_a_few_names_are_expected(node, small):
    """Series and memory stay bounded, nothing is lost, and a counter tells that values were folded."""
    n, cap, known = 1_000_000, 50, 4096
    ids(node.container(), n)
    capped = {"Max_Series": cap, "Per_Pipeline": "On", "Max_Failures": known}
    towline = small({"Name": "null"}, capped, Max_Files=400)
    towline.until_metric("app_log_lines_total", 2 * n + 1, 120)

    def counted():
        errors = towline.samples("app_task_errors_total")
        pipelines = towline.samples("app_task_execution_seconds_count")
        assert (
            len(errors) == len(pipelines) - 1 == cap + 1
        )  # other; UNKNOWN; no pipeline
        assert sum(value for _, value in errors) == n
        assert sum(value for _, value in pipelines) == n
        assert (
            towline.metric("app_task_errors_total", error_type="other") == n - cap + 1
        )
        assert towline.metric("app_new_failures_total") == n
        assert towline.metric("app_active_task_count") == 1024  # TASKS_MAX
        assert len(towline.metrics_page()) < 500_000
        under(towline)

    counted()
    assert towline.metric("towline_folded_records_total") == 2 * n - 2 * cap + 1
    forgotten = towline.metric("towline_forgotten_failures_total")
    assert n - 2 * known < forgotten <= n - known
    towline.kill()
    towline.start()  # all of it comes back from the state
    towline.until_metric("app_log_lines_total", 2 * n + 1)
    counted()

    for i in range(3 * cap):
        node.container(pod=f"matillion-agent-{i}-of-many").write("one", "its end")
    towline.until_metric("towline_folded_records_total", 2 * (2 * cap + 1))
    until_equal(lambda: len(towline.samples("app_agent_status")), cap)
    under(towline)
    towline.stop()


def test_lines_of_a_hundred_megabytes(node, small):
    head = cri("").encode()[:-1]
    for _ in range(3):
        container = node.container()
        container.raw(head)
        for _ in range(100):
            container.raw(b"x" * MIB)
        container.raw(b"\n")
    towline = small({"Name": "null"})
    towline.until_metric("towline_truncated_lines_total", 3, 60)
    under(towline)
    towline.stop()


def test_a_thousand_open_joins(node, small):
    containers = [node.container() for _ in range(1000)]
    for container in containers:
        container.raw(cri("y" * 16_000, tag="P").encode() * 4)
    towline = small({"Name": "null"}, Max_Files=1000, Flush_ms=60_000)
    size = sum(container.log.stat().st_size for container in containers)
    towline.until_metric("towline_read_bytes_total", size)  # all of them are open
    for container in containers:
        container.write("end", "next")
    towline.until_metric("towline_records_total", 1000)
    under(towline)
    towline.stop()


def test_an_outage_of_an_hour(node, small, dead_port):
    """
    Without the hour: what twenty containers write in it, each 50 lines of 100 bytes a
    second, is there at once, in the five files that rotation leaves of each.
    """
    size = 20 * 50 * 3600 * 100
    times = size // 100 // len(MEGABYTE) + 1
    for _ in range(20):
        container = node.container()
        for n in range(5):
            container.write(f"file {n}")
            container.raw(MEGABYTE * times)
            container.rename()
        container.write("the live one", "its end")
    output = {"Name": "es", "Host": "127.0.0.1", "Port": dead_port, "Index": "x"}
    towline = small(output, Max_Files=200)
    until(lambda: towline.metric("towline_lag_bytes") >= size, towline.said)
    lines = 20 * (5 * (times * MEGABYTE.count(b"\n") + 1) + 2)
    towline.until_metric("towline_records_total", lines, 120)  # all of it is counted
    until(lambda: towline.metric("towline_retries_total") >= 2, towline.said)
    under(towline)
    towline.kill()


def test_a_large_file(node, small):
    """One of a gigabyte; TOWLINE_TEST_GIB=5 for the size that is promised."""
    container, parts = node.container(), 64 * int(os.environ.get("TOWLINE_TEST_GIB", 1))
    for _ in range(parts):
        container.raw(MEGABYTE * 16)
    towline = small({"Name": "null"})
    lines = parts * 16 * MEGABYTE.count(b"\n")
    towline.until_metric("towline_records_total", lines, 120 + parts)
    under(towline)
    towline.stop()
    container.log.unlink()


def test_without_descriptors_rotated_files_are_closed_first(node, small, table):
    """Said, and opened again when there is room: what came meanwhile is shipped."""
    towline = small(table.output, Max_Files=200, Rotate_Wait=1)
    rotated, held = [node.container() for _ in range(10)], []
    for container in rotated:
        container.write("rotated", "its end")
        held.append(open(container.log, "ab", buffering=0))  # its writer has it still
        container.rename()
        container.write("live", "its end")
    table.until_count(40)
    used = len(os.listdir(f"/proc/{towline.process.pid}/fd"))
    limit = used + 30  # of which towline leaves 24 to others
    resource.prlimit(towline.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
    live = [node.container() for _ in range(14)]
    for container in live:
        container.write("new", "its end")
    towline.until_said(
        r"out of file descriptors .*: [1-9]\d* rotated files .* are closed"
    )
    table.until_count(68)  # room was made for each of the new ones
    for file in held:
        file.write(cri("late").encode() + cri("last").encode())
        file.close()
    for container in live:
        container.log.unlink()
        container.link.unlink()
    table.until_count(88)
    assert towline.said().count("out of file descriptors") < 5
    towline.stop()
