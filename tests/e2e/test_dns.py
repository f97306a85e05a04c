"""No proxy is configured: the servers of the SIP domain are found in the DNS (RFC 3263), asked of a real name server."""

import os
import shutil
import socket
import unittest

from harness.nameserver import NameServer
from harness.process import free_port
from harness.ua import SipClient
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
        self.names = await self._name_server(world, "unbound", records(world.kamailio.port, self.silent.getsockname()[1]))
        world.stoxd.use_dns(self.names.port)
        await world.start()
        return world

    async def _name_server(self, world, name, records):
        names = NameServer(os.path.join(world.folder, name), records)
        self.addAsyncCleanup(names.stop)
        await names.start()
        return names

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

    async def test_reload_asks_other_name_servers_from_the_next_message_on(self):
        moved_from = SipClient(None)
        await moved_from.start()
        self.addAsyncCleanup(moved_from.stop)
        records = lambda port: [f"_sip._udp.sip.example. 3600 IN SRV 10 0 {port} here.example.", "here.example. 3600 IN A 127.0.0.1"]
        world = await self._world(lambda live, dead: records(moved_from.port))
        stoxd = world.stoxd
        other = await self._name_server(world, "unbound-2", records(world.kamailio.port))
        juliet = await world.xmpp_client("juliet")
        romeo = await world.sip_client("romeo")
        juliet.send_text("romeo@sip.example", "to the old place")
        await self.sip_got(moved_from, "romeo", "to the old place")

        # Good for an hour, the old answers are not asked any more: not the server alone is another one.
        stoxd.change_config((f"127.0.0.1:{self.names.port}", f"127.0.0.1:{other.port}"))
        stoxd.hang_up()
        await self.until(lambda: "daemon.config_changed key=dns.servers" in stoxd.log_text(), 10, "the reload")
        await self.names.stop()
        juliet.send_text("romeo@sip.example", "to the new place")
        await self.sip_got(romeo, "romeo", "to the new place")
        self.assertEqual([m.text for m in moved_from.inbox], ["to the old place"])
        self.assertEqual(juliet.errors(), [])
        self.assertNotIn("waits", stoxd.ctl("status").stdout, "nothing is left for a restart")


if __name__ == "__main__":
    unittest.main()
