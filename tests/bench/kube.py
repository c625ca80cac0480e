"""What pods' metadata costs: a real API server, a node full of pods that change, a
towline that asks and one that does not, side by side."""

import argparse
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from harness.kube import Kube  # noqa: E402
from harness.node import Node  # noqa: E402
from harness.scale import ERRORS, METADATA, REQUESTS, Crowd, kube_cpu, memory  # noqa: E402

MIB, GOAL = 1 << 20, 8


def mib(n):
    return f"{n / MIB:.1f}"


def measure(crowd, o):
    """Rows of a table, and whether a goal was missed."""
    crowd.start()
    rest, alone = crowd.more(), memory(crowd.alone)
    listed = kube_cpu(crowd.asks)
    assert crowd.asks.metric("towline_kube_pods") == o.pods
    with crowd.written():
        crowd.until_read(3)
        flowing = crowd.more()
        before = memory(crowd.asks), memory(crowd.alone)
        spent = kube_cpu(crowd.asks)
        rate = crowd.change(o.seconds, o.rate)
        spent = (kube_cpu(crowd.asks) - spent) / o.seconds
        asks, alone_grown = (
            memory(crowd.asks) - before[0],
            memory(crowd.alone) - before[1],
        )
        seen = sorted(crowd.seen_after(f"late{n}") for n in range(5))
    requests = crowd.asks.by(REQUESTS, "verb")
    errors = crowd.asks.metric(ERRORS)
    stated = crowd.asks.metric("towline_memory_limit_bytes")
    stated -= crowd.alone.metric("towline_memory_limit_bytes")
    rows = [
        ("MiB resident without the API, all files open", mib(alone)),
        (f"more with it, all pods known (goal {GOAL})", mib(rest)),
        ("more while lines flow, longer by their metadata", mib(flowing)),
        ("the peak with it", mib(memory(crowd.asks, "VmHWM"))),
        (f"changes a second, for {o.seconds} s", f"{rate:.0f}"),
        ("grown meanwhile, with and without", f"{mib(asks)}, {mib(alone_grown)}"),
        ("CPU of the kube thread, until all pods are known", f"{1000 * listed:.0f} ms"),
        ("… while they change", f"{1000 * spent:.0f} ms a second"),
        ("… a change", f"{1e6 * spent / rate:.0f} us"),
        ("from a change to a line with it, longest of 5", f"{seen[-1]:.2f} s"),
        ("requests", ", ".join(f"{n:.0f} {verb}" for verb, n in requests.items())),
        ("errors", f"{errors:.0f}"),
        ("more at most, as stated, MiB", mib(stated)),
    ]
    return rows, rest > GOAL * MIB or errors > 0 or seen[-1] > 1


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--pods", type=int, default=1000)
    arguments.add_argument("--logs", type=int, default=300)
    arguments.add_argument("--seconds", type=int, default=60)
    arguments.add_argument("--rate", type=int, default=100)
    o = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="towline-kube-") as folder:
        folder = pathlib.Path(folder)
        kube = Kube(folder / "server")
        crowd = None
        try:
            node = Node(folder / "log")
            crowd = Crowd(kube.start(), folder, node, o.pods, o.logs)
            rows, missed = measure(crowd, o)
        finally:
            if crowd:
                crowd.end()
            kube.end()
    print(f"{o.pods} pods, {METADATA} bytes of metadata each, {o.logs} logs:\n")
    print("| | |\n|---|---|")
    for what, figure in rows:
        print(f"| {what} | {figure} |")
    return missed


if __name__ == "__main__":
    raise SystemExit(main())
