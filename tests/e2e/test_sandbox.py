"""stoxd as the packaged unit confines it: another user, no capability, the unit's system calls and no others."""

import asyncio
import os
import shutil
import subprocess
import tempfile
import unittest

from harness import sandbox
from harness.world import PASSWORD, WorldTest

JULIET = "sip:juliet@xmpp.example"


class Sandbox(WorldTest):
    def setUp(self):
        super().setUp()
        why = sandbox.missing()
        if why:
            self.skipTest(why)

    async def _confined(self, old, new):
        """A world whose stoxd is confined; `old` in its file becomes `new`."""
        world = await self.make_world(start=False)
        stoxd = world.stoxd
        os.chmod(world.folder, 0o755)
        stoxd.binary = shutil.copy(self.binary, stoxd.folder)  # the build's folder may be closed to others
        stoxd.store = os.path.join(stoxd.folder, "stox.db")
        stoxd.before_exec = sandbox.filter_of_unit()
        world.prosody.register("juliet", PASSWORD)
        stoxd.write_config(world.kamailio.port)
        with open(stoxd.config_path, "r+", encoding="utf-8") as f:
            text = f.read()
            self.assertIn(old, text)
            f.seek(0)
            f.write(text.replace(old, new))
            f.truncate()
        sandbox.give_to_service_user(stoxd.folder)
        await asyncio.gather(world.prosody.start(), world.kamailio.start())
        await stoxd.start()
        with open(f"/proc/{stoxd.pid}/status", encoding="ascii") as f:
            status = f.read()
        for field in (r"NoNewPrivs:\t1", r"Seccomp:\t2", r"CapBnd:\t0+"):
            self.assertRegex(status, rf"(?m)^{field}$")
        return world

    async def test_messages_reload_and_a_clean_end_need_no_call_that_the_unit_refuses(self):
        # The server's name is asked of the system's resolver.
        world = await self._confined('server = "127.0.0.1:', 'server = "localhost:')
        juliet = await world.xmpp_client("juliet")
        for transport in ("udp", "tcp"):
            alice = await world.sip_client("alice", transport=transport)
            answer = await alice.send_message("alice", JULIET, f"in by {transport}")
            self.assertEqual(answer.status, 200)
            await self.xmpp_got(juliet, f"in by {transport}")
            juliet.send_text("alice@sip.example", f"out to {transport}")
            await self.sip_got(alice, "alice", f"out to {transport}")
        world.stoxd.reload()
        await self.until(lambda: "daemon.reloaded" in world.stoxd.log_text(), 5, "it reads its file again")
        world.stoxd.terminate()
        self.assertEqual(await world.stoxd.ended(15), 0)
        await world.stoxd.start()  # on the store that is there now

    async def test_a_secret_from_the_credentials_folder_is_read(self):
        # As LoadCredential= leaves it: a folder of mode 0500, a file of mode 0400, both of the service's user.
        folder = tempfile.mkdtemp(prefix="stox-credentials-")
        self.addCleanup(shutil.rmtree, folder)
        secret = os.path.join(folder, "sip.example")
        with open(secret, "w", encoding="ascii") as f:
            f.write("component-secret\n")
        os.chmod(secret, 0o400)
        os.chmod(folder, 0o500)
        sandbox.give_to_service_user(folder)
        world = await self._confined('secret = "component-secret"', f'secret_file = "{secret}"')
        self.assertNotIn("config_warning", world.stoxd.log_text())

    async def test_a_call_outside_the_filter_kills(self):
        enter = sandbox.filter_of_unit()
        argv = ["/usr/bin/python3", "-c", "import ctypes; ctypes.CDLL(None).mlockall(1)"]
        done = await asyncio.to_thread(subprocess.run, argv, preexec_fn=enter, timeout=20, cwd="/")
        self.assertEqual(done.returncode, -31, "SIGSYS: these tests would see it")


if __name__ == "__main__":
    unittest.main()
