"""A small XMPP server for one domain, or for many, that speaks with other servers only, and does wrong where a test wants it to."""

import asyncio
import uuid
from dataclasses import dataclass

from . import s2s
from .s2s import RawStream

_STANZAS = (s2s.SERVER + "message", s2s.SERVER + "presence", s2s.SERVER + "iq")


@dataclass
class Ways:
    """How the peer behaves on the streams that others open to it."""

    external: bool = True  # offers it to whose certificate is of its authority
    dialback: bool = True
    bidi: bool = False
    sm: bool = False  # XEP-0198: offers it, with resumption
    acks: bool = True  # answers <r/>
    verdict: str | None = None  # on every dialback key that it is asked about: valid, invalid; None: as it is
    silent: bool = False  # takes connections and says nothing
    reads: bool = True  # false: an authenticated stream is not read any more
    answers: bool = True  # pings and other questions


class Incoming:
    """A stream that another server opened to us."""

    def __init__(self, stream):
        self.stream = stream
        self.remote = self.local = self.id = None
        self.how = None  # "external", "dialback", None
        self.bidi = False
        self.direct = False
        self.handled = 0  # stanzas, since <enable/>
        self.sm_id = None
        self.ended = False  # its session goes on elsewhere: what may still lie in a buffer is not taken


