"""The judge: what the writers said against what the index holds.  It shares no
code with towline and knows nothing of its offsets: lines, documents, counters.

    judge.py DIR [--counters]

A record may come in pieces only where its writer paused for longer than MAY_BREAK.
"""

import collections
import dataclasses
import json
import pathlib
import re
import sys

import journal
import jvm

MARK = re.compile(r"~(\d+)\.(\d+)~")
COLOUR = re.compile(rb"\x1b\[[0-9;]*m")
PLAIN = re.compile(r"/plain/(\d+)/")
FILL = re.compile(r"(é|Ã©|p|x)\1{7,}")
MAY_BREAK = 150_000_000  # ns: well below the smallest Flush_ms
SHOWN = 5  # findings of one kind that are shown whole


def text_of(units):
    raw = "".join(j * (i > 0) + text for i, (j, text, _) in enumerate(units))
    return COLOUR.sub(b"", raw.encode("latin-1")).decode("utf-8", "replace")


def dead_letters(folder, output):
    """Those of an output, by its name."""
    for state in "state", "state-kept":
        file = folder / state / "dead-letters.ndjson"
        if file.exists():
            lines = file.read_text().splitlines(keepends=True)  # the last may be half
            letters = (json.loads(line) for line in lines if line.endswith("\n"))
            yield from (letter for letter in letters if letter["output"] == output)
            return


def paused(units, i):
    return 0 < i < len(units) and units[i][2] - units[i - 1][2] >= MAY_BREAK


def may_break(units, i):
    """Was there a pause before it, or beside an empty line that then stood alone?"""
    before = i > 1 and units[i - 1][1] == "" and paused(units, i - 1)
    behind = units[i][1] == "" and paused(units, i + 1)
    return paused(units, i) or before or behind


def has_jvm(folder):
    return (folder / "log/truth.json").exists()


def short(what):
    """A record or a document, so that a person can see what it is about."""
    text = FILL.sub(r"\1…", str(what))
    return text if len(text) <= 700 else f"{text[:500]} … {text[-200:]}"


@dataclasses.dataclass
class Verdict:
    records: int = 0
    documents: int = 0
    dead: int = 0  # in the dead-letter file, and there alone
    pieces: int = 0
    cores: int = 0  # documents without kubernetes
    lost: int = 0
    doubled: int = 0
    findings: dict = dataclasses.field(
        default_factory=lambda: collections.defaultdict(list)
    )

    def find(self, kind, what):
        self.findings[kind].append(what)

    def lines(self):
        for kind, found in self.findings.items():
            yield f"{kind}: {len(found)}"
            for what in found[:SHOWN]:
                yield f"    {short(what)}"


def outputs_of(folder):
    """Their names, and the folders of their documents: a second one is in half of the seeds."""
    found = {"es.0": folder, "es.1": folder / "second"}
    return {name: there for name, there in found.items() if there.exists()}


