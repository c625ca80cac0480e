"""How towline is let in: rights that are missing, revoked, given; tokens and
authorities that are replaced; servers that are not who they should be."""

import pathlib
import re
import shutil
import subprocess
import time

import pytest
from harness.certificates import Certificates
from harness.server import Refused
from harness.wait import until
from harness.watched import labels, until_labels, up

ERRORS = "towline_kube_errors_total"


def until_refused(watched, token):
    def is_refused():
        try:
            watched.kube.ask("GET", "/api/v1/pods?limit=1", token=token)
        except Refused as refused:
            return refused.status == 401
        return False

    until(is_refused, "the token is still taken")


def test_without_rights_all_ships_and_what_grants_them_is_said(
    kube, watched_by, table, run
):
    watched = watched_by(kube, rights=())
    watched.filter |= {"Pod_Wait": 0, "API_Wait": 1}
    _, log = watched.running("a line", labels={"app": "a"})
    towline = run(watched.config)
    towline.until_said("forbids to watch pods")
    status, why = towline.get("/readyz")
    said = r"\(403\): pods is forbidden: User .+ cannot watch resource \"pods\""
    assert status == 503 and re.search(said, why), why
    assert "conf/kubernetes/base/rbac.yaml grants it (pods: list, watch)" in why
    assert labels(table, "a line") is None
    assert towline.metric(ERRORS, reason="forbidden") > 0
    watched.account.grant()
    until_labels(table, log, {"app": "a"})
    towline.until_ready()


def test_rights_are_revoked_and_given_again(watched, relay, table, run):
    """A watch that runs is not ended by it: its connection is."""
    pod, log = watched.running("before", labels={"app": "1"})
    towline = up(run(watched.config))
    watched.grant.revoke()
    relay.kill()
    relay.start()
    towline.until_said("forbids to watch pods")
    assert towline.metric("towline_kube_up") == 0
    pod.label(app="2")
    log.write("meanwhile")
    assert labels(table, "meanwhile") == {"app": "1"}
    watched.grant.bind()
    until_labels(table, log, {"app": "2"})
    up(towline)


class Projected:
    """A volume as the kubelet makes it: a new folder takes the old one's place."""

    def __init__(self, folder):
        self.folder, self.n = folder, 0
        folder.mkdir()
        (folder / "token").symlink_to("..data/token")

    def put(self, token):
        self.n += 1
        (self.folder / f"..{self.n}").mkdir()
        (self.folder / f"..{self.n}/token").write_text(f"{token}\n")
        (self.folder / "..data_tmp").symlink_to(f"..{self.n}")
        (self.folder / "..data_tmp").rename(self.folder / "..data")
        shutil.rmtree(self.folder / f"..{self.n - 1}", ignore_errors=True)


def test_a_token_that_has_expired_is_read_again_from_its_file(
    watched, relay, table, run, tmp_path
):
    """By the end of its account, when towline has been let in: a time would pass by itself."""
    volume = Projected(tmp_path / "account")
    token = watched.account.token()
    volume.put(token)
    watched.filter["Kube_Token_File"] = volume.folder / "token"
    pod, log = watched.running("before", labels={"app": "1"})
    towline = up(run(watched.config))
    watched.account.replace()
    until_refused(watched, token)
    volume.put(watched.account.token())
    pod.label(app="2")
    relay.kill()
    relay.start()
    until_labels(table, log, {"app": "2"})
    up(towline)
    assert towline.metric(ERRORS, reason="auth") == 1
    assert "does not know our token (401)" in towline.said()


def test_a_token_that_is_none_is_said_until_there_is_a_new_one(watched, table, run):
    watched.filter |= {"Pod_Wait": 0, "API_Wait": 0}
    watched.token.write_text("of another cluster\n")
    _, log = watched.running("a line", labels={"app": "a"})
    towline = run(watched.config)
    assert labels(table, "a line") is None
    towline.until_said(r"does not know our token \(401\): Unauthorized")
    status, why = towline.get("/readyz")
    assert status == 503 and "401" in why
    watched.token.write_text("")
    towline.until_said("holds no token")
    watched.token.write_text(watched.account.token())
    until_labels(table, log, {"app": "a"})
    towline.until_ready()


def test_a_command_prints_the_token_and_again_when_it_is_refused(
    watched, relay, table, run, tmp_path
):
    runs = tmp_path / "runs"
    watched.filter["Kube_Token_Command"] = f"echo >> {runs}; cat {watched.token}"
    watched.filter["Kube_Token_File"] = "/nonexistent"
    token = watched.token.read_text()
    watched.token.write_text("expired")
    _, log = watched.running("a line", labels={"app": "1"})
    towline = run(watched.config)
    towline.until_said("401")
    watched.token.write_text(token)
    up(towline)
    assert labels(table, "a line") == {"app": "1"}
    before = runs.read_text()
    relay.kill()
    relay.start()
    log.write("another")
    assert labels(table, "another") == {"app": "1"}
    up(towline)
    assert runs.read_text() == before, "it is asked again without need"


