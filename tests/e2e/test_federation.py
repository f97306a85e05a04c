"""stoxd as an XMPP server among others: Prosody reaches its SIP users and is reached, with no component in between."""

import asyncio
import json
import shutil
import ssl
import unittest

from harness import federation
from harness.capture import Capture
from harness.ua import Answer

JULIET = "sip:juliet@xmpp.example"


class Prosody(federation.FederationTest):
    async def _world(self, **options):
        world = await self.make_world(**options)
        return world, await world.client_of(world.prosody), await world.sip_client("alice")

    async def test_external_both_ways(self):
        world, juliet, alice = await self._world(external=True)
        await self.messages_cross(juliet, alice)
        await self.logged(
            world.prosody,
            r"Accepting SASL EXTERNAL identity from sip\.example",
            r"SASL EXTERNAL with sip\.example succeeded",
            r"s2sin.*Stream encrypted \(TLSv1\.[23]",
            r"s2sout.*Stream encrypted \(TLSv1\.[23]",
        )
        self.not_logged(world.prosody, "jabber:server:dialback'.*(type='valid'|key)|fall.*back to dialback")

    async def test_dialback_where_our_certificate_is_not_believed(self):
        world, juliet, alice = await self._world(strange=("stoxd",))
        await self.messages_cross(juliet, alice)
        await self.logged(
            world.prosody,
            r"s2sin.*certificate chain validation result: invalid",
            r"s2sin.*Received\[s2sin_unauthed\]: <result .*from='sip\.example'",
            r"s2sin.*connection sip\.example->xmpp\.example is now authenticated for sip\.example",
        )
        self.not_logged(world.prosody, "Accepting SASL EXTERNAL identity")

    async def test_dialback_where_its_certificate_is_not_believed(self):
        world, juliet, alice = await self._world(strange=("prosody",))
        await self.messages_cross(juliet, alice)
        await self.logged(world.prosody, r"sent dialback key", r"s2sout.*connection xmpp\.example->sip\.example is now authenticated")
        self.not_logged(world.prosody, "SASL EXTERNAL with sip.example succeeded")

    async def test_dialback_alone_both_ways(self):
        world, juliet, alice = await self._world(strange=("stoxd", "prosody"))
        await self.messages_cross(juliet, alice)
        self.not_logged(world.prosody, "SASL EXTERNAL with sip.example succeeded|Accepting SASL EXTERNAL")

    async def test_pkix_alone_lets_no_strange_certificate_through(self):
        world, juliet, alice = await self._world(strange=("prosody",), auth="pkix")
        error = await self.xmpp_error(juliet, juliet.send_text("alice@sip.example", "by dialback"), 40)
        self.assertIn(error.condition, ("remote-server-not-found", "remote-server-timeout", "not-authorized", "policy-violation"))
        gateway = await world.gateway_client()
        answer = await gateway.send_message("alice", JULIET, "by dialback too")
        self.assertIsNotNone(answer, "an answer in time")
        self.assertGreaterEqual(answer.status, 400)
        self.assertEqual(([r.text for r in alice.inbox], [s.text for s in juliet.texts()]), ([], []))
        # A rule for the one domain is enough for it.
        world.stoxd.change_config(more='\n[[xmpp.s2s.peer]]\ndomain = "xmpp.example"\nauth = "dialback"\n')
        world.stoxd.hang_up()
        await self.until(lambda: "daemon.reloaded" in world.stoxd.log_text(), 10, "the reload")
        await self.until(lambda: world.stoxd.http("/readyz")[0] == 200, 10, "it is ready")
        async with asyncio.timeout(60):
            while (answer := await gateway.send_message("alice", JULIET, "and now?")).status != 200:
                await asyncio.sleep(1)
        await self.xmpp_got(juliet, "and now?")

    async def test_bidi_carries_both_ways_over_one_connection(self):
        world, juliet, alice = await self._world(bidi=True)
        await self.messages_cross(juliet, alice)
        await self.messages_cross(juliet, alice, "again")
        await self.logged(world.prosody, r"Request(ing|ed) bidirectional stream")
        lines = world.prosody.log_text().splitlines()
        streams = [l for l in lines if "Incoming s2s connection" in l or "Beginning new connection attempt to sip.example" in l]
        complete = [l for l in lines if "s2s connection" in l and l.rstrip().endswith("complete")]
        self.assertEqual(len(complete), 1, complete + streams)

    async def test_bidi_that_we_open_carries_the_answer(self):
        world, juliet, alice = await self._world(bidi=True)
        self.assertEqual((await alice.send_message("alice", JULIET, "first from SIP")).status, 200)
        await self.xmpp_got(juliet, "first from SIP")
        await self.logged(world.prosody, r"s2sin.*Requested bidirectional stream")
        juliet.send_text("alice@sip.example", "back over it")
        await self.sip_got(alice, "alice", "back over it")
        self.not_logged(world.prosody, r"Outgoing s2s connection xmpp\.example->sip\.example complete")

    async def test_direct_tls_both_ways(self):
        world, juliet, alice = await self._world(direct=("stoxd", "prosody"))
        await self.messages_cross(juliet, alice)
        await self.logged(
            world.prosody, r"Accepting SASL EXTERNAL identity from sip\.example", r"SASL EXTERNAL with sip\.example succeeded"
        )
        self.not_logged(world.prosody, r"Sending\[s2s.*<(starttls|proceed) |Received\[s2s.*<(starttls|proceed) ")

    async def test_errors_both_ways(self):
        world, juliet, alice = await self._world()
        error = await self.xmpp_error(juliet, juliet.send_text("nobody@sip.example", "hello?"), 20)
        self.assertEqual((error.condition, error.sender), ("item-not-found", "nobody@sip.example"))
        alice.answers["alice"] = Answer(486, "Busy Here")
        error = await self.xmpp_error(juliet, juliet.send_text("alice@sip.example", "busy?"))
        self.assertEqual(error.condition, "recipient-unavailable")
        # Prosody says service-unavailable of one that is not there; RFC 7247 §7.1 has 403 or 405 for it.
        answer = await alice.send_message("alice", "sip:nobody@xmpp.example", "hello?")
        self.assertIn(answer.status, (403, 405), answer.start)
        self.assertEqual(juliet.texts(), [])

    async def test_whitespace_keepalives_and_pings_are_answered(self):
        world, juliet, alice = await self._world()
        iq = juliet.make_iq_get(queryxmlns="http://jabber.org/protocol/disco#info", ito="sip.example")
        info = await iq.send(timeout=20)
        self.assertIn("gateway", [i.get("category") for i in info.xml.iter("{http://jabber.org/protocol/disco#info}identity")])
        ping = juliet.make_iq_get(ito="sip.example")
        ping.set_payload(juliet.make_iq().xml.makeelement("{urn:xmpp:ping}ping", {}))
        self.assertEqual((await ping.send(timeout=20))["type"], "result")

    async def test_nothing_is_readable_on_the_wire(self):
        if not shutil.which("tshark"):
            self.skipTest("tshark is not installed")
        world = await self.make_world(start=False)
        ports = [s.s2s_port for s in world.servers.values()]
        capture = Capture(world.folder, ports)
        if why := capture.missing():
            self.skipTest(why)
        self.addAsyncCleanup(capture.stop)
        await capture.start()
        await world.start()
        juliet, alice = await world.client_of(world.prosody), await world.sip_client("alice")
        await self.messages_cross(juliet, alice, "secret-4711")
        # What was captured is written later, on a busy machine after the end.
        await self.until(lambda: capture.encrypted() > 4, 20, "the TLS records behind it")
        await capture.stop()
        clear = capture.clear_text()
        self.assertIn("<starttls", clear, "it has seen the streams")
        for word in ("<message", "<presence", "secret-4711", "juliet", "alice", "<db:result", "<db:verify", "<auth"):
            self.assertNotIn(word, clear)

    async def test_host_meta_leads_to_a_port_that_proves_the_domain(self):
        world = await self.make_world(servers=(), direct=("stoxd",))
        status, text = world.stoxd.http("/.well-known/host-meta.json", "SIP.example:443")
        self.assertEqual(status, 200, text)
        (link,) = json.loads(text)["links"]
        self.assertEqual((link["rel"], link["port"]), ("urn:xmpp:alt-connections:s2s-tls", world.stoxd.s2s_tls_port))
        trust = ssl.create_default_context(cafile=world.ground.root.file)
        trust.set_alpn_protocols(["xmpp-server"])
        _, stream = await asyncio.open_connection(link["ips"][0], link["port"], ssl=trust, server_hostname=link["sni"])
        self.assertEqual(stream.get_extra_info("ssl_object").selected_alpn_protocol(), "xmpp-server")
        stream.close()
        self.assertEqual(world.stoxd.http("/.well-known/host-meta.json", "xmpp.example")[0], 404)

    async def test_component_and_federation_side_by_side(self):
        world = await self.make_world(servers=("prosody", "peer"), reaches=["xmpp.example"])
        juliet, alice = await world.client_of(world.prosody), await world.sip_client("alice")
        await self.messages_cross(juliet, alice, "by the component")
        stream, _ = await world.peer.external("sip.example", world.stoxd.s2s_port)
        stream.write(world.peer.message("nurse@peer.example", "alice@sip.example", "by federation"))
        await self.sip_got(alice, "alice", "by federation")
        self.assertEqual((await alice.send_message("alice", "sip:nurse@peer.example", "back to the nurse")).status, 200)
        await self.until(lambda: "back to the nurse" in world.peer.texts(), 10, "the nurse gets it")
        self.assertEqual([s.text for s in juliet.texts()], ["to XMPP by the component"])
        self.not_logged(world.prosody, r"s2s(in|out).*sip\.example.*complete")


if __name__ == "__main__":
    unittest.main()
