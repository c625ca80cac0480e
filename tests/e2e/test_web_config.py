"""HTTP_Web_Config: TLS, client certificates and passwords, asked by curl and Prometheus."""

import contextlib
import http.client
import pathlib
import re
import shutil
import signal
import ssl
import subprocess

import pytest
import yaml
from harness.alerting import PROMETHEUS, debian, loaded, ran
from harness.certificates import Certificates
from harness.prometheus import Prometheus
from harness.towline import towline as command
from harness.wait import until

OWN = PROMETHEUS / "web-config.yml"
NAME = "matillion-agent-metrics.towline.svc"
PASSWORD = "change me"
(HASH,) = loaded(OWN)["basic_auth_users"].values()
SLOW = HASH.replace("$10$", "$16$")  # of another password: seconds, and never right
TLS = {"cert_file": "tls.crt", "key_file": "tls.key"}
CLIENTS = {
    "client_ca_file": "ca.crt",
    "client_auth_type": "RequireAndVerifyClientCert",
}
PROBES = "/healthz", "/readyz", "/api/v1/health", "/api/v2/health"
REST = "/", "/metrics", "/api/v1/uptime", "/api/v1/metrics/prometheus", "/nothing"


class Secret:
    """A folder as the kubelet mounts a Secret: names lead to a folder that is replaced."""

    def __init__(self, folder, made):
        self.folder, self.made, self.version = folder, made, 0
        folder.mkdir()

    def put(self, config, **names):
        """The web configuration and the files it names, all at once."""
        self.version += 1
        there = self.folder / f"..{self.version}"
        there.mkdir()
        (there / "web.yml").write_text(
            config if isinstance(config, str) else yaml.safe_dump(config)
        )
        files = {"tls.crt": "server.crt", "tls.key": "server.key", "ca.crt": "ca.crt"}
        for name, source in (files | names).items():
            shutil.copy(self.made / source, there / name)
        (self.folder / "..new").symlink_to(there.name)
        (self.folder / "..new").rename(self.folder / "..data")
        for file in there.iterdir():
            name = self.folder / file.name
            if not name.is_symlink():
                name.symlink_to(f"..data/{file.name}")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    made = Certificates(tmp_path_factory.mktemp("certificates"))
    made.server(f"IP:127.0.0.1,DNS:{NAME}")
    signed = ["-CA", "ca.crt", "-CAkey", "ca.key"]
    made.certificate("client", "prometheus", *signed)
    made.certificate("stranger", "prometheus")
    return made


@pytest.fixture
def secret(tmp_path, certificates):
    return Secret(tmp_path / "web", certificates.folder)


@pytest.fixture
def start(secret, config, run, certificates):
    def started(web, **names):
        secret.put(web, **names)
        settings = config({"Name": "null"})
        settings.service["HTTP_Web_Config"] = secret.folder / "web.yml"
        towline = run(settings)
        towline.tls = certificates.client()
        return towline

    return started


class Curl:
    def __init__(self, towline, folder, scheme="https"):
        self.folder = folder
        self.base = "{}://{}:{}".format(scheme, *towline.address)

    def command(self, path, *arguments):
        return [
            *["curl", "-s", "-S", "-i", "-m", "60", "--cacert", self.folder / "ca.crt"],
            *arguments,
            self.base + path,
        ]

    def __call__(self, path, *arguments):
        """Status (0: no answer) and the whole text, once towline has looked for files."""
        done = until(lambda: self.asked(path, *arguments), "it still counts")
        match = re.search(r"HTTP/1.1 (\d+)", done.stdout)
        return (int(match[1]) if match else 0), done.stdout + done.stderr

    def asked(self, path, *arguments):
        done = subprocess.run(
            self.command(path, *arguments),
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/usr/bin:/bin"},
        )
        return None if "counting what the log files hold" in done.stdout else done


@pytest.fixture
def curl(certificates):
    return lambda towline, *scheme: Curl(towline, certificates.folder, *scheme)


def user(password, name="prometheus"):
    return "-u", f"{name}:{password}"


def with_client(folder, name):
    return "--cert", folder / f"{name}.crt", "--key", folder / f"{name}.key"


def test_a_password_is_needed_for_all_but_probes(start, curl):
    headers = {"X-Frame-Options": "deny"}
    users = {"prometheus": HASH, "other": HASH.replace("$2y$", "$2b$")}
    users["third"] = HASH.replace("$2y$", "$2a$")
    towline = start(
        {
            "tls_server_config": TLS,
            "http_server_config": {"headers": headers},
            "basic_auth_users": users,
        }
    )
    ask = curl(towline)
    until(lambda: ask("/readyz")[0] == 200, lambda: ask("/readyz"))
    for path in PROBES:
        assert ask(path)[0] == 200
        assert ask(path, *user("wrong"))[0] == 200
    for path in REST:
        for arguments in (), user("wrong"), user(PASSWORD, "nobody"), user(""):
            status, text = ask(path, *arguments)
            assert status == 401, (path, arguments, text)
            assert 'WWW-Authenticate: Basic realm="towline"' in text
            assert "X-Frame-Options: deny" in text
    assert ask("/metrics", "-H", "Authorization: Basic %%%")[0] == 401
    assert ask("/metrics", "-X", "POST", "-d", "x")[0] == 401
    for name in users:
        status, text = ask("/metrics", *user(PASSWORD, name))
        assert status == 200 and "towline_build_info" in text
    assert ask("/nothing", *user(PASSWORD))[0] == 404
    for secret in PASSWORD, HASH, "wrong":
        assert secret not in towline.said()
    towline.stop()


