"""What cannot be delivered is told to its sender, by id, with the mapped error."""

import unittest

from harness.ua import Answer, SipClient
from harness.world import WorldTest

JULIET = "sip:juliet@xmpp.example"


class Errors(WorldTest):
    async def test_unknown_xmpp_user_fails_the_sip_message(self):
        world = await self.make_world()
        alice = await world.sip_client("alice")
        for uri in ("sip:nobody@xmpp.example", "sip:nobody@xmpp.example;gr=desk", JULIET):
            # The third one exists but is offline: Prosody, hence stoxd, says the same of both.
            answer = await alice.send_message("alice", uri, "is anybody there?")
            # Prosody says service-unavailable; RFC 7247 §7.1 has 403 or 405 for it.
            self.assertIn(answer.status, (403, 405), answer.start)
        self.assertEqual(alice.inbox, [])

    async def _sip_answer_becomes(self, status, reason, expected, seen_status=None):
        world = await self.make_world()
        juliet = await world.xmpp_client("juliet")
        alice = await world.sip_client("alice")
        alice.answers["alice"] = Answer(status, reason)
        sent = juliet.send_text("alice@sip.example", "will you take it?")
        error = await self.xmpp_error(juliet, sent)
        self.assertEqual(error.condition, expected)
        self.assertEqual(error.sender, "alice@sip.example")
        self.assertEqual(error.error_text, f"{seen_status or status} {reason}")
        self.assertEqual(len(alice.inbox), 1)

        # The next message of the pair is not held up by the failed one.
        alice.answers["alice"] = Answer()
        juliet.send_text("alice@sip.example", "and now?")
        await self.sip_got(alice, "alice", "and now?")
        self.assertEqual(len(juliet.errors()), 1)

    async def test_sip_404_is_item_not_found(self):
        await self._sip_answer_becomes(404, "No Such Alice", "item-not-found")

    async def test_sip_415_is_not_acceptable(self):
        await self._sip_answer_becomes(415, "Unsupported Media Type", "not-acceptable")

    async def test_sip_480_is_recipient_unavailable(self):
        await self._sip_answer_becomes(480, "Gone Fishing", "recipient-unavailable")

    async def test_sip_503_is_internal_server_error(self):
        # Sent by the next hop itself: a proxy in between would turn a branch's 503 into 500 (RFC 3261 §16.7).
        world = await self.make_world(start=False)
        phone = SipClient(world.stoxd.sip_port)
        await phone.start()
        self.addAsyncCleanup(phone.stop)
        await self._start_with_next_hop(world, phone.port)
        juliet = await world.xmpp_client("juliet")
        phone.answers["alice"] = Answer(503, "Service Unavailable")
        sent = juliet.send_text("alice@sip.example", "busy?")
        error = await self.xmpp_error(juliet, sent)
        self.assertEqual((error.condition, error.error_text), ("internal-server-error", "503 Service Unavailable"))

    async def _start_with_next_hop(self, world, port):
        world.prosody.register("juliet", "user-password-4711")
        world.stoxd.write_config(port)
        await world.prosody.start()
        await world.stoxd.start()

    async def test_unregistered_sip_user_is_item_not_found(self):
        world = await self.make_world()
        juliet = await world.xmpp_client("juliet")
        sent = juliet.send_text("nobody@sip.example", "hello?")
        error = await self.xmpp_error(juliet, sent)
        self.assertEqual((error.condition, error.error_text), ("item-not-found", "404 Not Found"))

    async def test_dead_sip_user_fails_the_whole_queue_at_once(self):
        world = await self.make_world(answer_seconds=2)
        juliet = await world.xmpp_client("juliet")
        alice = await world.sip_client("alice")
        alice.answers["alice"] = Answer(None)
        sent = [juliet.send_text("alice@sip.example", f"line {i}") for i in range(5)]
        errors = [await self.xmpp_error(juliet, i, 12) for i in sent]
        self.assertEqual([e.condition for e in errors], ["remote-server-timeout"] * 5)
        self.assertTrue(all("408" in e.error_text for e in errors), [e.error_text for e in errors])
        # Only the first was tried: its proxy gave up after 2 s, and that failed the four behind it.
        self.assertEqual({r.text for r in alice.inbox}, {"line 0"})
        self.assertLess(errors[-1].at - errors[0].at, 1.0)

    # timeout 180
    async def test_dead_proxy_is_told_after_timer_f(self):
        world = await self.make_world(start=False)
        silent = SipClient(world.stoxd.sip_port)
        await silent.start()
        self.addAsyncCleanup(silent.stop)
        await self._start_with_next_hop(world, silent.port)
        juliet = await world.xmpp_client("juliet")
        silent.answers["alice"] = Answer(None)
        sent = juliet.send_text("alice@sip.example", "anybody?")
        error = await self.xmpp_error(juliet, sent, 40)
        self.assertEqual(error.condition, "remote-server-timeout")
        self.assertEqual({r.text for r in silent.inbox}, {"anybody?"})
        # Timer E: 0.5, 1, 2, 4, 4, ... s until 32 s: the first and ten more.
        self.assertEqual(len(silent.inbox) + silent.retransmissions, 11)

    async def test_missing_proxy_is_told_at_once_over_tcp(self):
        world = await self.make_world(start=False, transport="tcp")
        from harness.process import free_port

        await self._start_with_next_hop(world, free_port())
        juliet = await world.xmpp_client("juliet")
        sent = juliet.send_text("alice@sip.example", "nobody listens")
        error = await self.xmpp_error(juliet, sent, 10)
        self.assertTrue(error.condition)
        self.assertTrue(error.error_text)

    async def test_message_over_1300_bytes_is_a_policy_violation_that_says_the_limit(self):
        world = await self.make_world()
        juliet = await world.xmpp_client("juliet")
        alice = await world.sip_client("alice")
        sent = juliet.send_text("alice@sip.example", "x" * 1400)
        error = await self.xmpp_error(juliet, sent)
        self.assertEqual(error.condition, "policy-violation")
        self.assertIn("1300", error.error_text)
        self.assertEqual(alice.inbox, [])

    async def test_content_that_is_no_text_gets_415_with_accept(self):
        world = await self.make_world()
        juliet = await world.xmpp_client("juliet")
        alice = await world.sip_client("alice")
        answer = await alice.send_message("alice", JULIET, "<x/>", content_type="application/xml")
        self.assertEqual(answer.status, 415)
        self.assertIn("text/plain", answer.get("Accept"))
        self.assertEqual(juliet.inbox, [])

    async def test_domain_that_is_not_served_gets_404(self):
        world = await self.make_world()
        alice = await world.sip_client("alice")
        answer = await alice.send_message("alice", "sip:juliet@elsewhere.example", "wrong door")
        self.assertEqual(answer.status, 404)


if __name__ == "__main__":
    unittest.main()
