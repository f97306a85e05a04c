"""install_test.py CMAKE BUILD: installs into an empty prefix and works from there."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

CMAKE, BUILD = sys.argv[1:3]


def run(*argv):
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="stox-install-")
        cls.prefix = os.path.join(cls.folder, "usr")
        done = run(CMAKE, "--install", BUILD, "--prefix", cls.prefix)
        assert done.returncode == 0, done.stdout + done.stderr

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def path(self, *names):
        return os.path.join(self.prefix, *names)

    def read(self, *names):
        with open(self.path(*names), encoding="utf-8") as f:
            return f.read()

    def test_exactly_what_a_service_needs(self):
        found = sorted(os.path.relpath(os.path.join(at, name), self.prefix) for at, _, names in os.walk(self.prefix) for name in names)
        self.assertEqual(found, [
            "bin/stoxctl",
            "lib/systemd/system/stoxd.service",
            "lib/sysusers.d/stox.conf",
            "sbin/stoxd",
            "share/doc/stox/LICENSE",
            "share/doc/stox/configuration.md",
            "share/doc/stox/stox.toml",
        ])

    def test_programs_run_and_the_sample_is_accepted_once_its_secret_is_changed(self):
        stoxd = self.path("sbin", "stoxd")
        self.assertRegex(run(stoxd, "--version").stdout, r"^stoxd \d+\.\d+\.\d+\n$")
        self.assertIn("incidents", run(self.path("bin", "stoxctl"), "--help").stdout)
        sample = self.read("share", "doc", "stox", "stox.toml")
        self.assertEqual(sample.count("change-me"), 1)
        mine = os.path.join(self.folder, "stox.toml")
        with open(mine, "w", encoding="utf-8", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
            f.write(sample.replace("change-me", "of-my-own").replace("/var/lib/stox", self.folder).replace("/run/stox", self.folder))
        checked = run(stoxd, "--config", mine, "--check-config")
        self.assertEqual((checked.returncode, checked.stderr, checked.stdout), (0, "", mine + ": no errors\n"))

    def test_unit_names_what_was_installed(self):
        unit = self.read("lib", "systemd", "system", "stoxd.service").splitlines()
        self.assertIn(f"ExecStart={self.path('sbin', 'stoxd')} --config /etc/stox/stox.toml", unit)
        self.assertIn(f"Documentation=file:{self.path('share', 'doc', 'stox', 'configuration.md')}", unit)
        self.assertFalse([line for line in unit if "@docdir" in line or "@sbindir" in line])
        for line in ("Restart=on-failure", "RuntimeDirectory=stox", "StateDirectory=stox", "User=stox"):
            self.assertIn(line, unit)

    @unittest.skipUnless(shutil.which("systemd-sysusers"), "no systemd-sysusers")
    def test_user_can_be_made(self):
        root = os.path.join(self.folder, "root")
        os.makedirs(os.path.join(root, "etc"))
        shutil.copytree(self.path("lib", "sysusers.d"), os.path.join(root, "usr", "lib", "sysusers.d"))
        made = run("systemd-sysusers", f"--root={root}", "stox.conf")
        self.assertEqual(made.returncode, 0, made.stderr)
        with open(os.path.join(root, "etc", "passwd"), encoding="utf-8") as f:
            self.assertRegex(f.read(), r"(?m)^stox:x:\d+:\d+:Stox SIP-XMPP gateway:/var/lib/stox:")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
