"""What operators apply, conf/kubernetes and the chart, as the objects that it becomes."""

import functools
import subprocess

import yaml

from .kube import built
from .towline import ROOT

KUBERNETES = ROOT / "conf/kubernetes"
BASE = KUBERNETES / "base"
OVERLAYS = sorted(f.name for f in (KUBERNETES / "overlays").iterdir())
CHART = ROOT / "conf/helm/towline"


class Refused(Exception):
    """helm did not render; its words."""


class Loader(yaml.CSafeLoader):
    """A key that stands twice is an error, as it is to the API server."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        assert len(keys) == len(set(keys)), (
            f"a key stands twice: {keys}{node.start_mark}"
        )
        return super().construct_mapping(node, deep)


def load(text):
    """The objects of a stream of YAML documents."""
    return [o for o in yaml.load_all(text, Loader) if o]


tool = functools.cache(built)


def kustomize(folder=BASE):
    command = [tool("kustomize"), "build", folder]
    return load(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout
    )


def helm(*arguments, values=None):
    """Run helm, ${values} (a dict) in front of the chart's own; the completed process."""
    command = [tool("helm"), *arguments]
    if values:
        command += ["-f", "-"]
    return subprocess.run(
        command, input=yaml.safe_dump(values or {}), capture_output=True, text=True
    )


def chart(values=None, release="towline", namespace="towline"):
    """The chart's objects, less its test; Refused(what it says) when it fails."""
    done = helm(
        "template", release, CHART, "-n", namespace, "--skip-tests", values=values
    )
    if done.returncode:
        raise Refused(done.stderr)
    return load(done.stdout)


def pick(objects, kind):
    """The one object of that kind."""
    (found,) = (o for o in objects if o["kind"] == kind)
    return found


def pod(objects):
    """The PodSpec of the DaemonSet."""
    return pick(objects, "DaemonSet")["spec"]["template"]["spec"]


def containers(objects):
    """check and towline, by name, and whatever stands beside them."""
    spec = pod(objects)
    return {c["name"]: c for c in [*spec["initContainers"], *spec["containers"]]}


def configuration(objects):
    return pick(objects, "ConfigMap")["data"]["towline.conf"]
