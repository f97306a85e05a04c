"""tshark on the loopback interface, for some TCP ports: what could be read on the wire."""

import os
import shutil
import subprocess

from .process import Process, tail


class Capture:
    def __init__(self, folder, ports):
        self._file, self._log = os.path.join(folder, "wire.pcapng"), os.path.join(folder, "tshark.log")
        self._ports = ports
        self._process = None

    def missing(self):
        """Why nothing can be captured here; empty: it can."""
        if not shutil.which("tshark"):
            return "tshark is not installed"
        seen = subprocess.run(["tshark", "-D"], capture_output=True, text=True, timeout=20)
        return "" if "lo" in seen.stdout.split() else "this user may not capture on lo"

    async def start(self):
        ports = " or ".join(f"tcp port {p}" for p in self._ports)
        self._process = Process("tshark", ["tshark", "-i", "lo", "-w", self._file, "-f", ports], self._log)
        self._process.start()
        await self._process.ready(lambda: "Capturing on" in tail(self._log) and os.path.exists(self._file))

    async def stop(self):
        if self._process:
            await self._process.stop()
            self._process = None

    def _fields(self, shown, field):
        argv = ["tshark", "-r", self._file, "-Y", shown, "-T", "fields", "-e", field]
        # These ports are nobody's: without being told, tshark would not look for TLS there.
        for port in self._ports:
            argv += ["-d", f"tcp.port=={port},tls"]
        read = subprocess.run(argv, capture_output=True, text=True, timeout=60)
        # 2: the file is being written, and ends within a packet.
        if read.returncode not in (0, 2):
            raise AssertionError(f"tshark: {read.stderr}")
        return read.stdout.split()

    def clear_text(self):
        """Whatever of the payload is text, on all the ports."""
        payload = b"".join(bytes.fromhex(p.replace(":", "")) for p in self._fields("tcp.len > 0", "tcp.payload"))
        return payload.decode("latin-1")

    def encrypted(self):
        """How many segments are TLS records of application data (RFC 8446 §5.1: 23), behind STARTTLS too."""
        payloads = self._fields("tcp.len > 0", "tcp.payload")
        return sum(p.replace(":", "").startswith("1703") for p in payloads)
