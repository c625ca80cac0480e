"""Documents carry their pod as the API server has it: the right container of the
right pod, as it was when the line was read."""

import itertools
import json
import time

import pytest
from harness.pod import mirrored, owner
from harness.wait import until_equal
from harness.watched import labels, until_labels, up

LABELS = {
    "app": "matillion-agent-pods",
    "app.kubernetes.io/name": "agent",
    "pod-template-hash": "5d8f7c9b44",
}
ANNOTATIONS = {
    "prometheus.io/scrape": "true",
    "kubectl.kubernetes.io/last-applied-configuration": json.dumps({"a": "b" * 5000}),
}


def keyed(given):
    """As documents have it: no dots, no manifest."""
    return {
        key.replace(".", "_"): value
        for key, value in given.items()
        if not key.endswith("last-applied-configuration")
    }


def truth(pod, log, **more):
    """What a document of the log says of its pod, made from what the API says now."""
    read = pod.read()
    said = {
        "pod_name": pod.name,
        "namespace_name": pod.namespace,
        "pod_id": pod.log_uid,
        "container_name": log.folder.name,
        "docker_id": log.id,
        "restart_count": log.restart,
        "host": read["spec"]["nodeName"],
        "pod_ip": read["status"].get("podIP"),
        "labels": keyed(read["metadata"].get("labels", {})),
        "annotations": keyed(read["metadata"].get("annotations", {})),
    }
    for kind in "containerStatuses", "initContainerStatuses":
        for status in read["status"].get(kind, []):
            if (status["name"], status["restartCount"]) == (
                log.folder.name,
                log.restart,
            ):
                said["container_image"] = status["image"]
                said["container_hash"] = status["imageID"]
    said |= more
    return {key: value for key, value in said.items() if value not in ({}, None)}


def told(table, text):
    return table.document(text)["kubernetes"]


def test_a_document_has_its_pod_as_the_api_has_it(watched, table, run):
    pod, log = watched.running("a line", labels=LABELS, annotations=ANNOTATIONS)
    up(run(watched.config))
    want = truth(pod, log)
    assert told(table, "a line") == want
    assert want["labels"]["app_kubernetes_io/name"] == "agent"
    assert list(want["annotations"]) == ["prometheus_io/scrape"]
    assert want["restart_count"] == 0


def test_options_leave_out_keep_dots_and_add_owners(watched, table, run):
    owners = [owner("StatefulSet", "agent")]
    pod, log = watched.running(
        "a line", labels=LABELS, annotations=ANNOTATIONS, ownerReferences=owners
    )
    watched.filter.update(
        {"Annotations": "Off", "Keep_Label_Dots": "On", "Owner_References": "On"}
    )
    run(watched.config)
    more = {"labels": LABELS, "statefulset_name": "agent", "ownerReferences": owners}
    assert told(table, "a line") == truth(pod, log, annotations=None, **more)


@pytest.mark.parametrize(
    "kind, name, names",
    [
        (
            "ReplicaSet",
            "agent-5d8f7c9b44",
            {"replicaset_name": "agent-5d8f7c9b44", "deployment_name": "agent"},
        ),
        ("ReplicaSet", "agent-5d8f7", {"replicaset_name": "agent-5d8f7"}),
        ("DaemonSet", "agent", {"daemonset_name": "agent"}),
        ("StatefulSet", "agent", {"statefulset_name": "agent"}),
        ("Job", "import", {"job_name": "import"}),
        (
            "Job",
            "import-29391840",
            {"job_name": "import-29391840", "cronjob_name": "import"},
        ),
        ("ReplicationController", "agent", {}),
    ],
)
def test_owners_names(watched, table, run, kind, name, names):
    pod, log = watched.running(
        "a line", labels=LABELS, ownerReferences=[owner(kind, name)]
    )
    run(watched.config)
    assert told(table, "a line") == truth(pod, log, **names)


