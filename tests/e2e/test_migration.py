"""From a Fluent Bit DaemonSet to towline: what the component does on a node."""

import os
import re
import sqlite3
import subprocess

import pytest
import yaml
from harness import manifests
from harness.manifests import BASE, KUBERNETES, chart, containers, kustomize, pod
from harness.node import info
from harness.towline import BINARY, ROOT
from test_manifests import alike
from test_takeover import NEW

VALUES = ROOT / "conf/helm/from-fluent-bit.yaml"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The base with the component, as an overlay of the operator's would have it."""
    folder = tmp_path_factory.mktemp("overlay")

    def beside(path):
        return os.path.relpath(path, folder)

    component = KUBERNETES / "components/from-fluent-bit"
    overlay = {"resources": [beside(BASE)], "components": [beside(component)]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    return kustomize(folder)


def copied(built, here, state):
    """Run the init container's script, its paths those of the test."""
    container = containers(built)["fluent-bit-db"]
    script = [
        part.replace("/var/lib/towline", str(state)) for part in container["command"]
    ]
    (db,) = container["env"]
    path = db["value"].replace("/fluent-bit", str(here))
    return subprocess.run(
        script, env={**os.environ, "DB": path}, capture_output=True, text=True
    )


def test_the_charts_values_make_the_same(built):
    values = yaml.load(VALUES.read_text(), manifests.Loader)
    assert alike(chart(values)) == alike(built)


def test_only_the_copy_sees_the_folder(built):
    having = [
        name
        for name, container in containers(built).items()
        if any(m["name"] == "fluent-bit" for m in container["volumeMounts"])
    ]
    assert having == ["fluent-bit-db"]
    (volume,) = (v for v in pod(built)["volumes"] if v["name"] == "fluent-bit")
    assert volume["hostPath"] == {"path": "/var/log", "type": "Directory"}


def test_nothing_is_lost_or_comes_twice(built, table, config, node, run, tmp_path):
    """Fluent Bit was killed: the newest offset is in the -wal alone."""
    container = node.container()
    container.write(*(info(f"line {i}") for i in range(10)))
    stat = container.log.stat()
    db = sqlite3.connect(tmp_path / "flb_kube.db")
    db.execute("PRAGMA journal_mode=WAL")
    db.execute(f"CREATE TABLE in_tail_files ({NEW})")
    insert = "INSERT INTO in_tail_files VALUES (NULL, 'x', ?, ?, 0, 0, 0, 0)"
    db.execute(insert, (stat.st_size, stat.st_ino))
    db.commit()
    assert (tmp_path / "flb_kube.db-wal").stat().st_size > 0
    state = tmp_path / "state"
    state.mkdir()
    done = copied(built, tmp_path, state)
    assert done.returncode == 0, done.stderr
    db.close()

    container.write(*(info(f"line {i}") for i in range(10, 20)))
    settings = config(table.output)
    settings.inputs[0]["DB"] = state / "fluent-bit.db"
    assert run(settings, "--exit-on-eof", wait=False).wait() == 0
    want = [f"line {i}" for i in range(10, 20)]
    assert sorted(log.rpartition(" : ")[2] for log in table.logs()) == want
    # A second start of the pod copies nothing, and reads on.
    before = (state / "fluent-bit.db").stat()
    assert copied(built, tmp_path, state).returncode == 0
    assert (state / "fluent-bit.db").stat().st_mtime_ns == before.st_mtime_ns


def test_the_way_back_as_the_docs_have_it(table, config, node, run, tmp_path):
    """The init container of Fluent Bit's DaemonSet, its paths those of the test."""
    text = (ROOT / "docs/kubernetes.md").read_text()
    (block,) = (
        b for b in re.findall(r"```yaml\n(.*?)```", text, re.S) if "export" in b
    )
    (container,) = yaml.safe_load(block)["initContainers"]
    logs = node.container()
    logs.write(*(info(f"line {i}") for i in range(10)))
    assert run(config(table.output), "--exit-on-eof", wait=False).wait() == 0

    def exported():
        script = [*container["command"], *container["args"]]
        script = [
            part.replace("/var/lib/towline", f"{tmp_path}/state") for part in script
        ]
        script = [part.replace("/var/log", str(tmp_path)) for part in script]
        path = f"{BINARY.parent}:{os.environ['PATH']}"
        return subprocess.run(script, env={**os.environ, "PATH": path})

    assert exported().returncode == 0
    db = sqlite3.connect(tmp_path / "flb_kube.db")
    rows = db.execute("SELECT inode, offset FROM in_tail_files").fetchall()
    assert rows == [(logs.log.stat().st_ino, logs.log.stat().st_size)]
    # Fluent Bit's pod starts again: the DB is its own now.
    assert exported().returncode == 0


def test_a_node_without_a_db_starts_all_the_same(built, tmp_path):
    done = copied(built, tmp_path, tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
