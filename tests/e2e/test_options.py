"""Options of the contract (corpus/contract.toml) that no other test has."""

import contextlib
import json
import socket
import ssl
import threading

import pytest
from harness import corpus
from harness.certificates import Certificates
from harness.journal import Journal
from harness.towline import section
from harness.towline import towline as command
from harness.wait import until

OUTPUT = section("OUTPUT", Name="es", Match="*", Host="h", Index="i")


def documents(folder, text):
    """What the configuration makes of the files of a folder, as `towline test` has it."""
    (folder / "fluent-bit.conf").write_text(text + OUTPUT)
    done = command("test", "--update", folder)
    assert done.returncode == 0, done.stderr
    found = (folder / "expected/es.0.ndjson").read_text().splitlines()
    return [json.loads(line)["_source"] for line in found]


def test_an_input_may_end_it_at_the_end_of_its_files(config, node, run):
    node.container().write("a line")
    settings = config({"Name": "null"})
    settings.inputs[0]["Exit_On_Eof"] = "On"
    assert run(settings).wait() == 0


@pytest.mark.parametrize("skips, has", [("On", False), ("Off", True)])
def test_values_that_are_empty_may_be_fields(tmp_path, skips, has):
    parser = {"Format": "regex", "Regex": "^(?<a>x*)(?<b>.*)$"}
    (tmp_path / "parsers.conf").write_text(
        section("PARSER", Name="p", Skip_Empty_Values=skips, **parser)
    )
    (tmp_path / "var/log").mkdir(parents=True)
    (tmp_path / "var/log/a.log").write_text("y\n")
    found = documents(
        tmp_path,
        section("SERVICE", Parsers_File="parsers.conf")
        + section("INPUT", Name="tail", Path="/var/log/a.log", Tag="t", Parser="p"),
    )
    assert ["a" in document for document in found] == [has]


def test_an_entry_has_max_fields_fields(tmp_path):
    Journal(tmp_path / "var/log/journal").write(
        (corpus.HOME / "_logs/journal.export").read_bytes()
    )
    journal = {"Name": "systemd", "Path": "/var/log/journal", "Tag": "t"}
    all_of_them = documents(tmp_path, section("INPUT", **journal))
    four = documents(tmp_path, section("INPUT", **journal, Max_Fields=4))
    assert len(four) == len(all_of_them)
    assert [len(d) for d in four] < [len(d) for d in all_of_them]


def test_a_connection_has_its_time(config, node, run):
    """A listener whose queue is full answers no SYN."""
    node.container().write("a line")
    with contextlib.ExitStack() as open_:
        listener = open_.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(4):
            waits = open_.enter_context(socket.socket())
            waits.setblocking(False)
            waits.connect_ex(listener.getsockname())
        port = listener.getsockname()[1]
        es = {"Name": "es", "Host": "127.0.0.1", "Port": port, "Index": "i"}
        towline = run(
            config(es | {"net.connect_timeout": "1s", "net.io_timeout": "50s"})
        )
        towline.until_said("(?i)time", 20)


@contextlib.contextmanager
def https(certificates, spoken=None):
    """A server that hangs up on all; (its port, what it has been asked)."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificates / "server.crt", certificates / "server.key")
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            with contextlib.suppress(OSError):
                while True:
                    plain, _ = listener.accept()
                    with contextlib.suppress(OSError), plain:
                        plain.settimeout(10)
                        with context.wrap_socket(plain, server_side=True) as tls:
                            if spoken is not None:
                                spoken.append((tls.version(), tls.cipher()[0]))
                            # Of TLS 1.3 its side is done before the client's says no.
                            asked.extend(tls.recv(4096).splitlines())

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], asked
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("compares", [True, False])
def test_a_certificates_name_is_compared(config, node, run, tmp_path, compares):
    node.container().write("a line")
    folder = tmp_path / "certificates"
    folder.mkdir()
    made = Certificates(folder)
    made.server("DNS:other.example")
    with https(folder) as (port, asked):
        es = {
            "Name": "es",
            "Host": "127.0.0.1",
            "Port": port,
            "Index": "i",
            "tls": "On",
        }
        es["tls.ca_file"] = made.ca
        if not compares:
            es["tls.verify_hostname"] = "Off"
        towline = run(config(es))
        if compares:
            towline.until_said("certificate")
            assert asked == []
        else:
            until(lambda: asked, "nothing was asked")


CIPHER = "ECDHE-ECDSA-AES256-SHA384"


@pytest.mark.parametrize(
    ("options", "version", "cipher"),
    [
        ({}, "TLSv1.3", None),
        ({"tls.min_version": "tlsv1.3"}, "TLSv1.3", None),
        ({"tls.max_version": "TLSv1.2"}, "TLSv1.2", None),
        ({"tls.max_version": "TLSv1.2", "tls.ciphers": CIPHER}, "TLSv1.2", CIPHER),
    ],
)
def test_versions_and_ciphers_of_tls_are_chosen(
    config, node, run, tmp_path, options, version, cipher
):
    node.container().write("a line")
    folder = tmp_path / "certificates"
    folder.mkdir()
    made, spoken = Certificates(folder), []
    with https(folder, spoken) as (port, asked):
        es = {"Name": "es", "Host": "127.0.0.1", "Port": port, "Index": "i"}
        settings = config(es | {"tls": "On", "tls.ca_file": made.ca} | options)
        run(settings)
        until(lambda: asked, "nothing was asked")
        before = len(spoken)
        command("report", "errors", "-c", settings.write())
        until(lambda: len(spoken) > before, "report has not asked")
        assert {found[0] for found in spoken} == {version}
        assert cipher is None or {found[1] for found in spoken} == {cipher}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"tls.min_version": "TLSv1.1"},
            "'TLSv1.1' is not one of system, TLSv1.2, TLS",
        ),
        ({"tls.max_version": "TLSv1"}, "'TLSv1' is not one of system, TLSv1.2, TLS"),
        (
            {"tls.min_version": "TLSv1.3", "tls.max_version": "TLSv1.2"},
            "tls.min_version is above tls.max_version",
        ),
        ({"tls.ciphers": "TLSv9:AES-0"}, "tls.ciphers: 'TLSv9:AES-0' names no cipher"),
    ],
)
def test_what_tls_cannot_speak_stops_check_and_run(config, options, said):
    es = {"Name": "es", "Host": "127.0.0.1", "Index": "i", "tls": "On"}
    conf = config(es | options).write()
    for name in "check", "run":
        done = command(name, "-c", conf)
        assert done.returncode == 1 and said in done.stdout + done.stderr
