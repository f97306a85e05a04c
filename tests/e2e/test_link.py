"""The component link fails in each way that it can."""

import asyncio
import time
import unittest

from harness.world import WorldTest

JULIET = "sip:juliet@xmpp.example"


class Link(WorldTest):
    async def test_wrong_secret_is_logged_and_refused_until_it_is_right(self):
        world = await self.make_world(ready=False, secret="component-secret-but-wrong")
        alice = await world.sip_client("alice")
        gateway = await world.gateway_client()

        await self.until(lambda: world.stoxd.metric("stox_xmpp_handshake_failures_total") >= 1, 10, "a refusal is counted")
        log = world.stoxd.log_text()
        self.assertRegex(log, r"(?i)secret", "the log says what to look at")
        self.assertNotIn("component-secret-but-wrong", log)
        self.assertEqual(world.stoxd.http("/readyz")[0], 503)

        options = await gateway.options(f"sip:127.0.0.1:{world.stoxd.sip_port}")
        self.assertEqual(options.status, 503)
        self.assertGreater(int(options.get("Retry-After").split()[0]), 0)

        started = time.monotonic()
        answer = await alice.send_message("alice", JULIET, "nobody home")
        self.assertEqual(answer.status, 480)
        self.assertGreater(int(answer.get("Retry-After").split()[0]), 0)
        self.assertLess(time.monotonic() - started, 5, "held at most the hold time")

        await self.until(
            lambda: world.stoxd.metric("stox_xmpp_handshake_failures_total") >= 3, 30, "it keeps trying"
        )
        # The server's side is mended: the gateway comes up by itself.
        await world.prosody.stop()
        world.prosody.secret = "component-secret-but-wrong"
        await world.prosody.start()
        await self.until(lambda: world.stoxd.http("/readyz")[0] == 200, 90, "the link comes up")
        self.assertEqual((await gateway.options(f"sip:127.0.0.1:{world.stoxd.sip_port}")).status, 200)

    # timeout 240
    async def test_prosody_restarted_in_mid_traffic_loses_and_doubles_nothing(self):
        world = await self.make_world(users=("juliet", "romeo"), answer_seconds=15)
        juliet = await world.xmpp_client("juliet")
        romeo = await world.xmpp_client("romeo")
        alice = await world.sip_client("alice", "bob")
        answers, tasks = {}, []
        stop = asyncio.Event()

        async def sip_sender(user, to, name):
            count = 0
            while not stop.is_set():
                text = f"{name}-{count}"
                count += 1
                answers[text] = await alice.send_message(user, f"sip:{to}@xmpp.example;gr=desk", text)
                await asyncio.sleep(0.002)

        for n in range(8):
            tasks.append(asyncio.ensure_future(sip_sender(("alice", "bob")[n % 2], ("juliet", "romeo")[n // 4], f"s{n}")))
        await asyncio.sleep(1.5)
        await world.prosody.stop()
        await asyncio.sleep(1.0)
        await world.prosody.start()
        await self.until(lambda: world.stoxd.http("/readyz")[0] == 200, 60, "the link comes up again")
        await asyncio.gather(juliet.wait_online(30), romeo.wait_online(30))
        await asyncio.sleep(1.5)
        stop.set()
        await asyncio.gather(*tasks)
        await asyncio.sleep(1.0)

        delivered = [s.text for s in juliet.texts() + romeo.texts()]
        self.assertEqual(len(delivered), len(set(delivered)), "none doubled")
        self.assertNotIn(None, answers.values(), "each sender got an answer")
        accepted = {t for t, a in answers.items() if a.status == 200}
        failed = set(answers) - accepted
        lost = accepted - set(delivered)
        both = failed & set(delivered)
        in_doubt = world.stoxd.metric("stox_in_doubt_total")
        print(f"sent {len(answers)} accepted {len(accepted)} failed {len(failed)} delivered {len(delivered)} in_doubt {in_doubt:.0f}")
        self.assertGreater(len(accepted), 100)
        self.assertGreater(len(failed), 0, "the outage was seen")
        # A 2xx goes out behind the fence: Prosody had processed the stanza, and an orderly end writes out what it holds.
        self.assertEqual(sorted(lost), [], "accepted, but never delivered")
        self.assertLessEqual(len(both), in_doubt, sorted(both)[:10])

    # timeout 240
    async def test_prosody_restarted_under_messages_to_sip_tells_every_sender(self):
        world = await self.make_world(users=("juliet",))
        juliet = await world.xmpp_client("juliet")
        alice = await world.sip_client("alice")
        for i in range(60):
            juliet.send_text("alice@sip.example", f"first {i}", id=f"f{i}")
        await self.until(lambda: len(alice.inbox) >= 60, 20, "the first batch arrives")
        await world.prosody.stop()
        await world.prosody.start()
        await self.until(lambda: world.stoxd.http("/readyz")[0] == 200, 60, "the link comes up again")
        await juliet.wait_online(30)
        for i in range(60):
            juliet.send_text("alice@sip.example", f"second {i}", id=f"s{i}")
        await self.until(lambda: len(alice.inbox) >= 120, 20, "the second batch arrives")
        texts = [r.text for r in alice.inbox]
        self.assertEqual(texts, [f"first {i}" for i in range(60)] + [f"second {i}" for i in range(60)])
        self.assertEqual(juliet.errors(), [])


if __name__ == "__main__":
    unittest.main()
