"""The sweep: one call of towline's fails once, at the Nth time, in a short story of two
lives with rotations; then all must be in the index once, and the counters exact.

A disk that fails leaves all as it was: it is said, counted where a log's file is read,
and tried again.  Only a start may refuse; where memory ends the process may, too.  The
next start loses nothing and repeats nothing.
"""

import collections
import concurrent.futures
import contextlib
import errno
import json
import pathlib
import random
import re
import shutil
import signal
import struct
import subprocess
import tempfile
import time

from container import Container
from driver import missing
from judge import Judge, judge
from layout import Layout
from process import BINARY, LISTENS, Config, Index, Node, Towline
from speech import Speaker
from writers import MARKS

LIBRARY = pathlib.Path(__file__).parents[2] / "build/chaos/failing.so"
CALLS = "read pread readv write pwrite writev open openat openat2 fopen".split()
CALLS += "fsync fdatasync rename malloc calloc realloc".split()
MEMORY = {"malloc", "calloc", "realloc"}
READS = {"read", "pread", "readv"}
ALLOCATIONS = 300  # of a kind that fail, when --most does not say
WRITES = {"write", "pwrite", "writev", "fsync", "fdatasync"}
COUNTS, TEXT = 32, 1024  # of struct failing
RUNTIMES = ["containerd", "conmon", "copytruncate", "containerd"]
PULSE = 1  # s after which the last of them says a line, while others are waited for
PATIENCE = 25  # s
SEED = 1
READ_ERRORS = "towline_read_errors_total"
# Of a fault: no information, nor what the index refuses in any run.
COMPLAINT = re.compile(r"^(?!---- start|\S+ info |\S+ warn  es ).+", re.M)


def error_of(call, nth):
    if call in MEMORY:
        return errno.ENOMEM
    return errno.ENOSPC if call in WRITES and nth % 2 else errno.EIO


# On these nothing depends: standard descriptors that are open; SQLite's chance, and its
# sync of the directory, whose failure it passes over; a figure that has a default.
SILENT = re.compile(r" /dev/(?:u?random|null) | /proc/sys/net/|/run/state \d")


class Teller:
    """One container, what it says, and the truth of it."""

    def __init__(self, story, number):
        self.rng = random.Random(f"{SEED}/{number}")
        self.story, self.number = story, number
        self.speaker = Speaker(number, self.rng)
        self.pod, self.name = f"matillion-agent-{number}", "matillion-agent"
        layout, uid = Layout(), f"00000000-0000-4000-8000-00000000000{number}"
        self.container = Container(
            story.node,
            layout,
            layout.folder(story.node.root, number, self.pod, uid, self.name),
            self.pod,
            self.name,
            RUNTIMES[number],
            {"gzip"},
            None,
            None,
            5,
            self.rng,
        )

    def say(self, n):
        for _ in range(n):
            self.tell(self.speaker.record())

    def tell(self, record, between=lambda: None):
        """Write a record; when it has several units, do something after the first two."""
        units = record.units
        self.container.write(units[:2], record.side)
        if units[2:]:
            between()
            self.container.write(units[2:], record.side)
        truth = record.truth() | {"c": self.number}
        self.story.truth.write(json.dumps(truth) + "\n")
        self.story.truth.flush()
        self.story.records += 1

    def rotate(self):
        self.container.rotate()
        while self.container.busy():
            self.container.step()

    def long_trace(self):
        while len((record := self.speaker.trace()).units) < 4:
            pass
        return record


class Stuck(Exception):
    pass


