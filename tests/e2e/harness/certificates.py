"""Certificates for one test, made by the openssl program."""

import os
import subprocess

_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
_SRV_NAME = "1.3.6.1.5.5.7.8.7"  # RFC 4985 §2
_XMPP_ADDR = "1.3.6.1.5.5.7.8.5"  # RFC 6120 §13.7.1.4


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
        return self._issue(name, days, f"DNS:{domain}")

    def issue_for_xmpp(self, name, *domains, usage="serverAuth,clientAuth", xmpp_addr=False, days=30):
        """One that proves them between XMPP servers, as DNS name and as SRV name (RFC 6120 §13.7.1.2). It is shown by who connects too:
        with EXTERNAL the client of TLS is a server, and OpenSSL refuses its certificate without clientAuth.
        xmpp_addr: as XMPP address too, which is none that ejabberd may see: p1_xmpp 1.6.1 (ejabberd 23.01) crashes in
        xmpp_stream_pkix:get_cert_domains on the first one, on both sides of a stream, and its peers see the stream end without a word."""
        names = [f"DNS:{d},otherName:{_SRV_NAME};IA5STRING:_xmpp-server.{d}" for d in domains]
        names += [f"otherName:{_XMPP_ADDR};UTF8:{d}" for d in domains if xmpp_addr]
        return self._issue(name, days, ",".join(names), "-addext", f"extendedKeyUsage={usage}")

    def _issue(self, name, days, names, *more):
        chain, key = (os.path.join(self._folder, f"{name}.{kind}") for kind in ("pem", "key"))
        _openssl(
            "req", "-x509", "-CA", self.file, "-CAkey", self._key, *_KEY, "-keyout", key, "-out", chain,
            "-subj", f"/CN={name}", "-days", str(days), "-addext", f"subjectAltName={names}",
            "-addext", "basicConstraints=critical,CA:FALSE", *more,
        )  # fmt: skip
        os.chmod(key, 0o600)
        return chain, key
