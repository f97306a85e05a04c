"""What the gateway says of itself, through a real server and read by an implementation that is not ours."""

import asyncio

from harness.world import WorldTest
from slixmpp.xmlstream import ET

_CAPS = "{http://jabber.org/protocol/caps}c"


class Service(WorldTest):
    async def _client(self):
        self.world = await self.make_world()
        juliet = await self.world.xmpp_client("juliet")
        for plugin in ("xep_0030", "xep_0115", "xep_0054", "xep_0202", "xep_0092", "xep_0199", "xep_0128"):
            juliet.register_plugin(plugin)
        return juliet

    async def test_capabilities_hold_for_another_implementation(self):
        juliet = await self._client()
        seen = asyncio.get_running_loop().create_future()
        juliet.add_event_handler("presence_unsubscribed", lambda p: seen.done() or seen.set_result(p))
        await juliet.get_roster()  # a server tells of subscriptions only who asked for his contacts
        juliet.send_presence(pto="alice@sip.example", ptype="subscribe")
        presence = await asyncio.wait_for(seen, 10)
        c = presence.xml.find(_CAPS)
        self.assertIsNotNone(c, ET.tostring(presence.xml))
        node = f"{c.get('node')}#{c.get('ver')}"
        info = await juliet["xep_0030"].get_info("alice@sip.example", node=node, cached=False)
        self.assertEqual(juliet["xep_0115"].generate_verstring(info["disco_info"], "sha-1"), c.get("ver"))

    async def test_gateway_is_found_and_resolves_typed_addresses(self):
        juliet = await self._client()
        info = (await juliet["xep_0030"].get_info("sip.example", cached=False))["disco_info"]
        self.assertIn(("gateway", "simple", "en", "Stox SIP gateway"), info["identities"])
        self.assertTrue({"jabber:iq:gateway", "vcard-temp", "urn:xmpp:time", "urn:xmpp:caps"} <= set(info["features"]))
        for feature in ("urn:xmpp:time", "jabber:iq:version", "urn:xmpp:ping"):
            self.assertIn(feature, info["features"])
        time = await juliet["xep_0202"].get_entity_time("sip.example")
        self.assertRegex(time.xml.findtext("{urn:xmpp:time}time/{urn:xmpp:time}utc"), r"^\d{4}-\d\d-\d\dT[\d:]{8}Z$")
        self.assertEqual((await juliet["xep_0092"].get_version("sip.example"))["software_version"]["name"], "Stox")
        card = await juliet["xep_0054"].get_vcard("alice@sip.example", cached=False)
        self.assertEqual(card["vcard_temp"]["FN"], "alice@sip.example")

        iq = juliet.make_iq_set(ito="sip.example")
        query = ET.SubElement(iq.xml, "{jabber:iq:gateway}query")
        ET.SubElement(query, "{jabber:iq:gateway}prompt").text = "+1 (212) 555-0101"
        answer = await iq.send()
        self.assertEqual(answer.xml.findtext("{jabber:iq:gateway}query/{jabber:iq:gateway}jid"), "+12125550101@sip.example")
