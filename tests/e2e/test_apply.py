"""conf/kubernetes and the chart on a real API server: every object is taken with
strict field validation, a DaemonSet's pods are made where they should be, and what
the pods' account may do is what the manifests say."""

import json
import uuid

import pytest
from harness import manifests
from harness.kube import Kube
from harness.manifests import (
    CHART,
    KUBERNETES,
    OVERLAYS,
    chart,
    helm,
    kustomize,
    pick,
)
from harness.pod import MERGE
from harness.server import Refused
from harness.wait import until, until_equal
from test_chart import NAMES, VALUES

pytestmark = pytest.mark.xdist_group("cluster")  # one process has the cluster

GROUPS = {
    "ClusterRole": "rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/v1/clusterrolebindings",
    "ConfigMap": "v1/configmaps",
    "DaemonSet": "apps/v1/daemonsets",
    "Namespace": "v1/namespaces",
    "NetworkPolicy": "networking.k8s.io/v1/networkpolicies",
    "Pod": "v1/pods",
    "PriorityClass": "scheduling.k8s.io/v1/priorityclasses",
    "Service": "v1/services",
    "ServiceAccount": "v1/serviceaccounts",
}
# Of operators that this server does not have.
FOREIGN = {"PodMonitor", "ServiceMonitor", "SecurityContextConstraints"}


def post(kube, made, **query):
    """Create it, or (dryRun="All") only have it judged; unknown fields are refused."""
    version, _, plural = GROUPS[made["kind"]].rpartition("/")
    assert made["apiVersion"] == version
    path = f"/{'api' if version == 'v1' else 'apis'}/{version}/"
    if space := made["metadata"].get("namespace"):
        path += f"namespaces/{space}/"
    query = "&".join(
        f"{k}={v}" for k, v in {"fieldValidation": "Strict", **query}.items()
    )
    return kube.ask("POST", f"{path}{plural}?{query}", made)


