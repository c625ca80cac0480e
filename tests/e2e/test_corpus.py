"""tests/corpus: each configuration starts, or says why not, and its documents are as expected.

UPDATE_CORPUS=1 writes the documents of those that start: to be read before they are
committed."""

import collections
import concurrent.futures
import os
import re
import tomllib

import pytest
from harness import corpus
from harness.towline import towline

ENTRIES = corpus.entries()
UPDATES = "UPDATE_CORPUS" in os.environ


def each(entries):
    return [pytest.param(e, id=e.name) for e in entries]


def ran(entry, folder):
    """(check, test, test of the other form) of an entry."""
    env = os.environ | corpus.ENVIRONMENT
    entry.lay(folder)
    conf = next(folder.glob("fluent-bit.*"))
    if UPDATES and not (entry.refused or entry.now):
        if towline("test", "--update", folder, env=env).returncode == 0:
            entry.take(folder)
    check = towline("check", "-c", conf, env=env)
    return check, towline("test", folder, env=env), other_form(folder, conf, env)


def other_form(folder, conf, env):
    """What `towline test` says of the same in the other form."""
    other = conf.with_name("other" + {".conf": ".yaml", ".yaml": ".conf"}[conf.suffix])
    done = towline("convert", conf, env=env)
    if done.returncode != 0:
        return done
    other.write_text(done.stdout)
    return towline("test", "-c", other, folder, env=env)


@pytest.fixture(scope="session")
def results(tmp_path_factory):
    home = tmp_path_factory.mktemp("corpus")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asked = {e.name: pool.submit(ran, e, home / e.name) for e in ENTRIES}
        return {name: future.result() for name, future in asked.items()}


def test_each_folder_is_in_the_table():
    assert corpus.folders() == [e.name for e in ENTRIES] and len(ENTRIES) >= 40


def test_nine_of_ten_start():
    assert sum(not e.refused for e in ENTRIES) >= 0.9 * len(ENTRIES)


def test_each_obstacle_is_met_twice():
    met = collections.Counter(what for e in ENTRIES for what in e.shows)
    assert [what for what, n in met.items() if n < 2] == []
    assert met["systemd"] >= 15 and met["outputs that differ"] >= 12


@pytest.mark.parametrize("entry", each([e for e in ENTRIES if not e.refused]))
def test_it_starts_and_its_documents_are_as_expected(results, entry):
    check, test, _ = results[entry.name]
    assert check.returncode == 0, check.stdout
    assert entry.warns in check.stdout
    assert entry.now or test.returncode == 0, test.stdout + test.stderr


@pytest.mark.parametrize(
    "entry", each([e for e in ENTRIES if not (e.refused or e.now)])
)
def test_the_other_form_gives_the_same_documents(results, entry):
    other = results[entry.name][2]
    assert other.returncode == 0, other.stdout + other.stderr


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: e.name)
def test_a_configmap_or_values_are_checked_where_they_stand(results, entry):
    if entry.source().name in ("configmap.yaml", "values.yaml"):
        env = os.environ | corpus.ENVIRONMENT
        check = towline("check", "-c", entry.source(), env=env)
        assert check.returncode == results[entry.name][0].returncode, check.stdout


@pytest.mark.parametrize("entry", each([e for e in ENTRIES if e.refused]))
def test_it_is_refused_with_what_there_is_instead(results, entry):
    check, test, _ = results[entry.name]
    assert check.returncode == 1 and entry.refused in check.stdout
    assert test.returncode == 1 and entry.refused in test.stderr


# ---- the contract


CONTRACT = tomllib.loads((corpus.HOME / "contract.toml").read_text())
COMMON = {"input": ["Tag x"], "filter": ["Match *"], "output": ["Match *"]}
# Messages that say what there is instead, or what to mend.
INSTEAD = re.compile("; |: let |: name |cannot be|is needed|needs ")


def sections():
    for kind, said in CONTRACT.items():
        if "options" in said:
            yield kind, None, said
        else:
            yield from ((kind, name, of) for name, of in said.items())


@pytest.mark.parametrize(
    "kind, name, said", [pytest.param(*s, id=f"{s[0]}-{s[1]}") for s in sections()]
)
def test_each_option_of_the_contract_is_known(tmp_path, kind, name, said):
    (tmp_path / "parsers.conf").write_text("")
    head = [f"Name {name}"] if name else []
    given = [*said.get("needs", []), *COMMON.get(kind, []), *said["options"]]
    seen = {option.split()[0].lower() for option in said["options"]}
    needed = [
        o for o in given if o in said["options"] or o.split()[0].lower() not in seen
    ]
    file = tmp_path / "t.conf"
    file.write_text("\n    ".join([f"[{kind.upper()}]", *head, *needed]) + "\n")
    found = towline("check", "-c", file).stdout.splitlines()
    wrong = []
    for line in found:
        where, _, text = line.partition(": ")
        if not where.endswith(tuple("0123456789")) or text.startswith(
            ("note:", "warning:")
        ):
            continue
        if "no option" in text or "no plugin" in text or not INSTEAD.search(text):
            wrong.append(line)
    names = {re.search("option '(.*?)'", line)[1] for line in wrong}
    assert names <= set(said.get("open", [])), wrong
