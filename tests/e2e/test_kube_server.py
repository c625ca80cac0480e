"""The API server that the tests are run against does what the client relies on."""

import itertools
import ssl
import uuid

import pytest
from harness.pod import MIRROR, mirrored, owner
from harness.server import Refused
from harness.wait import until

PODS = "/api/v1/pods"


@pytest.fixture
def namespace(kube):
    return kube.namespace()


@pytest.fixture
def host():
    """A node's name that no other test has."""
    return f"node-{uuid.uuid4().hex[:8]}"


def on(node, **query):
    query = {"fieldSelector": f"spec.nodeName={node}"} | query
    return f"{PODS}?" + "&".join(f"{key}={value}" for key, value in query.items())


def seen(events):
    return [(e["type"], e["object"]["metadata"].get("name")) for e in events]


def refusal(kube, path, **options):
    with pytest.raises(Refused) as refused:
        kube.ask("GET", path, **options)
    return refused.value.status, refused.value.answer


def test_a_list_has_the_pods_of_one_node_in_pages(kube, namespace, host):
    for name in "a", "b", "c":
        kube.pod(namespace, name, host)
    kube.pod(namespace, "elsewhere", "another-node")
    first = kube.ask("GET", on(host, limit=2))
    rest = kube.ask(
        "GET", on(host, limit=2) + f"&continue={first['metadata']['continue']}"
    )
    names = [
        [pod["metadata"]["name"] for pod in page["items"]] for page in (first, rest)
    ]
    assert names == [["a", "b"], ["c"]]
    assert "continue" not in rest["metadata"]


def test_a_watch_tells_each_change_and_a_bookmark_what_passed_elsewhere(
    kube, namespace, host
):
    version = kube.ask("GET", on(host))["metadata"]["resourceVersion"]
    pod = kube.pod(namespace, "a", host)
    path = on(host, watch=1, resourceVersion=version, allowWatchBookmarks="true")
    events = kube.watch(path + "&timeoutSeconds=10")  # the mark comes at 8 s
    told = [next(events)]
    pod.label({"app.kubernetes.io/name": "agent"})
    pod.delete(grace=43200)
    pod.delete()
    kube.pod(namespace, "elsewhere", "another-node")
    told += events
    assert told[-1]["type"] == "BOOKMARK"
    changes = [event for event in told if event["type"] != "BOOKMARK"]
    assert seen(changes) == [("ADDED", "a"), *[("MODIFIED", "a")] * 3, ("DELETED", "a")]
    objects = [event["object"]["metadata"] for event in changes]
    assert objects[1]["labels"] == {"app.kubernetes.io/name": "agent"}
    graces = [each.get("deletionGracePeriodSeconds") for each in objects]
    assert graces == [None, None, 43200, 0, 0]


def test_a_streaming_list_says_where_it_ends(kube, namespace, host):
    kube.pod(namespace, "a", host)
    path = on(host, watch=1, sendInitialEvents="true", allowWatchBookmarks="true")
    path += "&resourceVersionMatch=NotOlderThan"
    pod, end = itertools.islice(kube.watch(path), 2)
    assert seen([pod, end]) == [("ADDED", "a"), ("BOOKMARK", None)]
    marks = end["object"]["metadata"]["annotations"]
    assert marks == {"k8s.io/initial-events-end": "true"}


def test_rights_are_given_and_revoked(kube, namespace):
    account = kube.account(namespace)
    token = account.token()
    status, answer = refusal(kube, PODS, token=token)
    assert status == 403
    assert answer["message"] == (
        f'pods is forbidden: User "{account.user}" cannot list resource "pods" in API '
        'group "" at the cluster scope'
    )
    grant = account.grant(verbs=["list"])
    assert kube.ask("GET", PODS, token=token)["kind"] == "PodList"
    assert refusal(kube, PODS + "?watch=1", token=token)[0] == 403
    grant.revoke()
    assert refusal(kube, PODS, token=token)[0] == 403
    grant.bind()
    assert kube.ask("GET", PODS, token=token)["kind"] == "PodList"


def test_tokens_that_are_not_taken(kube, namespace):
    account = kube.account(namespace)
    account.grant()
    for token in account.minted(600), account.minted(-30):
        assert kube.ask("GET", PODS, token=token)["kind"] == "PodList"
    assert refusal(kube, PODS, token=account.minted(-70))[0] == 401
    assert refusal(kube, PODS, token="nonsense")[0] == 401
    assert refusal(kube, PODS, token="")[0] == 403


