"""[OUTPUT] file: lines below one directory, on disk before a cursor passes them."""

import json
import os
import re

import pytest
from harness.towline import section
from harness.towline import towline as command
from harness.wait import until_equal


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "out" / "deep"


def logs(file):
    """The documents' texts; what is no JSON was cut by a kill, and is a line of its own."""
    found = []
    for line in file.read_text().splitlines():
        try:
            found.append(json.loads(line)["log"])
        except ValueError:
            continue
    return found


def test_each_tag_has_a_file(node, config, run, folder):
    node.container(pod="web-1").write("a", "b")
    node.container(pod="web-2").write("c")
    settings = config({"Name": "file", "Path": folder, "Mkdir": "On"})
    towline = run(settings)
    towline.until_delivered(3)
    files = sorted(folder.iterdir())
    assert len(files) == 2 and all(f.stat().st_mode & 0o777 == 0o600 for f in files)
    text = "".join(f.read_text() for f in files)
    assert re.search(
        r'(?m)^matillion\.agent\.\S+: \[\d+\.\d{9}, \{.*"log":"c".*\}\]$', text
    )
    assert [len(f.read_text().splitlines()) for f in files] == [2, 1]
    towline.stop()


def test_nothing_is_lost_over_kills_and_renames(node, config, run, folder):
    container = node.container()
    lines = [f"line {i:05d}" for i in range(20000)]
    settings = config(
        {"Name": "file", "Path": folder, "File": "all.json", "Format": "plain"}
    )
    settings.outputs[0]["Mkdir"] = "On"
    file, old = folder / "all.json", folder / "all.json.1"
    for part in range(4):
        container.write(*lines[part * 5000 : (part + 1) * 5000])
        towline = run(settings)
        until_equal(
            lambda p=part: file.exists() and len(set(logs(file))) > p * 900, True
        )
        towline.kill()
    with file.open("a") as torn:
        torn.write('{"log":"cut by a ki')
    lines.append("behind it")
    container.write(lines[-1])
    towline = run(settings)
    until_equal(lambda: set(logs(file)) >= set(lines), True)
    file.rename(old)
    container.write("last")
    until_equal(lambda: file.exists() and logs(file) == ["last"], True)
    towline.stop()
    assert old.read_text().count('{"log":"cut by a ki\n') == 1
    assert list(dict.fromkeys(logs(old))) == lines


def test_a_file_that_an_input_reads_is_refused(node, config):
    folder = os.path.dirname(node.path)
    settings = config({"Name": "file", "Path": folder, "Format": "plain"})
    checked = command("check", "-c", settings.write())
    assert checked.returncode == 1
    assert "it would read its own lines for ever" in checked.stdout + checked.stderr


def test_a_run_to_the_end_fails_when_its_directory_is_missing(
    node, config, run, folder
):
    node.container().write("a line")
    settings = config({"Name": "file", "Path": folder, "Format": "plain"})
    towline = run(settings, "--exit-on-eof", wait=False)
    assert towline.wait() == 1
    assert "1 records were not delivered in time" in towline.said()


def reads(tmp_path, found, written):
    """What check says of an input that looks in one directory and an output that writes to one."""
    conf = tmp_path / "towline.conf"
    conf.write_text(
        section("INPUT", Name="tail", Path=f"{tmp_path}/{found}/*.log", Tag="t")
        + section("OUTPUT", Name="file", Path=f"{tmp_path}/{written}", File="a.log")
    )
    done = command("check", conf)
    return done.returncode == 1 and "its own lines for ever" in done.stdout


def test_a_file_that_an_input_reads_is_refused_by_another_name(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "out").symlink_to("logs")
    for found, written in (("logs", "out"), ("out", "logs"), ("logs", "out/../out")):
        assert reads(tmp_path, found, written), written
        assert reads(tmp_path, f"{found}/*/new", f"{written}/a/new"), written
    assert not reads(tmp_path, "logs/a", "out/b")
    (tmp_path / "out").unlink()
    (tmp_path / "out").mkdir()
    assert not reads(tmp_path, "logs", "out")


def test_a_directory_that_comes_before_any_record_is_enough(node, config, run, folder):
    towline = run(config({"Name": "file", "Path": folder, "File": "all"}))
    towline.until_said("records wait in their files")
    assert towline.get("/readyz") == (503, "file.0: a file cannot be written\n")
    folder.mkdir(parents=True)
    towline.until_ready()
    towline.stop()


def test_a_directory_that_is_missing_is_waited_for(node, config, run, folder):
    node.container().write("a line")
    settings = config(
        {"Name": "file", "Path": folder, "File": "all", "Format": "plain"}
    )
    check = command("check", "-c", settings.write())
    assert check.returncode == 0
    away = (
        f"'{folder}' is no directory that may be written here: No such file or directory; "
        "records wait in their files (Mkdir On makes it)"
    )
    assert away in check.stdout
    towline = run(settings)
    towline.until_said("output=file.0")
    assert f"{away}  output=file.0" in towline.said()
    assert towline.get("/readyz") == (503, "file.0: a file cannot be written\n")
    folder.mkdir(parents=True)
    towline.until_delivered(1)
    assert logs(folder / "all") == ["a line"]
    towline.until_ready()
    towline.stop()
