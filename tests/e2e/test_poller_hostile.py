"""Agents that answer with all that an answer must not be, at one time and for many
polls: towline's memory stays, and an honest agent beside them is polled in time."""

import itertools
import pathlib

import pytest
from harness.fake_agent import (
    CHUNKED,
    METRICS,
    OK,
    FakeAgent,
    endless,
    leads_to,
    packed,
    raw,
)
from harness.towline import SANITIZED
from harness.wait import until
from test_memory import peak
from test_poller import value

POLLS = 6
PAGE = OK + b"\r\n"
SERIES = b"".join(b'app_open_sessions{n="%d"} 5\n' % n for n in range(2000))
NUMBERS = [b"NaN", b"+Inf", b"-1", b"1e16", b"0x1"]
# Each is refused, whatever it says.
REFUSED = {
    "a gigabyte": endless(
        OK + b"Content-Length: 1073741824\r\n\r\n", b"# HELP x\n" * 7000
    ),
    "a million series": endless(PAGE, SERIES),
    "a name without an end": endless(PAGE, b"app_open_sessions" * 4000),
    "a label of a megabyte": raw(
        PAGE, b'app_version_info{version="', *itertools.repeat(b"9" * 65536, 20)
    ),
    "blanks without an end": endless(PAGE, b" \t\r\n" * 16000),
    "an object without an end": endless(PAGE, b'{"a":' * 13000),
    "a deep object": raw(PAGE, b'{"a":' * 50_000 + b"1" + b"}" * 50_000),
    "a chunk's extension without an end": endless(CHUNKED + b"5;", b"x" * 65536),
    "a chunk of 16 EiB": raw(CHUNKED, b"ffffffffffffffff\r\n", b"x" * 65536),
    "chunks of a byte": endless(CHUNKED, b"1\r\na\r\n" * 10_000),
    "1xx without an end": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "a head without an end": endless(OK, b"X: x\r\n" * 1000),
    "trailers without an end": endless(CHUNKED + b"0\r\n", b"a: b\r\n" * 1000),
    "a packed page of 16 MiB": packed("gzip, gzip", "\0" * (1 << 24)),
    "no number": raw(PAGE, *(b"app_open_sessions %s\n" % n for n in NUMBERS)),
    "itself, elsewhere": leads_to("/metrics"),
}
# These have one right sample, the first; all others lie.
TAKEN = {
    "two of one name": raw(
        PAGE, b"app_open_sessions 7\n" + b"app_open_sessions 8\n" * 20_000
    ),
    "a HELP that lies": raw(
        PAGE,
        b"# HELP app_open_sessions app_open_sessions 8\n# app_open_sessions 8\n",
        b"# TYPE app_open_sessions counter\napp_open_sessions NaN\napp_open_sessions 7\n",
    ),
    "long labels": raw(
        PAGE,
        b'app_open_sessions{a="%s"} 8\napp_open_sessions 7\n' % (b"x" * 500_000),
        b'app_build_info{version="%s"} 1\n' % (b"\xff\n" * 900),
    ),
}


@pytest.fixture
def agents():
    made = {name: FakeAgent() for name in [*REFUSED, *TAKEN, "honest"]}
    for name in "hangs", "trickles":
        made[name] = FakeAgent()
    yield made
    for agent in made.values():
        agent.close()


def polled(agents, n):
    """True when each has been asked n times more than when this was called."""
    before = {name: len(agent.asked) for name, agent in agents.items()}
    return lambda: all(len(a.asked) >= before[name] + n for name, a in agents.items())


def descriptors(towline):
    return len(list(pathlib.Path(f"/proc/{towline.process.pid}/fd").iterdir()))


def late(agents):
    return lambda: sorted((len(agent.asked), name) for name, agent in agents.items())


def test_hostile_agents_take_neither_memory_nor_time(agents, config, run):
    settings = config({"Name": "null"})
    names = {name: f"vm{i}" for i, name in enumerate(agents)}
    settings.service |= {
        "Agent_Gauges": "poll",
        "Agents": ", ".join(
            f"n/{names[name]}/agent=127.0.0.1:{agent.port}"
            for name, agent in agents.items()
        ),
        "Agent_Ports": f"9464{METRICS}",
        "Agent_Poll_Interval": 1,
        "Agent_Poll_Timeout": 1,
    }
    towline = run(settings)
    until(
        lambda: len(towline.samples("app_agent_connected")) == len(agents),
        late(agents),
    )
    calm, few = peak(towline), descriptors(towline)
    for name, page in (REFUSED | TAKEN).items():
        agents[name].pages = {METRICS: page}
    for name in "hangs", "trickles":
        agents[name].pages = {METRICS: getattr(agents[name], name)}
    until(polled(agents, POLLS), late(agents), 240)
    # Eight requests at a time, each with libcurl's buffers and an object of 256 KiB twice.
    assert SANITIZED or peak(towline) - calm < 8 * (192 + 512) * 1024, towline.said()
    assert descriptors(towline) < few + 10  # a request has one
    for name in TAKEN:
        until(
            lambda pod=names[name]: value(towline, "app_open_sessions", pod=pod) == 7,
            name,
        )
        assert value(towline, "app_agent_status", pod=names[name]) == 1
    for name in [*REFUSED, "hangs", "trickles"]:
        until(
            lambda pod=names[name]: value(towline, "app_agent_status", pod=pod) == 0,
            name,
        )
        assert value(towline, "app_open_sessions", pod=names[name]) is None, name
    asked = len(agents["honest"].asked)
    until(lambda: len(agents["honest"].asked) > asked + 2, late(agents))
    until(
        lambda: value(towline, "app_open_sessions", pod=names["honest"]) == 6, "honest"
    )
    assert "9" * 200 not in towline.metrics_page()
    towline.stop()
