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
    """(name, labels, value at a time) as OpenMetrics, family by family.  A value that is
    None is no sample."""
    lines, seen = [], set()
    for name, labels, value in sorted(series, key=lambda one: one[0]):
        if name not in seen:
            lines.append(f"# TYPE {name} unknown")
            seen.add(name)
        key = labelled(name, labels)
        values = ((value(at), at) for at in times)
        lines += [f"{key} {v:.17g} {at}" for v, at in values if v is not None]
    return "\n".join([*lines, "# EOF", ""])


def found_pod(address, port, node, **labels):
    """A pod as Prometheus' service discovery would describe it."""
    about = "__meta_kubernetes_pod"
    meta = {
        f"{about}_annotation_prometheus_io_scrape": "true",
        f"{about}_annotation_prometheus_io_port": str(port),
        f"{about}_annotation_prometheus_io_path": "/metrics",
        f"{about}_node_name": node,
    }
    meta |= {f"{about}_label_{name}": value for name, value in labels.items()}
    return {"targets": [address], "labels": meta}


class History:
    """Of so many hours, or at the times that are given.  config: what is scraped then;
    program: another than Debian's."""

    def __init__(
        self, folder, series, end, hours=0, times=None, config=None, program=None
    ):
        times = times or range(end - hours * 3600, end + 1, STEP)
        text, blocks = folder / "history.txt", folder / "data"
        text.write_text(openmetrics(series, times))
        # The text is read once for each block: one large block for all.
        make = ["tsdb", "create-blocks-from", "--max-block-duration=720h"]
        make += ["openmetrics", text, blocks]
        subprocess.run([tools() / "promtool", *make], check=True, capture_output=True)
        (folder / "prometheus.yml").write_text(json.dumps(config or {}))
        self.end, self.log = end, folder / "prometheus.log"
        command = [
            program or tools() / "prometheus",
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
        return re.search(r'msg="Listening on".* address=(\S+)', said)

    def is_ready(self):
        try:
            return urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=10)
        except urllib.error.HTTPError:
            return None

    def ask(self, expression):
        """[(labels, value)] at the end of the history."""
        found = self.asked(expression)
        return [(row["metric"], float(row["value"][1])) for row in found]

    def samples(self, name, minutes=15):
        """[(labels, {time: value})] of the last minutes."""
        return [
            (row["metric"], {float(at): float(value) for at, value in row["values"]})
            for row in self.asked(f"{name}[{minutes}m]")
        ]

    def asked(self, expression):
        data = urllib.parse.urlencode({"query": expression, "time": self.end})
        url = f"http://{self.address}/api/v1/query?{data}"
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{expression}: {error.read().decode()}") from None

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
