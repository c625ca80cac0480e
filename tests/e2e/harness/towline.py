"""Running towline: its configuration, its metrics, its messages, its end."""

import contextlib
import dataclasses
import http.client
import os
import pathlib
import re
import signal
import subprocess

from .wait import LIMIT, until, until_equal

ROOT = pathlib.Path(__file__).parents[3]
BINARY = pathlib.Path(os.environ.get("TOWLINE", ROOT / "build/towline")).resolve()
BENCH = BINARY.parent / "bench"  # of the same build
SANITIZED = {"san", "tsan"} & set(BINARY.parts)  # its memory is the sanitizer's
COUNTED = "coverage" in BINARY.parts  # writes its counters when it ends by itself
LISTENS = re.compile(r"https?://([\d.]+|\[[\da-f:]+\]):(\d+)")
OF_POD = re.compile("KUBERNETES_|NODE_NAME$|POD_NAME$|POD_NAMESPACE$")
SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def towline(*arguments, text="", **options):
    """A command that ends by itself; returns what subprocess.run does."""
    command = [BINARY, *map(str, arguments)]
    return subprocess.run(
        command, input=text, capture_output=True, text=True, timeout=120, **options
    )


def section(name, **entries):
    lines = [
        f"    {key} {value}"
        for key, values in entries.items()
        for value in listed(values)
    ]
    return "\n".join([f"[{name}]", *lines, ""])


def listed(values):
    return values if isinstance(values, list) else [values]


def changed(file, **options):
    """The text of a configuration file of ours, with these options' values changed."""
    text = file.read_text()
    for option, value in options.items():
        text, n = re.subn(rf"(?m)^(\s+{option}\s+)\S+$", rf"\g<1>{value}", text)
        assert n == 1, f"{option} in {file}"
    return text


@dataclasses.dataclass
class Config:
    """The usual configuration of a test; each part may be changed before text()."""

    folder: pathlib.Path
    service: dict = dataclasses.field(default_factory=dict)
    inputs: list = dataclasses.field(default_factory=list)
    filters: list = dataclasses.field(default_factory=list)
    outputs: list = dataclasses.field(default_factory=list)

    @classmethod
    def of(cls, folder, node, *outputs):
        return cls(
            pathlib.Path(folder),
            {
                "Flush": 0.2,
                "HTTP_Listen": "127.0.0.1",
                "HTTP_Port": 0,
                "State_Path": f"{folder}/state",
            }
            # Tests that are not root's may look at its /proc.
            | ({} if os.geteuid() == 0 else {"Core_Dump": "On"}),
            [
                {
                    "Name": "tail",
                    "Path": node.path,
                    "Parser": "cri",
                    "Tag": "matillion.agent.*",
                }
                | {"Refresh_Interval": 1}
            ],
            [{"Name": "kubernetes", "Match": "matillion.agent.*", "Merge_Log": "On"}],
            [{"Match": "matillion.agent.*"} | output for output in outputs],
        )

    def text(self):
        parts = [("SERVICE", [self.service]), ("INPUT", self.inputs)]
        parts += [("FILTER", self.filters), ("OUTPUT", self.outputs)]
        return "\n".join(
            section(name, **entries) for name, group in parts for entries in group
        )

    def write(self):
        file = self.folder / "towline.conf"
        file.write_text(self.text())
        return file


class Towline:
    """A running `towline run`; `environment` is added to that of the tests."""

    def __init__(self, config, *arguments, namespace=None, under=(), environment=None):
        self.file = config.write() if isinstance(config, Config) else config
        self.messages = self.file.with_suffix(".stderr")
        self.arguments, self.namespace = arguments, namespace
        self.under = under  # a command that runs it
        # What a pod is told of itself, should the tests run in one, is not towline's.
        kept = {key: os.environ[key] for key in os.environ if not OF_POD.match(key)}
        self.environment = kept | (environment or {})
        self.process, self.address = None, None
        self.tls = None  # how get() trusts its certificate
        self.login = {}  # the headers of get()

    def start(self, wait=True):
        command = ["setpriv", "--pdeathsig", "KILL", BINARY, "run", "-c", self.file]
        command = [*self.under, *command]
        fds = []
        if self.namespace:
            command = [*self.namespace.prefix, *command]
            fds = [self.namespace.there.fileno()]
        self.seen = len(self.said())
        with open(self.messages, "ab") as stderr:
            self.process = subprocess.Popen(
                [*command, *self.arguments],
                stderr=stderr,
                pass_fds=fds,
                env=self.environment,
            )
        if self.namespace:
            self.namespace.connect()
        if wait:
            match = until(self.listens, self.said, 30)
            self.address = match[1].strip("[]"), int(match[2])
        return self

    def listens(self):
        assert self.process.poll() is None, (
            f"ended: {self.process.returncode}\n{self.said()}"
        )
        return LISTENS.search(self.said()[self.seen :])

    def said(self):
        return self.messages.read_text() if self.messages.exists() else ""

    def until_said(self, pattern, limit=LIMIT):
        return until(
            lambda: re.search(pattern, self.said()),
            lambda: f"{pattern!r} in:\n{self.said()}",
            limit,
        )

    def connection(self):
        if self.tls is None:
            return http.client.HTTPConnection(*self.address, timeout=30)
        return http.client.HTTPSConnection(*self.address, timeout=30, context=self.tls)

    def get(self, path):
        """Status and text of a page of its own."""
        connection = self.connection()
        try:
            connection.request("GET", path, headers=self.login)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def metrics_page(self):
        """/metrics, which answers once the history has been counted."""
        pages = []

        def answers():
            pages[:] = [self.get("/metrics")]
            return pages[0][0] == 200

        until(answers, lambda: pages[0])
        return pages[0][1]

    def samples(self, name):
        """[(labels, value)] of one metric."""
        text = self.metrics_page()
        found = [SAMPLE.fullmatch(line) for line in text.splitlines()]
        return [
            (dict(LABEL.findall(m[2] or "")), float(m[3]))
            for m in found
            if m and m[1] == name
        ]

    def metric(self, name, **labels):
        """The sum of the samples that have these labels."""
        return sum(
            value
            for have, value in self.samples(name)
            if labels.items() <= have.items()
        )

    def by(self, name, label):
        """{label's value: sum}, without zeros."""
        sums = {}
        for labels, value in self.samples(name):
            sums[labels[label]] = sums.get(labels[label], 0) + value
        return {key: value for key, value in sums.items() if value}

    def until_metric(self, name, want, limit=LIMIT, **labels):
        until_equal(lambda: self.metric(name, **labels), want, limit)

    def until_delivered(self, n, limit=LIMIT):
        self.until_metric("towline_delivered_total", n, limit)

    def until_ready(self, limit=LIMIT):
        until(lambda: self.get("/readyz")[0] == 200, lambda: self.get("/readyz"), limit)

    @contextlib.contextmanager
    def standing(self):
        """None of its threads runs: what /proc tells of it is of one moment."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def wait(self, limit=LIMIT):
        """Its exit code, when it ends by itself."""
        code = self.process.wait(limit)
        self.process = None
        return code

    def stop(self, limit=LIMIT):
        """SIGTERM: it must drain and exit 0."""
        self.process.send_signal(signal.SIGTERM)
        assert self.wait(limit) == 0, self.said()
        return self.said()

    def end(self):
        """The test is over."""
        if self.process and COUNTED:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
        self.kill()

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
