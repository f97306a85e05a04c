"""An XMPP client (slixmpp) that keeps every message stanza that it gets."""

import asyncio
import time
import uuid
from dataclasses import dataclass

import slixmpp
from slixmpp.xmlstream import ET
from slixmpp.xmlstream.handler import Callback
from slixmpp.xmlstream.matcher import MatchXPath

_NS = "{jabber:client}"
_STANZAS = "{urn:ietf:params:xml:ns:xmpp-stanzas}"
_XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@dataclass
class Stanza:
    xml: object
    at: float

    @property
    def id(self):
        return self.xml.get("id")

    @property
    def type(self):
        return self.xml.get("type", "normal")

    @property
    def sender(self):
        return self.xml.get("from")

    @property
    def to(self):
        return self.xml.get("to")

    @property
    def lang(self):
        return self.xml.get(_XML_LANG)

    def child(self, name):
        return self.xml.findtext(_NS + name)

    @property
    def text(self):
        return self.child("body")

    @property
    def condition(self):
        """The defined condition of an error, without its namespace."""
        error = self.xml.find(_NS + "error")
        for child in error if error is not None else ():
            if child.tag.startswith(_STANZAS) and child.tag != _STANZAS + "text":
                return child.tag[len(_STANZAS) :]
        return None

    @property
    def error_type(self):
        error = self.xml.find(_NS + "error")
        return None if error is None else error.get("type")

    @property
    def error_text(self):
        error = self.xml.find(_NS + "error")
        return None if error is None else error.findtext(_STANZAS + "text")


class XmppClient(slixmpp.ClientXMPP):
    def __init__(self, jid, password, port, plugins=()):
        """plugins: slixmpp's own that this client has, "xep_0184"; without them only what a test writes is sent."""
        super().__init__(
            jid,
            password,
            plugin_config={"feature_mechanisms": {"unencrypted_plain": True}},
            sasl_mech="PLAIN",
        )
        for plugin in plugins:
            self.register_plugin(plugin)
        self._address = ("127.0.0.1", port)
        self.inbox = []  # Stanza, errors too
        self._online = asyncio.Event()
        self._wanted = True
        self.add_event_handler("session_start", self._on_session)
        self.add_event_handler("presence_available", self._on_presence)
        self.add_event_handler("disconnected", self._on_disconnected)
        self.register_handler(Callback("every message", MatchXPath(_NS + "message"), self._on_message))

    async def start(self, seconds=20):
        self._connect()
        await asyncio.wait_for(self._online.wait(), seconds)

    def _connect(self):
        self.connect(self._address, force_starttls=False, disable_starttls=True)

    def _on_session(self, _event):
        self.send_presence()

    def _on_presence(self, presence):
        # The server reflects our own presence once it has it; before that, messages to the bare JID do not find us.
        if presence["from"] == self.boundjid:
            self._online.set()

    def _on_disconnected(self, _event):
        self._online.clear()
        if self._wanted:
            asyncio.get_running_loop().call_later(0.2, lambda: self._wanted and self._connect())

    def _on_message(self, stanza):
        self.inbox.append(Stanza(stanza.xml, time.time()))

    @property
    def online(self):
        return self._online.is_set()

    async def wait_online(self, seconds):
        await asyncio.wait_for(self._online.wait(), seconds)

    def send_text(self, to, text, mtype="chat", subject=None, thread=None, lang=None, id=None, children=()):
        """Sends one message and returns its id; children: (name, namespace) or (name, namespace, attributes)."""
        stanza = self.make_message(mto=to, mbody=text, mtype=mtype, msubject=subject)
        stanza["id"] = id or "e2e-" + uuid.uuid4().hex[:12]
        if lang:
            stanza.xml.set(_XML_LANG, lang)
        if thread:
            ET.SubElement(stanza.xml, _NS + "thread").text = thread
        for name, space, *attributes in children:
            ET.SubElement(stanza.xml, f"{{{space}}}{name}", *attributes)
        stanza.send()
        return stanza["id"]

    def send_child(self, to, name, space, mtype="chat", **attributes):
        """A message without text that has that one child: a receipt, a marker, a typing notice."""
        stanza = self.make_message(mto=to, mtype=mtype)
        stanza["id"] = "e2e-" + uuid.uuid4().hex[:12]
        ET.SubElement(stanza.xml, f"{{{space}}}{name}", attributes)
        stanza.send()

    def errors(self):
        return [s for s in self.inbox if s.type == "error"]

    def children(self, name, space):
        """Every such child of every message that came."""
        return [c for s in self.inbox if s.type != "error" for c in s.xml.findall(f"{{{space}}}{name}")]

    def texts(self):
        return [s for s in self.inbox if s.type != "error" and s.text is not None]

    async def stop(self):
        self._wanted = False
        self.disconnect(wait=0.2)
        try:
            await asyncio.wait_for(self.disconnected, 2)
        except (asyncio.TimeoutError, asyncio.CancelledError):
            self.abort()
