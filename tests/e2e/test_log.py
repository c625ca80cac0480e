"""Towline's own log: its first line, its forms, its file over rotation; proxies in it."""

import json
import os
import re
import signal
import stat

import pytest
from fake_server import FakeServer
from harness.towline import towline as command
from harness.wait import until

WHEN = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


def test_the_first_line_says_what_runs(table, settings, node, run):
    node.container()
    settings.inputs.append(settings.inputs[0] | {"Path": "/nowhere/*.log"})
    said = run(settings).stop().splitlines()
    assert re.fullmatch(WHEN + r" (error|warn |info ) \w+ +\S.*", said[0])
    assert re.search(r" run   towline \d\S+, from tail .*\*\.log \(1 file\)", said[0])
    assert "tail /nowhere/*.log (no file matches)" in said[0]
    assert said[0].endswith(f"to sqlite.0 {table.path}")
    assert all(re.match(WHEN, line) for line in said)


def test_lines_of_json(settings, run):
    settings.service["Log_Format"] = "json"
    said = [json.loads(line) for line in run(settings).stop().splitlines()]
    assert all(set(line) == {"time", "level", "part", "message"} for line in said)
    assert re.fullmatch(WHEN, said[0]["time"])
    assert said[0]["level"] == "info" and said[0]["part"] == "run"


@pytest.mark.parametrize("by", ["-l", "Log_File"])
def test_the_log_file_is_opened_again(tmp_path, settings, run, by):
    """By SIGHUP, in a directory of its own, which Landlock leaves; without one, it says so."""
    folder = tmp_path / "said"
    folder.mkdir()
    log = folder / "towline.log"
    old = folder / "towline.log.1"
    settings.service["HTTP_Server"] = "Off"
    named = ["-l", log] if by == "-l" else []
    settings.service |= {"Log_File": "/nowhere/x" if named else log}
    towline = run(settings, *named, wait=False)

    def shipping():
        return log.exists() and "towline 0." in log.read_text()

    until(shipping, lambda: towline.said())
    log.rename(old)
    planted = folder / "planted"
    log.symlink_to(planted)
    towline.process.send_signal(signal.SIGHUP)
    until(
        lambda: "it is a link, which is not followed" in old.read_text(), old.read_text
    )
    until(lambda: "was read again" in old.read_text(), old.read_text)
    assert not planted.exists()
    log.unlink()
    towline.process.send_signal(signal.SIGHUP)
    until(log.exists, towline.said)
    until(lambda: "was read again" in log.read_text(), log.read_text)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    towline.process.send_signal(signal.SIGTERM)
    assert towline.wait() == 0
    assert "no more reading" in log.read_text()


def test_what_may_be_the_log_file(tmp_path, settings):
    """A file or a device; neither a link, but the system's own, nor a FIFO."""
    target, link, fifo = tmp_path / "of another", tmp_path / "link", tmp_path / "fifo"
    target.write_text("kept")
    link.symlink_to(target)
    os.mkfifo(fifo)
    run = ["run", "-c", settings.write(), "--exit-on-eof", "-l"]
    for path, why in (link, "it is a link"), (fifo, "it is no regular file"):
        done = command(*run, path)
        assert done.returncode == 1
        assert f"cannot write the log file {path}: {why}" in done.stderr
    assert target.read_text() == "kept"
    for path in "/dev/null", "/dev/stderr":
        done = command(*run, path)
        assert done.returncode == 0
        assert ("towline 0." in done.stderr) == (path == "/dev/stderr")


def test_an_unreadable_key_file_is_said_once(tmp_path, config, node, run):
    server = FakeServer(lambda n, body: 401)
    key = tmp_path / "key"
    key.write_text("a2V5")
    towline = run(config(server.output | {"HTTP_API_Key_File": key}))
    key.unlink()
    node.container().write("line")
    try:
        towline.until_said(f"{key} cannot be read")
        bulks = server.bulks
        until(lambda: server.bulks > bulks + 2, towline.said)
        assert towline.said().count(f"{key} cannot be read") == 1
        key.write_text("a2V5")
        towline.until_said(f"{key} can be read again")
    finally:
        server.close()


def test_proxies_of_the_environment_are_named(config, node, run, dead_port):
    """At the start, and when a connection fails; without user and password."""
    proxy = {"http_proxy": f"http://user:secret@127.0.0.1:{dead_port}"}
    settings = config({"Name": "es", "Host": "es.invalid", "Index": "i"})
    node.container().write("line")
    towline = run(settings, environment=proxy | {"no_proxy": "10.0.0.1"})
    names = f"http_proxy=127.0.0.1:{dead_port}, no_proxy=10.0.0.1"
    towline.until_said(f"proxies that the environment names are used: {names}\n")
    towline.until_said(rf"no answer.* \(of the environment: {names}\)")
    assert "secret" not in towline.said()


def test_proxies_of_the_environment_are_ignored_where_that_is_asked(
    config, node, run, dead_port
):
    server = FakeServer(lambda n, body: None)
    proxy = {"http_proxy": f"http://127.0.0.1:{dead_port}", "no_proxy": ""}
    settings = config(server.output | {"net.proxy_env_ignore": "On"})
    node.container().write("line")
    try:
        towline = run(settings, environment=proxy)
        until(lambda: server.bulks > 0, towline.said)
        assert "proxies that" not in towline.said()
    finally:
        server.close()
