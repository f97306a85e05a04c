"""A SIP proxy that asks the gateway for a password."""

from harness.kamailio import Challenge
from harness.world import WorldTest

CREDENTIAL = """
[[sip.credential]]
realm = "sip.example"
user = "gateway"
password = "%s"
"""


class Digest(WorldTest):
    async def _challenged_world(self, password="gate-4711", transport="udp", **how):
        world = await self.make_world(
            transport=transport, sip_extra=CREDENTIAL % password, challenge=Challenge("gate-4711", **how)
        )
        return world, await world.xmpp_client("juliet"), await world.sip_client("alice")

    def _answered(self):
        return self.world.stoxd.metric("stox_sip_challenges_answered_total")

    async def _first_and_later_ones_pass(self, **how):
        _, juliet, alice = await self._challenged_world(**how)
        juliet.send_text("alice@sip.example", "first")
        await self.sip_got(alice, "alice", "first")
        self.assertEqual(self._answered(), 1)
        # The nonce is known: no further round trip, and the count that Kamailio checks goes on.
        for n in range(20):
            juliet.send_text("alice@sip.example", f"later {n}")
        await self.sip_got(alice, "alice", "later 19")
        self.assertEqual([m.text for m in alice.inbox], ["first", *(f"later {n}" for n in range(20))])
        self.assertEqual(self._answered(), 1)
        self.assertEqual(juliet.errors(), [])

    async def test_a_proxys_challenge_is_answered_once(self):
        await self._first_and_later_ones_pass()

    async def test_a_users_challenge_by_sha256_over_tcp_is_answered_once(self):
        await self._first_and_later_ones_pass(kind="www", algorithm="SHA-256", transport="tcp")

    async def test_a_wrong_password_is_told_to_the_sender(self):
        _, juliet, alice = await self._challenged_world(password="gate-4712")
        sent = juliet.send_text("alice@sip.example", "open up")
        error = await self.xmpp_error(juliet, sent)
        self.assertEqual(error.condition, "registration-required")
        self.assertEqual(error.error_text, "407 Proxy Authentication Required")
        self.assertEqual(alice.inbox, [])
        log = self.world.stoxd.log_text()
        self.assertIn("sip.challenge_unanswered", log)
        self.assertIn("the credential was refused", log)
        self.assertNotIn("gate-4712", log)

    async def test_an_expired_nonce_is_asked_for_again(self):
        _, juliet, alice = await self._challenged_world(nonce_seconds=1)
        said = []

        async def one_more():
            said.append(f"word {len(said)}")
            juliet.send_text("alice@sip.example", said[-1])
            await self.sip_got(alice, "alice", said[-1])
            return self._answered() >= 3

        while not await one_more():
            self.assertLess(len(said), 5000)
        self.assertEqual([m.text for m in alice.inbox], said)
        self.assertEqual(juliet.errors(), [])
