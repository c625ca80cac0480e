"""A journald of its own as one more writer: entries through its socket, rotations,
vacuums, its own death; and what judges it: each entry once, but for those that were
deleted unread, of which towline has said at least so many."""

import json
import math
import os
import pathlib
import random
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))
from harness.journal import Journald, journalctl, written  # noqa: E402
from harness.namespace import can_mount  # noqa: E402
from harness.wait import until_equal  # noqa: E402

OWN = 2  # messages of journald itself that a file has at most
WHO = "chaos"  # the SYSLOG_IDENTIFIER of its entries
RATE = 300  # entries a second
TICK = 0.05  # s, about, between two calls of mind()
# What may befall it in one tick, and how likely.
TURNS = {"turn": 0.02, "vacuum": 0.006, "die": 0.004}
GONE = re.compile(r"(\d+) entries, at most, were deleted before they were read")
GONE_ALL = "deleted unread, nobody knows how many"
OPTIONS = {
    "Storage": "persistent",
    "SystemMaxUse": "1G",
    "SystemKeepFree": "0",
    "SystemMaxFiles": 10000,
    "RateLimitBurst": 0,
    "ReadKMsg": "no",
}


def text_of(number, mark):
    """What an entry says, of all shapes."""
    rng = random.Random(mark)
    shapes = ["told {}", "first {}\nsecond\n", "é ü \x01 {}", "{} " + "x" * 3000]
    return f"~{number}.{mark}~ " + rng.choice(shapes).format(rng.randrange(10**6))


def can_have_one():
    return os.geteuid() == 0 and can_mount() and os.path.isdir("/var/log/journal")


class Journal:
    def __init__(self, folder, number, rng):
        """Its marks are those of a container with this number."""
        self.folder, self.number, self.rng = folder, number, rng
        self.is_filtered = rng.random() < 0.5
        self.journald = Journald(folder / "journal", **OPTIONS)
        self.journald.control("--flush")
        self.marks = 0  # so many entries
        self.files = {}  # the first and last mark in each file that is over
        self.begun = 1  # the first mark in the one under way
        self.before = self.over()
        self.vacuumed, self.done = [], dict.fromkeys(TURNS, 0)
        self.first = 0  # the last mark that went with mark 1

    @property
    def input(self):
        only = {"Systemd_Filter": f"SYSLOG_IDENTIFIER={WHO}"}
        return {
            "Name": "systemd",
            "Path": self.journald.folder,
            "Tag": "matillion.agent.host",
        } | (only if self.is_filtered else {})

    def mind(self):
        for _ in range(self.rng.choice([0, 1, 1, 2]) * int(RATE * TICK)):
            self.write()
        for what, chance in TURNS.items():
            if self.rng.random() < chance:
                getattr(self, what)()
                self.done[what] += 1

    def write(self):
        self.marks += 1
        text = text_of(self.number, self.marks)
        self.journald.send(written(MESSAGE=text, SYSLOG_IDENTIFIER=WHO, PRIORITY=6))

    def over(self):
        """The names of files that are not written any more."""
        return {file.name for file in self.journald.folder.glob("*/*@*")}

    def turned(self):
        """What was written since is in the file that has got its name now."""
        for name in self.over() - self.before:
            self.files[name] = self.begun, self.marks
            self.begun = self.marks + 1
        self.before = self.over()

    def turn(self):
        self.journald.control("--sync")
        self.journald.control("--rotate")
        self.turned()

    def die(self):
        """All that was sent is in the file, which is not closed."""
        self.write()
        folder, mine = self.journald.folder, f"SYSLOG_IDENTIFIER={WHO}"
        last = text_of(self.number, self.marks) + "\n"
        until_equal(lambda: journalctl(folder, "-n1", "-ocat", mine), last)
        self.journald.kill()
        self.journald.start()
        self.turned()

    def vacuum(self):
        self.journald.control(f"--vacuum-files={self.rng.choice([1, 3, 6])}")
        gone = [self.files[n] for n in self.before - self.over() if n in self.files]
        self.vacuumed += gone
        if 1 in (first for first, _ in gone):
            self.first = max(last for _, last in gone)
        self.before = self.over()

    def finish(self):
        self.journald.control("--sync")
        truth = {"number": self.number, "marks": self.marks, "first": self.first}
        truth["vacuumed"] = self.vacuumed
        (self.folder / "journal.json").write_text(json.dumps(truth))

    def kill(self):
        self.journald.end()


class Truth:
    """What is known of it when it is over; a seed without one has no entry."""

    def __init__(self, folder):
        self.folder, file = folder, folder / "journal.json"
        truth = json.loads(file.read_text()) if file.exists() else {"marks": 0}
        self.number, self.marks = truth.get("number"), truth["marks"]
        self.first = truth.get("first", 0)
        ranges = (range(a, b + 1) for a, b in truth.get("vacuumed", []))
        self.vacuumed = {mark for of_file in ranges for mark in of_file}
        self.own = OWN * len(truth.get("vacuumed", []))  # without a mark

    def mark(self, document):
        """Of an entry; 0: another's than the writer's.  None: it is no entry."""
        said = document.get("MESSAGE")
        if said is None or "log" in document:
            return None
        found = re.match(r"~(\d+)\.(\d+)~", said)
        return int(found[2]) if found and int(found[1]) == self.number else 0

    def said_gone(self):
        """How many entries towline said were deleted unread."""
        said = (self.folder / "towline.stderr").read_text(errors="replace")
        return math.inf if GONE_ALL in said else sum(map(int, GONE.findall(said)))

    def may_be_counted(self, entries):
        """The least and the most records that are counted and in no index.  Of what was deleted
        some may be counted and not delivered; and some delivered shortly before a kill, when
        the count was not stored: towline says that they were deleted unread.  Of those that went
        with the first one it may know nothing: it was killed before it stored anything."""
        there = set(entries)
        said = self.said_gone() + self.first
        uncounted = min(len(self.vacuumed & there) + self.own, said)
        return -uncounted, len(self.vacuumed - there) + self.own

    def findings(self, entries):
        """entries: {mark: [MESSAGE]} of an output's documents."""
        entries = {mark: said for mark, said in entries.items() if mark}
        for mark, said in entries.items():
            if len(said) > 1:
                yield "an entry of the journal twice", said
            if said[0] != text_of(self.number, mark):
                yield "an entry that is not the journal's", said
        unread = set(range(1, self.marks + 1)) - set(entries)
        if lost := unread - self.vacuumed:
            yield "an entry of the journal lost", (len(lost), min(lost), max(lost))
        if len(unread) > self.said_gone():
            yield "entries deleted, not counted", (len(unread), self.said_gone())
