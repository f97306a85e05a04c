"""An ejabberd of our own in a folder: plain c2s and one component port on free loopback ports. Where a test needs more of a server than
Prosody gives, or another one's habits."""

import glob
import os
import shutil

from .process import Process, free_port, tcp_answers

_CONFIG = """\
loglevel: info
hosts:
  - "{domain}"
auth_password_format: plain
listen:
  - port: {c2s}
    ip: "127.0.0.1"
    module: ejabberd_c2s
    starttls: false
  - port: {component}
    ip: "127.0.0.1"
    module: ejabberd_service
    hosts:
      "{component_domain}":
        password: "{secret}"
modules:
  mod_disco: {{}}
  mod_ping: {{}}
  mod_roster: {{}}
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
        self._users = {}
        self._process = None

    def register(self, user, password):
        self._users[user] = password

    async def start(self):
        config = os.path.join(self.folder, "ejabberd.yml")
        with open(config, "w", encoding="utf-8") as f:
            f.write(
                _CONFIG.format(
                    domain=self.domain,
                    c2s=self.c2s_port,
                    component=self.component_port,
                    component_domain=self.component_domain,
                    secret=self.secret,
                )
            )
        environment = {
            "EJABBERD_CONFIG_PATH": config,
            "EJABBERD_LOG_PATH": os.path.join(self.folder, "ejabberd.log"),
            "ERL_LIBS": _libraries(),
            "HOME": self.folder,
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
            lambda: os.path.exists(ready) and tcp_answers(self.c2s_port) and tcp_answers(self.component_port), 60
        )

    async def stop(self):
        if self._process:
            await self._process.stop()

    def log_text(self):
        return self._process.log_text()
