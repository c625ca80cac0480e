"""`make bench`: what a line costs, here, in one run.

Batch: each shipper reads the same files to their end into a server that only
counts (build/bench/sink), towline for two outputs as well; the ceiling program
does the least that any of them must do, with the same number of bytes sent.
Live: 500 files at 50 lines a second each.  docs/performance.md says what the
columns mean.

Exits 1 when documents are missing or came twice, else 0, whatever the speed.
"""

import argparse
import hashlib
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys

from measure import (
    BUILD,
    HERE,
    MB,
    PEERS,
    TOWLINE,
    TWO_OUTPUTS,
    run_batch,
    run_ceiling,
    run_live,
)

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
TARGET, GOAL, RSS_LIMIT, STORE_LIMIT = 0.25, 0.6, 32, 3  # the last: % of the CPU


# ---- what is read: made once, kept outside the tree


def generated(options):
    source = b"".join(p.read_bytes() for p in sorted(HERE.glob("*.[ch]")))
    name = "-".join(
        f"{k}{getattr(options, k)}" for k in ("lines", "files", "seed", "json")
    )
    name += "-" + hashlib.sha256(source).hexdigest()[:12]
    logs = CACHE / "towline-tests/bench" / name
    if not (logs / "truth.json").exists():
        logs.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(logs, ignore_errors=True)
        command = [BUILD / "bench/gen", "--dir", logs, "--lines", options.lines]
        command += [
            "--files",
            options.files,
            "--seed",
            options.seed,
            "--json",
            options.json,
        ]
        subprocess.run(list(map(str, command)), check=True)
    for log in logs.glob("containers/*.log"):  # into the page cache, for all alike
        log.read_bytes()
    return logs, json.loads((logs / "truth.json").read_text())


# ---- the table

HEAD = (
    "",
    "gzip",
    "MB/s per CPU s",
    "MB/s",
    "documents/s",
    "CPU s",
    "peak MB",
    "documents",
    "",
)


def progress(text):
    """On the line where the table will stand, for who is looking."""
    if sys.stderr.isatty():
        print(f"\r{text:20}\r{text}", end="", file=sys.stderr, flush=True)


def print_rows(rows):
    widths = [max(len(row[i]) for row in [HEAD, *rows]) for i in range(len(HEAD))]
    for row in [HEAD, ["-" * w for w in widths], *rows]:
        cells = [
            cell.ljust(w) if i in (0, 1, 8) else cell.rjust(w)
            for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ]
        print("| " + " | ".join(cells) + " |")


def median(runs, of):
    return statistics.median(of(r) for r in runs)


def row(name, gzip, runs, truth, expected):
    failed = next((r.failed for r in runs if r.failed), "")
    documents = sorted({r.documents for r in runs})
    right = documents == [expected]
    counted = (
        f"{expected}" if right else f"{'/'.join(map(str, documents))} of {expected}"
    )
    return (
        name,
        gzip,
        f"{truth['bytes'] / MB / median(runs, lambda r: max(r.cpu, 0.001)):.1f}",
        f"{truth['bytes'] / MB / median(runs, lambda r: r.wall):.1f}",
        f"{median(runs, lambda r: r.documents / r.wall):.0f}",
        f"{median(runs, lambda r: r.cpu):.2f}",
        f"{max(r.rss for r in runs):.1f}",
        counted,
        failed[:60],
    )


def absent(shipper):
    variable = shipper.find[0]
    return (
        shipper.name,
        "",
        *["-"] * 6,
        f"not found (PATH, or {variable}=/path/to/it)",
    )


def batch(options, logs, truth):
    """Run everything, interleaved; return the rows, the run with ids, the others' by name."""
    check = run_batch(TOWLINE, logs, truth["records"], gzip=False, ids=True)
    least = run_ceiling(logs, 0)
    metadata = max(0, round((check.sent - least.sent) / truth["lines"]))
    shippers = [TOWLINE, TWO_OUTPUTS, *PEERS]
    columns = [
        (s, gzip)
        for s in shippers
        for gzip in (False, True)
        if s.program() and s.gzip[gzip] is not None
    ]
    runs = {(s.name, gzip): [] for s, gzip in columns}
    ceiling, ceiling600 = [], []
    for n in range(options.runs):
        progress(f"run {n + 1} of {options.runs}")
        ceiling.append(run_ceiling(logs, metadata))
        for s, gzip in columns:
            runs[s.name, gzip].append(run_batch(s, logs, s.expected(truth), gzip))
        ceiling600.append(run_ceiling(logs, 600))
    progress("")

    rows = []
    for s in shippers:
        expected = s.expected(truth)
        rows += [absent(s)] * (s.program() is None)
        rows += [
            row(s.name, "yes" if gzip else "no", runs[s.name, gzip], truth, expected)
            for t, gzip in columns
            if t is s
        ]
    same = f"ceiling, {metadata} bytes of metadata a line"
    rows.append(row(same, "no", ceiling, truth, truth["lines"]))
    rows.append(row("ceiling, 600 bytes", "no", ceiling600, truth, truth["lines"]))
    return rows, check, runs, ceiling


