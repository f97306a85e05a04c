"""A baresip (a SIP phone without a screen) of our own, told what to do over its control socket and read by its own SIP trace."""

import asyncio
import json
import os
import re

from . import sip
from .process import Process, free_port, tcp_answers, until

_CONFIG = """\
poll_method epoll
sip_listen 127.0.0.1:{port}
net_interface 127.0.0.1
module_path {modules}
module account.so
module contact.so
module menu.so
module ctrl_tcp.so
module g711.so
module uuid.so
ctrl_tcp_listen 127.0.0.1:{control}
"""

_BLOCK = re.compile(r"#\n(?:UDP|TCP) (127\.0\.0\.1:\d+) -> (127\.0\.0\.1:\d+)\n(.*?)\x1b\[;m", re.S)


def _modules():
    for folder in ("/usr/lib/baresip/modules", "/usr/lib64/baresip/modules"):
        if os.path.isdir(folder):
            return folder
    raise RuntimeError("baresip's modules are not installed")


class Baresip:
    def __init__(self, folder, user, contacts, proxy_port, domain="sip.example"):
        os.makedirs(folder, exist_ok=True)
        self.address = f"sip:{user}@{domain}"
        # baresip also takes the port behind its own, for TLS.
        self._port, self._control = free_port(), free_port()
        while self._control in (self._port, self._port + 1):
            self._control = free_port()
        self._contacts = list(contacts)
        self._reader = self._writer = None

        def write(name, text):
            with open(os.path.join(folder, name), "w") as f:
                f.write(text)

        write("config", _CONFIG.format(port=self._port, control=self._control, modules=_modules()))
        write("accounts", f'<{self.address}>;auth_pass=x;outbound="sip:127.0.0.1:{proxy_port};transport=udp";regint=300\n')
        write("contacts", "".join(f'"{name}" <{uri}>\n' for name, uri in self._contacts))
        self._process = Process("baresip", ["baresip", "-f", folder, "-s"], os.path.join(folder, "log"), {"HOME": folder})

    async def start(self):
        self._process.start()
        await self._process.ready(lambda: "200 OK (" in self._process.log_text() and tcp_answers(self._control))
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._control)

    async def _command(self, command, params=""):
        """Its answer; what else the phone tells on that socket is skipped."""
        text = json.dumps({"command": command, "params": params, "token": command}).encode()
        self._writer.write(b"%d:%s," % (len(text), text))
        while True:
            size = int((await asyncio.wait_for(self._reader.readuntil(b":"), 5))[:-1])
            value = json.loads((await self._reader.readexactly(size + 1))[:-1])
            if value.get("response") and value.get("token") == command:
                return value.get("data", "")

    async def send_message(self, to, text):
        """To one of the contacts, by its URI; the final response, read from the trace."""
        # /message goes to the current contact; the list ends at both ends, and its order is the phone's own.
        for step in ["contact_next"] * len(self._contacts) + ["contact_prev"] * len(self._contacts):
            if f"<{to}>" in await self._command(step):
                break
        else:
            raise AssertionError(f"{to} is no contact of baresip")
        seen = len(self._messages())
        await self._command("message", text)

        def final():
            later = self._messages()[seen:]
            requests = [m.call_id for own, m in later if own and not m.is_response and m.method == "MESSAGE"]
            for own, m in later:
                if not own and m.is_response and m.call_id in requests and m.status >= 200:
                    return m
            return None

        return await until(final, 35, "an answer to baresip's MESSAGE")

    def _messages(self):
        """(sent by us, message) of the whole trace."""
        own = f"127.0.0.1:{self._port}"
        result = []
        for source, _, text in _BLOCK.findall(self._process.log_text()):
            head, _, body = text.replace("\r", "").partition("\n\n")
            result.append((source == own, sip.parse(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body.encode())))
        return result

    def received(self):
        return [m for own, m in self._messages() if not own and not m.is_response and m.method == "MESSAGE"]

    async def stop(self):
        if self._writer:
            self._writer.close()
        await self._process.stop()
