"""Servers that lie, push or waste our time: each is told so by the stream error of RFC 6120 §4.9.3, and no other domain notices."""

import asyncio
import collections
import time
import unittest

from harness import federation, s2s
from harness.s2s import RawStream

ALICE, US = "alice@sip.example", "sip.example"
# Where somebody else than the test's own peer attacks, so that limits for one address do not meet the others.
ELSEWHERE = "127.0.0.9"


class Attacks(federation.FederationTest):
    async def _world(self, **options):
        """Prosody and its juliet are the others who shall not notice."""
        world = await self.make_world(servers=("prosody", "peer"), **options)
        self.juliet, self.alice = await world.client_of(world.prosody), await world.sip_client("alice", "bob")
        await self.messages_cross(self.juliet, self.alice, "before", "bob")
        self.port = world.stoxd.s2s_port
        return world.peer

    async def _others_flow(self, tag):
        await self.messages_cross(self.juliet, self.alice, tag, "bob")
        self.assertTrue(self.world.stoxd.running())

    def _nothing_arrived(self):
        self.assertEqual([r.text for r in self.alice.received_by("alice")], [])

    async def _refused(self, stream, *conditions, seconds=10):
        """It ends with one of these stream errors."""
        got = await stream.error(seconds)
        self.assertIn(got, conditions, bytes(stream.said[-400:]))
        self.assertTrue(stream.ended, "the connection is closed")


