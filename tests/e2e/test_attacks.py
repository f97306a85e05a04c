"""Attacks that need real sockets or a real server; docs/security.md has the whole list."""

import os
import resource
import socket
import unittest

from harness.world import WorldTest

JULIET = "sip:juliet@xmpp.example"
CONNECTIONS = 10_000


def descriptors():
    """The hard limit, raised to where it can be; the daemon does the same for itself."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def rss_kib(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(next(line for line in f if line.startswith("VmRSS")).split()[1])


class Attacks(WorldTest):
    # timeout 300
    @unittest.skipIf(descriptors() < CONNECTIONS + 500, f"fewer than {CONNECTIONS + 500} file descriptors allowed here")
    async def test_ten_thousand_connections_leave_messages_alone(self):
        world = await self.make_world(sip_extra=f"max_connections = {CONNECTIONS + 100}")
        juliet = await world.xmpp_client("juliet")
        alice = await world.sip_client("alice")
        before = rss_kib(world.stoxd.pid)

        held = []
        self.addCleanup(lambda: [s.close() for s in held])
        for _ in range(CONNECTIONS):
            s = socket.create_connection(("127.0.0.1", world.stoxd.sip_port), timeout=10)
            # Each keeps an unfinished message; the peer is trusted, so nothing ends it before its time.
            s.sendall(b"MESSAGE sip:juliet@xmpp.example SIP/2.0\r\nVia: ")
            held.append(s)
        await self.until(
            lambda: len(os.listdir(f"/proc/{world.stoxd.pid}/fd")) >= CONNECTIONS, 30, "all connections are accepted"
        )
        answer = await alice.send_message("alice", JULIET, "good morrow")
        self.assertEqual(answer.status, 200)
        await self.xmpp_got(juliet, "good morrow")
        juliet.send_text("alice@sip.example", "and to you")
        await self.sip_got(alice, "alice", "and to you")
        per_connection = (rss_kib(world.stoxd.pid) - before) / CONNECTIONS
        self.assertLess(per_connection, 32, "KiB that an idle connection costs")

        for s in held:
            s.close()
        held.clear()
        await self.until(
            lambda: len(os.listdir(f"/proc/{world.stoxd.pid}/fd")) < 200, 60, "what peers closed is let go"
        )
        self.assertEqual((await alice.send_message("alice", JULIET, "still there?")).status, 200)

    async def test_a_stanza_full_of_apostrophes_does_not_cost_the_link(self):
        """Prosody takes up to 256 kB from a client and writes each apostrophe as six bytes to us."""
        world = await self.make_world()
        juliet = await world.xmpp_client("juliet")
        alice = await world.sip_client("alice")
        # slixmpp would escape them itself, and the server would count that.
        apostrophes = "'" * 250_000
        juliet.send_raw(f'<message to="alice@sip.example" type="chat" id="big"><body>{apostrophes}</body></message>')
        self.assertEqual((await self.xmpp_error(juliet, "big")).condition, "policy-violation")
        juliet.send_text("alice@sip.example", "shorter")
        await self.sip_got(alice, "alice", "shorter")
        self.assertNotIn("component.down", world.stoxd.log_text())

    async def test_a_stanza_of_too_many_parts_costs_only_its_sender(self):
        """A server passes on whatever is well-formed; what we do not want to hold must not end the link for all."""
        world = await self.make_world(users=("juliet", "nurse"))
        juliet = await world.xmpp_client("juliet")
        nurse = await world.xmpp_client("nurse")
        alice = await world.sip_client("alice")
        parts = {
            "deep": "<x xmlns='a'>" + "<y>" * 60 + "</y>" * 60 + "</x>",
            "wide": "<x xmlns='a'>" + "<y/>" * 5000 + "</x>",
            "attributes": "<x xmlns='a'" + "".join(f" a{n}='1'" for n in range(100)) + "/>",
        }
        for name, text in parts.items():
            nurse.send_raw(f"<message to='alice@sip.example' type='chat' id='{name}'><body>x</body>{text}</message>")
            self.assertEqual((await self.xmpp_error(nurse, name)).condition, "policy-violation")
            juliet.send_text("alice@sip.example", f"after {name}")
            await self.sip_got(alice, "alice", f"after {name}")
        self.assertNotIn("component.down", world.stoxd.log_text())
