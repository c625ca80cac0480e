"""A node with many pods that change, and the logs of some of them: what towline
takes for it, beside one that asks nobody."""

import contextlib
import itertools
import os
import pathlib
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from .table import Table
from .towline import Config, Towline
from .wait import until, until_equal
from .watched import Watched, up

METADATA = 3072  # bytes of a pod's labels and annotations
LABELS = {f"app.kubernetes.io/label-{n}": f"value-of-{n}" for n in range(10)}
REQUESTS = "towline_kube_requests_total"
ERRORS = "towline_kube_errors_total"


def annotations():
    taken = sum(len(key) + len(value) for key, value in LABELS.items())
    each = (METADATA - taken) // 8 - len("example.com/0")
    return {f"example.com/{n}": str(n) * each for n in range(8)}


def memory(towline, name="VmRSS"):
    """In bytes."""
    text = pathlib.Path(f"/proc/{towline.process.pid}/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+)", text)[1]) * 1024


def kube_cpu(towline):
    """Seconds of the kube thread."""
    with towline.standing():
        for task in pathlib.Path(f"/proc/{towline.process.pid}/task").iterdir():
            if (task / "comm").read_text().strip() == "kube":
                return int((task / "schedstat").read_text().split()[0]) / 1e9
    raise AssertionError("no kube thread")


def followed(towline):
    """Logs that it has open."""
    with towline.standing():
        links = pathlib.Path(f"/proc/{towline.process.pid}/fd").iterdir()
        return sum(os.readlink(link).endswith("/0.log") for link in links)


class Crowd:
    """`pods` pods on a node of the API server; `logs` of them have a log, in which a
    thread writes a line a second each; two towlines read them: `asks` with the API,
    `alone` without."""

    def __init__(self, kube, folder, node, pods, logs):
        self.kube, self.folder, self.node = kube, folder, node
        self.table = Table(folder / "logs.db")
        self.watched = Watched(kube, self.config("asks", self.table.output), node)
        self.watched.filter |= {"Max_Pods": 2 * pods, "Pod_Wait": 30}
        with ThreadPoolExecutor(4) as pool:
            self.pods = list(pool.map(self.pod, range(pods)))
        self.logs = [pod.log(node) for pod in self.pods[:logs]]
        self.towlines = []

    def config(self, name, output):
        (self.folder / name).mkdir()
        return Config.of(self.folder / name, self.node, output)

    def pod(self, n):
        return self.watched.pod(f"pod-{n}", labels=LABELS, annotations=annotations())

    def start(self):
        alone = self.config("alone", Table(self.folder / "other.db").output)
        for config in alone, self.watched.config:
            self.towlines.append(Towline(config).start())
        self.alone, self.asks = self.towlines
        up(self.asks)
        for towline in self.towlines:
            until_equal(lambda towline=towline: followed(towline), len(self.logs))
        return self

    def end(self):
        for towline in self.towlines:
            towline.kill()

    def more(self):
        """Bytes that asking the API takes now."""
        return memory(self.asks) - memory(self.alone)

    @contextlib.contextmanager
    def written(self):
        """Logs flow."""
        stop = threading.Event()

        def write():
            while not stop.wait(1):
                for log in self.logs[1:]:
                    log.write(f"says {time.monotonic_ns()}")

        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def until_read(self, each):
        """All logs have been read by both, some lines of each."""
        for towline in self.towlines:
            until(
                lambda towline=towline: (
                    towline.metric("towline_delivered_total") >= each * len(self.logs)
                ),
                towline.said,
            )

    def change(self, seconds, rate):
        """Labels of all pods but the first, in turn; how many a second it came to."""
        began, turns = time.monotonic(), itertools.count()
        others = self.pods[1:]

        def some(_):
            for n in turns:
                due = began + n / rate
                if due > began + seconds:
                    return
                time.sleep(max(0, due - time.monotonic()))
                others[n % len(others)].label(turn=str(n))

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(some, range(3)))
        return next(turns) / (time.monotonic() - began)

    def seen_after(self, value):
        """Seconds from a label's change to the first line that has it."""
        log = self.logs[0]
        self.pods[0].label(seen=value)
        changed = time.monotonic_ns()
        lines = []

        def labelled():
            lines.append(text := f"{value} {time.monotonic_ns()}")
            log.write(text)
            labels = self.table.document(text)["kubernetes"].get("labels", {})
            return labels.get("seen") == value

        until(labelled, self.asks.said)
        first = int(lines[-1].split()[1])
        return max(0, first - changed) / 1e9
