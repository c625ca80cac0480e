"""check calls right exactly what run starts: over tests/corpus in both forms, and over mutations.

MUTATIONS=N tries N of each form, SEED=N others."""

import concurrent.futures
import os
import random
import re
import subprocess

import pytest
import yaml
from harness import corpus, mutations
from harness.towline import BINARY, towline

SEED = int(os.environ.get("SEED", 13))
MUTATIONS = int(os.environ.get("MUTATIONS", 80))
STARTED = 5  # s: what has not ended by then has started
ENV = os.environ | corpus.ENVIRONMENT
FORMS = {".conf": mutations.CLASSIC, ".yaml": mutations.YAML}


def at_home(text, folder):
    """No port, and none of the machine's files and journals."""
    text = re.sub(r"(?im)^\s*http_(server|port)\b.*\n", "", text)
    text = re.sub(r"(?im)^(\s*)(name\s+systemd)$", rf"\1\2\n\1Path {folder}/none", text)
    text = text.replace("/var/log", f"{folder}/none").replace(
        "/var/spool/app", str(folder)
    )
    if re.search(r"(?im)^\[service\]", text):
        return re.sub(r"(?im)^\[service\]\n", "[SERVICE]\n    HTTP_Server Off\n", text)
    return "[SERVICE]\n    HTTP_Server Off\n" + text


def classic(entry, folder):
    """The entry's configuration as a classic file of ${folder}; None: it has no such form."""
    entry.lay(folder)
    conf = folder / "fluent-bit.conf"
    if not conf.exists():
        done = towline("convert", folder / "fluent-bit.yaml", env=ENV)
        assert done.returncode == 0, done.stderr
        conf.write_text(done.stdout)
    conf.write_text(at_home(conf.read_text(), folder))
    return conf


def mutant(entry, folder, form, number):
    """The file to try, and the name of the change in it (number < 0: none)."""
    chance = random.Random(f"{SEED} {form} {number}")
    change = chance.choice(FORMS[form]) if number >= 0 else None
    conf = classic(entry, folder)
    if form == ".conf":
        text = conf.read_text().splitlines()
        if change:
            change(text, chance)
        text = "\n".join(text) + "\n"
        # A [SERVICE] that is gone would have it listen on the port of all.
        conf.write_text(text if "HTTP_Server Off" in text else at_home(text, folder))
        return conf, change
    done = towline("convert", conf, env=ENV)
    if done.returncode != 0:
        return None, change
    conf = folder / "mutant.yaml"
    tree = yaml.load(done.stdout, yaml.BaseLoader)
    if change:
        change(tree, chance)
    if isinstance(tree.setdefault("service", {}), dict):
        tree["service"].setdefault("HTTP_Server", "Off")
    conf.write_text(yaml.safe_dump(tree, sort_keys=False) if change else done.stdout)
    return conf, change


def starts(conf):
    """What run says, and whether it starts."""
    command = [BINARY, "run", "--exit-on-eof", "--state", f"{conf.parent}/state"]
    try:
        done = subprocess.run(
            [*command, "-c", conf],
            capture_output=True,
            text=True,
            timeout=STARTED,
            env=ENV,
        )
    except subprocess.TimeoutExpired:
        return True, ""
    return done.returncode == 0, done.stderr


def tried(entry, folder, form, number):
    """The difference between what check says and what run does; None: there is none."""
    conf, change = mutant(entry, folder, form, number)
    if conf is None:
        return None
    check = towline("check", "-c", conf, env=ENV)
    started, said = starts(conf)
    if check.returncode in (0, 1) and started == (check.returncode == 0):
        return None
    name = change.__name__ if change else "as it is"
    return f"{conf} ({name}): check: {check.returncode} {check.stdout}\nrun: {said}"


@pytest.mark.parametrize("form", FORMS)
def test_check_is_right_about_what_starts(tmp_path, form):
    entries = corpus.entries()
    chosen = [(e, -1) for e in entries]
    chosen += [(entries[i % len(entries)], i) for i in range(MUTATIONS)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asked = [
            pool.submit(tried, e, tmp_path / f"{e.name}{n}", form, n) for e, n in chosen
        ]
        wrong = [w for w in (a.result() for a in asked) if w is not None]
    assert wrong == [], "\n".join(wrong)
