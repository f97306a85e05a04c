"""Converse.js in a headless Chromium, logged in over Prosody's websocket, and a SIP user: what each of them sees."""

import unittest

from clients.pages import PageTest

JULIET = "sip:juliet@xmpp.example"


class ConverseTest(PageTest):
    async def test_talks_with_a_sip_user(self):
        world, alice, page = await self.make_page()
        await page.open_chat("alice@sip.example")
        await page.say("Good morrow, Alice! Do you get this on your phone?")
        got = await self.sip_got(alice, "alice", "Good morrow, Alice! Do you get this on your phone?")
        self.assertTrue(got.sender.startswith("sip:juliet@xmpp.example"), got.sender)
        self.assertEqual(len(alice.inbox), 1, "what else the page sends on the way is no message")

        answer = await alice.send_message("alice", JULIET, "I do. <b>No tags</b> & no errors, čau ☺")
        self.assertEqual(answer.status, 200)
        await page.shows("I do. <b>No tags</b> & no errors, čau ☺")
        # An answer to the address that spoke reaches the page too, and not a second window.
        answer = await alice.send_message("alice", got.sender, "This one goes to your device.")
        self.assertEqual(answer.status, 200)
        await page.shows("This one goes to your device.")
        await page.say("Both are here.")
        await self.sip_got(alice, "alice", "Both are here.")
        self.assertEqual(len(await page.messages()), 4)
        await page.screenshot(self.picture("converse-conversation.png"))

    async def test_reads_why_a_message_was_not_delivered(self):
        world, alice, page = await self.make_page()
        await page.open_chat("nobody@sip.example")
        await page.say("Is anybody there?")
        seen = await page.errors()
        self.assertEqual(len(seen), 1)
        self.assertIn("404", seen[0])
        await page.screenshot(self.picture("converse-error.png"))


if __name__ == "__main__":
    unittest.main()
