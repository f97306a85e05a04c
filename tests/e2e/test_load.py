"""Ten thousand messages each way over many pairs: none lost, none doubled."""

import asyncio
import os
import time
import unittest

from harness.world import WorldTest

COUNT = int(os.environ.get("STOX_E2E_COUNT", "10000"))
XMPP_USERS = 8
SIP_USERS = 50
WINDOW = 64


class Load(WorldTest):
    async def _world(self, transport):
        users = [f"x{i}" for i in range(XMPP_USERS)]
        # A slow machine shall not make the proxy give up: its 408 for a message that arrived is nobody's loss, but it is a failure.
        world = await self.make_world(transport=transport, users=users, answer_seconds=30)
        xmpp = [await world.xmpp_client(u) for u in users]
        sip = await world.sip_client(*[f"s{i}" for i in range(SIP_USERS)])
        return world, xmpp, sip

    async def _both_ways(self, transport):
        world, xmpp, sip = await self._world(transport)
        answers = {}
        numbers = iter(range(COUNT))

        async def sip_sender():
            for n in numbers:
                to = f"sip:x{n % XMPP_USERS}@xmpp.example;gr=desk"
                answers[n] = await sip.send_message(f"s{n // XMPP_USERS % SIP_USERS}", to, f"to-xmpp {n}")

        ids = {}

        async def xmpp_sender():
            for n in range(COUNT):
                # A window, not a burst: behind it stoxd's queues stay inside their bounds.
                while n - len(sip.inbox) - sum(len(c.errors()) for c in xmpp) > WINDOW * 4:
                    await asyncio.sleep(0.005)
                client = xmpp[n % XMPP_USERS]
                ids[client.send_text(f"s{n // XMPP_USERS % SIP_USERS}@sip.example", f"to-sip {n}")] = n
                if n % 16 == 0:
                    await asyncio.sleep(0)

        began = time.monotonic()
        await asyncio.gather(xmpp_sender(), *[sip_sender() for _ in range(WINDOW)])

        def settled():
            errors = sum(len(c.errors()) for c in xmpp)
            return len(sip.inbox) + errors >= COUNT

        await self.until(settled, 60, "every message to SIP is delivered or failed")
        await asyncio.sleep(1.0)
        seconds = time.monotonic() - began

        to_xmpp = [s.text for c in xmpp for s in c.texts()]
        accepted = {f"to-xmpp {n}" for n, a in answers.items() if a is not None and a.status == 200}
        to_sip = [r.text for r in sip.inbox]
        failed_ids = {s.id for c in xmpp for s in c.errors()}
        failed = {f"to-sip {ids[i]}" for i in failed_ids}
        in_doubt = world.stoxd.metric("stox_in_doubt_total")
        print(
            f"{transport}: {COUNT} each way in {seconds:.1f} s; to XMPP {len(to_xmpp)} accepted {len(accepted)}; "
            f"to SIP {len(to_sip)} failed {len(failed)}; in doubt {in_doubt:.0f}"
        )
        self.assertEqual(len(to_xmpp), len(set(to_xmpp)), "doubled to XMPP")
        self.assertEqual(len(to_sip), len(set(to_sip)), "doubled to SIP")
        self.assertEqual(accepted - set(to_xmpp), set(), "lost to XMPP")
        self.assertEqual({f"to-sip {n}" for n in range(COUNT)} - set(to_sip) - failed, set(), "lost to SIP")
        delivered_and_failed = len(failed & set(to_sip)) + len(set(to_xmpp) - accepted)
        self.assertLessEqual(delivered_and_failed, in_doubt)
        # Loopback and live peers: nothing had a reason to fail.
        self.assertEqual((len(accepted), len(failed)), (COUNT, 0))

    # timeout 600
    async def test_ten_thousand_each_way_over_udp(self):
        await self._both_ways("udp")

    # timeout 600
    async def test_ten_thousand_each_way_over_tcp(self):
        await self._both_ways("tcp")


if __name__ == "__main__":
    unittest.main()
