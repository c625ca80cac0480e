"""A container's log as its runtime and the kubelet treat it: each in its exact
order of steps (facts of kubelet, containerd and conmon), one step at a time, so
that lines fall between any two of them."""

import contextlib
import gzip
import json
import os
import pathlib
import shutil
import time

from layout import LIVE
from slow import Slow

MAX_FILES = 5
KEEPS_TIME = 10**9
SLOW = 0.5  # of the rotations leave a slow writer behind
CALM = 2.0  # s from the last mark in the index to what `towline status` must say


def cri_head(ns, side, tag, zone):
    when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ns // KEEPS_TIME))
    return f"{when}.{ns % KEEPS_TIME:09d}{zone} {side} {tag} ".encode()


class Progress:
    """What towline itself says that it has not delivered: the driver's note of `status`."""

    def __init__(self, folder):
        self.file, self.read, self.at, self.behind = folder / "behind.json", 0, 0, []

    def behind_since(self, when):
        """The files that lag, a name for each stream; None: not asked since then."""
        with contextlib.suppress(FileNotFoundError):
            stamp = self.file.stat().st_mtime_ns
            if stamp != self.read:
                note = json.loads(self.file.read_text())
                self.read, self.at, self.behind = stamp, note["at"], note["behind"]
        return self.behind if self.at > when else None


