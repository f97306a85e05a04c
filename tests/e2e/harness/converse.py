"""Converse.js in a browser: its page on a port of its own, and what a user of it does and sees."""

import asyncio
import functools
import http.server
import json
import os
import threading

from .chromium import END, ENTER, UP, Chromium

# The fields of the login form; everything else of Converse.js is as it comes.
_PAGE = """<!doctype html><meta charset=utf-8><title>Converse.js</title><link rel=stylesheet href=/dist/converse.min.css>
<body class=converse-fullscreen><script type=module src=/dist/converse.min.js></script><script type=module>
converse.initialize({settings});
</script>"""


class _Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *arguments, page, **more):
        self._page = page
        super().__init__(*arguments, **more)

    def do_GET(self):
        if self.path != "/":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self._page)

    def log_message(self, *_):
        pass


class Converse:
    def __init__(self, folder, dist, websocket_url):
        """dist: the folder that holds Converse.js' dist/."""
        self.browser = Chromium(folder)
        settings = {
            "authentication": "login",
            "websocket_url": websocket_url,
            "discover_connection_methods": False,
            "view_mode": "fullscreen",
            "assets_path": "/dist/",
            "i18n": "en",
            "play_sounds": False,
            "show_desktop_notifications": False,
        }
        page = _PAGE.replace("{settings}", json.dumps(settings)).encode()
        handler = functools.partial(_Handler, page=page, directory=dist)
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    async def start(self):
        self._thread.start()
        await self.browser.start()

    async def log_in(self, jid, password):
        """By the form, as its user does."""
        b = self.browser
        await b.open(f"http://127.0.0.1:{self._server.server_address[1]}/")
        await b.type("#converse-login-jid", jid)
        await b.type("#converse-login-password", password + ENTER)
        await b.element("a.open-chat", 30)

    async def open_chat(self, jid):
        """A click on that contact of the roster."""
        await self.browser.click(f'a.open-chat[data-jid="{jid}"]')
        await self.browser.element("textarea.chat-textarea")

    async def say(self, text):
        await self.browser.type("textarea.chat-textarea", text + ENTER)
        await self.shows(text)

    async def begin(self, text):
        """Types without sending it."""
        await self.browser.type("textarea.chat-textarea", text)

    async def correct_last(self, more):
        """Arrow up takes the last message back into the field; more is put behind it."""
        await self.browser.type("textarea.chat-textarea", UP)
        await self.browser.element("textarea.chat-textarea.correcting")
        await self.browser.type("textarea.chat-textarea", END + more + ENTER)

    async def shows(self, text, seconds=15):
        """A bubble with that text; once, not twice."""
        texts = await self.browser.shows("converse-chat .chat-msg__text", text, seconds)
        if texts.count(text) != 1:
            raise AssertionError(f"{text!r} stands there {texts.count(text)} times")

    async def messages(self):
        """(own, text, ticked, edited) of every bubble, from top to bottom."""
        found = await self.browser.run(
            "return [...document.querySelectorAll('converse-chat .chat-msg')].filter(m => m.querySelector('.chat-msg__text'))"
            ".map(m => [m.querySelector('.chat-msg__author')?.innerText.trim() ?? '',"
            " m.querySelector('.chat-msg__text').innerText.trim(), !!m.querySelector('.chat-msg__receipt'),"
            " !!m.querySelector('.chat-msg__edit-modal')])"
        )
        return [tuple(m) for m in found]

    async def errors(self, seconds=15):
        """Waits for the words under a message that failed."""
        return await self.browser.wait(
            lambda: self.browser.texts("converse-chat .chat-msg__error"), bool, seconds, "the page shows an error"
        )

    async def ticked(self, text, seconds=15):
        """Waits for the tick of a delivery receipt at that message."""
        await self.browser.wait(
            self.messages, lambda seen: any(m[1] == text and m[2] for m in seen), seconds, f"{text!r} has its tick"
        )

    async def shows_typing(self, seconds=15):
        """Waits for the line that somebody is typing; its text."""
        return (await self.browser.wait(self.notices, bool, seconds, "the page says that somebody types"))[0]

    async def shows_no_typing(self, seconds=15):
        await self.browser.wait(self.notices, lambda seen: not seen, seconds, "the page says that nobody types")

    async def notices(self):
        return [t for t in await self.browser.texts("converse-chat .chat-content__notifications") if t]

    async def screenshot(self, path):
        # Somewhere else than on a message, whose buttons would cover it.
        await self.browser.run("document.activeElement?.blur()")
        await self.browser.screenshot(path)

    async def stop(self):
        await self.browser.stop()
        if self._thread.is_alive():
            await asyncio.to_thread(self._server.shutdown)
        self._server.server_close()


def dist():
    """The folder that `./dev setup clients` filled."""
    folder = os.environ.get("STOX_CONVERSE", "")
    if not os.path.exists(os.path.join(folder, "dist", "converse.min.js")):
        raise AssertionError("no Converse.js (./dev setup clients)")
    return folder
