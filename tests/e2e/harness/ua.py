"""A SIP client for many users over one socket: registers them, sends MESSAGEs with retransmissions, answers as told."""

import asyncio
import time
import uuid
from dataclasses import dataclass

from . import sip

T1 = 0.5
TIMEOUT = 64 * T1


@dataclass
class Answer:
    """What a user answers to a MESSAGE; status None: nothing at all, as a dead phone does."""

    status: int = 200
    reason: str = "OK"
    headers: tuple = ()
    delay: float = 0.0


@dataclass
class Received:
    user: str
    message: sip.Message
    at: float

    @property
    def sender(self):
        return sip.uri_of(self.message.get("From"))

    @property
    def text(self):
        return self.message.text


class _Udp(asyncio.DatagramProtocol):
    def __init__(self, ua):
        self._ua = ua

    def datagram_received(self, data, addr):
        if data.strip():
            self._ua._on_message(sip.parse(data), lambda b: self._ua._udp.sendto(b, addr))

    def error_received(self, exc):
        pass  # retransmission or the time-out tells the sender


class SipClient:
    def __init__(self, proxy_port, transport="udp", domain="sip.example", host="127.0.0.1"):
        """host: where it and the proxy are, 127.0.0.1 or ::1."""
        self.transport, self.domain = transport, domain
        self._host, self._uri_host = host, f"[{host}]" if ":" in host else host
        self._proxy = (host, proxy_port)
        self.inbox = []  # Received, each transaction once
        self.retransmissions = 0
        self.answers = {}  # user -> Answer
        self.heard = {}  # user -> coroutine function that is given each Received behind its answer
        self._pending = {}  # (branch, method) -> future
        self._answered = {}  # branch -> response bytes, or None while the answer waits
        self._udp = self._server = self._stream = None
        self._tasks = set()
        self.port = None

    async def start(self):
        loop = asyncio.get_running_loop()
        if self.transport == "udp":
            self._udp, _ = await loop.create_datagram_endpoint(lambda: _Udp(self), local_addr=(self._host, 0))
            self._udp.get_extra_info("socket").setsockopt(1, 8, 4 << 20)  # SOL_SOCKET, SO_RCVBUF
            self.port = self._udp.get_extra_info("sockname")[1]
        else:
            self._server = await asyncio.start_server(self._serve, self._host, 0)
            self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader, writer):
        buffer = bytearray()
        try:
            while data := await reader.read(65536):
                buffer += data
                for message in sip.split_stream(buffer):
                    self._on_message(message, writer.write)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def _send(self, data):
        if self._udp:
            self._udp.sendto(data, self._proxy)
            return
        if self._stream is None or self._stream.is_closing():
            reader, self._stream = await asyncio.open_connection(*self._proxy)
            self._keep(self._serve(reader, self._stream))
        self._stream.write(data)

    def _keep(self, coroutine):
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # ---- what arrives ----

    def _on_message(self, message, reply):
        if message.is_response:
            waiting = self._pending.get((message.branch, message.get("CSeq").split()[-1]))
            if waiting and not waiting.done() and message.status >= 200:
                waiting.set_result(message)
            return
        if message.method != "MESSAGE":
            reply(sip.response_to(message, 405, "Method Not Allowed", [("Allow", "MESSAGE")]).to_bytes())
            return
        if message.branch in self._answered:
            self.retransmissions += 1
            if self._answered[message.branch]:
                reply(self._answered[message.branch])
            return
        user = message.uri.split(":", 1)[1].split("@")[0]
        received = Received(user, message, time.time())
        self.inbox.append(received)
        if user in self.heard:
            self._keep(self.heard[user](received))
        self._answered[message.branch] = None
        answer = self.answers.get(user, Answer())
        if answer.status is None:
            return
        data = sip.response_to(message, answer.status, answer.reason, answer.headers).to_bytes()

        def give():
            self._answered[message.branch] = data
            reply(data)

        if answer.delay:
            asyncio.get_running_loop().call_later(answer.delay, give)
        else:
            give()

    # ---- what we send ----

    async def request(self, message, timeout=TIMEOUT):
        """Sends it and returns the final response; None when there is none within the time-out."""
        branch = sip.new_branch()
        via = f"SIP/2.0/{self.transport.upper()} {self._uri_host}:{self.port};branch={branch};rport"
        message.headers.insert(0, ("Via", via))
        future = asyncio.get_running_loop().create_future()
        key = (branch, message.get("CSeq").split()[-1])
        self._pending[key] = future
        data = message.to_bytes()
        end, interval = time.monotonic() + timeout, T1
        try:
            await self._send(data)
            while (left := end - time.monotonic()) > 0:
                try:
                    return await asyncio.wait_for(asyncio.shield(future), min(interval, left))
                except asyncio.TimeoutError:
                    if self._udp:
                        await self._send(data)
                    interval = min(2 * interval, 4.0)
            return None
        finally:
            del self._pending[key]

    def _new(self, method, uri, user, to, headers=(), body=b""):
        m = sip.Message(f"{method} {uri} SIP/2.0", [], body)
        m.headers = [
            ("Max-Forwards", "70"),
            ("From", f"<sip:{user}@{self.domain}>;tag={sip.new_tag()}"),
            ("To", f"<{to}>"),
            ("Call-ID", uuid.uuid4().hex),
            ("CSeq", f"1 {method}"),
            *headers,
        ]
        return m

    async def register(self, user):
        contact = f"<sip:{user}@{self._uri_host}:{self.port};transport={self.transport}>"
        own = f"sip:{user}@{self.domain}"
        answer = await self.request(
            self._new("REGISTER", f"sip:{self.domain}", user, own, [("Contact", contact), ("Expires", "600")]), 5
        )
        if answer is None or answer.status != 200:
            raise AssertionError(f"REGISTER of {user}: {answer.start if answer else 'no answer'}")

    def message(self, user, to, text, headers=(), content_type="text/plain;charset=UTF-8"):
        """A MESSAGE request of `user` to a SIP URI, not sent yet."""
        return self._new("MESSAGE", to, user, to, [*headers, ("Content-Type", content_type)], text.encode())

    async def send_message(self, user, to, text, headers=(), timeout=TIMEOUT, **more):
        return await self.request(self.message(user, to, text, headers, **more), timeout)

    async def options(self, uri, timeout=5):
        return await self.request(self._new("OPTIONS", uri, "probe", uri), timeout)

    # ---- what was seen ----

    def received_by(self, user):
        return [r for r in self.inbox if r.user == user]

    async def stop(self):
        for task in list(self._tasks):
            task.cancel()
        if self._stream:
            self._stream.close()
        if self._udp:
            self._udp.close()
        if self._server:
            self._server.close()
