"""A node of a Kubernetes API server whose logs towline reads: the pods that the
server has of it, the account that asks for them, and what that is told."""

import time
import uuid

from .wait import until, until_equal


class Watched:
    """config has what reaches the API server; `account` has the rights of the
    ClusterRole and no others, its token is in the file `token`."""

    def __init__(self, kube, config, node, rights=("list", "watch")):
        self.kube, self.config, self.node = kube, config, node
        self.host = f"node-{uuid.uuid4().hex[:8]}"
        self.namespace = kube.namespace()
        self.account = kube.account(self.namespace)
        self.grant = self.account.grant(verbs=rights) if rights else None
        self.token = config.folder / "token"
        self.token.write_text(self.account.token())
        self.filter = config.filters[0]
        self.filter |= {
            "Kube_URL": kube.url,
            "Kube_CA_File": kube.certificates.ca,
            "Kube_Token_File": self.token,
            "Kube_Node_Name": self.host,
            "Pod_Wait": 1,
        }

    def pod(self, name=None, **options):
        """One on the node."""
        return self.kube.pod(self.namespace, name, self.host, **options)

    def running(self, *texts, **options):
        """A pod that runs and has logged texts, and the log of its container."""
        pod = self.pod(**options)
        log = pod.log(self.node)
        pod.runs(log)
        log.write(*texts)
        return pod, log

    def until_told(self, table):
        """Towline knows what the API server knew before: changes come in order."""
        labels = {"told": uuid.uuid4().hex[:8]}
        _, log = self.running(labels=labels)
        until_labels(table, log, labels)


def up(towline, limit=60):
    """All pods of the node are known."""
    until(lambda: towline.metric("towline_kube_up") == 1, towline.said, limit)
    return towline


def labels(table, text):
    """Of the document."""
    return table.document(text)["kubernetes"].get("labels")


def until_labels(table, log, want):
    """A line that is written now, or soon, has them."""

    def newest():
        log.write(text := f"later {time.monotonic_ns()}")
        return labels(table, text)

    until_equal(newest, want)
