"""Many domains at once: each is connected in its turn, a bounded number of them at one time, and no message is lost for it."""

import asyncio
import time
import unittest

from harness import federation

DOMAINS = [f"d{n}.many.example" for n in range(500)]
MAX_CONNECTING = 100  # xmpp.s2s.max_connecting where the configuration does not say another


class Burst(federation.FederationTest):
    async def _world(self, more=""):
        """The peer is the server of all these domains. SIP goes over TCP, so that all that is sent at once arrives at once. The usual 15 s
        are enough for a peer that has a machine of its own; this one shares ours."""
        extra = f'queue_time = "30s"\n{more}'
        world = await self.make_world(start=False, servers=("peer",), transport="tcp", auth="pkix", s2s_extra=extra)
        self.peer = peer = world.peer
        peer.certificate = world.ground.root.issue("many", "*.many.example")
        peer.serves = set(DOMAINS).__contains__
        # Acknowledgements come on the stream itself; answers to pings would need a stream of the peer's for each domain.
        peer.ways.sm, peer.ways.answers = True, False
        world.records += [federation.srv(domain, peer.s2s_port) for domain in DOMAINS]
        await world.start()
        self.alice = await world.sip_client("alice")

    async def _burst(self, bound):
        peer, metric = self.peer, self.world.stoxd.metric
        began = time.monotonic()
        sends = [
            asyncio.ensure_future(self.alice.send_message("alice", f"sip:nurse@{domain}", f"to {domain}"))
            for domain in DOMAINS
        ]
        await self.until(lambda: metric("stox_s2s_waiting_domains") > 0, 10, "domains wait for their turn")
        self.assertLessEqual(metric("stox_s2s_connecting_domains"), 4 * bound)
        answers = await asyncio.gather(*sends)
        took = time.monotonic() - began
        statuses = [a.status if a else None for a in answers]
        told = {s: statuses.count(s) for s in set(statuses)}
        print(f"{len(DOMAINS)} domains in {took:.1f} s, at most {peer.most_unproved} of {bound} at one time, answers {told}")
        self.assertEqual(told, {200: len(DOMAINS)})
        self.assertEqual(sorted(peer.texts()), sorted(f"to {domain}" for domain in DOMAINS), "each came, none doubled")
        self.assertEqual(sorted(i.local for i in peer.authenticated()), sorted(DOMAINS), "a stream for each, all by its certificate")
        self.assertGreater(peer.most_unproved, 1, "in parallel")
        # Usually the bound itself; what takes more than 2 s, as on a machine that is busy, gives its place to another.
        self.assertLessEqual(peer.most_unproved, 4 * bound)
        self.assertEqual(
            {n: metric(f"stox_s2s_{n}") for n in ("reached_total", "unreachable_total", "waiting_domains", "connecting_domains")},
            {"reached_total": len(DOMAINS), "unreachable_total": 0, "waiting_domains": 0, "connecting_domains": 0},
        )
        self.assertEqual(metric("stox_s2s_streams", direction="out"), len(DOMAINS))
        self.assertEqual(metric("stox_in_doubt_total"), 0)

    # timeout 240
    async def test_five_hundred_domains_at_once(self):
        await self._world()
        await self._burst(MAX_CONNECTING)

    # timeout 240
    async def test_five_hundred_domains_ten_at_a_time(self):
        await self._world("max_connecting = 10")
        await self._burst(10)


if __name__ == "__main__":
    unittest.main()
