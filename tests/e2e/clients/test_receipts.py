"""Delivered and displayed, both ways: reports of SIP clients (RFC 5438) are receipts and markers of XMPP clients (XEP-0184, XEP-0333)."""

import os
import unittest

from clients.pages import PageTest
from harness import im
from harness.linphone import Linphone
from harness.messenger import Messenger
from harness.world import WorldTest

JULIET = "sip:juliet@xmpp.example"
ALICE = "alice@sip.example"
CHAT_PLUGINS = ("xep_0030", "xep_0085", "xep_0184", "xep_0308", "xep_0333")


def message(client, text, id, **more):
    """One of slixmpp's own making, with what its plug-ins add."""
    m = client.make_message(ALICE, text, mtype="chat")
    m["id"] = id
    for name, value in more.items():
        m[name] = value
    m.send()
    return id


class Receipts(WorldTest):
    async def make_pair(self, acknowledges=True):
        world = await self.make_world()
        juliet = await world.xmpp_client("juliet", plugins=CHAT_PLUGINS)
        return juliet, Messenger(await world.sip_client("alice"), "alice", acknowledges=acknowledges)

    def received(self, client, id):
        return [c for c in client.children("received", im.RECEIPTS) if c.get("id") == id]

    async def test_slixmpp_acknowledges_and_the_sip_user_hears_of_the_delivery(self):
        juliet, alice = await self.make_pair()
        id = await alice.say(JULIET, "good morrow é")
        await self.xmpp_got(juliet, "good morrow é")
        await alice.reported(id, "delivered")

    async def test_a_client_that_acknowledges_nothing_is_not_said_to_have_it(self):
        world = await self.make_world()
        juliet = await world.xmpp_client("juliet")
        alice = Messenger(await world.sip_client("alice"), "alice")
        await alice.say(JULIET, "good morrow")
        await self.xmpp_got(juliet, "good morrow")
        juliet.send_text(ALICE, "and to you")
        await alice.got("and to you")
        self.assertEqual(alice.reports(), [])

    async def test_a_delivery_report_is_the_receipt_that_slixmpp_asked_for(self):
        juliet, alice = await self.make_pair()
        await alice.say(JULIET, "I speak CPIM")
        await self.xmpp_got(juliet, "I speak CPIM")
        id = message(juliet, "wherefore", "m1", request_receipt=True)
        got = await alice.got("wherefore")
        self.assertEqual(im.type_of(got.message), im.CPIM)
        await self.until(lambda: self.received(juliet, id), 10, "the receipt comes")
        # The report again, as a client sends it that saw no answer: still one receipt.
        await alice.report(got, "delivered")
        message(juliet, "the next", "m2")
        await alice.got("the next")
        self.assertEqual(len(self.received(juliet, id)), 1)

    async def test_a_sip_user_who_only_accepts_a_text_gives_no_receipt(self):
        world = await self.make_world()
        juliet = await world.xmpp_client("juliet", plugins=CHAT_PLUGINS)
        alice = await world.sip_client("alice")
        message(juliet, "wherefore", "m1", request_receipt=True)
        await self.sip_got(alice, "alice", "wherefore")
        self.assertEqual((await alice.send_message("alice", JULIET, "a text behind it")).status, 200)
        await self.xmpp_got(juliet, "a text behind it")
        self.assertEqual(juliet.children("received", im.RECEIPTS), [])

    async def test_a_display_report_is_the_marker_that_slixmpp_asked_for(self):
        juliet, alice = await self.make_pair()
        await alice.say(JULIET, "I speak CPIM")
        await self.xmpp_got(juliet, "I speak CPIM")
        id = message(juliet, "wherefore", "m1", markable=True)
        got = await alice.got("wherefore")
        self.assertIn("display", im.parse_cpim(im.body_of(got.message)).wanted)
        await alice.report(got, "displayed")
        await self.until(lambda: juliet.children("displayed", im.MARKERS), 10, "the marker comes")
        self.assertEqual([c.get("id") for c in juliet.children("displayed", im.MARKERS)], [id])

    async def test_a_displayed_marker_of_slixmpp_is_the_display_report(self):
        juliet, alice = await self.make_pair()
        id = await alice.say(JULIET, "good morrow")
        got = await self.xmpp_got(juliet, "good morrow")
        self.assertIsNotNone(got.xml.find(f"{{{im.MARKERS}}}markable"))
        juliet["xep_0333"].send_marker(got.sender, got.id, "displayed")
        await alice.reported(id, "displayed")

    async def test_a_user_who_does_not_exist_is_reported_or_refused_and_not_both(self):
        _, alice = await self.make_pair()
        answer, id = await alice.ask("sip:nobody@xmpp.example", "hello")
        if answer.status // 100 == 2:
            await alice.reported(id, "failed")
        # What is reported of a later text stands behind whatever could come of this one.
        await alice.reported(await alice.say(JULIET, "is anybody there"), "delivered")
        failed = [r for r in alice.reports() if r.message_id == id]
        self.assertEqual([r.status for r in failed], ["failed"] if answer.status // 100 == 2 else [])


class LinphoneReceipts(WorldTest):
    async def make_pair(self):
        world = await self.make_world()
        juliet = await world.xmpp_client("juliet", plugins=CHAT_PLUGINS)
        phone = Linphone(os.path.join(world.folder, "phone"), "alice", world.kamailio.port, cpim=True)
        self.addAsyncCleanup(phone.stop)
        await phone.start()
        return juliet, phone

    async def test_linphone_learns_that_its_text_was_delivered(self):
        juliet, phone = await self.make_pair()
        phone.send_message(JULIET, "hello é")
        await self.xmpp_got(juliet, "hello é")
        await self.until(lambda: "DeliveredToUser" in phone.fates(), 15, "Linphone marks its text as delivered to the user")

    async def test_the_report_of_linphone_is_the_receipt(self):
        juliet, phone = await self.make_pair()
        phone.send_message(JULIET, "I speak CPIM")
        await self.xmpp_got(juliet, "I speak CPIM")
        for id in ("m1", "m2"):
            message(juliet, f"text {id}", id, request_receipt=True)
            await phone.got(f"text {id}")
        await self.until(lambda: len(juliet.children("received", im.RECEIPTS)) >= 2, 15, "both receipts come")
        self.assertEqual([c.get("id") for c in juliet.children("received", im.RECEIPTS)], ["m1", "m2"])


class ConverseReceipts(PageTest):
    async def test_converse_shows_the_tick_of_a_delivery_report(self):
        world, client, page = await self.make_page()
        alice = Messenger(client, "alice", acknowledges=False)
        await page.open_chat(ALICE)
        id = await alice.say(JULIET, "I have a phone that tells you when your text is here.")
        await page.shows("I have a phone that tells you when your text is here.")
        await alice.reported(id, "delivered")
        await page.say("Then I shall see a tick behind this.")
        got = await alice.got("Then I shall see a tick behind this.")
        self.assertEqual([m[2] for m in await page.messages() if m[1].startswith("Then")], [False], "not before the report")
        await alice.report(got, "delivered")
        await page.ticked("Then I shall see a tick behind this.")
        await page.screenshot(self.picture("converse-receipt.png"))


if __name__ == "__main__":
    unittest.main()
