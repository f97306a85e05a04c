"""How the peers themselves behave; stoxd relies on it."""

import asyncio
import os
import re
import shutil
import tempfile
import unittest

from harness import ejabberd
from harness.component import Component
from harness.kamailio import Kamailio
from harness.process import free_port, until
from harness.prosody import Prosody
from harness.ua import Answer, SipClient
from harness.xmpp import XmppClient


class Peers(unittest.IsolatedAsyncioTestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="stox-e2e-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    async def test_prosody_has_processed_all_stanzas_when_a_ping_written_after_them_returns(self):
        await self._ping_is_a_fence(Prosody(os.path.join(self.folder, "prosody")))

    async def test_ejabberd_has_processed_all_stanzas_when_a_ping_written_after_them_returns(self):
        why = ejabberd.missing()
        if why:
            self.skipTest(why)
        await self._ping_is_a_fence(ejabberd.Ejabberd(os.path.join(self.folder, "ejabberd")))

    async def _ping_is_a_fence(self, server):
        server.register("juliet", "pw")
        await server.start()
        self.addAsyncCleanup(server.stop)
        juliet = XmppClient("juliet@xmpp.example/desk", "pw", server.c2s_port)
        await juliet.start()
        self.addAsyncCleanup(juliet.stop)
        component = Component("sip.example", server.secret, server.component_port)
        await component.start()
        self.addAsyncCleanup(component.stop)

        rounds, per_round = 20, 64
        for r in range(rounds):
            # Half of them to a user that does not exist: each comes back as an error, and must come before the ping.
            batch = []
            for i in range(per_round):
                to = "juliet@xmpp.example/desk" if i % 2 else f"nobody{i}@xmpp.example"
                batch.append(
                    f"<message from='alice@sip.example' to='{to}' type='chat' id='s{r}-{i}'><body>{r}-{i}</body></message>"
                )
            ping = f"fence-{r}"
            batch.append(
                f"<iq from='sip.example' to='sip.example' type='get' id='{ping}'><ping xmlns='urn:xmpp:ping'/></iq>"
            )
            component.write("".join(batch))
            before = await component.read_until(f"{ping}")
            errors = re.findall(r"id=['\"](s\d+-\d+)['\"]", before)
            self.assertEqual(sorted(errors), sorted(f"s{r}-{i}" for i in range(0, per_round, 2)))
        expected = [f"{r}-{i}" for r in range(rounds) for i in range(1, per_round, 2)]
        await until(lambda: len(juliet.inbox) >= len(expected), 10, "juliet gets every stanza")
        self.assertEqual([s.text for s in juliet.inbox], expected)

    async def _kamailio_between_two(self, transport):
        kamailio = Kamailio(os.path.join(self.folder, "kamailio"), free_port(), answer_seconds=1)
        await kamailio.start()
        self.addAsyncCleanup(kamailio.stop)
        a, b = SipClient(kamailio.port, transport), SipClient(kamailio.port, transport)
        for client, user in ((a, "alice"), (b, "bob")):
            await client.start()
            self.addAsyncCleanup(client.stop)
            await client.register(user)
        b.answers["bob"] = Answer(480, "Gone fishing")
        self.assertEqual((await a.send_message("alice", "sip:bob@sip.example", "one")).start, "SIP/2.0 480 Gone fishing")
        b.answers["bob"] = Answer(None)
        self.assertEqual((await a.send_message("alice", "sip:bob@sip.example", "two")).status, 408)
        b.answers["bob"] = Answer()
        self.assertEqual((await a.send_message("alice", "sip:bob@sip.example", "three é")).status, 200)
        self.assertEqual((await a.send_message("alice", "sip:nobody@sip.example", "four")).status, 404)
        self.assertEqual([r.text for r in b.inbox], ["one", "two", "three é"])

    async def test_kamailio_relays_messages_and_answers_over_udp(self):
        await self._kamailio_between_two("udp")

    async def test_kamailio_relays_messages_and_answers_over_tcp(self):
        await self._kamailio_between_two("tcp")


if __name__ == "__main__":
    unittest.main()
