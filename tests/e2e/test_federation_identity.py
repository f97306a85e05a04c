"""What the gateway says of itself to another server that asks it over federation: the same as it says over a component link."""

import datetime
import unittest
from xml.etree import ElementTree

from harness import federation, s2s

US, NURSE = "sip.example", "nurse@peer.example/desk"
INFO = "{http://jabber.org/protocol/disco#info}"
FORM = "{jabber:x:data}"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
CONTACT = ["mailto:admin@sip.example", "xmpp:ops@peer.example"]


class Identity(federation.FederationTest):
    async def _world(self):
        world = await self.make_world(servers=("peer",))
        self.peer = world.peer

    async def _ask(self, payload):
        """The answer to an iq get, the only one."""
        id = f"q{len(self.peer.stanzas)}"
        (await self.peer.link()).write(f"<iq type='get' id='{id}' from='{NURSE}' to='{US}'>{payload}</iq>")

        def answers():
            return [e for e in self.peer.stanzas if e.get("id") == id]

        await self.until(answers, 10, f"an answer to {payload}")
        (answer,) = answers()
        self.assertEqual((answer.tag, answer.get("from"), answer.get("to")), (s2s.SERVER + "iq", US, NURSE))
        return answer

    async def _result(self, payload):
        answer = await self._ask(payload)
        self.assertEqual(answer.get("type"), "result", ElementTree.tostring(answer))
        return answer

    async def _info(self):
        return (await self._result("<query xmlns='http://jabber.org/protocol/disco#info'/>")).find(INFO + "query")

    async def test_identity_and_features(self):
        await self._world()
        query = await self._info()
        identities = [(i.get("category"), i.get("type"), i.get(XML_LANG), i.get("name")) for i in query.iter(INFO + "identity")]
        self.assertEqual(identities, [("gateway", "simple", "en", "Stox SIP gateway")])
        self.assertEqual(
            sorted(f.get("var") for f in query.iter(INFO + "feature")),
            sorted(
                (
                    "http://jabber.org/protocol/caps",
                    "http://jabber.org/protocol/disco#info",
                    "http://jabber.org/protocol/disco#items",
                    "http://jabber.org/protocol/shim",
                    "jabber:iq:gateway",
                    "jabber:iq:version",
                    "jid\\20escaping",
                    "urn:ietf:params:xml:ns:vcard-4.0",
                    "urn:xmpp:caps",
                    "urn:xmpp:ping",
                    "urn:xmpp:time",
                    "vcard-temp",
                )
            ),
        )
        self.assertEqual(list(query.iter(FORM + "x")), [], "no contact is configured, so none is shown")

    async def test_contact_addresses(self):
        """XEP-0157, for who has a complaint: it is other servers' operators who have."""
        await self._world()
        stoxd = self.world.stoxd
        await stoxd.stop()
        stoxd.change_config(("[gateway]\n", f"[gateway]\ncontact = {CONTACT}\n"))
        await stoxd.start()
        forms = list((await self._info()).iter(FORM + "x"))
        self.assertEqual([f.get("type") for f in forms], ["result"])
        fields = [(f.get("var"), f.get("type"), [v.text for v in f.iter(FORM + "value")]) for f in forms[0].iter(FORM + "field")]
        self.assertEqual(
            fields,
            [
                ("FORM_TYPE", "hidden", ["http://jabber.org/network/serverinfo"]),
                *((f"{kind}-addresses", None, CONTACT) for kind in ("abuse", "admin", "support")),
            ],
        )

    async def test_ping_version_and_time(self):
        await self._world()
        self.assertEqual(list(await self._result("<ping xmlns='urn:xmpp:ping'/>")), [])
        version = (await self._result("<query xmlns='jabber:iq:version'/>")).find("{jabber:iq:version}query")
        said = {e.tag.removeprefix("{jabber:iq:version}"): e.text for e in version}
        self.assertEqual(said.keys(), {"name", "version"}, "not on which system it runs")
        self.assertEqual(said["name"], "Stox")
        self.assertEqual(self.world.stoxd.metric("stox_build_info", version=said["version"]), 1)
        before = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        told = (await self._result("<time xmlns='urn:xmpp:time'/>")).find("{urn:xmpp:time}time")
        self.assertEqual(told.findtext("{urn:xmpp:time}tzo"), "+00:00")
        at = datetime.datetime.strptime(told.findtext("{urn:xmpp:time}utc"), "%Y-%m-%dT%H:%M:%S%z")
        self.assertTrue(before <= at <= datetime.datetime.now(datetime.UTC), at)

    async def test_what_it_does_not_know_is_unavailable(self):
        await self._world()
        for payload in ("<query xmlns='jabber:iq:last'/>", "<query xmlns='urn:example:unheard-of'/>"):
            answer = await self._ask(payload)
            self.assertEqual(answer.get("type"), "error", ElementTree.tostring(answer))
            error = answer.find(s2s.SERVER + "error")
            self.assertEqual((error.get("type"), [c.tag for c in error]), ("cancel", [s2s.STANZA_ERRORS + "service-unavailable"]))
        # It is no reason to end the stream.
        self.assertEqual(list(await self._result("<ping xmlns='urn:xmpp:ping'/>")), [])
        self.assertEqual(len(self.peer.authenticated()), 1)


if __name__ == "__main__":
    unittest.main()
