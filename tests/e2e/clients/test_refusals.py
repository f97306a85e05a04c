"""SIPp as a peer that takes text/plain only: what it refuses it gets in a plainer form at once, and not a second time."""

import unittest

from harness import im
from harness.messenger import Messenger
from harness.process import free_port
from harness.sipp import PlainOnly
from harness.world import PASSWORD, WorldTest

JULIET = "sip:juliet@xmpp.example"
ALICE = "alice@sip.example"


class Refusals(WorldTest):
    async def make_peer(self):
        """juliet, alice as a client that speaks everything, and SIPp as the one that takes over her address."""
        world = await self.make_world(start=False)
        world.prosody.register("juliet", PASSWORD)
        port = free_port()
        world.stoxd.write_config(port)
        await world.prosody.start()
        await world.stoxd.start()
        juliet = await world.xmpp_client("juliet", plugins=("xep_0030", "xep_0085"))
        alice = Messenger(await world.gateway_client(), "alice")
        peer = PlainOnly(world.folder, port, world.stoxd.sip_port)
        self.addAsyncCleanup(peer.stop)
        await peer.start()
        return juliet, alice, peer

    async def test_cpim_that_is_refused_comes_as_plain_text_once(self):
        juliet, alice, peer = await self.make_peer()
        await alice.say(JULIET, "I speak CPIM")
        await self.xmpp_got(juliet, "I speak CPIM")
        sent = juliet.send_text(ALICE, "one", children=[("request", im.RECEIPTS)])
        await self.until(lambda: ("text/plain", "one") in peer.seen(), 10, "the plain form comes")
        self.assertEqual(peer.seen(), [(im.CPIM, "one"), ("text/plain", "one")])
        juliet.send_text(ALICE, "two", children=[("request", im.RECEIPTS)])
        await self.until(lambda: len(peer.seen()) >= 3, 10, "the next text comes")
        self.assertEqual(peer.seen()[2:], [("text/plain", "two")], "what was learnt stays")
        self.assertEqual([e for e in juliet.errors() if e.id == sent], [])

    async def test_a_typing_notice_that_is_refused_comes_no_more_and_hurts_no_text(self):
        juliet, alice, peer = await self.make_peer()
        juliet.send_text(ALICE, "hello", children=[("active", im.STATES)])
        await self.until(lambda: len(peer.seen()) == 1, 10, "the text comes")
        await alice.typing(JULIET, "active")
        await self.until(lambda: juliet.children("composing", im.STATES), 10, "juliet sees that alice types")
        for text in ("one", "two"):
            juliet.send_child(ALICE, "composing", im.STATES)
            juliet.send_text(ALICE, text, children=[("active", im.STATES)])
            await self.until(lambda t=text: ("text/plain", t) in peer.seen(), 10, f"{text} comes")
        self.assertEqual([t for t, _ in peer.seen() if t != "text/plain"], [im.COMPOSING], "one notice, refused")
        self.assertEqual([b for t, b in peer.seen() if t == "text/plain"], ["hello", "one", "two"])
        self.assertEqual(juliet.errors(), [])


if __name__ == "__main__":
    unittest.main()
