"""All containers of a node at work: one process, one seed, and its truth.

    writers.py DIR SEED SECONDS KINDS MARKS OPTIONS

Ends after SECONDS, or at SIGTERM; every record that was begun is written out.
DIR/truth.ndjson gets each record, DIR/writers.json what was done.
"""

import json
import mmap
import pathlib
import random
import signal
import sys
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))
from container import Container  # noqa: E402
from harness.node import Node  # noqa: E402
from layout import layout_of, pod_name  # noqa: E402
from speech import Speaker  # noqa: E402

MARKS = 1 << 20  # of one container, at most
TICK = 0.01


class Writer:
    """One container, its speaker, and the records that are under way."""

    def __init__(self, world, number):
        rng = self.rng = random.Random(f"{world.seed}/{number}")
        layout = layout_of(world.seed, number, world.kinds)
        runtimes = ["containerd", "containerd", "conmon"]
        if layout.style == "copytruncate":
            runtimes = ["copytruncate"]
        elif "copytruncate" in world.kinds and not layout.is_wide:
            runtimes.append("copytruncate")
        gap = 0.05 if "gap" in world.kinds else 0.0
        self.world, self.number = world, number
        self.speaker = Speaker(number, rng, gap)
        name = f"agent-{number % 3}" if number % 4 == 3 else "matillion-agent"
        uid = str(uuid.UUID(int=rng.getrandbits(128), version=4))
        self.pod = pod_name(number)
        self.container = Container(
            world.node,
            layout,
            layout.folder(world.node.root, number, self.pod, uid, name),
            self.pod,
            name,
            rng.choice(runtimes),
            world.kinds,
            lambda first, last: world.taken(number, first, last),
            self.finish,
            world.rotate_wait,
            rng,
        )
        self.rate = world.rate * rng.choice([0.05, 0.3, 0.5, 1, 1, 2, 3])
        self.owed, self.records, self.next = 0.0, 0, None
        self.frozen, self.stamp, self.first = 0.0, None, None
        self.running = {}  # side: [record, when it goes on, at which unit]
        self.turn_at = self.next_rotation()
        self.restart_at = time.monotonic() + rng.uniform(0.2, 2) * world.seconds

    def next_rotation(self):
        wait = self.rng.choice([0.3, 1.5, 3, 6, 12]) * self.rng.uniform(0.7, 1.3)
        return time.monotonic() + wait

    def tick(self, now):
        if now < self.frozen:
            return
        self.owed += self.rate * TICK
        if "burst" in self.world.kinds and self.rng.random() < 0.001:
            self.owed += self.rate * 2
        for side in sorted(self.running, key=lambda side: side != self.first):
            self.go_on(side, now)
        while self.owed >= 1 and self.begin(self.next or self.speaker.record(), now):
            self.owed -= 1
        self.late(now)
        self.life(now)

    def late(self, now):
        """What comes to files that were rotated, each record in one write."""
        for slow in list(self.container.slow):
            for _ in range(slow.records(now)):
                record = self.speaker.record()
                record.side = slow.side
                self.container.write_late(slow, record.units)
                self.ended(record)
            if slow.has_gone():
                self.container.slow.remove(slow)

    def begin(self, record, now):
        """One open record a side: False when both are taken."""
        if record.side in self.running:
            record.side = "stderr" if record.side == "stdout" else "stdout"
        if record.side in self.running:
            self.next = record
            return False
        self.next = None
        self.running[record.side] = [record, now, 0]
        if self.rng.random() < 0.8:
            self.go_on(record.side, now)
        return True

    def go_on(self, side, now):
        """Write what may be written now of a side's record: mostly all of it."""
        record, due, at = self.running[side]
        if due > now:
            return
        units, whole = record.units, self.rng.random() < 0.8
        end = at + 1
        while end < len(units) and whole and not units[end].pause:
            end += 1
        if self.stamp:  # all of it: a later line's own time would end the record
            end = len(units)
        self.container.write(units[at:end], side, self.stamp)
        self.stamp = None
        if end == len(units):
            self.ended(record)
            del self.running[side]
        else:
            self.running[side] = [record, now + units[end].pause, end]
            if units[end].pause and self.rng.random() < 0.5:
                # The runtime stamps the next line and is stopped before it writes it.
                self.frozen = now + units[end].pause
                self.running[side][1] = now
                self.stamp, self.first = units[at].at + 10**6, side

    def finish(self, side):
        while side in self.running:
            self.go_on(side, float("inf"))

    def ended(self, record):
        truth = record.truth()
        truth["c"] = self.number
        self.records += 1
        self.world.truth.write(json.dumps(truth) + "\n")

    def life(self, now):
        container = self.container
        if container.busy() and self.rng.random() < 0.5:
            container.step()
        if not container.busy() and now > self.turn_at and self.records > 10:
            container.rotate()
            self.turn_at = self.next_rotation()
        if "restart" in self.world.kinds and now > self.restart_at:
            self.restart_at = now + self.rng.uniform(10, 60)
            for side in list(self.running):
                self.finish(side)
            container.start_again()


class World:
    def __init__(self, folder, seed, seconds, kinds, options):
        self.folder, self.seed, self.kinds = folder, seed, kinds
        self.seconds = seconds
        self.node = Node(folder / "log")
        self.rate = options["rate"] / options["containers"]
        self.rotate_wait = options["rotate_wait"]
        self.truth = open(folder / "truth.ndjson", "w")
        with open(folder / "marks", "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)
        self.rng = random.Random(f"{seed}/world")
        self.total = options["containers"]
        self.writers = [Writer(self, i) for i in range(self.total - self.total // 4)]

    def taken(self, number, first, last):
        base = number * MARKS
        return b"\0" not in self.map[base + first : base + last + 1]

    def say_marks(self):
        (self.folder / "written.json").write_text(
            json.dumps({w.number: w.speaker.marks for w in self.writers})
        )

    def run(self):
        begun, stop = time.monotonic(), []
        signal.signal(signal.SIGTERM, lambda *_: stop.append(True))
        due = begun
        while not stop and (now := time.monotonic()) < begun + self.seconds:
            waiting = self.total - len(self.writers)
            if waiting and self.rng.random() < 0.01:  # a pod comes later
                self.writers.append(Writer(self, len(self.writers)))
            for writer in self.writers:
                writer.tick(now)
            due = max(due + TICK, now - 0.2)
            time.sleep(max(0, due - time.monotonic()))
        self.end()

    def end(self):
        for writer in self.writers:
            if writer.next:
                writer.finish(writer.next.side)
                writer.begin(writer.next, float("inf"))
            for side in list(writer.running):
                writer.finish(side)
            for _ in range(20):
                writer.container.step()
        self.truth.close()
        done = {}
        for writer in self.writers:
            for kind, n in writer.container.done.items():
                done[kind] = done.get(kind, 0) + n
        self.say_marks()
        report = {
            "marks": {w.number: w.speaker.marks for w in self.writers},
            "records": sum(w.records for w in self.writers),
            "done": done,
            "pods": {
                w.number: [w.pod, w.container.name, w.container.runtime]
                for w in self.writers
            },
            "plain": [w.number for w in self.writers if w.container.layout.plain],
        }
        (self.folder / "writers.json").write_text(json.dumps(report))


def main():
    folder, seed, seconds, kinds, options = sys.argv[1:6]
    world = World(
        pathlib.Path(folder),
        int(seed),
        float(seconds),
        set(kinds.split(",")),
        json.loads(options),
    )
    world.run()


if __name__ == "__main__":
    main()
