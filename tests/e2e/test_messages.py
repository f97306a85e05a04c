"""Messages cross both ways; each test looks at what the other side's client got."""

import json
import socket
import unittest

from harness import sip
from harness.ua import SipClient
from harness.world import PASSWORD, WorldTest

JULIET = "sip:juliet@xmpp.example"


class Messages(WorldTest):
    async def _both_ways(self, transport):
        world = await self.make_world(transport=transport)
        juliet = await world.xmpp_client("juliet")
        alice = await world.sip_client("alice")

        answer = await alice.send_message("alice", JULIET, "good morrow")
        self.assertEqual(answer.status, 200)
        self.assertTrue(sip.parameter(answer.get("To"), "tag"), "the 200 carries a To tag")
        got = await self.xmpp_got(juliet, "good morrow")
        self.assertEqual((got.sender, got.type), ("alice@sip.example", "chat"))
        self.assertIn(got.to, ("juliet@xmpp.example", "juliet@xmpp.example/desk"))

        sent = juliet.send_text("alice@sip.example", "and to you")
        seen = await self.sip_got(alice, "alice", "and to you")
        self.assertEqual(seen.sender, "sip:juliet@xmpp.example;gr=desk")
        self.assertEqual(sip.uri_of(seen.message.get("To")), "sip:alice@sip.example")
        self.assertEqual(seen.message.get("Content-Type").replace(" ", "").lower(), "text/plain;charset=utf-8")
        self.assertIsNone(seen.message.get("Contact"), "RFC 3428 §4: no Contact in a MESSAGE")
        self.assertEqual(len(seen.message.all("Via")), 2, "the proxy's and stoxd's Via, nothing of the way behind")
        transports = [v.split()[0] for v in seen.message.all("Via")]
        self.assertEqual(transports, [f"SIP/2.0/{transport.upper()}"] * 2)

        await self.until(lambda: world.stoxd.metric("stox_messages_total") >= 2, 5, "both are counted")
        self.assertEqual(juliet.errors(), [])
        self.assertTrue(sent)
        self.assertEqual(len(alice.inbox), 1)
        self.assertEqual(len(juliet.inbox), 1)

    async def test_cross_both_ways_over_udp(self):
        await self._both_ways("udp")

    async def test_cross_both_ways_over_tcp(self):
        await self._both_ways("tcp")

    async def _both_ways_over_ipv6(self, transport):
        """The listeners, the next hop, the component link and the admin door are all on ::1; nothing is on 127.0.0.1."""
        try:
            with socket.create_server(("::1", 0), family=socket.AF_INET6):
                pass
        except OSError as e:
            self.skipTest(f"no IPv6 here: {e}")
        world = await self.make_world(start=False, transport=transport)
        alice = SipClient(world.stoxd.sip_port, transport, host="::1")
        await alice.start()
        self.addAsyncCleanup(alice.stop)
        world.prosody.register("juliet", PASSWORD)
        await world.prosody.start(globals_='component_interfaces = { "127.0.0.1", "::1" }\n')
        world.stoxd.write_config(alice.port)
        world.stoxd.change_config(("127.0.0.1:", "[::1]:"), ('"127.0.0.0/8"', '"::1"'))
        world.stoxd.admin_host = "[::1]"
        await world.stoxd.start()
        link = json.loads(world.stoxd.http("/status")[1])["links"][0]
        self.assertEqual((link["server"], link["state"]), (f"[::1]:{world.prosody.component_port}", "up"))
        juliet = await world.xmpp_client("juliet")

        answer = await alice.send_message("alice", JULIET, "good morrow")
        self.assertEqual(answer.status, 200)
        await self.xmpp_got(juliet, "good morrow")

        juliet.send_text("alice@sip.example", "and to you")
        seen = await self.sip_got(alice, "alice", "and to you")
        self.assertRegex(seen.message.get("Via"), rf"^SIP/2\.0/{transport.upper()} \[::1\]:{world.stoxd.sip_port};branch=")
        self.assertEqual(seen.message.get("Route"), f"<{self._route(alice, transport)}>")
        delivered = lambda way: world.stoxd.metric("stox_messages_total", direction=way, outcome="delivered")
        await self.until(lambda: delivered("to_sip") == 1, 10, "the 200 to the MESSAGE arrives")
        self.assertEqual(delivered("to_xmpp"), 1)
        self.assertEqual(juliet.errors(), [])

    def _route(self, peer, transport):
        return f"sip:[::1]:{peer.port}{';transport=tcp' if transport == 'tcp' else ''};lr"

    async def test_cross_both_ways_over_ipv6_by_udp(self):
        await self._both_ways_over_ipv6("udp")

    async def test_cross_both_ways_over_ipv6_by_tcp(self):
        await self._both_ways_over_ipv6("tcp")

    async def test_keep_text_subject_language_and_thread(self):
        world = await self.make_world()
        juliet = await world.xmpp_client("juliet")
        alice = await world.sip_client("alice")
        text = "Ναί, čau & <b>ok</b> \"q\" 🙂\nsecond line"

        answer = await alice.send_message(
            "alice", JULIET, text, [("Subject", "O Romeo"), ("Content-Language", "el")]
        )
        self.assertEqual(answer.status, 200)
        got = await self.xmpp_got(juliet, text)
        self.assertEqual((got.child("subject"), got.lang), ("O Romeo", "el"))
        thread = got.child("thread")
        self.assertTrue(thread, "RFC 7572 §5: the Call-ID becomes the thread")

        juliet.send_text("alice@sip.example", text + "!", subject="Re: O Romeo", thread=thread, lang="cs")
        # A text/plain body has CRLF as its line end (RFC 2046 §4.1.1).
        seen = await self.sip_got(alice, "alice", text.replace("\n", "\r\n") + "!")
        self.assertEqual(seen.message.get("Subject"), "Re: O Romeo")
        self.assertEqual(seen.message.get("Content-Language"), "cs")

    async def test_of_one_pair_arrive_in_order(self):
        world = await self.make_world()
        juliet = await world.xmpp_client("juliet")
        alice = await world.sip_client("alice")
        texts = [f"line {i}" for i in range(40)]
        for text in texts:
            juliet.send_text("alice@sip.example", text)
        await self.until(lambda: len(alice.inbox) >= len(texts), 20, "all lines arrive")
        self.assertEqual([r.text for r in alice.inbox], texts)
        self.assertEqual(len({r.message.call_id for r in alice.inbox}), len(texts), "without a thread each has its own")

    async def test_to_a_full_jid_reach_that_resource_only(self):
        world = await self.make_world()
        desk = await world.xmpp_client("juliet", "desk")
        phone = await world.xmpp_client("juliet", "phone")
        alice = await world.sip_client("alice")
        answer = await alice.send_message("alice", JULIET + ";gr=phone", "to the phone")
        self.assertEqual(answer.status, 200)
        got = await self.xmpp_got(phone, "to the phone")
        self.assertEqual(got.to, "juliet@xmpp.example/phone")
        self.assertEqual(desk.inbox, [])

    async def test_with_an_address_that_needs_escapes_come_back_to_it(self):
        world = await self.make_world(users=("juliet",))
        juliet = await world.xmpp_client("juliet")
        bob = await world.sip_client("bob")
        # %27 is ' and becomes \27 in the JID; the reply must find the same SIP user.
        bob.domain = "sip.example"
        answer = await bob.send_message("o%27hara", JULIET, "escaped")
        self.assertEqual(answer.status, 200)
        got = await self.xmpp_got(juliet, "escaped")
        self.assertEqual(got.sender, "o\\27hara@sip.example")
        await bob.register("o'hara")
        juliet.send_text(got.sender, "back")
        await self.until(lambda: any(r.text == "back" for r in bob.inbox), 10, "the reply arrives")
        self.assertIn(bob.inbox[-1].user, ("o'hara", "o%27hara"))


if __name__ == "__main__":
    unittest.main()
