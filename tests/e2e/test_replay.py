"""towline replay: dead letters go again once their cause is mended; what is still
refused, or is no letter, is said and left in a file of its own."""

import json

import pytest
from fake_server import FakeServer, items_in
from harness.towline import towline as command
from harness.wait import until

ID = "{:040d}".format


def replay(config, file, *arguments):
    return command("replay", file, "-c", config.write(), *arguments)


def letter(n, output="es.0", index="i", **document):
    return {
        "time": "2026-11-22T08:00:00.000Z",
        "output": output,
        "index": index,
        "id": ID(n),
        "status": 400,
        "type": "mapper_parsing_exception",
        "reason": 'failed "here"',
        "document": {"log": f"line {n:05d}"} | document,
    }


def text(letters):
    return "".join(json.dumps(one, separators=(",", ":")) + "\n" for one in letters)


@pytest.fixture
def file(tmp_path):
    return tmp_path / "letters"


@pytest.fixture
def fake():
    made = []

    def start(behave=lambda n, body: None):
        made.append(FakeServer(behave))
        return made[-1]

    yield start
    for server in made:
        server.close()


# ---- real servers


@pytest.fixture
def refused(node, index, es, config, run):
    """A configuration whose state has five dead letters, of a field that was mapped as a number."""
    number = {"properties": {"container_name": {"type": "integer"}}}
    body = {"mappings": {"properties": {"kubernetes": number}}}
    index.server.ask("PUT", f"/{index.name}", body)
    settings = config(es)
    towline = run(settings)
    node.container(name="seven").write(*(f"bad {i}" for i in range(5)))
    towline.until_metric("towline_dead_letters_total", 5)
    towline.stop()
    return settings


def test_letters_are_taken_once_their_cause_is_mended(refused, index):
    letters = refused.folder / "state/dead-letters.ndjson"
    before = letters.read_bytes()
    done = replay(refused, letters)
    assert done.returncode == 1
    assert "5 letters: 0 taken, 0 there already, 5 left" in done.stdout
    (reason,) = done.stderr.splitlines()  # though servers name each document in it
    assert f"{letters}:1: 5 letters refused: 400 " in reason
    assert "container_name" in reason
    rest = letters.with_name(letters.name + ".rest")
    assert rest.read_bytes() == before and rest.stat().st_mode & 0o777 == 0o600

    index.delete()
    done = replay(refused, rest)
    assert done.returncode == 0, done.stderr
    assert "5 taken" in done.stdout
    assert index.logs() == [f"bad {i}" for i in range(5)]
    ids = {json.loads(line)["id"] for line in before.splitlines()}
    hits = index.search(size=10)["hits"]["hits"]
    assert {hit["_id"] for hit in hits} == ids

    rest.unlink()
    done = replay(refused, letters)  # once more: harmless
    assert done.returncode == 0, done.stderr
    assert "0 taken, 5 there already, 0 left" in done.stdout
    assert index.count() == 5
    assert letters.read_bytes() == before and not rest.exists()


def test_a_blocked_index_leaves_its_letters(refused, index):
    letters = refused.folder / "state/dead-letters.ndjson"
    index.delete()
    index.create(number_of_replicas=0)
    index.set(index__blocks__write=True)
    done = replay(refused, letters)
    assert done.returncode == 1 and "refused: 403 " in done.stderr
    index.set(index__blocks__write=None)
    assert replay(refused, letters, "--rest", f"{letters}.2").returncode == 0
    assert index.count() == 5


def until_letters(file, texts):
    """The dead letters' texts are these."""

    def there():
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line)["document"]["log"] for line in lines] == texts

    until(there, lambda: file.exists() and file.read_text())


def test_a_file_that_is_deleted_or_retired_while_towline_runs_is_made_anew(
    node, index, es, config, run
):
    number = {"properties": {"container_name": {"type": "integer"}}}
    body = {"mappings": {"properties": {"kubernetes": number}}}
    index.server.ask("PUT", f"/{index.name}", body)
    settings = config(es)
    letters = settings.folder / "state/dead-letters.ndjson"
    towline = run(settings)
    container = node.container(name="seven")
    for text in "bad 1", "bad 2":
        container.write(text)
        until_letters(letters, [text])
        letters.unlink()
    container.write("bad 3")
    until_letters(letters, ["bad 3"])

    done = replay(settings, letters, "--retire")
    assert done.returncode == 1
    assert f"{letters} keeps its name, as letters are left" in done.stdout
    letters.with_name(letters.name + ".rest").unlink()
    index.delete()
    index.server.ask("PUT", f"/{index.name}", {})
    before = letters.read_bytes()
    done = replay(settings, letters, "--retire")
    assert done.returncode == 0, done.stderr
    (retired,) = letters.parent.glob("dead-letters.*Z.ndjson")
    assert f"{letters} is {retired} now" in done.stdout
    assert retired.read_bytes() == before and not letters.exists()

    index.delete()
    index.server.ask("PUT", f"/{index.name}", body)
    container.write("bad 4")
    until_letters(letters, ["bad 4"])
    assert retired.read_bytes() == before
    towline.until_metric("towline_dead_letters_total", 4)
    towline.stop()