def test_each_container_has_its_own_image(watched, table, run):
    containers = [
        {"name": name, "image": f"registry.example/{name}:1"} for name in ("a", "b")
    ]
    first = {"name": "prepare", "image": "registry.example/prepare:1"}
    pod = watched.pod(containers=containers, spec={"initContainers": [first]})
    logs = {name: pod.log(watched.node, name) for name in ("a", "b", "prepare")}
    statuses = [
        {
            "name": name,
            "image": f"registry.example/{name}:1",
            "imageID": f"registry.example/{name}@sha256:{name[0] * 64}",
            "containerID": f"containerd://{log.id}",
            "restartCount": 0,
            "ready": True,
        }
        for name, log in logs.items()
    ]
    pod.set_status(
        phase="Running",
        podIP="10.1.0.9",
        containerStatuses=statuses[:2],
        initContainerStatuses=statuses[2:],
    )
    for name, log in logs.items():
        log.write(f"of {name}")
    run(watched.config)
    for name, log in logs.items():
        want = truth(pod, log)
        assert told(table, f"of {name}") == want
        assert want["container_image"] == f"registry.example/{name}:1"


def test_a_restart_has_the_image_and_the_id_of_its_own(watched, table, run):
    """The kubelet's status is of restart 1; 0.log is older, 2.log is news."""
    pod = watched.pod()
    log = pod.log(watched.node)
    ids = []
    for restart in range(3):
        log.write(f"of {restart}")
        ids.append(log.id)
        if restart == 1:
            ended = {"exitCode": 1, "containerID": f"containerd://{ids[0]}"}
            pod.runs(log, lastState={"terminated": ended})
        if restart < 2:
            log.restarts()
    # The pods' own folder, where no link says an id.
    watched.config.inputs[0]["Path"] = f"{watched.node.root}/pods/*/*/*.log"
    run(watched.config)
    kept = ("docker_id", "restart_count", "container_image", "container_hash")
    image, digest = (
        "registry.example/agent:1",
        f"registry.example/agent@sha256:{'ab' * 32}",
    )
    for restart, want in enumerate(
        [(ids[0], 0, None, None), (ids[1], 1, image, digest), (None, 2, image, None)]
    ):
        have = told(table, f"of {restart}")
        assert tuple(have.get(key) for key in kept) == want
    pod.runs(log)
    want = ids[2], 2, image, digest

    def newest():
        log.write(text := f"later {time.monotonic_ns()}")
        have = told(table, text)
        return tuple(have.get(key) for key in kept)

    until_equal(newest, want)


def test_a_static_pod_is_found_by_its_mirror(watched, table, run):
    """Anybody may write its hash to a pod of his own, which takes nothing from it."""
    annotations = mirrored()
    pod, log = watched.running(
        "static", name="a", labels=LABELS, annotations=annotations
    )
    assert pod.log_uid != pod.uid
    other = watched.pod("z", labels={"app": "other"}, annotations=annotations)
    its_log = watched.node.container("z", namespace=other.namespace, uid=other.uid)
    its_log.write("other")
    run(watched.config)
    assert labels(table, "other") == {"app": "other"}
    assert told(table, "static") == truth(pod, log)
    pod.label(app="changed")
    other.label(app="newer")
    until_labels(table, log, keyed(LABELS | {"app": "changed"}))
    assert told(table, "static") != truth(pod, log)


@pytest.mark.alone
def test_a_changed_label_is_in_the_next_document_within_a_second(watched, table, run):
    pod, log = watched.running("first", labels={"app": "0"})
    up(run(watched.config))
    assert labels(table, "first") == {"app": "0"}
    delays = []
    for value in "1", "2", "3":
        pod.label(app=value)
        changed = written = time.monotonic()
        while True:
            written = time.monotonic()
            log.write(text := f"line {written}")
            if labels(table, text) == {"app": value}:
                break
        delays.append(written - changed)
    assert min(delays) < 1, delays


def test_a_pod_that_drains_keeps_its_labels_to_the_end_of_its_file(watched, table, run):
    pod, log = watched.running("runs", labels=LABELS)
    up(run(watched.config))
    want = truth(pod, log)
    pod.delete(grace=43200)
    assert pod.read()["metadata"]["deletionTimestamp"]
    watched.until_told(table)
    log.write("drains")
    assert told(table, "drains") == want
    pod.delete()
    watched.until_told(table)
    log.write("was deleted")
    assert told(table, "was deleted") == want
    renamed = log.rotate()
    log.write("late", to=renamed)
    log.write("in a new file")
    assert told(table, "late") == want
    assert told(table, "in a new file") == want


