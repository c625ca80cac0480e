"""A real Prometheus with a history of our making: series whose value at any time is
known, so that what an expression must answer can be worked out."""

import json
import pathlib
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from .towline import ROOT
from .wait import until

STEP = 30  # seconds between samples


def tools():
    """The folder of Debian's prometheus and promtool."""
    tool = ROOT / "tests/servers/prometheus"
    return pathlib.Path(subprocess.check_output([tool], text=True).strip())


def labelled(name, labels):
    inside = ",".join(f'{key}="{value}"' for key, value in labels.items())
    return f"{name}{{{inside}}}"


def openmetrics(series, times):
    """(name, labels, value at a time) as OpenMetrics, family by family."""
    lines, seen = [], set()
    for name, labels, value in sorted(series, key=lambda one: one[0]):
        if name not in seen:
            lines.append(f"# TYPE {name} unknown")
            seen.add(name)
        key = labelled(name, labels)
        lines += [f"{key} {value(at):.17g} {at}" for at in times]
    return "\n".join([*lines, "# EOF", ""])


class History:
    def __init__(self, folder, series, end, hours):
        times = range(end - hours * 3600, end + 1, STEP)
        text, blocks = folder / "history.txt", folder / "data"
        text.write_text(openmetrics(series, times))
        make = ["tsdb", "create-blocks-from", "openmetrics", text, blocks]
        subprocess.run([tools() / "promtool", *make], check=True, capture_output=True)
        (folder / "prometheus.yml").write_text("{}\n")
        self.end, self.log = end, folder / "prometheus.log"
        command = [
            tools() / "prometheus",
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={blocks}",
            "--storage.tsdb.retention.time=10y",
            "--web.listen-address=127.0.0.1:0",
        ]
        with self.log.open("w") as log:
            command = ["setpriv", "--pdeathsig", "KILL", *command]
            self.process = subprocess.Popen(command, stderr=log)
        self.address = until(self.listens, self.log.read_text, 30)[1]
        until(self.is_ready, self.log.read_text, 30)

    def listens(self):
        said = self.log.read_text()
        return re.search(r'msg="Listening on" address=(\S+)', said)

    def is_ready(self):
        try:
            return urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=10)
        except urllib.error.HTTPError:
            return None

    def ask(self, expression):
        """[(labels, value)] at the end of the history."""
        data = urllib.parse.urlencode({"query": expression, "time": self.end})
        url = f"http://{self.address}/api/v1/query?{data}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                found = json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expression}: {error.read().decode()}") from None
        return [(row["metric"], float(row["value"][1])) for row in found]

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
