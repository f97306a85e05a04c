"""The recipes of docs/howto work as they stand: their blocks, with the addresses and ports of this run, make real servers talk."""

import hashlib
import os
import re
import shutil
import tempfile
import unittest

from harness import ejabberd, sip
from harness.kamailio import Kamailio
from harness.prosody import Prosody
from harness.stoxd import Stoxd
from harness.ua import SipClient
from harness.world import PASSWORD, WorldTest
from harness.xmpp import XmppClient

_HOWTO = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "howto")
_SECRET = "the content of component.secret"
JULIET = "sip:juliet@xmpp.example"


def block(page, first_line):
    """The fenced block of a page that begins with that line."""
    with open(os.path.join(_HOWTO, page)) as f:
        for text in re.findall(r"^```\w*\n(.*?)^```$", f.read(), re.M | re.S):
            if text.startswith(first_line):
                return text
    raise AssertionError(f"{page} has no block that begins with {first_line!r}")


class RecipeProsody(Prosody):
    """The harness's own, with the page's lines in the place of its component's."""

    async def start(self):
        interfaces = block("prosody.md", "component_interfaces").replace("192.0.2.30", "127.0.0.1")
        component = block("prosody.md", "Component ")
        await super().start(globals_=interfaces, component=component)


class RecipeEjabberd(ejabberd.Ejabberd):
    """The harness's own, with the page's listener in the place of its component's."""

    async def start(self):
        self.listeners = block("ejabberd.md", "  - port: 5347").replace("192.0.2.30", "127.0.0.1").replace("5347", str(self.component_port))
        await super().start()


class RecipeKamailio(Kamailio):
    def config(self):
        text = block("kamailio.md", "#!KAMAILIO")
        text = text.replace("192.0.2.10:5060", f"127.0.0.1:{self.port}")
        return text.replace("192.0.2.20:5060", f"127.0.0.1:{self.gateway_port}").replace("192.0.2.20", "127.0.0.1")


class RecipeStoxd(Stoxd):
    def write_config(self, proxy_port):
        text = block("kamailio.md", "[gateway]")
        for old, new in (
            ("192.0.2.20:5060", f"127.0.0.1:{self.sip_port}"),
            ("192.0.2.10:5060", f"127.0.0.1:{proxy_port}"),
            ("192.0.2.10/32", "127.0.0.1/32"),
            ("192.0.2.30:5347", f"127.0.0.1:{self.component_port}"),
            ("/var/lib/stox/stox.db", f"{self.folder}/stox.db"),
            ("/run/stox/ctl", f"{self.folder}/ctl"),
            ("[admin]\n", f'[admin]\nlisten = "127.0.0.1:{self.admin_port}"\n'),
        ):
            assert old in text, f"kamailio.md says nothing of {old}"
            text = text.replace(old, new)
        with open(self.config_path, "w") as f:
            f.write(text)
        secret = os.path.join(self.folder, "component.secret")
        with open(secret, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
            f.write(_SECRET)


class DigestClient(SipClient):
    """Answers a challenge as a phone does (RFC 3261 §22.4, MD5 without qop)."""

    password = ""

    async def request(self, message, timeout=30):
        first = sip.Message(message.start, list(message.headers), message.body)
        answer = await super().request(message, timeout)
        if answer is None or answer.status not in (401, 407):
            return answer
        challenge = answer.get("WWW-Authenticate" if answer.status == 401 else "Proxy-Authenticate")
        asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        user = sip.uri_of(first.get("From")).split(":")[1].split("@")[0]

        def md5(text):
            return hashlib.md5(text.encode()).hexdigest()

        ha1 = md5(f"{user}:{asked['realm']}:{self.password}")
        proof = md5(f"{ha1}:{asked['nonce']}:{md5(f'{first.method}:{first.uri}')}")
        value = (
            f'Digest username="{user}", realm="{asked["realm"]}", nonce="{asked["nonce"]}", '
            f'uri="{first.uri}", response="{proof}"'
        )
        name = "Authorization" if answer.status == 401 else "Proxy-Authorization"
        first.headers = [(n, "2 " + first.method if n == "CSeq" else v) for n, v in first.headers] + [(name, value)]
        return await super().request(first, timeout)


class Recipes(WorldTest):
    async def _recipe(self, server_class):
        folder = tempfile.mkdtemp(prefix="stox-howto-")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        server = server_class(os.path.join(folder, "xmpp"))
        stoxd = RecipeStoxd(self.binary, os.path.join(folder, "stoxd"), server.component_port, "tcp")
        kamailio = RecipeKamailio(os.path.join(folder, "kamailio"), stoxd.sip_port)
        server.register("juliet", PASSWORD)
        stoxd.write_config(kamailio.port)
        for one in (server, kamailio, stoxd):
            self.addAsyncCleanup(one.stop)
        await server.start()
        await kamailio.start()
        await stoxd.start()
        juliet = XmppClient("juliet@xmpp.example/desk", PASSWORD, server.c2s_port)
        self.addAsyncCleanup(juliet.stop)
        await juliet.start()
        alice = DigestClient(kamailio.port)
        alice.password = "wonderland-1"
        self.addAsyncCleanup(alice.stop)
        await alice.start()
        await alice.register("alice")
        return juliet, alice

    async def _works(self, server_class):
        juliet, alice = await self._recipe(server_class)
        answer = await alice.send_message("alice", JULIET, "good morrow")
        self.assertEqual(answer.status, 200)
        self.assertEqual((await self.xmpp_got(juliet, "good morrow")).sender, "alice@sip.example")
        juliet.send_text("alice@sip.example", "and to you")
        seen = await self.sip_got(alice, "alice", "and to you")
        self.assertEqual(seen.sender, "sip:juliet@xmpp.example;gr=desk")

        # Nobody writes under another's name, and what is asserted by a user counts for nothing.
        stolen = await alice.send_message("bob", JULIET, "from bob?")
        self.assertIn(stolen.status, (403, 407))
        answer = await alice.send_message(
            "alice", JULIET, "still alice", [("P-Asserted-Identity", "<sip:bob@sip.example>")]
        )
        self.assertEqual(answer.status, 200)
        self.assertEqual((await self.xmpp_got(juliet, "still alice")).sender, "alice@sip.example")
        self.assertEqual(len(juliet.texts()), 2)

        unknown = juliet.send_text("nobody@sip.example", "hello?")
        self.assertEqual((await self.xmpp_error(juliet, unknown)).condition, "item-not-found")

    async def test_kamailio_and_prosody(self):
        await self._works(RecipeProsody)

    @unittest.skipIf(ejabberd.missing(), ejabberd.missing())
    async def test_kamailio_and_ejabberd(self):
        await self._works(RecipeEjabberd)