class Identity(Attacks):
    """Who says what in whose name."""

    async def test_dialback_result_for_somebody_elses_domain(self):
        peer = await self._world()
        stream, _ = await peer.secured(US, self.port)
        peer.send_key(stream, US, of="xmpp.example")
        answer = None
        try:
            answer = await stream.wait_for(s2s.DIALBACK + "result", 20)
            self.assertIn(answer.get("type"), ("invalid", "error"), "Prosody, who is asked, knows no such key")
        except s2s.Ended:
            pass
        stream.write(peer.message("juliet@xmpp.example", ALICE, "forged"))
        await self._refused(stream, "not-authorized", "invalid-from", None)
        await self._others_flow("forged key")
        self._nothing_arrived()

    async def test_results_that_nobody_asked_for(self):
        """"valid" is for who asked; on a stream that the peer opened it means nothing, and a key is not verified on it either (XEP-0288)."""
        peer = await self._world()
        for text in (
            "<db:result from='xmpp.example' to='sip.example' type='valid'/>",
            "<db:verify from='xmpp.example' to='sip.example' id='1' type='valid'/>",
        ):
            stream, _ = await peer.secured(US, self.port)
            stream.write(text)
            stream.write(peer.message("juliet@xmpp.example", ALICE, "forged"))
            await self._refused(stream, "not-authorized", "invalid-from", "invalid-xml", "bad-format", "undefined-condition")
        await self._others_flow("after results")
        self._nothing_arrived()

    async def test_forged_verdict_over_the_stream_that_asked(self):
        """The key is asked of the domain's own server: a verdict of the one who wants to be believed does not count."""
        peer = await self._world()
        stream, _ = await peer.secured(US, self.port)
        peer.send_key(stream, US, of="xmpp.example")
        stream.write(f"<db:verify from='xmpp.example' to='{US}' id='{stream.attributes['id']}' type='valid'/>")
        stream.write(peer.message("juliet@xmpp.example", ALICE, "forged"))
        self.assertTrue(await stream.gone(20))
        self.assertNotIn(b"type='valid'", bytes(stream.said))
        await self._others_flow("forged verdict")
        self._nothing_arrived()

    async def test_from_of_another_domain_after_authentication(self):
        peer = await self._world()
        stream, _ = await peer.external(US, self.port)
        stream.write(peer.message("nurse@peer.example", ALICE, "honest"))
        await self.sip_got(self.alice, "alice", "honest")
        stream.write(peer.message("juliet@xmpp.example", ALICE, "spoofed"))
        await self._refused(stream, "invalid-from")
        await self._others_flow("spoofed")
        self.assertEqual([r.text for r in self.alice.received_by("alice")], ["honest"])

    async def test_stanza_without_from_or_to(self):
        peer = await self._world()
        for missing in ("from", "to"):
            stream, _ = await peer.external(US, self.port)
            text = peer.message("nurse@peer.example", ALICE, "half an address")
            address = "nurse@peer.example" if missing == "from" else ALICE
            stream.write(text.replace(f" {missing}='{address}'", ""))
            await self._refused(stream, "improper-addressing")
        await self._others_flow("improper")
        self._nothing_arrived()

    async def test_stanza_to_a_domain_that_is_not_served_is_not_relayed(self):
        peer = await self._world()
        stream, _ = await peer.external(US, self.port)
        stream.write(peer.message("nurse@peer.example", "juliet@xmpp.example", "by way of you"))
        await self._refused(stream, "host-unknown", "improper-addressing", "not-authorized", "policy-violation")
        await self._others_flow("not relayed")
        self.assertNotIn("by way of you", [s.text for s in self.juliet.texts()])

    async def test_stanza_before_authentication(self):
        peer = await self._world()
        stream = await RawStream.connect(self.port)
        stream.open(peer.domain, US)
        stream.write(peer.message("nurse@peer.example", ALICE, "in clear"))
        await self._refused(stream, "not-authorized")
        stream, _ = await peer.secured(US, self.port)
        stream.write(peer.message("nurse@peer.example", ALICE, "under TLS"))
        await self._refused(stream, "not-authorized")
        await self._others_flow("unauthenticated")
        self._nothing_arrived()

    async def test_external_in_another_name(self):
        peer = await self._world()
        stream, _ = await peer.secured(US, self.port)
        stream.write(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>{s2s.authzid('xmpp.example')}</auth>")
        failure = await stream.wait_for(s2s.SASL + "failure")
        self.assertIn([c.tag for c in failure][0], (s2s.SASL + "invalid-authzid", s2s.SASL + "not-authorized"))
        # Nor by a header in the other name, for which the certificate proves nothing.
        stream = await RawStream.connect(self.port)
        stream.open("xmpp.example", US)
        await stream.next()
        stream.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        await stream.wait_for(s2s.TLS + "proceed")
        await stream.secure(s2s.client_context(peer.certificate, peer.ca), server_name=US)
        stream.open("xmpp.example", US)
        features = await stream.next()
        self.assertEqual([m.text for m in features.iter(s2s.SASL + "mechanism")], [])
        await self._others_flow("another name")

    async def test_external_without_a_certificate_or_with_a_strange_one(self):
        peer = await self._world(strange=("peer",))
        for shown in (False, True):
            stream, features = await peer.secured(US, self.port, certificate=shown)
            self.assertEqual([m.text for m in features.iter(s2s.SASL + "mechanism")], [])
            stream.write(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>{s2s.authzid(peer.domain)}</auth>")
            try:
                e = await stream.next()
                self.assertNotEqual(e.tag, s2s.SASL + "success")
            except s2s.Ended:
                pass
        await self._others_flow("strange certificate")

    async def test_dialback_keys_are_for_one_stream(self):
        """As the authority for its own domain stoxd calls valid only the key that it made, for that stream and those domains."""
        peer = await self._world(strange=("stoxd",))
        sent = asyncio.ensure_future(self.alice.send_message("alice", "sip:nurse@peer.example", "by dialback"))
        await self.until(lambda: peer.keys_of_others, 15, "stoxd proves itself to the peer")
        (of, to, stream_id), key = next(iter(peer.keys_of_others.items()))
        self.assertEqual((of, to), (US, peer.domain))

        async def verdict(of, stream_id, key):
            stream, _ = await peer.secured(US, self.port)
            stream.write(f"<db:verify from='{of}' to='{US}' id='{stream_id}'>{key}</db:verify>")
            try:
                answer = await stream.wait_for(s2s.DIALBACK + "verify")
                self.assertEqual(answer.get("id"), stream_id)
                return answer.get("type")
            finally:
                stream.end()

        self.assertEqual(await verdict(peer.domain, stream_id, key), "valid")
        self.assertEqual(await verdict(peer.domain, "another-stream", key), "invalid")
        self.assertEqual(await verdict(peer.domain, stream_id, key[:-1] + ("0" if key[-1] != "0" else "1")), "invalid")
        self.assertNotEqual(await verdict("xmpp.example", stream_id, key), "valid", "a key for another domain")
        self.assertEqual((await sent).status, 200)

    async def test_replayed_key_of_the_peer(self):
        """What a peer once proved itself with is asked about again for each stream, with that stream's id."""
        peer = await self._world()
        stream = await peer.dialback(US, self.port)
        first = peer.questions[-1]
        stream.end()
        again, _ = await peer.secured(US, self.port, certificate=False)
        again.write(f"<db:result from='{peer.domain}' to='{US}'>{first.text}</db:result>")
        try:
            answer = await again.wait_for(s2s.DIALBACK + "result", 15)
            self.assertNotEqual(answer.get("type"), "valid")
        except s2s.Ended:
            pass
        self.assertEqual(peer.questions[-1].get("id"), again.attributes["id"])


class Streams(Attacks):
    """Bytes that no server writes."""

    async def test_bytes_pipelined_behind_starttls(self):
        """RFC 6120 §5.4.3.3; CVE-2011-0411 in other protocols: what came in clear must not be taken as if it had come under TLS."""
        peer = await self._world()
        inside = peer.message("nurse@peer.example", ALICE, "injected")
        for more in (
            inside,
            f"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' xmlns:db='jabber:server:dialback' "
            f"from='peer.example' to='{US}' version='1.0'><db:result from='peer.example' to='{US}'>key</db:result>{inside}",
        ):
            stream = await RawStream.connect(self.port)
            stream.open(peer.domain, US)
            await stream.next()
            asked = len(peer.questions)
            stream.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>" + more)
            try:
                await stream.wait_for(s2s.TLS + "proceed")
                await stream.secure(s2s.client_context(peer.certificate, peer.ca), server_name=US, seconds=5)
            except (s2s.Ended, OSError, TimeoutError):
                pass
            else:
                # Then it is as if nothing had been said.
                stream.open(peer.domain, US)
                features = await stream.next()
                self.assertEqual(features.tag, s2s.STREAMS + "features")
                stream.end()
            self.assertEqual(len(peer.questions), asked, "no key of it is asked about")
        await self._others_flow("injected")
        self._nothing_arrived()

    async def _each(self, texts, *conditions, authenticated=False):
        """Each of the texts, (name, bytes or text), ends its stream with one of the conditions."""
        peer = self.world.peer
        for name, text in texts:
            with self.subTest(name):
                if authenticated:
                    stream, _ = await peer.external(US, self.port)
                else:
                    stream = await RawStream.connect(self.port)
                    stream.open(peer.domain, US)
                    await stream.next()
                stream.write(text)
                await self._refused(stream, *conditions)

    async def test_restricted_xml(self):
        """RFC 6120 §11.1: no DTD, no entities, no comments, no processing instructions."""
        await self._world()
        laughs = "".join(f"<!ENTITY l{n} '{f'&l{n - 1};' * 10}'>" for n in range(1, 10))
        dtd = f"<!DOCTYPE lolz [<!ENTITY l0 'lol'>{laughs}]>"
        for name, before in (("billion laughs", dtd), ("outside entity", "<!DOCTYPE x SYSTEM 'file:///etc/passwd'>")):
            with self.subTest(name):
                stream = await RawStream.connect(self.port)
                stream.write(f"<?xml version='1.0'?>{before}<stream:stream xmlns='jabber:server' to='{US}' version='1.0' ")
                stream.write("xmlns:stream='http://etherx.jabber.org/streams'><x>&l9;</x>")
                await self._refused(stream, "restricted-xml", "not-well-formed")
        texts = [("comment", "<!-- a -->"), ("instruction", "<?php 1 ?>"), ("entity", "<x>&l9;</x>"), ("dtd", dtd)]
        for authenticated in (False, True):
            await self._each(texts, "restricted-xml", "not-well-formed", authenticated=authenticated)
        await self._others_flow("restricted")

    async def test_bytes_that_are_no_xml(self):
        await self._world()
        texts = [
            ("invalid UTF-8", b"<message><body>\xff\xfe\xc0\xaf</body></message>"),
            ("cut UTF-8", b"<message><body>\xc3</body></message>"),
            ("surrogate", b"<message><body>\xed\xa0\x80</body></message>"),
            ("nul", b"<message>\x00</message>"),
            ("control character", "<message><body>&#1;</body></message>"),
            ("crossed tags", "<message><body></message></body>"),
            ("no prefix", "<nobody:message/>"),
            ("twice the same attribute", "<message id='1' id='2'/>"),
        ]
        for authenticated in (False, True):
            await self._each(
                texts, "not-well-formed", "bad-format", "unsupported-encoding", "bad-namespace-prefix", authenticated=authenticated
            )
        stream = await RawStream.connect(self.port)
        stream.write("<?xml version='1.0' encoding='UTF-16'?><stream:stream/>".encode("utf-16"))
        await self._refused(stream, "unsupported-encoding", "not-well-formed", "bad-format")
        stream = await RawStream.connect(self.port)
        stream.write(b"GET / HTTP/1.1\r\nHost: sip.example\r\n\r\n")
        self.assertTrue(await stream.gone())
        await self._others_flow("no XML")

    async def test_too_much_before_authentication(self):
        await self._world()
        texts = [
            ("deep", "<x>" * 10_000),
            ("wide", "<x>" + "<y/>" * 50_000),
            ("attributes", "<x" + "".join(f" a{n}='1'" for n in range(10_000)) + "/>"),
            ("one long attribute", "<x a='" + "a" * 2_000_000),
            ("one long name", "<" + "x" * 2_000_000),
            ("long text", "<x>" + "a" * 2_000_000),
            ("many namespaces", "<x" + "".join(f" xmlns:a{n}='urn:{n}'" for n in range(10_000)) + "/>"),
            ("white space", " " * 2_000_000),
        ]
        await self._each(texts, "policy-violation", "resource-constraint", "not-authorized", "unsupported-stanza-type", None)
        stream = await RawStream.connect(self.port)
        stream.write(f"<?xml version='1.0'?><stream:stream xmlns='jabber:server' to='{US}' a='{'a' * 500_000}' ")
        await self._refused(stream, "policy-violation", None)
        await self._others_flow("too much")

    async def test_too_much_from_who_is_authenticated_costs_only_the_stanza(self):
        """As on the component link: a server passes on whatever its users write."""
        peer = await self._world()
        parts = {
            "deep": "<x xmlns='a'>" + "<y>" * 200 + "</y>" * 200 + "</x>",
            "wide": "<x xmlns='a'>" + "<y/>" * 20_000 + "</x>",
            "attributes": "<x xmlns='a'" + "".join(f" a{n}='1'" for n in range(1000)) + "/>",
        }
        stream, _ = await peer.external(US, self.port)
        for name, text in parts.items():
            with self.subTest(name):
                stream.write(f"<message from='nurse@peer.example' to='{ALICE}' type='chat' id='{name}'><body>x</body>{text}</message>")
                await self.until(lambda: name in dict(peer.errors()), 15, "the error")
                self.assertEqual(dict(peer.errors())[name], "policy-violation")
                stream.write(peer.message("nurse@peer.example", ALICE, f"after {name}"))
                await self.sip_got(self.alice, "alice", f"after {name}")
        await self._others_flow("too much again")

    async def test_headers_that_name_nothing(self):
        peer = await self._world()
        for name, how, conditions in (
            ("a domain that is not served", {"of": peer.domain, "to": "elsewhere.example"}, ("host-unknown",)),
            ("no domain", {"of": peer.domain}, ("improper-addressing", "host-unknown")),
            ("a client's stream", {"of": peer.domain, "to": US, "namespace": "jabber:client"}, ("invalid-namespace",)),
            # As from before RFC 3920, which had no features, hence no STARTTLS.
            ("no version of XMPP", {"of": peer.domain, "to": US, "version": None}, ("policy-violation", "unsupported-version")),
            ("our own domain", {"of": US, "to": US}, ("not-authorized", "invalid-from", "conflict", "policy-violation", "undefined-condition")),
        ):
            with self.subTest(name):
                stream = await RawStream.connect(self.port)
                stream.open(**how)
                await self._refused(stream, *conditions)
        for header in (
            f"<stream:stream xmlns='jabber:server' xmlns:stream='urn:x' to='{US}' version='1.0'>",
            f"<stream xmlns='jabber:server' to='{US}' version='1.0'>",
            f"<stream:features xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' to='{US}' version='1.0'>",
        ):
            with self.subTest(header):
                stream = await RawStream.connect(self.port)
                stream.write(header)
                await self._refused(stream, "invalid-namespace", "bad-namespace-prefix", "bad-format", "invalid-xml")
        await self._others_flow("headers")

    async def test_header_where_there_is_one_already(self):
        peer = await self._world()
        again = (
            f"<stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='peer.example' to='{US}' version='1.0'>"
        )
        conditions = ("invalid-xml", "bad-format", "unsupported-stanza-type", "not-authorized", "policy-violation", "invalid-namespace")
        await self._each([("unauthenticated", again)], *conditions)
        await self._each([("authenticated", again)], *conditions, authenticated=True)
        await self._each([("with a declaration", "<?xml version='1.0'?>" + again)], "not-well-formed", "restricted-xml", authenticated=True)
        # Behind TLS another from or to than before it (RFC 6120 §4.3.3 wants the same stream to go on).
        stream = await RawStream.connect(self.port)
        stream.open(peer.domain, US)
        await stream.next()
        stream.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        await stream.wait_for(s2s.TLS + "proceed")
        await stream.secure(s2s.client_context(peer.certificate, peer.ca), server_name=US)
        stream.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        self.assertTrue(await stream.gone(), "no header, no stream")
        await self._others_flow("restart")

    async def test_commands_in_the_wrong_state(self):
        peer = await self._world()
        stream, _ = await peer.external(US, self.port)
        stream.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        self.assertTrue(await stream.gone(), "TLS in TLS")
        stream, _ = await peer.external(US, self.port)
        stream.write(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>{s2s.authzid(peer.domain)}</auth>")
        try:
            self.assertNotEqual((await stream.next()).tag, s2s.SASL + "success", "authenticated twice")
        except s2s.Ended:
            pass
        stream = await RawStream.connect(self.port)
        stream.open(peer.domain, US)
        await stream.next()
        stream.write(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>{s2s.authzid(peer.domain)}</auth>")
        try:
            self.assertNotEqual((await stream.next()).tag, s2s.SASL + "success", "authenticated without TLS")
        except s2s.Ended:
            pass
        await self._others_flow("wrong state")


class Waste(Attacks):
    """Time, connections and memory."""

    async def test_slow_peers_are_closed_and_told(self):
        peer = await self._world(s2s_extra='login_limit = "2s"\n')
        silent = await RawStream.connect(self.port)
        header = await RawStream.connect(self.port)
        header.open(peer.domain, US)
        secured, _ = await peer.secured(US, self.port)
        trickling = await RawStream.connect(self.port)
        began = time.monotonic()

        async def trickle():
            for byte in f"<?xml version='1.0'?><stream:stream xmlns='jabber:server' to='{US}' " + " " * 100:
                trickling.write(byte)
                await asyncio.sleep(0.1)

        task = asyncio.ensure_future(trickle())
        await self._refused(header, "connection-timeout", "policy-violation")
        await self._refused(secured, "connection-timeout", "policy-violation")
        self.assertTrue(await silent.gone())
        self.assertTrue(await trickling.gone())
        task.cancel()
        self.assertLess(time.monotonic() - began, 8)
        # In the TLS handshake, too.
        stream = await RawStream.connect(self.port)
        stream.open(peer.domain, US)
        await stream.next()
        stream.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
        await stream.wait_for(s2s.TLS + "proceed")
        self.assertTrue(await stream.gone(8))
        await self._others_flow("slow")

    async def test_too_many_streams_of_one_address(self):
        peer = await self._world(s2s_extra="max_streams_per_address = 5\n")
        held = []
        for _ in range(5):
            held.append(await RawStream.connect(self.port, of=ELSEWHERE))
            held[-1].open(peer.domain, US)
            await held[-1].next()
        sixth = await RawStream.connect(self.port, of=ELSEWHERE)
        sixth.open(peer.domain, US)
        await self._refused(sixth, "resource-constraint", "policy-violation")
        other = await RawStream.connect(self.port, of="127.0.0.10")
        other.open(peer.domain, US)
        self.assertEqual((await other.next()).tag, s2s.STREAMS + "features", "another address is another matter")
        await self._others_flow("many streams")
        for stream in held:
            stream.end()
        await asyncio.sleep(0.5)
        again = await RawStream.connect(self.port, of=ELSEWHERE)
        again.open(peer.domain, US)
        self.assertEqual((await again.next()).tag, s2s.STREAMS + "features", "there is room again")

    async def test_too_many_streams_that_prove_nothing(self):
        peer = await self._world(s2s_extra="max_unauthenticated = 10\n")
        held = []
        for n in range(10):
            held.append(await RawStream.connect(self.port, of=f"127.0.0.{20 + n}"))
            held[-1].open(peer.domain, US)
            await held[-1].next()
        more = await RawStream.connect(self.port, of="127.0.0.40")
        more.open(peer.domain, US)
        # Whether it is the newest or the oldest that has to go is the gateway's choice.
        ends = [asyncio.ensure_future(stream.error(10)) for stream in (held[0], more)]
        done, left = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        self.assertIn(next(iter(done)).result(), ("resource-constraint", "policy-violation"))
        for task in left:
            task.cancel()
        await self._others_flow("unproved")  # over streams that are there already

    async def test_thousand_connections_at_once(self):
        await self._world()
        streams = await asyncio.gather(*(RawStream.connect(self.port, of=f"127.0.0.{50 + n % 100}") for n in range(1000)))
        self.addCleanup(lambda: [s.cut() for s in streams])
        for stream in streams:
            stream.write("<?xml version='1.0'?><stream:stream ")
        await self._others_flow("thousand")

    # timeout 180
    async def test_peer_that_stops_reading(self):
        peer = await self._world()
        self.assertEqual((await self.alice.send_message("alice", "sip:nurse@peer.example", "first")).status, 200)
        peer.ways.reads = False
        text = "x" * 8000
        sends = [asyncio.ensure_future(self.alice.send_message("alice", "sip:nurse@peer.example", f"{n} {text}")) for n in range(600)]
        await asyncio.sleep(3)
        await self._others_flow("while it does not read")
        answers = await asyncio.gather(*sends)
        told = collections.Counter(a.status if a else None for a in answers)
        self.assertNotIn(None, told, "each sender is told")
        self.assertNotIn(200, told, "nothing is called delivered that was not")
        await self._others_flow("after it")


if __name__ == "__main__":
    unittest.main()
