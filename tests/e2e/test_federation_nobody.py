"""Servers that are not there, down or dumb: who wrote to them hears of it in time."""

import asyncio
import time
import unittest

from harness import federation
from harness.process import free_port


class Nobody(federation.FederationTest):
    """Servers that are not there, down or dumb: a SIP sender has his answer while his transaction is open (Timer F, 32 s)."""

    async def _answer(self, world, domain, within=31):
        gateway = await world.gateway_client()
        began = time.monotonic()
        answer = await gateway.send_message("alice", f"sip:juliet@{domain}", "anybody?")
        self.assertIsNotNone(answer, "no answer at all")
        self.assertLess(time.monotonic() - began, within)
        return answer

    async def test_domain_without_records_is_not_found(self):
        world = await self.make_world(servers=("peer",))
        answer = await self._answer(world, "nowhere.example", 10)
        self.assertIn(answer.status, (404, 502), f"RFC 7247 §7.1, remote-server-not-found: {answer.start}")

    async def test_domain_that_says_it_has_no_service(self):
        world = await self.make_world(servers=("peer",), records=["_xmpp-server._tcp.none.example. 60 IN SRV 0 0 0 ."])
        answer = await self._answer(world, "none.example", 10)
        self.assertIn(answer.status, (404, 502), answer.start)

    async def test_server_that_is_down(self):
        down = [federation.srv("down.example", free_port())]
        world = await self.make_world(servers=("peer",), records=down)
        answer = await self._answer(world, "down.example")
        self.assertIn(answer.status, (404, 408, 480, 502, 503, 504), answer.start)

    async def test_second_server_is_taken_where_the_first_is_down(self):
        world = await self.make_world(start=False, servers=("peer",))
        world.records.append(federation.srv("peer.example", free_port(), priority=1))
        await world.start()
        answer = await self._answer(world, "peer.example", 15)
        self.assertEqual(answer.status, 200, answer.start)
        self.assertEqual(world.peer.texts(), ["anybody?"])

    async def test_server_that_says_nothing(self):
        world = await self.make_world(servers=("peer",), s2s_extra='login_limit = "5s"\nqueue_time = "8s"\n')
        world.peer.ways.silent = True
        answer = await self._answer(world, "peer.example", 15)
        self.assertIn(answer.status, (408, 480, 502, 503, 504), answer.start)
        # It comes to life; nobody has to restart anything.
        world.peer.ways.silent = False
        gateway = await world.gateway_client()
        async with asyncio.timeout(60):
            while (await gateway.send_message("alice", "sip:juliet@peer.example", "and now?")).status != 200:
                await asyncio.sleep(1)
        self.assertIn("and now?", world.peer.texts())

    async def test_errors_of_a_user_that_is_not_there(self):
        world = await self.make_world(servers=("peer",))
        alice = await world.sip_client("alice")
        peer, gateway = world.peer, await world.gateway_client()
        task = asyncio.ensure_future(gateway.send_message("alice", "sip:nobody@peer.example", "hello?"))
        await self.until(peer.texts, 20, "it comes")
        asked = peer.stanzas[-1]
        stream, _ = await peer.external("sip.example", world.stoxd.s2s_port)
        stream.write(
            f"<message type='error' from='nobody@peer.example' to='{asked.get('from')}' id='{asked.get('id')}'><error type='cancel'>"
            "<item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></message>"
        )
        answer = await task
        self.assertEqual(answer.status, 404, "RFC 7247 §7.1")
        stream.write(peer.message("nurse@peer.example", "nobody@sip.example", "hello?", id="n1"))
        await self.until(lambda: ("n1", "item-not-found") in peer.errors(), 15, "the SIP side's 404")
        self.assertEqual(alice.inbox, [])


if __name__ == "__main__":
    unittest.main()
