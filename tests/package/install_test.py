"""install_test.py CMAKE BUILD: installs into an empty prefix and works from there."""

import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

CMAKE, BUILD = sys.argv[1:3]


PAGES = {"stoxctl": "1", "stox.toml": "5", "stoxd": "8"}
EXPOSURE = 1.1  # docs/packaging.md quotes it


def run(*argv, **more):
    return subprocess.run(argv, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False, **more)


def free_port():
    """Free for UDP and TCP, and below those that the kernel gives to the connections of other tests."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            try:
                udp.bind(("127.0.0.1", port))
                tcp.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def files_in(folder):
    return sorted(os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names)


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
        self.assertEqual(files_in(self.prefix), [
            "bin/stoxctl",
            "lib/systemd/system/stoxd.service",
            "lib/sysusers.d/stox.conf",
            "sbin/stoxd",
            "share/doc/stox/LICENSE",
            "share/doc/stox/configuration.md",
            "share/doc/stox/packaging.md",
            "share/doc/stox/stox.toml",
            "share/man/man1/stoxctl.1",
            "share/man/man5/stox.toml.5",
            "share/man/man8/stoxd.8",
        ])

    def test_destdir_stands_before_the_prefix_and_in_no_file(self):
        root = os.path.join(self.folder, "destdir")
        done = run(CMAKE, "--install", BUILD, "--prefix", "/usr", env={**os.environ, "DESTDIR": root})
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(root, "usr", "lib", "systemd", "system", "stoxd.service"), encoding="utf-8") as f:
            self.assertIn("ExecStart=/usr/sbin/stoxd --config", f.read())

    def sample(self, secret):
        """The installed sample with the folder of this test in it; the path of the copy."""
        text = self.read("share", "doc", "stox", "stox.toml")
        self.assertEqual(text.count("change-me"), 1)
        for old, new in {
            "change-me": secret, "/var/lib/stox": self.folder, "/run/stox": self.folder, "127.0.0.1:5060": f"127.0.0.1:{free_port()}",
            "127.0.0.1:5347": f"127.0.0.1:{free_port()}", "127.0.0.1:9464": f"127.0.0.1:{free_port()}",
        }.items():
            text = text.replace(old, new)
        path = os.path.join(self.folder, "stox.toml")
        with open(path, "w", encoding="utf-8", opener=lambda p, flags: os.open(p, flags, 0o600)) as f:
            f.write(text)
        return path

    def page(self, name):
        return self.path("share", "man", "man" + PAGES[name], f"{name}.{PAGES[name]}")

    def test_programs_run_and_the_sample_is_accepted_once_its_secret_is_changed(self):
        stoxd = self.path("sbin", "stoxd")
        self.assertRegex(run(stoxd, "--version").stdout, r"^stoxd \d+\.\d+\.\d+\n$")
        self.assertIn("incidents", run(self.path("bin", "stoxctl"), "--help").stdout)
        mine = self.sample("of-my-own")
        checked = run(stoxd, "--config", mine, "--check-config")
        self.assertEqual((checked.returncode, checked.stderr, checked.stdout), (0, "", mine + ": no errors\n"))

    def test_daemon_starts_answers_stoxctl_and_ends_with_the_codes_of_its_page(self):
        stoxd, stoxctl, mine = self.path("sbin", "stoxd"), self.path("bin", "stoxctl"), self.sample("of-my-own")
        codes = set()
        with subprocess.Popen([stoxd, "--config", mine], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as daemon:
            try:
                end = time.monotonic() + 20
                while (asked := run(stoxctl, "--config", mine, "--json", "status")).returncode == 1:
                    self.assertIsNone(daemon.poll(), "it ended by itself")
                    self.assertLess(time.monotonic(), end, asked.stderr)
                # 3: it lives, but nobody is at its XMPP server.
                self.assertEqual((asked.returncode, json.loads(asked.stdout)["ready"]), (3, False))
                codes.add(run(stoxd, "--config", mine).returncode)
            finally:
                daemon.send_signal(signal.SIGTERM)
            codes.add(daemon.wait(20))
        codes.add(run(stoxd, "--config", mine + ".missing").returncode)
        with open(self.page("stoxd"), encoding="ascii") as f:
            said = re.search(r"(?s)\.SH EXIT STATUS\n(.*?)\.SH", f.read()).group(1)
        self.assertEqual(codes, {0, 1, 2})
        self.assertEqual({int(code) for code in re.findall(r"\\fB(\d+)\\fR", said)}, codes)

    def test_pages_name_every_key_and_flag(self):
        with open(self.page("stox.toml"), encoding="ascii") as f:
            keys = set(re.findall(r"\\fB([a-z_0-9]+)\\fR", f.read()))
        reference = run(self.path("sbin", "stoxd"), "--print-reference").stdout
        self.assertEqual(keys, set(re.findall(r"(?m)^\| `([a-z_0-9]+)`", reference)))
        with open(self.page("stoxctl"), encoding="ascii") as f:
            text = f.read().replace("\\-", "-")
        flags = set(re.findall(r"--[a-z-]+", run(self.path("bin", "stoxctl"), "--help").stdout)) - {"--record"}
        described = set(re.findall(r"\\fB(?:-h, )?(--[a-z-]+)", text))
        self.assertEqual(described, flags | {"--help", "--print-man"}, "src/cli/man.cpp describes each flag")

    @unittest.skipUnless(shutil.which("man"), "no man")
    def test_pages_are_good_roff(self):
        for name in PAGES:
            shown = run("man", "--warnings", "-l", self.page(name), env={**os.environ, "LC_ALL": "C.UTF-8", "MANROFFOPT": "-ww"})
            self.assertEqual((shown.returncode, shown.stderr), (0, ""))
            for heading in ("NAME", "SYNOPSIS", "FILES", "ENVIRONMENT", "EXAMPLES", "SEE ALSO"):
                self.assertRegex(shown.stdout, rf"(?m)^{heading}$")

    @unittest.skipUnless(shutil.which("systemd-analyze"), "no systemd-analyze")
    def test_unit_is_valid_and_as_closed_as_its_page_says(self):
        unit = self.path("lib", "systemd", "system", "stoxd.service")
        checked = run("systemd-analyze", "verify", "--man=no", unit)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))
        score = run("systemd-analyze", "security", "--offline=true", "--no-pager", unit).stdout
        exposure = float(re.search(r"Overall exposure level for stoxd.service: ([\d.]+)", score).group(1))
        self.assertLessEqual(exposure, EXPOSURE, score)
        self.assertIn(f"| exposure | {EXPOSURE} |", self.read("share", "doc", "stox", "packaging.md"))

    def test_unit_names_what_was_installed(self):
        unit = self.read("lib", "systemd", "system", "stoxd.service").splitlines()
        self.assertIn(f"ExecStart={self.path('sbin', 'stoxd')} --config /etc/stox/stox.toml", unit)
        documentation = next(line for line in unit if line.startswith("Documentation="))
        self.assertTrue(documentation.endswith(f" file:{self.path('share', 'doc', 'stox', 'configuration.md')}"))
        self.assertFalse([line for line in unit if "@docdir" in line or "@sbindir" in line])
        for line in ("Restart=on-failure", "RuntimeDirectory=stox", "StateDirectory=stox", "User=stox"):
            self.assertIn(line, unit)

    @unittest.skipUnless(shutil.which("dpkg-shlibdeps"), "no dpkg-dev")
    def test_debian_package_holds_the_same_and_names_its_libraries(self):
        out = os.path.join(self.folder, "deb")
        made = run(os.path.join(os.path.dirname(CMAKE), "cpack"), "--config", os.path.join(BUILD, "CPackConfig.cmake"), "-B", out)
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        (package,) = (os.path.join(out, name) for name in os.listdir(out) if name.endswith(".deb"))
        root = os.path.join(self.folder, "deb-root")
        self.assertEqual(run("dpkg-deb", "-x", package, root).returncode, 0)
        self.assertEqual(files_in(os.path.join(root, "usr")), files_in(self.prefix))
        with open(os.path.join(root, "usr", "lib", "systemd", "system", "stoxd.service"), encoding="utf-8") as f:
            self.assertIn("ExecStart=/usr/sbin/stoxd --config", f.read())
        depends = run("dpkg-deb", "-f", package, "Depends").stdout
        for library in ("libc6", "libsqlite3-0", "libexpat1", "libunbound8", "systemd"):
            self.assertIn(library, depends)

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
