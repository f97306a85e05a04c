"""TLS between the gateway and a real proxy: both ways, with trust by certificate, and what is refused."""

import asyncio
import glob
import os
import shutil
import signal
import socket
import ssl
import unittest

from harness.certificates import Authority
from harness.nameserver import NameServer
from harness.process import free_port
from harness.world import WorldTest

JULIET = "sip:juliet@xmpp.example"
RECORDS = ["proxy.example. 60 IN A 127.0.0.1"]


class Tls(WorldTest):
    async def _world(self, proxy_authority=None):
        """Kamailio is trusted only by its certificate; proxy_authority: a folder's name for another root of it."""
        if shutil.which("openssl") is None or shutil.which("unbound") is None:
            self.skipTest("openssl or unbound is not installed")
        if not glob.glob("/usr/lib/*/kamailio/modules/tls.so"):
            self.skipTest("Kamailio's tls module is not installed")
        world = await self.make_world(start=False)
        self.root = Authority(os.path.join(world.folder, "ca"))
        self.gateway_files = self.root.issue("gateway", "gw.sip.example")
        issuer = Authority(os.path.join(world.folder, proxy_authority), "another root") if proxy_authority else self.root
        self.tls_port = free_port()
        world.kamailio.gateway_port = self.tls_port
        world.kamailio.use_tls(issuer.issue("proxy", "proxy.example"), self.root.file)
        self.names = NameServer(os.path.join(world.folder, "unbound"), RECORDS)
        self.addAsyncCleanup(self.names.stop)
        await self.names.start()
        world.stoxd.use_dns(self.names.port)
        proxy = f"sip:proxy.example:{world.kamailio.tls_port};transport=tls;lr"
        chain, key = self.gateway_files
        world.stoxd.sip_extra = (
            f'outbound_proxy = "{proxy}"\nadvertise = "gw.sip.example"\ntrusted_domains = ["proxy.example"]\n'
            f'[tls]\nca_file = "{self.root.file}"\n'
            f'[[tls.certificate]]\ndomains = ["gw.sip.example"]\nchain = "{chain}"\nkey = "{key}"\n'
        )
        write = world.stoxd.write_config

        def write_for_tls(proxy_port):
            write(proxy_port)
            with open(world.stoxd.config_path) as f:
                text = f.read()
            text = text.replace('listen = ["udp', f'listen = ["tls:127.0.0.1:{self.tls_port}", "udp', 1)
            text = text.replace('trusted_peers = ["127.0.0.0/8"]', "trusted_peers = []", 1)
            with open(world.stoxd.config_path, "w") as f:
                f.write(text)

        world.stoxd.write_config = write_for_tls
        await world.start()
        return world

    def _shown_certificate(self):
        return ssl.get_server_certificate(("127.0.0.1", self.tls_port), timeout=5)

    async def test_messages_cross_both_ways_between_peers_that_know_each_other_by_certificate(self):
        world = await self._world()
        juliet = await world.xmpp_client("juliet")
        romeo = await world.sip_client("romeo")
        juliet.send_text("romeo@sip.example", "over a safe line")
        seen = await self.sip_got(romeo, "romeo", "over a safe line")
        self.assertIn("SIP/2.0/TLS gw.sip.example:", "\n".join(v for n, v in seen.message.headers if n == "Via"))
        answer = await romeo.send_message("romeo", JULIET, "and back again")
        self.assertEqual(answer.status, 200)
        await self.xmpp_got(juliet, "and back again")
        self.assertEqual(juliet.errors(), [])
        self.assertEqual(world.stoxd.metric("stox_sip_stranger_connections"), 0)
        self.assertGreaterEqual(world.stoxd.metric("stox_tls_handshakes_total"), 2)
        self.assertGreater(world.stoxd.metric("stox_tls_certificate_expiry_timestamp_seconds", domain="gw.sip.example"), 0)

    async def test_proxy_of_a_wrong_authority_gets_nothing_and_the_log_says_why(self):
        world = await self._world(proxy_authority="other-ca")
        juliet = await world.xmpp_client("juliet")
        romeo = await world.sip_client("romeo")
        sent = juliet.send_text("romeo@sip.example", "not for strangers")
        await self.xmpp_error(juliet, sent)
        await self.until(lambda: "sip.unproven_server" in world.stoxd.log_text(), 10, "the log says why")
        line = next(l for l in world.stoxd.log_text().splitlines() if "sip.unproven_server" in l)
        self.assertIn("domain=proxy.example", line)
        self.assertRegex(line, r"unable to get local issuer certificate|self.signed certificate|unable to verify")
        # Nor is it believed who its users are: what it opens is a stranger's connection.
        answer = await romeo.send_message("romeo", JULIET, "nor from them")
        self.assertEqual(answer.status, 403)
        self.assertEqual([r.text for r in romeo.inbox], [])
        self.assertEqual([s.text for s in juliet.texts()], [])

    async def test_client_without_certificate_is_a_stranger(self):
        world = await self._world()
        await world.xmpp_client("juliet")

        def ask():
            context = ssl.create_default_context(cafile=self.root.file)
            with socket.create_connection(("127.0.0.1", self.tls_port), timeout=5) as plain:
                with context.wrap_socket(plain, server_hostname="gw.sip.example") as s:
                    s.sendall(
                        f"MESSAGE {JULIET} SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:1;branch=z9hG4bK1\r\nMax-Forwards: 70\r\n"
                        f"From: <sip:mallory@sip.example>;tag=1\r\nTo: <{JULIET}>\r\nCall-ID: 1\r\nCSeq: 1 MESSAGE\r\n"
                        "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\nhi".encode()
                    )
                    answer = b""
                    while part := s.recv(4096):
                        answer += part
                    return answer.decode()

        answer = await asyncio.to_thread(ask)
        self.assertTrue(answer.startswith("SIP/2.0 403 "), answer)

    async def test_renewed_certificate_is_taken_over_while_connections_go_on(self):
        world = await self._world()
        juliet = await world.xmpp_client("juliet")
        romeo = await world.sip_client("romeo")
        juliet.send_text("romeo@sip.example", "before")
        await self.sip_got(romeo, "romeo", "before")
        self.assertEqual((await romeo.send_message("romeo", JULIET, "before too")).status, 200)
        handshakes = world.stoxd.metric("stox_tls_handshakes_total")
        old = await asyncio.to_thread(self._shown_certificate)
        self.root.issue("gateway", "gw.sip.example")
        os.kill(world.stoxd.pid, signal.SIGHUP)
        await self.until(lambda: "daemon.reloaded" in world.stoxd.log_text(), 10, "the reload")
        self.assertIn("tls.certificate", next(l for l in world.stoxd.log_text().splitlines() if "daemon.config_changed" in l))
        new = await asyncio.to_thread(self._shown_certificate)
        self.assertNotEqual(old, new)
        juliet.send_text("romeo@sip.example", "after")
        await self.sip_got(romeo, "romeo", "after")
        self.assertEqual((await romeo.send_message("romeo", JULIET, "after too")).status, 200)
        self.assertEqual(world.stoxd.metric("stox_tls_handshakes_total"), handshakes + 2, "only the two that looked")

        # A key that does not fit changes nothing.
        with open(self.gateway_files[1], "w") as f, open(self.root.issue("stray", "stray.example")[1]) as stray:
            f.write(stray.read())
        os.kill(world.stoxd.pid, signal.SIGHUP)
        await self.until(lambda: "daemon.reload_refused" in world.stoxd.log_text(), 10, "the refusal")
        self.assertEqual(await asyncio.to_thread(self._shown_certificate), new)
        juliet.send_text("romeo@sip.example", "as ever")
        await self.sip_got(romeo, "romeo", "as ever")


if __name__ == "__main__":
    unittest.main()