def batch_problems(check, runs, truth):
    """What is wrong in towline's runs."""
    found = problems("ids", check, TOWLINE.expected(truth))
    for s in (TOWLINE, TWO_OUTPUTS):
        for run in runs[s.name, False] + runs[s.name, True]:
            found += problems(s.name, run, s.expected(truth))
    return found


def paired(runs, gzip):
    """The CPU time of two outputs in that of one: the least, median and most of the pairs."""
    pairs = zip(runs[TWO_OUTPUTS.name, gzip], runs[TOWLINE.name, gzip], strict=True)
    ratios = sorted(two.cpu / max(one.cpu, 0.001) for two, one in pairs)
    return f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def problems(name, run, expected):
    found = []
    if run.documents != expected:
        found.append(f"{run.documents} documents of {expected}")
    if run.duplicates:
        found.append(f"{run.duplicates} came twice")
    if run.without_id:
        found.append(f"{run.without_id} have no _id")
    if run.failed:
        found.append(run.failed)
    return [f"{name}: {what}" for what in found]


def report_live(options, per_line):
    """Print the live table; return towline's problems."""
    found = []
    print(
        f"\nlive: {options.live_files} files, 50 lines a second each, {options.live_seconds} s"
    )
    for s in [TOWLINE, *PEERS]:
        if s.program() is None:
            continue
        live = run_live(s, options)
        cost = live.run.cpu / live.lines * 1e6
        line = (
            f"  {s.name}: {cost:.2f} us of CPU a line, {live.run.cpu / live.bytes * 1e9:.1f} ms a MB, "
            f"{live.run.rss:.1f} MB, {live.run.documents} documents of {live.expected}; "
            f"at rest {live.idle:.1f} ms of CPU a second"
        )
        if s is TOWLINE:
            line += f"; in the batch {per_line:.2f} us a line"
            line += f"; store thread {100 * live.run.store / max(live.run.cpu, 0.001):.1f} % of it"
            found += problems("live", live.run, live.expected)
        print(line, flush=True)
    return found


def read_options():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    p.add_argument("--lines", type=int, default=2_000_000)
    p.add_argument("--files", type=int, default=4)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument(
        "--json", type=int, default=25, help="percent of the files that are JSON"
    )
    p.add_argument(
        "--runs", type=int, default=3, help="of each; the table shows the median"
    )
    p.add_argument("--live-files", type=int, default=500)
    p.add_argument("--live-seconds", type=int, default=20)
    p.add_argument("--no-live", action="store_true")
    p.add_argument(
        "--quick", action="store_true", help="200000 lines, one run, 5 s live"
    )
    options = p.parse_args()
    if options.quick:
        options.lines, options.runs, options.live_seconds = 200_000, 1, 5
    return options


def main():
    options = read_options()
    logs, truth = generated(options)
    print(
        f"{truth['lines']} lines, {truth['bytes'] / MB:.1f} MB, {truth['records']} records, "
        f"{truth['files']} files, median of {options.runs}, {os.cpu_count()} CPUs"
    )
    rows, check, runs, ceiling = batch(options, logs, truth)
    towline = runs[TOWLINE.name, False]
    print_rows(rows)

    found = batch_problems(check, runs, truth)
    print(f"\nids: {check.documents} documents, {check.duplicates} came twice")
    per_line = median(towline, lambda r: r.cpu) / truth["lines"] * 1e6
    if not options.no_live:
        found += report_live(options, per_line)

    ratio = median(ceiling, lambda r: r.cpu) / median(towline, lambda r: r.cpu)
    rss = max(r.rss for r in towline)
    plain, packed = paired(runs, False), paired(runs, True)
    print(f"\ntwo outputs in the CPU of one: {plain}, with gzip {packed}")
    print(f"of the ceiling: {ratio:.2f} (target {TARGET}, goal {GOAL})")
    store = 100 * max(r.store / max(r.cpu, 0.001) for r in towline)
    print(f"store thread: {store:.1f} % of the CPU (limit {STORE_LIMIT})")
    print(f"peak memory: {rss:.1f} MB (limit {RSS_LIMIT})")
    for problem in dict.fromkeys(found):
        print(f"WRONG  {problem}")
    return 1 if found else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
