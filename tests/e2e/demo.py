"""./dev demo: a user of Kamailio (baresip) and a user of Prosody (slixmpp) talk through stoxd, all on free loopback ports. With --federation
stoxd is no component of Prosody but a server beside it, found by the DNS and known by its certificate."""

import argparse
import asyncio
import logging
import os
import signal
import sys
import time

from harness.baresip import Baresip
from harness.federation import Federation, missing
from harness.process import until
from harness.world import World

ALICE, JULIET = "sip:alice@sip.example", "juliet@xmpp.example"


class Screen:
    def __init__(self):
        self._colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        self._began = time.monotonic()

    def _line(self, colour, who, text):
        clock = f"{time.monotonic() - self._began:6.2f}s"
        if self._colour:
            who = f"\x1b[{colour}m{who}\x1b[0m"
            clock = f"\x1b[2m{clock}\x1b[0m"
        print(f"{clock}  {who}  {text}", flush=True)

    def alice(self, text):
        self._line("36", "SIP  alice ", text)

    def juliet(self, text):
        self._line("35", "XMPP juliet", text)

    def stage(self, text):
        self._line("32", "-----------", text)


class Demo:
    def __init__(self, binary, federation):
        self.screen = Screen()
        self.federation = federation
        self.world = Federation(binary) if federation else World(binary)
        self.phone = None
        self.failures = 0

    async def run(self):
        s = self.screen
        s.stage("starting Prosody, Kamailio and stoxd on 127.0.0.1")
        await self.world.start()
        w = self.world
        if self.federation:
            s.stage(f"Prosody {w.prosody.c2s_port} (clients) and {w.prosody.s2s_port} (servers), Kamailio {w.kamailio.port}, stoxd {w.stoxd.sip_port} (SIP)")
            s.stage(f"and {w.stoxd.s2s_port} (servers); the DNS says: {' '.join(w.records[0].split()[i] for i in (0, 3, 4, 5, 6, 7))}")
        else:
            s.stage(
                f"Prosody {w.prosody.c2s_port} (clients) and {w.prosody.component_port} (component), Kamailio {w.kamailio.port}, stoxd {w.stoxd.sip_port}"
            )
        contacts = [("Juliet", "sip:" + JULIET), ("Nobody", "sip:nobody@xmpp.example")]
        self.phone = Baresip(os.path.join(w.folder, "baresip"), "alice", contacts, w.kamailio.port)
        await self.phone.start()
        s.alice(f"is {ALICE}: a baresip phone, registered with Kamailio")
        self.client = await w.xmpp_client("juliet", "balcony")
        s.juliet(f"is {self.client.boundjid}: a slixmpp client, logged in to Prosody")
        s.stage("the conversation")
        await self.alice_says("Good morrow, Juliet! Do you get this over there?")
        await self.juliet_says("I do, and I see you as a friend of my own kind ☺")
        await self.alice_says("Same here; nobody typed a special address.")
        await self.juliet_says("Καληνύχτα, <Alice> & čau")
        s.stage("what cannot be delivered is told to its sender")
        await self.juliet_to_nobody()
        await self.alice_to_nobody()
        if self.federation:
            s.stage("the streams with Prosody (stoxctl peer show xmpp.example)")
            for line in w.stoxd.ctl("peer", "show", "xmpp.example").stdout.splitlines():
                print(f"           {line}", flush=True)
        s.stage("what stoxd counted")
        for line in w.stoxd.http("/metrics")[1].splitlines():
            if line.startswith("stox_messages_total") and not line.endswith(" 0"):
                print(f"           {line}", flush=True)

    def check(self, good, what):
        if not good:
            self.failures += 1
            self.screen.stage(f"WRONG: {what}")

    async def alice_says(self, text):
        self.screen.alice(f"-> juliet   {text}")
        before = len(self.client.inbox)
        answer = await self.phone.send_message("sip:" + JULIET, text)
        self.screen.alice(f"   saw       {answer.start}  (Call-ID {answer.call_id})")
        await until(lambda: len(self.client.inbox) > before, 10, "juliet gets it")
        got = self.client.inbox[before]
        self.screen.juliet(f"   saw       from {got.sender}, thread {got.child('thread')}: {got.text}")
        self.check(answer.status == 200 and got.text == text, "alice's message")

    async def juliet_says(self, text):
        self.screen.juliet(f"-> alice    {text}")
        before = len(self.phone.received())
        sent = self.client.send_text("alice@sip.example", text)
        await until(lambda: len(self.phone.received()) > before, 10, "alice gets it")
        got = self.phone.received()[before]
        self.screen.alice(f"   saw       from {got.get('From').split(';tag')[0]}: {got.text}")
        await asyncio.sleep(0.3)
        errors = [e for e in self.client.errors() if e.id == sent]
        self.screen.juliet("   saw       " + ("no error" if not errors else f"error {errors[0].condition}") + f"  (id {sent})")
        self.check(got.text == text and not errors, "juliet's message")

    async def juliet_to_nobody(self):
        self.screen.juliet("-> nobody   Is anybody there?")
        sent = self.client.send_text("nobody@sip.example", "Is anybody there?")
        await until(lambda: any(e.id == sent for e in self.client.errors()), 10, "juliet gets the error")
        error = next(e for e in self.client.errors() if e.id == sent)
        self.screen.juliet(f"   saw       error {error.condition}, \"{error.error_text}\"  (id {sent})")
        self.check(error.condition == "item-not-found", "the error to juliet")

    async def alice_to_nobody(self):
        self.screen.alice("-> nobody   Is anybody there?")
        answer = await self.phone.send_message("sip:nobody@xmpp.example", "Is anybody there?")
        self.screen.alice(f"   saw       {answer.start}")
        self.check(400 <= answer.status < 500, "the answer to alice")

    async def stop(self):
        self.screen.stage("ending everything")
        if self.phone:
            await self.phone.stop()
        code = await self.world.stop()
        self.check(code in (0, None), f"stoxd ended with {code}")
        self.world.remove()
        self.check(leftovers(self.world.folder) == [], "a process is left")
        self.screen.stage("nothing is left running")


def leftovers(folder):
    """Processes that still name our folder on their command line."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if folder.encode() in f.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


async def main(binary, federation):
    task = asyncio.current_task()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    demo = Demo(binary, federation)
    code = 0
    try:
        await demo.run()
    except asyncio.CancelledError:
        code = 130
    except (AssertionError, OSError) as e:
        demo.screen.stage(f"FAILED: {e}")
        print(demo.world.logs(), flush=True)
        code = 1
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().remove_signal_handler(number)
        await demo.stop()
    return code or (1 if demo.failures else 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stoxd", required=True)
    parser.add_argument("--stoxctl", required=True)
    parser.add_argument("--federation", action="store_true", help="stoxd is a server among servers, without a component link")
    arguments = parser.parse_args()
    os.environ["STOX_STOXCTL"] = os.path.abspath(arguments.stoxctl)
    if arguments.federation and (why := missing()):
        sys.exit(f"demo: {why}")
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    sys.exit(asyncio.run(main(os.path.abspath(arguments.stoxd), arguments.federation)))
