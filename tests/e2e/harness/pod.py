"""A pod of the API server, and what a kubelet would do with it."""

import uuid

MERGE = "application/merge-patch+json"
MIRROR = "kubernetes.io/config.mirror"
GROUPS = {"Job": "batch/v1", "ReplicationController": "v1"}


def owner(kind, name):
    """One of a pod's ownerReferences: its controller."""
    version = GROUPS.get(kind, "apps/v1")
    reference = {"apiVersion": version, "kind": kind, "name": name}
    return reference | {"uid": str(uuid.uuid4()), "controller": True}


def mirrored():
    """The annotations of a static pod: its logs' folder has the hash for a uid."""
    digest = uuid.uuid4().hex
    of = "kubernetes.io/config"
    return {f"{of}.hash": digest, MIRROR: digest, f"{of}.source": "file"}


class Pod:
    """Made at once.  Containers are names, or specs; further arguments are its
    metadata, by the API's names: labels, annotations, ownerReferences."""

    def __init__(
        self,
        kube,
        namespace,
        name,
        node,
        containers=("matillion-agent",),
        spec=None,
        **metadata,
    ):
        self.kube, self.namespace, self.name = kube, namespace, name
        containers = [
            {"name": each, "image": "registry.example/agent:1"}
            if isinstance(each, str)
            else each
            for each in containers
        ]
        spec = {"nodeName": node, "containers": containers} | (spec or {})
        self.containers = [each["name"] for each in containers]
        path = f"/api/v1/namespaces/{namespace}/pods"
        body = {"metadata": {"name": name} | metadata, "spec": spec}
        made = kube.ask("POST", path, body)["metadata"]
        self.path, self.uid = f"{path}/{name}", made["uid"]
        self.log_uid = made.get("annotations", {}).get(MIRROR, self.uid)

    def read(self):
        return self.kube.ask("GET", self.path)

    def patch(self, what="", **changes):
        return self.kube.ask("PATCH", self.path + what, changes, content_type=MERGE)

    def label(self, *given, **labels):
        """As dict() takes them; None takes one away."""
        return self.patch(metadata={"labels": dict(*given, **labels)})

    def annotate(self, *given, **annotations):
        return self.patch(metadata={"annotations": dict(*given, **annotations)})

    def set_status(self, **status):
        """By the API's names: phase, podIP, containerStatuses."""
        if ip := status.get("podIP"):
            status.setdefault("podIPs", [{"ip": ip}])
        return self.patch("/status", status=status)

    def log(self, node, name=None):
        """The log of a container on a node of harness/node.py."""
        name = name or self.containers[0]
        return node.container(self.name, name, self.namespace, self.log_uid)

    def runs(self, *logs, ip="10.1.0.5", **fields):
        """The status, once the containers of these logs run; fields are those of a
        containerStatus."""
        statuses = [
            {
                "name": log.folder.name,
                "image": "registry.example/agent:1",
                "imageID": f"registry.example/agent@sha256:{'ab' * 32}",
                "containerID": f"containerd://{log.id}",
                "restartCount": log.restart,
                "ready": True,
                "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
            }
            | fields
            for log in logs
        ]
        return self.set_status(phase="Running", podIP=ip, containerStatuses=statuses)

    def bind(self, node):
        """The scheduler's choice, of a pod that was made without a node."""
        body = {"metadata": {"name": self.name}}
        body |= {"target": {"kind": "Node", "name": node}}
        return self.kube.ask("POST", f"{self.path}/binding", body)

    def delete(self, grace=0):
        """With a grace it drains, until deleted without one."""
        return self.kube.ask("DELETE", f"{self.path}?gracePeriodSeconds={grace}")
