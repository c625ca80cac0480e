"""The structs of C sources in this project's format, with their members.

>>> found = structs('''
... struct outer { /* a comment; with ; in it */
...     const char *a, *b;
...     bool on, *list, many[2];
...     int (*ask)(void *arg, bool sure);
...     struct inner in;
...     struct { bool bit : 1; int n; } cells[4];
... };
... struct inner {
...     int64_t one;
... };
... struct outer *make(struct outer of);
... ''')
>>> [(s.name, s.members, s.bools, s.parts) for s in found]
[('outer', 9, 3, ['inner']), ('inner', 1, 0, [])]
"""

import re

# A definition begins a line; braces of the parts within it are matched.
HEAD = re.compile(r"^[\t ]*(?:static |const )*struct (\w+) ?\{", re.M)


class Struct:
    """A definition: its members, those that are bool, structs it holds by value."""

    def __init__(self, name):
        self.name = name
        self.members = 0
        self.bools = 0
        self.parts = []

    def read(self, body):
        for declaration, inner in declarations(body):
            if inner is not None:
                self.read(inner)
                continue
            kind, names = re.match(
                r"(?:const |volatile )*((?:struct |enum |unsigned )?\w+)\s*(.*)",
                declaration,
            ).groups()
            for name in split(names, ","):
                self.members += 1
                by_value = "*" not in name
                self.bools += by_value and kind in ("bool", "atomic_bool")
                if by_value and kind.startswith("struct "):
                    self.parts.append(kind.split()[1])


def plain(text):
    """The text without comments, texts and preprocessor lines."""
    text = re.sub(
        r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'',
        " ",
        text,
        flags=re.S,
    )
    return re.sub(r"^#(?:.*\\\n)*.*$", "", text, flags=re.M)


def closing(text, start):
    """Behind the brace that closes the one before start."""
    depth = 1
    for match in re.finditer(r"[{}]", text[start:]):
        depth += 1 if match[0] == "{" else -1
        if depth == 0:
            return start + match.end()
    raise ValueError("a brace that nothing closes")


def split(text, separator):
    """Parts between separators that no bracket holds."""
    depth, parts = 0, [""]
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        if char == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return [part.strip() for part in parts if part.strip()]


def declarations(body):
    """(text, None) of each member; (text, body) of one that is a struct or union itself."""
    for text in split(body, ";"):
        brace = re.match(r"(?:struct|union)(?: \w+)?\s*\{", text)
        if brace:
            yield text, text[brace.end() : closing(text, brace.end()) - 1]
        else:
            yield text, None


def structs(source):
    text = plain(source)
    found = []
    for match in HEAD.finditer(text):
        struct = Struct(match[1])
        struct.read(text[match.end() : closing(text, match.end()) - 1])
        found.append(struct)
    return found
