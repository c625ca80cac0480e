"""The reference document's Fluent Bit configuration, not a byte changed: its
paths, its host names and its ports are made true by namespaces of the test's
own.  In a chroot, where nothing can be mounted privately, /var/log, /etc/hosts and
/var/run/secrets of the chroot are used themselves."""

import contextlib
import os
import pathlib
import shutil
import uuid

import pytest
from harness import once, queries
from harness.namespace import Namespace, can_mount
from harness.node import Node
from harness.towline import Towline, towline

REFERENCE = pathlib.Path(__file__).parents[1] / "fixtures/reference/fluent-bit.conf"
CONFIG_MAP = pathlib.Path(__file__).parents[2] / "conf/kubernetes/base/towline.conf"
SECRETS = pathlib.Path(os.path.realpath("/var/run"), "secrets")
HOSTS = """127.0.0.1 localhost
127.0.0.1 elasticsearch.logging.svc
127.0.0.1 kubernetes.default.svc
"""
# Maven has no analysis-common for Elasticsearch: labels match whole there.
APPS = {"opensearch": "matillion-agent-pods", "elasticsearch": "matillion-agent"}


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


@contextlib.contextmanager
def shipped(file, state, ports, mounts, **environment):
    namespace = Namespace(ports, mounts)
    shipper = Towline(
        pathlib.Path(file),
        "--state",
        state,
        namespace=namespace,
        environment=environment,
    )
    try:
        yield shipper.start()
    finally:
        shipper.kill()


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
        with shipped(file, tmp_path / "state", {9200: server.port}, mounts) as shipper:
            index.until_count(agent.records)
            queries.check(index, agent.truth)
            shipper.stop()
    index.delete()


@contextlib.contextmanager
def secrets(tmp_path, account):
    """What a pod of the account has below /var/run/secrets, and what must be mounted
    for that."""
    here = tmp_path / "run/secrets" if can_mount() else SECRETS
    if not can_mount() and SECRETS.exists():
        pytest.skip(f"no private mounts here, and {SECRETS} is in use")
    folder = here / "kubernetes.io/serviceaccount"
    folder.mkdir(parents=True)
    try:
        (folder / "token").write_text(account.token())
        (folder / "namespace").write_text(account.namespace)
        shutil.copy(account.kube.certificates.ca, folder / "ca.crt")
        yield {here.parent: SECRETS.parent} if can_mount() else {}
    finally:
        shutil.rmtree(here)


@pytest.mark.parametrize("source", [REFERENCE, CONFIG_MAP], ids=["document", "map"])
def test_unchanged_both_queries_find_the_agents_by_their_label(
    agents, server, kube, source, tmp_path
):
    """Whole, as the document has them, and as the manifests' ConfigMap has it.  A pod
    of the name that Path reads, with the same lines and another label, is left out."""
    file = shutil.copy(source, tmp_path / "fluent-bit.conf")
    agent = agents("spring")
    index = server.index("matillion-agent-logs")
    index.delete()
    account = kube.account(kube.namespace())
    account.grant()
    host = f"node-{uuid.uuid4().hex[:8]}"
    pods = [
        kube.pod(account.namespace, f"matillion-agent-{n}", host, labels={"app": app})
        for n, app in enumerate([APPS[server.product], "datadog-agent"])
    ]
    ports = {9200: server.port, 443: kube.port}
    with var_log(tmp_path) as (node, logs), secrets(tmp_path, account) as run:
        for pod in pods:
            node.adopt_as(pod, agent.node)
        with shipped(
            file, tmp_path / "state", ports, logs | run, NODE_NAME=host
        ) as shipper:
            index.until_count(2 * agent.records)
            other = {"term": {"kubernetes.labels.app.keyword": "datadog-agent"}}
            assert index.count(other) == agent.records
            queries.check(index, agent.truth, queries.of_agents)
            shipper.stop()
    index.delete()