def test_plain_http_with_a_password(start, curl):
    towline = start({"basic_auth_users": {"prometheus": HASH}})
    towline.tls = None
    assert towline.get("/healthz")[0] == 200
    assert towline.get("/metrics")[0] == 401
    ask = curl(towline, "http")
    assert "towline_build_info" in ask("/metrics", *user(PASSWORD))[1]
    towline.stop()


def test_without_tls_there_is_no_answer(start):
    towline = start({"tls_server_config": TLS})
    towline.metrics_page()
    towline.tls = None
    with pytest.raises((http.client.HTTPException, OSError)):
        towline.get("/healthz")
    towline.stop()


def test_a_client_certificate_is_needed_for_all_but_probes(start, curl, certificates):
    towline = start({"tls_server_config": TLS | CLIENTS})
    ask = curl(towline)
    for path in PROBES[:1]:
        assert ask(path)[0] == 200
    for path in REST:
        assert ask(path)[0] == 403
    assert ask("/metrics", *with_client(certificates.folder, "client"))[0] == 200
    for path in "/healthz", "/metrics":  # no handshake
        assert ask(path, *with_client(certificates.folder, "stranger"))[0] == 0
    towline.stop()


@pytest.mark.parametrize(
    ("kind", "without", "stranger"),
    [
        ("NoClientCert", 200, 200),
        ("RequestClientCert", 200, 200),
        ("RequireAnyClientCert", 403, 200),
        ("VerifyClientCertIfGiven", 200, 0),
    ],
)
def test_kinds_of_clients(start, curl, certificates, kind, without, stranger):
    clients = {"client_auth_type": kind}
    if kind.startswith("Verify"):
        clients = CLIENTS | clients
    ask = curl(start({"tls_server_config": TLS | clients}))
    assert ask("/metrics")[0] == without
    folder = certificates.folder
    assert ask("/metrics", *with_client(folder, "stranger"))[0] == stranger
    assert ask("/metrics", *with_client(folder, "client"))[0] == 200


@pytest.mark.parametrize(
    ("versions", "refused", "taken"),
    [
        ({"min_version": "TLS13"}, ["--tls-max", "1.2"], []),
        ({"max_version": "TLS12"}, ["--tlsv1.3"], []),
        (
            {},
            ["--tls-max", "1.1", "--ciphers", "ALL:@SECLEVEL=0"],
            ["--tls-max", "1.2"],
        ),
    ],
)
def test_versions(start, curl, versions, refused, taken):
    ask = curl(start({"tls_server_config": TLS | versions}))
    assert ask("/healthz", *refused)[0] == 0
    assert ask("/healthz", *taken)[0] == 200


def served(towline):
    return ssl.get_server_certificate(towline.address)


def test_a_new_certificate_is_served_to_new_connections(
    start, tmp_path_factory, certificates
):
    """Of files elsewhere than the web configuration: Landlock lets them be read, too."""
    folder = certificates.folder
    signed = ["-CA", "ca.crt", "-CAkey", "ca.key"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    certificates.certificate("later", "later", *signed, *names)
    keys = Secret(tmp_path_factory.mktemp("elsewhere") / "keys", folder)
    keys.put({})
    own = {key: str(keys.folder / name) for key, name in TLS.items()}
    towline = start({"tls_server_config": own})
    old = served(towline)
    with contextlib.closing(towline.connection()) as kept:
        kept.request("GET", "/healthz")
        assert kept.getresponse().read() == b"ok\n"
        keys.put({}, **{"tls.crt": "later.crt"})  # its key is not there yet
        assert served(towline) == old
        towline.until_said(
            "keys/tls.key has changed and cannot be used: it is not the key"
        )
        keys.put({}, **{"tls.crt": "later.crt", "tls.key": "later.key"})
        assert served(towline).split() == (folder / "later.crt").read_text().split()
        kept.request("GET", "/healthz")
        assert kept.getresponse().read() == b"ok\n"
    towline.stop()


def hup(towline):
    towline.seen = len(towline.said())
    towline.process.send_signal(signal.SIGHUP)


def test_users_change_by_a_reload(start, secret, curl):
    web = {"tls_server_config": TLS, "basic_auth_users": {"prometheus": HASH}}
    towline = start(web)
    assert curl(towline)("/metrics", *user(PASSWORD))[0] == 200
    secret.put(web | {"basic_auth_users": {"other": HASH}})
    assert curl(towline)("/metrics", *user(PASSWORD))[0] == 200  # until then
    hup(towline)
    match = until(towline.listens, towline.said, 30)
    towline.address = match[1], int(match[2])
    assert curl(towline)("/metrics", *user(PASSWORD))[0] == 401
    assert curl(towline)("/metrics", *user(PASSWORD, "other"))[0] == 200
    towline.stop()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("tls_server_config: [", "web.yml:1: this is no YAML"),
        (
            yaml.safe_dump({"tls_server_config": TLS | {"ciphers": 1}}),
            "no key 'ciphers'",
        ),
        (
            yaml.safe_dump({"tls_server_config": TLS | {"key_file": "ca.crt"}}),
            "cannot be used: it has no key",
        ),
    ],
)
def test_a_wrong_file_is_refused(start, secret, curl, text, says):
    web = {"tls_server_config": TLS, "basic_auth_users": {"prometheus": HASH}}
    towline = start(web)
    secret.put(text)
    for what in ["check"], ["run"], ["health"]:
        done = command(*what, "-c", towline.file)
        assert done.returncode == 1 and says in done.stdout + done.stderr
    hup(towline)
    towline.until_said("going on with the one before")
    assert says in towline.said()
    status, text = curl(towline)("/metrics", *user(PASSWORD))
    assert status == 200 and "\ntowline_config_reload_failed_total 1\n" in text
    towline.stop()


