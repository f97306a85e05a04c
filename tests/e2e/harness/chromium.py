"""A headless Chromium of our own, driven over WebDriver (chromedriver), as its user would: keys, clicks, what stands on the page."""

import asyncio
import base64
import json
import os
import time
import urllib.error
import urllib.request

from .process import Process, free_port, tcp_answers, until

# chromedriver does not take it along when it is killed.
_BROWSER = """#!/bin/sh
exec setpriv --pdeathsig TERM /usr/bin/chromium "$@"
"""
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver's name of a reference to an element
_FLAGS = (
    "--headless",
    "--no-sandbox",  # root has none; the only page is ours
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=WebSocketsPermissionPrompt,LocalNetworkAccessChecks",
    "--lang=en",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",  # nothing of the world is asked
)

ENTER = "\ue007"
END = "\ue010"
UP = "\ue013"


class Chromium:
    def __init__(self, folder, size=(1000, 800)):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self._size = size
        self._port = free_port()
        self._session = None
        environment = {"HOME": folder, "TMPDIR": folder, "XDG_RUNTIME_DIR": folder}
        argv = ["chromedriver", f"--port={self._port}", "--allowed-ips=127.0.0.1"]
        self._process = Process("chromedriver", argv, os.path.join(folder, "chromedriver.log"), environment)

    async def start(self):
        browser = os.path.join(self.folder, "browser")
        with open(browser, "w", opener=lambda path, flags: os.open(path, flags, 0o700)) as f:
            f.write(_BROWSER)
        self._process.start()
        await self._process.ready(lambda: tcp_answers(self._port))
        options = {
            "binary": browser,
            "args": [*_FLAGS, f"--user-data-dir={self.folder}/profile", "--window-size=%d,%d" % self._size],
        }
        always = {"browserName": "chrome", "goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        made = await self._call("POST", "/session", {"capabilities": {"alwaysMatch": always}}, 60)
        self._session = made["sessionId"]

    async def _call(self, method, path, body=None, seconds=20):
        if self._session:
            path = f"/session/{self._session}{path}"
        data = json.dumps(body if body is not None else {}).encode() if method == "POST" else None
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{path}", data, {"Content-Type": "application/json"}, method=method
        )

        def run():
            try:
                with urllib.request.urlopen(request, timeout=seconds) as r:
                    return json.load(r)["value"]
            except urllib.error.HTTPError as e:
                value = json.load(e)["value"]
                raise BrowserError(f'{value["error"]}: {value["message"].splitlines()[0]}') from None

        # The clients of the test live on this loop and go on while the browser works.
        return await asyncio.to_thread(run)

    async def open(self, url):
        await self._call("POST", "/url", {"url": url}, 60)

    async def run(self, script, *arguments):
        """What the JavaScript returns."""
        return await self._call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    async def _find(self, selector):
        """The first visible element, or None."""
        script = (
            "return [...document.querySelectorAll(arguments[0])].find(e => e.getClientRects().length"
            " && getComputedStyle(e).visibility !== 'hidden') ?? null"
        )
        found = await self.run(script, selector)
        return found and found[_ELEMENT]

    async def element(self, selector, seconds=15):
        return await self.wait(lambda: self._find(selector), bool, seconds, f"{selector} stands on the page")

    async def wait(self, look, condition, seconds, what):
        """Looks at the page again and again until the condition holds for what it sees; returns that."""
        end = time.monotonic() + seconds
        while True:
            seen = await look()
            if condition(seen):
                return seen
            if time.monotonic() > end:
                raise AssertionError(f"not within {seconds} s: {what}; seen: {seen!r}\n{await self.console()}")
            await asyncio.sleep(0.05)

    async def type(self, selector, keys):
        await self._call("POST", f"/element/{await self.element(selector)}/value", {"text": keys})

    async def click(self, selector):
        # A page that renders anew between finding and clicking leaves the reference behind.
        for attempt in range(5):
            try:
                await self._call("POST", f"/element/{await self.element(selector)}/click")
                return
            except BrowserError:
                if attempt == 4:
                    raise
                await asyncio.sleep(0.2)

    async def texts(self, selector):
        """What a person reads in each of them, from top to bottom."""
        return await self.run("return [...document.querySelectorAll(arguments[0])].map(e => e.innerText.trim())", selector)

    async def shows(self, selector, text, seconds=15):
        """Waits until one of them reads so; what all of them read."""
        return await self.wait(lambda: self.texts(selector), lambda seen: text in seen, seconds, f"{selector} reads {text!r}")

    async def screenshot(self, path):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(base64.b64decode(await self._call("GET", "/screenshot")))

    async def console(self):
        entries = await self._call("POST", "/se/log", {"type": "browser"})
        return "\n".join(f'{e["level"]}: {e["message"]}' for e in entries[-15:])

    async def stop(self):
        if self._session:
            try:
                await self._call("DELETE", "")
            except (OSError, BrowserError):
                pass
        await self._process.stop()
        await until(lambda: not _users_of(self.folder), 10, "Chromium ends")


class BrowserError(Exception):
    pass


def _users_of(folder):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if folder.encode() in f.read():
                    found.append(pid)
        except OSError:
            pass
    return found
