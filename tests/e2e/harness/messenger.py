"""A SIP user whose client speaks all of today's chat: CPIM, delivery and display reports, typing notices. Scripted, so that a test says
when it reports what; it acknowledges a delivery by itself, as phones do."""

import uuid

from . import im, sip
from .process import until


class Messenger:
    def __init__(self, client, user, domain="sip.example", acknowledges=True):
        self._client, self.user, self.address = client, user, f"sip:{user}@{domain}"
        self._acknowledges = acknowledges
        client.heard[user] = self._on_message

    async def _on_message(self, received):
        if im.type_of(received.message) != im.CPIM or im.notification_of(received.message):
            return
        message = im.parse_cpim(im.body_of(received.message))
        if self._acknowledges and "positive-delivery" in message.wanted:
            await self.report(received, "delivered")

    async def _send(self, to, text, content_type):
        return await self._client.send_message(self.user, to, text, content_type=content_type)

    async def ask(self, to, text, wanted=("positive-delivery", "negative-delivery", "display")):
        """Sends it as CPIM; the answer and the Message-ID."""
        message_id = uuid.uuid4().hex[:16]
        return await self._send(to, im.cpim(self.address, to, text, message_id, wanted), im.CPIM), message_id

    async def say(self, to, text, **more):
        """The same, and it is taken; the Message-ID."""
        answer, message_id = await self.ask(to, text, **more)
        if answer is None or answer.status not in (200, 202):
            raise AssertionError(f"{text!r} in CPIM: {answer.start if answer else 'no answer'}")
        return message_id

    async def report(self, received, status):
        """delivered, displayed or failed, of a CPIM that came; RFC 5438 §8: in CPIM itself, asking for nothing."""
        message = im.parse_cpim(im.body_of(received.message))
        to = sip.uri_of(received.message.get("From"))
        text = im.imdn(message.message_id, status, self.address)
        body = im.cpim(self.address, to, text, uuid.uuid4().hex[:16], (), im.IMDN + "\r\nContent-Disposition: notification")
        return await self._send(to, body, im.CPIM)

    async def typing(self, to, state):
        answer = await self._send(to, im.composing(state), im.COMPOSING)
        if answer is None or answer.status not in (200, 202):
            raise AssertionError(f"typing notice: {answer.start if answer else 'no answer'}")

    # ---- what was seen ----

    def received(self):
        return self._client.received_by(self.user)

    def reports(self):
        return [r for r in (im.notification_of(m.message) for m in self.received()) if r]

    def states(self):
        return [s for s in (im.composing_state(m.message) for m in self.received()) if s]

    def texts(self):
        """(Received, text) of what its user reads."""
        result = []
        for r in self.received():
            if im.type_of(r.message) == "text/plain":
                result.append((r, r.text))
            elif im.type_of(r.message) == im.CPIM and not im.notification_of(r.message):
                result.append((r, im.parse_cpim(im.body_of(r.message)).body))
        return result

    async def got(self, text, seconds=10):
        """The Received that has that text; fails if it came twice."""
        await until(lambda: any(t == text for _, t in self.texts()), seconds, f"{self.address} reads {text!r}")
        found = [r for r, t in self.texts() if t == text]
        if len(found) != 1:
            raise AssertionError(f"{text!r} came {len(found)} times")
        return found[0]

    async def reported(self, message_id, status, seconds=10):
        """Waits for that report of a message of ours; fails if it came twice."""

        def those():
            return [r for r in self.reports() if r.message_id == message_id and r.status == status]

        await until(those, seconds, f"{self.address} hears that {message_id} is {status}")
        if len(those()) != 1:
            raise AssertionError(f"{status} came {len(those())} times")
