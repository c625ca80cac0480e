"""One measurement: a shipper, its configuration, the server that counts, /proc.

bench.py chooses what is run and prints it.
"""

import dataclasses
import http.client
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build"
TICK = os.sysconf("SC_CLK_TCK")
MB = 1e6
STALL = 20  # seconds without a new document: the shipper has given up


@dataclasses.dataclass
class Shipper:
    """A program that is measured, and how it is told what to do."""

    name: str
    find: tuple  # an environment variable with its path, names on PATH
    config: str  # in peers/
    argv: tuple  # after the program; @KEY@ is replaced, as in the configuration
    gzip: tuple = ("", "gzip")  # what @GZIP@ is without and with; None: it cannot
    joins: bool = False  # sends a stack trace as one document
    ends: bool = False  # exits at the end of the files
    outputs: int = 1  # its [OUTPUT] so many times, @N@ being their numbers

    def expected(self, truth):
        return truth["records" if self.joins else "lines"] * self.outputs

    def program(self):
        variable, *names = self.find
        found = os.environ.get(variable) or next(
            filter(None, map(shutil.which, names)), None
        )
        return found and shutil.which(found)


TOWLINE = Shipper(
    "towline",
    ("TOWLINE", str(BUILD / "towline")),
    "towline.conf",
    ("run", "-c", "@CONFIG@", "--exit-on-eof"),
    gzip=("off", "gzip"),
    joins=True,
    ends=True,
)
TWO_OUTPUTS = dataclasses.replace(TOWLINE, name="towline, two outputs", outputs=2)
PEERS = [
    Shipper(
        "Fluent Bit",
        ("FLUENT_BIT", "fluent-bit", "/opt/fluent-bit/bin/fluent-bit"),
        "fluent-bit.conf",
        ("-q", "-c", "@CONFIG@"),
        gzip=("", "Compress gzip"),
    ),
    Shipper(
        "rsyslog",
        ("RSYSLOGD", "rsyslogd", "/usr/sbin/rsyslogd"),
        "rsyslog.conf",
        ("-n", "-i", "NONE", "-f", "@CONFIG@"),
        gzip=("", None),
    ),
    Shipper(
        "Vector",
        ("VECTOR", "vector"),
        "vector.yaml",
        ("-q", "-c", "@CONFIG@"),
        ("none", "gzip"),
    ),
    Shipper(
        "Filebeat",
        ("FILEBEAT", "filebeat"),
        "filebeat.yml",
        ("-c", "@CONFIG@", "--strict.perms=false"),
        ("0", "1"),
    ),
]


@dataclasses.dataclass
class Run:
    cpu: float  # seconds, user and system
    wall: float
    rss: float  # MB, the peak
    documents: int
    sent: int  # bytes of request bodies, before gzip
    duplicates: int = 0
    without_id: int = 0
    failed: str = ""
    store: float = 0  # CPU seconds of towline's store thread


# ---- processes


def cpu_of(pid):
    """CPU seconds of a running process, all its threads."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def peak_of(pid):
    """VmHWM in MB; 0 when the process is gone."""
    try:
        for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / MB
    except OSError:
        pass
    return 0


def thread_cpu_of(pid, name):
    """CPU seconds of its threads of that name; 0 when it is gone, or has none."""
    spent = 0
    try:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            if (task / "comm").read_text().strip() == name:
                spent += int((task / "schedstat").read_text().split()[0])
    except OSError:
        pass
    return spent / 1e9


class Sink:
    def __init__(self, *options):
        self.process = subprocess.Popen(
            [BUILD / "bench/sink", *options], stdout=subprocess.PIPE, text=True
        )
        self.port = int(self.process.stdout.readline())

    def totals(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request("GET", "/_sink")
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer

    def stop(self):
        self.process.terminate()
        totals = json.loads(self.process.stdout.readline())
        self.process.wait()
        return totals


def end(process):
    """Stop a process that was started here, the hard way if need be."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def configured(shipper, directory, logs, port, gzip, live=False):
    """The command line of ${shipper}, its configuration written into ${directory}."""
    config = directory / shipper.config
    state = directory / "state"
    state.mkdir()
    values = {
        "LOGS": f"{logs}/containers/matillion-agent*.log",
        "PODS": f"{logs}/pods/*/*/*.log",
        "TAG_PREFIX": f"{logs}/containers/".strip("/").replace("/", "."),
        "PORT": str(port),
        "STATE": str(state),
        "GZIP": shipper.gzip[gzip],
        "CONFIG": str(config),
    }

    def fill(text):
        for key, value in values.items():
            text = text.replace(f"@{key}@", value)
        return text

    text = (HERE / "peers" / shipper.config).read_text()
    head, mark, output = text.partition("[OUTPUT]")
    numbered = (
        f"{mark}{output}".replace("@N@", str(i)) for i in range(shipper.outputs)
    )
    config.write_text(fill(head + "\n".join(numbered)))
    argv = [fill(a) for a in shipper.argv if not (live and a == "--exit-on-eof")]
    return [
        shipper.program(),
        *argv,
        *os.environ.get(f"{shipper.find[0]}_ARGS", "").split(),
    ]


