"""What clients say around a text. On SIP: CPIM (RFC 3862), IMDN (RFC 5438), typing notices (RFC 3994), written by hand here, so that the
gateway is not measured with its own ruler. On XMPP: the namespaces."""

import re
import xml.etree.ElementTree as ET
import zlib
from dataclasses import dataclass, field

COMPOSING = "application/im-iscomposing+xml"
CPIM = "message/cpim"
IMDN = "message/imdn+xml"
RECEIPTS = "urn:xmpp:receipts"
MARKERS = "urn:xmpp:chat-markers:0"
STATES = "http://jabber.org/protocol/chatstates"
CORRECTION = "urn:xmpp:message-correct:0"
_IMDN_NS = "{urn:ietf:params:xml:ns:imdn}"
_COMPOSING_NS = "{urn:ietf:params:xml:ns:im-iscomposing}"


@dataclass
class Cpim:
    """The headers of the message, those of its content, the content."""

    headers: list = field(default_factory=list)  # (name, value) in order, as written
    content_headers: list = field(default_factory=list)
    body: str = ""

    def get(self, name):
        """By any prefix: imdn.Message-ID is asked for as "Message-ID"."""
        return next((v for n, v in self.headers if n.rsplit(".", 1)[-1].lower() == name.lower()), None)

    @property
    def content_type(self):
        return next((v for n, v in self.content_headers if n.lower() == "content-type"), None)

    @property
    def message_id(self):
        return self.get("Message-ID")

    @property
    def wanted(self):
        """The notifications that it asks for."""
        return sorted(t.strip() for t in (self.get("Disposition-Notification") or "").split(",") if t.strip())


def cpim(sender, to, text, message_id=None, wanted=(), content_type="text/plain;charset=UTF-8"):
    lines = [f"From: <{sender}>", f"To: <{to}>", "DateTime: 2026-11-27T12:00:00Z"]
    if message_id:
        lines += ["NS: imdn <urn:ietf:params:imdn>", f"imdn.Message-ID: {message_id}"]
    if wanted:
        lines.append(f"imdn.Disposition-Notification: {', '.join(wanted)}")
    return "\r\n".join([*lines, "", f"Content-Type: {content_type}", "", text])


def body_of(message):
    """The body as text; Linphone compresses what it deems worth it."""
    data = message.body
    if (message.get("Content-Encoding") or "").lower() == "deflate":
        data = zlib.decompress(data)
    return data.decode()


def type_of(message):
    """The media type without parameters, in lower case."""
    return (message.get("Content-Type") or "").split(";")[0].strip().lower()


def _fields(block):
    return [tuple(p.strip() for p in line.split(":", 1)) for line in block.split("\n") if ":" in line]


def parse_cpim(text):
    head, inner, *rest = re.split(r"\n\n", text.replace("\r\n", "\n"), maxsplit=2)
    return Cpim(_fields(head), _fields(inner), rest[0] if rest else "")


@dataclass
class Imdn:
    message_id: str
    kind: str  # delivery, display, processing
    status: str  # delivered, displayed, failed ...


def imdn(message_id, status, recipient):
    kind = {"delivered": "delivery", "failed": "delivery", "displayed": "display"}[status]
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\r\n<imdn xmlns="urn:ietf:params:xml:ns:imdn">'
        f"<message-id>{message_id}</message-id><datetime>2026-11-27T12:00:00Z</datetime>"
        f"<recipient-uri>{recipient}</recipient-uri><original-recipient-uri>{recipient}</original-recipient-uri>"
        f"<{kind}-notification><status><{status}/></status></{kind}-notification></imdn>"
    )


def parse_imdn(text):
    root = ET.fromstring(text.strip().encode())
    for kind in ("delivery", "display", "processing"):
        status = root.find(f"{_IMDN_NS}{kind}-notification/{_IMDN_NS}status")
        if status is not None:
            word = next(c.tag for c in status if c.tag.startswith(_IMDN_NS))
            return Imdn(root.findtext(_IMDN_NS + "message-id"), kind, word[len(_IMDN_NS) :])
    raise AssertionError(f"no notification in {text}")


def notification_of(message):
    """The IMDN of a MESSAGE, bare or in CPIM; None: it is something else."""
    if type_of(message) == IMDN:
        return parse_imdn(body_of(message))
    if type_of(message) == CPIM:
        inner = parse_cpim(body_of(message))
        if (inner.content_type or "").lower().startswith(IMDN):
            return parse_imdn(inner.body)
    return None


def composing(state, refresh=60):
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\r\n<isComposing xmlns="urn:ietf:params:xml:ns:im-iscomposing">'
        f"<state>{state}</state><contenttype>text/plain</contenttype><refresh>{refresh}</refresh></isComposing>"
    )


def composing_state(message):
    """active or idle; None: no typing notice."""
    if type_of(message) != COMPOSING:
        return None
    return ET.fromstring(body_of(message).strip().encode()).findtext(_COMPOSING_NS + "state")
