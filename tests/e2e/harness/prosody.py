"""A Prosody of our own in a folder: plain c2s, and on free loopback ports a component port or other servers (federate)."""

import os
import signal

from .process import Process, free_port, tcp_answers

_CONFIG = """\
-- Written by the test harness for one run.
{root}pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
certificates = "{folder}"
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {c2s} }}
legacy_ssl_ports = {{}}
{globals_}component_ports = {{ {component_port} }}
modules_enabled = {{ "roster", "saslauth", "disco", "ping", "posix", "presence", "message", "iq"{more_modules} }}
{web}{s2s}authentication = "internal_plain"
storage = "internal"
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
limits = {{}}
log = {{ {{ levels = {{ min = "{log_level}" }}, to = "console" }} }}
VirtualHost "{domain}"
{component}"""

# A browser gets in by websocket or BOSH; what a user of today's clients has beside it.
_WEB_MODULES = ', "websocket", "bosh", "carbons", "pep", "blocklist", "vcard4", "smacks"'
_WEB = """\
http_ports = {{ {port} }}
http_interfaces = {{ "127.0.0.1" }}
http_default_host = "{domain}"
https_ports = {{}}
consider_websocket_secure = true
consider_bosh_secure = true
http_cors_override = {{ bosh = {{ enabled = true }}, websocket = {{ enabled = true }} }}
"""

_NO_S2S = """\
s2s_ports = {}
modules_disabled = { "s2s", "tls", "offline" }
"""

# The names are asked of our name server alone. That needs lua-unbound: Prosody's own resolver knows port 53 only. Beside the CA, ssl has
# to name the certificate here, for all hosts: a port of direct TLS takes none from the VirtualHost until SNI has named it.
_S2S = """\
s2s_interfaces = {{ "127.0.0.1" }}
s2s_ports = {{ {port} }}
s2s_direct_tls_interfaces = {{ "127.0.0.1" }}
s2s_direct_tls_ports = {{ {direct} }}
s2s_require_encryption = true
s2s_secure_auth = {secure_auth}
use_ipv6 = false
unbound = {{ resolvconf = false, hoststxt = false, forward = "127.0.0.1@{dns}", options = {{ ["do-not-query-localhost:"] = "no" }} }}
ssl = {{ cafile = "{ca}", certificate = "{chain}", key = "{key}" }}
modules_disabled = {{ "offline"{disabled} }}
"""

_GLOBALS = 'component_interfaces = { "127.0.0.1" }\n'
_COMPONENT = 'Component "{domain}"\n    component_secret = "{secret}"\n'


def _store_name(name):
    """Prosody's file names: all but letters and digits as %hh."""
    return "".join(c if c.isalnum() else f"%{ord(c):02x}" for c in name)


class Prosody:
    def __init__(self, folder, domain="xmpp.example", component_domain="sip.example", secret="component-secret", more_domains=()):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.domain, self.component_domain, self.secret = folder, domain, component_domain, secret
        self.component_domains = (component_domain, *more_domains)
        self.c2s_port, self.component_port = free_port(), free_port()
        self.http_port = None
        self.s2s_port = self.s2s_tls_port = None
        self._s2s, self._s2s_modules = _NO_S2S, ()
        self._process = None

    def use_web(self):
        """Lets browsers in; they find the websocket at websocket_url."""
        self.http_port = free_port()

    def federate(self, dns_port, certificate, ca, external=False, dialback=True, bidi=False, component=False):
        """Speaks with other servers, on ports that harness.federation.place gave it, and without `component` has no component port any more.
        certificate: (chain, key); external: only who proves its domain by a certificate of the authority `ca` is talked to; dialback:
        others may prove it by the DNS."""
        if not component:
            self.component_port, self.component_domains = None, ()
        self._s2s_modules = ("tls", "s2s", *(["dialback"] if dialback else []), *(["s2s_bidi"] if bidi else []))
        chain, key = certificate
        self._s2s = _S2S.format(
            port=self.s2s_port, direct=self.s2s_tls_port or "", secure_auth="true" if external else "false", dns=dns_port, ca=ca,
            chain=chain, key=key, disabled="" if dialback else ', "dialback"',
        )  # fmt: skip

    @property
    def websocket_url(self):
        return f"ws://127.0.0.1:{self.http_port}/xmpp-websocket"

    def register(self, user, password):
        """As `prosodyctl register` does, without its half a second for each."""
        accounts = os.path.join(self.folder, "data", _store_name(self.domain), "accounts")
        os.makedirs(accounts, exist_ok=True)
        with open(os.path.join(accounts, _store_name(user) + ".dat"), "w") as f:
            f.write(f'return {{ ["password"] = "{password}"; }};\n')

    def befriend(self, user, contacts):
        """Puts (JID, name) into the roster of a user, as contacts that see each other's presence."""
        folder = os.path.join(self.folder, "data", _store_name(self.domain), "roster")
        os.makedirs(folder, exist_ok=True)
        items = "".join(
            f'["{jid}"] = {{ ["subscription"] = "both"; ["name"] = "{name}"; ["groups"] = {{}}; }};\n' for jid, name in contacts
        )
        with open(os.path.join(folder, _store_name(user) + ".dat"), "w") as f:
            f.write(f'return {{ [false] = {{ ["version"] = 1; }};\n{items}}};\n')

    async def start(self, globals_=_GLOBALS, component=None):
        """globals_, component: the lines that a page of docs/howto gives for them."""
        if component is None:
            component = "".join(_COMPONENT.format(domain=d, secret=self.secret) for d in self.component_domains)
        config = os.path.join(self.folder, "prosody.cfg.lua")
        with open(config, "w") as f:
            f.write(
                _CONFIG.format(
                    root="run_as_root = true\n" if os.geteuid() == 0 else "",
                    folder=self.folder,
                    c2s=self.c2s_port,
                    component_port=self.component_port or "",
                    domain=self.domain,
                    globals_=globals_,
                    more_modules=(_WEB_MODULES if self.http_port else "") + "".join(f', "{m}"' for m in self._s2s_modules),
                    web=_WEB.format(port=self.http_port, domain=self.domain) if self.http_port else "",
                    s2s=self._s2s,
                    log_level="debug" if self.s2s_port else "info",
                    component=component,
                )
            )
        root = ["--root"] if os.geteuid() == 0 else []
        self._process = Process(
            "prosody", ["prosody", "-F", *root, "--config", config], os.path.join(self.folder, "prosody.log")
        )
        self._process.start()
        ports = [self.c2s_port, self.component_port, self.http_port, self.s2s_port]
        await self._process.ready(lambda: all(tcp_answers(p) for p in ports if p))

    def freeze(self):
        """It answers nothing any more, but its connections stay."""
        self._process.signal(signal.SIGSTOP)

    def thaw(self):
        self._process.signal(signal.SIGCONT)

    async def stop(self):
        if self._process:
            await self._process.stop()

    def log_text(self):
        return self._process.log_text()