def test_a_pods_logs_have_its_uid_and_its_status_their_id(kube, namespace, host, node):
    pod = kube.pod(
        namespace, node=host, ownerReferences=[owner("ReplicaSet", "agent-5d8f7c")]
    )
    log = pod.log(node)
    log.restarts()
    pod.runs(log, image="registry.example/agent:2")
    read = pod.read()
    folder = f"{namespace}_{pod.name}_{read['metadata']['uid']}/matillion-agent"
    assert log.link.resolve() == (node.root / "pods" / folder / "1.log").resolve()
    status = read["status"]["containerStatuses"][0]
    assert status["restartCount"] == 1
    assert status["image"] == "registry.example/agent:2"
    assert log.link.name.endswith(
        f"-{status['containerID'].removeprefix('containerd://')}.log"
    )
    assert read["metadata"]["ownerReferences"][0]["name"] == "agent-5d8f7c"


def test_a_static_pods_logs_have_the_hash_of_its_mirror(kube, namespace, host, node):
    pod = kube.pod(namespace, node=host, annotations=mirrored())
    digest = pod.read()["metadata"]["annotations"][MIRROR]
    assert digest != pod.uid
    assert pod.log(node).folder.parent.name == f"{namespace}_{pod.name}_{digest}"


def test_what_was_compacted_is_gone(own_kube):
    kube = own_kube("--watch-cache-sizes=pods#0")
    namespace = kube.namespace()
    pods = [kube.pod(namespace) for _ in range(2)]
    page = kube.ask("GET", on("node1", limit=1))["metadata"]
    for value in "1", "2":
        pods[0].label(changed=value)
    kube.compact()
    version = page["resourceVersion"]
    events = list(kube.watch(on("node1", watch=1, resourceVersion=version)))
    assert [event["type"] for event in events] == ["ERROR"]
    assert events[0]["object"]["code"] == 410
    status, answer = refusal(
        kube, on("node1", limit=1) + f"&continue={page['continue']}"
    )
    assert (status, answer["reason"]) == (410, "Expired")
    rest = kube.ask(
        "GET", on("node1", limit=1) + f"&continue={answer['metadata']['continue']}"
    )
    assert len(rest["items"]) == 1


def test_a_server_that_was_away_has_its_port_and_objects_but_no_history(own_kube):
    kube = own_kube()
    namespace = kube.namespace()
    account = kube.account(namespace)
    account.grant()
    token, port = account.token(), kube.port
    kube.pod(namespace, "a", "node1")
    kube.stop()
    with pytest.raises(ConnectionRefusedError):
        kube.ask("GET", PODS)
    old = kube.certificates.client()
    kube.certificates.authority()
    kube.certificates.server()
    kube.arguments += ["--feature-gates=WatchList=false"]
    kube.start()
    assert kube.port == port
    items = kube.ask("GET", on("node1"), token=token)["items"]
    assert [item["metadata"]["name"] for item in items] == ["a"]
    # Its watch cache begins now.
    events = list(kube.watch(on("node1", watch=1, resourceVersion=1), token=token))
    assert [event["object"]["code"] for event in events] == [410]
    streaming = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    assert refusal(kube, on("node1", watch=1) + streaming)[0] == 422
    kube.certificates.client = lambda: old
    kube.idle.clear()
    with pytest.raises(ssl.SSLCertVerificationError):
        kube.ask("GET", PODS)


def test_controllers_make_the_pods_of_a_daemonset(own_kube):
    kube = own_kube()
    namespace = kube.namespace()
    kube.node("node1")
    kube.manage()
    labels = {"app": "towline"}
    containers = [{"name": "towline", "image": "registry.example/towline:1"}]
    template = {"metadata": {"labels": labels}, "spec": {"containers": containers}}
    daemonset = {
        "metadata": {"name": "towline"},
        "spec": {"selector": {"matchLabels": labels}, "template": template},
    }
    path = f"/apis/apps/v1/namespaces/{namespace}/daemonsets"
    with pytest.raises(Refused, match=r'unknown field \\?"spec.selectors'):
        kube.ask(
            "POST",
            f"{path}?fieldValidation=Strict&dryRun=All",
            daemonset | {"spec": daemonset["spec"] | {"selectors": {}}},
        )
    kube.ask("POST", path, daemonset)
    items = until(lambda: kube.ask("GET", on("node1"))["items"], "no pod on node1")
    assert items[0]["metadata"]["ownerReferences"][0]["kind"] == "DaemonSet"
