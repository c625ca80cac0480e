#!/usr/bin/env python3
"""Feed hostile bytes to the targets of libFuzzer, fuzz_*.c, two at a time.

Each target replays the inputs that once failed (tests/fuzz/failed/TARGET/*), then
goes on from its corpus for its share of --minutes.  The corpus stands in build/ and
grows; it begins with the strings of the tests and files that TARGETS names.
An input that fails is printed with its path and the command that repeats it.
"""

import argparse
import ast
import concurrent.futures
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAILED = ROOT / "tests/fuzz/failed"
# A target's corpus is made of these: the strings of C, other files as they are.
TARGETS = {
    "agent": "tests/unit/test_agent_*.c tests/unit/traces.h",
    "agent_events": "tests/unit/test_agent_conf.c conf/agent-events.conf",
    "conf": "tests/unit/test_conf.c tests/unit/test_parsers_files.c tests/fixtures/*.conf tests/fixtures/*/*.conf conf/*.conf",
    "cri": "tests/unit/test_cri.c",
    "docker": "tests/unit/test_docker.c tests/unit/test_cri.c",
    "exposition": "tests/unit/test_exposition.c tests/unit/test_agent_metrics.c",
    "forms": "tests/unit/test_form.c tests/unit/test_conf_yaml.c tests/unit/test_manifest.c tests/unit/test_conf.c"
    " tests/fixtures/*.yaml conf/*.conf conf/helm/towline/values.yaml",
    "gunzip": "tests/unit/traces.h",
    "journal": "tests/unit/test_journal.c",
    "json": "tests/unit/test_json.c tests/unit/test_document.c",
    "letters": "tests/unit/test_replay.c tests/unit/test_dead_letter.c",
    "lua": "tests/unit/test_lua_pattern.c tests/unit/test_lua.c tests/unit/test_json.c",
    "parser": "tests/unit/test_parser.c",
    "pattern": "tests/unit/test_pattern.c tests/unit/test_parser.c",
    "poll_page": "tests/unit/test_poll_page.c",
    "reply": "tests/unit/test_reply.c tests/unit/test_ship_*.c",
    "reshape": "tests/unit/test_json.c tests/unit/test_agent_*.c tests/unit/test_reshape.c",
    "tail": "tests/unit/traces.h tests/unit/test_tail.c tests/unit/test_docker.c",
    "timestamp": "tests/unit/test_timestamp.c",
    "trace": "tests/unit/traces.h tests/unit/test_trace*.c",
    "yaml": "tests/unit/test_yaml_doc.c tests/unit/test_web_conf.c conf/prometheus/*.yml",
}
STRING = r'"(?:[^"\\\n]|\\.)*"'
STRINGS = re.compile(rf"{STRING}(?:\s*{STRING})*")
WORD = 64  # bytes of a dictionary's longest word
ENV = {"PATH": "/usr/bin:/bin", "UBSAN_OPTIONS": "print_stacktrace=1"}
NOISE = re.compile(r"^0x|^Base64|^INFO|NEW_FUNC|^stat::| in fuzzer::|^\s*$")
RUN = "-timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -verbosity=0".split()


def literals(path):
    """The strings of a C source, macros expanded, those beside each other joined."""
    command = ["clang", "-E", "-P", "-D_GNU_SOURCE", "-Iinclude", str(path)]
    source = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    for run in STRINGS.findall(source.stdout.decode()):
        yield b"".join(literal(s) for s in re.findall(STRING, run))


def literal(text):
    """The bytes of a C string: Python's bytes have the same escapes, but for two."""
    text = text.replace("\\?", "?").replace("\\e", "\\x1b")
    return ast.literal_eval("b" + text.encode("ascii", "backslashreplace").decode())


def seeds(sources):
    for file in (file for path in sources.split() for file in ROOT.glob(path)):
        yield from (
            literals(file) if file.suffix in {".c", ".h"} else [file.read_bytes()]
        )


def corpus(name, folder):
    """Its folder of inputs, and its dictionary."""
    to = folder / name
    to.mkdir(parents=True, exist_ok=True)
    words = set()
    for seed in seeds(TARGETS[name]):
        (to / hashlib.sha1(seed).hexdigest()).write_bytes(seed)
        words |= {w for w in re.split(rb"\s+", seed) if 2 < len(w) <= WORD}
    lines = ("".join(f"\\x{byte:02x}" for byte in word) for word in sorted(words))
    (folder / f"{name}.dict").write_text("".join(f'"{line}"\n' for line in lines))
    return to


def run(args, name, seconds):
    """One target.  The text of its failure, or None."""
    target = args.build / f"fuzz_{name}"
    inputs = corpus(name, args.build / "corpus")
    dictionary = args.build / "corpus" / f"{name}.dict"
    kept = args.build / "failed" / name
    kept.mkdir(parents=True, exist_ok=True)
    once = sorted(FAILED.glob(f"{name}/*"))
    grow = [f"-dict={dictionary}", f"-max_total_time={seconds}", f"-max_len={args.len}"]
    grow += [f"-seed={args.seed}", f"-runs={args.runs}"]
    for step in filter(None, [once, [*grow, inputs]]):
        with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="towline-fuzz-") as dir:
            done = subprocess.run(
                [target, *RUN, f"-artifact_prefix={kept}/", *step],
                env=ENV | {"FUZZ_DIR": dir},
                capture_output=True,
            )
        said = done.stderr.decode(errors="replace")
        if done.returncode != 0:
            return said
    runs = re.search(r"number_of_executed_units: (\d+)", said)
    print(f"  ok     {name}: {runs[1]} inputs", flush=True)
    return None


def tell(args, name, said):
    kept = (line for line in said.splitlines() if not NOISE.search(line))
    print(f"  FAILED {name}", *kept, sep="\n")
    path = re.search(r"Running: (\S+)\n(?!.*Executed)|Test unit written to (\S+)", said)
    if path:
        path = os.path.relpath(path[1] or path[2])
        target = os.path.relpath(args.build / f"fuzz_{name}")
        print(f"the input is {path}; again: {target} {path}", flush=True)


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("--minutes", type=float, default=5, help="of all targets together")
    p.add_argument("--only", help="these targets alone, separated by commas")
    p.add_argument("--seed", type=int, default=0, help="of the inputs; 0: by the clock")
    p.add_argument(
        "--runs", type=int, default=-1, help="inputs; -1: as time allows; 0: the corpus"
    )
    p.add_argument("--len", type=int, default=4096, help="bytes of the longest input")
    p.add_argument("--build", type=pathlib.Path, default=ROOT / "build/fuzz")
    args = p.parse_args()
    names = args.only.split(",") if args.only else list(TARGETS)
    seconds = max(1, round(args.minutes * 60 * 2 / len(names)))
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        tasks = {name: pool.submit(run, args, name, seconds) for name in names}
    failures = {name: said for name, task in tasks.items() if (said := task.result())}
    for name, said in failures.items():
        tell(args, name, said)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
