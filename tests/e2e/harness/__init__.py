import logging

# Before slixmpp is imported: it comments on the machine it finds itself on.
logging.getLogger("slixmpp").setLevel(logging.CRITICAL)
