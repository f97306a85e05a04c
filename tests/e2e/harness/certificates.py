"""Certificates for one test, made by the openssl program."""

import os
import subprocess

_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


def _openssl(*argv):
    subprocess.run(["openssl", *argv], check=True, capture_output=True, timeout=20)


class Authority:
    """A root of its own in a folder; what it issues lies beside it."""

    def __init__(self, folder, name="test root"):
        os.makedirs(folder, exist_ok=True)
        self._folder = folder
        self.file, self._key = os.path.join(folder, "ca.pem"), os.path.join(folder, "ca.key")
        _openssl("req", "-x509", *_KEY, "-keyout", self._key, "-out", self.file, "-subj", f"/CN={name}", "-days", "30")

    def issue(self, name, domain, days=30):
        """The files of a certificate for that domain and of its key; again with the same name: renewed."""
        chain, key = (os.path.join(self._folder, f"{name}.{kind}") for kind in ("pem", "key"))
        _openssl(
            "req", "-x509", "-CA", self.file, "-CAkey", self._key, *_KEY, "-keyout", key, "-out", chain,
            "-subj", f"/CN={name}", "-days", str(days), "-addext", f"subjectAltName=DNS:{domain}",
            "-addext", "basicConstraints=critical,CA:FALSE",
        )  # fmt: skip
        os.chmod(key, 0o600)
        return chain, key
