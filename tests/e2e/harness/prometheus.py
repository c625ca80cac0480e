"""A real Prometheus that scrapes, and answers."""

import json
import re
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from .wait import until


class Prometheus:
    def __init__(self, tools, folder, target, *jobs):
        """Scrapes target (HOST:PORT), or whom the jobs find."""
        own = {
            "job_name": "towline",
            "honor_labels": True,
            "static_configs": [{"targets": [target]}],
        }
        scrapes = [*jobs] or [own]
        conf = {"global": {"scrape_interval": "1s"}, "scrape_configs": scrapes}
        (folder / "prometheus.yml").write_text(json.dumps(conf))
        self.log = folder / "prometheus.log"
        command = [
            tools / "prometheus",
            f"--config.file={folder}/prometheus.yml",
            f"--storage.tsdb.path={folder}/prometheus",
            "--web.listen-address=127.0.0.1:0",
            "--enable-feature=exemplar-storage",
        ]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stderr=log)
        self.address = until(self.listens, self.log.read_text, 30)[1]

    def listens(self):
        return re.search(r'msg="Listening on" address=(\S+)', self.log.read_text())

    def is_ready(self):
        try:
            return urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=10)
        except urllib.error.HTTPError:
            return None

    def ask(self, expression):
        """{pod: value}"""
        query = urllib.parse.urlencode({"query": expression})
        url = f"http://{self.address}/api/v1/query?{query}"
        with urllib.request.urlopen(url, timeout=10) as response:
            answer = json.load(response)
        assert answer["status"] == "success", answer
        return {
            row["metric"].get("pod"): float(row["value"][1])
            for row in answer["data"]["result"]
        }

    def exemplars(self, expression):
        parts = {"query": expression, "start": 0, "end": 1 << 33}
        query = urllib.parse.urlencode(parts)
        url = f"http://{self.address}/api/v1/query_exemplars?{query}"
        with urllib.request.urlopen(url, timeout=10) as response:
            return json.load(response)["data"]

    def until_answers(self, expression, want):
        until(
            lambda: want(self.ask(expression)),
            lambda: f"{expression}: {self.ask(expression)}",
        )

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
