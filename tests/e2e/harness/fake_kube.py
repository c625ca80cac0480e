"""A fake API server, only for what a real one does not do on command: answers
that lie, never end, end at once, break off, come by the byte.

It lists and watches its pods as a real one would, but for the requests to which a
lie is set."""

import http.server
import json
import threading
import urllib.parse
import uuid

NODE = "node1"


def made(name, labels=None, **metadata):
    """A pod as the API has it."""
    metadata = {
        "name": name,
        "namespace": "matillion",
        "uid": str(uuid.uuid4()),
        "labels": labels or {},
    } | metadata
    containers = [{"name": "matillion-agent", "image": "registry.example/agent:1"}]
    return {
        "metadata": metadata,
        "spec": {"nodeName": NODE, "containers": containers},
        "status": {"podIP": "10.1.0.5"},
    }


def answer(body=b"", status=200, kind="application/json", **headers):
    """An answer that can be sent as it is."""
    body = json.dumps(body).encode() if not isinstance(body, bytes) else body
    headers = {"content_type": kind, "content_length": len(body)} | headers
    lines = [f"HTTP/1.1 {status} Whatever"]
    lines += [f"{key.replace('_', '-')}: {value}" for key, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def stream(*pieces):
    """An answer that ends with its connection."""
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n" + b"".join(
        pieces
    )


def event(kind, what):
    return json.dumps({"type": kind, "object": what}).encode() + b"\n"


def status(code, message="as the test wants it"):
    return {"kind": "Status", "code": code, "message": message}


class FakeKube:
    """lies: {"version", "list", "stream", "watch", "get": bytes of an answer, or a
    function of the handler that writes one}; what is not there is answered well.
    asked: (what, path, authorization) of each request."""

    def __init__(self, minor="33", **lies):
        self.minor, self.lies, self.pods, self.asked = minor, lies, {}, []
        self.version, self.history = 1, []  # history: (version, event)
        self.news, self.ends = threading.Condition(), 0
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except OSError:  # the client has left
                    self.close_connection = True

            def do_GET(self):
                fake.get(self)

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def close(self):
        self.end_watches()
        self.http.shutdown()
        self.http.server_close()

    def count(self, what):
        return sum(each[0] == what for each in self.asked)

    # ---- what a test changes

    def put(self, pod, kind=None):
        """Make or change a pod, or say of it what is to be said."""
        with self.news:
            uid = pod["metadata"]["uid"]
            kind = kind or ("MODIFIED" if uid in self.pods else "ADDED")
            self.version += 1
            pod["metadata"]["resourceVersion"] = str(self.version)
            self.pods[uid] = pod
            self.history.append((self.version, event(kind, pod)))
            self.news.notify_all()
        return pod

    def end_watches(self):
        with self.news:
            self.ends += 1
            self.news.notify_all()

    def behave(self):
        """No lies any more, whatever hangs ends."""
        self.lies.clear()
        self.end_watches()

    # ---- answers

    def get(self, handler):
        path, _, query = handler.path.partition("?")
        query = dict(urllib.parse.parse_qsl(query))
        what = "get"
        if path == "/version":
            what = "version"
        elif path.endswith("/pods"):
            what = "stream" if "sendInitialEvents" in query else "list"
            what = "watch" if "watch" in query and what == "list" else what
        self.asked.append((what, handler.path, handler.headers["Authorization"]))
        lie = self.lies.get(what)
        if lie is None:
            getattr(self, f"{what}_answer")(handler, query)
            return
        handler.close_connection = True
        if isinstance(lie, bytes):
            handler.wfile.write(lie)
        else:
            lie(handler)

    def get_answer(self, handler, query):
        handler.wfile.write(answer(status(404), 404))

    def version_answer(self, handler, query):
        handler.wfile.write(answer({"major": "1", "minor": self.minor}))

    def listed(self, *pods, **meta):
        meta = {"resourceVersion": str(self.version)} | meta
        return {"kind": "PodList", "metadata": meta, "items": list(pods)}

    def list_answer(self, handler, query):
        handler.wfile.write(answer(self.listed(*self.pods.values())))

    def stream_answer(self, handler, query):
        handler.close_connection = True
        end = {"k8s.io/initial-events-end": "true"}
        meta = {"resourceVersion": str(self.version), "annotations": end}
        pods = [event("ADDED", pod) for pod in self.pods.values()]
        handler.wfile.write(stream(*pods, event("BOOKMARK", {"metadata": meta})))
        self.changes(handler, int(meta["resourceVersion"]))

    def watch_answer(self, handler, query):
        handler.close_connection = True
        handler.wfile.write(stream())
        self.changes(handler, int(query["resourceVersion"]))

    def changes(self, handler, since):
        ends = self.ends
        while ends == self.ends:
            with self.news:
                news = [each for each in self.history if each[0] > since]
                if not news:
                    self.news.wait(1)
                    continue
            for since, text in news:
                handler.wfile.write(text)
