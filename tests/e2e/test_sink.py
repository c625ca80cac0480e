"""The benchmark's counting server counts right, however the bytes arrive."""

import gzip
import http.client
import json
import socket
import subprocess

import pytest
from harness.towline import BENCH


def body(first, end, action="create"):
    return "".join(
        f'{{"{action}":{{"_id":"id{i}"}}}}\n{{"x":{i}}}\n' for i in range(first, end)
    ).encode()


@pytest.fixture
def sink():
    with subprocess.Popen(
        [BENCH / "sink", "--ids"], stdout=subprocess.PIPE, text=True
    ) as process:
        port = int(process.stdout.readline())
        yield (
            port,
            lambda: (process.terminate(), json.loads(process.stdout.readline()))[1],
        )
        process.terminate()


def post(connection, target, data, headers=None):
    connection.request("POST", target, data, headers or {})
    return json.loads(connection.getresponse().read())


def test_documents_and_ids_are_counted(sink):
    port, stop = sink
    c = http.client.HTTPConnection("127.0.0.1", port)
    assert len(post(c, "/bench/_bulk", body(0, 1000))["items"]) == 1000
    zipped = gzip.compress(body(1000, 5000))
    answer = post(
        c, "/_bulk?filter_path=items.*.status", zipped, {"Content-Encoding": "gzip"}
    )
    assert answer["items"] == [{"create": {"status": 201}}] * 4000
    assert "index" in post(c, "/_bulk", body(5000, 5001, "index"))["items"][0]
    assert post(c, "/_index_template/x", b"{}") == {}
    post(c, "/_bulk", body(0, 3) + b'{"create":{}}\n{}\n')
    total = stop()
    assert (
        total["documents"] == 5005 and total["requests"] == 4 and total["others"] == 1
    )
    assert total["duplicates"] == 3 and total["without_id"] == 1 and total["bad"] == 0


def test_a_request_may_come_byte_by_byte(sink):
    port, _ = sink
    data = body(0, 10)
    head = f"POST /_bulk HTTP/1.1\r\nExpect: 100-continue\r\ncontent-length: {len(data)}\r\n\r\n"
    after = b"GET /_sink HTTP/1.1\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as s:
        for byte in head.encode() + data + after:
            s.sendall(bytes([byte]))
        answer = b""
        while b'"documents"' not in answer:
            answer += s.recv(65536)
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n")
    assert b'"documents": 10,' in answer
