"""A whole world for one test: Prosody, Kamailio, stoxd and clients on free loopback ports, in a folder of its own."""

import asyncio
import os
import shutil
import tempfile
import unittest

from . import process
from .kamailio import Kamailio
from .process import until
from .prosody import Prosody
from .stoxd import Stoxd
from .ua import SipClient
from .xmpp import XmppClient

PASSWORD = "user-password-4711"


class World:
    def __init__(
        self,
        stoxd_binary,
        transport="udp",
        secret="component-secret",
        sip_extra="",
        answer_seconds=3,
        challenge=None,
        xmpp_server=Prosody,
    ):
        self.folder = tempfile.mkdtemp(prefix="stox-e2e-")
        self.transport = transport
        self.prosody = xmpp_server(os.path.join(self.folder, "prosody"))  # or what stands in its place
        self.stoxd = Stoxd(
            stoxd_binary,
            os.path.join(self.folder, "stoxd"),
            self.prosody.component_port,
            transport,
            secret,
            sip_extra,
        )
        self.kamailio = Kamailio(
            os.path.join(self.folder, "kamailio"),
            self.stoxd.sip_port,
            answer_seconds=answer_seconds,
            challenge=challenge,
        )
        self._clients = []

    async def start(self, ready=True, users=("juliet",)):
        for user in users:
            self.prosody.register(user, PASSWORD)
        self.stoxd.write_config(self.kamailio.port)
        await asyncio.gather(self.prosody.start(), self.kamailio.start())
        await self.stoxd.start(ready)

    async def xmpp_client(self, user, resource="desk", plugins=()):
        client = XmppClient(f"{user}@{self.prosody.domain}/{resource}", PASSWORD, self.prosody.c2s_port, plugins)
        self._clients.append(client)
        await client.start()
        return client

    async def sip_client(self, *users, transport=None):
        """One socket that registers all these users with Kamailio."""
        client = SipClient(self.kamailio.port, transport or self.transport)
        self._clients.append(client)
        await client.start()
        for user in users:
            await client.register(user)
        return client

    async def gateway_client(self, transport=None):
        """A SIP peer that talks to stoxd itself, as a dispatcher does."""
        client = SipClient(self.stoxd.sip_port, transport or self.transport)
        self._clients.append(client)
        await client.start()
        return client

    async def stop(self):
        for client in self._clients:
            await client.stop()
        code = await self.stoxd.stop()
        await self.kamailio.stop()
        await self.prosody.stop()
        return code

    def logs(self):
        parts = []
        for name in ("stoxd/stoxd.log", "prosody/prosody.log", "prosody/ejabberd.log", "kamailio/kamailio.log"):
            parts.append(f"---- {name}\n{process.tail(os.path.join(self.folder, name), 40)}")
        return "\n".join(parts)

    def remove(self):
        if not os.environ.get("STOX_E2E_KEEP"):
            shutil.rmtree(self.folder, ignore_errors=True)


class WorldTest(unittest.IsolatedAsyncioTestCase):
    """Tests get self.world from `await self.make_world(...)`; it is stopped, and a crash of stoxd is a failure."""

    binary = os.environ.get("STOX_STOXD", "")
    world_class = World
    maxDiff = None

    def setUp(self):
        if not self.binary:
            self.fail("STOX_STOXD does not name the daemon")

    async def asyncSetUp(self):
        # unittest turns the loop's debug mode on, which costs more than all the traffic of a test.
        asyncio.get_running_loop().set_debug(False)

    async def make_world(self, start=True, ready=True, users=("juliet",), **options):
        self.world = self.world_class(self.binary, **options)
        self.addAsyncCleanup(self._end_world)
        if start:
            await self.world.start(ready, users)
        return self.world

    async def _end_world(self):
        code = await self.world.stop()
        failed = self._outcome_failed()
        if failed:
            print(self.world.logs(), flush=True)
        self.world.remove()
        self.assertIn(code, (0, None), "stoxd ends cleanly on SIGTERM")

    def _outcome_failed(self):
        result = self._outcome.result
        return any(test is self for test, _ in [*result.failures, *result.errors]) or not self._outcome.success

    async def until(self, condition, seconds=10, what="the condition"):
        return await until(condition, seconds, what)

    async def xmpp_got(self, client, text, seconds=10):
        """The one stanza with that body; fails if it came twice."""
        await until(lambda: any(s.text == text for s in client.texts()), seconds, f"{client.boundjid} gets {text!r}")
        got = [s for s in client.texts() if s.text == text]
        self.assertEqual(len(got), 1, f"{text!r} came more than once")
        return got[0]

    async def sip_got(self, client, user, text, seconds=10):
        await until(lambda: any(r.text == text for r in client.received_by(user)), seconds, f"{user} gets {text!r}")
        got = [r for r in client.received_by(user) if r.text == text]
        self.assertEqual(len(got), 1, f"{text!r} came more than once")
        return got[0]

    async def xmpp_error(self, client, stanza_id, seconds=10):
        await until(
            lambda: any(s.id == stanza_id for s in client.errors()), seconds, f"{client.boundjid} gets the error of {stanza_id}"
        )
        got = [s for s in client.errors() if s.id == stanza_id]
        self.assertEqual(len(got), 1, f"more than one error for {stanza_id}")
        return got[0]
