"""Tests with alice on SIP and juliet at Converse.js."""

import os

from harness.converse import Converse, dist
from harness.world import PASSWORD, WorldTest

CONTACTS = [("alice@sip.example", "Alice"), ("nobody@sip.example", "Nobody")]


class PageTest(WorldTest):
    async def make_page(self):
        """The world, the socket of alice, the page that juliet is logged in at."""
        world = await self.make_world(start=False)
        world.prosody.use_web()
        world.prosody.befriend("juliet", CONTACTS)
        await world.start()
        alice = await world.sip_client("alice")
        page = Converse(os.path.join(world.folder, "chromium"), dist(), world.prosody.websocket_url)
        self.addAsyncCleanup(self._end_page, page)
        await page.start()
        await page.log_in("juliet@xmpp.example", PASSWORD)
        return world, alice, page

    async def _end_page(self, page):
        if self._outcome_failed():
            await page.screenshot(self.picture(f"failed-{self._testMethodName}.png"))
        await page.stop()

    def picture(self, name):
        return os.path.join(os.environ["STOX_SCREENSHOTS"], name)
