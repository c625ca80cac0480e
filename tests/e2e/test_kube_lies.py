"""An API server that lies: lines go on, memory is bounded, what is wrong is counted
and said, it is asked less and less, and when it behaves again labels come."""

import json
import re
import time
import uuid

import pytest
from fake_server import reset
from harness.fake_kube import NODE, FakeKube, answer, event, made, status, stream
from harness.towline import SANITIZED
from harness.wait import until

MIB = 1 << 20


@pytest.fixture
def fake():
    made = FakeKube()
    yield made
    made.close()


class Lied:
    """A towline whose API server is the fake, a pod of it, and its log."""

    def __init__(self, fake, node, table, towline):
        self.fake, self.table, self.towline = fake, table, towline
        self.began = time.monotonic()
        self.pod = made("matillion-agent-0", {"app": "a"})
        self.log = node.container(uid=self.pod["metadata"]["uid"])
        fake.put(self.pod)

    def errors(self, reason):
        return self.towline.metric("towline_kube_errors_total", reason=reason)

    def until_failed(self, reason, n=1):
        until(
            lambda: self.errors(reason) >= n,
            lambda: (
                self.towline.by("towline_kube_errors_total", "reason"),
                self.towline.said(),
            ),
        )

    def shipped(self, text):
        """The labels with which a line came."""
        self.log.write(text)
        found = until(
            lambda: [d for d in self.table.documents() if d["log"] == text],
            self.towline.said,
        )
        assert len(found) == 1
        return found[0]["kubernetes"].get("labels")

    def until_labelled(self, app):
        """A line comes with the label that the pod has now."""
        pod = self.pod | {"metadata": self.pod["metadata"] | {"labels": {"app": app}}}
        self.fake.put(pod)
        until(
            lambda: self.shipped(f"says {time.monotonic_ns()}") == {"app": app},
            self.towline.said,
        )

    def not_in_a_hurry(self):
        """A few requests at first, then at most some a second."""
        took = time.monotonic() - self.began
        asked = [what for what, *_ in self.fake.asked]
        assert len(asked) <= 8 + 4 * took, (took, asked)

    def rss(self, name="VmHWM"):
        with open(f"/proc/{self.towline.process.pid}/status") as text:
            return int(re.search(rf"{name}:\s+(\d+)", text.read())[1]) * 1024

    def bounded(self, before):
        """By what include/kube.h states."""
        if not SANITIZED:
            assert self.rss() - before < (16 + 8) * MIB


@pytest.fixture
def lied(fake, node, table, settings, run, tmp_path):
    (tmp_path / "token").write_text("secret-of-ours\n")
    settings.filters[0] |= {
        "Kube_URL": fake.url,
        "Kube_Token_File": tmp_path / "token",
        "Kube_Node_Name": NODE,
        "Pod_Wait": "1s",
        "API_Wait": "1s",
    }

    def start(**lies):
        fake.lies |= lies
        made = Lied(fake, node, table, None)
        made.towline = run(settings)
        return made

    return start


def chunked(*pieces):
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(pieces)


def reset_within(text):
    def lie(handler):
        handler.wfile.write(text)
        reset(handler)

    return lie


POD = made("another")
CUT = event("ADDED", POD)[:-30]
HTML = b"<html><body>Sign in</body></html>"
LISTED = answer({"metadata": {"resourceVersion": "7"}, "items": [POD]})

