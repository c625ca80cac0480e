"""check calls right exactly what run starts: over tests/corpus, and over mutations of it."""

import concurrent.futures
import os
import random
import re
import subprocess

from harness import corpus
from harness.towline import BINARY, towline

SEED, MUTATIONS = 13, 60
STARTED = 5  # s: what has not ended by then has started


def lines_of(text):
    """The numbers of its lines that have a key and a value."""
    return [i for i, line in enumerate(text) if re.match(r"\s+[^#\s]\S* ", line)]


def dropped(text, i, chance):
    del text[i]


def doubled(text, i, chance):
    text.insert(i, text[i])


def misspelt(text, i, chance):
    key = text[i].split()[0]
    at = chance.randrange(len(key))
    text[i] = text[i].replace(key, key[:at] + key[at + 1 :], 1)


def revalued(text, i, chance):
    head = re.match(r"\s+\S+\s+", text[i])[0]
    values = ["x", "0", "-1", "On", "999999999999", "[", "${NONE}", "*", "1", "%", "/"]
    text[i] = head + chance.choice(values)


def swapped(text, i, chance):
    j = chance.choice(lines_of(text))
    text[i], text[j] = text[j], text[i]


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


def starts(conf, env):
    """What run says, and whether it starts."""
    command = [BINARY, "run", "--exit-on-eof", "--state", f"{conf.parent}/state"]
    try:
        done = subprocess.run(
            [*command, "-c", conf],
            capture_output=True,
            text=True,
            timeout=STARTED,
            env=env,
        )
    except subprocess.TimeoutExpired:
        return True, ""
    return done.returncode == 0, done.stderr


def tried(entry, folder, number):
    """The difference between what check says and what run does; None: there is none."""
    chance = random.Random(SEED * 1000 + number)
    env = os.environ | corpus.ENVIRONMENT
    entry.lay(folder)
    conf = next(folder.glob("fluent-bit.*"))
    if conf.suffix == ".yaml":
        return None
    text = at_home(conf.read_text(), folder).splitlines()
    change = chance.choice([dropped, doubled, misspelt, revalued, swapped])
    if number >= 0:
        change(text, chance.choice(lines_of(text)), chance)
    conf.write_text("\n".join(text) + "\n")
    check = towline("check", "-c", conf, env=env)
    started, said = starts(conf, env)
    if started == (check.returncode == 0):
        return None
    return f"{conf} ({change.__name__}): {check.stdout}\nrun: {said}"


def test_check_is_right_about_what_starts(tmp_path):
    entries = corpus.entries()
    chosen = [(e, -1) for e in entries]
    chosen += [(entries[i % len(entries)], i) for i in range(MUTATIONS)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(tried, e, tmp_path / f"{e.name}{n}", n) for e, n in chosen]
        wrong = [w for w in (a.result() for a in asked) if w is not None]
    assert wrong == [], "\n".join(wrong)
