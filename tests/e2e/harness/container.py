"""Real containers, by podman and runc, whose logs conmon writes; and towline's image."""

import functools
import json
import os
import pathlib
import re
import subprocess
import uuid

from .namespace import can_mount
from .towline import ROOT
from .wait import until

IMAGES = ROOT / "tests/containers/images"
BASE, TOWLINE = "localhost/base:test", "localhost/towline:test"

# Limits that are not above ours: root may have no CAP_SYS_RESOURCE.
RUN = ["run", "--network", "host", "--ulimit", "nofile=4096", "--ulimit", "nproc=1024"]
STORAGE = """[storage]
driver = "{1}"
graphroot = "{0}/graph"
runroot = "{0}/run"
"""


def why_not():
    """Why containers cannot run on this machine, or an empty text."""
    if os.geteuid() != 0:
        return "containers are run as root"
    release = pathlib.Path("/etc/os-release").read_text().replace('"', "").splitlines()
    if not {"ID=debian", "VERSION_ID=12"} <= set(release):
        return "containers are run on Debian 12"
    if not can_mount():
        return "containers need mounts of their own, which a chroot has not"
    need = subprocess.run([ROOT / "tools/need", "image"], capture_output=True)
    if need.returncode:
        return f"podman cannot be installed: {need.stderr.decode()[-300:]}"
    return ""


def limit(memory):
    return ["--memory", memory, "--memory-swap", memory] if memory else []


class Engine:
    """podman with a storage of its own below the folder; close() leaves nothing."""

    def __init__(self, folder):
        conf = folder / "storage.conf"
        self.env = os.environ | {"CONTAINERS_STORAGE_CONF": str(conf)}
        for driver in "overlay", "vfs":  # vfs copies all, but works everywhere
            conf.write_text(STORAGE.format(folder, driver))
            if self.podman("info", check=False).returncode == 0:
                break
        images = subprocess.run([IMAGES], stdout=subprocess.PIPE, text=True, check=True)
        self.podman("load", "-q", "-i", images.stdout.strip())

    def podman(self, *arguments, check=True):
        done = subprocess.run(
            ["podman", "--runtime", "runc", *map(str, arguments)],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert not check or done.returncode == 0, f"{arguments}\n{done.stderr}"
        return done

    def inspect(self, name, kind="container"):
        return json.loads(self.podman("inspect", "--type", kind, name).stdout)[0]

    def why_not(self, *options):
        """Why no container runs with these options, or an empty text."""
        done = self.podman(*RUN, "--rm", *options, BASE, "true", check=False)
        return done.stderr if done.returncode else ""

    @functools.cached_property
    def why_no_limit(self):
        """Why their memory cannot be limited, or an empty text."""
        return self.why_not(*limit("32m"))

    def run(self, image, *command, log, memory=None, options=()):
        """A container of the host's network, with its log at `log`."""
        made = Running(self, f"towline-test-{uuid.uuid4().hex[:12]}", pathlib.Path(log))
        driver = ["--log-driver", "k8s-file", "--log-opt", f"path={log}"]
        start = [*RUN, "-d", "--name", made.name, *driver, *limit(memory), *options]
        self.podman(*start, image, *command)
        return made

    def close(self):
        self.podman("rm", "-a", "-f", "-t", "0")


class Running:
    """A container that was started; it may have ended."""

    def __init__(self, engine, name, log):
        self.engine, self.name, self.log = engine, name, log

    def state(self):
        return self.engine.inspect(self.name)["State"]

    def wait(self):
        """Its exit code, once it has ended."""
        ended = until(
            lambda: (s := self.state())["Status"] == "exited" and s,
            lambda: f"{self.state()}\n{self.said()}",
        )
        return ended["ExitCode"]

    def said(self):
        return self.log.read_text() if self.log.exists() else ""

    def reopen(self):
        """conmon opens its log anew, as CRI-O has it do when the kubelet has renamed it."""
        bundle = pathlib.Path(self.engine.inspect(self.name)["OCIConfigPath"]).parent
        before = self.log.stat().st_ino if self.log.exists() else None
        with open(bundle / "ctl", "w") as control:
            control.write("2 0 0\n")
        until(
            lambda: self.log.exists() and self.log.stat().st_ino != before,
            f"{self.log} is not opened again",
        )

    def status(self, *names):
        """What the kernel says of its first process, as in proc(5)'s status."""
        text = pathlib.Path(f"/proc/{self.state()['Pid']}/status").read_text()
        return [re.search(rf"(?m)^{name}:\s+(.*)", text)[1] for name in names]

    def stop(self):
        """Its stop signal; its exit code."""
        self.engine.podman("stop", "-t", "30", self.name)
        return self.state()["ExitCode"]
