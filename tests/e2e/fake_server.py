"""A fake index server, only for what a real one does not do on command: a reset
in the middle of an answer, an answer that trickles, 413 at a size of our choice
(a real one wants a restart for each), an answer that is none.

It keeps documents by id as a real one would, and answers _bulk item by item.
"""

import gzip
import json
import re
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FakeServer:
    """judge: called with the index of each document; returns (status, type) that
    refuses it, or None.
    behave: called with (n-th bulk, body); returns how to answer it:
    None (well), "reset" (before any answer), "cut" (reset within the answer),
    "trickle", "garbage", "late" (when late is set), or a status to refuse with."""

    def __init__(self, behave=lambda n, body: None):
        self.behave, self.documents, self.bulks = behave, {}, 0
        self.judge = lambda index: None
        self.search = 200, b"{}"
        self.late = threading.Event()
        self.conflicts, self.sizes, self.lock = 0, [], threading.Lock()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                self.answer(404 if "_index_template" in self.path else 200, b"{}")

            do_HEAD = do_GET

            def do_PUT(self):
                self.body()
                self.answer(200, b'{"acknowledged":true}')

            def do_POST(self):
                body = self.body()
                if self.path.split("?")[0].endswith("/_bulk"):
                    fake.bulk(self, body)
                else:
                    self.answer(*fake.search)

            def body(self):
                data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                zipped = self.headers.get("Content-Encoding") == "gzip"
                return gzip.decompress(data) if zipped else data

            def answer(self, status, data):
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.port = self.http.server_port
        self.output = {
            "Name": "es",
            "Host": "127.0.0.1",
            "Port": self.port,
            "Index": "i",
        }

    def close(self):
        self.late.set()
        self.http.shutdown()
        self.http.server_close()

    def bulk(self, handler, body):
        with self.lock:
            self.bulks += 1
            self.sizes.append(len(body))
            how = self.behave(self.bulks, body)
            if isinstance(how, int):
                handler.answer(how, b"")
                return
            if how == "reset":
                reset(handler)
                return
            data = json.dumps(
                {"took": 1, "items": self.store(body, handler.path)}
            ).encode()
        if how == "late":
            self.late.wait()
        if how == "cut":
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode()
            handler.wfile.write(head + data[: len(data) // 2])
            reset(handler)
        elif how == "trickle":
            handler.wfile.write(
                f"HTTP/1.1 200 OK\r\nContent-Length: {len(data)}\r\n\r\n".encode()
            )
            for i in range(0, len(data), 7):
                handler.wfile.write(data[i : i + 7])
        else:
            handler.answer(200, b'{"items": "none' if how == "garbage" else data)

    def store(self, body, path):
        """Take a bulk body; the answer's items."""
        index = re.match(r"/(?:(\w+)/)?_bulk", path)[1]
        assert body.endswith(b"\n")
        lines = body.decode().split("\n")[:-1]
        items = []
        for action, document in zip(lines[::2], lines[1::2], strict=True):
            create = json.loads(action)["create"]
            refusal = self.judge(create.get("_index", index))
            if refusal:
                error = {"type": refusal[1], "reason": "refused"}
                items.append({"create": {"status": refusal[0], "error": error}})
                continue
            key = create["_id"]
            status = 409 if key in self.documents else 201
            self.conflicts += status == 409
            self.documents.setdefault(key, json.loads(document))
            item = {"status": status}
            if status == 409:
                item["error"] = {
                    "type": "version_conflict_engine_exception",
                    "reason": "exists",
                }
            items.append({"create": item})
        return items

    def logs(self):
        with self.lock:
            return sorted(d["log"] for d in self.documents.values())


def reset(handler):
    """Close with a RST, as a peer that died does."""
    handler.close_connection = True
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.connection.close()


def items_in(body):
    return len(re.findall(rb'^\{"create"', body, re.M))
