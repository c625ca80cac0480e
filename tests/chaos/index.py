"""A strict index: keeps every id and document, answers _bulk as a server does,
409 for an id that it has, and says so when a document differs under one id.

    index.py DIR PORT UPSTREAM

UPSTREAM is the port of a real server, which then keeps the documents, or 0.

Commands, one JSON a line on stdin: {"fault": NAME, "seconds": S, …} starts a
fault, {"up": false} closes the port, {"stats": true} is answered on stdout.
DIR/documents.ndjson gets what is stored; DIR/marks a byte for each mark seen.
"""

import asyncio
import contextlib
import gzip
import http.client
import json
import mmap
import pathlib
import random
import re
import socket
import struct
import sys
import time

from writers import MARKS

MARK = re.compile(rb"~(\d+)\.(\d+)~")
BESIDE = re.compile(rb',"(?:kubernetes|log_parsed)|}$')
ID = re.compile(rb'"_id":"([^"]*)"')
EXISTS = b'{"create":{"status":409,"error":{"type":"version_conflict_engine_exception","reason":"exists"}}}'
TAKEN = b'{"create":{"status":201}}'


def item_error(status, kind, reason="on purpose"):
    error = {"type": kind, "reason": reason}
    return json.dumps({"create": {"status": status, "error": error}}).encode()


ITEM_FAULTS = {
    "items429": item_error(429, "es_rejected_execution_exception"),
    "items503": item_error(503, "unavailable_shards_exception"),
    "items403": item_error(403, "cluster_block_exception"),
}
UNREADABLE = {"reset-answer", "half", "garbage", "html"}  # no answer: taken or not
STATUS_FAULTS = {"s429": 429, "s503": 503, "s403": 403, "s302": 302, "s500": 500}


