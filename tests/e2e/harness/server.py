"""Real OpenSearch and Elasticsearch nodes (tests/servers), and their HTTP API."""

import http.client
import json
import pathlib
import signal
import subprocess

from .wait import until, until_equal

START = pathlib.Path(__file__).parents[2] / "servers/start"


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, status, answer):
        super().__init__(f"{status}: {answer}")
        self.status, self.answer = status, answer


class Server:
    """One node.  start() after stop() or kill(): the same data on the same port."""

    def __init__(self, product, data, *settings):
        self.product, self.data, self.settings = product, data, settings
        self.output = "es" if product == "elasticsearch" else product
        self.port, self.process = 0, None
        self.log = data.with_name(data.name + ".log")

    def start(self):
        self.data.mkdir(parents=True, exist_ok=True)
        command = [START, self.product, str(self.port), self.data, *self.settings]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, text=True
            )
        for (
            line
        ) in self.process.stdout:  # the first run says nothing for a minute: Maven
            if line.startswith("READY"):
                self.port = int(line.rsplit(":", 1)[1])
                return self
        raise AssertionError(
            f"{self.product} did not start: {self.log.read_text()[-2000:]}"
        )

    def stop(self, how=signal.SIGTERM):
        if self.process:
            self.process.send_signal(how)
            self.process.wait(60)
            self.process.stdout.close()
            self.process = None

    def kill(self):
        self.stop(signal.SIGKILL)

    def ask(self, method, path, body=None):
        """One request, its JSON answer; Refused unless the status is 2xx."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        kind = "application/x-ndjson" if isinstance(body, str) else "application/json"
        data = body if isinstance(body, str) or body is None else json.dumps(body)
        try:
            headers = {"Content-Type": kind} if data else {}
            connection.request(method, path, data and data.encode(), headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        answer = json.loads(text) if text.startswith(("{", "[")) else text
        if response.status >= 300:
            raise Refused(response.status, answer)
        return answer

    def index(self, name):
        return Index(self, name)


QUIET = "ignore_unavailable=true&allow_no_indices=true"


class Index:
    """One index (or alias, or pattern) of a server."""

    def __init__(self, server, name):
        self.server, self.name = server, name

    def refresh(self):
        """What is in it can be found."""
        self.server.ask("POST", f"/{self.name}/_refresh?{QUIET}")

    def search(self, **body):
        """Refresh, then search; an index that does not exist yet has no hits, and
        one that was made just now is waited for."""
        body.setdefault("track_total_hits", True)
        self.refresh()

        def answer():
            try:
                return self.server.ask("POST", f"/{self.name}/_search?{QUIET}", body)
            except Refused as refused:
                if refused.status != 503:
                    raise
                return None

        return until(answer, "its shards are not there")

    def count(self, query=None):
        query = query or {"match_all": {}}
        return self.search(size=0, query=query)["hits"]["total"]["value"]

    def documents(self, query=None, size=1000):
        query = query or {"match_all": {}}
        hits = self.search(size=size, query=query, sort=[{"@timestamp": "asc"}])[
            "hits"
        ]["hits"]
        return [hit["_source"] for hit in hits]

    def logs(self):
        return sorted(d["log"] for d in self.documents())

    def until_count(self, n, limit=60):
        until_equal(self.count, n, limit)

    def until_exists(self):
        def exists():
            try:
                return self.server.ask("GET", f"/{self.name}")
            except Refused:
                return None

        return until(exists, f"no index {self.name}")

    def create(self, **settings):
        return self.server.ask("PUT", f"/{self.name}", {"settings": settings})

    def set(self, **settings):
        names = {name.replace("__", "."): value for name, value in settings.items()}
        return self.server.ask("PUT", f"/{self.name}/_settings", names)

    def mapping(self):
        return next(iter(self.server.ask("GET", f"/{self.name}/_mapping").values()))[
            "mappings"
        ]

    def delete(self):
        self.server.ask("DELETE", f"/{self.name}?ignore_unavailable=true")