class Story:
    """One run; `fault`: (call, nth), or None."""

    def __init__(self, folder, fault):
        self.folder, self.fault = folder, fault
        folder.mkdir(parents=True)
        self.node, self.records = Node(folder / "log"), 0
        self.truth = open(folder / "truth.ndjson", "w")
        self.tellers = [Teller(self, i) for i in range(len(RUNTIMES))]
        self.pulse = self.tellers[-1]
        self.findings = collections.defaultdict(list)
        self.codes, self.samples = [], []
        with open(folder / "marks", "wb") as file:
            file.truncate(len(RUNTIMES) * MARKS)
        (folder / "failing").write_bytes(bytes(8 * COUNTS + 2 * TEXT))
        self.index = Index(folder)
        self.index.tell(fault="s413", seconds=3600, share=1)  # large ones are refused
        config = Config.of(folder, self.node, self.index.output)
        config.service |= {"Grace": 5}
        config.inputs[0]["Rotate_Wait"] = "1"
        config.outputs[0] |= {"net.io_timeout": "4s"}
        self.towline = Towline(config)

    # ---- the call that fails

    def failing(self):
        """(Calls by name, the one that failed or "", its callers)."""
        data = (self.folder / "failing").read_bytes()
        counts = struct.unpack(f"{COUNTS}Q", data[: 8 * COUNTS])
        what, callers = (
            data[8 * COUNTS + at : 8 * COUNTS + at + TEXT].split(b"\0")[0].decode()
            for at in (0, TEXT)
        )
        return dict(zip(CALLS, counts, strict=False)), what, callers

    def has_failed(self):
        return self.failing()[1] != ""

    # ---- towline

    def start(self, armed=True):
        settings = [f"FAILING_FILE={self.folder}/failing"]
        if armed and self.fault:
            call, nth = self.fault
            settings += [f"FAILING={call}:{nth}:{error_of(call, nth)}"]
        self.armed = armed
        self.towline.under = ["env", f"LD_PRELOAD={LIBRARY}", *settings]
        self.failed_before = self.has_failed()
        self.towline.start()

    def may_end(self, code):
        """May it end with this code by what has failed in this life?"""
        if self.failed_before or not self.has_failed():
            return False
        said = self.towline.said()
        if self.fault[0] in MEMORY:
            return code in (-signal.SIGABRT, 1) and COMPLAINT.search(said)
        return code == 1 and not LISTENS.search(said) and COMPLAINT.search(said)

    def mind(self):
        """When it has ended, it is started again."""
        if (code := self.towline.ended()) is None:
            return
        self.codes.append(code)
        if not self.may_end(code):
            what = f"{code}: {self.towline.said()[-800:]}"
            self.findings["it ended by itself"].append(what)
        if len(self.codes) > 5:
            raise Stuck
        self.start(self.armed)

    def until(self, holds, what, pulse=False):
        end, due = time.monotonic() + PATIENCE, time.monotonic() + PULSE
        while not holds():
            if time.monotonic() > end:
                self.findings[what].append(self.towline.said()[-1500:])
                raise Stuck
            if (
                pulse and time.monotonic() > due
            ):  # what is refused waits for what is taken
                self.pulse.tell(self.pulse.speaker.heartbeat())
                due += PULSE
            time.sleep(0.02)
            self.mind()

    def until_all(self):
        """All that has been said is in the index, or among the dead letters."""

        def come(tellers):
            marks = {t.number: t.speaker.marks for t in tellers}
            return missing(self.folder, marks) == 0

        what = "marks that never came"
        self.until(lambda: come(self.tellers[:-1]), what, pulse=True)
        self.until(lambda: come(self.tellers), what)

    def scrape(self):
        """Until it answers, and has counted a read that failed."""
        found = []

        def answers():
            found[:] = [self.towline.samples()]
            return found[0] is not None and (errors() or not self.must_count())

        def errors():
            return sum(v for n, _, v in found[0] if n == READ_ERRORS)

        self.until(answers, f"no answer, or it does not tell of {self.failing()[1]}")
        self.samples = found[0]

    def must_count(self):
        """A read of a log's file has failed in this life."""
        what = self.failing()[1]
        return (
            not self.failed_before
            and what.split(" ")[0] in READS
            and f"{self.folder}/log/" in what
        )

    def stop(self):
        self.scrape()
        code = self.towline.stop(20)
        if code is None:
            self.findings["it did not end"].append(self.towline.said()[-800:])
        elif code != 0 and not self.may_end(code):
            what = f"{code}: {self.towline.said()[-800:]}"
            self.findings["SIGTERM did not end it with 0"].append(what)
        if code:
            self.codes.append(code)

    # ---- the story

    def tell(self):
        agents = first, second, third = self.tellers[:3]
        for teller in agents:
            teller.say(8)
        for _ in range(2):  # the second rotation compresses the first file
            first.rotate()
            first.say(5)
        self.start()
        self.until_all()
        second.tell(second.speaker.big())
        first.tell(first.long_trace(), first.rotate)
        second.rotate()
        third.say(5)
        third.rotate()
        for teller in agents:
            teller.say(5)
        self.until_all()
        self.stop()
        for teller in agents:
            teller.say(5)
            teller.rotate()
            teller.say(5)
        self.start()
        self.until_all()
        second.tell(second.long_trace(), second.rotate)
        for teller in agents:
            teller.say(5)
        self.until_all()
        self.stop()
        self.look()

    def look(self):
        """Starts in which nothing fails and nothing comes: nothing is sent, all is counted.
        What the first one counts anew it holds at 0; the second shows it."""
        self.report()
        truth = Judge(self.folder)
        truth.read_truth()
        before = self.index.stats()["documents"]
        for _ in range(2):
            self.start(armed=False)
            end = time.monotonic() + 3
            self.scrape()
            while any(truth.wrong_counters(self.samples)) and time.monotonic() < end:
                time.sleep(0.05)
                self.scrape()
            self.stop()
            if not any(truth.wrong_counters(self.samples)):
                break
        if (now := self.index.stats()["documents"]) != before:
            self.findings["documents of no line, after the last"].append(now - before)

    def report(self):
        self.truth.flush()
        report = {
            "marks": {t.number: t.speaker.marks for t in self.tellers},
            "records": self.records,
            "done": {},
            "plain": [],
            "pods": {
                t.number: [t.pod, t.name, t.container.runtime] for t in self.tellers
            },
        }
        (self.folder / "writers.json").write_text(json.dumps(report))

    def run(self):
        """The verdict; what failed is in it."""
        try:
            with contextlib.suppress(Stuck):
                self.tell()
        finally:
            if self.towline.ended() is None:
                self.towline.kill()
            self.index.stop()
        self.report()
        self.of_the_failure()
        run = {"samples": self.samples, "findings": self.findings}
        (self.folder / "run.json").write_text(json.dumps(run))
        return judge(self.folder, counters=True)

    def of_the_failure(self):
        """Was it said?"""
        _, what, _ = self.failing()
        if not what or self.fault[0] in MEMORY:
            return
        said = self.towline.messages.read_text(errors="replace")
        if not COMPLAINT.search(said) and not SILENT.search(what):
            self.findings["not said"].append(what)