class Judge:
    def __init__(self, folder, output="es.0"):
        self.folder, self.verdict, self.output = folder, Verdict(), output
        self.report = json.loads((folder / "writers.json").read_text())
        self.number = {
            (pod, name): int(c) for c, (pod, name, _) in self.report["pods"].items()
        }
        self.expected = collections.defaultdict(list)  # key: records
        self.sums = collections.defaultdict(collections.Counter)  # container: counts
        self.plain = set(self.report.get("plain", []))  # of no pod: none of the agents'
        self.ids = set()
        self.jvm = []  # documents of the agent's, when there is one
        if has_jvm(folder):
            self.number[jvm.POD, "matillion-agent"] = "jvm"
        self.journal = journal.Truth(self.folder)
        self.entries = collections.defaultdict(list)  # mark: messages of the journal
        self.empties = collections.Counter()
        self.rest = []  # documents that are no whole record

    def read_truth(self):
        with open(self.folder / "truth.ndjson") as lines:
            for line in lines:
                record = json.loads(line)
                self.verdict.records += 1
                if record["c"] not in self.plain:
                    self.sums[record["c"]].update(record["counts"])
                key = record["c"], record["side"], text_of(record["units"])
                self.expected[key].append(line)
        if has_jvm(self.folder):
            self.sums["jvm"].update(jvm.sums(self.folder))

    def read_documents(self):
        there = outputs_of(self.folder)[self.output]
        with open(there / "documents.ndjson", "rb") as lines:
            for line in lines:
                key, _, text = line.partition(b"\t")
                self.document(key.decode(), json.loads(text))

        for letter in dead_letters(self.folder, self.output):
            if (
                letter["status"] != 413
            ):  # no other document here is any server's to refuse
                self.verdict.find("a dead letter for the server's fault", letter)
            if letter["id"] not in self.ids:
                self.verdict.dead += 1
                self.document(letter["id"], letter["document"])

    def document(self, key, document):
        if key.startswith("!"):
            self.verdict.find(
                "another document under an id that is taken", (key, document)
            )
            return
        self.verdict.documents += 1
        self.ids.add(key)
        if (mark := self.journal.mark(document)) is not None:
            self.entries[mark].append(document.get("MESSAGE"))
            return
        pod = document.get("kubernetes", {})
        number = self.number.get((pod.get("pod_name"), pod.get("container_name")))
        if found := PLAIN.search(document.get("file", "")):
            number = int(found[1])
        elif "kubernetes" not in document and (found := MARK.search(document["log"])):
            number = int(found[1])  # the core that asks whether a server takes any
            self.verdict.cores += 1
        if number is None:
            self.verdict.find("a document of no container", document)
            return
        if document.get("log_truncated"):
            self.verdict.find("a document marked as cut", document)
        if number == "jvm":
            self.jvm.append((document.get("stream"), document.get("log", "")))
            return
        whole = number, document.get("stream"), document.get("log")
        if self.expected.get(whole):
            self.expected[whole].pop()
        else:
            self.rest.append(whole)

    def by_mark(self, records):
        found = {}
        for record in records:
            for i, (_, text, _) in enumerate(record["units"]):
                for _, mark in MARK.findall(text):
                    found[record["c"], int(mark)] = record, i
        return found

    def settle(self):
        """What is left on both sides: pieces, doubles, wrong texts, losses."""
        left = [json.loads(line) for lines in self.expected.values() for line in lines]
        place, pieces = self.by_mark(left), collections.defaultdict(list)
        for number, side, log in self.rest:
            if log is None or side is None:
                self.verdict.find(
                    "a document without text or side", (number, side, log)
                )
                continue
            if log == "":  # of a record that an empty line was to be joined to
                self.empties[number, side] += 1
                continue
            found = MARK.findall(log)
            at = place.get((number, int(found[0][1]))) if found else None
            if at is None or at[0]["side"] != side:
                self.verdict.doubled += 1
                self.verdict.find("a document of no line, or of one twice", (side, log))
            else:
                pieces[id(at[0])].append((at[1], log))
        for record in left:
            self.record(record, sorted(self.with_empties(record, pieces[id(record)])))
        if has_jvm(self.folder):
            for kind, what in jvm.findings(self.folder, self.jvm):
                self.verdict.find(kind, what)
        for kind, what in self.journal.findings(self.entries):
            self.verdict.find(kind, what)
        for (number, side), n in self.empties.items():
            self.verdict.doubled += n
            if n:
                self.verdict.find("an empty line too often", (number, side, n))

    def with_empties(self, record, pieces):
        """Empty lines have no mark: one that no piece holds is a document by itself."""
        said = "\n".join(log for _, log in pieces)
        for i, (_, text, _) in enumerate(record["units"]):
            key = record["c"], record["side"]
            if text == "" and "\n\n" not in said and self.empties[key] > 0:
                self.empties[key] -= 1
                pieces.append((i, ""))
        return pieces

    def record(self, record, pieces):
        """Do these pieces make up the record, each once?"""
        units, next_unit = record["units"], 0
        for start, log in pieces:
            end = start + 1
            while end <= len(units) and text_of(units[start:end]) != log:
                end += 1
            if start < next_unit:
                self.verdict.doubled += 1
                self.verdict.find("a piece twice", (record, pieces))
                return
            if end > len(units):
                self.verdict.find("a text that is not the source's", (record, pieces))
                return
            if start > next_unit:
                break
            if start and not may_break(units, start):
                self.verdict.find("torn where no pause was", (record, pieces))
            next_unit = end
        if next_unit < len(units):
            self.verdict.lost += 1
            self.verdict.find("lost", (record, pieces))
        self.verdict.pieces += len(pieces)
        if pieces:
            self.count_as_torn(record, [log for _, log in pieces])

    def count_as_torn(self, record, logs):
        """An error torn before the line that names its exception is of no known type; the
        piece that begins with that line is an error of its own."""
        if record["c"] in self.plain:
            return
        units, counts = record["units"], self.sums[record["c"]]
        for kind in record["counts"]:
            named = kind.removeprefix("error ")
            if record["kind"] != "trace" or named in logs[0] or named not in str(units):
                continue
            counts["error UNKNOWN"] += 1
            if not any(log.lstrip("\n").startswith(named) for log in logs):
                counts[kind] -= 1

    # ---- counters

    def wrong_counters(self, samples):
        """What [(name, labels, value)] of a scrape says that is not the truth."""
        have = collections.defaultdict(collections.Counter)
        for name, labels, value in samples:
            number = self.number.get((labels.get("pod"), labels.get("container")))
            if name == "app_task_errors_total":
                name = f"error {labels['error_type']}"
            have[number][NAMES.get(name, name)] += value
        for number, want in self.sums.items():
            for what, count in want.items():
                if (got := have[number][what]) != count:
                    yield f"container {number}: {what} is {got}, must be {count}"


