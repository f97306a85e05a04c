"""What servers that speak with each other need beside themselves: names in the DNS, and an authority whose certificates prove them."""

import asyncio
import os
import re
import shutil

from .certificates import Authority
from .ejabberd import Ejabberd
from .nameserver import NameServer
from .peer import Peer
from .process import free_port, tail, until
from .world import PASSWORD, World, WorldTest
from .xmpp import XmppClient


def missing():
    """Why nothing can federate here; empty: it can."""
    lacking = [p for p in ("openssl", "unbound") if not (shutil.which(p) or shutil.which(p, path="/usr/sbin"))]
    # Prosody takes another name server than port 53 of resolv.conf by it only.
    if not any(os.path.exists(f"/usr/lib/{d}/lua/5.4/lunbound.so") for d in os.listdir("/usr/lib")):
        lacking.append("lua-unbound")
    return f"not installed: {' '.join(lacking)}" if lacking else ""


# The host of every server. ejabberd finds SRV records as its inetrc says, but asks the C library for addresses (net:getaddrinfo); this name it
# knows without any name server, and ours knows it too.
HERE = "localhost"


def srv(domain, port, host=HERE, direct=False, priority=10):
    service = "_xmpps-server" if direct else "_xmpp-server"
    return f"{service}._tcp.{domain}. 60 IN SRV {priority} 0 {port} {host}."


class Ground:
    """The authority and the name server of one test, in a folder."""

    def __init__(self, folder):
        self.folder = folder
        self.root = Authority(os.path.join(folder, "ca"))
        self.names = None

    async def start_names(self, records):
        """records: as in a zone file."""
        self.names = NameServer(os.path.join(self.folder, "unbound"), records)
        await self.names.start()

    def certificate(self, domain, usage="serverAuth,clientAuth", authority=None):
        return (authority or self.root).issue_for_xmpp(domain, domain, usage=usage)

    def strange_authority(self):
        return Authority(os.path.join(self.folder, "other-ca"), "another root")

    async def stop(self):
        if self.names:
            await self.names.stop()


def place(server, direct=False):
    """Gives a server its ports for other servers; the records that say so. The port of direct TLS is the better one: of two of one priority
    ejabberd takes the one with the smaller number."""
    server.s2s_port, server.s2s_tls_port = free_port(), free_port() if direct else None
    records = [srv(server.domain, server.s2s_port)]
    return records + ([srv(server.domain, server.s2s_tls_port, direct=True, priority=5)] if direct else [])


class Federation(World):
    """A world in which stoxd is a server among servers: Prosody (xmpp.example), ejabberd (ej.example) and the peer that a test leads by hand
    (peer.example), as many of them as it asks for."""

    def __init__(
        self,
        stoxd_binary,
        servers=("prosody",),
        strange=(),
        auth="dialback",
        direct=(),
        bidi=False,
        external=False,
        s2s_extra="",
        reaches=None,
        records=(),
        **options,
    ):
        """strange: those of "stoxd", "prosody", "ejabberd", "peer" whose certificate is of an authority that nobody knows; direct: those that
        offer direct TLS; external: Prosody takes certificates only; reaches: a component link to Prosody too; records: more of the zone."""
        options.setdefault("answer_seconds", 30)
        super().__init__(stoxd_binary, **options)
        self.ground = Ground(self.folder)
        self.ejabberd = Ejabberd(os.path.join(self.folder, "ejabberd"), "ej.example") if "ejabberd" in servers else None
        self.servers = {"stoxd": self.stoxd}
        if "prosody" in servers:
            self.servers["prosody"] = self.prosody
        if self.ejabberd:
            self.servers["ejabberd"] = self.ejabberd
        stranger = self.ground.strange_authority() if strange else None
        self._certificates = {}

        def certificate(name, domain):
            self._certificates[name] = self.ground.certificate(domain, authority=stranger if name in strange else None)
            return self._certificates[name]

        self.peer = None
        if "peer" in servers:
            # It believes in its own authority only where ours is not of it either.
            self.peer = Peer("peer.example", certificate("peer", "peer.example"), None if "stoxd" in strange else self.ground.root.file)
            self.servers["peer"] = self.peer
        for name in ("stoxd", "prosody", "ejabberd"):
            if name in self.servers:
                certificate(name, self.servers[name].domain)
        self._peer_is_believed = "peer" not in strange
        self.records = [*records]
        for name, server in self.servers.items():
            self.records += place(server, name in direct)
        self._how = {"external": external, "bidi": bidi, "component": reaches is not None}
        self._stoxd = {"auth": auth, "extra": s2s_extra, "reaches": reaches}

    async def start(self, ready=True, users=("juliet",)):
        await self.ground.start_names(self.records)
        dns, ca = self.ground.names.port, self.ground.root.file
        others = []
        for name, server in self.servers.items():
            if name == "prosody":
                server.federate(dns, self._certificates[name], ca, **self._how)
            elif name == "ejabberd":
                server.federate(dns, self._certificates[name], ca)
            elif name == "stoxd":
                server.federate(dns, self._certificates[name], ca, **self._stoxd)
                continue
            if name != "peer":
                for user in users:
                    server.register(user, PASSWORD)
            others.append(server)
        self.stoxd.write_config(self.kamailio.port)
        await asyncio.gather(self.kamailio.start(), *(s.start() for s in others))
        if self.peer:
            self.peer.other, self.peer.by_certificate = (self.stoxd.domain, self.stoxd.s2s_port), self._peer_is_believed
        await self.stoxd.start(ready)

    async def client_of(self, server, user="juliet", resource="desk"):
        client = XmppClient(f"{user}@{server.domain}/{resource}", PASSWORD, server.c2s_port)
        self._clients.append(client)
        await client.start()
        return client

    async def stop(self):
        if self.peer:
            await self.peer.stop()
        code = await super().stop()
        if self.ejabberd:
            await self.ejabberd.stop()
        await self.ground.stop()
        return code

    def logs(self):
        extra = [f"---- ejabberd\n{tail(os.path.join(self.folder, 'ejabberd/ejabberd.log'), 30)}"] if self.ejabberd else []
        return "\n".join([super().logs(), *extra])


class FederationTest(WorldTest):
    world_class = Federation

    def setUp(self):
        super().setUp()
        if why := missing():
            self.skipTest(why)

    async def logged(self, server, *patterns, seconds=5):
        """Each of the patterns matches a line of the server's log; ejabberd writes with some delay."""
        for pattern in patterns:
            line = re.compile(pattern)
            await until(lambda: any(map(line.search, server.log_text().splitlines())), seconds, f"{server.domain} logs {pattern}")

    def not_logged(self, server, pattern):
        found = [l for l in server.log_text().splitlines() if re.search(pattern, l)]
        self.assertEqual(found[:3], [])

    async def messages_cross(self, juliet, alice, tag="", user="alice"):
        """One to and one from the SIP user; what her client saw of it."""
        before = len(juliet.errors())
        juliet.send_text(f"{user}@sip.example", f"to SIP {tag}")
        await until(lambda: alice.received_by(user) or len(juliet.errors()) > before, 30, f"a message {tag} to SIP or its error")
        self.assertEqual([e.condition for e in juliet.errors()[before:]], [])
        await self.sip_got(alice, user, f"to SIP {tag}", 20)
        answer = await alice.send_message(user, f"sip:{juliet.boundjid.bare}", f"to XMPP {tag}")
        self.assertIsNotNone(answer, "no answer")
        self.assertEqual(answer.status, 200, answer.start)
        got = await self.xmpp_got(juliet, f"to XMPP {tag}")
        self.assertEqual(got.sender, f"{user}@sip.example")