def judged(kube, objects):
    for made in objects:
        if made["kind"] not in FOREIGN:
            post(kube, made, dryRun="All")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """An API server with the namespaces of the manifests, controllers, a scheduler."""
    kube = Kube(tmp_path_factory.mktemp("cluster") / "server")
    try:
        kube.start()
        kube.manage()
        post(kube, pick(kustomize(), "Namespace"))
        for name in "matillion", "one", "two":
            kube.ask("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        yield kube
    finally:
        kube.end()


def space_of(kube, level=None):
    """A new namespace's name; the controllers make its default account."""
    name = f"n{uuid.uuid4().hex[:8]}"
    enforce = {"pod-security.kubernetes.io/enforce": level} if level else {}
    kube.ask(
        "POST", "/api/v1/namespaces", {"metadata": {"name": name, "labels": enforce}}
    )
    return name


def until_account(kube, space):
    def there():
        return kube.ask("GET", f"/api/v1/namespaces/{space}/serviceaccounts")["items"]

    until(there, "no default account")


# ---- every object


@pytest.mark.parametrize("name", ["base", *(f"overlays/{o}" for o in OVERLAYS)])
def test_the_server_takes_every_object(cluster, name):
    objects = [o for o in kustomize(KUBERNETES / name) if o["kind"] != "Namespace"]
    assert len(objects) == 8
    judged(cluster, objects)


def test_the_server_takes_the_agents_policy(cluster):
    (policy,) = manifests.load((KUBERNETES / "agents-networkpolicy.yaml").read_text())
    policy["metadata"]["namespace"] = "matillion"
    judged(cluster, [policy])


@pytest.mark.parametrize("values", [values for values, _ in VALUES], ids=NAMES)
def test_the_server_takes_what_the_chart_makes(cluster, values):
    judged(cluster, chart(values))


def test_the_server_takes_the_test_pod_whatever_the_level(cluster):
    """`helm test` asks from a pod that needs nothing of the namespace."""
    done = helm(
        "template", "towline", CHART, "--show-only", "templates/tests/ready.yaml"
    )
    (hook,) = manifests.load(done.stdout)
    hook["metadata"]["namespace"] = space = space_of(cluster, "restricted")
    until_account(cluster, space)
    judged(cluster, [hook])


def test_it_would_not_take_a_field_that_it_does_not_know(cluster):
    wrong = pick(kustomize(), "DaemonSet")
    wrong["spec"]["template"]["spec"]["hostNetwrk"] = True
    with pytest.raises(Refused, match="hostNetwrk"):
        post(cluster, wrong, dryRun="All")


# ---- its pods


def applied(kube, objects, space):
    """Apply them for real, in a namespace of the test's own."""
    text = json.dumps(objects).replace(
        '"namespace": "towline"', f'"namespace": "{space}"'
    )
    for made in json.loads(text):
        if made["kind"] in ("ServiceAccount", "ConfigMap", "DaemonSet"):
            post(kube, made)


@pytest.fixture
def nodes(cluster):
    """Nodes of every kind, and which of them get a pod."""
    made = {
        "plain": {},
        "tainted": {},
        "fargate": {"eks.amazonaws.com/compute-type": "fargate"},
        "virtual": {"type": "virtual-kubelet"},
        "windows": {"kubernetes.io/os": "windows"},
    }
    for name, labels in made.items():
        cluster.node(name, **({"kubernetes.io/os": "linux"} | labels))
    taint = {"key": "agents", "value": "only", "effect": "NoExecute"}
    cluster.ask(
        "PATCH",
        "/api/v1/nodes/tainted",
        {"spec": {"taints": [taint]}},
        content_type=MERGE,
    )
    yield ["plain", "tainted"]
    for name in made:
        cluster.ask("DELETE", f"/api/v1/nodes/{name}")


def pods(kube, space):
    return kube.ask("GET", f"/api/v1/namespaces/{space}/pods")["items"]


def test_every_node_that_has_logs_gets_a_pod(cluster, nodes):
    space = space_of(cluster, "privileged")
    post_priority(cluster)
    applied(cluster, kustomize(), space)
    until_equal(
        lambda: sorted(p["spec"].get("nodeName", "?") for p in pods(cluster, space)),
        nodes,
        30,
    )
    path = f"/apis/apps/v1/namespaces/{space}/daemonsets/towline"
    until_equal(
        lambda: cluster.ask("GET", path)["status"]["desiredNumberScheduled"],
        len(nodes),
        30,
    )


def post_priority(kube):
    """The class must be there before a pod that names it."""
    try:
        post(kube, pick(kustomize(), "PriorityClass"))
    except Refused as refused:
        assert refused.status == 409, refused


@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_a_namespace_of_another_level_refuses_them(cluster, nodes, level):
    """Why there is a namespace of its own: the agents' would refuse it."""
    space = space_of(cluster, level)
    post_priority(cluster)
    applied(cluster, kustomize(), space)

    def refused():
        events = cluster.ask("GET", f"/api/v1/namespaces/{space}/events")["items"]
        return [e for e in events if "hostPath" in e["message"]]

    until(refused, lambda: cluster.ask("GET", f"/api/v1/namespaces/{space}/events"), 20)
    assert pods(cluster, space) == []


# ---- its rights


def allowed(kube, user, verb, resource, **more):
    group, _, resource = (
        resource.rpartition("/") if "." in resource else ("", "", resource)
    )
    resource, _, below = resource.partition("/")
    attributes = {"verb": verb, "resource": resource, "subresource": below}
    attributes |= {"group": group, **more}
    review = {"spec": {"user": user, "resourceAttributes": attributes}}
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    return kube.ask("POST", path, review)["status"]["allowed"]


VERBS = ["get", "list", "watch", "create", "update", "patch", "delete"]
RESOURCES = ["pods", "pods/log", "pods/exec", "namespaces", "nodes", "nodes/proxy"]
RESOURCES += ["secrets", "configmaps", "events", "apps/replicasets", "batch/jobs"]


@pytest.mark.parametrize(
    ("values", "more"),
    [
        ({}, set()),
        ({"kubernetes": {"namespaceMetadata": True}}, {("get", "namespaces")}),
        ({"kubernetes": {"nodeMetadata": True}}, {("get", "nodes")}),
    ],
    ids=str,
)
def test_the_account_may_read_pods_and_nothing_else(cluster, values, more):
    kube, name = cluster, f"t{uuid.uuid4().hex[:8]}"
    made = chart({**values, "fullnameOverride": name})
    for kind in "ClusterRole", "ClusterRoleBinding":
        post(kube, pick(made, kind))
    user = f"system:serviceaccount:towline:{name}"
    want = {("list", "pods"), ("watch", "pods")} | more
    until(lambda: allowed(kube, user, "list", "pods"), "the binding does not hold")
    found = {
        (verb, resource)
        for resource in RESOURCES
        for verb in VERBS
        if allowed(kube, user, verb, resource)
    }
    assert found == want
    assert not allowed(kube, "system:serviceaccount:towline:default", "list", "pods")


# ---- helm


def release(kube, command, space, *arguments, values=None):
    """helm COMMAND for the release towline in a namespace, against the server."""
    command = [command, "towline", *arguments, "-n", space]
    return helm(*command, "--kubeconfig", kube.kubeconfig, values=values)


def test_a_namespace_without_the_label_is_refused_by_name(cluster):
    space = space_of(cluster)
    done = release(cluster, "install", space, CHART)
    assert done.returncode == 1
    assert f'Namespace "{space}" is not labelled' in done.stderr
    assert "kubectl apply -f conf/kubernetes/base/namespace.yaml" in done.stderr
    assert "skipNamespaceCheck=true" in done.stderr
    assert (
        release(cluster, "install", space_of(cluster, "baseline"), CHART).returncode
        == 1
    )
    go_on = {"skipNamespaceCheck": True, "priorityClassName": "system-node-critical"}
    go_on["rbac"] = {"create": False}
    done = release(cluster, "install", space, CHART, values=go_on)
    assert done.returncode == 0, done.stderr
    assert release(cluster, "uninstall", space).returncode == 0


def test_install_upgrade_and_going_back(own_kube):
    kube = own_kube()
    post(kube, pick(kustomize(), "Namespace"))
    done = release(kube, "install", "towline", CHART)
    assert done.returncode == 0, done.stderr
    for line in "logs daemonset/towline -c check", "make image", "helm -n towline test":
        assert line in done.stdout

    def template():
        path = "/apis/apps/v1/namespaces/towline/daemonsets/towline"
        return kube.ask("GET", path)["spec"]["template"]

    first = template()
    null = {"config": {"outputs": "[OUTPUT]\n    Name null\n    Match *\n"}}
    done = release(kube, "upgrade", "towline", CHART, values=null)
    assert done.returncode == 0, done.stderr
    assert template() != first
    assert release(kube, "rollback", "towline", "1").returncode == 0
    assert template() == first
    assert release(kube, "uninstall", "towline").returncode == 0


def test_the_chart_takes_over_what_kubectl_applied(own_kube):
    """Names and selectors are the same; nothing is made anew."""
    kube = own_kube()
    for made in kustomize():
        post(kube, made)
    path = "/apis/apps/v1/namespaces/towline/daemonsets/towline"
    before = kube.ask("GET", path)["metadata"]
    done = release(kube, "install", "towline", CHART, "--take-ownership")
    assert done.returncode == 0, done.stderr
    after = kube.ask("GET", path)["metadata"]
    assert after["uid"] == before["uid"]
    assert after["labels"]["app.kubernetes.io/managed-by"] == "Helm"


# ---- its rights, used


@pytest.fixture
def labelled(config, table, node, tmp_path):
    """towline with the manifests' rights, less some verbs, on a node with one labelled
    agent: its configuration, the pod and its log."""

    def make(kube, *without):
        space = f"n{uuid.uuid4().hex[:8]}"
        kube.ask("POST", "/api/v1/namespaces", {"metadata": {"name": space}})
        made = chart({"fullnameOverride": space}, namespace=space)
        rule = pick(made, "ClusterRole")["rules"][0]
        rule["verbs"] = [verb for verb in rule["verbs"] if verb not in without]
        for kind in "ServiceAccount", "ClusterRole", "ClusterRoleBinding":
            post(kube, pick(made, kind))
        path = f"/api/v1/namespaces/{space}/serviceaccounts/{space}/token"
        answer = kube.ask("POST", path, {"spec": {"expirationSeconds": 600}})
        (tmp_path / "token").write_text(answer["status"]["token"])
        pod = kube.pod(
            space,
            node=space,
            labels={"app": "matillion-agent-pods"},
            spec={"serviceAccountName": space},
        )
        settings = config(table.output)
        settings.filters[0] |= {
            "Kube_URL": kube.url,
            "Kube_CA_File": kube.certificates.ca,
            "Kube_Token_File": tmp_path / "token",
            "Kube_Node_Name": space,
            "API_Wait": "2s",
        }
        return settings, pod, pod.log(node)

    return make


def labels(table):
    return [d["kubernetes"].get("labels", {}).get("app") for d in table.documents()]


@pytest.fixture
def plain_lists(own_kube):
    """A server below 1.34, as far as it matters: it streams no lists."""
    return lambda: own_kube("--feature-gates=WatchList=false")


def test_the_role_is_enough(cluster, plain_lists, labelled, table, run):
    for kube in cluster, plain_lists():
        before = table.count()
        settings, pod, log = labelled(kube)
        settings.service["State_Path"] += f".{before}"
        log.write("hello")
        shipper = run(settings)
        table.until_count(before + 1)
        events = shipper.metric("towline_kube_events_total")
        pod.label(app="changed")
        until(
            lambda: shipper.metric("towline_kube_events_total") > events, shipper.said
        )
        log.write("again")
        table.until_count(before + 2)
        assert labels(table)[before:] == ["matillion-agent-pods", "changed"]
        shipper.stop()


@pytest.mark.parametrize("verb", ["list", "watch"])
def test_without_one_of_its_verbs_it_says_which(
    plain_lists, labelled, table, run, verb
):
    """And its lines ship all the same."""
    settings, _, log = labelled(plain_lists(), verb)
    log.write("hello")
    shipper = run(settings)
    said = shipper.until_said(r"forbids to (\w+) pods \(403\).*")
    assert said[1] == verb and "conf/kubernetes/base/rbac.yaml" in said[0]
    assert shipper.get("/readyz")[0] == 503
    table.until_count(1)
    shipper.kill()
