"""The harness itself: each fault alone leaves nothing lost and nothing twice,
and each planted bug (bugs/*.patch) turns it red.  Wants a build with FAULTS=1."""

import os
import pathlib
import subprocess
import sys

import pytest
from driver import KINDS, REAL_FAULTS, SERVER_FAULTS

HERE = pathlib.Path(__file__).parent

# bug: the faults that bring it to light
BUGS = {
    "skip-429": ["--only", "items429"],
    "offset-at-rotation": ["--only", "late"],
    "seal-not-stored": ["--only", "late,kill", "--pace", "2.5", "--length", "20"],
    "late-before-seal": ["--only", "slow,kill", "--pace", "0.6", "--length", "15"],
    "break-not-stored": ["--only", "gap,kill,down", "--pace", "2.5", "--length", "20"],
    "commit-before-ack": ["--only", "kill,down", "--pace", "2.5", "--length", "20"],
    "counter-replayed": ["--only", "kill", "--counters"],
}


def chaos(folder, *arguments, program=None):
    command = [sys.executable, HERE / "chaos.py", "--dir", folder, "--patience", "30"]
    command += ["--length", "8", "--rate", "2000", *arguments]
    env = {**os.environ, "TOWLINE": program} if program else None
    return subprocess.run(
        [*map(str, command)], capture_output=True, text=True, timeout=300, env=env
    )


def planted(bug):
    """The program with this bug in it."""
    run = subprocess.run([HERE / "plant", bug], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def test_a_call_that_fails_once_loses_nothing(tmp_path):
    """A sample of the sweep; all of it: make chaos ARGS=--sweep."""
    command = [sys.executable, HERE / "chaos.py", "--sweep", "--most", "9"]
    command += ["--jobs", "4", "--dir", tmp_path]
    run = subprocess.run([*map(str, command)], capture_output=True, text=True)
    print(run.stdout)
    assert run.returncode == 0, run.stdout


def test_each_patch_is_tried():
    assert {patch.stem for patch in HERE.glob("bugs/*.patch")} == set(BUGS)


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_turns_it_red(bug, tmp_path):
    """By one of a few seeds: on what a kill falls is the machine's doing, too."""
    program = planted(bug)
    clean = chaos(tmp_path, "--seed", "1", *BUGS[bug])
    assert clean.returncode == 0, clean.stdout
    for seed in range(1, 9):
        found = chaos(tmp_path, "--seed", seed, *BUGS[bug], program=program)
        if found.returncode != 0:
            break
    assert found.returncode == 1 and "FAILED" in found.stdout, found.stdout


@pytest.mark.parametrize("kind", [k for k in KINDS if k not in REAL_FAULTS])
def test_a_fault_alone_loses_nothing(kind, tmp_path):
    """Server faults come every second or so, the others as they do in a long run."""
    pace = "2" if kind in SERVER_FAULTS else "1"
    length = {"delete": "25", "gzip": "12", "journal": "12"}.get(kind, "6")
    only = f"{kind},down,kill" if kind in ("outputs", "journal") else kind
    faults = ["--only", only, "--pace", pace, "--length", length]
    run = chaos(tmp_path, "--seed", "6" if kind == "outputs" else "5", *faults)
    assert run.returncode == 0, run.stdout
    done = "-plain=" if kind == "paths" else f" {kind}="  # a layout's name
    assert done in run.stdout or kind in ("gap", "late", "burst"), run.stdout
