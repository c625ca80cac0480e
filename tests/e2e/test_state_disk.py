"""The state's disk is full, or read-only: what was promised of that, on real file systems."""

import errno
import itertools
import pathlib
import shutil
import subprocess

import pytest
from harness.node import completed
from harness.wait import until

STATE = "cannot be written"


class Disk:
    """A file system of its own for the state."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(mode=0o700)

    def mount(self, *arguments):
        command = ["mount", *map(str, arguments), str(self.folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"cannot mount: {done.stderr.strip()}")

    def unmount(self):
        subprocess.run(["umount", self.folder], capture_output=True, check=False)

    def fill(self):
        with open(self.folder / "ballast", "ab", buffering=0) as file:
            for size in (1 << 16, 1 << 10, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError:
                    pass

    def free(self):
        (self.folder / "ballast").unlink()


@pytest.fixture
def disk(tmp_path):
    made = Disk(tmp_path / "state")
    yield made
    made.unmount()


def unready(towline):
    return towline.get("/readyz")[0] == 503 and STATE in towline.get("/readyz")[1]


def stale(towline):
    return towline.metric("towline_state_stale_seconds")


def stands_without_state(towline, container, table, before):
    """Ships on, says so once, shows it; a record that only time can end waits.  How many
    records were written.

    Had one been ended by time before that was known, its log would wait whole: until
    then records end by themselves."""
    numbers = itertools.count()

    def refused():
        container.write(f'{{"n":{next(numbers)}}}')
        return unready(towline)

    until(refused, lambda: towline.get("/readyz"))
    first = next(numbers)
    before += first
    container.write(*(f"while {i}" for i in range(2000)), "last")
    table.until_count(before + 2000)
    until(lambda: stale(towline) >= 3, lambda: stale(towline))
    age = stale(towline)
    until(lambda: stale(towline) > age, lambda: stale(towline))
    container.write(*(f"longer {i}" for i in range(99)), "very last")
    table.until_count(before + 2001 + 99)
    assert "very last" not in table.logs()
    assert towline.said().count("cannot write") == 1
    assert towline.get("/healthz")[0] == 200
    return first + 2000 + 1 + 100


def test_a_full_disk_stops_no_shipping_and_passes(disk, table, settings, node, run):
    disk.mount("-t", "tmpfs", "-o", "size=2m,mode=700", "towline-test")
    container, tasks = node.container(), 30
    container.write(*(completed(1) for _ in range(tasks)))  # history: shown at once
    towline = run(settings)
    towline.until_metric("app_completed_tasks_total", tasks)
    towline.until_ready()
    table.until_count(tasks)
    disk.fill()
    total = tasks + stands_without_state(towline, container, table, tasks) + 2
    late = node.container(pod="matillion-agent-1")
    late.write("late", "and later")
    shown = towline.metric("towline_records_total")
    disk.free()
    towline.until_ready()
    table.until_count(total)
    towline.until_metric("towline_records_total", total)
    assert shown < total  # what was not on disk was not shown
    towline.until_metric("towline_state_stale_seconds", 0)
    assert "can be written again" in towline.stop()


@pytest.fixture
def settings(config, table):
    made = config(table.output)
    made.inputs[0]["Flush_ms"] = 3000
    return made


def run_with_history(container, table, run, settings):
    container.write(*(completed(1) for _ in range(30)), "first")
    towline = run(settings)
    towline.until_metric("app_completed_tasks_total", 30)
    table.until_count(31)
    return towline


def all_is_there_after(table, run, settings, total):
    """A start with a disk that is well again: each record once, each task counted once."""
    towline = run(settings)
    table.until_count(total)
    towline.until_metric("towline_records_total", total)
    towline.until_metric("app_completed_tasks_total", 30)
    towline.stop()
    assert table.count() == total == len(set(table.logs()))


def test_a_kill_while_the_disk_is_full_loses_nothing(disk, table, settings, node, run):
    disk.mount("-t", "tmpfs", "-o", "size=2m,mode=700", "towline-test")
    container = node.container()
    towline = run_with_history(container, table, run, settings)
    disk.fill()
    total = 31 + stands_without_state(towline, container, table, 31)
    towline.kill()
    disk.free()
    all_is_there_after(table, run, settings, total)


def test_a_disk_that_turns_read_only_stops_no_shipping(
    disk, tmp_path, table, settings, node, run
):
    """ext4 does so after an error of its device; it stays so until it is mounted again."""
    image = tmp_path / "image"
    subprocess.run(["truncate", "-s", "16M", image], check=True)
    subprocess.run(["mkfs.ext4", "-q", image], check=True)
    disk.mount("-o", "loop", image)
    container = node.container()
    towline = run_with_history(container, table, run, settings)
    disk.mount("-o", "remount,abort")
    until(lambda: not writable(disk.folder), "the disk is still writable")
    total = 31 + stands_without_state(towline, container, table, 31)
    towline.stop()
    disk.unmount()
    # A mount namespace that was made meanwhile may hold the old one for some time.
    well = shutil.copyfile(image, tmp_path / "well")
    subprocess.run(["e2fsck", "-fy", well], capture_output=True, check=False)
    disk.mount("-o", "loop", well)
    all_is_there_after(table, run, settings, total)


def writable(folder):
    try:
        (folder / "probe").touch()
    except OSError as error:
        assert error.errno == errno.EROFS
        return False
    return True


@pytest.mark.parametrize("known", [False, True], ids=["first start", "later start"])
def test_a_disk_that_is_read_only_stops_the_start(
    known, disk, table, config, node, run
):
    disk.mount("-t", "tmpfs", "-o", "size=4m,mode=700", "towline-test")
    settings = config(table.output)
    if known:
        run(settings).stop()
    disk.mount("-o", "remount,ro")
    refused(run(settings, wait=False), "Read-only file system")
    disk.mount("-o", "remount,rw")
    node.container().write("one", "two")
    towline = run(settings)
    table.until_count(2)
    towline.stop()


def test_a_disk_that_is_full_at_the_first_start_stops_it(
    disk, table, config, node, run
):
    disk.mount("-t", "tmpfs", "-o", "size=1m,mode=700", "towline-test")
    disk.fill()
    settings = config(table.output)
    refused(run(settings, wait=False), "full|No space left")
    disk.free()
    node.container().write("one", "two")
    towline = run(settings)
    table.until_count(2)
    towline.stop()
    assert not list(pathlib.Path(disk.folder).glob("*corrupt*"))


def refused(towline, why):
    assert towline.wait() == 1
    said = towline.until_said(f"state .*({why}).*--state DIR")
    assert said
