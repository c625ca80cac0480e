"""build/bench/sink: a server that takes all documents and counts them."""

import contextlib
import http.client
import json
import subprocess

from .towline import BENCH


class Sink:
    """A server that counts documents by id."""

    def __init__(self, port=0):
        self.process = subprocess.Popen(
            [BENCH / "sink", "--ids", *(["--port", str(port)] if port else [])],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.port = int(self.process.stdout.readline())

    def total(self):
        c = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        with contextlib.closing(c):
            c.request("GET", "/_sink")
            return json.loads(c.getresponse().read())

    def exact(self):
        """Documents, when none came twice; else both figures."""
        total = self.total()
        twice = total["duplicates"] + total["without_id"]
        return total["documents"] if twice == 0 else (total["documents"], twice)

    def different(self):
        total = self.total()
        return total["documents"] - total["duplicates"]

    def output(self, **options):
        return {
            "Name": "es",
            "Host": "127.0.0.1",
            "Port": self.port,
            "Template": "Off",
        } | options

    def end(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
