"""docs/fluent-bit.md: each row and each item names a test that there is."""

import re

import pytest
from harness import corpus
from harness.towline import ROOT

PAGE = (ROOT / "docs/fluent-bit.md").read_text()
NAMED = re.compile(r"`(test_\w+\.(?:py|c))::(\w+)`")


def section(title):
    return re.search(rf"(?ms)^## {title}$(.*?)(?=^## )", PAGE)[1]


def rows():
    """Of the table that is written by hand; the other one is made of difference.c."""
    table = section("Where we differ on purpose").split("<!-- differences")[0]
    found = re.findall(r"(?m)^\| .* \|$", table)
    return [row for row in found if not row.endswith("| shown by |")]


def items():
    return re.split(r"\n- |\n\n", section("What carries over"))[1:]


def run_of(file):
    """The tests of a file that are run: those that pytest collects, or main() names."""
    folder = "unit" if file.endswith(".c") else "e2e"
    text = (ROOT / "tests" / folder / file).read_text()
    is_run = (
        r"cmocka_unit_test\w*\((\w+)" if folder == "unit" else r"(?m)^def (test_\w+)\("
    )
    return set(re.findall(is_run, text))


@pytest.mark.parametrize("row", rows(), ids=lambda r: r[2:40])
def test_each_row_names_a_test(row):
    assert len(re.findall(r"(?<!\\)\|", row)) == 4
    assert NAMED.search(row.split("|")[3])


def test_each_item_names_a_test():
    # The paragraph between the two lists, and what is behind the last, are text.
    assert [i[:40] for i in items() if i.strip() and not NAMED.search(i)] == [
        "[configuration.md](configuration.md) lis"
    ]


def test_each_test_that_is_named_is_run():
    named = NAMED.findall(PAGE)
    assert len(named) > 40
    assert [f"{file}::{name}" for file, name in named if name not in run_of(file)] == []


def test_the_figures_are_those_of_the_corpus():
    assert f"has {len(corpus.entries())} configurations" in PAGE
