"""No proxy is configured: the servers of the SIP domain are found in the DNS (RFC 3263), asked of a real name server."""

import os
import shutil
import socket
import unittest

from harness.nameserver import NameServer
from harness.process import free_port
from harness.world import WorldTest


class Dns(WorldTest):
    async def _world(self, records):
        """records: a function of Kamailio's port and a port where nobody is."""
        if shutil.which("unbound") is None:
            self.skipTest("unbound is not installed")
        world = await self.make_world(start=False)
        # A port that takes datagrams and never answers: a host that is down, without an ICMP error.
        self.silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.silent.bind(("127.0.0.1", 0))
        self.addCleanup(self.silent.close)
        self.names = NameServer(
            os.path.join(world.folder, "unbound"), records(world.kamailio.port, self.silent.getsockname()[1])
        )
        self.addAsyncCleanup(self.names.stop)
        await self.names.start()
        world.stoxd.use_dns(self.names.port)
        await world.start()
        return world

    # timeout 180
    async def test_dead_first_server_is_passed_over(self):
        world = await self._world(
            lambda live, dead: [
                "sip.example. 60 IN NAPTR 10 10 s SIP+D2U \"\" _sip._udp.sip.example.",
                f"_sip._udp.sip.example. 60 IN SRV 10 0 {dead} gone.example.",
                f"_sip._udp.sip.example. 60 IN SRV 20 0 {live} here.example.",
                "gone.example. 60 IN A 127.0.0.1",
                "here.example. 60 IN A 127.0.0.1",
            ]
        )
        juliet = await world.xmpp_client("juliet")
        romeo = await world.sip_client("romeo")
        juliet.send_text("romeo@sip.example", "who is there")
        await self.sip_got(romeo, "romeo", "who is there", seconds=20)
        self.assertGreater(len(self.silent.recv(4096)), 0, "the first one was tried")
        # The dead one is known now: no try of seconds goes before the next message.
        juliet.send_text("romeo@sip.example", "and again")
        await self.sip_got(romeo, "romeo", "and again", seconds=4)
        self.assertEqual([m.text for m in romeo.inbox], ["who is there", "and again"], "each once")
        self.assertEqual(juliet.errors(), [])

    async def test_domain_without_servers_is_told(self):
        world = await self._world(lambda live, dead: ["elsewhere.example. 60 IN A 127.0.0.1"])
        juliet = await world.xmpp_client("juliet")
        sent = juliet.send_text("romeo@sip.example", "anybody")
        await self.until(juliet.errors, 20, "the error")
        self.assertEqual([(e.id, e.condition) for e in juliet.errors()], [(sent, "remote-server-not-found")])

    async def test_refused_connection_moves_on_to_the_next_transport(self):
        closed = free_port()
        world = await self._world(
            lambda live, dead: [
                "sip.example. 60 IN NAPTR 10 10 s SIP+D2T \"\" _sip._tcp.sip.example.",
                "sip.example. 60 IN NAPTR 10 20 s SIP+D2U \"\" _sip._udp.sip.example.",
                f"_sip._tcp.sip.example. 60 IN SRV 10 0 {closed} here.example.",
                f"_sip._udp.sip.example. 60 IN SRV 10 0 {live} here.example.",
                "here.example. 60 IN A 127.0.0.1",
            ]
        )
        juliet = await world.xmpp_client("juliet")
        romeo = await world.sip_client("romeo")
        juliet.send_text("romeo@sip.example", "by datagram then")
        await self.sip_got(romeo, "romeo", "by datagram then", seconds=20)
        self.assertEqual(juliet.errors(), [])


if __name__ == "__main__":
    unittest.main()
