"""Keys and certificates of a test server, made with openssl."""

import ssl
import subprocess


class Certificates:
    """In a folder: ca.crt, server.crt and server.key, and account.key and
    account.pub, which sign and check the tokens of accounts."""

    def __init__(self, folder):
        self.folder = folder
        self.authority()
        self.server()
        self.openssl("genrsa", "-out", "account.key", "2048")
        self.openssl("rsa", "-in", "account.key", "-pubout", "-out", "account.pub")

    def openssl(self, *arguments, **options):
        command = ["openssl", *arguments]
        run = subprocess.run(
            command, cwd=self.folder, capture_output=True, check=False, **options
        )
        assert run.returncode == 0, run.stderr.decode()
        return run.stdout

    def certificate(self, name, subject, *more):
        """NAME.key and NAME.crt."""
        self.openssl(
            *"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes".split(),
            *["-days", "30", "-subj", f"/CN={subject}", *more],
            *["-keyout", f"{name}.key", "-out", f"{name}.crt"],
        )

    def authority(self):
        """A new one: what it has not signed is not trusted."""
        self.certificate("ca", "towline tests")

    def server(self, names="IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc"):
        """A new certificate, for these names."""
        self.certificate(
            *["server", "kube-apiserver", "-CA", "ca.crt", "-CAkey", "ca.key"],
            *["-addext", f"subjectAltName={names}"],
            *["-addext", "basicConstraints=CA:FALSE"],
        )

    @property
    def ca(self):
        return self.folder / "ca.crt"

    def client(self):
        return ssl.create_default_context(cafile=self.ca)

    def signed(self, data):
        return self.openssl("dgst", "-sha256", "-sign", "account.key", input=data)
