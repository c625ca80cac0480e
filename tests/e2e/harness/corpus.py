"""tests/corpus: configurations as people write them, laid out as `towline test` takes them."""

import dataclasses
import re
import shutil
import tomllib

import yaml

from .journal import Journal
from .towline import ROOT

HOME = ROOT / "tests/corpus"
# What the environment of the pods has.
ENVIRONMENT = {
    "ES_HOST": "es.invalid",
    "ES_CLOUD_AUTH": "elastic:changeme",
    "OS_USER": "shipper",
    "HOSTNAME": "node-1",
}
CHART = {"flush": 1, "logLevel": "info", "metricsPort": 2020}
SERVICE = """\
[SERVICE]
    Parsers_File /fluent-bit/etc/parsers.conf
    Parsers_File /fluent-bit/etc/conf/custom_parsers.conf
    HTTP_Server On
    HTTP_Port 2020
"""
MOUNTED = re.compile(r"/fluent-bit/(?:etc/conf|etc|scripts)/([\w.-]+)")


@dataclasses.dataclass
class Entry:
    """A folder of tests/corpus, and what corpus.toml says of it."""

    name: str
    logs: str = "cri"  # the folder of _logs that it reads
    shows: list = dataclasses.field(default_factory=list)  # of what people write
    refused: str = ""  # a part of the message; empty: it starts
    warns: str = ""  # a part of what `check` says of it
    now: bool = (
        False  # some records have the time of the run: documents are not compared
    )
    journal: bool = False  # it has the entries of _logs/journal.export

    @property
    def home(self):
        return HOME / self.name

    @property
    def expected(self):
        return self.home / "expected"

    def source(self):
        """The file that is in a repository: a ConfigMap, Helm values, or Fluent Bit's own."""
        names = ["configmap.yaml", "values.yaml", "fluent-bit.conf", "fluent-bit.yaml"]
        return next(self.home / n for n in names if (self.home / n).exists())

    def lay(self, folder):
        """Make ${folder} a test: the files that a container would find, and the logs."""
        folder.mkdir(parents=True, exist_ok=True)
        source = self.source()
        if source.name == "configmap.yaml":
            files = yaml.safe_load(source.read_text())["data"]
        elif source.name == "values.yaml":
            files = of_values(yaml.safe_load(source.read_text()))
        else:
            texts = [p for p in self.home.iterdir() if p.is_file()]
            files = {p.name: p.read_text() for p in texts}
        for name, text in files.items():
            # a file that is mounted is found beside the main one; others stay as they are
            text = MOUNTED.sub(lambda m: m[1] if m[1] in files else m[0], text)
            (folder / name).write_text(text)
        logs = folder / "var/log"
        logs.mkdir(parents=True)
        for what in (HOME / "_logs" / self.logs / "var/log").iterdir():
            (logs / what.name).symlink_to(what)
        if self.journal:
            entries = (HOME / "_logs/journal.export").read_bytes()
            Journal(logs / "journal").write(entries)
        if self.logs != "plain":
            (folder / "pods.json").symlink_to(HOME / "_logs/pods.json")
        if self.expected.exists():
            shutil.copytree(self.expected, folder / "expected")
        return folder

    def take(self, folder):
        """Keep what `towline test --update` has written in a folder of lay()."""
        shutil.rmtree(self.expected, ignore_errors=True)
        if (folder / "expected").exists():
            shutil.copytree(folder / "expected", self.expected)


def of_values(values):
    """The files that the chart makes of its values."""
    config = values["config"]
    parts = ["inputs", "filters", "outputs"]
    conf = "\n".join(config[part] for part in parts if part in config)
    if conf:
        conf = config.get("service", SERVICE) + "\n" + conf
    known = CHART | values
    conf = re.sub(r"\{\{ \.Values\.(\w+) \}\}", lambda m: str(known[m[1]]), conf)
    files = {"fluent-bit.conf": conf} if conf else {}
    if "customParsers" in config:
        files["custom_parsers.conf"] = config["customParsers"]
    return files | config.get("extraFiles", {}) | values.get("luaScripts", {})


def entries():
    table = tomllib.loads((HOME / "corpus.toml").read_text())
    return [Entry(name, **said) for name, said in sorted(table.items())]


def folders():
    return sorted(
        p.name for p in HOME.iterdir() if p.is_dir() and not p.name.startswith("_")
    )
