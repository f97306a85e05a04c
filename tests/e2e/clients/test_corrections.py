"""A text that is sent again corrected (XEP-0308) reaches SIP as a correction that a person sees for one."""

import unittest

from clients.pages import PageTest
from harness.messenger import Messenger
from harness.world import WorldTest

ALICE = "alice@sip.example"


class Corrections(WorldTest):
    async def test_of_slixmpp_are_marked(self):
        world = await self.make_world()
        juliet = await world.xmpp_client("juliet", plugins=("xep_0030", "xep_0308"))
        alice = Messenger(await world.sip_client("alice"), "alice")
        for id, text in (("m1", "wherefor"), ("m2", "wherefore art thou")):
            m = juliet.make_message(ALICE, text, mtype="chat")
            m["id"] = id
            if id == "m2":
                m["replace"]["id"] = "m1"
            m.send()
        await self.until(lambda: len(alice.texts()) == 2, 10, "both come")
        first, second = (t for _, t in alice.texts())
        self.assertEqual(first, "wherefor")
        self.assertIn("wherefore art thou", second)
        self.assertNotEqual(second, "wherefore art thou", "it is told apart from a new text")
        self.assertEqual(juliet.errors(), [])


class ConverseCorrections(PageTest):
    async def test_of_converse_are_marked(self):
        _, client, page = await self.make_page()
        alice = Messenger(client, "alice")
        await page.open_chat(ALICE)
        await page.say("wherefor")
        await alice.got("wherefor")
        await page.correct_last("e art thou")
        await self.until(lambda: len(alice.texts()) == 2, 10, "the correction comes")
        text = alice.texts()[1][1]
        self.assertIn("wherefore art thou", text)
        self.assertNotEqual(text, "wherefore art thou", "it is told apart from a new text")
        self.assertEqual(await page.browser.texts("converse-chat .chat-msg__error"), [])


if __name__ == "__main__":
    unittest.main()
