"""Prosody and ejabberd federate with each other, without us: that the ground for the tests of federation is sound, EXTERNAL above all.

A pair of servers comes to EXTERNAL only when each is offered it, and a server offers it to a peer whose certificate it has verified: the
authority's file is named to both (Prosody: ssl.cafile, ejabberd: ca_file), and the certificates have clientAuth (ejabberd: "unsupported
certificate purpose"). Where one of these is missing, nobody complains: they take dialback, which an
exchange of messages cannot tell from EXTERNAL. Only the logs can."""

import asyncio
import os
import shutil
import tempfile
import unittest

from harness import ejabberd, federation
from harness.process import until
from harness.prosody import Prosody
from harness.world import PASSWORD
from harness.xmpp import XmppClient


class Servers(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)

    async def _pair(self, usage="serverAuth,clientAuth", strange=False, direct=False):
        """usage: of both certificates; strange: ejabberd's is of an authority that Prosody does not know."""
        why = federation.missing() or ejabberd.missing()
        if why:
            self.skipTest(why)
        folder = tempfile.mkdtemp(prefix="stox-e2e-")
        if not os.environ.get("STOX_E2E_KEEP"):
            self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        ground = federation.Ground(folder)
        self.prosody = Prosody(os.path.join(folder, "prosody"), "xmpp.example")
        self.ejabberd = ejabberd.Ejabberd(os.path.join(folder, "ejabberd"), "ej.example")
        servers = (self.prosody, self.ejabberd)
        await ground.start_names([r for s in servers for r in federation.place(s, direct)])
        self.addAsyncCleanup(ground.stop)
        other = ground.certificate("ej.example", usage, ground.strange_authority() if strange else None)
        self.prosody.federate(ground.names.port, ground.certificate("xmpp.example", usage), ground.root.file)
        self.ejabberd.federate(ground.names.port, other, ground.root.file)
        for server in servers:
            server.register("juliet", PASSWORD)
            self.addAsyncCleanup(server.stop)
        await asyncio.gather(*(s.start() for s in servers))
        clients = [XmppClient(f"juliet@{s.domain}/desk", PASSWORD, s.c2s_port) for s in servers]
        for client in clients:
            self.addAsyncCleanup(client.stop)
            await client.start()
        return clients

    async def _exchange(self, clients):
        for one, other in (clients, clients[::-1]):
            text = f"from {one.boundjid.domain}"
            one.send_text(other.boundjid.full, text)
            await until(lambda: other.texts() or one.errors(), 15, f"{text} arrives")
            self.assertEqual([s.condition for s in one.errors()], [])
            self.assertEqual([s.text for s in other.texts()], [text])

    async def _said(self, server, *texts):
        """In its log, which ejabberd writes with some delay."""
        for text in texts:
            await until(lambda: text in server.log_text(), 5, f"{server.domain} logs: {text}")

    async def test_external_both_ways(self):
        await self._exchange(await self._pair())
        await self._said(self.prosody, "SASL EXTERNAL with ej.example succeeded", "Accepting SASL EXTERNAL identity from ej.example")
        await self._said(
            self.ejabberd,
            "Accepted inbound s2s EXTERNAL authentication xmpp.example -> ej.example",
            "Accepted outbound s2s EXTERNAL authentication ej.example -> xmpp.example",
        )

    async def test_external_over_direct_tls(self):
        await self._exchange(await self._pair(direct=True))
        await self._said(self.prosody, "SASL EXTERNAL with ej.example succeeded", "Accepting SASL EXTERNAL identity from ej.example")
        self.assertFalse([l for l in self.prosody.log_text().splitlines() if "starttls xmlns" in l], "nobody had to start TLS")

    async def test_dialback_where_an_authority_is_not_known(self):
        await self._exchange(await self._pair(strange=True))
        await self._said(self.prosody, "certificate chain validation result: invalid")
        await self._said(self.ejabberd, "Accepted outbound s2s dialback authentication ej.example -> xmpp.example")
        self.assertNotIn("Accepting SASL EXTERNAL identity from ej.example", self.prosody.log_text())

    async def test_certificate_without_client_auth_is_no_proof_to_ejabberd(self):
        await self._exchange(await self._pair(usage="serverAuth"))
        # Prosody looks at the purpose of none (lsec_ignore_purpose).
        await self._said(self.prosody, "Accepting SASL EXTERNAL identity from ej.example")
        await self._said(self.prosody, "SASL EXTERNAL with ej.example failed: error<cancel:not-authorized:unsupported certificate purpose>")
        await self._said(self.ejabberd, "Accepted inbound s2s dialback authentication xmpp.example -> ej.example")


if __name__ == "__main__":
    unittest.main()
