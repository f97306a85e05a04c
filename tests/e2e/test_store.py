"""The gateway goes on, whatever has become of its store."""

import os
import resource
import unittest

from harness.world import WorldTest

JULIET = "sip:juliet@xmpp.example"


class Store(WorldTest):
    async def _world(self):
        world = await self.make_world(start=False)
        world.stoxd.store = os.path.join(world.stoxd.folder, "stox.db")
        return world

    async def _messages_cross(self, world):
        juliet = await world.xmpp_client("juliet")
        alice = await world.sip_client("alice")
        answer = await alice.send_message("alice", JULIET, "still there?")
        self.assertEqual(answer.status, 200)
        await self.xmpp_got(juliet, "still there?")
        juliet.send_text("alice@sip.example", "still here")
        await self.sip_got(alice, "alice", "still here")

    async def test_that_is_broken_is_moved_aside(self):
        world = await self._world()
        with open(world.stoxd.store, "wb") as f:
            f.write(os.urandom(5000))
        await world.start()
        await self._messages_cross(world)
        self.assertRegex(world.stoxd.log_text(), r"error store\.broken moved_to=\S+/stox\.db\.broken-\d{8}T\d{6}Z why=")
        aside = [name for name in os.listdir(world.stoxd.folder) if name.startswith("stox.db.broken-")]
        self.assertEqual([os.path.getsize(os.path.join(world.stoxd.folder, name)) for name in aside], [5000])
        self.assertEqual(world.stoxd.metric("stox_store_writable"), 1)

    async def test_that_has_no_room_is_counted_and_writes_again_after_a_restart(self):
        world = await self._world()
        # No file may grow: neither the store nor, here, the log.
        world.stoxd.before_exec = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        await world.start()
        await self._messages_cross(world)
        self.assertEqual(world.stoxd.metric("stox_store_writable"), 0)
        code, body = world.stoxd.http("/readyz")
        self.assertEqual(code, 200)
        self.assertRegex(body, r"\Aready\nthe store cannot write: .*/stox\.db")
        check = world.stoxd.ctl("store", "check")
        self.assertEqual(check.returncode, 1)
        self.assertRegex(check.stdout, r"writes +no\n")
        world.stoxd.terminate()
        self.assertEqual(await world.stoxd.ended(15), 0)
        world.stoxd.before_exec = None
        await world.stoxd.start()
        self.assertEqual(world.stoxd.metric("stox_store_writable"), 1)
        self.assertEqual(world.stoxd.metric("stox_previous_end_unclean"), 0)
        self.assertEqual(world.stoxd.http("/readyz"), (200, "ready\n"))
        check = world.stoxd.ctl("store", "check")
        self.assertEqual(check.returncode, 0, check.stdout)
        self.assertRegex(check.stdout, r"sound +yes\nwrites +yes\n")


if __name__ == "__main__":
    unittest.main()
