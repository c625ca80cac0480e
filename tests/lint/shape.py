"""The shape of the code: calls, exports, structs, and how large a room may be.

- No more than 3 files call each other in a circle.
- foo.c exports foo_*, or MODULE_* where include/MODULE.h declares it.
- A struct has at most 20 members, 3 of them bool.  One that is only a member
  (by value) of one other counts into that one; those that option tables fill
  are as large as their tables.
- A folder has at most as many lines as LINES says.

usage: shape.py BUILD, the folder of the objects
"""

import collections
import pathlib
import re
import sys

import objects
import structs

CIRCLE = 3
MEMBERS, BOOLS = 20, 3
# Its logs, spans and readers can be said in 4,800; until they are, no more than now.
LINES = {"src/tail": 9074}
# Beside its own name a file may export these: words that every C program knows.
KNOWN = {"src/base/memory.c": "x"}

# Findings that stand until these rooms are rebuilt.  One that is not found any
# more is an error: this list only shrinks.
EXCEPTIONS = {
    "circle": "",
    "exports": "src/state/cursor.c",
    "struct": "",
}


def circles(found):
    for component in objects.circles(objects.calls(found)):
        if len(component) > CIRCLE:
            room = str(pathlib.PurePath(component[0]).parent)
            yield (
                "circle",
                room,
                f"{len(component)} files call each other: {' '.join(component)}",
            )


def exports(root, found):
    headers = {path.stem: path.read_text() for path in root.glob("include/*.h")}

    def is_declared(name):
        parts = name.split("_")
        modules = ("_".join(parts[:n]) for n in range(1, len(parts) + 1))
        return any(
            re.search(rf"\b{name}\b", headers.get(module, "")) for module in modules
        )

    for source, (defined, _) in found.items():
        stem = pathlib.PurePath(source).stem
        own = (stem + "_", KNOWN.get(source, stem + "_"))
        wrong = [
            name
            for name in sorted(defined)
            if name not in (stem, "main")
            and not name.startswith(own)
            and not is_declared(name)
        ]
        if wrong:
            yield "exports", source, f"named after another file: {' '.join(wrong)}"


class Sources:
    """The structs of all sources, and how often each is named."""

    def __init__(self, root):
        paths = [
            *root.glob("include/*.h"),
            *root.glob("parsers/*.[ch]"),
            *root.glob("src/**/*.[ch]"),
        ]
        self.texts = {
            str(path.relative_to(root)): path.read_text() for path in sorted(paths)
        }
        self.structs = {}
        self.named = {}
        for file, text in self.texts.items():
            self.structs[file] = {
                struct.name: struct for struct in structs.structs(text)
            }
            missed = (
                set(re.findall(r"^struct (\w+) \{$", text, re.M))
                - self.structs[file].keys()
            )
            if missed:
                raise SystemExit(f"{file}: not read: {missed}")
            names = re.findall(r"\bstruct (\w+)\b(?! ?\{|;)", structs.plain(text))
            self.named[file] = collections.Counter(names)
        if not any(self.structs.values()):
            raise SystemExit("no struct found")

    def home(self, name, seen_from):
        """The file that defines a struct for another one: itself, else a header."""
        if name in self.structs[seen_from]:
            return seen_from
        headers = (file for file in self.structs if file.endswith(".h"))
        return next((file for file in headers if name in self.structs[file]), None)

    def uses(self, name, home):
        seen = [home] if home.endswith(".c") else self.named
        return sum(
            self.named[file][name] for file in seen if self.home(name, file) == home
        )

    def size(self, file, struct):
        members, bools = struct.members, struct.bools
        for part in struct.parts:
            home = self.home(part, file)
            if home is not None and self.uses(part, home) == 1:
                more = self.size(home, self.structs[home][part])
                members += more[0] - 1
                bools += more[1]
        return members, bools

    def is_filled_by_options(self, struct):
        offset = f"offsetof(struct {struct.name},"
        return any("OPTION(" in text and offset in text for text in self.texts.values())

    def findings(self):
        for file, found in self.structs.items():
            for struct in found.values():
                members, bools = self.size(file, struct)
                if (
                    members > MEMBERS or bools > BOOLS
                ) and not self.is_filled_by_options(struct):
                    where = f"{file}:{struct.name}"
                    yield "struct", where, f"{members} members, {bools} of them bool"


def lines(root):
    for folder, most in LINES.items():
        n = sum(path.read_text().count("\n") for path in (root / folder).glob("*.[ch]"))
        if n > most:
            yield "lines", folder, f"{n}, more than {most}"


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    found = objects.symbols(root, root / sys.argv[1])
    findings = {
        (kind, where): text
        for kind, where, text in (
            *circles(found),
            *exports(root, found),
            *Sources(root).findings(),
            *lines(root),
        )
    }
    excepted = {
        (kind, where) for kind, names in EXCEPTIONS.items() for where in names.split()
    }
    wrong = [
        f"{where}: {kind}: {text}"
        for (kind, where), text in findings.items()
        if (kind, where) not in excepted
    ]
    wrong += [
        f"{where}: {kind}: nothing is found any more: take it off tests/lint/shape.py"
        for kind, where in sorted(excepted - findings.keys())
    ]
    print("\n".join(wrong), end="\n" if wrong else "")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
