"""A real Kubernetes API server on a real etcd (tests/servers/tool), RBAC on.

There is no kubelet: a test says what a pod's status is, and where its logs are."""

import base64
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time
import uuid

from .certificates import Certificates
from .pod import MERGE, Pod
from .server import Refused
from .wait import until, until_equal

TOOL = pathlib.Path(__file__).parents[2] / "servers/tool"
ISSUER = "https://kubernetes.default.svc.cluster.local"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


def built(name):
    """The path of a program; the first time takes minutes."""
    run = subprocess.run([TOOL, name], check=True, stdout=subprocess.PIPE, text=True)
    return run.stdout.strip()


class Kube:
    """start() after stop() or kill(): the API server with the same port and data;
    etcd runs until end().  Arguments are the API server's, in place of ours."""

    PROGRAMS = ("etcd", "kube-apiserver")
    MANAGERS = ("kube-controller-manager", "kube-scheduler")

    def __init__(self, folder, *arguments):
        self.folder, self.arguments = folder, list(arguments)
        self.running = {}
        folder.mkdir(parents=True)
        self.certificates = Certificates(folder)
        self.admin = uuid.uuid4().hex
        (folder / "tokens.csv").write_text(f"{self.admin},admin,0,system:masters\n")
        # Kept bound, which the server permits, so that the port stays its own.
        self.bound = socket.socket()
        self.bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.bound.bind(("127.0.0.1", 0))
        self.port = self.bound.getsockname()[1]
        self.url = f"https://127.0.0.1:{self.port}"
        self.idle = []
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(json.dumps(self.configured()))

    # ---- processes

    def program(self, name, *arguments):
        command = ["setpriv", "--pdeathsig", "KILL", built(name), *arguments]
        with open(self.folder / f"{name}.log", "ab") as log:
            self.running[name] = subprocess.Popen(
                command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def until_it_answers(self, name, answers):
        log = self.folder / f"{name}.log"

        def ready():
            assert self.running[name].poll() is None, log.read_text()[-2000:]
            try:
                return answers()
            except (OSError, http.client.HTTPException, Refused):
                return None

        until(ready, lambda: log.read_text()[-2000:], 120)

    def start(self):
        if "etcd" not in self.running:
            # Paths from its folder: those of Unix sockets are short.
            self.program(
                "etcd",
                "--data-dir=etcd",
                "--listen-client-urls=unix://etcd.sock",
                "--advertise-client-urls=http://127.0.0.1:1",
                "--listen-peer-urls=unix://peer.sock",
                "--initial-advertise-peer-urls=http://127.0.0.1:1",
                "--initial-cluster=default=http://127.0.0.1:1",
                "--unsafe-no-fsync",
                "--log-level=warn",
            )
            self.until_it_answers("etcd", self.revision)
        self.program(
            "kube-apiserver",
            "--bind-address=127.0.0.1",
            f"--secure-port={self.port}",
            "--permit-port-sharing",
            "--advertise-address=127.0.0.1",
            "--endpoint-reconciler-type=none",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--etcd-servers=unix://etcd.sock",
            "--cert-dir=.",
            "--tls-cert-file=server.crt",
            "--tls-private-key-file=server.key",
            "--token-auth-file=tokens.csv",
            "--authorization-mode=Node,RBAC",
            f"--service-account-issuer={ISSUER}",
            "--service-account-key-file=account.pub",
            "--service-account-signing-key-file=account.key",
            "--allow-privileged",
            "--profiling=false",
            *self.arguments,
        )
        self.until_it_answers("kube-apiserver", lambda: self.ask("GET", "/readyz"))
        return self

    def stop(self, how=signal.SIGTERM):
        """The API server alone."""
        self.end_of("kube-apiserver", how)
        self.idle.clear()

    def kill(self):
        self.stop(signal.SIGKILL)

    def restart(self, *arguments):
        """At once, with further arguments where given."""
        self.kill()
        self.arguments += arguments
        return self.start()

    def end_of(self, name, how=signal.SIGKILL):
        if process := self.running.pop(name, None):
            process.send_signal(how)
            process.wait(60)

    def end(self):
        for name in reversed(list(self.running)):
            self.end_of(name)
        self.bound.close()
        shutil.rmtree(self.folder / "etcd", ignore_errors=True)  # 125 MB

    def manage(self):
        """Start the controllers and the scheduler: a DaemonSet gets its pods."""
        for name in self.MANAGERS:
            arguments = ["--leader-elect=false", "--secure-port=0"]
            if name == "kube-controller-manager":
                # Without those that taint a node whose kubelet is silent.
                arguments += [
                    "--controllers=daemonset-controller,deployment-controller,"
                    "replicaset-controller,serviceaccount-controller"
                ]
            self.program(name, f"--kubeconfig={self.kubeconfig}", *arguments)

    def configured(self):
        """The administrator's configuration of kubectl's kin."""
        ca = str(self.certificates.ca)
        cluster = {"server": self.url, "certificate-authority": ca}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "kube", "cluster": cluster}],
            "users": [{"name": "user", "user": {"token": self.admin}}],
            "contexts": [
                {"name": "kube", "context": {"cluster": "kube", "user": "user"}}
            ],
            "current-context": "kube",
        }

    # ---- the API

    def connection(self):
        """One that was just used, or a new one."""
        while self.idle:
            used, connection = self.idle.pop()
            if time.monotonic() - used < 30:
                return connection
        trusting = self.certificates.client()
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=60, context=trusting
        )

    def answer(self, connection, response):
        text = response.read()
        self.idle.append((time.monotonic(), connection))
        is_json = "json" in response.getheader("Content-Type", "")
        return json.loads(text) if is_json else text.decode()

    def request(self, method, path, body=None, token=None, **headers):
        """Its response, and the connection that it came on; Refused unless 2xx."""
        connection = self.connection()
        if body is not None:
            headers.setdefault("content_type", "application/json")
        headers["authorization"] = f"Bearer {self.admin if token is None else token}"
        connection.request(
            method,
            path,
            None if body is None else json.dumps(body),
            {name.replace("_", "-"): value for name, value in headers.items()},
        )
        response = connection.getresponse()
        if response.status >= 300:
            raise Refused(response.status, self.answer(connection, response))
        return connection, response

    def ask(self, *arguments, **options):
        """One request as the administrator, or with a token ("": none that is known);
        its JSON answer; Refused unless the status is 2xx."""
        return self.answer(*self.request(*arguments, **options))

    def watch(self, path, token=None):
        """The events of a watch, until the server ends it."""
        connection, response = self.request("GET", path, token=token)
        try:
            for line in response:
                yield json.loads(line)
        finally:
            connection.close()

    # ---- objects

    def namespace(self, **metadata):
        """A new one's name.  It has the account that pods have by default."""
        name = metadata.setdefault("name", f"n{uuid.uuid4().hex[:8]}")
        self.ask("POST", "/api/v1/namespaces", {"metadata": metadata})
        self.account(name, "default")
        return name

    def node(self, name, **labels):
        """The Node, ready for pods."""
        path = f"/api/v1/nodes/{name}"
        self.ask(
            "POST", "/api/v1/nodes", {"metadata": {"name": name, "labels": labels}}
        )
        room = {"cpu": "4", "memory": "8Gi", "pods": "110"}
        ready = {"type": "Ready", "status": "True"}
        status = {"capacity": room, "allocatable": room, "conditions": [ready]}
        self.ask("PATCH", f"{path}/status", {"status": status}, content_type=MERGE)
        # Admission taints it as not ready.
        self.ask("PATCH", path, {"spec": {"taints": None}}, content_type=MERGE)

    def pod(self, namespace, name=None, node="node1", **options):
        name = name or f"p{uuid.uuid4().hex[:8]}"
        return Pod(self, namespace, name, node, **options)

    def account(self, namespace, name="towline"):
        return Account(self, namespace, name)

    # ---- etcd

    def etcd(self, what, **body):
        connection = Unix(self.folder, "etcd.sock")
        try:
            connection.request("POST", f"/v3/kv/{what}", json.dumps(body))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def revision(self):
        return int(self.etcd("range", key="Lw==")["header"]["revision"])

    def compact(self):
        """Drop all history, so that a list's `continue` and, where the server has no
        watch cache (--watch-cache-sizes=pods#0), a watch from two changes ago get 410."""
        self.etcd("compaction", revision=self.revision(), physical=True)


