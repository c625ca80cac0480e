"""The code blocks of the monitoring guide (tests/fixtures/reference), and the page
about them: docs/monitoring.md."""

import ast
import json
import pathlib
import re
from collections import namedtuple

import yaml

ROOT = pathlib.Path(__file__).parents[3]
DOCUMENT = ROOT / "tests/fixtures/reference/monitoring-for-agents.md"
PAGE = ROOT / "docs/monitoring.md"

Block = namedtuple("Block", "number language text")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
BLOCKS = {
    number: Block(number, *match.groups())
    for number, match in enumerate(FENCE.finditer(DOCUMENT.read_text()), 1)
}


def text(number):
    return BLOCKS[number].text


def parsed(number):
    """A block of JSON or YAML as an object."""
    block = BLOCKS[number]
    return (json.loads if block.language == "json" else yaml.safe_load)(block.text)


def lines(number):
    """The lines of a block, less comments and empty ones."""
    return [s for s in text(number).splitlines() if s.strip() and s[0] != "#"]


def panels(number):
    return parsed(number)["dashboard"]["panels"]


def rules(number):
    """The rules of a block, whether or not it has the key that should be above them."""
    groups = parsed(number)
    groups = groups["groups"] if isinstance(groups, dict) else groups
    return [rule for group in groups for rule in group["rules"]]


def queries():
    return parsed(13)["elasticsearch_queries"]


def inner(number, name):
    """The text of a file in a block's ConfigMap."""
    return parsed(number)["data"][name]


def expressions():
    """Each PromQL expression of the document, once, in its order."""
    found = [*lines(2), *lines(3), *lines(4)]
    for number in 8, 9:
        found += [t["expr"] for panel in panels(number) for t in panel["targets"]]
    for number in 10, 11, 21:
        found += [rule["expr"] for rule in rules(number)]
    return list(dict.fromkeys(found))


def sidecar():
    """What the sidecar is said to expose."""
    return list(ast.literal_eval(text(1)))


def names():
    """The metrics of the naming conventions, in their order."""
    return re.findall(r"^    '(\w+)'", text(16), re.M)


def items():
    """{block: [item]}: all that the document promises, by the words it has for it."""
    found = {
        1: sidecar(),
        **{n: lines(n) for n in (2, 3, 4)},
        5: list(parsed(5)["metadata"]["annotations"]),
        6: [job["job_name"] for job in parsed(6)["scrape_configs"]],
        7: list(parsed(7)),
        **{n: [panel["title"] for panel in panels(n)] for n in (8, 9)},
        **{n: [rule["alert"] for rule in rules(n)] for n in (10, 11, 21)},
        12: re.findall(r"^\[\w+\]", inner(12, "fluent-bit.conf"), re.M),
        13: list(queries()),
        14: list(parsed(14)["data"]),
        15: [key for key in parsed(15)["data"] if key.endswith("settings")],
        16: names(),
        17: re.findall(r'^resource "(\w+)" "(\w+)"', text(17), re.M),
        18: list(parsed(18)["prometheus"]),
        19: lines(19),
        20: [
            rule["source_labels"][0] for rule in parsed(20)["metric_relabeling_configs"]
        ],
    }
    found[17] = [".".join(pair) for pair in found[17]]
    return found


def future():
    """The list under Future Monitoring Enhancements."""
    _, _, rest = DOCUMENT.read_text().partition("## Future Monitoring Enhancements")
    return re.findall(r"^- (.+)$", rest.partition("## Conclusion")[0], re.M)


# ---- the page

Row = namedtuple("Row", "cells tests")
TEST = re.compile(r"`(test_\w+\.(?:py|c))::(test_\w+)(?:\[([\w-]+)\])?`")


def section(heading):
    """The page's text below a heading, up to the next of its level or above."""
    level = heading.split()[0]
    pattern = rf"^{re.escape(heading)}\n(.*?)(?=^#{{1,{len(level)}}} |\Z)"
    return re.search(pattern, PAGE.read_text(), re.M | re.S)[1]


def rows(heading):
    """The rows of all tables below a heading."""
    found = []
    for line in section(heading).splitlines():
        if not line.startswith("|") or set(line) <= set("|- "):
            continue
        cells = [c.strip() for c in re.split(r"(?<!\\)\|", line)[1:-1]]
        found.append(Row(cells, TEST.findall(cells[-1])))
    return found
