"""How the clients themselves behave, without stoxd between: what docs/clients.md says of them, and what the gateway relies on."""

import asyncio
import os
import shutil
import tempfile
import unittest
import uuid

from harness import im
from harness.baresip import Baresip
from harness.converse import Converse, dist
from harness.kamailio import Kamailio
from harness.linphone import Linphone
from harness.messenger import Messenger
from harness.process import free_port, until
from harness.prosody import Prosody
from harness.sipp import PlainOnly
from harness.ua import Answer, SipClient
from harness.xmpp import XmppClient

ALICE, BOB = "sip:alice@sip.example", "sip:bob@sip.example"
MULTIPART = "--x\r\nContent-Type: text/plain\r\n\r\npart\r\n--x--\r\n"
CHAT_PLUGINS = ("xep_0030", "xep_0085", "xep_0184", "xep_0308", "xep_0333")
WANTED = ("positive-delivery", "negative-delivery", "display")


class Phones(unittest.IsolatedAsyncioTestCase):
    """alice at a phone, bob scripted, Kamailio between them."""

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)

    async def make_phone(self, kind, **more):
        folder = tempfile.mkdtemp(prefix="stox-e2e-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        kamailio = Kamailio(os.path.join(folder, "kamailio"), free_port())
        self.addAsyncCleanup(kamailio.stop)
        await kamailio.start()
        bob = SipClient(kamailio.port)
        self.addAsyncCleanup(bob.stop)
        await bob.start()
        await bob.register("bob")
        phone = kind(os.path.join(folder, "phone"), "alice", proxy_port=kamailio.port, **more)
        self.addAsyncCleanup(phone.stop)
        await phone.start()
        return phone, bob

    async def answers(self, bob):
        """The status that each kind of content gets, and its Accept."""
        result = {}
        for content_type, body in (
            ("text/plain;charset=UTF-8", "plain é"),
            (im.CPIM, im.cpim(BOB, ALICE, "in cpim é", "m1", WANTED)),
            (im.COMPOSING, im.composing("active")),
            (im.IMDN, im.imdn("m2", "delivered", ALICE)),
            ("text/html", "<p>html</p>"),
            ("multipart/mixed;boundary=x", MULTIPART),
        ):
            answer = await bob.send_message("bob", ALICE, body, content_type=content_type)
            result[content_type.split(";")[0]] = (answer.status, answer.get("Accept"))
        print(f"answers: {result}")
        return result

    async def test_linphone_answers_each_content_and_reports_what_it_got(self):
        phone, bob = await self.make_phone(Linphone)
        answers = await self.answers(bob)
        self.assertEqual({k: v[0] for k, v in answers.items()}, {
            "text/plain": 200, im.CPIM: 200, im.COMPOSING: 200, im.IMDN: 200, "text/html": 415, "multipart/mixed": 200,
        })
        await phone.got("plain é")
        await phone.got("in cpim é")
        await phone.got("part")
        # Also for a text in which nobody asked for it, by the Call-ID; what it refused it reports too.
        await until(lambda: len(bob.inbox) >= 4, 10, "it reports four messages")
        reports = [im.notification_of(r.message) for r in bob.inbox]
        self.assertEqual([r.status for r in reports], ["delivered", "delivered", "failed", "delivered"])
        self.assertEqual(reports[1].message_id, "m1")
        self.assertEqual({im.type_of(r.message) for r in bob.inbox}, {im.IMDN}, "bare, not in CPIM")
        self.assertIn("deflate", [r.message.get("Content-Encoding") for r in bob.inbox])

    async def test_linphone_with_cpim_asks_for_notifications_and_wraps_its_own(self):
        phone, bob = await self.make_phone(Linphone, cpim=True)
        phone.send_message(BOB, "hello é")
        await until(lambda: bob.inbox, 10, "bob gets it")
        self.assertEqual(im.type_of(bob.inbox[0].message), im.CPIM)
        sent = im.parse_cpim(im.body_of(bob.inbox[0].message))
        self.assertEqual((sent.body, sent.content_type, sent.wanted), ("hello é", "text/plain", sorted(WANTED)))
        self.assertTrue(sent.message_id)
        await bob.send_message("bob", ALICE, im.cpim(BOB, ALICE, "and to you", "m1", WANTED), content_type=im.CPIM)
        await until(lambda: len(bob.inbox) == 2, 10, "its report comes")
        report = bob.inbox[1].message
        self.assertEqual((im.type_of(report), report.get("Content-Encoding")), (im.CPIM, "deflate"))
        self.assertEqual(im.notification_of(report), im.Imdn("m1", "delivery", "delivered"))

    async def test_linphone_with_cpim_knows_delivered_and_displayed_from_reports(self):
        phone, bob = await self.make_phone(Linphone, cpim=True)
        messenger = Messenger(bob, "bob")
        phone.send_message(BOB, "hello é")
        got = await messenger.got("hello é")
        await until(lambda: "DeliveredToUser" in phone.fates(), 10, "the delivery is known")
        self.assertNotIn("Displayed", phone.fates())
        self.assertEqual((await messenger.report(got, "displayed")).status, 200)
        await until(lambda: "Displayed" in phone.fates(), 10, "the display is known")

    async def test_linphone_with_cpim_does_not_try_again_after_415(self):
        phone, bob = await self.make_phone(Linphone, cpim=True)
        bob.answers["bob"] = Answer(415, "Unsupported Media Type", (("Accept", "text/plain"),))
        phone.send_message(BOB, "one")
        await until(lambda: bob.inbox, 10, "bob refuses it")
        bob.answers.clear()
        phone.send_message(BOB, "two")
        await until(lambda: len(bob.inbox) >= 2, 10, "the next one comes")
        texts = [im.parse_cpim(im.body_of(r.message)).body for r in bob.inbox]
        self.assertEqual(texts, ["one", "two"], "and is as the first")

    async def test_linphone_drops_a_text_that_has_the_call_id_of_an_earlier_one(self):
        phone, bob = await self.make_phone(Linphone)
        call_id = uuid.uuid4().hex
        for number, text in enumerate(("first", "second")):
            request = bob.message("bob", ALICE, text)
            request.headers = [
                (n, {"Call-ID": call_id, "CSeq": f"{number + 1} MESSAGE"}.get(n, v)) for n, v in request.headers
            ]
            self.assertEqual((await bob.request(request)).status, 200)
        self.assertEqual((await bob.send_message("bob", ALICE, "third")).status, 200)
        await phone.got("third")
        self.assertEqual([t for _, t in phone.received()], ["first", "third"])

    async def test_linphone_files_a_sender_with_gr_as_another_one_also_for_reports(self):
        phone, bob = await self.make_phone(Linphone, cpim=True)
        messenger = Messenger(bob, "bob", acknowledges=False)
        phone.send_message(BOB, "hello")
        message_id = im.parse_cpim(im.body_of((await messenger.got("hello")).message)).message_id
        report = im.cpim(BOB, ALICE, im.imdn(message_id, "delivered", BOB), "r1", (), im.IMDN)
        for device in (";gr=desk", ""):
            request = bob.message("bob", ALICE, report, content_type=im.CPIM)
            request.headers = [(n, v.replace(BOB, BOB + device) if n == "From" else v) for n, v in request.headers]
            self.assertEqual((await bob.request(request)).status, 200)
            if device:
                await until(lambda: BOB + device in phone.conversations(), 10, "a second conversation begins")
                self.assertNotIn("DeliveredToUser", phone.fates(), "in which it finds no text of that Message-ID")
        await until(lambda: "DeliveredToUser" in phone.fates(), 10, "from the address that it wrote to, it counts")

    async def test_baresip_takes_plain_text_only(self):
        phone, bob = await self.make_phone(Baresip, contacts=[("Bob", BOB)])
        answers = await self.answers(bob)
        self.assertEqual(answers.pop("text/plain")[0], 200)
        self.assertEqual(set(answers.values()), {(415, "text/plain")})
        self.assertEqual((await phone.send_message(BOB, "hello é")).status, 200)
        self.assertEqual([(im.type_of(r.message), r.text) for r in bob.inbox], [("text/plain", "hello é")], "and no report")

    async def test_baresip_takes_texts_of_one_call_id(self):
        phone, bob = await self.make_phone(Baresip, contacts=[("Bob", BOB)])
        for number, text in enumerate(("first", "second")):
            request = bob.message("bob", ALICE, text)
            request.headers = [(n, {"Call-ID": "same", "CSeq": f"{number + 1} MESSAGE"}.get(n, v)) for n, v in request.headers]
            self.assertEqual((await bob.request(request)).status, 200)
        self.assertEqual([m.text for m in phone.received()], ["first", "second"])


class Sipp(unittest.IsolatedAsyncioTestCase):
    async def test_sipp_takes_plain_text_only_as_its_scenario_says(self):
        folder = tempfile.mkdtemp(prefix="stox-e2e-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        port = free_port()
        bob = SipClient(port)
        self.addAsyncCleanup(bob.stop)
        await bob.start()
        peer = PlainOnly(folder, port, bob.port)
        self.addAsyncCleanup(peer.stop)
        await peer.start()
        sent = [("text/plain", "one"), (im.CPIM, im.cpim(BOB, ALICE, "two é")), (im.COMPOSING, im.composing("active")), ("text/plain", "three")]
        # The first two in one Call-ID, the others in their own.
        for number, (kind, body) in enumerate(sent):
            request = bob.message("bob", ALICE, body, content_type=kind)
            if number < 2:
                request.headers = [(n, {"Call-ID": "same", "CSeq": f"{number + 1} MESSAGE"}.get(n, v)) for n, v in request.headers]
            answer = await bob.request(request, 10)
            self.assertEqual((answer.status, answer.get("Accept")), (200, None) if kind == "text/plain" else (415, "text/plain"))
        await until(lambda: len(peer.seen()) == 4, 10, "all are in its log")
        self.assertEqual([k for k, _ in peer.seen()], [k for k, _ in sent])
        self.assertEqual([t for _, t in peer.seen()][:2], ["one", "two é"])


class Slixmpp(unittest.IsolatedAsyncioTestCase):
    """Two of them with the plug-ins for chats, Prosody between them."""

    async def test_slixmpp_speaks_receipts_markers_states_and_corrections(self):
        asyncio.get_running_loop().set_debug(False)
        folder = tempfile.mkdtemp(prefix="stox-e2e-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        prosody = Prosody(os.path.join(folder, "prosody"))
        self.addAsyncCleanup(prosody.stop)
        for user in ("juliet", "romeo"):
            prosody.register(user, "pw")
        await prosody.start()
        users = []
        for user in ("juliet", "romeo"):
            users.append(XmppClient(f"{user}@xmpp.example/desk", "pw", prosody.c2s_port, CHAT_PLUGINS))
            self.addAsyncCleanup(users[-1].stop)
            await users[-1].start()
        juliet, romeo = users
        message = juliet.make_message("romeo@xmpp.example", "wherefor", mtype="chat")
        message["id"] = "m1"
        message["request_receipt"] = True
        message["markable"] = True
        message["chat_state"] = "active"
        message.send()
        await until(lambda: juliet.children("received", im.RECEIPTS), 10, "romeo acknowledges it by itself")
        self.assertEqual(juliet.children("received", im.RECEIPTS)[0].get("id"), "m1")
        got = romeo.inbox[0]
        for name, space in (("request", im.RECEIPTS), ("markable", im.MARKERS), ("active", im.STATES)):
            self.assertIsNotNone(got.xml.find(f"{{{space}}}{name}"), name)
        romeo["xep_0333"].send_marker("juliet@xmpp.example", "m1", "displayed")
        await until(lambda: juliet.children("displayed", im.MARKERS), 10, "the marker comes")
        message = juliet.make_message("romeo@xmpp.example", "wherefore", mtype="chat")
        message["replace"]["id"] = "m1"
        message.send()
        await until(lambda: len(romeo.texts()) == 2, 10, "the correction comes")
        self.assertEqual(romeo.texts()[1].xml.find(f"{{{im.CORRECTION}}}replace").get("id"), "m1")


class Page(unittest.IsolatedAsyncioTestCase):
    """juliet at Converse.js, romeo scripted, Prosody between them."""

    async def asyncSetUp(self):
        asyncio.get_running_loop().set_debug(False)

    async def make_page(self):
        folder = tempfile.mkdtemp(prefix="stox-e2e-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        prosody = Prosody(os.path.join(folder, "prosody"))
        prosody.use_web()
        for user, other in (("juliet", "romeo"), ("romeo", "juliet")):
            prosody.register(user, "pw")
            prosody.befriend(user, [(f"{other}@xmpp.example", other.title())])
        self.addAsyncCleanup(prosody.stop)
        await prosody.start()
        romeo = XmppClient("romeo@xmpp.example/desk", "pw", prosody.c2s_port)
        self.addAsyncCleanup(romeo.stop)
        await romeo.start()
        page = Converse(os.path.join(folder, "chromium"), dist(), prosody.websocket_url)
        self.addAsyncCleanup(page.stop)
        await page.start()
        await page.log_in("juliet@xmpp.example", "pw")
        await page.open_chat("romeo@xmpp.example")
        return page, romeo

    async def test_converse_asks_for_receipts_and_shows_them(self):
        page, romeo = await self.make_page()
        await page.say("wherefore")
        await until(lambda: romeo.texts(), 10, "romeo gets it")
        got = romeo.texts()[0]
        self.assertIsNotNone(got.xml.find(f"{{{im.RECEIPTS}}}request"))
        self.assertIsNotNone(got.xml.find("{urn:xmpp:sid:0}origin-id"))
        self.assertIsNone(got.xml.find(f"{{{im.MARKERS}}}markable"), "it answers markers and asks for none")
        self.assertEqual([m[2] for m in await page.messages()], [False])
        romeo.send_child("juliet@xmpp.example", "received", im.RECEIPTS, id=got.id)
        await page.ticked("wherefore")

    async def test_converse_answers_receipts_and_markers(self):
        page, romeo = await self.make_page()
        sent = romeo.send_text(
            "juliet@xmpp.example", "but soft", children=[("request", im.RECEIPTS), ("markable", im.MARKERS)]
        )
        await page.shows("but soft")
        for name, space in (
            ("received", im.RECEIPTS), ("received", im.MARKERS), ("displayed", im.MARKERS),
        ):
            await until(lambda: romeo.children(name, space), 10, f"{name} of {space} comes")
            self.assertEqual({c.get("id") for c in romeo.children(name, space)}, {sent})

    async def test_converse_shows_and_tells_typing(self):
        page, romeo = await self.make_page()
        await page.begin("wh")
        await until(lambda: romeo.children("composing", im.STATES), 10, "romeo learns that juliet types")
        romeo.send_child("juliet@xmpp.example", "composing", im.STATES)
        self.assertIn("typing", await page.shows_typing())
        romeo.send_child("juliet@xmpp.example", "active", im.STATES)
        await page.shows_no_typing()

    async def test_converse_marks_and_shows_corrections(self):
        page, romeo = await self.make_page()
        await page.say("wherefor")
        await page.correct_last("e")
        await until(lambda: len(romeo.texts()) == 2, 10, "the correction comes")
        first, second = romeo.texts()
        self.assertEqual(second.text, "wherefore")
        self.assertEqual(second.xml.find(f"{{{im.CORRECTION}}}replace").get("id"), first.id)
        sent = romeo.send_text("juliet@xmpp.example", "but sft")
        await page.shows("but sft")
        romeo.send_text("juliet@xmpp.example", "but soft", children=[("replace", im.CORRECTION, {"id": sent})])
        await page.shows("but soft")
        self.assertEqual([(m[1], m[3]) for m in await page.messages()], [("wherefore", True), ("but soft", True)])


if __name__ == "__main__":
    unittest.main()
