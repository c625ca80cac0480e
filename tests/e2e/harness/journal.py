"""systemd's journal, written by systemd's own tools: systemd-journal-remote makes a
file of any entries, a journald in a mount namespace of its own has rotation and flush."""

import pathlib
import socket
import subprocess

import pytest

from .wait import until

REMOTE = "/usr/lib/systemd/systemd-journal-remote"
JOURNALD = "/usr/lib/systemd/systemd-journald"
BOOT = "0123456789abcdef0123456789abcdef"
START = 1795334400000000  # 2026-11-22T08:00:00Z, in µs
STEP = 1000


def entry(number, message, **fields):
    """One entry in the journal's export form; a value may be bytes, or a list."""
    lines = [
        f"__REALTIME_TIMESTAMP={START + number * STEP}",
        f"__MONOTONIC_TIMESTAMP={1000000 + number * STEP}",
        f"_BOOT_ID={BOOT}",
    ]
    out = "\n".join(lines).encode() + b"\n"
    return out + written(MESSAGE=message, **fields) + b"\n"


def written(**fields):
    """Fields as an export has them, and as journald's socket takes them."""
    out = b""
    for name, values in fields.items():
        for value in values if isinstance(values, list) else [values]:
            raw = value if isinstance(value, bytes) else str(value).encode()
            if b"\n" in raw or isinstance(value, bytes):
                size = len(raw).to_bytes(8, "little")
                out += name.encode() + b"\n" + size + raw + b"\n"
            else:
                out += name.encode() + b"=" + raw + b"\n"
    return out


class Journal:
    """A directory of files that systemd-journal-remote writes."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True)
        self.written = 0

    def write(self, *entries, file="system.journal", compress="no"):
        command = [REMOTE, f"--compress={compress}", "-o", self.folder / file, "-"]
        subprocess.run(
            command, input=b"".join(entries), check=True, capture_output=True
        )

    def messages(self, n, file="system.journal", **fields):
        """The next n messages, `message N`, all of one file."""
        numbers = range(self.written, self.written + n)
        self.written += n
        of = {"_SYSTEMD_UNIT": "kubelet.service", "PRIORITY": 6} | fields
        self.write(*(entry(i, f"message {i}", **of) for i in numbers), file=file)
        return [f"message {i}" for i in numbers]


def journalctl(folder, *arguments):
    done = subprocess.run(
        ["journalctl", "-q", "-D", folder, *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


class Journald:
    """A real one, with a /run of its own; /var/log/journal is a folder of the test's.
    Its mounts outlive it: it may be killed and started again.  `options` are those of
    journald.conf."""

    def __init__(self, folder, **options):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        mounts = (
            "mount -t tmpfs tmpfs /run && "
            f"mount --bind {self.folder} /var/log/journal && "
            "mkdir -p /run/systemd/journal /run/systemd/journald.conf.d && "
            "touch /run/mounted && exec sleep infinity"
        )
        self.holder = bound("unshare", "-m", "sh", "-c", mounts)
        root = pathlib.Path(f"/proc/{self.holder.pid}/root")
        self.socket = root / "run/systemd/journal/socket"
        self.process = None
        try:
            until((root / "run/mounted").exists, lambda: "no mounts", 10)
            lines = ["[Journal]", *(f"{k}={v}" for k, v in options.items()), ""]
            conf = root / "run/systemd/journald.conf.d/test.conf"
            conf.write_text("\n".join(lines))
            self.start()
        except (AssertionError, subprocess.CalledProcessError) as error:
            self.end()
            pytest.skip(f"no journald here: {error}")

    def start(self):
        self.socket.unlink(missing_ok=True)
        self.process = bound(*self.under, JOURNALD)
        until(self.socket.exists, lambda: "no socket", 10)
        self.control("--sync")

    @property
    def under(self):
        """What a command is run with to see its /run and /var/log/journal."""
        return ("nsenter", "-t", str(self.holder.pid), "-m")

    def control(self, *arguments):
        command = [*self.under, "journalctl", "-q", *arguments]
        subprocess.run(command, check=True, capture_output=True)

    def log_messages(self, *messages, **fields):
        fields = {"SYSLOG_IDENTIFIER": "test", "PRIORITY": 6} | fields
        self.send(*(written(MESSAGE=message, **fields) for message in messages))
        self.control("--sync")

    def send(self, *datagrams):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
            s.connect(str(self.socket))
            for datagram in datagrams:
                s.send(datagram)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        for process in filter(None, (self.process, self.holder)):
            process.kill()
            process.wait()


def bound(*command):
    """A process that does not outlive this one."""
    command = ["setpriv", "--pdeathsig", "KILL", *command]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)
