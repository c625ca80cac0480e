"""One episode: writers write, the driver breaks, all is healed, the judge looks."""

import collections
import contextlib
import json
import math
import mmap
import os
import random
import shutil
import signal
import subprocess
import time

from journal import Journal, can_have_one
from judge import MARK, Judge, dead_letters, outputs_of
from jvm import Jvm
from layout import wide_paths
from process import Config, Index, Towline, has_faults, start_writers
from writers import MARKS

# Where a build with FAULTS=1 can be killed.
POINTS = [
    "before-send",
    "in-body",
    "answer-begins",
    "before-apply",
    "after-apply",
    "before-settle",
    "after-settle",
    "break-stored",
    "span-stored",
    "batch-sealed",
    "before-commit",
    "in-commit",
    "after-commit",
]
SERVER_FAULTS = {
    "reset-request": 3,
    "reset-answer": 3,
    "stall": 1,
    "s429": 2,
    "s503": 2,
    "s403": 1,
    "s413": 2,
    "s500": 1,
    "s302": 1,
    "s100": 1,
    "items429": 3,
    "items503": 1,
    "items403": 2,
    "garbage": 1,
    "half": 1,
    "html": 1,
    "count": 2,
    "endless": 1,
    "trickle": 1,
}
TOWLINE_FAULTS = {"kill": 20, "point": 16, "term": 3, "framing": 2}
OTHER_FAULTS = {"down": 4, "statefull": 2}
REAL_FAULTS = {"server-kill": 3, "server-stop": 2}
WRITER_KINDS = [
    "late",
    "slow",
    "gap",
    "burst",
    "restart",
    "delete",
    "gzip",
    "copytruncate",
    "paths",
    "jvm",
]
OUTPUTS = "outputs"  # a second es output in half of the seeds
JOURNAL = "journal"  # one of systemd's in a third of them
FAULTS = SERVER_FAULTS | TOWLINE_FAULTS | OTHER_FAULTS | REAL_FAULTS
KINDS = [*FAULTS, *WRITER_KINDS, OUTPUTS, JOURNAL]
MEMORY = "towline_memory_limit_bytes"  # the sum that it states, when it does
STALLS = 60  # s without progress after which what is missing is lost
JVM_EACH = 5  # one of so many seeds has the stand-in agent, too
HELD_AT_0 = 45  # s: longer than a new series is shown at 0
COUNTERS = ("app_completed", "app_failed", "app_task_errors", "app_task_execution")


def missing(folder, written, gone):
    """How many of the marks {container: the last} an index or the dead letters lack;
    not those that are gone, [(container, mark)]."""
    outputs = outputs_of(folder).items()
    return sum(missing_of(folder, *output, written, gone) for output in outputs)


def missing_of(folder, output, there, written, gone):
    with (
        open(there / "marks", "r+b") as file,
        mmap.mmap(file.fileno(), 0) as marks,
    ):
        for letter in dead_letters(folder, output):
            for number, mark in MARK.findall(json.dumps(letter["document"])):
                marks[int(number) * MARKS + int(mark)] = 1
        for number, mark in gone:
            marks[number * MARKS + mark] = 1
        return sum(
            marks[int(c) * MARKS + 1 : int(c) * MARKS + n + 1].count(0)
            for c, n in written.items()
        )


