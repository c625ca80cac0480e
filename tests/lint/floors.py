"""Floors that only look down: which folder may include whose headers.

A lower floor never includes a higher one, and stages on one floor do not
include each other (docs/architecture.md).  Every header in include/ belongs
to a module here; one that is missing is an error.
"""

import pathlib
import re
import sys

# floor: {module: its headers}; a module is a folder, or a file of src/.
FLOORS = [
    {
        "src/base": "backoff clock fault fence gzip least map memory own_file parse proxy shown slice voice"
    },
    {
        "parsers": "accessor agent ansi cri docker encoding json line_format multiline parser pattern pod record shape tag timestamp trace utf16 zone"
    },
    {
        "src/conf": "conf difference service yaml_doc",
        "src/state": "cursor state stream",
        "src/metrics": "agent_metrics agent_polled agent_usage metrics pod_lag unread",
    },
    {"src/disk": "beneath gunzip identity names quiet roots rotated takeover"},
    {
        "src/tail": "tail",
        "src/kube": "kube",
        "src/poll": "poller",
        "src/cgroup": "resources",
        "src/filter": "filter",
        "src/ship": "batch collect hosts reply reply_text ship",
        "src/serve": "serve web_conf",
    },
    {"src/journal": "journal", "src/trial": "trial"},
    {
        "src": "agent_conf chain confine joins libraries limit pipeline plugins rehearsal"
    },
    {"src/cmd": "cmd"},
]
# The table of commands stands above them; it is the only file of src/ that may.
TOP = "src/main.c"


def tables():
    module_floor, header_home = {}, {}
    for floor, modules in enumerate(FLOORS):
        for module, headers in modules.items():
            module_floor[module] = floor
            for header in headers.split():
                header_home[header] = (floor, module)
    return module_floor, header_home


def findings(root):
    module_floor, header_home = tables()
    for header in sorted((root / "include").glob("*.h")):
        if header.stem not in header_home:
            yield f"include/{header.name}: belongs to no floor; add it to tests/lint/floors.py"
    sources = [*root.glob("parsers/*.[ch]"), *root.glob("src/**/*.[ch]")]
    headers = [h for h in root.glob("include/*.h") if h.stem in header_home]
    for path in sorted(sources + headers):
        name = str(path.relative_to(root))
        if name == TOP:
            continue
        if path.parent.name == "include":
            floor, module = header_home[path.stem]
        else:
            module = str(path.parent.relative_to(root))
            if module not in module_floor:
                yield f"{name}: the folder {module} stands on no floor"
                continue
            floor = module_floor[module]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'#include "(?:\w+/)*(\w+)\.h"', line)
            if not match or match[1] not in header_home:
                continue
            above, home = header_home[match[1]]
            if above > floor:
                yield f"{name}:{number}: {module} looks up to {home} ({match[1]}.h)"
            elif above == floor and home != module:
                yield f"{name}:{number}: {module} looks aside to {home} ({match[1]}.h)"


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    wrong = list(findings(root))
    print("\n".join(wrong), end="\n" if wrong else "")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
