"""The processes of an episode: towline, the index, the writers."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "e2e"))
from harness.node import Node  # noqa: E402
from harness.server import Server  # noqa: E402
from harness.towline import BINARY, LABEL, LISTENS, SAMPLE, Config  # noqa: E402

__all__ = ["BINARY", "LISTENS", "Config", "Index", "Node", "RealServer", "Towline"]
__all__ += ["has_faults", "start_writers"]


def has_faults():
    """Was the binary built with FAULTS=1?"""
    return b"TOWLINE_FAULT" in BINARY.read_bytes()


class Index:
    def __init__(self, folder, upstream=0, name="chaos"):
        self.name = name
        command = [sys.executable, HERE / "index.py", folder, "0", str(upstream)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        self.port = json.loads(self.process.stdout.readline())["port"]

    def tell(self, **words):
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()

    def stats(self):
        self.tell(stats=True)
        return json.loads(self.process.stdout.readline())

    def stop(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(60)

    @property
    def output(self):
        return {
            "Name": "es",
            "Host": "127.0.0.1",
            "Port": self.port,
            "Index": self.name,
        }


class RealServer:
    """A real OpenSearch behind the index.  One thread starts and breaks it, as long
    as it lives: a server dies with the thread that started it."""

    def __init__(self, folder):
        self.server = Server("opensearch", folder / "opensearch")
        self.worker = concurrent.futures.ThreadPoolExecutor(1)
        self.work = self.worker.submit(self.server.start)
        self.settle()

    def break_it(self, how):
        """Stop or kill it and start it again; False while the last time goes on."""
        if not self.work.done():
            return False

        def work():
            self.server.stop(how)
            self.server.start()

        self.work = self.worker.submit(work)
        return True

    def settle(self):
        self.work.result(180)

    def dump(self, name, path):
        """All documents, as the strict index writes them."""
        self.server.index(name).refresh()
        answer = self.server.ask("POST", f"/{name}/_search?scroll=5m", {"size": 2000})
        with open(path, "w") as file:
            while hits := answer["hits"]["hits"]:
                for hit in hits:
                    file.write(f"{hit['_id']}\t{json.dumps(hit['_source'])}\n")
                more = {"scroll": "5m", "scroll_id": answer["_scroll_id"]}
                answer = self.server.ask("POST", "/_search/scroll", more)

    def stop(self):
        self.settle()
        self.server.stop()


def start_writers(folder, seed, seconds, kinds, options):
    command = [sys.executable, HERE / "writers.py", folder, seed, seconds]
    command += [",".join(sorted(kinds)) or "none", json.dumps(options)]
    return subprocess.Popen([*map(str, command)])


class Towline:
    """Started, killed and started again; its peak memory over all lives."""

    def __init__(self, config):
        self.config, self.process, self.address = config, None, None
        self.under = ()  # a command that runs it
        self.messages = config.folder / "towline.stderr"
        self.peak = self.limit = 0
        self.messages.touch()

    def start(self, fault=None):
        file = self.config.write()
        env = dict(os.environ)
        if fault:
            env["TOWLINE_FAULT"] = fault
        self.address = None
        command = ["setpriv", "--pdeathsig", "KILL", *self.under]
        command += [BINARY, "run", "-c", file]
        with open(self.messages, "ab") as stderr:
            stderr.write(f"---- start fault={fault}\n".encode())
            stderr.flush()
            self.seen = stderr.tell()
            self.process = subprocess.Popen(command, stderr=stderr, env=env)

    def said(self):
        with open(self.messages, "rb") as file:
            file.seek(self.seen)
            return file.read().decode("utf-8", "replace")

    def sample_memory(self):
        with contextlib.suppress(OSError, ProcessLookupError):
            status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
            if found := re.search(r"VmHWM:\s+(\d+)", status):
                self.peak = max(self.peak, int(found[1]) * 1024)

    def get(self, path):
        """Status and text, or None while it does not answer."""
        if not self.address:
            if not (found := LISTENS.search(self.said())):
                return None
            self.address = found[1].strip("[]"), int(found[2])
        connection = http.client.HTTPConnection(*self.address, timeout=3)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def samples(self):
        """[(name, labels, value)] of /metrics, or None."""
        page = self.get("/metrics")
        if not page or page[0] != 200:
            return None
        found = [SAMPLE.fullmatch(line) for line in page[1].splitlines()]
        return [
            (m[1], dict(LABEL.findall(m[2] or "")), float(m[3])) for m in found if m
        ]

    def status(self):
        """The rows of `towline status`, files that are gone included; None: it cannot say."""
        command = [BINARY, "status", "--all", "--json", "-c"]
        command.append(self.config.folder / "towline.conf")
        run = subprocess.run(command, capture_output=True, text=True, timeout=30)
        return json.loads(run.stdout) if run.returncode == 0 else None

    def ended(self):
        return self.process.poll()

    def kill(self):
        self.sample_memory()
        self.process.kill()
        return self.process.wait()

    def stop(self, limit):
        """SIGTERM; its exit code, or None when it did not end."""
        self.sample_memory()
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.kill()
            return None