def hashing(towline):
    """The ticks that the thread of passwords has run."""
    with towline.standing():
        for task in pathlib.Path(f"/proc/{towline.process.pid}/task").iterdir():
            if (task / "comm").read_text() == "bcrypt\n":
                return sum(map(int, (task / "stat").read_text().split()[13:15]))
    raise AssertionError("no such thread")


def test_a_slow_hash_delays_neither_probes_nor_known_passwords(start, curl):
    users = {"prometheus": HASH, "slow": SLOW}
    towline = start({"tls_server_config": TLS, "basic_auth_users": users})
    ask = curl(towline)
    assert ask("/metrics", *user(PASSWORD))[0] == 200
    guess = subprocess.Popen(
        ask.command("/metrics", *user("guess", "slow")),
        stdout=subprocess.PIPE,
        text=True,
    )
    until(lambda: hashing(towline) > 10, "no guess is checked")
    for _ in range(3):
        assert ask("/healthz")[0] == 200
        assert ask("/metrics", *user(PASSWORD))[0] == 200
    assert guess.poll() is None  # all this while
    text, _ = guess.communicate()
    assert re.match("HTTP/1.1 (401|503) ", text)
    until(lambda: ask("/metrics", *user("guess", "slow"))[0] == 401, towline.said)
    ticks = hashing(towline)
    assert ask("/metrics", *user("guess", "slow"))[0] == 401
    assert hashing(towline) == ticks  # it is remembered
    towline.stop()


def test_health_asks_by_tls(start, config):
    towline = start({"tls_server_config": TLS | CLIENTS})
    settings = towline.file.read_text()
    assert "HTTP_Port 0\n" in settings
    file = towline.file.with_name("health.conf")
    port = towline.address[1]
    file.write_text(settings.replace("HTTP_Port 0\n", f"HTTP_Port {port}\n"))
    for arguments in (
        ["-c", file],
        ["--url", f"https://127.0.0.1:{port}/healthz"],
    ):
        done = command("health", *arguments)
        assert (done.returncode, done.stdout) == (0, "ok\n"), done.stderr
    towline.stop()


# ---- Prometheus


def test_promtool_accepts_the_shipped_web_configuration(tmp_path, secret):
    secret.put(OWN.read_text())
    good, said = ran(
        debian() / "promtool", "check", "web-config", secret.folder / "web.yml"
    )
    assert good, said


def job(towline, folder, password):
    """The shipped job, with its files, and a target in the place of discovery."""
    (own,) = loaded(PROMETHEUS / "scrape-tls.yml")["scrape_configs"]
    own = {key: own[key] for key in own if key not in ("kubernetes_sd_configs",)}
    del own["relabel_configs"]
    tls = own["tls_config"]
    for key in "ca_file", "cert_file", "key_file":
        tls[key] = str(folder / tls[key].rpartition("/")[2])
    file = towline.file.with_name("password")
    file.write_text(password)
    own["basic_auth"]["password_file"] = str(file)
    return own | {"static_configs": [{"targets": ["{}:{}".format(*towline.address)]}]}


@pytest.mark.parametrize(("password", "up"), [(PASSWORD, 1), ("wrong", 0)])
def test_the_real_prometheus_scrapes_it(start, certificates, tmp_path, password, up):
    """With the shipped files of both sides."""
    towline = start(OWN.read_text())
    scrape = job(towline, certificates.folder, password)
    server = Prometheus(debian(), tmp_path, None, scrape)
    try:
        until(server.is_ready, "Prometheus is not ready")
        server.until_answers("up", lambda answer: answer == {None: up})
        if up:
            server.until_answers("towline_build_info", bool)
    finally:
        server.stop()
    towline.stop()