class Container:
    """runtime: containerd, conmon (CRI-O) or copytruncate (a logrotate that
    copies and truncates); taken(first, last): has the index got these marks?
    finish(side): write the rest of the record of this side that is under way."""

    def __init__(
        self,
        node,
        layout,
        folder,
        pod,
        name,
        runtime,
        kinds,
        taken,
        finish,
        rotate_wait,
        rng,
    ):
        self.runtime, self.kinds, self.taken, self.rng = runtime, kinds, taken, rng
        self.layout, self.pod, self.name, self.restart = layout, pod, name, 0
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.links, self.progress = node.root / "containers", Progress(node.root.parent)
        self.zone = "+00:00" if runtime == "conmon" else "Z"
        self.indexed = {}  # file: when that was first seen
        self.marks = {}  # file: (first, last) that it holds
        self.finish, self.rotate_wait = finish, rotate_wait
        self.slow, self.renamed = [], None
        self.steps, self.stamp, self.done = [], 0, {}
        self.open_first()

    # ---- writing

    @property
    def log(self):
        return self.folder / (LIVE if self.layout.plain else f"{self.restart}.log")

    def open_first(self):
        self.fd = os.open(self.log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o640)
        self.held = self.marks[self.log] = [0, 0]
        if self.layout.is_wide:
            self.link = self.log  # it is found by its own name
            return
        name = f"{self.pod}_matillion_{self.name}-{os.urandom(32).hex()}.log"
        self.link = self.links / name
        self.link.symlink_to(self.log)

    def write(self, units, side, stamp=None):
        """Units of one side, in one write(2): as the runtime does a read."""
        self.put(self.fd, self.held, units, side, stamp)

    def write_late(self, slow, units):
        self.put(slow.fd, slow.held, units, slow.side, slow.stamp)
        self.count("slow")

    def put(self, fd, held, units, side, stamp=None):
        now = stamp or time.time_ns()
        data = b"".join(
            cri_head(now, side, u.tag, self.zone) + u.text + b"\n" for u in units
        )
        os.write(fd, data)
        now = time.time_ns()
        for unit in units:
            unit.at = now
        if marks := [u.mark for u in units if u.mark]:
            held[:] = min(marks[0], held[0] or marks[0]), max(marks[-1], held[1])

    # ---- steps

    def count(self, kind):
        self.done[kind] = self.done.get(kind, 0) + 1

    def busy(self):
        return bool(self.steps)

    def step(self):
        if self.steps:
            self.steps.pop(0)()

    def rotate(self):
        if self.runtime == "copytruncate":
            self.steps = [self.shift, self.copy_and_truncate]
            if self.layout.is_wide:
                self.steps = [self.collect, *self.compress_steps(), *self.steps]
            return
        self.steps = [self.collect, *self.compress_steps()]
        self.steps += [self.shift] if self.layout.is_numbered else []
        self.steps += [self.rename]
        late = self.rng.choice([0, 0, 1, 5]) if "late" in self.kinds else 0
        self.steps += [lambda: None] * late  # lines go on into the renamed file
        if self.runtime == "conmon":
            self.steps += [self.reopen_through_tmp]
        else:
            self.steps += [self.open_new, self.swap]

    def rotated(self):
        """The oldest first."""
        layout, live = self.layout, self.log
        files = [p for p in self.folder.iterdir() if layout.is_rotated(p, live)]
        return sorted(files, key=lambda file: layout.age(file, live))

    def is_taken(self, file):
        """In the index, and towline knows it: nothing of the container lags but its live file."""
        if not self.is_indexed(file):
            return False
        since = self.indexed.setdefault(file, time.time())
        behind = self.progress.behind_since(since + CALM)
        if behind is None or behind.count(str(self.link)) > 1:
            return False
        mine = str(self.folder), str(self.links / f"{self.pod}_matillion_{self.name}-")
        return all(p == str(self.link) for p in behind if p.startswith(mine))

    def is_indexed(self, file):
        name = file.with_suffix("") if file.suffix == ".gz" else file
        first, last = self.marks.get(name, (0, 0))
        return not last or self.taken(first, last)

    def collect(self):
        """*.tmp, plain files that have a .gz, then the oldest beyond MaxFiles - 2."""
        for file in self.folder.glob("*.tmp"):
            file.unlink()
        for file in self.folder.glob("*.gz"):
            file.with_suffix("").unlink(missing_ok=True)
        if "delete" not in self.kinds:
            return
        for file in self.rotated()[: -(MAX_FILES - 2)]:
            if self.is_written(file):
                continue
            if not self.is_taken(file):
                break
            file.unlink()
            self.count("delete")

    def compress_steps(self):
        if "gzip" not in self.kinds or not self.layout.packs:
            return []
        steps = []
        for file in self.rotated():
            if file.suffix != ".gz" and not self.is_written(file):
                steps += self.compress_one(file)
        return steps

    def compress_one(self, file):
        tmp, to = pathlib.Path(f"{file}.tmp"), pathlib.Path(f"{file}.gz")

        def squeeze():
            with open(file, "rb") as plain, gzip.open(tmp, "wb", 1) as packed:
                shutil.copyfileobj(plain, packed)

        def begin():
            """logrotate: under the name that it keeps."""
            squeeze()
            self.packed, self.bytes = open(to, "wb", buffering=0), tmp.read_bytes()
            tmp.unlink()
            self.packed.write(self.bytes[: len(self.bytes) // 2])

        def go_on():
            self.packed.write(self.bytes[len(self.bytes) // 2 :])
            self.packed.close()

        def drop():
            file.unlink()
            self.count("gzip")

        if self.layout.style == "kubelet":
            return [squeeze, lambda: tmp.rename(to), drop]
        return [begin, go_on, drop]

    def rename(self):
        self.stamp = max(self.stamp + 1, int(time.time()))
        when = time.strftime("%Y%m%d-%H%M%S", time.gmtime(self.stamp))
        to = self.layout.rotated(self.log, when)
        self.log.rename(to)
        self.marks[to] = self.marks.pop(self.log)
        self.renamed = to
        self.count("rotate")
        if self.layout.is_wide:
            self.count(f"{self.layout.style}{'-plain' * self.layout.plain}")

    def open_new(self):
        """containerd: the new file is there before the old one is left."""
        flags = os.O_CREAT | os.O_WRONLY | os.O_APPEND
        self.new = os.open(self.log, flags, 0o640)

    def leave(self):
        """The runtime is done with the renamed file; a slow writer may not be.  No record
        goes on behind a file whose name tells nothing: it may be a log of its own."""
        for side in ("stdout", "stderr") if self.layout.style == "prefix" else ():
            self.finish(side)
        if "slow" in self.kinds and self.rng.random() < SLOW:
            self.leave_slow()
        os.close(self.fd)

    def leave_slow(self):
        """What it writes until towline goes on to the next file comes before that: a record
        that goes on there must not be ended by it, neither by its text nor by its time."""
        sides = self.rng.sample(["stdout", "stderr"], 2)
        stamp = self.rng.choice([None, time.time_ns()])
        for side in sides if stamp is None else sides[:1]:
            self.finish(side)
        self.slow.append(Slow(self, sides[0], stamp))

    def is_written(self, file):
        return any(slow.file == file for slow in self.slow)

    def swap(self):
        self.leave()
        self.fd = self.new
        self.held = self.marks[self.log] = [0, 0]

    def reopen_through_tmp(self):
        """conmon: close, make LOG.tmp, rename it to LOG."""
        self.leave()
        tmp = f"{self.log}.tmp"
        self.fd = os.open(tmp, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o640)
        os.rename(tmp, self.log)
        self.held = self.marks[self.log] = [0, 0]

    def shift(self):
        """logrotate: LOG.2.gz to LOG.3.gz, LOG.1 to LOG.2."""
        number = {file: self.layout.number(file, self.log) for file in self.rotated()}
        for file, n in sorted(number.items(), key=lambda entry: -entry[1]):
            plain, to = (self.folder / f"{self.log.name}.{i}" for i in (n, n + 1))
            file.rename(f"{to}{file.suffix}" if file.suffix == ".gz" else to)
            if plain in self.marks:
                self.marks[to] = self.marks.pop(plain)
            for slow in self.slow:
                slow.file = to if slow.file == plain else slow.file

    def copy_and_truncate(self):
        """No line is written between the two: what is then lost is the method's own."""
        to = self.folder / f"{self.log.name}.1"
        shutil.copyfile(self.log, to)
        os.ftruncate(self.fd, 0)
        self.marks[to] = self.marks[self.log]
        self.held = self.marks[self.log] = [0, 0]
        self.count("copytruncate")
        if self.layout.is_wide:
            self.count(f"copytruncate{'-plain' * self.layout.plain}-wide")

    # ---- lives

    def start_again(self):
        """The container ended and another began: N.log, then N+1.log and a link of its own."""
        if self.busy() or not self.layout.restarts:
            return
        old_log, old_link = self.log, self.link
        os.close(self.fd)
        for slow in self.slow:
            slow.close()
        self.slow = []
        self.restart += 1
        self.stamp = 0
        self.open_first()
        self.count("restart")
        self.steps = [lambda: self.remove_dead(old_log, old_link)]

    def remove_dead(self, log, link):
        """The kubelet removes LOG* and the link of a dead container, once all is taken."""
        files = [p for p in self.folder.iterdir() if p.name.startswith(f"{log.name}")]
        if not all(self.is_taken(file) for file in files):
            self.steps.append(lambda: self.remove_dead(log, link))
            return
        if "delete" not in self.kinds:
            return
        for file in files:
            with contextlib.suppress(FileNotFoundError):
                file.unlink()
        link.unlink(missing_ok=True)
        self.count("remove")
