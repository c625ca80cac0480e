"""towline status: cursors and lag by file, while it runs and after."""

import json

import pytest
from fake_server import FakeServer
from harness.node import info
from harness.table import Table
from harness.towline import towline as command
from harness.wait import until


def status(settings, *arguments):
    done = command("status", "-c", settings.write(), "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return {row.pop("path"): row for row in json.loads(done.stdout)}


def test_cursors_and_lag_by_file(tmp_path, config, node, run):
    table = Table(tmp_path / "logs.db")
    settings = config(table.output)
    one, two = node.container(pod="a-1"), node.container(pod="a-2")
    one.write(*(info(f"line {i}") for i in range(100)))
    two.write(info("alone"))
    size = one.log.stat().st_size
    towline = run(settings)
    table.until_count(101)
    done = {"lag": 0, "size": size, "shipped": size, "counted": size, "open": True}
    done |= {"held": None, "unread": None}
    until(
        lambda: status(settings).get(str(one.link)) == done,
        lambda: status(settings),
    )
    assert set(status(settings)) == {str(one.link), str(two.link)}
    towline.stop()
    one.write("more")
    grown = one.log.stat().st_size
    assert status(settings)[str(one.link)] == done | {
        "size": grown,
        "lag": grown - size,
    }
    table_form = command("status", "--state", settings.service["State_Path"])
    assert "2 files" in table_form.stdout and str(one.link) in table_form.stdout


def test_what_was_not_shipped_stays_known_over_stops_and_starts(
    table, config, node, run, dead_port
):
    """A rotated file and its live one, at a server that is away."""
    away = {"Name": "es", "Host": "127.0.0.1", "Port": dead_port, "Index": "i"}
    settings = config(away)
    settings.service |= {"Grace": 0.1}
    container = node.container()
    container.write("line 1")
    towline = run(settings)
    towline.until_metric("towline_records_total", 1)
    container.rotate()
    container.write("line 2")
    towline.until_metric("towline_records_total", 2)

    def sizes():
        done = command("status", "-c", settings.write(), "--json")
        return sorted((row["size"], row["lag"]) for row in json.loads(done.stdout))

    want = sorted(
        (file.stat().st_size,) * 2
        for file in container.folder.iterdir()
        if file.name.startswith("0.log")
    )
    assert len(want) == 2
    until(lambda: sizes() == want, sizes)
    for _ in range(2):
        towline.stop()
        assert sizes() == want
        towline = run(settings)

        def knows(towline=towline):
            assert sizes() == want
            return towline.metric("towline_lag_bytes") == sum(lag for _, lag in want)

        until(knows, sizes)


def test_a_file_that_goes_while_it_stands_is_listed_no_more(table, settings, node, run):
    one, two = node.container(pod="a-1"), node.container(pod="a-2")
    for container in one, two:
        container.write("line")
    towline = run(settings)
    table.until_count(2)
    until(lambda: len(status(settings)) == 2, lambda: status(settings))
    towline.stop()
    two.link.unlink()
    two.log.unlink()
    assert set(status(settings)) == {str(one.link), str(two.link)}
    towline = run(settings)
    one.write("more")
    until(lambda: set(status(settings)) == {str(one.link)}, lambda: status(settings))
    towline.stop()


@pytest.fixture
def server():
    """It takes all, but for what goes to the index i while that is blocked."""
    made = FakeServer()
    made.blocked = "cluster_block_exception"
    made.judge = lambda index: (
        (403, made.blocked) if made.blocked and index == "i" else None
    )
    yield made
    made.close()


def test_what_a_file_is_held_for(server, config, node, run):
    """One file waits in the hold, one is parked for want of room, one goes on."""
    output = server.output | {"Match": "bad.*", "Hold_Size": "64000"}
    settings = config(output, server.output | {"Match": "good.*", "Index": "j"})
    tail = settings.inputs.pop()
    for name in "bad", "good":
        path = f"{node.link_root}/containers/{name}*.log"
        settings.inputs.append(tail | {"Path": path, "Tag": f"{name}.*"})
    few, many = node.container(pod="bad-1"), node.container(pod="bad-2")
    good = node.container(pod="good-1")
    few.write(info("one"))
    good.write(info("one"))
    towline = run(settings)
    why = "es.0: index i answers 403 cluster_block_exception"

    def held():
        return {path: row["held"] for path, row in status(settings).items()}

    want = {str(few.link): why, str(good.link): None}
    until(lambda: held() == want, held)
    many.write(*(info(f"line {i}") for i in range(2000)))
    want[str(many.link)] = f"parked, {why}; {why}"
    until(lambda: held() == want, held)
    table = command("status", "-c", settings.write()).stdout
    assert f"{few.link}  {why}\n" in table and "2 files held" in table
    server.blocked = None
    until(lambda: len(server.logs()) == 2002, lambda: len(server.logs()))
    until(lambda: set(held().values()) == {None}, held)

    # Another reason: the one before is still written down, about a second.
    server.blocked = "security_exception"
    why = f"es.0: index i answers 403 {server.blocked}"
    few.write(info("two"))
    until(lambda: held()[str(few.link)] == why, held)
    towline.kill()
    assert held()[str(few.link)] == why  # as of the last commit
    server.blocked = None
    towline = run(settings)  # of the process before: nothing is held by this one
    until(lambda: set(held().values()) == {None}, held)
    towline.stop()


def test_without_a_state_it_says_so(tmp_path):
    done = command("status", "--state", tmp_path / "nothing")
    assert done.returncode == 1 and "nothing/state.db" in done.stderr


def test_files_that_cannot_be_read_are_named(table, settings, node, run):
    """Until they can be, or are gone: by status, /readyz, a metric and the log."""
    good, bad, gone = (node.container(pod=f"a-{i}") for i in range(3))
    for container in bad, gone:
        container.log.unlink()
        container.log.symlink_to("/etc/passwd")
    good.write("line")
    towline = run(settings)
    table.until_count(1)
    towline.until_metric("towline_unread_files", 2, reason="refused")
    names = [str(bad.link), str(gone.link)]

    def unread():
        rows = status(settings).items()
        return sorted(path for path, row in rows if row["unread"])

    until(lambda: unread() == names, lambda: status(settings))
    code, body = towline.get("/readyz")
    assert code == 200 and body.startswith("ok\n")
    assert all(f"\ncannot read {name}: " in body for name in names)
    table_form = command("status", "-c", settings.write()).stdout
    assert table_form.endswith(" 0 files held, 2 that cannot be read\n")
    assert f"{bad.link}  cannot be read: " in table_form

    gone.link.unlink()
    mended = bad.folder / "mended"
    mended.write_bytes(good.log.read_bytes())
    # Not removed first: of a name that is gone nothing is said.
    mended.rename(bad.log)
    table.until_count(2)
    towline.until_metric("towline_unread_files", 0)
    assert towline.get("/readyz")[1] == "ok\n"
    assert f"{bad.link} can be read\n" in towline.said()
    until(lambda: unread() == [], lambda: status(settings))


def test_when_no_file_can_be_read_it_is_not_ready(table, settings, node, run):
    """And is as soon as one can be; without any file it is."""
    bad = node.container()
    bad.log.unlink()
    bad.log.symlink_to("/etc/passwd")
    towline = run(settings)
    towline.until_metric("towline_unread_files", 1)
    until(
        lambda: towline.get("/readyz")[1].startswith("no file is read\n"), towline.said
    )
    code, body = towline.get("/readyz")
    assert code == 503 and f"\ncannot read {bad.link}: " in body
    node.container().write("line")
    table.until_count(1)
    until(lambda: towline.get("/readyz")[0] == 200, lambda: towline.get("/readyz"))
    towline.stop()


def test_a_second_name_of_a_file_is_said_once(table, settings, node, run):
    """It stays in the list, look after look."""
    log = node.container()
    log.write("line")
    towline = run(settings)
    table.until_count(1)
    second = node.container()
    second.log.unlink()
    second.log.hardlink_to(log.log)
    towline.until_metric("towline_unread_files", 1, reason="refused")
    for name in "one more", "and one":  # each a look
        node.container().write(name)
        table.document(name)
    assert towline.said().count(f"cannot read {second.link}") == 1
    assert f"{second.link} can be read" not in towline.said()
    assert towline.metric("towline_unread_files", reason="refused") == 1
    towline.stop()


def test_a_directory_that_cannot_be_listed_is_named(
    table, settings, node, run, tmp_path
):
    log = node.container()
    log.write("line")
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    settings.inputs.append(settings.inputs[0] | {"Path": f"{hidden}/*.log"})
    settings.inputs.append(settings.inputs[0] | {"Path": f"{tmp_path}/link/*.log"})
    rights = "-dac_override,-dac_read_search"  # root has no others over files
    towline = run(settings, under=["setpriv", "--bounding-set", rights])
    table.until_count(1)
    towline.until_metric("towline_unread_files", 1, reason="error")
    towline.until_metric("towline_unread_files", 1, reason="refused")
    body = towline.get("/readyz")[1]
    assert f"cannot read {hidden}: Permission denied\n" in body
    assert f"cannot read {tmp_path}/link: is a link\n" in body
    towline.stop()
