"""towline test: a configuration run on the files of a folder, its documents compared."""

import json
import os

import pytest
from harness.towline import section, towline

ID = "a1" * 32
LINES = [
    '2026-11-22T08:00:00.1Z stdout F {"level":"warn","user":"ann"}',
    "2026-11-22T08:00:00.2Z stderr F java.lang.Error: x",
    "2026-11-22T08:00:00.2Z stderr F \tat a.B.c(D.java:1)",
]
POD = {
    "metadata": {
        "name": "web-1",
        "namespace": "shop",
        "uid": "11111111-2222-3333-4444-555555555555",
        "labels": {"app": "web"},
    },
    "spec": {"nodeName": "n1", "containers": [{"name": "web", "image": "web:1"}]},
    "status": {"podIP": "10.0.0.7"},
}


@pytest.fixture
def folder(tmp_path):
    logs = tmp_path / "var/log/containers"
    logs.mkdir(parents=True)
    (logs / f"web-1_shop_web-{ID}.log").write_text("\n".join(LINES) + "\n")
    (tmp_path / "opt").mkdir()
    (tmp_path / "opt/plain.log").write_text("first\nsecond\n")
    (tmp_path / "pods.json").write_text(json.dumps({"items": [POD]}))
    es = {"Host": "none.invalid", "Logstash_Format": "On", "Match": "kube.*"}
    (tmp_path / "fluent-bit.conf").write_text(
        section("SERVICE", HTTP_Port=1, State_Path="/none", Log_File="/none/log")
        + section("INPUT", Name="tail", Path="/var/log/containers/*", Tag="kube.*")
        + section("INPUT", Name="tail", Path="/opt/*.log", Tag="opt.*", Path_Key="from")
        + section("FILTER", Name="kubernetes", Match="kube.*")
        + section("OUTPUT", Name="es", **es)
        + section("OUTPUT", Name="stdout", Match="opt*", Alias="plain")
        + section("OUTPUT", Name="null", Match="*")
    )
    return tmp_path


def expected(folder, name):
    lines = (folder / f"expected/{name}.ndjson").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_documents_are_written_once_and_compared_from_then_on(folder):
    before = towline("test", folder)
    assert before.returncode == 1 and "is not expected" in before.stdout
    assert not (folder / "expected").exists()
    update = towline("test", "--update", folder)
    assert update.returncode == 0 and "es.0.ndjson: written, 2" in update.stdout
    first, second = expected(folder, "es.0")
    assert first["_index"] == "logstash-2026.11.22"
    assert first["_source"]["log_parsed"] == {"level": "WARN", "extra": {"user": "ann"}}
    kubernetes = first["_source"]["kubernetes"]
    assert kubernetes["labels"] == {"app": "web"} and kubernetes["docker_id"] == ID
    assert kubernetes["pod_ip"] == "10.0.0.7"
    assert second["_source"]["log"].count("\n") == 1
    assert expected(folder, "plain") == [
        {
            "@timestamp": "2026-01-01T00:00:00.000000000Z",
            "log": text,
            "from": "/opt/plain.log",
        }
        for text in ("first", "second")
    ]
    again = towline("test", folder)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout == f"{folder}: 4 documents, as expected\n"
    assert towline("test", "--update", folder).stdout == f"{folder}: 4 documents\n"


def test_an_update_writes_through_no_link(folder, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "mine").write_text("{}\n")
    (folder / "expected").mkdir()
    file = folder / "expected/es.0.ndjson"
    file.symlink_to(elsewhere / "mine")
    assert towline("test", "--update", folder).returncode == 0
    assert (elsewhere / "mine").read_text() == "{}\n"
    assert not file.is_symlink() and len(expected(folder, "es.0")) == 2
    (folder / "expected").rename(elsewhere / "expected")
    (elsewhere / "expected/es.0.ndjson").write_text("{}\n")
    (folder / "expected").symlink_to(elsewhere / "expected")
    done = towline("test", "--update", folder)
    assert done.returncode == 1 and "expected is a symbolic link" in done.stderr
    assert (elsewhere / "expected/es.0.ndjson").read_text() == "{}\n"


def test_a_difference_names_the_member_and_the_line(folder):
    towline("test", "--update", folder)
    file = folder / "expected/es.0.ndjson"
    first, second = expected(folder, "es.0")
    first["_source"]["log_parsed"]["level"] = "ERROR"
    first["_source"]["kubernetes"]["host"] = None
    del first["_source"]["stream"]
    file.write_text(json.dumps(first) + "\n\n" + json.dumps(second))
    (folder / "expected/gone.ndjson").write_text("{}")
    done = towline("test", folder)
    assert done.returncode == 1
    assert f"{file}:1: document 1 of es.0 differs" in done.stdout
    assert '_source.log_parsed.level  expected "ERROR", is "WARN"' in done.stdout
    assert '_source.kubernetes.host  expected null, is "n1"' in done.stdout
    assert '_source.stream  not expected: "stdout"' in done.stdout
    assert "gone.ndjson: the configuration has no output" in done.stdout
    file.write_text(json.dumps(second) + "\n" + json.dumps({"lost": 1}))
    done = towline("test", folder)
    assert "document 1 of es.0 is not expected" in done.stdout
    assert f'{file}:2: es.0 has not got this document: {{"lost":1}}' in done.stdout


def test_a_configuration_that_is_wrong_is_not_run(folder):
    conf = folder / "fluent-bit.conf"
    conf.write_text(conf.read_text().replace("kubernetes", "kubernets"))
    done = towline("test", folder)
    assert done.returncode == 1 and "did you mean 'kubernetes'" in done.stderr
    conf.rename(folder / "other.conf")
    assert "has no configuration" in towline("test", folder).stderr
    assert towline("test").returncode == 2


def test_nothing_stays_behind(folder):
    temporary = folder / "tmp"
    temporary.mkdir()
    done = towline("test", folder, env=os.environ | {"TMPDIR": str(temporary)})
    assert done.returncode == 1 and list(temporary.iterdir()) == []


def test_check_prints_what_differs_with_its_lines(folder):
    conf = folder / "fluent-bit.conf"
    done = towline("check", "--diff", "-c", conf)
    assert done.returncode == 0
    rows = done.stdout.split("\n\n")
    (first,) = [row for row in rows if row.startswith("old lines at the first")]
    assert "First_Start end" in first and "line 5, 9" in first
    assert not any(row.startswith("memory") for row in rows)
    conf.write_text(conf.read_text().replace("Tag kube.*", "First_Start end"))
    rows = towline("check", "--diff", "-c", conf).stdout.split("\n\n")
    (first,) = [row for row in rows if row.startswith("old lines at the first")]
    assert "line 9" in first and "line 5" not in first
    assert max(len(line) for row in rows[1:-1] for line in row.splitlines()) <= 118


def test_a_fifo_in_the_folder_is_refused_and_not_waited_for(folder):
    os.mkfifo(folder / "opt/waits.log")
    result = towline("test", folder)
    assert result.returncode == 1
    assert f"{folder}/opt/waits.log is no file" in result.stderr
