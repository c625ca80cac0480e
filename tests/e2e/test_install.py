"""make install and uninstall: what an administrator has changed stays."""

import subprocess

import pytest
from harness.towline import BINARY, ROOT

FILES = ["towline.conf", "parsers.conf", "agent-events.conf"]


@pytest.fixture
def make(tmp_path):
    def run(target):
        """-o: what the tests run is built already."""
        command = ["make", "-s", "-o", str(BINARY.relative_to(ROOT)), target]
        command += [f"B={BINARY.parent.relative_to(ROOT)}", f"DESTDIR={tmp_path}"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_unit_is_right(tmp_path):
    """As systemd reads it: a key that it does not know, say, it would pass over."""
    unit = tmp_path / "towline.service"
    text = (ROOT / "conf/towline.service").read_text()
    unit.write_text(text.replace("@PREFIX@/bin/towline", str(BINARY)))
    command = ["systemd-analyze", "verify", "--man=no", unit]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == ""


def test_changed_files_stay(tmp_path, make):
    make("install")
    etc = tmp_path / "etc/towline"
    ours = {name: (ROOT / "conf" / name).read_text() for name in FILES}
    assert {file.name: file.read_text() for file in etc.iterdir()} == ours
    assert "was changed" not in make("install")
    assert sorted(file.name for file in etc.iterdir()) == sorted(FILES)

    (etc / "towline.conf").write_text("# mine\n")
    assert f"{etc}/towline.conf was changed: it stays" in make("install")
    assert (etc / "towline.conf").read_text() == "# mine\n"
    assert (etc / "towline.conf.new").read_text() == ours["towline.conf"]
    assert len(list(etc.iterdir())) == len(FILES) + 1

    assert f"{etc}/towline.conf was changed: it stays" in make("uninstall")
    left = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert left == [etc / "towline.conf"]
    make("install")
    (etc / "towline.conf").write_text(ours["towline.conf"])
    make("uninstall")
    assert not etc.exists()
