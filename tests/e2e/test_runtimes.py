"""How each container runtime writes and rotates, step by step; every line once."""

import gzip
import os
import sqlite3
import time

import pytest
from harness.node import Node, cri, docker
from harness.wait import until


def lines(first, end):
    return [f"line {i:05d}" for i in range(first, end)]


# ---- Docker's json-file driver


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
    trace = ["java.lang.IllegalStateException: shut", "\tat c.m.A.<init>(A.java:1)"]
    container.raw(b"".join(docker(line + "\n") for line in ["right", *trace]))
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


class Dockerd:
    """A container's log in Docker's own directory, which the kubelet links to."""

    def __init__(self, root, container):
        self.log = root / container.link.stem[-64:] / "container-json.log"
        self.log.parent.mkdir(parents=True)
        self.log.touch()
        container.log.unlink()
        container.log.symlink_to(self.log)

    def name(self, n):
        return self.log.with_name(self.log.name + (f".{n}" if n else ""))

    def write(self, *texts):
        with open(self.log, "ab", buffering=0) as f:
            f.write(b"".join(map(docker, texts)))

    def rotate(self, files=4, packed=False):
        """loggerutils: the last one goes, each takes the next number, then a new file."""
        suffix = ".gz" if packed else ""
        for n in range(files - 1, 1, -1):
            old = self.name(f"{n - 1}{suffix}")
            if old.exists():
                old.rename(self.name(f"{n}{suffix}"))
        self.log.rename(self.name(1))
        self.log.touch()
        if packed:  # behind our back, after the new file is there
            compress(self.name(1))


@pytest.fixture
def dockerd(tmp_path, node, docker_config):
    docker_config.inputs[0]["Allowed_Roots"] = tmp_path / "docker"
    return lambda container: Dockerd(tmp_path / "docker", container)


def test_docker_numbers_its_rotated_files(node, table, run, docker_config, dockerd):
    towline = run(docker_config)
    log = dockerd(node.container())
    for i in range(5):
        log.write(f"whole {i}\n", f"left {i} ")
        log.rotate()
        log.write(f"right {i}\n")
        table.until_count(2 * (i + 1))
    want = [f"whole {i}" for i in range(5)] + [f"left {i} right {i}" for i in range(5)]
    assert table.logs() == sorted(want)
    pods = {d["kubernetes"]["pod_name"] for d in table.documents()}
    assert pods == {"matillion-agent-0"}
    assert towline.metric("towline_collisions_total") == 0
    towline.stop()


@pytest.mark.parametrize("packed", [False, True])
def test_docker_rotates_while_down(node, table, run, docker_config, dockerd, packed):
    log = dockerd(node.container())
    log.write(*[f"{line}\n" for line in lines(0, 100)])
    towline = run(docker_config)
    table.until_count(100)
    towline.stop()
    for i in range(1, 4):
        log.write(*[f"{line}\n" for line in lines(i * 100, i * 100 + 100)])
        log.rotate(packed=packed)
    log.write("line 00400\n")
    towline = run(docker_config)
    table.until_count(401)
    assert table.in_order() == lines(0, 401)
    assert towline.metric("towline_collisions_total") == 0
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


def test_late_bytes_come_to_the_renamed_file(node, table, run, config):
    """containerd opens the new file, swaps, and closes the old one last."""
    container = node.container()
    towline = run(config(table.output))
    container.write(*lines(0, 100))
    with open(container.log, "ab", buffering=0) as old:
        renamed = container.rotate()
        container.write(*lines(110, 120))
        old.write(b"".join(cri(line).encode() for line in lines(100, 105)))
        table.until_count(115)
        old.write(b"".join(cri(line).encode() for line in lines(105, 110)))
    table.until_count(120)
    assert table.logs() == lines(0, 120)
    compress(renamed)
    container.write(*lines(120, 130))
    table.until_count(130)
    towline.stop()


def test_an_inode_number_used_again_is_another_file(node, table, run, config):
    """The kubelet's second rotation: the new 0.log may get the compressed file's inode."""
    container = node.container()
    towline = run(config(table.output))
    for i in range(6):
        container.write(*lines(i * 10, i * 10 + 10))
        table.until_count(i * 10 + 10)
        kubelet_rotate(container)
    towline.stop()
    for i in range(6, 12):
        container.write(*lines(i * 10, i * 10 + 10))
        kubelet_rotate(container)
    towline = run(config(table.output))
    table.until_count(120)
    assert table.logs() == lines(0, 120)
    assert towline.metric("towline_collisions_total") == 0
    towline.stop()


# ---- conmon: CRI-O and podman


def conmon(text, tag="F", stamp=None):
    """Nine digits and a numeric zone, never Z; lines of one read share their time."""
    stamp = stamp or time.strftime("%Y-%m-%dT%H:%M:%S.123456789+00:00", time.gmtime())
    return f"{stamp} stdout {tag} {text}\n".encode()


