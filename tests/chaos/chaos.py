#!/usr/bin/env python3
"""Break towline on purpose, and show that the index holds each line once.

Runs the seeds that once failed, then new ones, each an episode of --length
seconds, for --minutes.  A seed that fails leaves its folder, whose path is
printed; --seed N repeats it.

--sweep instead has each call of a kind fail once, at each N, in a run of its own.
"""

import argparse
import collections
import json
import pathlib
import random
import shutil
import sys
import tempfile
import time

import sweep
from driver import KINDS, STALLS, Episode
from judge import judge
from process import RealServer

SEEDS = pathlib.Path(__file__).with_name("seeds")


def arguments():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--minutes", type=float, default=5, help="new seeds for so long")
    p.add_argument("--seed", type=int, help="this one alone")
    p.add_argument("--first", type=int, help="the first new seed; none: by the clock")
    p.add_argument("--length", type=float, default=45, help="seconds of an episode")
    p.add_argument(
        "--without", default="", help=f"kinds left out, of {','.join(KINDS)}"
    )
    p.add_argument("--only", default="", help="no kinds but these")
    p.add_argument("--rate", type=float, default=3000, help="records a second")
    p.add_argument("--containers", type=int, default=12)
    p.add_argument("--pace", type=float, default=1.2, help="faults a second")
    p.add_argument("--patience", type=float, default=STALLS, help="s without progress")
    p.add_argument(
        "--memory", type=float, default=0, help="most resident bytes; 0: any"
    )
    p.add_argument("--counters", action="store_true", help="judge the app_ counters")
    p.add_argument("--opensearch", action="store_true", help="a real server behind")
    p.add_argument("--dir", type=pathlib.Path, help="where episodes' folders are made")
    p.add_argument(
        "--sweep", action="store_true", help="each call fails once: sweep.py"
    )
    p.add_argument("--call", help="with --sweep: these calls alone")
    p.add_argument("--nth", type=int, help="with --sweep and --call: this one alone")
    p.add_argument(
        "--most",
        type=int,
        default=0,
        help="with --sweep: so many N of a call, by --seed",
    )
    p.add_argument("--jobs", type=int, default=2, help="runs of the sweep at a time")
    p.add_argument("--keep", action="store_true", help="keep folders that passed, too")
    return p.parse_args()


def kinds_of(args):
    only, without = (set(filter(None, x.split(","))) for x in (args.only, args.without))
    if unknown := (only | without) - {*KINDS, "none"}:
        sys.exit(f"no such kind: {', '.join(sorted(unknown))}")
    return (only or set(KINDS)) - without


def rotate_wait(args, seed):
    """s; short where a slow writer must be silent for longer."""
    short = random.Random(f"{seed}/rotate_wait").choice([0.2, 0.3, 1])
    return short if "slow" in kinds_of(args) else 5


def episode(args, seed, real):
    """One seed; True: it passed."""
    folder = (
        pathlib.Path(tempfile.mkdtemp(prefix=f"chaos-{seed}-", dir=args.dir)) / "run"
    )
    keys = "rate", "containers", "pace", "patience", "memory", "counters"
    options = {key: getattr(args, key) for key in keys}
    options["rotate_wait"] = rotate_wait(args, seed)
    it = Episode(folder, seed, args.length, kinds_of(args), options, real)
    it.run()
    verdict = judge(folder, args.counters)
    report = json.loads((folder / "writers.json").read_text())
    done = collections.Counter(it.done) + collections.Counter(report["done"])
    print(
        f"seed {seed}: {'FAILED' if verdict.findings else 'ok'}"
        f" records={verdict.records} documents={verdict.documents}"
        f" pieces={verdict.pieces} cores={verdict.cores} dead={verdict.dead} lost={verdict.lost} doubled={verdict.doubled}"
        f" conflicts={it.stats['conflicts']} peak={it.towline.peak >> 20}M\n"
        f"    faults: {' '.join(f'{k}={n}' for k, n in sorted(done.items()))}",
        flush=True,
    )
    for line in verdict.lines():
        print(f"    {line}")
    if verdict.findings:
        print(
            f"    kept: {folder}; again: --seed {seed} --length {args.length:g}",
            flush=True,
        )
    elif not args.keep:
        shutil.rmtree(folder.parent)
    return not verdict.findings, done, verdict


def seeds(args):
    if args.seed is not None:
        yield args.seed
        return
    for line in SEEDS.read_text().splitlines():
        if words := line.split("#")[0].split():
            yield int(words[0])
    end = time.monotonic() + args.minutes * 60
    seed = time.time_ns() // 10**6 % 10**9 if args.first is None else args.first
    while time.monotonic() < end:
        yield seed
        seed += 1


def main():
    args = arguments()
    if args.sweep:
        sys.exit(not sweep.main(args))
    total, passed, n = collections.Counter(), True, 0
    folder = pathlib.Path(tempfile.mkdtemp(prefix="chaos-server-", dir=args.dir))
    real = RealServer(folder) if args.opensearch else None
    for seed in seeds(args):
        good, done, verdict = episode(args, seed, real)
        passed, n, total = passed and good, n + 1, total + done
        total["records"] += verdict.records
        total["lost"] += verdict.lost
        total["doubled"] += verdict.doubled
    if real:
        real.stop()
    shutil.rmtree(folder)
    print(f"{'passed' if passed else 'FAILED'}: {n} seeds;", end=" ")
    print(" ".join(f"{k}={v}" for k, v in sorted(total.items())))
    sys.exit(not passed)


if __name__ == "__main__":
    main()
