"""The same beside ejabberd."""

import unittest

from harness import ejabberd, federation


class Ejabberd(federation.FederationTest):
    def setUp(self):
        super().setUp()
        if why := ejabberd.missing():
            self.skipTest(why)

    async def _world(self, **options):
        world = await self.make_world(servers=("ejabberd",), **options)
        return world, await world.client_of(world.ejabberd), await world.sip_client("alice")

    async def test_external_both_ways(self):
        world, juliet, alice = await self._world()
        await self.messages_cross(juliet, alice)
        await self.logged(
            world.ejabberd,
            r"\(tls\|.*Accepted inbound s2s EXTERNAL authentication sip\.example -> ej\.example",
            r"\(tls\|.*Accepted outbound s2s EXTERNAL authentication ej\.example -> sip\.example",
        )

    async def test_dialback_alone_both_ways(self):
        world, juliet, alice = await self._world(strange=("stoxd", "ejabberd"))
        await self.messages_cross(juliet, alice)
        await self.logged(
            world.ejabberd,
            r"\(tls\|.*Accepted inbound s2s dialback authentication sip\.example -> ej\.example",
            r"\(tls\|.*Accepted outbound s2s dialback authentication ej\.example -> sip\.example",
        )

    async def test_direct_tls_both_ways(self):
        world, juliet, alice = await self._world(direct=("stoxd", "ejabberd"))
        await self.messages_cross(juliet, alice)
        await self.logged(
            world.ejabberd, r"Accepted inbound s2s EXTERNAL authentication", r"Accepted outbound s2s EXTERNAL authentication"
        )
        self.not_logged(world.ejabberd, r"XML on stream = <<.<(starttls|proceed) ")

    async def test_errors_both_ways(self):
        world, juliet, alice = await self._world()
        error = await self.xmpp_error(juliet, juliet.send_text("nobody@sip.example", "hello?"), 20)
        self.assertEqual((error.condition, error.sender), ("item-not-found", "nobody@sip.example"))
        answer = await alice.send_message("alice", "sip:nobody@ej.example", "hello?")
        self.assertIn(answer.status, (403, 405), f"RFC 7247 §7.1, service-unavailable: {answer.start}")

    async def test_one_served_by_prosody_and_one_by_ejabberd_at_a_time(self):
        world = await self.make_world(servers=("prosody", "ejabberd"))
        alice = await world.sip_client("alice")
        for server in (world.prosody, world.ejabberd):
            await self.messages_cross(await world.client_of(server), alice, server.domain)


if __name__ == "__main__":
    unittest.main()
