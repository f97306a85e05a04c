"""The daemon under test: its configuration, its log, its metrics."""

import os
import re
import signal
import subprocess
import urllib.error
import urllib.request

from .process import Process, free_port

_CONFIG = """\
[gateway]
sip_domains = ["sip.example"]
{xmpp_domains}
[sip]
listen = ["udp:127.0.0.1:{sip}", "tcp:127.0.0.1:{sip}"]
{route}
trusted_peers = ["127.0.0.0/8"]
{sip_extra}
{xmpp}
{dns}
[store]
path = "{store}"

# Tests write faster than people.
[limits]
rate_per_sender = 0
rate_per_pair = 0

[admin]
listen = "127.0.0.1:{admin}"
control = "{folder}/ctl"

[log]
level = "debug"
"""

_COMPONENT = """\
[[xmpp.component]]
domain = "sip.example"
server = "127.0.0.1:{component}"
secret = "{secret}"
"""

_FEDERATION = """\
[xmpp.s2s]
listen = ["tcp:127.0.0.1:{port}"]
tls_listen = [{direct}]
never_connect = []
tls = "required"
auth = "{auth}"
{extra}
[[tls.certificate]]
domains = ["sip.example"]
chain = "{chain}"
key = "{key}"

[tls]
ca_file = "{ca}"
"""


class Stoxd:
    def __init__(self, binary, folder, component_port, transport="udp", secret="component-secret", sip_extra=""):
        os.makedirs(folder, exist_ok=True)
        self.binary, self.folder, self.transport = binary, folder, transport
        self.component_port, self.secret, self.sip_extra = component_port, secret, sip_extra
        self.sip_port, self.admin_port = free_port(), free_port()
        self.domain, self.s2s_port, self.s2s_tls_port = "sip.example", None, None
        self.proxy_port = None
        self._xmpp_domains = 'xmpp_domains = ["xmpp.example"]\n'
        self._federation = self._reaches = None
        self._proxy_by_name = False
        self.admin_host = "127.0.0.1"
        self._dns = ""
        self.store = ":memory:"
        self.before_exec = None  # called in the child that becomes stoxd
        self.env = {}  # beside this process's own
        self.config_path = os.path.join(folder, "stox.toml")
        self._process = None

    def write_config(self, proxy_port):
        self.proxy_port = proxy_port
        with open(self.config_path, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as f:
            f.write(
                _CONFIG.format(
                    sip=self.sip_port,
                    route=self._route(proxy_port),
                    dns=self._dns,
                    store=self.store,
                    sip_extra=self.sip_extra,
                    xmpp_domains=self._xmpp_domains,
                    xmpp=self._xmpp(),
                    admin=self.admin_port,
                    folder=self.folder,
                )
            )

    def use_dns(self, port):
        """No proxy: the SIP domain's servers are asked of that name server."""
        self._dns = f'[dns]\nservers = ["127.0.0.1:{port}"]\n'
        self._proxy_by_name = True

    def federate(self, dns_port, certificate, ca, auth="dialback", extra="", reaches=None):
        """A server among servers, on ports that harness.federation.place gave it. certificate: (chain, key); ca: the file of whose
        certificates it believes; extra: more lines of [xmpp.s2s] and its tables; reaches: domains to which the component link, which else
        there is not, is the way."""
        self.use_dns(dns_port)
        self._proxy_by_name = False
        self._xmpp_domains = ""
        chain, key = certificate
        direct = f'"tcp:127.0.0.1:{self.s2s_tls_port}"' if self.s2s_tls_port else ""
        self._federation = _FEDERATION.format(
            port=self.s2s_port, direct=direct, auth=auth, extra=extra, chain=chain, key=key, ca=ca
        )
        self._reaches = reaches

    def _xmpp(self):
        component = _COMPONENT.format(component=self.component_port, secret=self.secret)
        if self._federation is None:
            return component
        if self._reaches is None:
            return self._federation
        domains = ", ".join(f'"{d}"' for d in self._reaches)
        return f"{component}reaches = [{domains}]\n\n{self._federation}"

    def _route(self, proxy_port):
        if self._proxy_by_name:
            return ""
        return f'outbound_proxy = "sip:127.0.0.1:{proxy_port}{";transport=tcp" if self.transport == "tcp" else ""};lr"'

    async def start(self, ready=True):
        """ready: waits until it says that it can work, not only that it lives."""
        self._process = Process(
            "stoxd",
            [self.binary, "--config", self.config_path],
            os.path.join(self.folder, "stoxd.log"),
            env=self.env,
            before_exec=self.before_exec,
        )
        self._process.start()
        path = "/readyz" if ready else "/healthz"
        await self._process.ready(lambda: self.http(path)[0] == 200)

    def http(self, path, host=None):
        """host: the Host field, else the address."""
        request = urllib.request.Request(f"http://{self.admin_host}:{self.admin_port}{path}", headers={"Host": host} if host else {})
        try:
            with urllib.request.urlopen(request, timeout=2) as r:
                return r.status, r.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()
        except OSError as e:
            return 0, str(e)

    def metric(self, name, **labels):
        """The sum of the series with that name and those labels."""
        total = 0.0
        for line in self.http("/metrics")[1].splitlines():
            m = re.match(r"([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$", line)
            if m and m.group(1) == name:
                own = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', m.group(2) or ""))
                if all(own.get(k) == v for k, v in labels.items()):
                    total += float(m.group(3))
        return total

    @property
    def pid(self):
        return self._process.pid

    def log_text(self):
        return self._process.log_text()

    def terminate(self):
        self._process.signal(signal.SIGTERM)

    def hang_up(self):
        """SIGHUP: read the configuration again."""
        self._process.signal(signal.SIGHUP)

    def change_config(self, *replacements, more=""):
        """(old, new) texts of the file, and what comes behind it."""
        with open(self.config_path) as f:
            text = f.read()
        for old, new in replacements:
            assert old in text, old
            text = text.replace(old, new)
        with open(self.config_path, "w") as f:
            f.write(text + more)

    def ctl(self, *argv):
        """stoxctl on this daemon's control socket."""
        command = [os.environ["STOX_STOXCTL"], "--control", os.path.join(self.folder, "ctl"), *argv]
        return subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)

    def kill(self):
        self._process.signal(9)

    def reload(self):
        self._process.signal(1)

    def running(self):
        return self._process.running()

    async def ended(self, seconds):
        return await self._process.ended(seconds)

    async def stop(self):
        return await self._process.stop() if self._process else None
