"""Somebody types: is-composing (RFC 3994) on SIP, chat states (XEP-0085) on XMPP."""

import unittest

from clients.pages import PageTest
from harness import im
from harness.messenger import Messenger
from harness.world import WorldTest

JULIET = "sip:juliet@xmpp.example"
ALICE = "alice@sip.example"


class Typing(WorldTest):
    async def make_pair(self):
        world = await self.make_world()
        juliet = await world.xmpp_client("juliet", plugins=("xep_0030", "xep_0085"))
        return juliet, Messenger(await world.sip_client("alice"), "alice")

    def say(self, juliet, text):
        m = juliet.make_message(ALICE, text, mtype="chat")
        m["chat_state"] = "active"
        m.send()

    def tell(self, juliet, state):
        m = juliet.make_message(ALICE, mtype="chat")
        m["chat_state"] = state
        m.send()

    async def test_the_notice_of_slixmpp_reaches_a_sip_client_that_knows_them(self):
        juliet, alice = await self.make_pair()
        self.say(juliet, "hello")
        await alice.got("hello")
        await alice.typing(JULIET, "active")
        await self.until(lambda: juliet.children("composing", im.STATES), 10, "juliet sees that alice types")
        self.tell(juliet, "composing")
        await self.until(lambda: alice.states() == ["active"], 10, "alice sees that juliet types")
        self.tell(juliet, "paused")
        await self.until(lambda: alice.states() == ["active", "idle"], 10, "alice sees that juliet stopped")

    async def test_the_notice_of_a_sip_client_ends_with_idle(self):
        juliet, alice = await self.make_pair()
        self.say(juliet, "hello")
        await alice.got("hello")
        await alice.typing(JULIET, "active")
        await self.until(lambda: juliet.children("composing", im.STATES), 10, "juliet sees that alice types")
        await alice.typing(JULIET, "idle")
        ended = lambda: juliet.children("paused", im.STATES) or juliet.children("active", im.STATES)
        await self.until(ended, 10, "juliet sees that alice stopped")
        self.assertEqual(juliet.texts(), [], "a typing notice is no text")

    async def test_a_sip_client_that_showed_nothing_gets_no_notice(self):
        juliet, alice = await self.make_pair()
        for state in ("composing", "paused", "inactive", "gone"):
            self.tell(juliet, state)
        self.say(juliet, "a text behind them")
        await alice.got("a text behind them")
        self.assertEqual(len(alice.received()), 1)
        self.assertEqual(juliet.errors(), [], "a notice that goes nowhere is no error")


class ConverseTyping(PageTest):
    async def test_converse_shows_and_tells_typing(self):
        _, client, page = await self.make_page()
        alice = Messenger(client, "alice")
        await page.open_chat(ALICE)
        await page.say("hello")
        await alice.got("hello")
        await alice.typing(JULIET, "active")
        self.assertIn("typing", await page.shows_typing())
        await page.begin("wh")
        await self.until(lambda: "active" in alice.states(), 10, "alice sees that juliet types")
        await page.screenshot(self.picture("converse-typing.png"))
        await client.send_message("alice", JULIET, "here it is")
        await page.shows("here it is")
        await page.shows_no_typing()


if __name__ == "__main__":
    unittest.main()
