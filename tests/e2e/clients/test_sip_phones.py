"""SIP clients as they come from Debian, behind Kamailio, and an XMPP user: texts both ways through stoxd."""

import os
import unittest

from harness.baresip import Baresip
from harness.linphone import Linphone
from harness.world import WorldTest

JULIET = "sip:juliet@xmpp.example"
TEXT = "Ναί, čau & <b>no tags</b> \"q\" 🙂"


class SipPhones(WorldTest):
    async def make_phone(self, kind, **more):
        """A world with juliet on XMPP, and alice at that phone."""
        world = await self.make_world()
        juliet = await world.xmpp_client("juliet")
        folder = os.path.join(world.folder, "phone")
        if kind is Baresip:
            more["contacts"] = [("Juliet", JULIET), ("Nobody", "sip:nobody@xmpp.example")]
        phone = kind(folder, "alice", proxy_port=world.kamailio.port, **more)
        self.addAsyncCleanup(phone.stop)
        await phone.start()
        return world, juliet, phone

    async def test_linphone_writes_and_reads(self):
        world, juliet, phone = await self.make_phone(Linphone)
        phone.send_message(JULIET, TEXT)
        got = await self.xmpp_got(juliet, TEXT)
        self.assertEqual((got.sender, got.type), ("alice@sip.example", "chat"))
        juliet.send_text("alice@sip.example", TEXT + "!")
        self.assertIn("juliet@xmpp.example", await phone.got(TEXT + "!"))
        # It reports the delivery, also unasked; who sent the text learns nothing of it that looks like a message.
        await self.until(lambda: "message/imdn+xml" in phone.trace(), 15, "Linphone sends its report")
        phone.send_message(JULIET, "and that is all")
        await self.xmpp_got(juliet, "and that is all")
        self.assertEqual([s.text for s in juliet.texts()], [TEXT, "and that is all"])
        self.assertEqual(juliet.errors(), [])

    async def test_linphone_reads_every_text_of_a_conversation(self):
        _, juliet, phone = await self.make_phone(Linphone)
        for text in ("one", "two", "three"):
            juliet.send_text("alice@sip.example", text, thread="the same")
        # It answers 200 to what it takes for a duplicate, so only its screen tells.
        for text in ("one", "two", "three"):
            await phone.got(text)
        self.assertEqual(juliet.errors(), [])

    async def test_baresip_writes_and_reads(self):
        world, juliet, phone = await self.make_phone(Baresip)
        answer = await phone.send_message(JULIET, TEXT)
        self.assertEqual(answer.status, 200)
        got = await self.xmpp_got(juliet, TEXT)
        self.assertEqual((got.sender, got.type), ("alice@sip.example", "chat"))
        juliet.send_text("alice@sip.example", TEXT + "!")
        await self.until(lambda: [m.text for m in phone.received()] == [TEXT + "!"], 15, "baresip gets the text, once")
        self.assertEqual(juliet.errors(), [])

    async def test_baresip_hears_of_a_user_that_does_not_exist(self):
        world, _, phone = await self.make_phone(Baresip)
        answer = await phone.send_message("sip:nobody@xmpp.example", "Is anybody there?")
        self.assertEqual(answer.status // 100, 4, answer.start)


if __name__ == "__main__":
    unittest.main()
