"""SIP messages as the test peers need them: enough to build, split and read, no more."""

import uuid
from dataclasses import dataclass, field


@dataclass
class Message:
    start: str
    headers: list = field(default_factory=list)  # (name, value) in order
    body: bytes = b""

    def get(self, name):
        for n, v in self.headers:
            if n.lower() == name.lower():
                return v
        return None

    def all(self, name):
        return [v for n, v in self.headers if n.lower() == name.lower()]

    @property
    def is_response(self):
        return self.start.startswith("SIP/2.0 ")

    @property
    def status(self):
        return int(self.start.split(" ", 2)[1])

    @property
    def reason(self):
        return self.start.split(" ", 2)[2]

    @property
    def method(self):
        return self.start.split(" ", 1)[0]

    @property
    def uri(self):
        return self.start.split(" ")[1]

    @property
    def text(self):
        return self.body.decode()

    @property
    def call_id(self):
        return self.get("Call-ID")

    @property
    def branch(self):
        return parameter(self.get("Via"), "branch")

    def to_bytes(self):
        head = [self.start] + [f"{n}: {v}" for n, v in self.headers if n.lower() != "content-length"]
        head.append(f"Content-Length: {len(self.body)}")
        return "\r\n".join(head).encode() + b"\r\n\r\n" + self.body


_LONG = {"v": "Via", "f": "From", "t": "To", "i": "Call-ID", "c": "Content-Type", "l": "Content-Length", "m": "Contact", "s": "Subject"}


def parameter(value, name):
    """A parameter after the first ';' that stands outside <>."""
    if value is None:
        return None
    for part in value.rsplit(">", 1)[-1].split(";")[1:]:
        key, _, v = part.strip().partition("=")
        if key.lower() == name:
            return v
    return None


def uri_of(value):
    """The URI of a From, To or Contact value."""
    return value[value.index("<") + 1 : value.index(">")] if "<" in value else value.split(";")[0].strip()


def parse(data):
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "replace").split("\r\n")
    message = Message(lines[0])
    for line in lines[1:]:
        name, _, value = line.partition(":")
        name = name.strip()
        message.headers.append((_LONG.get(name.lower(), name), value.strip()))
    length = message.get("Content-Length")
    message.body = body[: int(length)] if length is not None else body
    return message


def split_stream(buffer):
    """Takes whole messages off the front of a bytearray (TCP framing by Content-Length)."""
    messages = []
    while True:
        while buffer[:2] == b"\r\n":
            del buffer[:2]
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return messages
        message = parse(bytes(buffer[: end + 4]))
        size = end + 4 + int(message.get("Content-Length") or 0)
        if len(buffer) < size:
            return messages
        messages.append(parse(bytes(buffer[:size])))
        del buffer[:size]


def new_branch():
    return "z9hG4bK" + uuid.uuid4().hex[:20]


def new_tag():
    return uuid.uuid4().hex[:10]


def response_to(request, status, reason, headers=()):
    r = Message(f"SIP/2.0 {status} {reason}")
    for n, v in request.headers:
        if n in ("Via", "From", "Call-ID", "CSeq"):
            r.headers.append((n, v))
        elif n == "To":
            r.headers.append((n, v if parameter(v, "tag") else f"{v};tag={new_tag()}"))
    r.headers.extend(headers)
    return r
