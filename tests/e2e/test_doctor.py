"""stoxctl doctor: what it sees of a domain whose XMPP server is Prosody, by a name server and an authority of our own."""

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import unittest

from harness.certificates import Authority
from harness.nameserver import NameServer
from harness.process import Process, free_port, tcp_answers

# As much of Prosody as greets other servers.
_PROSODY = """\
{root}pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
certificates = "{folder}"
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{}}
s2s_ports = {{ {s2s} }}
s2s_direct_tls_ports = {{ {direct} }}
use_ipv6 = false
s2s_require_encryption = true
modules_enabled = {{ "saslauth", "tls", "dialback", "posix" }}
modules_disabled = {{ "c2s", "offline" }}
storage = "memory"
ssl = {{ cafile = "{ca}", certificate = "{chain}", key = "{key}" }}
log = {{ {{ levels = {{ min = "info" }}, to = "console" }} }}
VirtualHost "sip.example"
"""


class _Options(asyncio.DatagramProtocol):
    """A SIP server that answers every request with 200."""

    def connection_made(self, transport):
        self._transport = transport

    def datagram_received(self, data, sender):
        kept = [l for l in data.decode().split("\r\n") if l.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
        kept = [l + ";tag=here" if l.startswith("To:") else l for l in kept]
        self._transport.sendto("\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""]).encode(), sender)


class Doctor(unittest.IsolatedAsyncioTestCase):
    maxDiff = None

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)
        if lacking := [p for p in ("openssl", "unbound") if not (shutil.which(p) or shutil.which(p, path="/usr/sbin"))]:
            self.skipTest(f"not installed: {' '.join(lacking)}")
        self.folder = tempfile.mkdtemp(prefix="stox-e2e-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.root = Authority(os.path.join(self.folder, "ca"))
        self.s2s, self.direct = free_port(), free_port()

    async def _prosody(self, domain="sip.example", days=30):
        folder = os.path.join(self.folder, "prosody")
        os.makedirs(folder)
        chain, key = self.root.issue("server", domain, days)
        root = os.geteuid() == 0
        config = os.path.join(folder, "prosody.cfg.lua")
        with open(config, "w") as f:
            f.write(
                _PROSODY.format(
                    root="run_as_root = true\n" if root else "",
                    folder=folder, s2s=self.s2s, direct=self.direct, chain=chain, key=key, ca=self.root.file,
                )
            )  # fmt: skip
        argv = ["prosody", "-F", *(["--root"] if root else []), "--config", config]
        server = Process("prosody", argv, os.path.join(folder, "prosody.log"))
        self.addAsyncCleanup(server.stop)
        server.start()
        await server.ready(lambda: tcp_answers(self.s2s) and tcp_answers(self.direct))

    async def _sip(self):
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(_Options, ("127.0.0.1", 0))
        self.addCleanup(transport.close)
        return transport.get_extra_info("sockname")[1]

    async def _names(self, records):
        self.names = NameServer(os.path.join(self.folder, "unbound"), records)
        self.addAsyncCleanup(self.names.stop)
        await self.names.start()

    def _all_records(self, sip):
        return [
            f"_xmpp-server._tcp.sip.example. 60 IN SRV 0 5 {self.s2s} gw.sip.example.",
            f"_xmpps-server._tcp.sip.example. 60 IN SRV 0 5 {self.direct} gw.sip.example.",
            f"_sip._udp.sip.example. 60 IN SRV 0 5 {sip} gw.sip.example.",
            "gw.sip.example. 60 IN A 127.0.0.1",
        ]

    async def _doctor(self, *argv):
        """The exit code and what it printed."""
        dns = f"127.0.0.1:{self.names.port}"
        command = [os.environ["STOX_STOXCTL"], "doctor", "sip.example", "--dns", dns, "--ca-file", self.root.file, *argv]
        done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.stderr, "")
        return done.returncode, done.stdout

    async def test_healthy_domain_is_reached_by_both_worlds(self):
        await self._prosody()
        sip = await self._sip()
        await self._names(self._all_records(sip))
        code, text = await self._doctor()
        lines = [" ".join(line.split()) for line in text.splitlines()]
        for expected in (
            f"ok SRV _xmpp-server._tcp gw.sip.example:{self.s2s}",
            f"ok SRV _xmpps-server._tcp gw.sip.example:{self.direct}",
            "ok address gw.sip.example 127.0.0.1",
            f"ok 127.0.0.1:{self.s2s} STARTTLS certificate for sip.example, 29 days left",
            f"ok 127.0.0.1:{self.direct} direct TLS certificate for sip.example, 29 days left",
            f"ok 127.0.0.1:{self.s2s} STARTTLS offers dialback",
            f"ok 127.0.0.1:{self.direct} direct TLS offers dialback",
            f"ok 127.0.0.1:{sip} udp OPTIONS 200 OK",
            "OK: sip.example can be reached by XMPP and SIP.",
        ):
            self.assertIn(expected, lines)
        self.assertNotIn("Add these records", text)
        self.assertEqual(code, 0)

    async def test_certificate_of_another_domain_is_told(self):
        await self._prosody("other.example")
        await self._names(self._all_records(await self._sip()))
        code, text = await self._doctor("--json")
        report = json.loads(text)
        told = [c["told"] for c in report["xmpp"]["checks"] if c["level"] == "FAIL"]
        self.assertEqual(told, ["not for sip.example, but for other.example"] * 2)
        self.assertEqual((report["reached"], report["xmpp"]["reached"], report["sip"]["reached"]), (False, False, True))
        self.assertEqual(code, 1)

    async def test_records_that_are_missing_are_printed_for_the_zone(self):
        await self._names(["sip.example. 60 IN A 127.0.0.1"])
        code, text = await self._doctor("--timeout", "1")
        self.assertEqual(code, 1)
        add = text[text.index("Add these records:") :]
        self.assertIn("\n  _xmpp-server._tcp.sip.example. 3600 IN SRV 0 5 5269 sip.example.\n", add)
        self.assertIn("\n  _sip._udp.sip.example. 3600 IN SRV 0 5 5060 sip.example.\n", add)

    async def test_external_is_offered_to_who_shows_a_certificate(self):
        await self._prosody()
        await self._names(self._all_records(await self._sip()))
        code, text = await self._doctor("--config", self._own_config(), "--xmpp-only")
        self.assertRegex(text, rf"ok +127\.0\.0\.1:{self.s2s} STARTTLS offers +SASL EXTERNAL, dialback")
        self.assertEqual(code, 0)

    def _own_config(self):
        chain, key = self.root.issue("own", "asker.example")
        path = os.path.join(self.folder, "stox.toml")
        with open(path, "w", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
            f.write(
                '[gateway]\nsip_domains = ["asker.example"]\n'
                '[sip]\nlisten = ["udp:127.0.0.1:5060"]\n'
                f'[[tls.certificate]]\ndomains = ["asker.example"]\nchain = "{chain}"\nkey = "{key}"\n'
                '[[xmpp.component]]\ndomain = "asker.example"\nserver = "127.0.0.1:5347"\nsecret = "secret"\n'
            )
        return path


if __name__ == "__main__":
    unittest.main()
