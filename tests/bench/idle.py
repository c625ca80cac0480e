"""What towline costs at rest: files that are open, and nothing written to them."""

import argparse
import http.server
import os
import pathlib
import re
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
CPU_GOAL, RSS_GOAL = 50, 24  # ms a minute, MB
AGENTS = 20  # of the pods are agents
LINE = "2026-01-01T00:00:00.{:09d}Z stdout F quiet agent {} says hello\n"
CONF = """[SERVICE]
    Flush 1
    HTTP_Listen 127.0.0.1
    HTTP_Port 0
    State_Path {state}
[INPUT]
    Name tail
    Path {logs}/containers/*.log
    Allowed_Roots {logs}
    Tag kube.*
[OUTPUT]
    Name es
    Match *
    Host 127.0.0.1
    Port {port}
    Index idle
"""


class Taking(http.server.BaseHTTPRequestHandler):
    """Takes every document."""

    protocol_version = "HTTP/1.1"

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(b'{"version":{"number":"8.17.0"}}')

    def do_PUT(self):
        self.do_POST()

    def do_POST(self):
        lines = self.rfile.read(int(self.headers["Content-Length"])).count(b"\n")
        if not self.path.split("?")[0].endswith("_bulk"):
            self.answer(b'{"acknowledged":true}')
            return
        items = ",".join(['{"create":{"status":201}}'] * (lines // 2))
        self.answer(b'{"errors":false,"items":[%s]}' % items.encode())

    def log_message(self, *_):
        pass


def files_make(logs, n):
    (logs / "containers").mkdir(parents=True)
    for i in range(n):
        uid = f"{i:08d}-0000-4000-8000-000000000000"
        pod = f"{'matillion-agent' if i < AGENTS else 'service'}-{i:05d}"
        directory = logs / "pods" / f"agents_{pod}_{uid}" / "agent"
        directory.mkdir(parents=True)
        (directory / "0.log").write_text(LINE.format(i, i) + LINE.format(i + 1, i))
        link = logs / "containers" / f"{pod}_agents_agent-{i:064x}.log"
        link.symlink_to(directory / "0.log")


def cpu_of(pid):
    """CPU in ms, of each thread by its name and number: schedstat counts ns, stat ticks."""
    threads = {}
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        name = (task / "comm").read_text().strip()
        spent = (task / "schedstat").read_text().split()[0]
        threads[f"{name}/{task.name}"] = int(spent) / 1e6
    return threads


def memory_of(pid, name):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"{name}:\s+(\d+)", text).group(1)) / 1024


def delivered(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text = answer.read().decode()
    except urllib.error.HTTPError:  # what was there at the start is not counted yet
        return 0
    return sum(
        int(n) for n in re.findall(r"^towline_delivered_total\{.*?\} (\d+)", text, re.M)
    )


def port_of(log):
    for _ in range(200):
        if found := re.search(r"http://127.0.0.1:(\d+)", log.read_text()):
            return int(found.group(1))
        time.sleep(0.05)
    raise SystemExit(log.read_text())


def rest(folder, towline, n, seconds):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Taking)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    files_make(folder / "log", n)
    conf, log = folder / "towline.conf", folder / "messages"
    port = server.server_address[1]
    conf.write_text(CONF.format(state=folder / "state", logs=folder / "log", port=port))
    with open(log, "wb") as messages:
        process = subprocess.Popen([towline, "run", "-c", conf], stderr=messages)
    try:
        port, end = port_of(log), time.monotonic() + 60
        while (sent := delivered(port)) < 2 * n and time.monotonic() < end:
            time.sleep(0.5)
        if sent < 2 * n:
            raise SystemExit(f"{sent} of {2 * n} documents arrived:\n{log.read_text()}")
        time.sleep(3)
        before = cpu_of(process.pid)
        time.sleep(seconds)
        after = cpu_of(process.pid)
        spent = {name: ms - before.get(name, 0) for name, ms in after.items()}
        if os.environ.get("SMAPS"):
            maps = pathlib.Path(f"/proc/{process.pid}/smaps").read_bytes()
            pathlib.Path(os.environ["SMAPS"]).write_bytes(maps)
        return spent, memory_of(process.pid, "VmRSS"), memory_of(process.pid, "VmHWM")
    finally:
        process.terminate()
        process.wait()


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--towline", default=ROOT / "build/towline")
    arguments.add_argument("--files", type=int, default=1000)
    arguments.add_argument("--seconds", type=int, default=60)
    o = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="towline-idle-") as folder:
        spent, rss, peak = rest(pathlib.Path(folder), o.towline, o.files, o.seconds)
    a_minute = sum(spent.values()) * 60 / o.seconds
    print(f"{o.files} open files at rest, {o.seconds} s:")
    print(f"  CPU: {a_minute:.0f} ms a minute (goal {CPU_GOAL})")
    for name, ms in sorted(spent.items()):
        print(f"    {name}: {ms:.0f} ms")
    print(
        f"  memory: {rss:.1f} MB resident (goal {RSS_GOAL}), {peak:.1f} MB at its peak"
    )
    return a_minute > CPU_GOAL or rss > RSS_GOAL


if __name__ == "__main__":
    raise SystemExit(main())
