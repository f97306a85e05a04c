"""Runs one test: run_one.py MODULE CLASS.METHOD. Ends with 77 (ctest: skipped) where it could not run, and says why. A test of clients/ was
asked for by name: without its clients it fails."""

import importlib.util
import shutil
import sys
import unittest
import warnings

SKIPPED = 77
SERVERS = ("prosody", "kamailio", "sipp")
CLIENTS = ("chromium", "chromedriver", "linphonec", "baresip")


def missing(programs):
    """Which of them, and of what the peers need beside them, this machine does not have."""
    names = [p for p in programs if not (shutil.which(p) or shutil.which(p, path="/usr/sbin"))]
    if not importlib.util.find_spec("slixmpp"):
        names.append("slixmpp")
    return names


def main():
    if sys.argv[1].startswith("clients."):
        if lacking := missing((*SERVERS, *CLIENTS)):
            print(f"not installed: {' '.join(lacking)} (./dev setup peers clients)")
            return 1
    elif lacking := missing(SERVERS):
        print(f"skipped: not installed: {' '.join(lacking)} (./dev setup peers)")
        return SKIPPED
    warnings.simplefilter("ignore")
    suite = unittest.defaultTestLoader.loadTestsFromName(f"{sys.argv[1]}.{sys.argv[2]}")
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, warnings="ignore").run(suite)
    for _, reason in result.skipped:
        print(f"skipped: {reason}")
    if result.skipped:
        return SKIPPED
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main())
