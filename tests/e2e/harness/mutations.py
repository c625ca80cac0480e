"""Changes of a configuration that a tired hand may make, in both forms.

Each takes the lines of a classic file, or the tree of a YAML file (dicts, lists, strings), and a
random.Random; what it cannot change it leaves as it is."""

import re

import yaml

VALUES = ["x", "0", "-1", "On", "999999999999", "[", "${NONE}", "*", "1", "%", "/"]
LONG = ["y" * 5000, "a, " * 2000, "%Y" * 800, "9" * 400]
# What a scalar becomes in YAML when its type is another.
TYPES = [
    None,
    True,
    0,
    -1.5,
    1e99,
    [],
    {},
    ["a", "b"],
    [["a"]],
    {"a": "b"},
    [{"a": []}],
]


def entries(text):
    """The numbers of its lines that have a key and a value."""
    return [i for i, line in enumerate(text) if re.match(r"\s+[^#\s]\S* ", line)]


def sections(text):
    """(first, behind) of each section's lines."""
    heads = [i for i, line in enumerate(text) if line.startswith("[")]
    return list(zip(heads, [*heads[1:], len(text)]))


def on_an_entry(change):
    def changed(text, chance):
        at = entries(text)
        if at:
            change(text, chance.choice(at), chance)

    changed.__name__ = change.__name__
    return changed


@on_an_entry
def dropped(text, i, chance):
    del text[i]


@on_an_entry
def doubled(text, i, chance):
    text.insert(i, text[i])


@on_an_entry
def misspelt(text, i, chance):
    key = text[i].split()[0]
    at = chance.randrange(len(key))
    text[i] = text[i].replace(key, key[:at] + key[at + 1 :], 1)


@on_an_entry
def revalued(text, i, chance):
    text[i] = re.match(r"\s+\S+\s+", text[i])[0] + chance.choice(VALUES)


@on_an_entry
def emptied(text, i, chance):
    text[i] = re.match(r"\s+\S+", text[i])[0]


@on_an_entry
def lengthened(text, i, chance):
    text[i] = re.match(r"\s+\S+\s+", text[i])[0] + chance.choice(LONG)


@on_an_entry
def swapped(text, i, chance):
    j = chance.choice(entries(text))
    text[i], text[j] = text[j], text[i]


def matchless(text, chance):
    at = [i for i, line in enumerate(text) if re.match(r"(?i)\s+match", line)]
    if at:
        del text[chance.choice(at)]


def section_twice(text, chance):
    first, behind = chance.choice(sections(text))
    text[behind:behind] = text[first:behind]


def section_gone(text, chance):
    first, behind = chance.choice(sections(text))
    del text[first:behind]


def sections_mixed(text, chance):
    found = sections(text)
    parts = [text[first:behind] for first, behind in found]
    chance.shuffle(parts)
    text[found[0][0] :] = [line for part in parts for line in part]


def included(text, chance):
    wanted = chance.choice(["none.conf", "none/*.conf", "/none", "*", "."])
    at = chance.choice([0, len(text), *(first for first, _ in sections(text))])
    text.insert(at, f"@INCLUDE {wanted}")


CLASSIC = [
    dropped,
    doubled,
    misspelt,
    revalued,
    emptied,
    lengthened,
    swapped,
    matchless,
]
CLASSIC += [section_twice, section_gone, sections_mixed, included]


# ---- YAML


def places(tree):
    """(container, key) of everything in a tree."""
    keys = tree if isinstance(tree, dict) else range(len(tree))
    for key in list(keys):
        yield tree, key
        if isinstance(tree[key], dict | list):
            yield from places(tree[key])


def leaves(tree):
    return [
        (at, key) for at, key in places(tree) if not isinstance(at[key], dict | list)
    ]


def lists(tree):
    return [
        at[key] for at, key in places(tree) if isinstance(at[key], list) and at[key]
    ]


def leaf_gone(tree, chance):
    at, key = chance.choice(leaves(tree))
    del at[key]


def leaf_misspelt(tree, chance):
    found = [(at, key) for at, key in places(tree) if isinstance(at, dict)]
    at, key = chance.choice(found)
    i = chance.randrange(len(key))
    at[key[:i] + key[i + 1 :]] = at.pop(key)


def leaf_revalued(tree, chance):
    at, key = chance.choice(leaves(tree))
    at[key] = chance.choice(VALUES + LONG)


def of_another_type(tree, chance):
    at, key = chance.choice(list(places(tree)))
    at[key] = chance.choice(TYPES)


def in_a_list(tree, chance):
    at, key = chance.choice(list(places(tree)))
    at[key] = [at[key]]


def leaf_matchless(tree, chance):
    found = [(at, key) for at, key in places(tree) if str(key).lower() == "match"]
    if found:
        at, key = chance.choice(found)
        del at[key]


def item_twice(tree, chance):
    found = chance.choice(lists(tree))
    # Dumped as &id001 and *id001 where chance has it so.
    it = chance.choice(found)
    found.append(it if chance.random() < 0.3 else yaml.safe_load(yaml.safe_dump(it)))


def item_gone(tree, chance):
    found = chance.choice(lists(tree))
    del found[chance.randrange(len(found))]


def items_mixed(tree, chance):
    chance.shuffle(chance.choice(lists(tree)))


def keys_mixed(tree, chance):
    maps = [at[key] for at, key in places(tree) if isinstance(at[key], dict)]
    one = chance.choice([tree, *maps])
    found = list(one.items())
    chance.shuffle(found)
    one.clear()
    one.update(found)


def yaml_included(tree, chance):
    wanted = chance.choice(
        ["none.yaml", ["none.yaml"], ["none/*.yaml"], [], [""], ["."], {}]
    )
    tree["includes"] = wanted


def moved(tree, chance):
    at, key = chance.choice(list(places(tree)))
    value = at[key]
    del at[key]
    maps = [a[k] for a, k in places(tree) if isinstance(a[k], dict)]
    chance.choice([tree, *maps])[str(key)] = value


YAML = [
    leaf_gone,
    leaf_misspelt,
    leaf_revalued,
    of_another_type,
    in_a_list,
    leaf_matchless,
]
YAML += [item_twice, item_gone, items_mixed, keys_mixed, yaml_included, moved]
