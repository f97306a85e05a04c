"""SIPp as the SIP peer, with scenarios of our own."""

import asyncio
import os
import unittest

from harness.process import Process, free_port
from harness.world import WorldTest

_HERE = os.path.dirname(os.path.abspath(__file__))


class Sipp(WorldTest):
    def _sipp(self, world, scenario, calls, remote, port, *more, host="127.0.0.1"):
        to = f"[{host}]" if ":" in host else host
        argv = ["sipp", f"{to}:{remote}", "-sf", os.path.join(_HERE, scenario), "-i", host, "-p", str(port)]
        argv += ["-m", str(calls), "-nostdin", "-timeout", "30s", "-timeout_error", *more]
        return Process("sipp", argv, os.path.join(world.folder, f"{scenario}.log"))

    async def _sends(self, transport):
        world = await self.make_world(transport=transport)
        juliet = await world.xmpp_client("juliet")
        mode = {"udp": "u1", "tcp": "t1"}[transport]
        sipp = self._sipp(world, "sipp_message.xml", 50, world.kamailio.port, free_port(), "-r", "50", "-t", mode)
        sipp.start()
        self.assertEqual(await sipp.ended(40), 0, sipp.log_text()[-1500:])
        await self.until(lambda: len(juliet.texts()) >= 50, 10, "all of them arrive")
        self.assertEqual(
            sorted(s.text for s in juliet.inbox), sorted(f"sipp says {i}" for i in range(1, 51)), "each once"
        )
        self.assertEqual({s.sender for s in juliet.inbox}, {"sipp@sip.example"})

    async def test_sends_fifty_messages_over_udp(self):
        await self._sends("udp")

    async def test_sends_fifty_messages_over_tcp(self):
        await self._sends("tcp")

    async def _crosses_over_ipv6(self, transport):
        """One listener for both families: SIPp comes over IPv6, Kamailio over IPv4."""
        world = await self.make_world(start=False)
        world.prosody.register("juliet", "user-password-4711")
        world.stoxd.write_config(world.kamailio.port)
        with open(world.stoxd.config_path) as f:
            text = f.read().replace(":127.0.0.1:%d" % world.stoxd.sip_port, ":[::]:%d" % world.stoxd.sip_port)
        text = text.replace('"127.0.0.0/8"', '"127.0.0.0/8", "::1"')
        text = text.replace("[sip]\n", '[sip]\nadvertise = ["127.0.0.1", "::1"]\n')
        with open(world.stoxd.config_path, "w") as f:
            f.write(text)
        await asyncio.gather(world.prosody.start(), world.kamailio.start())
        await world.stoxd.start()
        juliet, alice = await world.xmpp_client("juliet"), await world.sip_client("alice")
        mode = {"udp": "u1", "tcp": "t1"}[transport]
        port = world.stoxd.sip_port
        sipp = self._sipp(world, "sipp_message.xml", 10, port, free_port(), "-r", "50", "-t", mode, host="::1")
        sipp.start()
        self.assertEqual(await sipp.ended(40), 0, sipp.log_text()[-1500:])
        await self.until(lambda: len(juliet.texts()) >= 10, 10, "all of them arrive")
        juliet.send_text("alice@sip.example", "over the old one")
        got = await self.sip_got(alice, "alice", "over the old one")
        self.assertIn(f"127.0.0.1:{port}", str(got.message.all("Via")[-1]))

    async def test_crosses_over_ipv6_by_udp(self):
        await self._crosses_over_ipv6("udp")

    async def test_crosses_over_ipv6_by_tcp(self):
        await self._crosses_over_ipv6("tcp")

    async def test_takes_messages_of_an_xmpp_user(self):
        world = await self.make_world(start=False)
        world.prosody.register("juliet", "user-password-4711")
        port = free_port()
        world.stoxd.write_config(port)
        await world.prosody.start()
        await world.stoxd.start()
        juliet = await world.xmpp_client("juliet")
        sipp = self._sipp(world, "sipp_answer.xml", 10, world.stoxd.sip_port, port)
        sipp.start()
        await asyncio.sleep(0.5)
        # Ten conversations: SIPp takes a second MESSAGE with the same Call-ID for one of the same call.
        for i in range(10):
            juliet.send_text(f"user{i}@sip.example", f"hello {i}")
        self.assertEqual(await sipp.ended(40), 0, sipp.log_text()[-1500:])
        await asyncio.sleep(0.3)
        self.assertEqual(juliet.errors(), [])


if __name__ == "__main__":
    unittest.main()
