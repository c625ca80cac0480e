"""Which node's pods are asked for: what is told of it, or towline's own pod."""

import os

import pytest
from harness.namespace import needs
from harness.watched import labels, until_labels


@pytest.fixture
def watched(watched):
    del watched.filter["Kube_Node_Name"]
    watched.filter |= {"Pod_Wait": 0, "API_Wait": 60}
    return watched


def test_node_name_says_it(watched, table, run):
    watched.running("a line", labels={"app": "a"})
    towline = run(watched.config, environment={"NODE_NAME": watched.host})
    assert labels(table, "a line") == {"app": "a"}
    towline.until_said(f"pods of node {watched.host} are known")
    assert towline.metric("towline_kube_requests_total", verb="list") == 0


def test_towlines_own_pod_says_it(watched, table, run):
    own = watched.pod("towline-x7k2p")
    watched.running("a line", labels={"app": "a"})
    named = {"POD_NAME": own.name, "POD_NAMESPACE": own.namespace}
    towline = run(watched.config, environment=named)
    assert labels(table, "a line") == {"app": "a"}
    towline.until_said(f"pods of node {watched.host} are known")


def test_the_host_name_and_the_mounted_namespace_find_it(watched, table, run, tmp_path):
    """A pod's host name is its own."""
    (tmp_path / "namespace").write_text(f"{watched.namespace}\n")
    watched.filter["Kube_Namespace_File"] = tmp_path / "namespace"
    own = watched.pod("towline-x7k2p")
    watched.running("a line", labels={"app": "a"})
    user = [] if os.geteuid() == 0 else ["-r"]
    needs(*user, "--uts")
    named = ["sh", "-c", 'hostname "$0" && exec "$@"', own.name]
    run(watched.config, under=["unshare", *user, "--uts", *named])
    assert labels(table, "a line") == {"app": "a"}


def test_a_pod_that_the_api_does_not_know_yet_is_asked_for_again(watched, table, run):
    watched.filter["API_Wait"] = 1
    _, log = watched.running("a line", labels={"app": "a"})
    named = {"POD_NAME": "towline-x7k2p", "POD_NAMESPACE": watched.namespace}
    towline = run(watched.config, environment=named)
    assert labels(table, "a line") is None
    towline.until_said("knows no pod of our name that has a node: set NODE_NAME")
    status, why = towline.get("/readyz")
    assert status == 503 and "set NODE_NAME" in why
    watched.pod(named["POD_NAME"])
    until_labels(table, log, {"app": "a"})
    towline.until_ready()


def test_without_any_nothing_waits_and_it_is_said(watched, table, run):
    watched.filter["Kube_Namespace_File"] = "/nonexistent"
    watched.running("a line", labels={"app": "a"})
    towline = run(watched.config)
    assert labels(table, "a line") is None
    said = "this node's name is not known: set NODE_NAME"
    towline.until_said(said)
    status, why = towline.get("/readyz")
    assert status == 503 and said in why and "POD_NAME and POD_NAMESPACE" in why
    assert towline.metric("towline_kube_requests_total") == 0
