"""What the containers say: records of every shape, each with its truth.

A record is a list of units, the pieces in which a runtime may cut it: a line,
or a part of a line.  Each unit but an empty line has a mark of its own,
~container.number~, so that whatever becomes of it can be told from its text.
"""

import dataclasses
import json
import re
import time

EXCEPTIONS = [
    "java.lang.IllegalStateException",
    "java.sql.SQLTimeoutException",
    "java.io.IOException",
    "com.matillion.agent.PipelineFailure",
]
PIPELINES = ["load", "transform", "export"]
MARK = re.compile(rb"~\d+\.(\d+)~")
RED, OFF = b"\x1b[31m", b"\x1b[0;39m"
BAD = [b"\xff", b"caf\xe9", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80"]
GOOD = ["é", "日本", "\U0001f680", "naïve", "\t"]


@dataclasses.dataclass
class Unit:
    text: bytes
    tag: str = "F"  # P: its line goes on in the next unit
    joiner: str = "\n"  # what stands before it in the record
    at: int = 0  # ns, when it had been written
    pause: float = 0.0  # s to wait before it

    @property
    def mark(self):
        found = MARK.search(self.text)
        return int(found[1]) if found else 0


@dataclasses.dataclass
class Record:
    kind: str
    side: str
    units: list
    counts: dict = dataclasses.field(default_factory=dict)

    def truth(self):
        return {
            "kind": self.kind,
            "side": self.side,
            "units": [[u.joiner, u.text.decode("latin-1"), u.at] for u in self.units],
            "counts": self.counts,
        }


def head(level="INFO"):
    now = time.time_ns()
    when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now // 10**9))
    milliseconds = now // 10**6 % 1000
    return f"{when}.{milliseconds:03d}Z {level:>5} 1 --- [agent] [main] c.m.a.Task : "


class Speaker:
    """One container's records, by its seed alone (their times aside)."""

    def __init__(self, number, rng, gap=0.0):
        self.number, self.rng, self.gap = number, rng, gap
        self.marks = self.tasks = 0
        kinds = {
            self.plain: 40,
            self.started: 8,
            self.completed: 12,
            self.failed: 3,
            self.error: 4,
            self.request: 6,
            self.json: 8,
            self.colour: 4,
            self.bytes: 4,
            self.trace: 5,
            self.chain: 4,
            self.big: 0.3,
            self.empty: 0.5,
            self.heartbeat: 1,
        }
        self.kinds, self.weights = list(kinds), list(kinds.values())

    def mark(self):
        self.marks += 1
        return f"~{self.number}.{self.marks}~"

    def side(self):
        return "stderr" if self.rng.random() < 0.25 else "stdout"

    def record(self):
        return self.rng.choices(self.kinds, self.weights)[0]()

    def line(self, kind, text, counts=None, side=None):
        data = text if isinstance(text, bytes) else text.encode()
        return Record(kind, side or self.side(), [Unit(data)], counts or {})

    # ---- single lines

    def plain(self):
        fill = "x" * self.rng.randrange(10, 160)
        return self.line("plain", f"{head()}{self.mark()} {fill}")

    def eighths(self):
        return self.rng.randrange(1, 2000) / 8

    def started(self):
        self.tasks += 1
        text = f"TASK_STARTED task_id=t{self.number}-{self.tasks} {self.mark()}"
        return self.line("started", head() + text)

    def task_end(self, event, key):
        seconds, self.tasks = self.eighths(), self.tasks + 1
        text = f"{event} task_id=t{self.number}-{self.tasks} {self.mark()} "
        text += f"pipeline={self.rng.choice(PIPELINES)} execution_time={seconds}"
        counts = {key: 1}
        if key == "completed":
            counts |= {"execution_time": seconds, "execution_times": 1}
        return self.line(key, head() + text, counts)

    def completed(self):
        return self.task_end("TASK_COMPLETED", "completed")

    def failed(self):
        return self.task_end("TASK_FAILED", "failed")

    def error(self):
        kind = self.rng.choice(["SQL_TIMEOUT", "AUTH", "NETWORK"])
        text = f"{head('ERROR')}query failed {self.mark()} error_type={kind}"
        return self.line("error", text, {f"error {kind}": 1})

    def request(self):
        seconds = self.rng.randrange(1, 400) / 8
        text = f"{head()}REQUEST_COMPLETED {self.mark()} duration={seconds}"
        return self.line("request", text, {"requests": 1, "request_time": seconds})

    def heartbeat(self):
        return self.line("heartbeat", f"{head()}HEARTBEAT {self.mark()}")

    def json(self):
        seconds, self.tasks = self.eighths(), self.tasks + 1
        members = {
            "@timestamp": head().split(" ")[0],
            "level": "INFO",
            "logger_name": "c.m.a.Task",
            "message": f'ended {self.mark()} "quoted" \\ é',
            "event": "TASK_COMPLETED",
            "task_id": f"j{self.number}-{self.tasks}",
            "execution_time": seconds,
        }
        counts = {"completed": 1, "execution_time": seconds, "execution_times": 1}
        text = json.dumps(members, ensure_ascii=self.rng.random() < 0.5)
        return self.line("json", text, counts)

    def colour(self):
        text = f"{head()}{self.mark()} ".encode()
        text += RED + b"red" + OFF + b" plain \x1b[1;32mgreen\x1b[0m"
        return self.line("colour", text)

    def bytes(self):
        text = f"{head()}{self.mark()} ".encode()
        for _ in range(self.rng.randrange(1, 5)):
            text += self.rng.choice(BAD) + b" "
            text += self.rng.choice(GOOD).encode() + b' "\\/\x01'
        return self.line("bytes", text)

    def empty(self):
        """An empty line is a record, when no exception follows it."""
        return self.line("empty", "")

    # ---- what consists of units

    def trace(self):
        outer, inner = self.rng.choices(EXCEPTIONS, k=2)
        lines = [f"{head('ERROR')}task died {self.mark()}"]
        if self.rng.random() < 0.2:
            lines.append("")
        lines.append(f"{outer}: it broke {self.mark()}")
        first_frame = len(lines)
        frames = self.rng.randrange(1, 12)
        lines += [f"\tat c.m.A.b(A.java:{i}) {self.mark()}" for i in range(frames)]
        if self.rng.random() < 0.5:
            lines.append(f"Caused by: {inner}: because {self.mark()}")
            lines.append(f"\tat c.m.I.c(I.java:7) {self.mark()}")
            lines.append(f"\t... 3 common frames omitted {self.mark()}")
        units = [Unit(line.encode()) for line in lines]
        if len(units) > first_frame + 1 and self.rng.random() < self.gap:
            units[self.rng.randrange(first_frame + 1, len(units))].pause = 1.0
        return Record("trace", self.side(), units, {f"error {outer}": 1})

    def parts(self, sizes):
        units = []
        for i, size in enumerate(sizes):
            text = f"{head() if i == 0 else ''}{self.mark()}"
            text += "é" * (size // 2) if self.rng.random() < 0.3 else "p" * size
            units.append(Unit(text.encode(), "P", "" if i else "\n"))
        cut = units[0].text
        if cut.endswith("é".encode()):  # a character over the cut
            units[0].text, units[1].text = cut[:-1], cut[-1:] + units[1].text
        units[-1].tag = "F"
        if self.rng.random() < self.gap:
            units[self.rng.randrange(1, len(units))].pause = 1.0
        return units

    def chain(self):
        sizes = [self.rng.randrange(20, 400) for _ in range(self.rng.randrange(2, 7))]
        return Record("chain", self.side(), self.parts(sizes))

    def big(self):
        sizes = [16384 - 64] * self.rng.randrange(2, 6) + [self.rng.randrange(2, 9000)]
        return Record("chain", self.side(), self.parts(sizes))
