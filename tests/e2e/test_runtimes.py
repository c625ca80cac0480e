"""How each container runtime writes and rotates, step by step; every line once."""

import gzip
import json
import os
import time

import pytest
from harness.table import Table
from harness.wait import until


@pytest.fixture
def table(tmp_path):
    return Table(tmp_path / "logs.db")


def lines(first, end):
    return [f"line {i:05d}" for i in range(first, end)]


# ---- Docker's json-file driver


def docker(text, side="stdout"):
    """One line of json-file; Go's encoder escapes what HTML would read."""
    now = time.time_ns()
    second = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9))
    entry = {"log": text, "stream": side, "time": f"{second}.{now % 10**9:09d}Z"}
    line = json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&":
        line = line.replace(sign, f"\\u{ord(sign):04x}")
    return (line + "\n").encode()


@pytest.fixture
def docker_config(config, table):
    made = config(table.output)
    made.inputs[0]["Parser"] = "docker"
    return made


def test_docker_lines_are_joined_and_unescaped(node, table, run, docker_config):
    towline = run(docker_config)
    container = node.container()
    container.raw(
        docker('say "<hi>"\t\\n\n') + docker("left ") + docker("err\n", "stderr")
    )
    container.raw(docker("right\n"))
    trace = ["java.lang.IllegalStateException: shut", "\tat c.m.A.<init>(A.java:1)"]
    for line in trace:
        container.raw(docker(line + "\n"))
    container.raw(docker("after\n") + docker("one\ntwo\n"))
    want = ['say "<hi>"\t\\n', "err", "\n".join(["left right", *trace]), "after"]
    want.append("one\ntwo")
    table.until_count(len(want))
    assert table.logs() == sorted(want)
    sides = {d["log"]: d["stream"] for d in table.documents()}
    assert sides["err"] == "stderr"
    assert sides["after"] == "stdout"
    assert towline.metric("towline_parse_failures_total") == 0
    towline.stop()


# ---- the kubelet: rotate, compress, reopen


def compress(plain):
    """X.tmp, then X.gz, then X is deleted: in this order."""
    packed = plain.with_name(plain.name + ".tmp")
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    packed.rename(plain.with_name(plain.name + ".gz"))
    plain.unlink()


def rotated(container):
    return [f for f in container.folder.iterdir() if f.name != container.log.name]


def kubelet_rotate(container):
    """All that is rotated already is compressed, then the live file is renamed."""
    for file in rotated(container):
        if file.suffix != ".gz":
            compress(file)
    return container.rotate()


def test_rotations_while_down_leave_plain_and_gz(node, table, run, config):
    """The first file was half read; three are compressed, the newest is plain."""
    container = node.container()
    container.write(*lines(0, 1000))
    towline = run(config(table.output))
    table.until_count(1000)
    towline.stop()
    for i in range(1, 5):
        container.write(*lines(i * 1000, i * 1000 + 1000))
        kubelet_rotate(container)
    container.write(*lines(5000, 6000))
    assert sorted(f.suffix == ".gz" for f in rotated(container)) == [False] + [True] * 3
    towline = run(config(table.output))
    table.until_count(6000)
    assert table.in_order() == lines(0, 6000)
    assert towline.metric("towline_collisions_total") == 0
    towline.until_metric("towline_lag_bytes", 0)
    towline.stop()
    towline = run(config(table.output))  # all is known: nothing is read again
    container.write("line 06000")
    table.until_count(6001)
    assert towline.metric("towline_read_bytes_total") < 1000
    towline.stop()


def test_a_partial_goes_on_from_one_gz_into_the_next(node, table, run, config):
    container = node.container()
    for i in range(3):
        container.write(f"whole {i}", f"left {i} ")
        with open(container.log, "r+b") as file:
            data = file.read()
            file.seek(0)
            file.truncate()
            file.write(data.replace(b" F left", b" P left"))
        kubelet_rotate(container)
        container.write(f"right {i}")
    run(config(table.output))
    table.until_count(6)
    want = [f"whole {i}" for i in range(3)] + [f"left {i} right {i}" for i in range(3)]
    assert table.logs() == sorted(want)


def test_plain_and_gz_of_one_file_are_one(node, table, run, config):
    """The kubelet was stopped before it deleted the plain one; a .tmp is no log."""
    container = node.container()
    container.write(*lines(0, 1000))
    plain = container.rotate()
    packed = gzip.compress(plain.read_bytes())
    plain.with_name(plain.name + ".gz").write_bytes(packed)
    plain.with_name("0.log.20200101-000000.tmp").write_bytes(packed[:100])
    container.write(*lines(1000, 1100))
    towline = run(config(table.output))
    table.until_count(1100)
    assert table.in_order() == lines(0, 1100)
    towline.until_delivered(1100)
    towline.stop()
    plain.unlink()  # the kubelet goes on
    container.write(*lines(1100, 1200))
    towline = run(config(table.output))
    table.until_count(1200)
    assert towline.metric("towline_collisions_total") == 0
    assert table.logs() == lines(0, 1200)
    towline.stop()


def test_a_file_is_compressed_while_it_is_read(node, table, run, config):
    """Two rotations while we are busy: the inode that we hold is the one that is gone."""
    container = node.container()
    towline = run(config(table.output))
    for i in range(5):
        container.write(*lines(i * 4000, i * 4000 + 4000))
        kubelet_rotate(container)
    container.write(*lines(20000, 20001))
    table.until_count(20001)
    assert table.in_order() == lines(0, 20001)
    towline.until_delivered(20001)
    assert towline.metric("towline_collisions_total") == 0
    towline.stop()


@pytest.mark.parametrize("fault", ["cut", "flipped"])
def test_a_corrupt_gz_is_said_counted_and_left(node, table, run, config, fault):
    container = node.container()
    container.write(*[f"line {os.urandom(50).hex()}" for _ in range(2000)])
    whole = sorted(container.log.read_text().splitlines())
    kubelet_rotate(container)
    container.write("middle")
    kubelet_rotate(container)
    container.write("after")
    (packed,) = [f for f in rotated(container) if f.suffix == ".gz"]
    data = bytearray(packed.read_bytes())
    if fault == "cut":
        del data[len(data) // 2 :]
    else:
        data[len(data) // 2] ^= 0xFF
    packed.write_bytes(data)
    towline = run(config(table.output))
    towline.until_said("is corrupt or cut off")
    until(lambda: {"middle", "after"} <= set(table.logs()), table.count)
    assert towline.metric("towline_lost_bytes_total", reason="gzip") > 0
    assert towline.said().count("is corrupt") == 1
    towline.stop()
    if fault == "cut":  # all before it is shipped; a flipped bit shows at the end alone
        texts = {line.split(" ", 3)[3] for line in whole} | {"middle", "after"}
        got = table.logs()
        assert len(got) > 900
        assert len(set(got) - texts) <= 1  # the line that was cut