RECORDS = "towline_records_total"
NEVER_SENT = "an id that was never sent is taken already"
NAMES = {
    "app_completed_tasks_total": "completed",
    "app_failed_tasks_total": "failed",
    "app_task_execution_seconds_sum": "execution_time",
    "app_task_execution_seconds_count": "execution_times",
    "app_request_duration_seconds_sum": "request_time",
    "app_request_duration_seconds_count": "requests",
}


def judged(folder, output):
    it = Judge(folder, output)
    it.read_truth()
    it.read_documents()
    it.settle()
    return it


def judge(folder, counters=False):
    folder = pathlib.Path(folder)
    it, *others = [judged(folder, name) for name in outputs_of(folder)]
    for other in others:
        it.verdict.lost += other.verdict.lost
        it.verdict.doubled += other.verdict.doubled
        for kind, found in other.verdict.findings.items():
            it.verdict.findings[f"{other.output}: {kind}"] += found
    run = json.loads((it.folder / "run.json").read_text())
    for name, labels, value in run["samples"]:
        if name == "towline_lost_bytes_total" and value:
            it.verdict.find("bytes counted as lost, and none was", (labels, value))
    if counters:
        for wrong in it.wrong_counters(run["samples"]):
            it.verdict.find("a counter that is not the truth", wrong)
        counted = sum(v for name, _, v in run["samples"] if name == RECORDS)
        least, most = it.journal.may_be_counted(it.entries)
        if not least <= counted - it.verdict.documents <= most:
            it.verdict.find("records counted, not as often as documents", counted)
    for line in (it.folder / "towline.stderr").read_text(errors="replace").splitlines():
        if NEVER_SENT in line:
            it.verdict.find("what was sent is taken for new", line)
    for kind, found in run["findings"].items():
        it.verdict.findings[kind] += found
    return it.verdict


if __name__ == "__main__":
    said = judge(sys.argv[1], "--counters" in sys.argv)
    print(f"records={said.records} documents={said.documents} pieces={said.pieces}")
    print(f"lost={said.lost} doubled={said.doubled}")
    print("\n".join(said.lines()))
    sys.exit(bool(said.findings))
