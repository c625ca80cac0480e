"""The reference document's Fluent Bit configuration, not a byte changed: its
path, its host name and its port are made true by namespaces of the test's own.
In a chroot, where nothing can be mounted privately, /var/log and /etc/hosts of
the chroot are used themselves."""

import contextlib
import pathlib
import shutil

import pytest
from harness import once, queries
from harness.namespace import Namespace, can_mount
from harness.node import Node
from harness.towline import Towline, towline

REFERENCE = pathlib.Path(__file__).parents[1] / "fixtures/reference/fluent-bit.conf"
HOSTS = "127.0.0.1 localhost\n127.0.0.1 elasticsearch.logging.svc\n"


@contextlib.contextmanager
def var_log(tmp_path):
    """The node under /var/log, and what must be mounted for that."""
    if can_mount():
        hosts = tmp_path / "hosts"
        hosts.write_text(HOSTS)
        node = Node(tmp_path / "log", link_root="/var/log")
        yield node, {node.root: "/var/log", hosts: "/etc/hosts"}
    else:
        with once.held("/var/log"), var_log_itself() as node:
            yield node, {}


@contextlib.contextmanager
def var_log_itself():
    for name in "containers", "pods":
        if pathlib.Path("/var/log", name).exists():
            pytest.skip(f"no private mounts here, and /var/log/{name} is in use")
    hosts = pathlib.Path("/etc/hosts")
    before = hosts.read_text() if hosts.exists() else ""
    try:
        hosts.write_text(HOSTS)
        yield Node("/var/log")
    finally:
        hosts.write_text(before)
        for name in "containers", "pods":
            shutil.rmtree(f"/var/log/{name}")


@pytest.fixture
def file(tmp_path):
    return shutil.copy(REFERENCE, tmp_path / "fluent-bit.conf")


def test_it_is_right_as_it_stands(file):
    """A missing CA or token is a warning, and parsers.conf is the installed one."""
    done = towline("check", "-c", file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ca.crt" in done.stdout + done.stderr


def test_unchanged_it_indexes_and_both_queries_answer_the_truth(
    agents, server, file, tmp_path
):
    agent = agents("spring")
    index = server.index("matillion-agent-logs")
    index.delete()
    with var_log(tmp_path) as (node, mounts):
        node.adopt(agent.node)
        namespace = Namespace({9200: server.port}, mounts)
        shipper = Towline(
            pathlib.Path(file), "--state", tmp_path / "state", namespace=namespace
        )
        try:
            shipper.start()
            index.until_count(agent.records)
            queries.check(index, agent.truth)
            shipper.stop()
        finally:
            shipper.kill()
    index.delete()
