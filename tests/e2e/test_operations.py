"""What an operator does to a running gateway: reload, drain, look at it - under traffic, with nothing lost."""

import asyncio
import json
import re
import unittest

from harness.ua import Answer, SipClient
from harness.world import PASSWORD, WorldTest

SECOND_LINK = """
[[xmpp.component]]
domain = "two.example"
server = "127.0.0.1:{port}"
secret = "component-secret"
"""
ONE = 'sip_domains = ["sip.example"]'
BOTH = 'sip_domains = ["sip.example", "two.example"]'


class Traffic:
    """Messages in both directions of one served domain until it is told to stop."""

    def __init__(self, domain, xmpp, sip):
        self.domain, self.xmpp, self.sip = domain, xmpp, sip
        self.ids = {}  # stanza id -> text
        self.answers = {}  # text -> final response, or None
        self._stop = asyncio.Event()
        self._tasks = []

    def start(self):
        senders = [self._to_sip(), *(self._to_xmpp(n) for n in range(3))]
        self._tasks = [asyncio.ensure_future(sender) for sender in senders]

    async def end(self):
        self._stop.set()
        await asyncio.gather(*self._tasks)

    async def _to_sip(self):
        count = 0
        while not self._stop.is_set():
            text = f"to-sip {self.domain} {count}"
            self.ids[self.xmpp.send_text(f"user{count % 7}@{self.domain}", text)] = text
            count += 1
            await asyncio.sleep(0.004)

    async def _to_xmpp(self, sender):
        count = 0
        while not self._stop.is_set():
            text = f"to-xmpp {self.domain} {sender} {count}"
            count += 1
            message = self.sip.message(f"user{sender}", f"sip:{self.xmpp.boundjid.bare};gr=desk", text)
            message.headers = [(n, v.replace("@sip.example", f"@{self.domain}") if n == "From" else v) for n, v in message.headers]
            self.answers[text] = await self.sip.request(message, 4)
            await asyncio.sleep(0.004)


