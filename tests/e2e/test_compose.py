"""docker/compose.yml: read as docker compose reads it, and run as far as goes without Docker."""

import json
import os
import subprocess
import time
import uuid

import pytest
from harness.towline import ROOT, changed
from harness.towline import towline as command

FOLDER = ROOT / "docker"


@pytest.fixture(scope="session")
def compose():
    """Checked against the specification's schema, then interpolated."""
    reader = subprocess.run(
        [ROOT / "tests/containers/compose"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.strip()

    def read(file):
        return subprocess.run(
            [reader, "-format", "json", file],
            cwd=FOLDER,
            capture_output=True,
            text=True,
        )

    return read


@pytest.fixture(scope="session")
def services(compose):
    done = compose(FOLDER / "compose.yml")
    assert done.returncode == 0, done.stderr + done.stdout
    return json.loads(done.stdout)["services"]


def test_an_unknown_key_is_refused(tmp_path, compose):
    text = (FOLDER / "compose.yml").read_text()
    wrong = tmp_path / "compose.yml"
    wrong.write_text(text.replace("read_only: true", "readonly: true"))
    done = compose(wrong)
    assert done.returncode != 0 and "readonly" in done.stderr + done.stdout


def test_services_are_hardened_and_local(services):
    assert set(services) == {"towline", "opensearch", "dashboards", "example"}
    for service in services.values():
        assert {p["host_ip"] for p in service.get("ports", [])} <= {"127.0.0.1"}
    towline = services["towline"]
    assert towline["read_only"] and towline["cap_drop"] == ["ALL"]
    mounts = {v["target"]: v for v in towline["volumes"]}
    assert mounts["/var/lib/docker/containers"]["read_only"]
    assert mounts["/etc/towline/towline.conf"]["source"] == str(FOLDER / "compose.conf")
    assert towline["build"]["context"] == str(ROOT)
    assert (ROOT / towline["build"]["dockerfile"]).exists()
    read = {n for n, s in services.items() if s["logging"]["driver"] == "json-file"}
    assert read == {"example"}


def said(service, folder, n):
    """The first n lines that the service prints, its seconds cut short."""
    (folder / "sleep").symlink_to("/bin/true")
    env = {"PATH": f"{folder}:{os.environ['PATH']}"}
    script = [*service["entrypoint"], *service["command"]]
    with subprocess.Popen(script, env=env, stdout=subprocess.PIPE, text=True) as shell:
        lines = [shell.stdout.readline() for _ in range(n)]
        shell.kill()
    return lines


def test_its_example_is_indexed(tmp_path, services, servers):
    folder = tmp_path / "containers" / ("a" * 64)
    folder.mkdir(parents=True)
    with open(folder / f"{folder.name}-json.log", "w") as log:
        now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        for i, line in enumerate(said(services["example"], tmp_path, 3 * 14)):
            entry = {"log": line, "stream": "stdout", "time": f"{now}.{i:09}Z"}
            log.write(json.dumps(entry) + "\n")

    server = servers("opensearch")
    index = server.index(f"compose-{uuid.uuid4().hex[:8]}")
    conf = tmp_path / "compose.conf"
    conf.write_text(
        changed(
            FOLDER / "compose.conf",
            Path=f"{folder.parent}/*/*-json.log",
            Host="127.0.0.1",
            Port=server.port,
            Index=index.name,
            Parsers_File=ROOT / "conf/parsers.conf",
        ).replace("[SERVICE]", "[SERVICE]\n    HTTP_Server off")
    )
    done = command("run", "-c", conf, "--state", tmp_path / "state", "--exit-on-eof")
    assert done.returncode == 0, done.stderr
    found = [hit["_source"] for hit in index.search(size=100)["hits"]["hits"]]
    report = command("report", "errors", "-c", conf, "--json")
    index.delete()
    events = sorted(document["log_parsed"]["event"] for document in found)
    assert events == ["TASK_COMPLETED"] * 27 + ["TASK_FAILED"] * 3
    roots = {document["log_parsed"].get("root_error_type") for document in found}
    assert roots == {None, "java.sql.SQLException"}
    (row,) = json.loads(report.stdout)
    assert row["error_type"] == "java.lang.IllegalStateException" and row["count"] == 3
