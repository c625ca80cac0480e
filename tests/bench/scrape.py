"""What a scrape of many series costs: its time, and that the reader goes on meanwhile."""

import argparse
import gzip
import pathlib
import statistics
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

from idle import port_of

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOAL = 50  # ms a scrape, of 10,000 series
AGENTS, TYPES = 100, 60  # some 100 series an agent
LINES = 300_000
LINE = "2026-01-01T00:00:00.000000000Z stdout F 2026-01-01 00:00:00.000 "
TASK = LINE + "INFO  [t] c.m.Task - TASK_COMPLETED task_id={} execution_time=1.5\n"
ERROR = LINE + "ERROR [t] c.m.Task - broke error_type=E{}\n"
CONF = """[SERVICE]
    HTTP_Listen 127.0.0.1
    HTTP_Port 0
    State_Path {folder}/state
[INPUT]
    Name tail
    Path {folder}/log/containers/*.log
    Allowed_Roots {folder}/log
    Tag kube.*
[OUTPUT]
    Name null
    Match *
"""
OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0"}
FORMS = {
    "text": {},
    "text, gzip": {"Accept-Encoding": "gzip"},
    "OpenMetrics": OPENMETRICS,
    "OpenMetrics, gzip": OPENMETRICS | {"Accept-Encoding": "gzip"},
}


def logs_make(logs):
    """Agents with a task and errors of many types; return the first one's log."""
    (logs / "containers").mkdir(parents=True)
    for i in range(AGENTS):
        pod, uid = f"matillion-agent-{i}", f"{i:08d}-0000-4000-8000-000000000000"
        directory = logs / "pods" / f"agents_{pod}_{uid}" / "agent"
        directory.mkdir(parents=True)
        errors = "".join(ERROR.format(n) for n in range(TYPES))
        (directory / "0.log").write_text(TASK.format(i) + errors)
        link = logs / "containers" / f"{pod}_agents_agent-{i:064x}.log"
        link.symlink_to(directory / "0.log")
    return (
        logs / "containers" / f"matillion-agent-0_agents_agent-{0:064x}.log"
    ).resolve()


def scrape(port, headers):
    """(ms, text)"""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/metrics", headers=headers
    )
    before = time.perf_counter()
    with urllib.request.urlopen(request, timeout=30) as answer:
        body = answer.read()
        took = (time.perf_counter() - before) * 1000
        packed = answer.headers["Content-Encoding"] == "gzip"
    return took, (gzip.decompress(body) if packed else body).decode()


def series_of(text):
    return sum(line[:1] not in ("#", "") for line in text.splitlines())


def until_counted(port):
    """The page once all agents' errors are on it."""
    end = time.monotonic() + 60
    text = ""
    while time.monotonic() < end:
        try:
            text = scrape(port, {})[1]
        except urllib.error.HTTPError:  # the history is not counted yet
            pass
        if text.count("app_task_errors_total{") >= AGENTS * (TYPES + 1):
            return text
        time.sleep(0.2)
    raise SystemExit(f"the series did not come:\n{text[:2000]}")


def lines_read(port):
    text = scrape(port, {})[1]
    return int(text.split("\ntowline_lines_total ")[1].split("\n")[0])


def reading(log, port, beside):
    """Lines a second that are read of a log, with endless scrapes beside or not."""
    want = lines_read(port) + LINES
    over = threading.Event()

    def scrapes():
        while not over.is_set():
            scrape(port, OPENMETRICS)

    before = time.monotonic()
    with log.open("a") as file:
        file.write(TASK.format("x") * LINES)
    client = threading.Thread(target=scrapes)
    if beside:
        client.start()
    while lines_read(port) < want:
        time.sleep(0.02)
    took = time.monotonic() - before
    over.set()
    if beside:
        client.join()
    return LINES / took


def measure(port, form, n):
    took, sizes = [], 0
    for _ in range(n):
        ms, text = scrape(port, FORMS[form])
        took.append(ms)
        sizes = series_of(text)
    return sorted(took), sizes


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--towline", default=ROOT / "build/towline")
    arguments.add_argument("--scrapes", type=int, default=50)
    o = arguments.parse_args()
    slowest = 0
    with tempfile.TemporaryDirectory(prefix="towline-scrape-") as name:
        folder = pathlib.Path(name)
        log = logs_make(folder / "log")
        conf, messages = folder / "towline.conf", folder / "messages"
        conf.write_text(CONF.format(folder=folder))
        with messages.open("wb") as to:
            process = subprocess.Popen([o.towline, "run", "-c", conf], stderr=to)
        try:
            port = port_of(messages)
            until_counted(port)
            for form in FORMS:
                took, series = measure(port, form, o.scrapes)
                median = statistics.median(took)
                slowest = max(slowest, median * 10000 / series)
                print(
                    f"scrape of {series} series, {form}: {median:.1f} ms in the middle, "
                    f"{took[-1]:.1f} ms at most (goal {GOAL} for 10,000)"
                )
            alone, beside = (reading(log, port, how) for how in (False, True))
            print(
                f"lines a second read meanwhile: {alone:.0f}, "
                f"with endless scrapes {beside:.0f}"
            )
        finally:
            process.terminate()
            process.wait()
    return slowest > GOAL


if __name__ == "__main__":
    raise SystemExit(main())
