"""Fixtures of the end-to-end tests.  Servers and agents are started when first
asked for and shared; every test has its own tree, state, configuration and index.

Tests run two at a time: two processes, which take test after test from one list
(pytest-xdist, --dist loadgroup).  A session's fixture is made once in each of
them.  A new test is safe without further work when it
- writes below tmp_path, listens at port 0, and has every name on a shared
  server from a fixture or made unique; a server's settings as a whole (cluster,
  templates of fixed names) are changed on own_server, or on the process' own
  shared one and put back: no other test uses that one meanwhile;
- waits for a condition (harness/wait.py), so that a busy CPU makes it late and
  not wrong; time that a promise gives in seconds, and CPU time that is compared,
  are measured in a test that is marked `alone`: no other test runs beside it;
- takes what the machine has once (a folder of the system, a fixed port) within
  `with once.held(PATH)`.
All tests of one product's shared server run in one process, the largest groups
first, so that no more servers are started than with one process; an agent's run
is made by the process that needs it first.  `make e2e ARGS='-n 0 ...'` runs
everything in one process, as --pdb and -s want it."""

import socket
import uuid

import pytest
from harness import agent, once
from harness.fake_agent import FakeAgent
from harness.kube import Kube, built
from harness.node import Node
from harness.relay import Relay
from harness.server import Server
from harness.sink import Sink
from harness.table import Table
from harness.towline import Config, Towline
from harness.watched import Watched

PRODUCTS = ["opensearch", "elasticsearch"]


def pytest_collection_finish(session):
    """What takes minutes to build is built before any test's time runs."""
    used = {name for item in session.items for name in item.fixturenames}
    programs = list(Kube.PROGRAMS) if used & {"kube", "own_kube", "cluster"} else []
    if "cluster" in used:  # test_apply.py
        programs += Kube.MANAGERS
    for name in programs:
        built(name)


@pytest.hookimpl(tryfirst=True)  # pytest-xdist's own reads the marks
def pytest_collection_modifyitems(items):
    """The tests that one process must run: those of a shared server, those alone."""
    for item in items:
        if "servers" in item.fixturenames:
            params = item.callspec.params if hasattr(item, "callspec") else {}
            group = params.get("server", PRODUCTS[0])
            item.add_marker(pytest.mark.xdist_group(group))
        elif item.get_closest_marker("alone"):
            item.add_marker(pytest.mark.xdist_group("alone"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    with once.turn(alone=item.get_closest_marker("alone") is not None):
        return (yield)


@pytest.fixture(scope="session")
def servers(tmp_path_factory):
    """The shared server of a product, by its name."""
    running = {}

    def get(product):
        if product not in running:
            running[product] = Server(product, tmp_path_factory.mktemp(product)).start()
        return running[product]

    yield get
    for server in running.values():
        server.stop()


@pytest.fixture
def own_server(tmp_path):
    """A server of the test's own, to be stopped, killed, started with settings."""
    made = []

    def start(product, *settings):
        made.append(Server(product, tmp_path / f"server{len(made)}", *settings))
        return made[-1].start()

    yield start
    for server in made:
        server.kill()


@pytest.fixture(scope="session")
def kube(tmp_path_factory):
    """The shared API server.  Tests have namespaces and node names of their own."""
    shared = Kube(tmp_path_factory.mktemp("kube") / "server")
    try:
        yield shared.start()
    finally:
        shared.end()


@pytest.fixture
def own_kube(tmp_path):
    """An API server of the test's own, to be stopped, killed, started with arguments."""
    made = []

    def start(*arguments):
        made.append(Kube(tmp_path / f"kube{len(made)}", *arguments))
        return made[-1].start()

    yield start
    for kube in made:
        kube.end()


@pytest.fixture
def sinks():
    """Servers that count documents by id, each at a port of its own or a given one."""
    made = []

    def start(port=0):
        made.append(Sink(port))
        return made[-1]

    yield start
    for sink in made:
        sink.end()


@pytest.fixture
def watched_by(settings, node):
    """A node that towline reads, of an API server."""
    return lambda kube, **options: Watched(kube, settings, node, **options)


@pytest.fixture
def watched(kube, watched_by):
    """One of the shared API server."""
    return watched_by(kube)


@pytest.fixture
def relay(watched):
    """Towline's way to the shared API server, to be cut."""
    made = Relay(watched.kube.port)
    watched.filter["Kube_URL"] = f"https://127.0.0.1:{made.port}"
    yield made
    made.kill()


@pytest.fixture(params=PRODUCTS)
def server(request, servers):
    """The test runs once against each product."""
    return servers(request.param)


@pytest.fixture
def index(server):
    made = server.index(f"matillion-agent-logs-{uuid.uuid4().hex[:8]}")
    yield made
    made.delete()


@pytest.fixture
def dead_port():
    """Bound, so that nobody else listens there, and refused."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def node(tmp_path):
    return Node(tmp_path / "log")


@pytest.fixture
def es(index):
    """The [OUTPUT] for the index."""
    return {
        "Name": index.server.output,
        "Host": "127.0.0.1",
        "Port": index.server.port,
    } | {"Index": index.name}


@pytest.fixture
def config(tmp_path, node):
    return lambda *outputs: Config.of(tmp_path, node, *outputs)


@pytest.fixture
def table(tmp_path):
    """What the sqlite output has written: table.output."""
    return Table(tmp_path / "logs.db")


@pytest.fixture
def settings(table, config):
    """Into the table."""
    return config(table.output)


@pytest.fixture(name="agent")
def fake_agent():
    """It answers as an agent of the newest age does, at a port of its own."""
    made = FakeAgent()
    yield made
    made.close()


@pytest.fixture
def run():
    """Start towline; what the test leaves running is ended."""
    made = []

    def start(config, *arguments, wait=True, **options):
        made.append(Towline(config, *arguments, **options))
        return made[-1].start(wait)

    yield start
    for towline in made:
        towline.end()


@pytest.fixture(scope="session")
def agents(tmp_path_factory):
    """The shared run of the stand-in agent in an encoding."""

    def get(encoding):
        folder = once.folder(tmp_path_factory, encoding)
        with once.held(folder):
            if (folder / "truth.json").exists():
                return agent.finished(folder)
            return agent.finish(*agent.start(folder, encoding))

    return get
