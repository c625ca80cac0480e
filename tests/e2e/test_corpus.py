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
RULES, UNBUILT = CONTRACT.pop("rule"), CONTRACT.pop("unbuilt")
INPUT = "[INPUT]\n    Name tail\n    Path /var/log/x\n    Tag x\n"
OUTPUT = "[OUTPUT]\n    Name null\n    Match *\n"
# Behind the option that is tried, where it does not have them itself.
COMMON = {
    "input": ["Tag x"],
    "filter": ["Match *"],
    "output": ["Match *"],
}


def sections():
    for kind, said in CONTRACT.items():
        if "options" in said:
            yield kind, None, said
        else:
            yield from ((kind, name, of) for name, of in said.items())


def each_section():
    return [pytest.param(*s, id=f"{s[0]}-{s[1]}") for s in sections()]


def key_of(option):
    return option.split()[0].lower()


def findings_of(folder, text):
    """[(line, text)] of what `check` says."""
    (folder / "parsers.conf").write_text("")
    (folder / "t.conf").write_text(text)
    said = towline("check", "-c", folder / "t.conf").stdout
    found = said.replace(f"{folder}/", "").splitlines()
    parts = [re.fullmatch(r"t\.conf:(\d+): (.*)", line) for line in found]
    return [(int(part[1]), part[2]) for part in parts if part]


def said_of(folder, kind, name, said, option):
    """What `check` says of the line of one option, the last of its section."""
    given = [*said.get("needs", []), *COMMON.get(kind, [])]
    lines = [f"[{kind.upper()}]"] + ([f"Name {name}"] if name else [])
    lines += [o for o in given if key_of(o) != key_of(option)] + [option]
    found = findings_of(folder, "\n    ".join(lines) + "\n")
    return [text for line, text in found if line == len(lines)]


@pytest.mark.parametrize("kind, name, said", each_section())
def test_each_option_of_the_contract_is_built_or_says_what_instead(
    tmp_path, kind, name, said
):
    """contract.toml has the message of each that is not as Fluent Bit's."""
    tried = [o for o in said["options"] if o.split()[0] not in said.get("open", [])]
    found = {o: said_of(tmp_path, kind, name, said, o) for o in tried}
    says = {option: texts[0] for option, texts in found.items() if texts}
    assert says == said.get("says", {})


def texts_of_tests():
    files = [*(corpus.HOME.parent / "e2e").glob("test_*.py")]
    files += (corpus.HOME.parent / "unit").glob("*.[ch]")
    files += [p for p in corpus.HOME.glob("*/*") if p.is_file()]
    return "\n".join(p.read_text() for p in files if p.suffix != ".log")


@pytest.mark.parametrize("kind, name, said", each_section())
def test_each_option_that_is_built_is_in_a_test(kind, name, said):
    if f"{kind.upper()} {name}" in UNBUILT:
        return
    apart = {*said.get("says", {}), *said.get("open", []), *said.get("untried", [])}
    built = {key_of(o) for o in said["options"] if o not in apart}
    tests = texts_of_tests().lower()
    word = r"(?<![\w.]){}(?![\w.])"
    assert [o for o in built if not re.search(word.format(re.escape(o)), tests)] == []


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r["page"])
def test_each_rule_of_grammar_and_leniency_holds(tmp_path, rule):
    for name, text in rule.get("files", {}).items():
        (tmp_path / name).write_text(text)
    conf = rule["conf"].replace("<input>\n", INPUT).replace("<output>\n", OUTPUT)
    assert [text for _, text in findings_of(tmp_path, conf)] == rule["says"]


@pytest.mark.parametrize("plugin", UNBUILT)
def test_a_plugin_that_is_not_built_says_what_there_is_instead(tmp_path, plugin):
    kind, name = plugin.split()
    found = findings_of(tmp_path, f"[{kind}]\n    Name {name}\n")
    assert [text for line, text in found if line == 2] == [UNBUILT[plugin]]