class Operations(WorldTest):
    async def _world(self):
        """A gateway whose next hop is one SIP client, and a Prosody that knows two components."""
        world = await self.make_world(start=False)
        sip = SipClient(world.stoxd.sip_port)
        await sip.start()
        self.addAsyncCleanup(sip.stop)
        world.prosody.component_domains += ("two.example",)
        world.prosody.register("juliet", PASSWORD)
        world.stoxd.write_config(sip.port)
        await world.prosody.start()
        await world.stoxd.start()
        return world, await world.xmpp_client("juliet"), sip

    def _in_log(self, world, pattern):
        return set(re.findall(pattern, world.stoxd.log_text()))

    def _account(self, world, traffic):
        """Each message was delivered once, or its sender was told; what neither knows is an incident."""
        unreachable = self._in_log(world, r"sender_unreachable .*?stanza_id=(\S+)")
        doubted = self._in_log(world, r"to_sip\.in_doubt .*?stanza_id=(\S+)")
        arrived = [r.text for r in traffic.sip.inbox if r.text.startswith(f"to-sip {traffic.domain} ")]
        self.assertEqual(len(arrived), len(set(arrived)), "doubled to SIP")
        told = {s.id for s in traffic.xmpp.errors()}
        for stanza_id, text in traffic.ids.items():
            delivered = text in arrived
            self.assertTrue(delivered or stanza_id in told or stanza_id in unreachable, f"{text} ({stanza_id}) is lost")
            if delivered and stanza_id in told:
                self.assertIn(stanza_id, doubted, f"{text} was delivered and called failed")
        came = [s.text for s in traffic.xmpp.texts() if s.text.startswith(f"to-xmpp {traffic.domain} ")]
        self.assertEqual(len(came), len(set(came)), "doubled to XMPP")
        doubts = len(re.findall(r"message\.to_xmpp\.in_doubt ", world.stoxd.log_text()))
        accepted = {text for text, a in traffic.answers.items() if a is not None and a.status == 200}
        self.assertEqual(accepted - set(came), set(), "lost to XMPP")
        self.assertLessEqual(len(set(came) - accepted), doubts)
        return len(arrived), len(came)

    # timeout 240
    async def test_reloads_and_the_drain_in_mid_traffic_lose_nothing(self):
        world, juliet, sip = await self._world()
        stoxd = world.stoxd
        for n in range(7):
            sip.answers[f"user{n}"] = Answer(delay=0.02)
        first = Traffic("sip.example", juliet, sip)
        second = Traffic("two.example", juliet, sip)
        first.start()
        await self.until(lambda: len(sip.inbox) > 50 and len(juliet.texts()) > 20, 20, "traffic flows")

        # A domain comes, another policy with it.
        link = SECOND_LINK.format(port=world.prosody.component_port)
        stoxd.change_config((ONE, BOTH), ("[sip]\n", '[sip]\nhold = "4s"\n'), more=link)
        stoxd.hang_up()
        await self.until(lambda: stoxd.metric("stox_xmpp_link_up", domain="two.example") == 1, 20, "the new link is up")
        self.assertIn("daemon.config_changed key=sip.hold old=2s new=4s", stoxd.log_text())
        self.assertIn("daemon.config_changed key=xmpp.component added=two.example", stoxd.log_text())
        second.start()
        arrived = lambda: sum(r.text.startswith("to-sip two.example") for r in sip.inbox)
        await self.until(lambda: arrived() > 50, 20, "traffic of the new domain flows")

        # The first domain's link is made anew: the same server by another name.
        server = f'server = "127.0.0.1:{world.prosody.component_port}"\nsecret'
        stoxd.change_config((f'domain = "sip.example"\n{server}', f'domain = "sip.example"\n{server.replace("127.0.0.1", "localhost")}'))
        stoxd.hang_up()
        await self.until(lambda: "component.stopped domain=sip.example" in stoxd.log_text(), 20, "the old link ends")
        await self.until(lambda: stoxd.metric("stox_xmpp_link_up", domain="sip.example") == 1, 20, "the link is up again")
        seen = len(sip.inbox)
        await self.until(lambda: len(sip.inbox) > seen + 50, 20, "traffic flows on")

        # What cannot be read changes nothing.
        stoxd.change_config(("[log]", "[lgo]"))
        stoxd.hang_up()
        await self.until(lambda: "daemon.reload_refused" in stoxd.log_text(), 10, "the file is refused")
        stoxd.change_config(("[lgo]", "[log]"))

        # The second domain goes again.
        stoxd.change_config((BOTH, ONE), (link, ""))
        stoxd.hang_up()
        await self.until(lambda: "component.stopped domain=two.example" in stoxd.log_text(), 30, "its link ends")
        await second.end()

        # The end, while everybody goes on sending.
        await asyncio.sleep(0.3)
        stoxd.terminate()
        self.assertEqual(await stoxd.ended(20), 0)
        await asyncio.sleep(0.3)
        await first.end()
        await asyncio.sleep(0.5)
        counts = [self._account(world, t) for t in (first, second)]
        sent = [(len(t.ids), len(t.answers)) for t in (first, second)]
        print(f"sent (to SIP, to XMPP) {sent}; delivered {counts}; told {len(juliet.errors())}")
        self.assertGreater(min(min(c) for c in counts), 5)

    async def test_stoxctl_shows_steers_and_ends_the_gateway(self):
        world, juliet, sip = await self._world()
        stoxd = world.stoxd
        status = json.loads(stoxd.ctl("--json", "status").stdout)
        self.assertEqual([(l["domain"], l["state"]) for l in status["links"]], [("sip.example", "up")])
        self.assertEqual(json.loads(stoxd.http("/status")[1])["links"], status["links"])
        self.assertNotIn("component-secret", stoxd.http("/status")[1])

        sip.answers["alice"] = Answer(None)
        sent = juliet.send_text("alice@sip.example", "top-secret-words")
        await self.until(lambda: sip.inbox, 10, "the message left")
        sessions = stoxd.ctl("--json", "sessions", "--domain", "sip.example").stdout
        self.assertNotIn("top-secret-words", sessions)
        row = json.loads(sessions)["sessions"][0]
        self.assertEqual((row["direction"], row["state"], row["stanza_id"]), ("to_sip", "pending", sent))
        self.assertRegex(stoxd.ctl("sessions").stdout, r"since +direction +state +waiting +from +to .*\n.* to_sip +pending ")
        self.assertIn("did you mean sip.example?", stoxd.ctl("sessions", "--domain", "sip.exmaple").stderr)
        peers = json.loads(stoxd.ctl("--json", "peer", "show", f"127.0.0.1:{sip.port}").stdout)["peers"]
        self.assertEqual([p["requests"] for p in peers], [1])

        self.assertEqual(stoxd.ctl("block", "juliet@xmpp.example", "--for", "1h").returncode, 0)
        refused = juliet.send_text("bob@sip.example", "never")
        self.assertEqual((await self.xmpp_error(juliet, refused)).condition, "forbidden")
        self.assertIn("juliet@xmpp.example", stoxd.ctl("block", "--list").stdout)
        self.assertEqual(stoxd.ctl("unblock", "juliet@xmpp.example").returncode, 0)
        self.assertEqual(stoxd.ctl("block", "127.0.0.1").returncode, 0)
        self.assertEqual((await sip.send_message("bob", "sip:juliet@xmpp.example", "never", timeout=3)).status, 403)
        self.assertEqual(stoxd.ctl("unblock", "127.0.0.1").returncode, 0)
        self.assertEqual((await sip.send_message("bob", "sip:juliet@xmpp.example", "now", timeout=5)).status, 200)

        stoxd.change_config((":memory:", "/nowhere/stox.db"), ("[sip]\n", '[sip]\nhold = "3s"\n'))
        reloaded = stoxd.ctl("reload")
        self.assertEqual(reloaded.returncode, 0, reloaded.stderr)
        self.assertIn("changed: sip.hold 2s -> 3s", reloaded.stdout)
        self.assertIn("waits for a restart: store.path :memory: -> /nowhere/stox.db", reloaded.stdout)
        self.assertIn("waits for a restart: store.path", stoxd.ctl("status").stdout)
        stoxd.change_config(("[log]", "[lgo]"))
        bad = stoxd.ctl("reload")
        self.assertEqual(bad.returncode, 1)
        self.assertRegex(bad.stderr, r"nothing was changed\n.*lgo: unknown key; did you mean log\?")
        stoxd.change_config(("[lgo]", "[log]"))

        self.assertEqual(stoxd.ctl("drain", "1").returncode, 0)
        self.assertEqual(stoxd.ctl("drain").returncode, 1, "it has begun already")
        self.assertIn("the gateway is draining", stoxd.ctl("reload").stderr)
        self.assertEqual(stoxd.http("/readyz"), (503, "draining\n"))
        late = juliet.send_text("bob@sip.example", "too late")
        error = await self.xmpp_error(juliet, late)
        self.assertEqual((error.condition, error.error_type), ("resource-constraint", "wait"))
        answer = await sip.send_message("bob", "sip:juliet@xmpp.example", "too late", timeout=3)
        self.assertEqual(answer.status, 503)
        self.assertGreater(int(answer.get("Retry-After").split()[0]), 0)
        self.assertEqual((await self.xmpp_error(juliet, sent)).condition, "remote-server-timeout")
        self.assertEqual(await stoxd.ended(10), 0)
        gone = stoxd.ctl("status")
        self.assertEqual(gone.returncode, 1)
        self.assertIn("is stoxd running", gone.stderr)

    async def test_metrics_keep_the_conventions_of_prometheus(self):
        world, juliet, sip = await self._world()
        juliet.send_text("alice@sip.example", "one")
        await self.until(lambda: sip.inbox, 10, "the message left")
        text = world.stoxd.http("/metrics")[1]
        helps = dict(re.findall(r"^# HELP (\S+) (.+)$", text, re.M))
        types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
        series = re.findall(r"^([a-z][a-z0-9_]*)(?:\{(.*)\})? \S+$", text, re.M)
        self.assertEqual(len(series), sum(not line.startswith("#") for line in text.splitlines()), "each line is read")
        self.assertEqual(len(series), len(set(series)), "no series comes twice")
        for name, labels in series:
            self.assertRegex(name, r"^stox_[a-z][a-z0-9]*(_[a-z0-9]+)*$")
            self.assertTrue(helps.get(name, "").endswith("."), f"{name} has a sentence of help")
            self.assertEqual(types[name] == "counter", name.endswith("_total"), name)
            for unit in ("_ms", "_milliseconds", "_minutes", "_kb", "_mb", "_kib", "_mib", "_percent"):
                self.assertNotIn(unit, name + "_", f"{name}: seconds, bytes and ratios only")
            for label in re.findall(r'(\w+)="', labels):
                self.assertRegex(label, r"^[a-z][a-z0-9_]*$")
        self.assertEqual({re.search('domain="(.*?)"', l).group(1) for n, l in series if n == "stox_domain_messages_total"}, {"sip.example", "other"})
        self.assertGreater(world.stoxd.metric("stox_memory_used_bytes"), 0)


if __name__ == "__main__":
    unittest.main()