# what is asked, how it is answered, the reason that is counted
LIES = {
    "html": ("list", answer(HTML, kind="text/html"), "answer"),
    "bad gateway": ("list", answer(HTML, 502, "text/html"), "server"),
    "no list": ("list", answer({}), "answer"),
    "an array": ("list", answer([1]), "answer"),
    "empty": ("list", answer(b""), "answer"),
    "no content": ("list", answer(b"", 204), "answer"),
    "an error for an answer": ("list", answer(status(500)), "server"),
    "half a text": ("list", answer(LISTED.partition(b"\r\n\r\n")[2][:-9]), "answer"),
    "less than announced": ("list", LISTED[:-9], "connect"),
    "a reset": ("list", reset_within(LISTED[:-9]), "connect"),
    "chunks of no length": ("list", chunked(b"zz\r\n{}\r\n"), "connect"),
    "no HTTP": ("list", b"SSH-2.0-OpenSSH_9.2\r\n", "connect"),
    "deep": ("list", answer(b'{"x":' + b"[" * 10**6), "answer"),
    "numbers for texts": (
        "list",
        answer({"metadata": {"resourceVersion": 7, "continue": 8}, "items": {}}),
        "answer",
    ),
    "pods that are no objects": (
        "list",
        answer({"metadata": {"resourceVersion": "7"}, "items": [POD, 3]}),
        "answer",
    ),
    "gone, always": ("list", answer(status(410), 410), "gone"),
    "too many requests": (
        "list",
        answer(status(429), 429, retry_after=1),
        "throttled",
    ),
    "an unknown token": (
        "version",
        answer(status(401), 401),
        "auth",
    ),
    "no version": ("version", answer(HTML, 200, "text/html"), "answer"),
    "an error for a version": ("version", answer(status(410)), "server"),
    "a watch of html": ("watch", answer(HTML, kind="text/html"), "answer"),
    "half an event": ("watch", stream(CUT), "answer"),
    "a watch that is reset": ("watch", reset_within(stream(CUT)), "connect"),
    "a watch of two texts": ("watch", stream(b"{}\n}\n"), "answer"),
    "a watch that is gone": ("watch", stream(event("ERROR", status(410))), "gone"),
    "another error": ("watch", stream(event("ERROR", status(500))), "server"),
    "an error without a code": ("watch", stream(event("ERROR", [])), "server"),
    "a watch forbidden": ("watch", answer(status(403), 403), "forbidden"),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_answer_that_is_none(lied, lie):
    what, how, reason = LIES[lie]
    it = lied(**{what: how})
    it.until_failed(reason)
    assert it.shipped("while it lies") == ({"app": "a"} if what == "watch" else None)
    it.not_in_a_hurry()
    warned = re.findall(r"warn  kube .*", it.towline.said())
    assert len(warned) == (reason != "gone"), warned
    it.fake.behave()
    it.until_labelled("b")
    it.towline.until_ready()
    assert it.towline.metric("towline_kube_up") == 1
    it.towline.stop()


def endless(head, piece):
    """Sent until the client has enough."""

    def lie(handler):
        handler.wfile.write(head)
        for _ in range(1 << 20):
            handler.wfile.write(piece)

    return lie


ENDLESS = {
    "headers": ("list", b"HTTP/1.1 200 OK\r\n", b"X-More: of the same\r\n" * 1000),
    "interim answers": ("list", b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "a text that is not used": ("list", stream(b'{"x":"'), b"0123456789abcdef" * 65536),
    "a text that is used": (
        "list",
        stream(b'{"items":[{"metadata":{"name":"'),
        b"0123456789abcdef" * 65536,
    ),
    "pods": (
        "list",
        stream(b'{"items":[{}'),
        b"," + b" " * 60000 + json.dumps(POD).encode(),
    ),
    "an event": ("watch", stream(b'{"object":{"x":['), b"1," * 65536),
    "blanks": ("list", stream(b'{"items":['), b" " * (1 << 20)),
}


@pytest.mark.parametrize("lie", ENDLESS)
def test_an_answer_without_an_end(lied, lie):
    what, *how = ENDLESS[lie]
    it = lied(version=answer(status(401), 401))
    it.until_failed("auth")
    before = it.rss("VmRSS")
    it.fake.lies |= {what: endless(*how)}
    del it.fake.lies["version"]
    it.until_failed("answer")
    it.bounded(before)
    it.shipped("while it lies")
    it.not_in_a_hurry()
    it.fake.behave()
    it.until_labelled("b")
    it.towline.stop()


PAGE = {"metadata": {"resourceVersion": "1", "continue": "more"}, "items": []}


def test_a_list_whose_pages_have_no_end(lied):
    it = lied(list=answer(PAGE))
    it.until_failed("answer")
    # Up to where it begins anew, which it may have done meanwhile.
    pages = [path for what, path, _ in it.fake.asked if what == "list"]
    begins = [n for n, path in enumerate(pages) if "continue=" not in path]
    assert [*begins, len(pages)][1] == 256
    assert "the list of pods has no end" in it.towline.said()
    it.fake.behave()
    it.until_labelled("b")


def ends(*events):
    return lambda handler: handler.wfile.write(stream(*events))


@pytest.mark.parametrize("events", [(), (event("MODIFIED", POD),)], ids=["", "event"])
def test_a_watch_that_ends_at_once_is_asked_for_less_and_less(lied, events):
    it = lied(watch=ends(*events))
    until(lambda: it.fake.count("watch") >= 3, it.towline.said)
    assert time.monotonic() - it.began > 1
    it.not_in_a_hurry()
    assert it.shipped("meanwhile") == {"app": "a"}
    it.fake.behave()
    it.until_labelled("b")


def test_a_redirection_is_not_followed(lied):
    """Whoever it leads to would be shown the token."""
    elsewhere = FakeKube()
    it = lied(list=answer(b"", 302, location=f"{elsewhere.url}/api/v1/pods"))
    it.until_failed("server")
    it.towline.until_said("answers 302")
    it.fake.behave()
    it.until_labelled("b")
    elsewhere.close()
    assert elsewhere.asked == []
    assert {each[2] for each in it.fake.asked} == {"Bearer secret-of-ours"}
    assert "secret-of-ours" not in it.towline.said()


def test_what_trickles_is_read(lied):
    def slowly(handler):
        for byte in answer(it.fake.listed(*it.fake.pods.values())):
            handler.wfile.write(bytes([byte]))
            time.sleep(0.002)

    it = lied(list=lambda handler: slowly(handler))
    until(lambda: it.towline.metric("towline_kube_up") == 1, it.towline.said)
    assert it.shipped("a line") == {"app": "a"}


def test_a_streamed_list_that_ends_too_soon_or_is_refused(fake, lied):
    fake.minor = "34+"
    it = lied(stream=stream(event("ADDED", POD)))
    it.until_failed("connect", 2)
    it.fake.lies["stream"] = answer(status(422), 422)
    until(lambda: it.fake.count("watch") == 1, it.towline.said)
    it.until_labelled("b")
    it.towline.until_ready()


@pytest.mark.parametrize("code", [200, 410])
def test_a_lie_where_our_node_is_asked_for(lied, settings, tmp_path, code):
    (tmp_path / "namespace").write_text("towline\n")
    del settings.filters[0]["Kube_Node_Name"]
    settings.filters[0]["Kube_Namespace_File"] = tmp_path / "namespace"
    it = lied(list=answer(status(410), code))
    it.until_failed("server", 2)
    it.fake.behave()
    it.until_labelled("b")
    it.towline.stop()


def odd(name=None, **metadata):
    return made(name or f"p{uuid.uuid4().hex[:8]}", **metadata)


def with_uid(text, name="twin"):
    pod = made(name, {"app": "wrong"})
    pod["metadata"]["uid"] = text
    return pod


def test_pods_that_are_none_do_not_hurt_those_that_are(lied):
    it = lied(version=answer(status(401), 401))
    it.until_failed("auth")
    before = it.rss("VmRSS")
    labels = {f"label{n}": "value" for n in range(100_000)}
    elsewhere = odd()
    elsewhere["spec"]["nodeName"] = "node2"
    bad = [
        odd(uid=None),
        odd(uid="u" * 300),
        odd(uid="nul\0"),
        odd(name="other\ud800"),
        odd(labels=labels),
        odd(labels={"a": [[] for _ in range(100_000)]}),
        elsewhere,
        {},
        [],
    ]
    strange = [
        odd(labels=[{"app": "a"}], annotations="text", ownerReferences={"a": 1}),
        odd(labels={"a": 1, "b": None, "c": {"d": "e"}, "": ""}),
        odd(managedFields="x" * (30 * MIB)),
        with_uid(it.pod["metadata"]["uid"]),
    ]
    for pod in bad + strange:
        it.fake.pods[id(pod)] = pod
    text = it.fake.listed(*it.fake.pods.values())
    raw = json.dumps(text).replace(r"\ud800", "").encode()
    raw = raw.replace(b'"matillion-agent-0"', b'"wrong","name":"matillion-agent-0"')
    raw = raw[:-2] + b',{"metadata":{"name":"\xff\xc0"}}]}'
    it.fake.lies = {"list": answer(raw)}
    until(lambda: it.towline.metric("towline_kube_up") == 1, it.towline.said)
    assert it.errors("answer") >= 8
    it.bounded(before)
    # Its twin has its uid, but another name.
    assert it.shipped("a line") is None
    it.not_in_a_hurry()
    for pod in bad:
        if isinstance(pod, dict) and pod:
            it.fake.history.append((2, event("MODIFIED", pod)))
    it.fake.put(with_uid(it.pod["metadata"]["uid"]))
    it.until_labelled("b")
    it.bounded(before)
    it.towline.stop()
