"""A fake agent, only for what a real one (tests/agent) does not do on command:
answers that trickle, never end, are none, lead elsewhere."""

import contextlib
import gzip
import itertools
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

METRICS, PROMETHEUS, INFO = "/metrics", "/actuator/prometheus", "/actuator/info"
SECRET = "-Dtoken=s3cret"
NEWEST = f"""# TYPE target_info gauge
target_info{{process_command_line="java {SECRET}"}} 1
matillion_agent_status_unit{{otel_scope_name="agent"}} 1.0
matillion_agent_connected_unit 1.0
matillion_agent_task_running_unit 4.0
matillion_agent_request_active_unit 2.0
matillion_agent_open_sessions_unit 6.0
matillion_agent_version_unit{{version="3.1"}} 1.0
"""


class FakeAgent:
    """pages: {path: text, status, or a function of the handler}; a path that is not
    there is 404.  asked: the paths, in their order."""

    def __init__(self, pages=None):
        self.pages = {METRICS: NEWEST} if pages is None else pages
        self.asked, self.over = [], threading.Event()
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_GET(self):
                fake.asked.append(self.path)
                with contextlib.suppress(OSError):  # the client has left
                    fake.answer(self, fake.pages.get(self.path, 404))

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        threading.Thread(target=self.http.serve_forever, daemon=True).start()
        self.port = self.http.server_port

    def close(self):
        self.over.set()
        self.http.shutdown()
        self.http.server_close()

    def answer(self, handler, page):
        if callable(page):
            page(handler)
            return
        status = page if isinstance(page, int) else 200
        handler.send_response(status)
        handler.end_headers()
        handler.wfile.write(page.encode() if isinstance(page, str) else b"no")

    def hangs(self, handler):
        self.over.wait()

    def trickles(self, handler):
        """A good answer, a byte in half a second."""
        handler.send_response(200)
        handler.end_headers()
        for byte in NEWEST.encode():
            handler.wfile.write(bytes([byte]))
            if self.over.wait(0.5):
                return


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def raw(*pieces):
    """A page of these bytes, each piece written by itself."""

    def page(handler):
        for piece in pieces:
            handler.wfile.write(piece)

    return page


def endless(head, piece):
    """A page that ends when its client leaves."""

    def page(handler):
        handler.wfile.write(head)
        for again in itertools.repeat(piece):
            handler.wfile.write(again)

    return page


def packed(codings, text=NEWEST):
    """A page in gzip as often as the codings say; no client has asked for that."""
    body = text.encode()
    for _ in range(codings.lower().count("gzip")):
        body = gzip.compress(body)

    return raw(OK, f"Transfer-Encoding: {codings}\r\n\r\n".encode(), body)


def leads_to(url):
    def page(handler):
        handler.send_response(302)
        handler.send_header("Location", url)
        handler.end_headers()

    return page