def conmon_reopen(container):
    """The kubelet has renamed the file; a new one comes as .tmp and is renamed."""
    fresh = container.folder / f"{container.log.name}.tmp"
    fresh.touch()
    fresh.rename(container.log)


def test_conmon_reopens_through_a_tmp_file(node, table, run, config):
    towline = run(config(table.output))
    container = node.container()
    for i in range(3):
        container.raw(b"".join(conmon(f"whole {i} {n}") for n in range(100)))
        with open(container.log, "ab", buffering=0) as old:
            renamed = container.rename()
            old.write(conmon(f"late {i}") + conmon(f"left {i} ", "P"))
            conmon_reopen(container)
        container.raw(conmon(f"right {i}") + conmon(f"end {i}"))
        table.until_count(103 * (i + 1))
        compress(renamed)
    assert len(set(table.logs())) == 309
    assert {f"left {i} right {i}" for i in range(3)} <= set(table.logs())
    times = {d["time"] for d in table.documents()}
    assert all(t.endswith("123456789Z") or t.endswith("+00:00") for t in times)
    towline.stop()


# ---- links and directories


def test_a_restarted_container_has_a_log_of_its_own(node, table, run, config):
    """0.log ends without a rotation, 1.log begins; the link is another one."""
    towline = run(config(table.output))
    container = node.container()
    container.write(*lines(0, 10), "same")
    container.raw(cri("cut ", tag="P").encode())
    table.until_count(11)
    container.restart = 1
    container.write("same", *lines(10, 20))
    other = container.link.with_name(container.link.name[:-12] + "abcdef01.log")
    other.symlink_to(container.log)
    container.link.unlink()
    table.until_count(23)
    assert table.logs() == sorted(["cut ", "same", "same", *lines(0, 20)])
    towline.stop()


def test_a_link_that_is_repointed_is_followed(node, table, run, config):
    """The old target is read to its end, the new one from its start."""
    towline = run(config(table.output))
    container = node.container()
    container.write(*lines(0, 10))
    table.until_count(10)
    container.write(*lines(10, 20))
    container.restart = 1
    container.write(*lines(20, 30))
    fresh = node.root / "fresh"
    fresh.symlink_to(container.log)
    fresh.rename(container.link)
    container.write(*lines(30, 40))
    table.until_count(40)
    assert table.logs() == lines(0, 40)
    towline.stop()


def test_a_directory_that_comes_late_is_read(tmp_path, node, table, run, config):
    """Neither containers/ nor pods/ is there at the start, as before a mount."""
    late = Node(tmp_path / "late", link_root=node.root)
    container = late.container()
    container.write(*lines(0, 10))
    for name in "containers", "pods":
        (node.root / name).rmdir()
    node.root.rmdir()
    towline = run(config(table.output))
    towline.get("/healthz")
    late.root.rename(node.root)
    table.until_count(10)
    towline.stop()


def test_rotations_while_the_output_takes_nothing(node, table, run, config):
    """Five while we are busy: compressed, and the oldest deleted, as the kubelet does."""
    container = node.container()
    container.write(*lines(0, 10))
    towline = run(config(table.output))
    table.until_count(10)
    lock = sqlite3.connect(table.path, isolation_level=None, timeout=30)
    lock.execute("BEGIN EXCLUSIVE")
    end = 10
    for _ in range(5):
        container.write(*lines(end, end + 15000))
        end += 15000
        before = towline.metric("towline_lag_bytes")
        kubelet_rotate(container)
        container.write(*lines(end, end + 1))
        end += 1
        for file in sorted(rotated(container))[:-3]:
            file.unlink()
        until(lambda b=before: towline.metric("towline_lag_bytes") > b, "not seen")
    lock.execute("ROLLBACK")
    lock.close()
    table.until_count(end)
    assert table.logs() == lines(0, end)
    assert towline.metric("towline_collisions_total") == 0
    assert towline.metric("towline_lost_bytes_total") == 0
    towline.stop()


def test_killed_while_it_reads_what_is_compressed(node, table, run, config):
    """Each file ends in a part that the next one's first line goes on with."""
    container = node.container()
    for i in range(4):
        container.write(*lines(i * 20000, i * 20000 + 20000))
        now = time.time_ns()  # of both: compressing takes its time
        container.raw(cri(f"left {i} ", tag="P", ns=now).encode())
        kubelet_rotate(container)
        container.raw(cri(f"right {i}", ns=now).encode())
    for kills in range(1, 6):
        towline = run(config(table.output), wait=False)
        until(lambda k=kills: table.count() > 12000 * k, table.count)
        towline.kill()
    towline = run(config(table.output))
    table.until_count(80004)
    towline.until_metric("towline_lag_bytes", 0)
    towline.until_metric("towline_records_total", 80004)
    assert towline.metric("towline_lost_bytes_total") == 0
    towline.stop()
    want = [f"left {i} right {i}" for i in range(4)]
    assert table.logs() == sorted(lines(0, 80000) + want)
