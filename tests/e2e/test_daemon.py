"""The program itself: its flags, its end, its log."""

import asyncio
import contextlib
import os
import re
import socket
import sqlite3
import subprocess
import time
import unittest

from harness.ua import Answer, SipClient
from harness.world import PASSWORD, WorldTest

JULIET = "sip:juliet@xmpp.example"


class Daemon(WorldTest):
    def _run(self, *argv):
        return subprocess.run([self.binary, *argv], capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)

    async def test_check_config_accepts_a_good_file_and_names_line_and_key_of_a_bad_one(self):
        world = await self.make_world(start=False)
        world.stoxd.write_config(5080)
        good = self._run("--config", world.stoxd.config_path, "--check-config")
        self.assertEqual(good.returncode, 0, good.stderr)
        self.assertNotIn("component-secret", good.stdout + good.stderr)

        with open(world.stoxd.config_path) as f:
            lines = f.read().splitlines()
        at = next(i for i, line in enumerate(lines) if line.startswith("outbound_proxy"))
        lines[at] = lines[at].replace("outbound_proxy", "outbound_proxi")
        bad_path = os.path.join(world.folder, "bad.toml")
        with open(bad_path, "w") as f:
            f.write("\n".join(lines) + "\n")
        bad = self._run("--config", bad_path, "--check-config")
        self.assertNotEqual(bad.returncode, 0)
        self.assertIn(f"bad.toml:{at + 1}", bad.stderr)
        self.assertIn("outbound_proxi", bad.stderr)
        self.assertIn("outbound_proxy", bad.stderr, "the nearest name is offered")

    async def test_check_config_warns_of_a_public_udp_listener(self):
        world = await self.make_world(start=False)
        world.stoxd.write_config(5080)
        with open(world.stoxd.config_path) as f:
            text = f.read().replace("udp:127.0.0.1:", "udp:0.0.0.0:").replace("[sip]\n", "[sip]\nadvertise = \"gw.sip.example\"\n")
        path = os.path.join(world.folder, "public.toml")
        with open(path, "w") as f:
            f.write(text)
        checked = self._run("--config", path, "--check-config")
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertRegex(checked.stdout + checked.stderr, r"0\.0\.0\.0")

    async def test_version_and_printed_configuration_hold_no_secret(self):
        world = await self.make_world(start=False)
        world.stoxd.write_config(5080)
        self.assertRegex(self._run("--version").stdout, r"\d+\.\d+\.\d+")
        printed = self._run("--config", world.stoxd.config_path, "--print-config")
        self.assertEqual(printed.returncode, 0, printed.stderr)
        self.assertIn("sip_domains", printed.stdout)
        self.assertNotIn("component-secret", printed.stdout + printed.stderr)

    async def test_log_holds_no_body_and_no_secret_but_joins_call_id_and_stanza_id(self):
        world = await self.make_world()
        juliet = await world.xmpp_client("juliet")
        alice = await world.sip_client("alice")
        secrets = ("the-cat-is-in-the-bag", "the-dog-is-not", "subject-under-the-rose")
        answer = await alice.send_message("alice", JULIET, secrets[0], [("Subject", secrets[2])])
        self.assertEqual(answer.status, 200)
        await self.xmpp_got(juliet, secrets[0])
        sent = juliet.send_text("alice@sip.example", secrets[1], subject=secrets[2])
        seen = await self.sip_got(alice, "alice", secrets[1])
        alice.answers["alice"] = Answer(404, "Not Found")
        failed = juliet.send_text("alice@sip.example", secrets[1] + " again")
        await self.xmpp_error(juliet, failed)
        broken = alice.message("alice", JULIET, secrets[0])
        broken.headers = [h for h in broken.headers if h[0] != "To"]
        await alice.request(broken, 2)

        await self.until(lambda: failed in world.stoxd.log_text(), 5, "the failure is logged by its id")
        log = world.stoxd.log_text()
        for text in (*secrets, "component-secret", PASSWORD):
            self.assertNotIn(text, log)
        joined = [line for line in log.splitlines() if sent in line or seen.message.call_id in line]
        self.assertTrue(joined, "the delivery is logged")
        self.assertTrue(any(seen.message.call_id in l and sent in l for l in joined), "one line has both ids:\n" + "\n".join(joined))

    async def test_sigterm_under_traffic_answers_or_delivers_everything_and_ends_with_zero(self):
        world = await self.make_world()
        juliet = await world.xmpp_client("juliet")
        alice = await world.sip_client("alice", *[f"u{i}" for i in range(20)])
        for user in [f"u{i}" for i in range(20)]:
            alice.answers[user] = Answer(delay=0.4)
        sends = [asyncio.ensure_future(alice.send_message(f"u{i}", JULIET + ";gr=desk", f"s-{i}", timeout=4)) for i in range(20)]
        ids = {f"x-{i}": juliet.send_text(f"u{i}@sip.example", f"x-{i}") for i in range(20)}
        # Open work: the SIP users answer after 0.4 s, and the 2xx to them wait for accept_wait.
        await self.until(lambda: len(alice.inbox) >= 20, 5, "all are under way")
        world.stoxd.terminate()
        self.assertEqual(await world.stoxd.ended(15), 0)
        answers = await asyncio.gather(*sends)
        await asyncio.sleep(0.3)
        delivered = [s.text for s in juliet.texts()]
        self.assertEqual(len(delivered), len(set(delivered)))
        for i, answer in enumerate(answers):
            self.assertIsNotNone(answer, f"s-{i} was answered")
            self.assertEqual(answer.status == 200, f"s-{i}" in delivered, f"s-{i}: {answer.start}")
        told = {s.id for s in juliet.errors()}
        for text, stanza_id in ids.items():
            arrived = any(r.text == text for r in alice.inbox)
            self.assertTrue(arrived or stanza_id in told, f"{text} is delivered or its sender told")

    async def test_service_manager_hears_that_it_is_ready_alive_reloading_and_stopping(self):
        world = await self.make_world(start=False)
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(manager.close)
        manager.bind(os.path.join(world.folder, "notify"))
        manager.setblocking(False)
        heard = []  # (when, text)

        def count(text):
            with contextlib.suppress(BlockingIOError):
                while True:
                    heard.append((time.monotonic(), manager.recv(4096).decode()))
            return sum(h.split("\n")[0] == text for _, h in heard)

        def last(text):
            return next(h for _, h in reversed(heard) if h.split("\n")[0] == text)

        world.stoxd.env = {"NOTIFY_SOCKET": manager.getsockname(), "WATCHDOG_USEC": "400000"}
        world.stoxd.write_config(5080)
        world.stoxd.change_config(("[gateway]\n", '[gateway]\ndrain = "7s"\n'))
        await world.stoxd.start(ready=False)  # no XMPP server is there; the service has started all the same
        await self.until(lambda: count("READY=1"), 10, "it is ready")
        self.assertIn(f"STATUS=listening on udp:127.0.0.1:{world.stoxd.sip_port}", last("READY=1"))

        # Half of the time that it may be silent for is between two signs of life, and it does not spin.
        await self.until(lambda: count("WATCHDOG=1") >= 4, 10, "signs of life")
        signs = [when for when, h in heard if h == "WATCHDOG=1"]
        self.assertGreater(signs[3] - signs[0], 0.3)

        # A reload is over when it says READY=1 again, also where it is refused. systemd takes the two for a pair by the time in the first.
        for accepted, change in ((True, ("[sip]\n", '[sip]\nhold = "3s"\n')), (False, ("[log]", "[lgo]"))):
            before, ready, reloads = time.monotonic_ns(), count("READY=1"), count("RELOADING=1")
            world.stoxd.change_config(change)
            world.stoxd.hang_up()
            await self.until(lambda: count("READY=1") > ready, 10, "it is ready again")
            self.assertEqual(count("RELOADING=1"), reloads + 1)
            begun = int(re.search(r"^MONOTONIC_USEC=(\d+)$", last("RELOADING=1"), re.M).group(1))
            self.assertTrue(before // 1000 <= begun <= time.monotonic_ns() // 1000)
            order = [h.split("\n")[0] for _, h in heard if not h.startswith("WATCHDOG")]
            self.assertEqual(order[-2:], ["RELOADING=1", "READY=1"])
            self.assertEqual("daemon.reload_refused" in world.stoxd.log_text(), not accepted)

        # It wants the drain's time, and 15 seconds for the links and the store.
        world.stoxd.terminate()
        self.assertEqual(await world.stoxd.ended(15), 0)
        self.assertEqual(count("STOPPING=1"), 1)
        self.assertIn("\nEXTEND_TIMEOUT_USEC=22000000", last("STOPPING=1"))
        self.assertEqual(count("READY=1"), 3, "nothing is ready behind the end")

    async def test_forced_end_leaves_an_incident_with_its_domain_whatever_the_level(self):
        world = await self.make_world(start=False)
        silent = SipClient(world.stoxd.sip_port)
        await silent.start()
        self.addAsyncCleanup(silent.stop)
        silent.answers["alice"] = Answer(None)
        world.prosody.register("juliet", PASSWORD)
        world.stoxd.write_config(silent.port)
        store = os.path.join(world.folder, "stox.db")
        with open(world.stoxd.config_path) as f:
            text = f.read().replace('":memory:"', f'"{store}"').replace('level = "debug"', 'level = "error"')
        with open(world.stoxd.config_path, "w") as f:
            f.write(text)
        await world.prosody.start()
        await world.stoxd.start()
        juliet = await world.xmpp_client("juliet")
        sent = juliet.send_text("alice@sip.example", "anybody there?")
        await self.until(lambda: silent.inbox, 10, "the message left")
        # The open message holds up the drain; the second signal does not wait for it.
        world.stoxd.terminate()
        await self.until(lambda: world.stoxd.http("/readyz")[0] == 503, 5, "it drains")
        world.stoxd.terminate()
        self.assertNotIn(await world.stoxd.ended(10), (None, 0))
        with contextlib.closing(sqlite3.connect(store)) as db:
            rows = db.execute("SELECT domain, kind, detail FROM incident WHERE kind = 'message.to_sip.in_doubt'").fetchall()
        self.assertEqual(len(rows), 1)
        domain, _, detail = rows[0]
        self.assertEqual(domain, "sip.example")
        self.assertIn(f"stanza_id={sent}", detail)
        self.assertRegex(detail, r"^conv=\S+ call_id=\S+ ")
        self.assertRegex(detail, r"from=juliet@xmpp\.example/\S+ to=alice@sip\.example cause=shutdown$")
        self.assertNotIn("anybody", detail)
        self.assertNotIn("in_doubt", world.stoxd.log_text(), "below the log's level")
        await world.stoxd.start()  # on the same store


if __name__ == "__main__":
    unittest.main()
