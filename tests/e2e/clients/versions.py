"""Prints the versions of the clients and servers that the tests of this folder run with, and where docs/clients.md was written with others."""

import json
import pathlib
import subprocess
import sys

_PACKAGES = {
    "Chromium": "chromium",
    "slixmpp": "python3-slixmpp",
    "Linphone": "linphone-cli",
    "baresip": "baresip-core",
    "SIPp": "sip-tester",
    "Prosody": "prosody",
    "Kamailio": "kamailio",
}


def package_version(name):
    command = ["dpkg-query", "-W", "-f=${Version}", name]
    return subprocess.run(command, capture_output=True, text=True).stdout or "not installed"


def upstream(version):
    """Debian's version without its epoch and its own part."""
    return version.rsplit("-", 1)[0].split(":", 1)[-1]


def main():
    page = (pathlib.Path(__file__).resolve().parents[3] / "docs" / "clients.md").read_text(encoding="utf-8")
    with open(pathlib.Path(sys.argv[1]) / "package.json", encoding="utf-8") as f:
        versions = {"Converse.js": json.load(f)["version"]}
    versions.update((name, package_version(package)) for name, package in _PACKAGES.items())
    for name, version in versions.items():
        known = f"{name} {upstream(version)}" in page
        print(f"   {name:<12} {version:<28} {'' if known else '(docs/clients.md tells of another version)'}".rstrip())


if __name__ == "__main__":
    main()
