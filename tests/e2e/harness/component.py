"""A bare XEP-0114 component, to see how the server itself behaves."""

import asyncio
import hashlib
import re


class Component:
    def __init__(self, domain, secret, port):
        self._domain, self._secret, self._port = domain, secret, port
        self._seen = ""
        self._reader = self._writer = None

    async def start(self):
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self.write(
            "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' "
            f"to='{self._domain}'>"
        )
        head = await self.read_until(">", skip_declaration=True)
        stream_id = re.search(r"id=['\"]([^'\"]+)", head).group(1)
        digest = hashlib.sha1((stream_id + self._secret).encode()).hexdigest()
        self.write(f"<handshake>{digest}</handshake>")
        await self.read_until("<handshake")

    def write(self, text):
        self._writer.write(text.encode())

    async def read_until(self, pattern, skip_declaration=False, seconds=15):
        """What came up to the pattern; it is consumed."""
        while True:
            start = self._seen.find("<stream:stream") if skip_declaration else 0
            at = self._seen.find(pattern, start) if start >= 0 else -1
            if at >= 0:
                end = at + len(pattern)
                taken, self._seen = self._seen[:end], self._seen[end:]
                return taken
            data = await asyncio.wait_for(self._reader.read(65536), seconds)
            if not data:
                raise AssertionError(f"the server closed the stream; seen: {self._seen[-400:]}")
            self._seen += data.decode()

    async def stop(self):
        if self._writer:
            self._writer.close()
