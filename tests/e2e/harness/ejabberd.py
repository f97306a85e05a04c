"""An ejabberd of our own in a folder: plain c2s and one component port on free loopback ports. Where a test needs more of a server than
Prosody gives, or another one's habits."""

import glob
import os
import shutil

from .process import Process, free_port, tcp_answers

_CONFIG = """\
loglevel: {log_level}
hosts:
  - "{domain}"
auth_password_format: plain
{globals_}listen:
  - port: {c2s}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    starttls: false
{listeners}modules:
  mod_disco: {{}}
  mod_ping: {{}}
  mod_roster: {{}}
{modules}"""

_COMPONENT = """\
  - port: {component}
    ip: "127.0.0.1"
    module: ejabberd_service
    hosts:
      "{component_domain}":
        password: "{secret}"
"""

# ca_file is what it trusts in both directions (s2s_cafile would be the outgoing one's alone).
_S2S = """\
certfiles:
  - "{pem}"
ca_file: "{ca}"
s2s_use_starttls: required
outgoing_s2s_families:
  - ipv4
s2s_dns_timeout: 5 s
"""
_S2S_LISTENER = """\
  - port: {port}
    ip: "127.0.0.1"
    module: ejabberd_s2s_in
    tls: {direct}
"""


def missing():
    """Why there can be no ejabberd here; empty: there can."""
    if not shutil.which("erl"):
        return "no erl"
    return "" if _libraries() else "no ejabberd"


def _libraries():
    """The folder that holds ejabberd-VERSION; ejabberdctl would change to a user of its own."""
    found = glob.glob("/usr/lib/*/ejabberd-*/ebin/ejabberd.beam") + glob.glob("/usr/lib/ejabberd-*/ebin/ejabberd.beam")
    return os.path.dirname(os.path.dirname(os.path.dirname(found[0]))) if found else ""


class Ejabberd:
    """In the place of harness.prosody.Prosody."""

    def __init__(self, folder, domain="xmpp.example", component_domain="sip.example", secret="component-secret"):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.domain, self.component_domain, self.secret = folder, domain, component_domain, secret
        self.c2s_port, self.component_port = free_port(), free_port()
        self.s2s_port = self.s2s_tls_port = None
        self._globals = self.listeners = self._modules = ""
        self._names = {}
        self._users = {}
        self._process = None

    def register(self, user, password):
        self._users[user] = password

    def federate(self, dns_port, certificate, ca, dialback=True):
        """Speaks with other servers, and has no component port any more; as Prosody's."""
        self.component_port = None
        # One file for both, as its certfiles want it.
        pem = os.path.join(self.folder, "server.pem")
        with open(pem, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
            for part in certificate:
                with open(part) as g:
                    f.write(g.read())
        self._globals = _S2S.format(pem=pem, ca=ca)
        self.listeners = _S2S_LISTENER.format(port=self.s2s_port, direct="false")
        if self.s2s_tls_port:
            self.listeners += _S2S_LISTENER.format(port=self.s2s_tls_port, direct="true")
        self._modules = "  mod_s2s_dialback: {}\n" if dialback else ""
        # Erlang's own resolver, which takes a port, in the place of the C library's. What resolv_conf names is put out first: later, it
        # would put out our name server too.
        inetrc = os.path.join(self.folder, "inetrc")
        with open(inetrc, "w") as f:
            f.write(f'{{resolv_conf, ""}}.\n{{hosts_file, ""}}.\n{{lookup, [dns]}}.\n{{nameserver, {{127,0,0,1}}, {dns_port}}}.\n')
        self._names = {"ERL_INETRC": inetrc}

    async def start(self):
        config = os.path.join(self.folder, "ejabberd.yml")
        with open(config, "w", encoding="utf-8") as f:
            f.write(
                _CONFIG.format(
                    domain=self.domain,
                    c2s=self.c2s_port,
                    log_level="debug" if self.s2s_port else "info",
                    globals_=self._globals,
                    listeners=self.listeners
                    or _COMPONENT.format(component=self.component_port, component_domain=self.component_domain, secret=self.secret),
                    modules=self._modules,
                )
            )
        environment = {
            "EJABBERD_CONFIG_PATH": config,
            "EJABBERD_LOG_PATH": os.path.join(self.folder, "ejabberd.log"),
            "ERL_LIBS": _libraries(),
            "HOME": self.folder,
            **self._names,
        }
        users = ", ".join(
            f'ejabberd_auth:try_register(<<"{user}">>, <<"{self.domain}">>, <<"{password}">>)' for user, password in self._users.items()
        )
        ready = os.path.join(self.folder, "ready")
        if os.path.exists(ready):
            os.remove(ready)
        # Without a name it is no node of a cluster, so it needs no epmd, which would outlive it.
        argv = ["erl", "-noinput", "-mnesia", "dir", f'"{self.folder}/spool"', "-s", "ejabberd"]
        argv += ["-eval", f'{users + ", " if users else ""}ok = file:write_file("{ready}", "").']
        self._process = Process("ejabberd", argv, os.path.join(self.folder, "console.log"), environment)
        self._process.start()
        await self._process.ready(
            lambda: os.path.exists(ready) and all(tcp_answers(p) for p in (self.c2s_port, self.component_port or self.s2s_port)), 60
        )

    async def stop(self):
        if self._process:
            await self._process.stop()

    def log_text(self):
        with open(os.path.join(self.folder, "ejabberd.log"), errors="replace") as f:
            return f.read()