# ---- all of them


def one(args, fault):
    """A run: (its verdict, its story), its folder gone when it is well."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="sweep-", dir=args.dir))
    story = Story(folder / "run", fault)
    verdict = story.run()
    story.counts, story.what, story.callers = story.failing()
    if not verdict.findings and not args.keep:
        shutil.rmtree(folder)
    return verdict, story


def places(callers):
    """MODULE+OFFSET as functions and lines, where they are towline's own."""
    for frame in callers.split():
        module, _, offset = frame.partition("+")
        if module != BINARY.name:
            yield frame
            continue
        command = ["addr2line", "-fse", BINARY, offset]
        said = subprocess.run(command, capture_output=True, text=True).stdout.split()
        yield " ".join(said)


def show(fault, verdict, story):
    call, nth = fault
    print(
        f"--call {call} --nth {nth}: {'FAILED' if verdict.findings else 'ok'}  {story.what}"
    )
    if verdict.findings:
        print(f"    kept: {story.folder}; again: --sweep --call {call} --nth {nth}")
        print(f"    exit codes: {story.codes}; by {', '.join(places(story.callers))}")
    for line in verdict.lines():
        print(f"    {line}")
    print(end="", flush=True)


def plan(args, counts):
    """The calls that fail: each N, or of many some, chosen by the seed."""
    rng, chosen = random.Random(args.seed), []
    for call, n in counts.items():
        if args.call and call not in args.call.split(","):
            continue
        every = range(1, n + 1)
        most = args.most or (ALLOCATIONS if call in MEMORY else n)
        chosen += [
            (call, i) for i in (sorted(rng.sample(every, most)) if n > most else every)
        ]
    return chosen


def main(args):
    if args.nth:
        verdict, story = one(args, (args.call, args.nth))
        show((args.call, args.nth), verdict, story)
        return not verdict.findings
    verdict, story = one(args, None)
    if verdict.findings:
        show(("none", 0), verdict, story)
        return False
    args.seed = args.seed if args.seed is not None else time.time_ns() % 10**6
    faults = plan(args, story.counts)
    print(f"sweep: seed {args.seed}, {len(faults)} runs", flush=True)
    tried, found, ended, missed = (collections.Counter() for _ in range(4))
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        runs = {pool.submit(one, args, fault): fault for fault in faults}
        for run in concurrent.futures.as_completed(runs):
            fault, (verdict, run_story) = runs[run], run.result()
            call = fault[0]
            tried[call] += 1
            found[call] += bool(verdict.findings)
            ended[call] += any(run_story.codes)
            missed[call] += not run_story.what
            if verdict.findings:
                show(fault, verdict, run_story)
    print(
        f"{'call':10}{'calls':>8}{'tried':>8}{'not met':>8}{'ended it':>10}{'findings':>10}"
    )
    for call in filter(story.counts.get, story.counts):
        row = tried[call], missed[call], ended[call], found[call]
        print(
            f"{call:10}{story.counts[call]:8}{row[0]:8}{row[1]:8}{row[2]:10}{row[3]:10}"
        )
    return not found.total()
