"""The same gateway beside ejabberd."""

import asyncio
import unittest

from harness import ejabberd
from harness.ua import Answer
from harness.world import WorldTest

JULIET = "sip:juliet@xmpp.example"


class Ejabberd(WorldTest):
    def setUp(self):
        super().setUp()
        why = ejabberd.missing()
        if why:
            self.skipTest(why)

    async def test_messages_and_errors_cross_both_ways(self):
        world = await self.make_world(users=("juliet", "romeo"), xmpp_server=ejabberd.Ejabberd)
        juliet = await world.xmpp_client("juliet")
        alice = await world.sip_client("alice")

        answer = await alice.send_message("alice", JULIET, "good morrow & <so on>", [("Subject", "O")])
        self.assertEqual(answer.status, 200)
        got = await self.xmpp_got(juliet, "good morrow & <so on>")
        self.assertEqual((got.sender, got.type, got.child("subject")), ("alice@sip.example", "chat", "O"))
        juliet.send_text(got.sender, "and to you")
        seen = await self.sip_got(alice, "alice", "and to you")
        self.assertEqual(seen.sender, "sip:juliet@xmpp.example;gr=desk")

        for uri in ("sip:nobody@xmpp.example", "sip:romeo@xmpp.example"):
            # Romeo exists but is offline, and there is no store for him: the server says the same of both.
            answer = await alice.send_message("alice", uri, "is anybody there?")
            self.assertIn(answer.status, (403, 405), f"RFC 7247 §7.1, service-unavailable: {answer.start}")
        alice.answers["alice"] = Answer(404, "No Such Alice")
        error = await self.xmpp_error(juliet, juliet.send_text("alice@sip.example", "will you take it?"))
        self.assertEqual((error.condition, error.sender), ("item-not-found", "alice@sip.example"))
        alice.answers["alice"] = Answer()
        juliet.send_text("alice@sip.example", "and now?")
        await self.sip_got(alice, "alice", "and now?")
        self.assertEqual(len(juliet.errors()), 1)

    # timeout 240
    async def test_restarted_in_mid_traffic_loses_and_doubles_nothing(self):
        world = await self.make_world(xmpp_server=ejabberd.Ejabberd, answer_seconds=15)
        juliet = await world.xmpp_client("juliet")
        alice = await world.sip_client("alice")
        answers, stop = {}, asyncio.Event()

        async def send(name):
            while not stop.is_set():
                text = f"{name}-{len(answers)}"
                answers[text] = None
                answers[text] = await alice.send_message("alice", JULIET + ";gr=desk", text)
                await asyncio.sleep(0.005)

        tasks = [asyncio.ensure_future(send(f"s{n}")) for n in range(4)]
        await self.until(lambda: len(juliet.texts()) > 50, 20, "traffic")
        await world.prosody.stop()
        await self.until(lambda: world.stoxd.http("/readyz")[0] == 503, 10, "the link is lost")
        await self.until(lambda: any(a is not None and a.status != 200 for a in answers.values()), 10, "a sender is told")
        await world.prosody.start()
        await self.until(lambda: world.stoxd.http("/readyz")[0] == 200, 60, "the link comes up again")
        await juliet.wait_online(60)
        seen = len(juliet.texts())
        await self.until(lambda: len(juliet.texts()) > seen + 50, 20, "traffic again")
        stop.set()
        await asyncio.gather(*tasks)

        accepted = {t for t, a in answers.items() if a is not None and a.status == 200}
        failed = set(answers) - accepted
        await self.until(lambda: accepted <= {s.text for s in juliet.texts()}, 10, "all that was accepted arrives")
        delivered = [s.text for s in juliet.texts()]
        self.assertEqual(len(delivered), len(set(delivered)), "none doubled")
        self.assertNotIn(None, answers.values(), "each sender got an answer")
        self.assertLessEqual(len(failed & set(delivered)), world.stoxd.metric("stox_in_doubt_total"))

    async def test_wrong_secret_is_logged_and_counted(self):
        world = await self.make_world(ready=False, secret="component-secret-but-wrong", xmpp_server=ejabberd.Ejabberd)
        await self.until(lambda: world.stoxd.metric("stox_xmpp_handshake_failures_total") >= 1, 10, "a refusal is counted")
        self.assertRegex(world.stoxd.log_text(), r"(?i)secret")
        self.assertNotIn("component-secret-but-wrong", world.stoxd.log_text())
        self.assertEqual(world.stoxd.http("/readyz")[0], 503)


if __name__ == "__main__":
    unittest.main()