class Peer:
    def __init__(self, domain, certificate, ca, direct=False):
        self.domain, self.certificate, self.ca = domain, certificate, ca
        self.ways = Ways()
        self.serves = lambda domain: domain == self.domain  # true for others too: it answers as the one that a stream asks for
        self.most_unproved = 0  # streams that others were setting up, at one time
        self.s2s_port = self.s2s_tls_port = None  # harness.federation.place gives them
        self.incoming = []  # Incoming, each that there was
        self.stanzas = []  # what came, of all streams
        self.keys = {}  # (to, stream id) -> key that we sent
        self.keys_of_others = {}  # (from, to, stream id) -> key that was sent to us
        self.questions = []  # db:verify that we were asked
        self.resumable = {}  # id -> count of handled stanzas
        self.resumed = 0
        self.stream_errors = []  # conditions, on streams that others opened to us
        self.other = None  # (domain, port): to where answers go that the question's stream cannot carry
        self.by_certificate = True  # whether ours is believed there
        self._link, self._linking = None, asyncio.Lock()
        self._context = None
        self._servers, self._tasks, self._streams = [], set(), []

    async def start(self):
        self._servers.append(await asyncio.start_server(self._plain, "127.0.0.1", self.s2s_port))
        if self.s2s_tls_port:
            self._servers.append(await asyncio.start_server(self._direct, "127.0.0.1", self.s2s_tls_port))

    async def stop(self):
        """Its listeners and all its connections."""
        for server in self._servers:
            server.close()
        self._servers.clear()
        for task in list(self._tasks):
            task.cancel()
        for stream in self._streams:
            stream.cut()
        self._streams.clear()
        self._link = None
        await asyncio.sleep(0)

    def texts(self):
        """The bodies of the messages that came, without errors."""
        bodies = [e.findtext(s2s.SERVER + "body") for e in self.stanzas if e.tag.endswith("}message") and e.get("type") != "error"]
        return [b for b in bodies if b is not None]

    def errors(self):
        """(id, condition) of the error stanzas that came."""
        out = []
        for e in self.stanzas:
            error = e.find(s2s.SERVER + "error")
            if e.get("type") == "error" and error is not None:
                conditions = [c.tag[len(s2s.STANZA_ERRORS) :] for c in error if c.tag.startswith(s2s.STANZA_ERRORS)]
                out.append((e.get("id"), next((c for c in conditions if c != "text"), None)))
        return out

    # ---- streams that others open ----

    async def _plain(self, reader, writer):
        await self._kept(self._serve(Incoming(self._held(RawStream(reader, writer)))))

    async def _direct(self, reader, writer):
        peer = Incoming(self._held(RawStream(reader, writer)))
        peer.direct = True
        await self._kept(self._serve(peer))

    def _held(self, stream):
        self._streams.append(stream)
        return stream

    async def _kept(self, coroutine):
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        try:
            await task
        except (s2s.Ended, ConnectionError, TimeoutError, asyncio.CancelledError, OSError):
            pass
        finally:
            self._tasks.discard(task)

    def _tls_context(self):
        """One for all streams: to read the files anew costs as much as a handshake."""
        self._context = self._context or s2s.server_context(self.certificate, self.ca)
        return self._context

    def _features(self, peer):
        if not peer.stream.tls:
            return "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls>"
        out = ""
        if not peer.how and self.ways.external and peer.stream.certificate:
            out += "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>EXTERNAL</mechanism></mechanisms>"
        if self.ways.dialback:
            out += "<dialback xmlns='urn:xmpp:features:dialback'><errors/></dialback>"
        if self.ways.bidi and not peer.how:
            out += "<bidi xmlns='urn:xmpp:features:bidi'/>"
        # Who proves itself by dialback gets no new features behind it, so it is offered from the start (XEP-0220 §2.4).
        if self.ways.sm and (peer.how or not self.ways.external or not peer.stream.certificate):
            out += "<sm xmlns='urn:xmpp:sm:3'/>"
        return out

    async def _answer_header(self, peer):
        header = await peer.stream.header(60)
        peer.remote, peer.id = header.get("from", peer.remote), uuid.uuid4().hex
        peer.local = header.get("to") if self.serves(header.get("to")) else self.domain
        peer.stream.open(peer.local, peer.remote, f" id='{peer.id}'")
        peer.stream.write(f"<stream:features>{self._features(peer)}</stream:features>")

    async def _serve(self, peer):
        self.incoming.append(peer)
        self.most_unproved = max(self.most_unproved, len(self.unproved()))
        if self.ways.silent:
            await asyncio.sleep(3600)
        if peer.direct:
            await peer.stream.secure(self._tls_context(), server_side=True)
        await self._answer_header(peer)
        while True:
            while peer.how and not self.ways.reads:
                await asyncio.sleep(0.05)
            e = await peer.stream.next(3600)
            if peer.ended:
                return
            await self._take(peer, e)

    async def _take(self, peer, e):
        stream = peer.stream
        if e.tag in _STANZAS:
            peer.handled += 1
            await self._stanza(peer, e)
        elif e.tag == s2s.TLS + "starttls":
            stream.write("<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
            await stream.secure(self._tls_context(), server_side=True)
            await self._answer_header(peer)
        elif e.tag == s2s.SASL + "auth":
            peer.how = "external"
            stream.write("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>")
            stream.restart()
            await self._answer_header(peer)
        elif e.tag == s2s.DIALBACK + "result":
            self.keys_of_others[e.get("from"), e.get("to"), peer.id] = e.text
            # Believed: whether we dial back is not what is tested here.
            peer.how = peer.how or "dialback"
            stream.write(f"<db:result from='{e.get('to')}' to='{e.get('from')}' type='valid'/>")
        elif e.tag == s2s.DIALBACK + "verify":
            self.questions.append(e)
            known = self.keys.get((e.get("from"), e.get("id"))) == e.text
            verdict = self.ways.verdict or ("valid" if known else "invalid")
            stream.write(f"<db:verify from='{peer.local}' to='{e.get('from')}' id='{e.get('id')}' type='{verdict}'/>")
        elif e.tag == s2s.STREAMS + "error":
            self.stream_errors += [c.tag[len(s2s.STREAM_ERRORS) :] for c in e if c.tag.startswith(s2s.STREAM_ERRORS)][:1]
        elif e.tag == s2s.BIDI + "bidi":
            peer.bidi = True
        elif e.tag == s2s.SM + "enable":
            peer.handled, peer.sm_id = 0, uuid.uuid4().hex
            stream.write(f"<enabled xmlns='urn:xmpp:sm:3' id='{peer.sm_id}' resume='true' max='60'/>")
        elif e.tag == s2s.SM + "r":
            if self.ways.acks:
                stream.write(f"<a xmlns='urn:xmpp:sm:3' h='{peer.handled}'/>")
        elif e.tag == s2s.SM + "resume":
            before = next((i for i in self.incoming if i.sm_id == e.get("previd")), None)
            if before is None:
                stream.write("<failed xmlns='urn:xmpp:sm:3'><item-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></failed>")
            else:
                self.resumed += 1
                peer.handled, peer.sm_id, before.sm_id = before.handled, before.sm_id, None
                before.ended = True
                stream.write(f"<resumed xmlns='urn:xmpp:sm:3' previd='{peer.sm_id}' h='{peer.handled}'/>")

    async def _stanza(self, peer, e):
        if not e.tag.endswith("}iq") or e.get("type") not in ("get", "set"):
            self.stanzas.append(e)
            return
        if not self.ways.answers:
            return
        answer = f"<iq type='result' from='{e.get('to')}' to='{e.get('from')}' id='{e.get('id')}'/>"
        if peer and peer.bidi:
            peer.stream.write(answer)
        else:
            (await self.link()).write(answer)

    async def link(self):
        """Our own stream to the other server, made when it is first needed."""
        async with self._linking:
            if self._link is None or self._link.ended:
                domain, port = self.other
                if self.by_certificate:
                    self._link, _ = await self.external(domain, port)
                else:
                    self._link = await self.dialback(domain, port)
                self._keep(self._listen(self._link))
            return self._link

    async def _listen(self, stream):
        while True:
            e = await stream.next(3600)
            if e.tag in _STANZAS:
                await self._stanza(None, e)

    def _keep(self, coroutine):
        asyncio.ensure_future(self._kept(coroutine))

    def authenticated(self):
        """The streams to us that are open and proved."""
        return [i for i in self.incoming if i.how and not i.stream.ended]

    def unproved(self):
        """Those that are open and not proved yet, from the first byte on."""
        return [i for i in self.incoming if not i.how and not i.stream.ended]

    # ---- streams that we open ----

    async def connect(self, port):
        return self._held(await RawStream.connect(port))

    async def secured(self, to, port, direct=False, certificate=True):
        """A stream under TLS behind its features, nothing proved yet: (stream, features)."""
        stream = await self.connect(port)
        context = s2s.client_context(self.certificate if certificate else None, self.ca, "xmpp-server" if direct else None)
        if not direct:
            stream.open(self.domain, to)
            await stream.header()
            features = await stream.next()
            assert features.find(s2s.TLS + "starttls") is not None, bytes(stream.said)
            stream.write("<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
            await stream.wait_for(s2s.TLS + "proceed")
        await stream.secure(context, server_name=to)
        stream.open(self.domain, to)
        await stream.header()
        return stream, await stream.next()

    async def external(self, to, port, direct=False):
        """A stream that is proved by our certificate: (stream, features)."""
        stream, features = await self.secured(to, port, direct)
        offered = [m.text for m in features.iter(s2s.SASL + "mechanism")]
        assert "EXTERNAL" in offered, f"EXTERNAL is not offered: {bytes(stream.said)!r}"
        stream.write(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='EXTERNAL'>{s2s.authzid(self.domain)}</auth>")
        await stream.wait_for(s2s.SASL + "success")
        stream.restart()
        stream.open(self.domain, to)
        await stream.header()
        return stream, await stream.next()

    def send_key(self, stream, to, key=None, of=None):
        """Dialback: the key, by which the other side asks our listener."""
        key = key or uuid.uuid4().hex
        self.keys[to, stream.attributes["id"]] = key
        stream.write(f"<db:result from='{of or self.domain}' to='{to}'>{key}</db:result>")

    async def dialback(self, to, port, certificate=False):
        """A stream that is proved by dialback alone: no certificate is shown."""
        stream, _ = await self.secured(to, port, certificate=certificate)
        self.send_key(stream, to)
        answer = await stream.wait_for(s2s.DIALBACK + "result")
        assert answer.get("type") == "valid", f"dialback: {answer.attrib}"
        return stream

    def message(self, of, to, text, id=None, type="chat"):
        return f"<message from='{of}' to='{to}' type='{type}' id='{id or uuid.uuid4().hex[:12]}'><body>{text}</body></message>"
