"""A program in a network and mount namespace of its own: lo is up, folders are
mounted where it expects them, and ports there lead to ports of the tests.

    namespace.py FD PORT[,PORT...] FROM=TO[,FROM=TO...] COMMAND...

Runs inside `unshare`.  Listens at 127.0.0.1:PORT there, passes the sockets over
the Unix socket FD to the test, then becomes COMMAND.
"""

import contextlib
import fcntl
import os
import socket
import struct
import subprocess
import sys
import threading

import pytest

SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def inside(fd, ports, mounts, command):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
    for mount in filter(None, mounts.split(",")):
        subprocess.run(["mount", "--bind", *mount.split("=")], check=True)
    listening = [socket.create_server(("127.0.0.1", int(p))) for p in ports.split(",")]
    with socket.socket(fileno=int(fd)) as test:
        socket.send_fds(test, [b"x"], [s.fileno() for s in listening])
    os.execvp(command[0], command)


def needs(*words):
    """Skip a test where `unshare` is not allowed."""
    done = subprocess.run(["unshare", *words, "true"], capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"unshare {' '.join(words)}: {done.stderr.strip()}")


def can_mount():
    """Not in a chroot: there is no mount tree to make private."""
    return (
        subprocess.run(
            ["unshare", *flags(True), "true"], capture_output=True
        ).returncode
        == 0
    )


def flags(mounts):
    user = [] if os.geteuid() == 0 else ["-r"]
    return [*user, "-n", *(["-m"] if mounts else [])]


def mounted(source, target):
    """What a command is run with to see `source` at `target`; it stays one process."""
    unshare = [word for word in flags(True) if word != "-n"]
    bind = 'mount --bind "$0" "$1" && shift && exec "$@"'
    return ["unshare", *unshare, "sh", "-c", bind, str(source), str(target)]


def mount_in(pid, source, target):
    """The same for a process that runs."""
    user = [] if os.geteuid() == 0 else ["-U", "--preserve-credentials"]
    enter = ["nsenter", "-t", str(pid), *user, "-m", "mount", "--bind"]
    subprocess.run([*enter, str(source), str(target)], check=True)


class Namespace:
    """prefix: what a command is run with; relay: port there -> port here."""

    def __init__(self, relay, mounts):
        needs(*flags(bool(mounts)))
        self.relay = relay
        self.here, self.there = socket.socketpair()
        pairs = ",".join(f"{source}={target}" for source, target in mounts.items())
        ports = ",".join(map(str, relay))
        self.prefix = ["unshare", *flags(bool(mounts)), sys.executable, __file__]
        self.prefix += [str(self.there.fileno()), ports, pairs]

    def connect(self):
        """Once the command has been started."""
        self.here.settimeout(60)
        _, fds, _, _ = socket.recv_fds(self.here, 1, len(self.relay))
        for fd, port in zip(fds, self.relay.values(), strict=True):
            listening = socket.socket(fileno=fd)
            threading.Thread(target=accept, args=(listening, port), daemon=True).start()


def accept(listening, port):
    while True:
        client, _ = listening.accept()
        server = socket.create_connection(("127.0.0.1", port))
        for ends in (client, server), (server, client):
            threading.Thread(target=copy, args=ends, daemon=True).start()


def copy(source, to):
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            to.sendall(data)
    with contextlib.suppress(OSError):
        to.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    inside(*sys.argv[1:4], sys.argv[4:])