class Index:
    def __init__(self, folder, port, upstream):
        self.upstream = upstream  # a real server's port; 0: this is the index
        self.folder, self.port, self.server = folder, port, None
        self.ids, self.differs, self.conflicts = {}, [], 0
        self.fault, self.until, self.how = None, 0, {}
        self.rng = random.Random(port)
        self.bulks, self.used, self.connections = 0, {}, set()
        self.out = open(folder / "documents.ndjson", "wb", buffering=1 << 20)
        with open(folder / "marks", "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)

    # ---- documents

    def mark(self, document):
        for number, mark in MARK.findall(document):
            self.map[int(number) * MARKS + int(mark)] = 1

    def store(self, action, document):
        key = ID.search(action)[1]
        # What is sent again after a refusal may lack what was parsed, or be the core.
        have, now = self.ids.get(key), hash(BESIDE.split(document, maxsplit=1)[0])
        if have is None:
            self.ids[key] = now
            self.out.write(key + b"\t" + document + b"\n")
            self.mark(document)
            return TAKEN
        self.conflicts += 1
        if have != now:
            self.differs.append(key)
            self.out.write(b"!" + key + b"\t" + document + b"\n")
        return EXISTS

    async def bulk(self, path, body, fault):
        lines = body.split(b"\n")
        if lines.pop() or len(lines) % 2:
            return 400, b'{"error":{"type":"illegal_argument_exception"}}'
        pairs = list(zip(lines[::2], lines[1::2], strict=True))
        refused = ITEM_FAULTS.get(fault)
        share = 1 if fault == "items403" else 0.3  # an index is blocked as a whole
        sent = [not refused or self.rng.random() > share for _ in pairs]
        taken = [pair for pair, is_sent in zip(pairs, sent, strict=True) if is_sent]
        if self.upstream:
            status, answers = await self.pass_on(path, taken)
            if status != 200:
                return status, answers
        else:
            answers = [self.store(*pair) for pair in taken]
        answers = iter(answers)
        return 200, [next(answers) if is_sent else refused for is_sent in sent]

    # ---- a real server behind

    async def ask(self, method, path, body, kind="application/json"):
        """What the server answers; ConnectionError when it is down."""

        def exchange():
            connection = http.client.HTTPConnection(
                "127.0.0.1", self.upstream, timeout=30
            )
            try:
                connection.request(method, path, body, {"Content-Type": kind})
                response = connection.getresponse()
                return response.status, response.read()
            except (OSError, http.client.HTTPException) as error:
                raise ConnectionError(str(error)) from error
            finally:
                connection.close()

        return await asyncio.get_running_loop().run_in_executor(None, exchange)

    async def pass_on(self, path, pairs):
        """Items of the server's answer; what it took is marked."""
        if not pairs:
            return 200, []
        body = b"".join(a + b"\n" + d + b"\n" for a, d in pairs)
        status, answer = await self.ask(
            "POST", path.decode(), body, "application/x-ndjson"
        )
        if status != 200:
            return status, answer
        items = json.loads(answer)["items"]
        for (action, document), item in zip(pairs, items, strict=True):
            result = item["create"]["status"]
            self.conflicts += result == 409
            if result in (201, 409):
                self.ids[ID.search(action)[1]] = 0
                self.mark(document)
        return 200, [json.dumps(item).encode() for item in items]

    # ---- HTTP

    async def serve(self, reader, writer):
        self.connections.add(writer)
        try:
            while await self.request(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.connections.discard(writer)
            writer.close()

    async def request(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        method, path = head.split(b" ", 2)[:2]
        length = re.search(rb"content-length: *(\d+)", head, re.I)
        length = int(length[1]) if length else 0
        is_bulk = path.split(b"?")[0].endswith(b"/_bulk")
        fault = self.active() if is_bulk else None
        if fault == "reset-request":
            await reader.readexactly(self.rng.randrange(length + 1))
            return reset(writer)
        body = await reader.readexactly(length)
        if b"content-encoding: gzip" in head.lower():
            body = gzip.decompress(body)
        if not is_bulk and self.upstream:
            send(writer, *await self.ask(method.decode(), path.decode(), body))
            return True
        if not is_bulk:
            missing = method == b"GET" and b"_index_template" in path
            send(writer, 404 if missing else 200, b'{"acknowledged":true}')
            return True
        self.bulks += 1
        return await self.answer(writer, path, body, fault)

    def active(self):
        """The fault for this request, if one is on."""
        if time.monotonic() > self.until or self.rng.random() > self.how["share"]:
            return None
        self.used[self.fault] = self.used.get(self.fault, 0) + 1
        return self.fault

    async def answer(self, writer, path, body, fault):
        if fault in STATUS_FAULTS or (fault == "s413" and len(body) > 20000):
            status = STATUS_FAULTS.get(fault, 413)
            more = b"Retry-After: 1\r\n" if status == 429 else b""
            more += b"Location: /elsewhere\r\n" if status == 302 else b""
            send(writer, status, b"<html>no</html>", more)
            return True
        takes = fault not in UNREADABLE or self.rng.random() < 0.6
        status, items = 200, [TAKEN]
        if takes:
            status, items = await self.bulk(path, body, fault)
        if status != 200:
            send(writer, status, items)
            return True
        if fault == "count":
            items = items[:-1] if self.rng.random() < 0.5 else [*items, TAKEN]
        data = b'{"took":1,"errors":false,"items":[' + b",".join(items) + b"]}"
        return await self.deliver(writer, data, fault)

    async def deliver(self, writer, data, fault):
        if fault == "reset-answer":
            cut = self.rng.randrange(len(data))
            writer.write(header(200, len(data)) + data[:cut])
            await writer.drain()
            return reset(writer)
        if fault == "stall":
            await asyncio.sleep(self.how["seconds"])
        elif fault == "half":
            data = data[: len(data) // 2]
        elif fault == "garbage":
            data = self.rng.randbytes(len(data))
        elif fault == "html":
            data = b"<!doctype html><title>It works</title>"
        elif fault == "endless":
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + data)
            for _ in range(4000):
                if writer.transport.is_closing():
                    return False
                writer.write(b" " * 8192)
                await writer.drain()
            return reset(writer)
        elif fault == "s100":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n" * 3)
        elif fault == "trickle":
            writer.write(header(200, len(data)))
            step = len(data) // 20 + 1
            for i in range(0, len(data), step):
                writer.write(data[i : i + step])
                await asyncio.sleep(0.02)
            return True
        send(writer, 200, data)
        await writer.drain()
        return True

    # ---- commands

    async def listen(self):
        self.server = await asyncio.start_server(
            self.serve, "127.0.0.1", self.port, limit=1 << 26
        )
        self.port = self.server.sockets[0].getsockname()[1]

    async def command(self, words):
        if words.get("stats"):
            self.out.flush()
            print(json.dumps(self.stats()), flush=True)
        elif words.get("up") is False and self.server:
            self.server.close()
            self.server = None
            for writer in list(self.connections):
                reset(writer)
        elif words.get("up") and not self.server:
            await self.listen()
        elif "fault" in words:
            self.fault, self.how = words["fault"], words
            self.until = time.monotonic() + words["seconds"]

    def stats(self):
        return {
            "documents": len(self.ids),
            "conflicts": self.conflicts,
            "differs": len(self.differs),
            "bulks": self.bulks,
            "faults": self.used,
        }


def header(status, length, more=b""):
    kind = b"application/json" if status == 200 else b"text/html"
    return b"HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n" % (
        status,
        kind,
        length,
        more,
    )


def send(writer, status, data, more=b""):
    writer.write(header(status, len(data), more) + data)


def reset(writer):
    """Close with a RST, as a peer that died does."""
    with contextlib.suppress(OSError):
        linger = struct.pack("ii", 1, 0)
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    writer.transport.abort()
    return False


async def main():
    index = Index(pathlib.Path(sys.argv[1]), *map(int, sys.argv[2:4]))
    await index.listen()
    print(json.dumps({"port": index.port}), flush=True)
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    while line := await reader.readline():
        await index.command(json.loads(line))
    index.out.close()


if __name__ == "__main__":
    asyncio.run(main())
