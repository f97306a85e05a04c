"""Child processes and free ports: everything that a test starts ends with it, also when the test is killed."""

import asyncio
import ctypes
import itertools
import os
import random
import signal
import socket
import subprocess
import time

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


_PORTS = 100  # of one process; beyond, it takes again what is free of them


def _ports():
    """Below those that the system gives to whoever connects or listens without a number, so that a server finds its own again when it restarts;
    a hundred that no other test has while this one runs."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
            end = int(f.read().split()[0])
    except OSError:
        end = 32768
    begin, end = (10000, end) if end >= 12000 else (61000, 65535)
    slots = range(begin, end - _PORTS + 1, _PORTS)
    for slot in random.sample(slots, len(slots)):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            claim.bind(f"\0stox-e2e-ports-{slot}")
        except OSError:
            claim.close()
            continue
        with claim:  # as long as this generator lives
            yield from itertools.cycle(range(slot, slot + _PORTS))
    raise RuntimeError("other tests have all ports")


_next_port = _ports()


def free_port():
    """A port on 127.0.0.1 that is free for UDP and for TCP, and that nobody else is given."""
    for port in itertools.islice(_next_port, _PORTS):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            try:
                tcp.bind(("127.0.0.1", port))
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port on 127.0.0.1")


def tcp_answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.2):
            return True
    except OSError:
        return False


def tail(path, lines=25):
    try:
        with open(path, errors="replace") as f:
            return "".join(f.readlines()[-lines:])
    except OSError:
        return ""


async def until(condition, seconds, what):
    """Waits until condition() is true; the one place of the harness that polls."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        await asyncio.sleep(0.02)


class Process:
    """A server in the foreground with its output in a file."""

    def __init__(self, name, argv, log_path, env=None, before_exec=None, console=False):
        """console: it takes commands on its standard input, by say()."""
        self.name = name
        self.argv = argv
        self.log_path = log_path
        self._env = dict(os.environ, **(env or {}))
        self._before_exec = before_exec
        self._stdin = subprocess.PIPE if console else subprocess.DEVNULL
        self._child = None

    def start(self):
        parent = os.getpid()

        def in_child():
            os.setsid()
            _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
            if os.getppid() != parent:
                os._exit(1)
            if self._before_exec:
                self._before_exec()

        with open(self.log_path, "ab") as log:
            self._child = subprocess.Popen(
                self.argv, stdin=self._stdin, stdout=log, stderr=log, env=self._env, preexec_fn=in_child
            )

    @property
    def pid(self):
        return self._child.pid

    def running(self):
        return self._child is not None and self._child.poll() is None

    def exit_code(self):
        return self._child.poll()

    def say(self, line):
        self._child.stdin.write(line.encode() + b"\n")
        self._child.stdin.flush()

    def signal(self, number):
        self._child.send_signal(number)

    def log_text(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    async def ready(self, condition, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            if not self.running():
                raise AssertionError(f"{self.name} ended with {self.exit_code()}:\n{tail(self.log_path)}")
            if time.monotonic() > end:
                raise AssertionError(f"{self.name} is not ready after {seconds} s:\n{tail(self.log_path)}")
            await asyncio.sleep(0.02)

    async def ended(self, seconds):
        await until(lambda: not self.running(), seconds, f"{self.name} ends")
        return self.exit_code()

    async def stop(self, seconds=20):
        """TERM, then KILL for it and whatever it started."""
        if self._child is None:
            return None
        if self._child.stdin:
            self._child.stdin.close()
        if self.running():
            self._child.terminate()
            end = time.monotonic() + seconds
            while self.running() and time.monotonic() < end:
                await asyncio.sleep(0.02)
        try:
            os.killpg(self._child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        return self._child.wait()
