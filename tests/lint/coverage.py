"""How much of the product's code the tests have run: lines and branches by folder.

    coverage.py BUILD       the folder that was built with COVERAGE=1

Asserts are left out, and what ends the process when memory is out.  Exits 1 when
a folder of WANTED is below LINES or BRANCHES.
"""

import collections
import json
import pathlib
import subprocess
import sys

WANTED = ["parsers", "src/disk", "src/tail", "src/ship", "src/state"]
LINES, BRANCHES = 90, 75  # percent
SUMS = ["line_covered", "line_total", "branch_covered", "branch_total"]
ROOT = pathlib.Path(__file__).resolve().parents[2]


def counted(build):
    """{folder: Counter}, and [(percent of lines, file)]."""
    command = ["gcovr", "--root", ROOT, "--object-directory", build, build]
    command += ["--filter", "parsers/", "--filter", "src/", "--json-summary", "-"]
    command += ["--exclude-branches-by-pattern", r".*\b(assert|abort)\("]
    command += ["--exclude-lines-by-pattern", r".*\babort\("]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT)
    folders, files = collections.defaultdict(collections.Counter), []
    for file in json.loads(done.stdout)["files"]:
        sums = {key: file[key] for key in SUMS}
        folders[str(pathlib.Path(file["filename"]).parent)].update(sums)
        files.append((file["line_percent"] or 0, file["filename"]))
    return folders, sorted(files)


def percent(sums, kind):
    return 100 * sums[f"{kind}_covered"] / max(sums[f"{kind}_total"], 1)


def main():
    folders, files = counted(sys.argv[1])
    low = []
    print(f"{'':16}{'lines':>8}{'branches':>10}")
    for folder in [*WANTED, *sorted(set(folders) - set(WANTED))]:
        lines, branches = (percent(folders[folder], k) for k in ("line", "branch"))
        wanted = folder in WANTED
        if wanted and (lines < LINES or branches < BRANCHES):
            low.append(folder)
        print(
            f"{folder:16}{lines:7.1f}%{branches:9.1f}%{'' if wanted else '  (no limit)'}"
        )
    print("least:", ", ".join(f"{name} {part:.0f}%" for part, name in files[:10]))
    if low:
        print(f"below {LINES} % of lines or {BRANCHES} % of branches: {', '.join(low)}")
    sys.exit(bool(low))


if __name__ == "__main__":
    main()
