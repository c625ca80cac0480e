"""The stand-in agent, a real JVM, as one more writer; and what judges it: each
line of its files once, and the sums of its own truth file."""

import collections
import json
import pathlib
import re
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))
from harness import agent  # noqa: E402

POD = "matillion-agent-jvm"
COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
RATE = 15  # tasks a second


class Jvm:
    def __init__(self, folder, seconds, rng):
        self.rng, self.rotations = rng, 0
        root = self.root = folder / "log"
        root.mkdir(exist_ok=True)
        encoding = rng.choice(agent.ENCODINGS)
        tasks = max(20, int(RATE * (seconds - 5)))
        _, self.process = agent.start(
            root, encoding, tasks, RATE, rng.randrange(1000), rng.choice([0, 5]), POD
        )

    def mind(self):
        """Now and then a rotation, once there is a log."""
        if self.process.poll() is None and self.rng.random() < 0.02:
            log = next(self.root.glob(f"pods/*_{POD}_*/*/0.log"), None)
            if log and log.stat().st_size > 10000:
                self.process.send_signal(signal.SIGUSR1)
                self.rotations += 1

    def finish(self):
        code = self.process.wait(120)
        if code:
            raise RuntimeError(f"the agent ended with {code}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def lines_of(folder):
    """All logical lines of the agent's files by side, as an index must have them."""
    files = sorted(folder.glob(f"log/pods/*_{POD}_*/*/0.log.*"))
    files += folder.glob(f"log/pods/*_{POD}_*/*/0.log")
    lines, parts = collections.Counter(), collections.defaultdict(bytes)
    for file in files:
        for line in file.read_bytes().splitlines():
            _, side, tag, content = line.split(b" ", 3)
            parts[side] += content
            if tag == b"F":
                text = COLOUR.sub(b"", parts.pop(side)).decode("utf-8", "replace")
                lines[side.decode(), text] += 1
    return lines


def findings(folder, documents):
    """documents: [(side, log)] of its pod."""
    want, have = lines_of(folder), collections.Counter()
    for side, log in documents:
        have.update((side, line) for line in log.split("\n"))
    for kind, left in ("lost", want - have), ("doubled", have - want):
        for line, n in left.items():
            yield f"the agent's line {kind}", (n, line)
    truth = truth_of(folder)
    records = truth["records"] + truth["stderr_records"]
    if len(documents) != records:
        yield "the agent's records", f"{len(documents)} documents of {records} records"


def truth_of(folder):
    return json.loads((folder / "log/truth.json").read_text())


def sums(folder):
    """What its counters must be, in the judge's words."""
    truth = truth_of(folder)
    return {
        "completed": sum(truth["completed"].values()),
        "failed": sum(truth["failed"].values()),
        "execution_time": truth["completed_execution_time"],
        "execution_times": truth["execution_times"],
    } | {f"error {kind}": n for kind, n in truth["errors"].items()}