def test_a_token_of_a_command_lives_as_long_as_is_said(
    watched, relay, table, run, tmp_path
):
    runs = tmp_path / "runs"
    watched.filter["Kube_Token_Command"] = f"echo >> {runs}; cat {watched.token}"
    watched.filter["Kube_Token_TTL"] = "1s"
    _, log = watched.running("a line", labels={"app": "1"})
    towline = up(run(watched.config))
    before = len(runs.read_text())
    began = time.monotonic()
    until(lambda: time.monotonic() > began + 1, "a second")
    relay.kill()
    relay.start()
    log.write("another")
    assert labels(table, "another") == {"app": "1"}
    up(towline)
    until(lambda: len(runs.read_text()) > before, runs.read_text)


def test_authorities_may_stand_in_a_folder(watched, table, run, tmp_path):
    folder = tmp_path / "authorities"
    folder.mkdir()
    shutil.copy(watched.filter["Kube_CA_File"], folder / "a.pem")
    subprocess.run(["openssl", "rehash", folder], check=True)
    watched.filter |= {"Kube_CA_File": "/nonexistent/ca.crt", "Kube_CA_Path": folder}
    watched.running("a line", labels={"app": "a"})
    run(watched.config)
    assert labels(table, "a line") == {"app": "a"}


@pytest.mark.parametrize(
    "command, why",
    [
        ("true", "printed no token"),
        ("printf 'two\\nlines'", "output holds no token"),
        ("echo token; exit 3", "failed .it ended with 3"),
    ],
)
def test_a_command_that_fails_is_said_and_all_ships(watched, table, run, command, why):
    watched.filter |= {"Kube_Token_Command": command, "Pod_Wait": 60, "API_Wait": 60}
    watched.running("a line", labels={"app": "a"})
    towline = run(watched.config)
    assert labels(table, "a line") is None
    towline.until_said(f"Kube_Token_Command.*{why}")
    assert towline.get("/readyz")[0] == 503
    assert towline.metric("towline_kube_requests_total") == 0


@pytest.mark.alone
def test_a_command_that_hangs_holds_no_end_up(watched, run, tmp_path):
    """It has ten seconds; it is ended with towline, and so is what it has started."""
    began = tmp_path / "began"
    watched.filter["Kube_Token_Command"] = f"sleep 300 & echo $! > {began}; wait"
    towline = run(watched.config)
    until(lambda: began.exists() and began.read_text(), towline.said)
    now = time.monotonic()
    towline.stop()
    assert time.monotonic() - now < 5
    command = pathlib.Path("/proc", began.read_text().strip(), "cmdline")
    until(lambda: not command.exists() or not command.read_text(), "it runs on")


def refused(watched, table, run, why):
    """It is shown no token, and everything ships without labels."""
    watched.filter |= {"Pod_Wait": 0, "API_Wait": 1}
    _, log = watched.running("a line", labels={"app": "a"})
    towline = run(watched.config)
    assert labels(table, "a line") is None
    towline.until_said(why)
    status, said = towline.get("/readyz")
    assert status == 503 and re.search(why, said)
    assert towline.metric(ERRORS, reason="connect") > 0
    return towline, log


@pytest.fixture
def others(tmp_path):
    """Somebody else's authority."""
    (tmp_path / "others").mkdir()
    return Certificates(tmp_path / "others")


def test_a_server_of_another_authority_is_refused(watched, table, run, others):
    ca = watched.config.folder / "ca.crt"
    shutil.copy(others.ca, ca)
    watched.filter["Kube_CA_File"] = ca
    towline, log = refused(watched, table, run, "certificate")
    shutil.copy(watched.kube.certificates.ca, ca)
    until_labels(table, log, {"app": "a"})
    towline.until_ready()


def test_a_server_of_another_name_is_refused(watched, table, run):
    watched.filter["tls.vhost"] = "kubernetes.example"
    refused(watched, table, run, "kubernetes.example|subject")


def test_an_authority_that_is_not_there_is_no_reason_to_trust_others(
    watched, table, run
):
    watched.filter["Kube_CA_File"] = "/nonexistent/ca.crt"
    refused(watched, table, run, "/nonexistent/ca.crt")


def test_a_server_is_known_by_another_name(watched, table, run):
    watched.filter |= {"tls.vhost": "localhost"}
    watched.running("a line", labels={"app": "a"})
    run(watched.config)
    assert labels(table, "a line") == {"app": "a"}


def test_with_verification_off_any_server_will_do(watched, table, run, others):
    watched.filter |= {"tls.verify": "Off", "Kube_CA_File": others.ca}
    watched.filter["tls.vhost"] = "kubernetes.example"
    watched.running("a line", labels={"app": "a"})
    run(watched.config)
    assert labels(table, "a line") == {"app": "a"}


def test_a_new_authority_is_taken_from_its_file(own_kube, watched_by, table, run):
    """The server was away for that."""
    kube = own_kube()
    watched = watched_by(kube)
    _, log = watched.running("before", labels={"app": "1"})
    towline = up(run(watched.config))
    kube.kill()
    towline.until_metric("towline_kube_up", 0)
    kube.certificates.authority()
    kube.certificates.server()
    kube.start()
    log.write("meanwhile")
    assert labels(table, "meanwhile") == {"app": "1"}
    _, its_log = watched.running("of a new pod", labels={"app": "2"})
    until_labels(table, its_log, {"app": "2"})
    up(towline)
