"""A Kamailio of our own in a folder: registrar in memory, proxy of sip.example, everything else goes to the gateway."""

import os
import socket

from .process import Process, free_port

_CONFIG = """\
#!KAMAILIO
# Written by the test harness for one run.
debug=1
log_stderror=yes
children=2
tcp_children=2
auto_aliases=no
alias="{domain}"
listen=udp:127.0.0.1:{port}
listen=tcp:127.0.0.1:{port}
{tls}dns=no
rev_dns=no
tcp_accept_no_cl=no
# What comes while a connection is being made waits here; the 32 KiB of the default hold 70 messages.
tcp_conn_wq_max=1048576
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
{challenge_modules}modparam("usrloc", "db_mode", 0)
modparam("tm", "fr_timer", {answer_ms})

request_route {{
    if (!mf_process_maxfwd_header("10")) {{ sl_send_reply("483", "Too Many Hops"); exit; }}
    force_rport();
    if (is_method("REGISTER")) {{
        if (!save("location")) sl_reply_error();
        exit;
    }}
    if (is_method("OPTIONS") && uri == myself && $rU == $null) {{ sl_send_reply("200", "OK"); exit; }}
    if (t_precheck_trans()) {{ t_check_trans(); exit; }}
    t_check_trans();
    remove_hf("Route");
{challenge}    if (uri == myself) {{
        if (!lookup("location")) {{ sl_send_reply("404", "Not Found"); exit; }}
    }} else {{
        # The gateway trusts this proxy: here a real one would challenge its own users before it lets them speak.
        $du = "sip:127.0.0.1:{gateway};transport=" + {to_gateway};
    }}
    if (!t_relay()) sl_reply_error();
}}
"""

# Who writes to the proxy's own users needs a password, which only the gateway does; the realm is the proxy's domain.
_CHALLENGE_MODULES = """\
loadmodule "auth.so"
modparam("auth", "nonce_expire", {nonce_seconds})
modparam("auth", "algorithm", "{algorithm}")
modparam("auth", "qop", "auth")
modparam("auth", "nonce_count", 1)
"""
_CHALLENGE = """\
    if (is_method("MESSAGE") && uri == myself) {{
        if (!pv_{kind}_authenticate("{domain}", "{password}", "0")) {{ {kind}_challenge("{domain}", "1"); exit; }}
        consume_credentials();
    }}
"""


class Challenge:
    """How the proxy asks the gateway for a password: by 407 ("proxy") or 401 ("www")."""

    def __init__(self, password, kind="proxy", algorithm="MD5", nonce_seconds=300):
        self.password, self.kind, self.algorithm, self.nonce_seconds = password, kind, algorithm, nonce_seconds


_TLS = """\
enable_tls=yes
listen=tls:127.0.0.1:{port}
loadmodule "tls.so"
modparam("tls", "config", "{file}")
"""

# Both ways it shows its certificate and wants one of the authority.
_TLS_PROFILE = """\
[{role}:default]
method = TLSv1.2+
certificate = {chain}
private_key = {key}
ca_list = {ca}
verify_certificate = yes
require_certificate = yes
"""


class Kamailio:
    def __init__(self, folder, gateway_port, domain="sip.example", answer_seconds=3, challenge=None):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.domain, self.gateway_port, self.answer_seconds = folder, domain, gateway_port, answer_seconds
        self.challenge = challenge
        self.port = free_port()
        self.tls_port = None
        self._tls = ""
        self._process = None

    def use_tls(self, certificate, ca):
        """Speaks TLS with the gateway: certificate is (chain, key), ca the file of the authority for the gateway's."""
        self.tls_port = free_port()
        path = os.path.join(self.folder, "tls.cfg")
        chain, key = certificate
        with open(path, "w") as f:
            for role in ("server", "client"):
                f.write(_TLS_PROFILE.format(role=role, chain=chain, key=key, ca=ca))
        self._tls = _TLS.format(port=self.tls_port, file=path)

    def config(self):
        return _CONFIG.format(
            domain=self.domain,
            port=self.port,
            gateway=self.gateway_port,
            to_gateway='"tls"' if self._tls else "$proto",
            tls=self._tls,
            answer_ms=int(self.answer_seconds * 1000),
            **self._challenge_texts(),
        )

    async def start(self):
        config = os.path.join(self.folder, "kamailio.cfg")
        with open(config, "w") as f:
            f.write(self.config())
        argv = ["kamailio", "-f", config, "-DD", "-E", "-Y", self.folder, "-P", os.path.join(self.folder, "pid")]
        self._process = Process("kamailio", [*argv, "-m", "512", "-M", "8"], os.path.join(self.folder, "kamailio.log"))
        self._process.start()
        await self._process.ready(self._answers)

    def _challenge_texts(self):
        c = self.challenge
        if not c:
            return {"challenge_modules": "", "challenge": ""}
        return {
            "challenge_modules": _CHALLENGE_MODULES.format(nonce_seconds=c.nonce_seconds, algorithm=c.algorithm),
            "challenge": _CHALLENGE.format(kind=c.kind, domain=self.domain, password=c.password),
        }

    def _answers(self):
        """An OPTIONS to the proxy itself gets its 200."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.settimeout(0.2)
            s.connect(("127.0.0.1", self.port))
            own = s.getsockname()[1]
            try:
                s.send(
                    f"OPTIONS sip:{self.domain} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{own};branch=z9hG4bK-up-{own};rport\r\n"
                    f"Max-Forwards: 70\r\nFrom: <sip:probe@{self.domain}>;tag=p\r\nTo: <sip:{self.domain}>\r\n"
                    f"Call-ID: up-{own}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n".encode()
                )
                return s.recv(2048).startswith(b"SIP/2.0 200")
            except OSError:
                return False

    async def stop(self):
        if self._process:
            await self._process.stop()

    def log_text(self):
        return self._process.log_text()