# ---- batch


def wait_for_exit(process):
    """Peak memory and CPU of a process that ends by itself, and its store thread's."""
    rss, store = 0, 0
    while True:
        rss = max(rss, peak_of(process.pid))
        store = max(store, thread_cpu_of(process.pid, "store"))
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return rss, usage.ru_utime + usage.ru_stime, store
        time.sleep(0.02)


def wait_for_documents(process, sink, expected):
    """Peak memory and CPU when all documents are there, or no more come; so the store's."""
    seen, since = 0, time.monotonic()
    while process.poll() is None:
        documents = sink.totals()["documents"]
        if documents != seen:
            seen, since = documents, time.monotonic()
        if documents >= expected or time.monotonic() - since > STALL:
            break
        time.sleep(0.1)
    if process.poll() is not None:
        return 0, 0, 0
    return (
        peak_of(process.pid),
        cpu_of(process.pid),
        thread_cpu_of(process.pid, "store"),
    )


def run_batch(shipper, logs, expected, gzip, ids=False):
    sink = Sink(*["--ids"] * ids)
    with tempfile.TemporaryDirectory(prefix="towline-bench-") as directory:
        directory = pathlib.Path(directory)
        argv = configured(shipper, directory, logs, sink.port, gzip)
        with open(directory / "log", "w+b") as log:
            begin = time.monotonic()
            process = subprocess.Popen(
                argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
            try:
                if shipper.ends:
                    rss, cpu, store = wait_for_exit(process)
                else:
                    rss, cpu, store = wait_for_documents(process, sink, expected)
                wall = time.monotonic() - begin
            finally:
                end(process)
            log.seek(0)
            said = log.read().decode(errors="replace").strip().splitlines()[-1:]
    t = sink.stop()
    failed = (
        "" if cpu and (process.returncode == 0 or not shipper.ends) else "".join(said)
    )
    if not cpu and not failed:
        failed = f"exited with {process.returncode}"
    return Run(
        cpu,
        wall,
        rss,
        t["documents"],
        t["body_bytes"],
        t["duplicates"],
        t["without_id"],
        failed,
        store,
    )


def run_ceiling(logs, metadata):
    sink = Sink()
    files = sorted(logs.glob("containers/*.log"))
    begin = time.monotonic()
    process = subprocess.Popen(
        [
            BUILD / "bench/ceiling",
            "--port",
            str(sink.port),
            "--metadata",
            str(metadata),
            *files,
        ],
        stdout=subprocess.DEVNULL,
    )
    rss, cpu, _ = wait_for_exit(process)
    wall = time.monotonic() - begin
    t = sink.stop()
    failed = "" if process.returncode == 0 else f"exited with {process.returncode}"
    return Run(cpu, wall, rss, t["documents"], t["body_bytes"], failed=failed)


# ---- live


@dataclasses.dataclass
class Live:
    run: Run
    lines: int
    bytes: int
    expected: int
    idle: float  # CPU ms a second when nothing is written


def run_live(shipper, options):
    """All files written line by line; the shipper started just after."""
    sink = Sink("--ids") if shipper.joins else Sink()
    with tempfile.TemporaryDirectory(prefix="towline-bench-") as directory:
        directory = pathlib.Path(directory)
        logs = directory / "node"
        gen = [
            BUILD / "bench/gen",
            "--live",
            "--dir",
            logs,
            "--files",
            options.live_files,
        ]
        gen += ["--rate", 50, "--seconds", options.live_seconds, "--seed", 2]
        generator = subprocess.Popen(list(map(str, gen)))
        time.sleep(0.5)
        argv = configured(shipper, directory, logs, sink.port, False, live=True)
        process = subprocess.Popen(
            argv,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
        )
        try:
            generator.wait()
            truth = json.loads((logs / "truth.json").read_text())
            expected = truth["records" if shipper.joins else "lines"]
            rss, cpu, store = wait_for_documents(process, sink, expected)
            time.sleep(2)
            before, begin = cpu_of(process.pid) if cpu else 0, time.monotonic()
            time.sleep(5)
            idle = (cpu_of(process.pid) if cpu else 0) - before
            idle_wall = time.monotonic() - begin
        finally:
            end(generator)
            end(process)
    t = sink.stop()
    run = Run(
        cpu, 0, rss, t["documents"], t["body_bytes"], t["duplicates"], t["without_id"]
    )
    run.store = store
    return Live(run, truth["lines"], truth["bytes"], expected, 1000 * idle / idle_wall)
