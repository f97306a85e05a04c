"""What servers that speak with each other need beside themselves: names in the DNS, and an authority whose certificates prove them."""

import os
import shutil

from .certificates import Authority
from .nameserver import NameServer
from .process import free_port


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
