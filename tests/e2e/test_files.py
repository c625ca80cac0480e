"""Which files are read: many, hidden, hostile, foreign."""

import os

from harness.node import cri


def test_ten_thousand_files_at_once(node, table, config, run):
    for i in range(10_000):
        node.container(f"matillion-agent-{i}").write(f"line {i:05d}")
    towline = run(config(table.output))
    table.until_count(10_000, 120)
    assert table.logs() == [f"line {i:05d}" for i in range(10_000)]
    towline.stop()


def test_a_link_that_leads_outside_is_not_followed(node, table, config, run, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(cri("a secret"))
    container = node.container("matillion-agent-evil")
    container.write("replaced")
    container.log.unlink()
    container.log.symlink_to(secret)
    (node.root / "containers/direct.log").symlink_to(secret)
    node.container().write("a line")
    settings = config(table.output)
    assert run(settings, "--exit-on-eof", wait=False).wait() == 0
    assert table.logs() == ["a line"]


def test_what_is_no_regular_file_is_left_alone(node, table, config, run):
    fifo, folder = (node.container(f"matillion-agent-{x}") for x in "fd")
    for container in fifo, folder:
        container.log.unlink()
    os.mkfifo(fifo.log)
    folder.log.mkdir()
    node.container().write("a line")
    assert run(config(table.output), "--exit-on-eof", wait=False).wait() == 0
    assert table.logs() == ["a line"]


def test_exclude_path(node, table, config, run):
    node.container("matillion-agent-0").write("kept")
    node.container("matillion-agent-noise").write("left out")
    settings = config(table.output)
    settings.inputs[0]["Exclude_Path"] = f"{node.link_root}/containers/*noise*.log"
    assert run(settings, "--exit-on-eof", wait=False).wait() == 0
    assert table.logs() == ["kept"]


def test_a_restarted_container_is_another_stream(node, table, config, run):
    container = node.container()
    container.write("same first line")
    container.restart = 1
    container.log.touch()
    container.write("same first line")
    container.link.with_name("again.log").symlink_to(container.log)
    assert run(config(table.output), "--exit-on-eof", wait=False).wait() == 0
    assert table.count() == 2


def test_a_plain_file_outside_kubernetes(table, config, run, tmp_path):
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "app.log").write_text("one\ntwo\n")
    settings = config(table.output)
    settings.inputs = [
        {"Name": "tail", "Path": f"{folder}/*.log", "Tag": "matillion.agent.x"}
    ]
    settings.filters = []
    assert run(settings, "--exit-on-eof", wait=False).wait() == 0
    assert table.logs() == ["one", "two"]
    assert all("kubernetes" not in d for d in table.documents())