# ---- what a file may hold, and where it goes


def test_lines_that_are_no_letters_are_said_and_left(fake, file, config):
    server = fake()
    good = text([letter(0)]).encode(), text([letter(1)]).encode()
    bad = [
        b"garbage",
        b'{"a":1}',
        b"\xff\xfe\x00\x01",
        good[0][:-5],  # cut short
        good[0].replace(b'"id":"', b'"di":"').strip(),
        good[0].replace(b'"document":{', b'"document":[').strip(),
        b'{"index":"i","id":"x","document":{}}}',
        b'{"index":"' + b"i" * 300 + b'","id":"x","document":{}}',
    ]
    file.write_bytes(good[0] + b"\n".join(bad) + b"\n\n" + good[1].strip())
    done = replay(config(server.output), file)
    assert done.returncode == 1
    assert "10 letters: 2 taken, 0 there already, 8 left" in done.stdout
    said = done.stderr.splitlines()
    assert len(said) == len(bad)
    for number, line in enumerate(said, 2):
        assert line.startswith(f"{file}:{number}: no dead letter: ")
    assert server.logs() == ["line 00000", "line 00001"]
    rest = file.with_name("letters.rest").read_bytes()
    assert rest == b"\n".join(bad) + b"\n"


def test_letters_go_to_the_output_that_they_name(fake, file, config):
    one, two = fake(), fake()
    settings = config(one.output | {"Alias": "one"}, two.output)
    letters = [letter(n, ["one", "es.1", "es.0", "tow"][n % 4]) for n in range(40)]
    file.write_text(text(letters))
    done = replay(settings, file)
    assert done.returncode == 1
    assert one.logs() == [f"line {n:05d}" for n in range(0, 40, 4)]
    assert two.logs() == [f"line {n:05d}" for n in range(1, 40, 4)]
    for number, name in (3, "es.0"), (4, "tow"):
        assert (
            f"{file}:{number}: 10 letters not sent: no es or opensearch output '{name}'"
            in (done.stderr)
        )
    left = file.with_name("letters.rest").read_text()
    assert left == text(x for x in letters if x["output"] in ("es.0", "tow"))


def test_with_one_server_the_name_does_not_matter(fake, file, config):
    server = fake()
    file.write_text(text(letter(n, "of before") for n in range(3)))
    assert replay(config(server.output), file).returncode == 0
    assert len(server.logs()) == 3


def test_without_a_server_it_says_so(file, tmp_path, config):
    file.write_text(text([letter(0)]))
    done = replay(config({"Name": "sqlite", "Path": tmp_path / "db"}), file)
    assert done.returncode == 1 and "no output that letters can go to" in done.stderr
    assert list(tmp_path.glob("letters.*")) == []


def test_a_rest_that_is_there_is_never_written_over(fake, file, config):
    server = fake()
    file.write_text(text([letter(0)]))
    rest = file.with_name("letters.rest")
    rest.write_text("of before\n")
    done = replay(config(server.output), file)
    assert done.returncode == 1 and f"{rest} is there already" in done.stderr
    assert rest.read_text() == "of before\n" and server.bulks == 0


def test_a_file_that_is_not_there(fake, file, config):
    done = replay(config(fake().output), file)
    assert done.returncode == 1 and f"cannot read {file}" in done.stderr
    assert command("replay").returncode == 2


# ---- files that are done with


def test_letters_that_come_meanwhile_are_sent_before_the_file_is_retired(
    fake, tmp_path, config
):
    letters = tmp_path / "letters.ndjson"

    def one_more(n, body):
        if n < 4:
            with open(letters, "a") as to:
                to.write(text([letter(n)]))

    server = fake(one_more)
    letters.write_text(text([letter(0)]))
    done = replay(config(server.output), letters, "--retire")
    assert done.returncode == 0, done.stderr
    assert server.logs() == [f"line {n:05d}" for n in range(4)]
    assert "4 letters: 4 taken" in done.stdout
    (retired,) = tmp_path.glob("letters.*Z.ndjson")
    assert retired.read_text() == text(letter(n) for n in range(4))
    assert not letters.exists()


