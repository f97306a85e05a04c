"""Servers and stoxd end in mid-traffic: of all that was sent each message is delivered once, or its sender is told; none is lost in silence."""

import asyncio
import os
import time
import unittest

from harness import ejabberd, federation, s2s

COUNT = int(os.environ.get("STOX_E2E_COUNT", "10000"))
WINDOW = 48
NURSE = "sip:nurse@peer.example"


class Restarts(federation.FederationTest):
    async def _world(self, server):
        if server == "ejabberd" and (why := ejabberd.missing()):
            self.skipTest(why)
        world = await self.make_world(servers=(server,))
        self.server = world.servers[server]
        self.juliet = await world.client_of(self.server)
        self.alice = await world.sip_client(*[f"a{n}" for n in range(WINDOW)])
        await self.messages_cross(self.juliet, self.alice, "before", "a0")
        self.juliet.inbox.clear()
        self.alice.inbox.clear()
        return world

    def _to_xmpp(self, count):
        """The senders' tasks; self.answers fills."""
        self.answers, numbers = {}, iter(range(count))

        async def sender(user):
            for n in numbers:
                to = f"sip:juliet@{self.server.domain};gr=desk"
                self.answers[f"to-xmpp {n}"] = await self.alice.send_message(user, to, f"to-xmpp {n}")

        return [asyncio.ensure_future(sender(f"a{n}")) for n in range(WINDOW)]

    def _to_sip(self, count):
        self.sent = {}

        async def sender():
            for n in range(count):
                while n - len(self.alice.inbox) - len(self.juliet.errors()) > WINDOW * 2:
                    await asyncio.sleep(0.005)
                self.sent[self.juliet.send_text(f"a{n % WINDOW}@sip.example", f"to-sip {n}")] = f"to-sip {n}"
                if n % 16 == 0:
                    await asyncio.sleep(0)

        return [asyncio.ensure_future(sender())]

    async def _judge_to_xmpp(self, count, in_doubt):
        accepted = {t for t, a in self.answers.items() if a is not None and a.status == 200}
        failed = set(self.answers) - accepted
        try:
            await self.until(lambda: accepted <= {s.text for s in self.juliet.texts()}, 20, "all that was accepted arrives")
        finally:
            missing = accepted - {s.text for s in self.juliet.texts()}
            print(f"to XMPP: accepted and not delivered: {len(missing)}")
        delivered = [s.text for s in self.juliet.texts()]
        statuses = sorted({a.status for a in self.answers.values() if a is not None})
        print(f"to XMPP: sent {len(self.answers)} accepted {len(accepted)} failed {len(failed)} {statuses} delivered {len(delivered)}")
        self.assertEqual(len(self.answers), count)
        self.assertNotIn(None, self.answers.values(), "each sender got an answer")
        self.assertEqual(len(delivered), len(set(delivered)), "none doubled")
        both = len(failed & set(delivered))
        self.assertLessEqual(both, in_doubt, "delivered, and its sender was told that it failed")

    async def _judge_to_sip(self, count, untold=0):
        """untold: of how many an incident says that their sender could not be told."""

        def settled():
            return len({r.text for r in self.alice.inbox} | {self.sent[e.id] for e in self.juliet.errors()}) >= count - untold

        try:
            await self.until(settled, 60, "every message to SIP is delivered or its sender is told")
        finally:
            delivered, failed = [r.text for r in self.alice.inbox], {self.sent[e.id] for e in self.juliet.errors()}
            conditions = sorted({e.condition for e in self.juliet.errors()})
            print(f"to SIP: sent {len(self.sent)} delivered {len(delivered)} failed {len(failed)} {conditions}")
        self.assertEqual(len(delivered), len(set(delivered)), "none doubled")

    async def _traffic(self, seconds=60):
        """Some hundred have crossed, so that more are under way."""
        share = COUNT // 10

        def enough():
            return len(self.juliet.texts()) + len(self.alice.inbox) > share

        await self.until(enough, seconds, "traffic")

    async def _server_restarts(self, server):
        world = await self._world(server)
        tasks = self._to_xmpp(COUNT)
        await self._traffic()
        await self.server.stop()
        await asyncio.sleep(1)
        await self.server.start()
        await self.juliet.wait_online(60)
        await asyncio.gather(*tasks)
        await self._judge_to_xmpp(COUNT, world.stoxd.metric("stox_in_doubt_total"))
        self.assertGreater(len(self.juliet.texts()), COUNT // 10, "some were delivered")
        # And back again, over a stream that its server makes anew.
        self.juliet.send_text("a1@sip.example", "after all")
        await self.sip_got(self.alice, "a1", "after all", 30)

    async def _we_restart(self, server):
        """The streams of the other server are closed in good order, and what it had written before is still taken."""
        world = await self._world(server)
        tasks = self._to_xmpp(COUNT // 2) + self._to_sip(COUNT // 2)
        await self._traffic()
        in_doubt = world.stoxd.metric("stox_in_doubt_total")
        self.assertEqual(await world.stoxd.stop(), 0)
        in_doubt += world.stoxd.log_text().count("in_doubt")
        # What was on its way when our closing tag left can be answered no more (RFC 6120 §4.4).
        untold = world.stoxd.log_text().count("message.to_sip.sender_unreachable")
        await world.stoxd.start()
        await asyncio.gather(*tasks)
        await self._judge_to_sip(COUNT // 2, untold)
        await self._judge_to_xmpp(COUNT // 2, in_doubt + world.stoxd.metric("stox_in_doubt_total"))

    # timeout 300
    async def test_prosody_restarts_under_ten_thousand_messages(self):
        await self._server_restarts("prosody")

    # timeout 300
    async def test_ejabberd_restarts_under_ten_thousand_messages(self):
        await self._server_restarts("ejabberd")

    # timeout 300
    async def test_we_restart_under_ten_thousand_messages_of_prosody(self):
        await self._we_restart("prosody")

    # timeout 300
    async def test_we_restart_under_ten_thousand_messages_of_ejabberd(self):
        await self._we_restart("ejabberd")

    # timeout 300
    async def test_ten_thousand_messages_without_trouble(self):
        world = await self._world("prosody")
        began = time.monotonic()
        tasks = self._to_xmpp(COUNT // 2) + self._to_sip(COUNT // 2)
        await asyncio.gather(*tasks)
        await self._judge_to_sip(COUNT // 2)
        await self._judge_to_xmpp(COUNT // 2, world.stoxd.metric("stox_in_doubt_total"))
        print(f"in {time.monotonic() - began:.1f} s")
        self.assertEqual(({a.status for a in self.answers.values()}, self.juliet.errors()), ({200}, []))


class Sessions(federation.FederationTest):
    """Stream management (XEP-0198) with a peer that has it: a connection is lost, messages are not."""

    async def _world(self, **options):
        world = await self.make_world(servers=("peer",), **options)
        world.peer.ways.sm = True
        self.alice = await world.sip_client("alice")
        return world.peer

    async def _send(self, text):
        return await self.alice.send_message("alice", NURSE, text)

    async def test_acknowledgements_are_what_an_answer_waits_for(self):
        peer = await self._world()
        peer.ways.answers = False  # no other way to know
        self.assertEqual((await self._send("counted")).status, 200)
        self.assertTrue([i for i in peer.incoming if i.sm_id], "it was enabled")
        self.assertEqual(peer.texts(), ["counted"])

    async def test_session_goes_on_behind_a_lost_connection(self):
        """What the peer has counted is not sent again; what it has not, is: each once, and each sender hears of success."""
        peer = await self._world()
        peer.ways.answers = False
        self.assertEqual((await self._send("first")).status, 200)
        peer.ways.acks = False
        sends = [asyncio.ensure_future(self._send(f"taken {n}")) for n in range(5)]
        await self.until(lambda: len(peer.texts()) == 6, 10, "they come")
        peer.ways.reads = False
        await asyncio.sleep(0.2)
        sends += [asyncio.ensure_future(self._send(f"in flight {n}")) for n in range(5)]
        await asyncio.sleep(0.5)
        peer.ways.acks = peer.ways.reads = True
        for incoming in peer.authenticated():
            incoming.stream.cut()
        answers = await asyncio.gather(*sends)
        self.assertEqual([a.status for a in answers], [200] * 10)
        self.assertEqual(peer.resumed, 1)
        texts = ["first", *(f"taken {n}" for n in range(5)), *(f"in flight {n}" for n in range(5))]
        self.assertEqual(sorted(peer.texts()), sorted(texts), "each came, none doubled")

    async def test_session_that_the_peer_forgot_is_told_as_it_is(self):
        peer = await self._world()
        peer.ways.answers = False
        self.assertEqual((await self._send("first")).status, 200)
        peer.ways.acks = False
        sends = [asyncio.ensure_future(self._send(f"in doubt {n}")) for n in range(5)]
        await self.until(lambda: len(peer.texts()) == 6, 10, "they come")
        peer.ways.acks = True
        for incoming in peer.authenticated():
            incoming.sm_id = None
            incoming.stream.cut()
        answers = await asyncio.gather(*sends)
        self.assertNotIn(None, answers)
        told = [a.status for a in answers if a.status != 200]
        doubled = len(peer.texts()) - len(set(peer.texts()))
        self.assertEqual(doubled, 0, "what may have arrived is not sent again")
        self.assertEqual(len(told), 5, "nobody can know, so nobody is told that it arrived")
        self.assertGreaterEqual(self.world.stoxd.metric("stox_in_doubt_total"), 5)

    async def _managed(self, peer):
        """A stream of the peer's under management: (stream, id)."""
        stream, features = await peer.external("sip.example", self.world.stoxd.s2s_port)
        self.assertIsNotNone(features.find(s2s.SM + "sm"), f"management is offered: {bytes(stream.said[-500:])!r}")
        stream.write("<enable xmlns='urn:xmpp:sm:3' resume='true'/>")
        enabled = await stream.wait_for(s2s.SM + "enabled")
        self.assertIn(enabled.get("resume"), ("true", "1"))
        return stream, enabled.get("id")

    async def _count(self, stream):
        stream.write("<r xmlns='urn:xmpp:sm:3'/>")
        return int((await stream.wait_for(s2s.SM + "a")).get("h"))

    async def test_peer_takes_its_session_up_again(self):
        peer = await self._world()
        stream, id = await self._managed(peer)
        for n in range(3):
            stream.write(peer.message("nurse@peer.example", "alice@sip.example", f"m{n}"))
        self.assertEqual(await self._count(stream), 3)
        stream.write(peer.message("nurse@peer.example", "alice@sip.example", "m3"))
        await self.sip_got(self.alice, "alice", "m3")
        stream.cut()
        await asyncio.sleep(0.3)
        again, _ = await peer.external("sip.example", self.world.stoxd.s2s_port)
        again.write(f"<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>")
        resumed = await again.wait_for(s2s.SM + "resumed")
        self.assertEqual((resumed.get("previd"), resumed.get("h")), (id, "4"))
        again.write(peer.message("nurse@peer.example", "alice@sip.example", "m4"))
        await self.sip_got(self.alice, "alice", "m4")
        self.assertEqual(await self._count(again), 5)
        self.assertEqual([r.text for r in self.alice.inbox], [f"m{n}" for n in range(5)])

    async def test_nobody_takes_up_the_session_of_another_or_one_that_never_was(self):
        peer = await self._world()
        _, id = await self._managed(peer)
        for previd in ("never-was", id[:-1]):
            stream, _ = await peer.external("sip.example", self.world.stoxd.s2s_port)
            stream.write(f"<resume xmlns='urn:xmpp:sm:3' previd='{previd}' h='0'/>")
            failed = await stream.wait_for(s2s.SM + "failed")
            self.assertIn(s2s.STANZA_ERRORS + "item-not-found", [c.tag for c in failed])
        # Before it has proved who it is.
        stream, _ = await peer.secured("sip.example", self.world.stoxd.s2s_port)
        stream.write(f"<resume xmlns='urn:xmpp:sm:3' previd='{id}' h='0'/>")
        try:
            self.assertNotEqual((await stream.next()).tag, s2s.SM + "resumed")
        except s2s.Ended:
            pass

    async def test_more_acknowledged_than_was_sent(self):
        """XEP-0198 §4: undefined-condition with handled-count-too-high."""
        peer = await self._world()
        self.assertEqual((await self._send("first")).status, 200)
        peer.authenticated()[-1].stream.write("<a xmlns='urn:xmpp:sm:3' h='4711'/>")
        await self.until(lambda: peer.stream_errors, 10, "the stream error")
        self.assertEqual(peer.stream_errors, ["undefined-condition"])
        self.assertEqual((await self._send("second")).status, 200)

    async def test_without_management_the_ping_is_what_an_answer_waits_for(self):
        peer = await self._world()
        peer.ways.sm = False
        self.assertEqual((await self._send("pinged behind")).status, 200)
        peer.ways.answers = False
        send = asyncio.ensure_future(self._send("never confirmed"))
        await self.until(lambda: "never confirmed" in peer.texts(), 10, "it comes")
        for incoming in peer.authenticated():
            incoming.stream.cut()
        answer = await send
        self.assertIsNotNone(answer)
        self.assertNotEqual(answer.status, 200, "nobody knows whether it arrived")
        self.assertGreaterEqual(self.world.stoxd.metric("stox_in_doubt_total"), 1)


if __name__ == "__main__":
    unittest.main()
