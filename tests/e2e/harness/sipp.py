"""A SIPp that answers as sipp_plain_only.xml says until it is ended, and what it got."""

import os
import re

from . import im, sip
from .process import Process

_SCENARIO = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "sipp_plain_only.xml")
_BLOCK = re.compile(r"^-{10,} [^\n]*\n(?:UDP|TCP) message received[^\n]*\n\n(.*?)(?=^-{10,} |\Z)", re.M | re.S)


class PlainOnly:
    def __init__(self, folder, port, remote_port):
        self._port = port
        self._messages = os.path.join(folder, "sipp.messages")
        argv = ["sipp", f"127.0.0.1:{remote_port}", "-sf", _SCENARIO, "-i", "127.0.0.1", "-p", str(port), "-nostdin"]
        argv += ["-trace_msg", "-message_file", self._messages]
        self._process = Process("sipp", argv, os.path.join(folder, "sipp.log"))

    async def start(self):
        self._process.start()
        await self._process.ready(self._bound)

    def _bound(self):
        with open("/proc/net/udp") as f:
            return any(f":{self._port:04X} " in line for line in f)

    def seen(self):
        """(media type, text) of the MESSAGEs, each transaction once."""
        found = {}
        with open(self._messages, errors="replace") as f:
            for block in _BLOCK.findall(f.read()):
                head, _, body = block.replace("\r", "").partition("\n\n")
                message = sip.parse(head.replace("\n", "\r\n").encode() + b"\r\n\r\n" + body.rstrip("\n").encode())
                kind = im.type_of(message)
                found[message.branch] = (kind, im.parse_cpim(message.text).body if kind == im.CPIM else message.text)
        return list(found.values())

    async def stop(self):
        await self._process.stop()
