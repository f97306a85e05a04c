"""Unbound as the name server of one test: it knows a few records and no other names."""

import os
import socket

from .process import Process, free_port

_CONFIG = """\
server:
  interface: 127.0.0.1@{port}
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  chroot: ""
  username: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  logfile: ""
  module-config: "iterator"
  local-zone: "example." static
{records}
remote-control:
  control-enable: no
"""


class NameServer:
    def __init__(self, folder, records):
        """records: as in a zone file, "sip.example. 60 IN A 127.0.0.1"."""
        os.makedirs(folder, exist_ok=True)
        self.port = free_port()
        self._path = os.path.join(folder, "unbound.conf")
        lines = "".join(f"  local-data: '{r}'\n" for r in records)
        with open(self._path, "w") as f:
            f.write(_CONFIG.format(port=self.port, folder=folder, records=lines))
        self._process = Process("unbound", ["unbound", "-d", "-c", self._path], os.path.join(folder, "unbound.log"))

    async def start(self):
        self._process.start()
        await self._process.ready(self._answers)

    def _answers(self):
        # A question for the root's NS records; any answer will do.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.5)
            s.connect(("127.0.0.1", self.port))
            try:
                s.send(b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x00\x00\x06\x00\x01")
                return s.recv(512)[:2] == b"\x12\x34"
            except OSError:
                return False

    async def stop(self):
        await self._process.stop()