def test_a_pod_of_the_same_name_is_another_one(watched, table, run):
    pod, log = watched.running("of the first", name="agent", labels={"n": "1"})
    towline = up(run(watched.config))
    want = truth(pod, log)
    pod.delete()
    second, its_log = watched.running(name="agent", labels={"n": "2"})
    assert second.uid != pod.uid
    watched.until_told(table)
    its_log.write("of the second")
    assert told(table, "of the second") == truth(second, its_log)
    log.write("of the first, late")
    assert told(table, "of the first, late") == want
    never = watched.node.container("agent", "matillion-agent", watched.namespace)
    never.write("of none that was known")
    have = told(table, "of none that was known")
    assert "labels" not in have and "host" not in have
    assert have["pod_id"] not in (pod.uid, second.uid)
    towline.until_metric("towline_unenriched_records_total", 1)


AROUND = {"Namespace_Labels": "On", "Namespace_Annotations": "On", "Node_Labels": "On"}


def around_of(watched):
    path = f"/api/v1/namespaces/{watched.namespace}"
    changes = {"labels": {"team": "data"}, "annotations": {"cost.centre": "42"}}
    watched.kube.ask(
        "PATCH",
        path,
        {"metadata": changes},
        content_type="application/merge-patch+json",
    )
    watched.kube.node(watched.host, zone="a")
    watched.filter |= AROUND | {"Pod_Wait": 60}


def test_labels_of_the_namespace_and_the_node_when_asked(watched, table, run):
    watched.account.grant(resources=["namespaces", "nodes"], verbs=["get"])
    around_of(watched)
    pod, log = watched.running("a line", labels=LABELS)
    run(watched.config)
    document = table.document("a line")
    node_labels = watched.kube.ask("GET", f"/api/v1/nodes/{watched.host}")["metadata"]
    node_labels = keyed(node_labels["labels"])
    assert node_labels["zone"] == "a"
    assert document["kubernetes"] == truth(pod, log, node_labels=node_labels)
    own = {"kubernetes_io/metadata_name": watched.namespace, "team": "data"}
    assert document["kubernetes_namespace"] == {
        "name": watched.namespace,
        "labels": own,
        "annotations": {"cost_centre": "42"},
    }


def test_a_namespaces_new_label_is_known_after_its_time(watched, table, run):
    watched.account.grant(resources=["namespaces", "nodes"], verbs=["get"])
    around_of(watched)
    watched.filter["Kube_Meta_Namespace_Cache_TTL"] = "1s"
    _, log = watched.running("a line", labels=LABELS)
    run(watched.config)
    assert table.document("a line")["kubernetes_namespace"]["labels"]["team"] == "data"
    watched.kube.ask(
        "PATCH",
        f"/api/v1/namespaces/{watched.namespace}",
        {"metadata": {"labels": {"team": "ops"}}},
        content_type="application/merge-patch+json",
    )
    lines = (f"line {i}" for i in itertools.count())

    def team():
        line = next(lines)
        log.write(line)
        return table.document(line)["kubernetes_namespace"]["labels"]["team"]

    until_equal(team, "ops")


def test_without_the_right_to_namespaces_and_nodes_the_pods_own_labels_ship(
    watched, table, run
):
    around_of(watched)
    pod, log = watched.running("a line", labels=LABELS)
    towline = run(watched.config)
    document = table.document("a line")
    assert document["kubernetes"] == truth(pod, log)
    assert "kubernetes_namespace" not in document
    for kind, name in ("namespaces", watched.namespace), ("nodes", watched.host):
        said = rf"does not tell of {kind} {name} \(403\): .+ cannot get resource"
        towline.until_said(rf"{said} \"{kind}\" .+ClusterRole must grant get")
    assert towline.get("/readyz")[0] == 200
