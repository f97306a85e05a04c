"""A linphonec (Linphone's client for the console) of our own, told what to do on its standard input and read by what it prints."""

import os
import re

from .process import Process, free_port, until

_CONFIG = """\
[sip]
sip_port={port}
sip_tcp_port=-1
default_proxy=0
bind_address=127.0.0.1
guess_hostname=0
use_ipv6=0
[rtp]
audio_rtp_port=-1
[net]
firewall_policy=0
[proxy_default_values]
cpim_in_basic_chat_rooms_enabled={cpim}
[proxy_0]
reg_proxy=<sip:127.0.0.1:{proxy};transport=udp>
reg_route=<sip:127.0.0.1:{proxy};transport=udp;lr>
reg_identity={address}
reg_sendregister=1
reg_expires=600
publish=0
"""

_RECEIVED = re.compile(r"Message received from (.*?): (.*)")


class Linphone:
    def __init__(self, folder, user, proxy_port, cpim=False, domain="sip.example"):
        """cpim: what it sends is message/cpim with IMDN, as in its apps; else text/plain, as linphonec comes."""
        # Where its data base goes; without one it dies of the first message.
        os.makedirs(os.path.join(folder, ".local", "share", "linphone"), exist_ok=True)
        self.address = f"sip:{user}@{domain}"
        self._trace = os.path.join(folder, "trace")
        config = os.path.join(folder, "linphonerc")
        with open(config, "w") as f:
            f.write(_CONFIG.format(port=free_port(), proxy=proxy_port, address=self.address, cpim=int(cpim)))
        argv = ["linphonec", "-c", config, "-d", "6", "-l", self._trace]
        self._process = Process(
            "linphonec", argv, os.path.join(folder, "log"), {"HOME": folder, "XDG_RUNTIME_DIR": folder}, console=True
        )

    async def start(self):
        self._process.start()
        await self._process.ready(lambda: "[LinphoneRegistrationOk]" in self.trace())

    def trace(self):
        """Its own log with all of its SIP traffic."""
        try:
            with open(self._trace, errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def send_message(self, to, text):
        self._process.say(f"chat {to} {text}")

    def received(self):
        """(sender, text) as it prints them."""
        return _RECEIVED.findall(self._process.log_text())

    async def got(self, text, seconds=15):
        """The sender of that text; fails if it came twice."""
        await until(lambda: any(t == text for _, t in self.received()), seconds, f"{self.address} gets {text!r}")
        senders = [s for s, t in self.received() if t == text]
        if len(senders) != 1:
            raise AssertionError(f"{text!r} came {len(senders)} times")
        return senders[0]

    def fates(self):
        """What it says in its log of its texts, and of those that came: Delivered, DeliveredToUser, Displayed, NotDelivered."""
        return re.findall(r"moving from \w+ to (\w+)$", self.trace(), re.M)

    def conversations(self):
        """With whom; each is a window of its own in its apps."""
        return set(re.findall(r"ConferenceId\(peer=IdentityAddress\((.*?)\)", self.trace()))

    async def stop(self):
        await self._process.stop()
