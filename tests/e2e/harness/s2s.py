"""One XMPP stream between servers, by hand and in both roles: what a test writes leaves as it is, also what no server would write."""

import asyncio
import base64
import ssl
from collections import deque
from xml.etree import ElementTree

STREAMS = "{http://etherx.jabber.org/streams}"
STREAM_ERRORS = "{urn:ietf:params:xml:ns:xmpp-streams}"
STANZA_ERRORS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
TLS = "{urn:ietf:params:xml:ns:xmpp-tls}"
SASL = "{urn:ietf:params:xml:ns:xmpp-sasl}"
DIALBACK = "{jabber:server:dialback}"
DIALBACK_FEATURE = "{urn:xmpp:features:dialback}"
BIDI = "{urn:xmpp:bidi}"
BIDI_FEATURE = "{urn:xmpp:features:bidi}"
SM = "{urn:xmpp:sm:3}"
SERVER = "{jabber:server}"


class Ended(Exception):
    """The other side closed the stream (or the connection) in the place of what was waited for."""


class RawStream:
    def __init__(self, reader, writer):
        self._reader, self._writer = reader, writer
        self._tls = self._tls_in = self._tls_out = None
        self._restart()
        self._clear = bytearray()  # read, not parsed yet
        self.said = bytearray()  # all that came, decrypted
        self.ended = False
        self.closed_well = False  # by </stream:stream>

    @classmethod
    async def connect(cls, port, host="127.0.0.1", of=None):
        """of: the address that it comes from."""
        return cls(*await asyncio.open_connection(host, port, local_addr=(of, 0) if of else None))

    # ---- out ----

    def write(self, data):
        """Text or bytes, as they are."""
        data = data.encode() if isinstance(data, str) else data
        if self._tls:
            self._tls.write(data)
            self._flush()
        else:
            self._writer.write(data)

    async def drain(self):
        await self._writer.drain()

    def open(self, of=None, to=None, more="", version="1.0", namespace="jabber:server"):
        """The header of a stream; what comes from now on belongs to a new one."""
        names = "".join(f" {k}='{v}'" for k, v in (("from", of), ("to", to), ("version", version)) if v is not None)
        self.write(
            f"<?xml version='1.0'?><stream:stream xmlns='{namespace}' xmlns:stream='http://etherx.jabber.org/streams' "
            f"xmlns:db='jabber:server:dialback'{names}{more}>"
        )

    def restart(self):
        """Behind TLS or SASL: the next that comes is a header."""
        self._restart()

    def close_stream(self):
        self.write("</stream:stream>")

    def end(self):
        """Without a word."""
        self._writer.close()

    def cut(self):
        """As a cable does: with a reset, so that nothing in flight is taken any more."""
        self._writer.transport.abort()

    def _flush(self):
        if self._tls_out.pending:
            self._writer.write(self._tls_out.read())

    # ---- TLS ----

    async def secure(self, context, server_side=False, server_name=None, seconds=10):
        self._tls_in, self._tls_out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls_in.write(bytes(self._clear))
        self._clear.clear()
        tls = context.wrap_bio(self._tls_in, self._tls_out, server_side=server_side, server_hostname=server_name)
        async with asyncio.timeout(seconds):
            while True:
                try:
                    tls.do_handshake()
                    break
                except ssl.SSLWantReadError:
                    self._flush()
                    data = await self._reader.read(65536)
                    if not data:
                        raise Ended("in the TLS handshake") from None
                    self._tls_in.write(data)
                finally:
                    self._flush()
        self._tls = tls
        self._restart()

    @property
    def tls(self):
        return self._tls

    @property
    def certificate(self):
        """The other side's, as Python shows it; {}: not verified, None: there is none."""
        return self._tls.getpeercert() if self._tls else None

    # ---- in ----

    def _restart(self):
        self._parser = ElementTree.XMLPullParser(["start", "end"])
        self._depth = 0
        self._root = None
        self._elements = deque()
        self.attributes = None  # of the other side's stream header, once it came

    async def header(self, seconds=10):
        """The attributes of the stream header of the other side."""
        async with asyncio.timeout(seconds):
            while self.attributes is None:
                if not await self._step():
                    raise Ended(f"no stream header came, but: {bytes(self.said[-300:])!r}")
        return self.attributes

    async def next(self, seconds=10):
        """The next element of the stream."""
        async with asyncio.timeout(seconds):
            while not self._elements:
                if not await self._step():
                    raise Ended(f"no element came; the last was: {bytes(self.said[-300:])!r}")
        return self._elements.popleft()

    async def wait_for(self, tag, seconds=10):
        """Passes over what comes before it."""
        while True:
            element = await self.next(seconds)
            if element.tag == tag:
                return element

    async def error(self, seconds=10):
        """The condition of the stream error with which the other side ends; it has to end behind it (RFC 6120 §4.9.1.1)."""
        condition = None
        try:
            while True:
                element = await self.next(seconds)
                if element.tag == STREAMS + "error":
                    condition = next(c.tag[len(STREAM_ERRORS) :] for c in element if c.tag.startswith(STREAM_ERRORS))
        except (Ended, ConnectionError):
            return condition

    async def gone(self, seconds=10):
        """Waits until the connection is closed."""
        try:
            while True:
                await self.next(seconds)
        except (Ended, ConnectionError):
            return True

    async def _step(self):
        """Parses one more piece, or reads; false: the end."""
        at = self._clear.find(b">")
        if at < 0 and self.ended:
            return False
        if at < 0:
            data = await self._read()
            self.said += data
            self._clear += data
            self.ended = not data
            return True
        piece = bytes(self._clear[: at + 1])
        # What stands behind it may belong to TLS or to a new stream, so it is not given to this parser yet.
        del self._clear[: at + 1]
        self._parser.feed(piece)
        for what, element in self._parser.read_events():
            if what == "start":
                self._depth += 1
                if self._depth == 1:
                    self._root, self.attributes = element, dict(element.attrib)
                continue
            self._depth -= 1
            if self._depth == 1:
                self._root.remove(element)
                self._elements.append(element)
            elif self._depth == 0:
                self.closed_well = True
        return True

    async def _read(self):
        while True:
            if self._tls:
                try:
                    return self._tls.read(65536)
                except ssl.SSLWantReadError:
                    self._flush()
                except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                    return b""
            try:
                data = await self._reader.read(65536)
            except ConnectionError:
                return b""
            if not self._tls or not data:
                return data
            self._tls_in.write(data)


def client_context(certificate=None, ca=None, alpn=None):
    """certificate: (chain, key); ca: who has to have issued the other side's; None: anybody."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if ca:
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_REQUIRED
    if certificate:
        context.load_cert_chain(*certificate)
    if alpn:
        context.set_alpn_protocols([alpn])
    return context


def server_context(certificate, ca=None):
    """ca: asks for the other side's certificate, which has to be of it if there is one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    context.set_alpn_protocols(["xmpp-server"])
    if ca:
        context.load_verify_locations(ca)
        context.verify_mode = ssl.CERT_OPTIONAL
    return context


def authzid(domain):
    return base64.b64encode(domain.encode()).decode()
