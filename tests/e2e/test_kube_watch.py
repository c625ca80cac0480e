"""What is asked of the API server: one list and one watch, in the words that the
server understands, and anew when it has forgotten what came before."""

import json

import pytest
from harness.kube import RBAC, Kube
from harness.pod import MERGE, owner
from harness.relay import Relay
from harness.server import Refused
from harness.wait import until
from harness.watched import labels, until_labels, up

pytestmark = pytest.mark.xdist_group("kube_watch")  # with servers of their own

REQUESTS = "towline_kube_requests_total"
POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [{"level": "Metadata"}],
}


class Audited(Kube):
    """It writes down who has asked for what."""

    def __init__(self, folder, *arguments):
        super().__init__(
            folder,
            "--audit-policy-file=policy.json",
            "--audit-log-path=audit.log",
            *arguments,
        )
        (folder / "policy.json").write_text(json.dumps(POLICY))

    def asked(self, user):
        """Each request once: verb, resource or path, status."""
        requests = {}
        whole, _, _ = (self.folder / "audit.log").read_text().rpartition("\n")
        for line in whole.splitlines():
            event = json.loads(line)
            resource = event.get("objectRef", {}).get("resource")
            what = event["verb"], resource or event["requestURI"]
            if event["user"]["username"] == user:
                status = event["responseStatus"]["code"]
                requests.setdefault(event["auditID"], (*what, status))
        return list(requests.values())


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    server = Audited(tmp_path_factory.mktemp("kube") / "audited")
    try:
        yield server.start()
    finally:
        server.end()


@pytest.fixture(scope="module")
def forgetful(tmp_path_factory):
    """It has no history but etcd's, and lists are not streamed."""
    server = Kube(
        tmp_path_factory.mktemp("kube") / "forgetful",
        "--watch-cache-sizes=pods#0",
        "--feature-gates=WatchList=false",
    )
    try:
        yield server.start()
    finally:
        server.end()


def owned(watched):
    """Pods whose owners are of every kind, with a line each."""
    owners = [("ReplicaSet", "a-5d8f7"), ("Job", "b-29391840"), ("DaemonSet", "c")]
    for kind, name in owners:
        watched.running(name, ownerReferences=[owner(kind, name)], labels={"of": name})
    return [name for _, name in owners]


def asked(watched, want):
    """All that was, watches that have begun among it."""
    user = watched.account.user
    return until(
        lambda: len(watched.kube.asked(user)) >= want and watched.kube.asked(user),
        lambda: watched.kube.asked(user),
    )


def test_a_streamed_list_is_the_watch_and_nothing_else_is_asked(
    audited, watched_by, table, run
):
    watched = watched_by(audited)
    names = owned(watched)
    towline = up(run(watched.config))
    for name in names:
        assert labels(table, name) == {"of": name}
    assert table.document("b-29391840")["kubernetes"]["cronjob_name"] == "b"
    assert asked(watched, 2) == [("get", "/version", 200), ("watch", "pods", 200)]
    assert towline.by(REQUESTS, "verb") == {"get": 1, "watch": 1}


def test_a_server_that_hides_its_version_is_asked_for_a_plain_list(
    audited, watched_by, table, run
):
    watched = watched_by(audited)
    hidden = ["system:public-info-viewer", "system:discovery"]
    bindings = [f"{RBAC}/clusterrolebindings/{name}" for name in hidden]
    subjects = [audited.ask("GET", path)["subjects"] for path in bindings]
    for path in bindings:
        audited.ask("PATCH", path, {"subjects": []}, content_type=MERGE)
    try:
        names = owned(watched)
        token = audited.account(watched.namespace, "another").token()
        until(lambda: version(audited, token) == 403, "its version is not hidden")
        towline = up(run(watched.config))
        for name in names:
            assert labels(table, name) == {"of": name}
        assert asked(watched, 3) == [
            ("get", "/version", 403),
            ("list", "pods", 200),
            ("watch", "pods", 200),
        ]
        assert towline.by(REQUESTS, "verb") == {"get": 1, "list": 1, "watch": 1}
    finally:
        for path, each in zip(bindings, subjects, strict=True):
            audited.ask("PATCH", path, {"subjects": each}, content_type=MERGE)


def version(kube, token):
    try:
        kube.ask("GET", "/version", token=token)
    except Refused as refused:
        return refused.status
    return 200


def test_a_server_that_streams_no_lists_is_asked_for_a_plain_one(
    audited, watched_by, table, run
):
    """Its version says that it does, and it answers 422."""
    audited.restart("--feature-gates=WatchList=false")
    watched = watched_by(audited)
    names = owned(watched)
    towline = up(run(watched.config))
    for name in names:
        assert labels(table, name) == {"of": name}
    assert asked(watched, 4) == [
        ("get", "/version", 200),
        ("watch", "pods", 422),
        ("list", "pods", 200),
        ("watch", "pods", 200),
    ]
    assert towline.by("towline_kube_errors_total", "reason") == {}


@pytest.fixture
def far(forgetful, watched_by):
    """A node behind a relay."""
    watched = watched_by(forgetful)
    relay = Relay(forgetful.port)
    watched.filter["Kube_URL"] = f"https://127.0.0.1:{relay.port}"
    yield watched, relay
    relay.kill()


def test_a_watch_that_cannot_go_on_is_a_list_again(far, table, run):
    """etcd was compacted while the connection was away: an ERROR event, 410."""
    watched, relay = far
    pod, log = watched.running("before", labels={"app": "0"})
    towline = up(run(watched.config))
    relay.kill()
    for value in "1", "2":
        pod.label(app=value)
    gone, its_log = watched.running("of a pod", labels={"app": "gone"})
    gone.delete()
    watched.kube.compact()
    relay.start()
    until_labels(table, log, {"app": "2"})
    up(towline)
    assert towline.by(REQUESTS, "verb")["list"] == 2
    assert towline.metric("towline_kube_errors_total", reason="gone") == 1
    assert labels(table, "of a pod") is None


def test_a_list_whose_next_page_is_gone_begins_anew(far, table, run):
    """501 pods are two pages; etcd is compacted between them."""
    watched, relay = far
    for n in range(500):
        watched.pod(f"a-{n:03}")
    _, log = watched.running("on the second page", name="z", labels={"app": "z"})
    watched.filter |= {"API_Wait": 60, "Max_Pods": 600}
    relay.most = 200_000  # the first page is larger
    towline = run(watched.config)
    until(lambda: not relay.flows.is_set(), "no page came")
    watched.kube.pod(watched.namespace)
    watched.kube.compact()
    relay.go_on()
    assert labels(table, "on the second page") == {"app": "z"}
    up(towline)
    # A streamed list is tried first, and refused.
    assert towline.metric("towline_kube_pods") == 501
    assert towline.by(REQUESTS, "verb") == {"get": 1, "list": 4, "watch": 2}
    assert towline.metric("towline_kube_errors_total", reason="gone") == 1
    assert towline.metric("towline_unenriched_records_total") == 0