def test_one_that_comes_meanwhile_and_is_refused_keeps_the_file(fake, tmp_path, config):
    letters = tmp_path / "letters.ndjson"

    def one_more(n, body):
        if b"line 00007" in body:
            return 400
        with open(letters, "a") as to:
            to.write(text([letter(7)]))

    letters.write_text(text([letter(0)]))
    done = replay(config(fake(one_more).output), letters, "--retire")
    assert done.returncode == 1
    assert f"{letters}:2: 1 letter refused: 400" in done.stderr
    assert letters.read_text() == text([letter(0), letter(7)])
    assert letters.with_name("letters.ndjson.rest").read_text() == text([letter(7)])


def test_a_link_is_not_retired(fake, file, tmp_path, config):
    file.write_text(text([letter(0)]))
    link = tmp_path / "link"
    link.symlink_to(file)
    done = replay(config(fake().output), link, "--retire")
    assert done.returncode == 1 and "not renamed" in done.stderr
    assert file.read_text() == text([letter(0)]) and link.is_symlink()


# ---- servers that are not well


def many(server, file, config, n=3000):
    """Letters for several requests; all are taken in the end."""
    file.write_text(text(letter(i, more="x" * 500) for i in range(n)))
    done = replay(config(server.output), file)
    assert done.returncode == 0, done.stderr
    assert server.logs() == [f"line {i:05d}" for i in range(n)]
    assert not file.with_name("letters.rest").exists()


@pytest.mark.parametrize("how", ["reset", "cut", "garbage", "trickle", 429, 503])
def test_a_bad_answer_is_asked_again(how, fake, file, config):
    many(fake(lambda n, _: how if n == 2 else None), file, config)


def test_what_is_too_large_is_halved(fake, file, config):
    server = fake(lambda n, body: 413 if len(body) > 20000 else None)
    many(server, file, config, 300)


def test_one_that_spoils_a_request_is_found(fake, file, config):
    server = fake(lambda n, body: 400 if b"line 00077" in body else None)
    file.write_text(text(letter(i) for i in range(200)))
    done = replay(config(server.output), file)
    assert done.returncode == 1
    assert f"{file}:78: 1 letter refused: 400" in done.stderr
    assert len(server.logs()) == 199
    assert file.with_name("letters.rest").read_text() == text([letter(77)])


def test_a_server_that_refuses_every_request_is_not_asked_for_each_letter(
    fake, file, config
):
    server = fake(lambda n, body: 400)
    file.write_text(text(letter(i) for i in range(900)))
    done = replay(config(server.output), file)
    assert done.returncode == 1 and server.bulks < 100
    assert file.with_name("letters.rest").read_text() == file.read_text()


@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_a_server_that_takes_no_requests_of_ours_is_asked_once(
    status, fake, file, config
):
    server = fake(lambda n, body: status)
    file.write_text(text(letter(i) for i in range(3000)))
    done = replay(config(server.output), file)
    assert done.returncode == 1 and server.bulks == 1
    assert f"3000 letters refused: {status}" in done.stderr
    assert file.with_name("letters.rest").read_text() == file.read_text()


def test_a_server_that_is_away_leaves_all(file, config):
    file.write_text(text(letter(i) for i in range(10)))
    done = replay(config({"Name": "es", "Host": "127.0.0.1", "Port": 1}), file)
    assert done.returncode == 1
    assert "10 letters not sent: no answer" in done.stderr
    assert file.with_name("letters.rest").read_text() == file.read_text()


def test_a_large_file_takes_little_memory(fake, file, config):
    """Also one line that no letter can be."""
    server = fake(lambda n, body: None)
    with open(file, "w") as to:
        for i in range(100):
            to.write(text([letter(i, more="x" * 1_000_000)]))
        for _ in range(70):
            to.write("y" * 1_000_000)
        to.write("\n")
        to.write(text([letter(100)]))
    path = config(server.output).write()
    done = command("replay", file, "-c", path, preexec_fn=limit_memory)
    assert done.returncode == 1, done.stderr
    assert "101 taken, 0 there already, 1 left" in done.stdout
    assert f"{file}:101: no dead letter: longer than 64 MiB" in done.stderr
    assert file.with_name("letters.rest").stat().st_size == 70_000_001
    assert items_in(b"") == 0 and len(server.logs()) == 101


def limit_memory():
    import resource

    resource.setrlimit(resource.RLIMIT_DATA, (160 << 20, 160 << 20))
