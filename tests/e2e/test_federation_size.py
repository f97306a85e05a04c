"""What streams with other servers cost."""

import asyncio
import unittest

from harness.federation import FederationTest

US = "sip.example"
STREAMS = 2000


class Size(FederationTest):
    def _resident(self):
        """MB."""
        with open(f"/proc/{self.world.stoxd.pid}/status") as f:
            return next(int(l.split()[1]) for l in f if l.startswith("VmRSS")) / 1024

    # timeout 300
    async def test_two_thousand_idle_streams_take_less_than_200_megabytes(self):
        more = f"max_streams_per_address = {STREAMS + 100}"
        world = await self.make_world(servers=("prosody", "peer"), s2s_extra=more)
        juliet, bob = await world.client_of(world.prosody), await world.sip_client("bob")
        await self.messages_cross(juliet, bob, "before", "bob")
        before = self._resident()
        few, streams = asyncio.Semaphore(20), []

        async def one():
            async with few:
                streams.append((await world.peer.external(US, world.stoxd.s2s_port))[0])

        await asyncio.gather(*(one() for _ in range(STREAMS)))
        taken = self._resident() - before
        print(f"{STREAMS} idle streams over TLS: {taken:.0f} MB, {taken * 1024 / STREAMS:.0f} KiB each")
        self.assertLess(taken, 200)
        await self.messages_cross(juliet, bob, "beside them", "bob")
        streams[-1].write(world.peer.message("nurse@peer.example", f"bob@{US}", "over the last one"))
        await self.sip_got(bob, "bob", "over the last one")


if __name__ == "__main__":
    unittest.main()