class Episode:
    def __init__(self, folder, seed, seconds, kinds, options, real=None):
        self.folder, self.seed, self.seconds = folder, seed, seconds
        self.kinds, self.options, self.real = set(kinds), options, real
        self.rng = random.Random(f"{seed}/driver")
        self.done = collections.Counter()
        self.full_until = -math.inf  # the state's disk
        self.findings = collections.defaultdict(list)
        self.shown, self.samples, self.heal_at, self.noted = {}, [], [], 0
        self.which = random.Random(f"{seed}/outputs")  # which of two outputs fails
        folder.mkdir(parents=True)
        self.mount_state()
        self.indices = [self.make_index(folder, f"chaos-{seed}")]
        if OUTPUTS in self.kinds and self.which.random() < 0.5:
            self.indices.append(self.make_index(folder / "second", f"second-{seed}"))
            self.done[OUTPUTS] = 1
        self.journal = self.make_journal()
        self.towline = Towline(self.make_config())
        able = {"point": has_faults(), "statefull": self.mounted}
        able |= dict.fromkeys(REAL_FAULTS, real is not None)
        self.weights = {
            k: w for k, w in FAULTS.items() if k in self.kinds and able.get(k, True)
        }

    def say(self, what):
        with open(self.folder / "driver.log", "a") as file:
            file.write(f"{time.time():.3f} {what}\n")

    def make_index(self, folder, name):
        folder.mkdir(exist_ok=True)
        with open(folder / "marks", "wb") as file:
            file.truncate((self.options["containers"] + 1) * MARKS)
        return Index(folder, self.real.server.port if self.real else 0, name)

    def make_journal(self):
        rng = random.Random(f"{self.seed}/journal")
        if JOURNAL not in self.kinds or rng.random() > 1 / 3 or not can_have_one():
            return None
        self.done[JOURNAL] = 1
        return Journal(self.folder, self.options["containers"], rng)

    def mount_state(self):
        state = self.folder / "state"
        state.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=700", "chaos", state]
        self.mounted = (
            os.geteuid() == 0
            and "statefull" in self.kinds
            and subprocess.run(command, capture_output=True).returncode == 0
        )

    def make_config(self):
        log = collections.namedtuple("Log", "path")(
            f"{self.folder}/log/containers/*.log"
        )
        config = Config.of(self.folder, log, *(i.output for i in self.indices))
        config.service |= {
            "Grace": 5,
            "Batch_Size": self.rng.choice(["64K", "128K", "1M"]),
            "Log_Level": "debug",
        }
        config.inputs[0]["Rotate_Wait"] = f"{self.options['rotate_wait']:g}"
        self.add_paths(config)
        if self.journal:
            config.inputs.append(self.journal.input)
        how = {
            "net.io_timeout": "4s",
            "Workers": self.rng.choice([1, 2, 4]),
            "Hold_Size": self.rng.choice(["64000", "2M"]),
            "Compress": self.rng.choice(["off", "gzip"]),
        }
        for output in config.outputs:
            output |= how
        for output in config.outputs[1:]:
            output["Time_Key"] = "when"
        return config

    def add_paths(self, config):
        """Some logs are found by Paths of their own, which find their rotated names, too."""
        total, log = self.options["containers"], self.folder / "log"
        pods, plain = wide_paths(self.seed, self.kinds, total, log)
        first = config.inputs[0]
        if pods:
            first["Path"] = ", ".join([first["Path"], *pods])
        for path in plain:
            os.makedirs(os.path.dirname(path), exist_ok=True)
        if plain:
            own = {"Path": ", ".join(plain), "Path_Key": "file"}
            config.inputs.append(first | own)

    # ---- faults of towline

    def start(self, fault=None):
        self.start_at, self.armed = None, fault
        self.started = time.monotonic()
        self.towline.start(fault)
        self.say(f"start fault={fault}")

    def start_later(self, fault=None):
        self.start_at = time.monotonic() + self.rng.choice([0, 0, 0.3, 1, 3])
        self.start_fault = fault

    def do_kill(self):
        self.towline.kill()
        self.start_later()

    def do_point(self):
        """Killed by itself at a named point, some passes after the next start."""
        self.towline.kill()
        point = self.rng.choice(POINTS)
        self.start_later(f"{point}:{self.rng.choice([1, 1, 2, 5, 20])}")

    def do_term(self):
        code = self.towline.stop(30)
        if code == -signal.SIGTERM and not self.towline.said():
            code = 0  # it came before the program had begun
        if code != 0 and not (self.armed and code == -signal.SIGKILL):
            self.findings["SIGTERM did not end it with 0"].append(code)
        self.start_later()

    def do_framing(self):
        self.towline.kill()
        flush = self.rng.choice([300, 500, 800])
        for section in self.towline.config.inputs:
            if section["Name"] == "tail":
                section["Flush_ms"] = flush
        self.start_later()

    # ---- faults around it

    def do_down(self):
        index = self.which.choice(self.indices)
        index.tell(up=False)
        self.later(self.rng.uniform(0.2, 4), lambda: index.tell(up=True))

    def do_statefull(self):
        filler = self.folder / "state/filler"
        with contextlib.suppress(OSError), open(filler, "ab", buffering=0) as file:
            while True:
                file.write(bytes(65536))
        self.full_until = math.inf
        self.later(self.rng.uniform(0.5, 5), lambda: self.free(filler))

    def free(self, filler):
        filler.unlink(missing_ok=True)
        self.full_until = time.monotonic()

    def may_not_start(self, code):
        """The state's disk was full when it started: it says so and ends."""
        full = self.full_until >= self.started
        return full and code == 1 and "free its disk" in self.towline.said()

    def server_fault(self, kind):
        seconds = self.rng.uniform(0.2, 2.5)
        self.which.choice(self.indices).tell(
            fault=kind, seconds=seconds, share=self.rng.choice([0.2, 0.7, 1])
        )

    def later(self, seconds, what):
        self.heal_at.append((time.monotonic() + seconds, what))

    def heal(self, all_of_it=False):
        now = time.monotonic()
        for entry in list(self.heal_at):
            if all_of_it or entry[0] <= now:
                self.heal_at.remove(entry)
                entry[1]()

    def break_something(self):
        kind = self.rng.choices(list(self.weights), list(self.weights.values()))[0]
        if kind in TOWLINE_FAULTS and self.start_at is not None:
            return  # it is down
        self.say(kind)
        self.done[kind] += 1
        if kind in SERVER_FAULTS:
            self.server_fault(kind)
        elif kind in REAL_FAULTS:
            how = signal.SIGKILL if kind == "server-kill" else signal.SIGTERM
            self.done[kind] -= not self.real.break_it(how)
        else:
            getattr(self, f"do_{kind}")()

    # ---- watching

    def mind(self):
        """Has it ended?  Is it due to start?  Does it show what it showed?"""
        self.heal()
        if self.start_at is not None:
            if time.monotonic() >= self.start_at:
                self.start(self.start_fault)
            return
        code = self.towline.ended()
        if code is not None:
            self.say(f"ended {code}")
            if code != -9 and not self.may_not_start(code):
                self.findings["it ended by itself"].append(
                    f"{code}: {self.towline.said()[-600:]}"
                )
            self.done["died at a point"] += code == -9
            self.start_later()
            return
        self.towline.sample_memory()
        self.note_progress()
        if self.rng.random() < 0.15:
            self.scrape()

    def note_progress(self):
        """Which files lag, as `towline status` says: the writers destroy none of them."""
        now = time.monotonic()
        if now < self.noted + 1:
            return
        self.noted, at = now, time.time()
        if (rows := self.towline.status()) is None:
            return
        behind = [row["path"] for row in rows if row["lag"] > 0]
        note = self.folder / "behind.json.new"
        note.write_text(json.dumps({"at": at, "behind": behind}))
        note.rename(self.folder / "behind.json")

    def scrape(self):
        samples = self.towline.samples()
        if samples is None:
            return
        self.samples = samples
        for name, labels, value in samples:
            if not self.options["counters"] or not name.startswith(COUNTERS):
                continue
            key = name, *sorted(labels.items())
            if value < self.shown.get(key, 0):
                self.findings["a counter went back"].append(
                    f"{key}: {value}, was {self.shown[key]}"
                )
            self.shown[key] = value

    def run(self):
        self.start()
        writers = start_writers(
            self.folder, self.seed, self.seconds, self.kinds, self.options
        )
        self.jvm = None
        if "jvm" in self.kinds and self.seed % JVM_EACH == 0:
            self.jvm = Jvm(self.folder, self.seconds, self.rng)
        try:
            self.break_for(writers)
            self.mend(writers)
            self.settle()
        finally:
            self.end(writers)

    def break_for(self, writers):
        due = time.monotonic() + 1.0
        while writers.poll() is None:
            time.sleep(0.05)
            self.mind()
            for other in filter(None, (self.jvm, self.journal)):
                other.mind()
            if self.weights and time.monotonic() > due:
                self.break_something()
                due = time.monotonic() + self.rng.expovariate(self.options["pace"])
        if writers.returncode:
            raise RuntimeError(f"the writers ended with {writers.returncode}")

    def mend(self, writers):
        """All is well again; what is under way starts once more, unharmed."""
        if self.jvm:
            self.jvm.finish()
            self.done["jvm"], self.done["rotate"] = 1, self.jvm.rotations
        if self.journal:
            self.journal.finish()
            self.done.update(self.journal.done)
        self.say("mend")
        self.heal(all_of_it=True)
        for index in self.indices:
            index.tell(fault=None, seconds=0)
        if self.real:
            self.real.settle()
        if self.start_at is None and self.armed:
            self.towline.kill()
            self.start()
        elif self.start_at is not None:
            self.start()

    def settle(self):
        """Until nothing is missing and nothing moves, or nothing moves any more."""
        last, since = None, time.monotonic()
        written = json.loads((self.folder / "writers.json").read_text())["marks"]
        if self.journal:
            written[self.journal.number] = self.journal.marks
        while True:
            time.sleep(0.25)
            self.mind()
            documents = [index.stats()["documents"] for index in self.indices]
            now = missing(self.folder, written, self.vacuumed()), documents
            if now != last:
                last, since = now, time.monotonic()
            quiet = time.monotonic() - since
            if quiet > (2.5 if now[0] == 0 else self.options["patience"]):
                break
        if now[0]:
            self.findings["marks that never came"].append(now[0])
        self.wait_for_counters()
        code = self.towline.stop(60)
        if code != 0:
            self.findings["SIGTERM did not end it with 0"].append(code)

    def vacuumed(self):
        """The entries that no index needs to have."""
        return [
            (self.journal.number, mark)
            for first, last in (self.journal.vacuumed if self.journal else [])
            for mark in range(first, last + 1)
        ]

    def wait_for_counters(self):
        """A series that is new shows its count 30 s after it was first shown."""
        self.scrape()
        end = time.monotonic() + HELD_AT_0
        if not self.options["counters"]:
            return
        truth = Judge(self.folder)
        truth.read_truth()
        while any(truth.wrong_counters(self.samples)) and time.monotonic() < end:
            time.sleep(0.5)
            self.mind()
            self.scrape()

    def end(self, writers):
        if self.towline.ended() is None:
            self.towline.kill()
        for other in filter(None, (self.jvm, self.journal)):
            other.kill()
        if writers.poll() is None:
            writers.kill()
            writers.wait()
        self.stats = self.indices[0].stats()
        for index in self.indices:
            index.stop()
        if self.real:
            self.real.settle()
            for index, there in zip(
                self.indices, outputs_of(self.folder).values(), strict=True
            ):
                self.real.dump(index.name, there / "documents.ndjson")
        if self.mounted:
            kept = self.folder / "state-kept"
            shutil.copytree(self.folder / "state", kept, dirs_exist_ok=True)
            subprocess.run(["umount", self.folder / "state"], check=True)
        sums = [value for name, _, value in self.samples if name == MEMORY]
        limit = self.options["memory"] or max(sums, default=0)
        if limit and self.towline.peak > limit:
            self.findings["more memory than allowed"].append(self.towline.peak)
        run = {
            "samples": self.samples,
            "findings": self.findings,
            "faults": self.done,
            "served": self.stats,
            "peak": self.towline.peak,
        }
        (self.folder / "run.json").write_text(json.dumps(run))