class Unix(http.client.HTTPConnection):
    """HTTP on a Unix socket in a folder, however long the folder's path is."""

    def __init__(self, folder, name):
        super().__init__("localhost", timeout=30)
        self.folder, self.name = folder, name

    def connect(self):
        folder = os.open(self.folder, os.O_PATH)
        try:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(self.timeout)
            self.sock.connect(f"/proc/self/fd/{folder}/{self.name}")
        finally:
            os.close(folder)


class Account:
    """A ServiceAccount, what it may do, and its tokens."""

    def __init__(self, kube, namespace, name):
        self.kube, self.namespace, self.name = kube, namespace, name
        self.user = f"system:serviceaccount:{namespace}:{name}"
        self.all = f"/api/v1/namespaces/{namespace}/serviceaccounts"
        self.path = f"{self.all}/{name}"
        self.make()

    def make(self):
        made = self.kube.ask("POST", self.all, {"metadata": {"name": self.name}})
        self.uid = made["metadata"]["uid"]

    def replace(self):
        """By another one of its name and rights: its tokens are of nobody."""
        self.kube.ask("DELETE", self.path)
        self.make()

    def token(self, seconds=600):
        """As the kubelet asks for it."""
        answer = self.kube.ask(
            "POST", f"{self.path}/token", {"spec": {"expirationSeconds": seconds}}
        )
        return answer["status"]["token"]

    def minted(self, seconds):
        """One that expires in so many seconds, which may be few or below zero (the
        server lets 60 pass): signed with the server's key."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": [ISSUER],
            "sub": self.user,
            "iat": now + min(0, seconds) - 600,
            "nbf": now + min(0, seconds) - 600,
            "exp": now + seconds,
            "kubernetes.io": {
                "namespace": self.namespace,
                "serviceaccount": {"name": self.name, "uid": self.uid},
            },
        }
        parts = [json.dumps(part).encode() for part in ({"alg": "RS256"}, claims)]
        text = b".".join(map(unpadded, parts))
        signature = self.kube.certificates.signed(text)
        return f"{text.decode()}.{unpadded(signature).decode()}"

    def grant(self, resources=("pods",), verbs=("list", "watch"), groups=("",)):
        """A ClusterRole and its binding; returns once they hold, as revoke() does once
        they do not: no other grant must say the same."""
        rule = {"apiGroups": groups, "resources": resources, "verbs": verbs}
        return Grant(self, [rule])

    def may(self, verb, resource, group=""):
        """What the server says of it."""
        attributes = {"verb": verb, "resource": resource, "group": group}
        answer = self.kube.ask(
            "POST",
            "/apis/authorization.k8s.io/v1/subjectaccessreviews",
            {"spec": {"user": self.user, "resourceAttributes": attributes}},
        )
        return answer["status"]["allowed"]


class Grant:
    """A ClusterRole of its own, bound to the account; revoke() ends it."""

    def __init__(self, account, rules):
        self.account, self.rules = account, rules
        self.name = f"g{uuid.uuid4().hex[:8]}"
        metadata = {"name": self.name}
        role = {"metadata": metadata, "rules": rules}
        account.kube.ask("POST", f"{RBAC}/clusterroles", role)
        self.bind()

    def bind(self):
        group = "rbac.authorization.k8s.io"
        subject = {"kind": "ServiceAccount", "name": self.account.name}
        self.account.kube.ask(
            "POST",
            f"{RBAC}/clusterrolebindings",
            {
                "metadata": {"name": self.name},
                "roleRef": {
                    "apiGroup": group,
                    "kind": "ClusterRole",
                    "name": self.name,
                },
                "subjects": [subject | {"namespace": self.account.namespace}],
            },
        )
        self.until_held(True)

    def revoke(self):
        """Delete the binding; bind() brings it back."""
        self.account.kube.ask("DELETE", f"{RBAC}/clusterrolebindings/{self.name}")
        self.until_held(False)

    def until_held(self, want):
        rule = self.rules[0]
        verb, resource, group = (
            rule[key][0] for key in ("verbs", "resources", "apiGroups")
        )
        until_equal(lambda: self.account.may(verb, resource, group), want)


def unpadded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")
