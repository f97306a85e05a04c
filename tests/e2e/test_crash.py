"""stoxd is killed, its peer stops: what was promised is kept, and what is in doubt is told or noted."""

import asyncio
import collections
import itertools
import json
import os
import time
import unittest

from harness.ua import Answer
from harness.world import WorldTest

JULIET = "sip:juliet@xmpp.example"
USERS = ("alice", "bob", "carol", "dave")


class Crash(WorldTest):
    # timeout 300
    async def test_kill_nine_under_traffic_over_udp_breaks_no_promise(self):
        await self._kill_nine("udp", 6)

    # timeout 300
    async def test_kill_nine_under_traffic_over_tcp_breaks_no_promise(self):
        await self._kill_nine("tcp", 2)

    async def _kill_nine(self, transport, rounds):
        world = await self.make_world(start=False, transport=transport)
        world.stoxd.store = os.path.join(world.stoxd.folder, "stox.db")
        await world.start()
        juliet = await world.xmpp_client("juliet")
        phones = await world.sip_client(*USERS)
        phones.answers["dave"] = Answer(delay=0.03)  # so that something is always open
        stop = asyncio.Event()
        answers, sent_at, answered_at = {}, {}, {}
        ids, by_user = {}, {user: [] for user in USERS}

        async def sip_sender(user, number):
            for n in itertools.count():
                if stop.is_set():
                    return
                text = f"{user} to juliet {number}.{n}"
                sent_at[text] = time.monotonic()
                answers[text] = await phones.send_message(user, JULIET + ";gr=desk", text)
                answered_at[text] = time.monotonic()
                await asyncio.sleep(0.005)

        async def xmpp_sender():
            for n in itertools.count():
                if stop.is_set():
                    return
                user = USERS[n % len(USERS)]
                text = f"juliet to {user} {n}"
                ids[text] = juliet.send_text(f"{user}@sip.example", text)
                by_user[user].append(text)
                await asyncio.sleep(0.01)

        senders = [sip_sender(user, number) for user in USERS for number in range(4)]
        tasks = [asyncio.ensure_future(t) for t in (xmpp_sender(), *senders)]
        killed_at = []

        async def some_traffic(each_way):
            to_xmpp, to_sip = len(juliet.texts()), len(phones.inbox)
            await self.until(
                lambda: len(juliet.texts()) >= to_xmpp + each_way and len(phones.inbox) >= to_sip + each_way, 30, "traffic both ways"
            )

        for n in range(rounds):
            await some_traffic(40 + 7 * n)
            world.stoxd.kill()
            killed_at.append(time.monotonic())
            self.assertEqual(await world.stoxd.ended(5), -9)
            await world.stoxd.start()
            self.assertEqual(world.stoxd.metric("stox_previous_end_unclean"), 1)
        await some_traffic(40)
        stop.set()
        phones.answers["dave"] = Answer()
        await asyncio.gather(*tasks)
        last = [texts[-1] for texts in by_user.values()]
        await self.until(lambda: set(last) <= {r.text for r in phones.inbox}, 20, "the last ones of juliet arrive")

        # To XMPP. A 200 is a promise. What came twice had no answer when stoxd died, so its sender sent it again (RFC 3261 §17.1.2.2).
        accepted = {text for text, answer in answers.items() if answer is not None and answer.status == 200}
        await self.until(lambda: accepted <= {s.text for s in juliet.texts()}, 10, "all that got a 200 is there")
        delivered = collections.Counter(s.text for s in juliet.texts())
        for text, times in delivered.items():
            open_at_a_kill = sum(sent_at[text] <= at <= answered_at[text] for at in killed_at)
            self.assertLessEqual(times, 1 + open_at_a_kill, text)

        # To SIP. Nothing comes twice. What is neither there nor told was open when stoxd died: one gap for each pair and kill.
        arrived = collections.Counter(r.text for r in phones.inbox)
        self.assertEqual([text for text, times in arrived.items() if times > 1], [])
        told = {s.id for s in juliet.errors()}
        lost = 0
        for user, texts in by_user.items():
            settled = [text in arrived or ids[text] in told for text in texts]
            gaps = [len(list(group)) for good, group in itertools.groupby(settled) if not good]
            self.assertLessEqual(len(gaps), rounds, f"{user}: {settled}")
            lost += sum(gaps)
        print(
            f"to XMPP sent {len(answers)} accepted {len(accepted)} twice {sum(n > 1 for n in delivered.values())}; "
            f"to SIP sent {len(ids)} arrived {len(arrived)} told {len(told)} in doubt {lost}"
        )

        # What is neither there nor told is counted: each kill is one incident and one warning, and a clean end is none.
        self.assertEqual(world.stoxd.log_text().count("warning daemon.unclean_end "), rounds)
        world.stoxd.terminate()
        self.assertEqual(await world.stoxd.ended(20), 0)
        await world.stoxd.start()
        self.assertEqual(world.stoxd.metric("stox_previous_end_unclean"), 0)
        incidents = json.loads(world.stoxd.ctl("--json", "incidents", "--limit", "1000").stdout)["incidents"]
        ends = [i["detail"] for i in incidents if i["kind"] == "daemon.unclean_end"]
        self.assertEqual(ends, ["open messages of that run are in doubt"] * rounds, "each start notes the end before it")

    # timeout 180
    async def test_frozen_xmpp_server_loses_nothing_in_silence(self):
        world = await self.make_world(answer_seconds=20)
        juliet = await world.xmpp_client("juliet")
        alice = await world.sip_client("alice", "bob")
        first = await alice.send_message("alice", JULIET, "before")
        self.assertEqual(first.status, 200)

        # The connection stays and takes bytes, but nobody reads them. The 404 to Juliet's message falls into that time.
        alice.answers["alice"] = Answer(404, "Gone", delay=0.5)
        doomed = juliet.send_text("alice@sip.example", "will fail")
        await self.until(lambda: alice.received_by("alice"), 10, "it is on its way")
        world.prosody.freeze()
        try:
            texts = [f"into the void {n}" for n in range(20)]
            answers = dict(zip(texts, await asyncio.gather(*[alice.send_message("bob", JULIET + ";gr=desk", t) for t in texts])))
            self.assertNotIn(None, answers.values(), "each sender is told, and before he gives up")
            self.assertNotIn(200, [a.status for a in answers.values()], "nobody had it, so nobody may say so")
            await self.until(lambda: world.stoxd.http("/readyz")[0] == 503, 20, "the link is seen to be dead")
            in_doubt = world.stoxd.metric("stox_in_doubt_total")
            late = await alice.send_message("alice", JULIET, "no link")
            self.assertEqual(late.status, 480)
        finally:
            world.prosody.thaw()
        await self.until(lambda: world.stoxd.http("/readyz")[0] == 200, 60, "the link comes up again")
        after = await alice.send_message("alice", JULIET, "after")
        self.assertEqual(after.status, 200)
        await self.xmpp_got(juliet, "after")
        # What the server had in its buffer may still have arrived: in doubt is what that is called, and it is counted.
        arrived = [s.text for s in juliet.texts() if s.text in answers]
        self.assertEqual(len(arrived), len(set(arrived)))
        self.assertLessEqual(len(arrived), in_doubt)
        self.assertNotIn("no link", [s.text for s in juliet.texts()])
        # An error that no server confirmed is sent again on the next link: once is sure, twice where the old one was in the buffer.
        await self.until(lambda: any(s.id == doomed for s in juliet.errors()), 10, "she is told")
        self.assertEqual({s.condition for s in juliet.errors()}, {"item-not-found"})


if __name__ == "__main__":
    unittest.main()
