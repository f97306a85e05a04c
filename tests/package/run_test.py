"""run_test.py RUN_SH STOXD: `./dev run` with and without --port-base."""

import os
import subprocess
import sys
import tempfile
import unittest

SCRIPT, STOXD = sys.argv[1:3]


class Run(unittest.TestCase):
    def shown(self, folder, *args):
        """What the script says, and the configuration that then counts."""
        done = subprocess.run(
            ["bash", SCRIPT, "--folder", folder, "--stoxd", STOXD, *args, "--", "--print-config"],
            capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def expect(self, text, port):
        self.assertIn(f'"udp:127.0.0.1:{port}", "tcp:127.0.0.1:{port}"', text)
        self.assertIn(f'"sip:127.0.0.1:{port + 20};lr"', text)
        self.assertIn(f'"sip:127.0.0.1:{port}"; t_relay()', text)

    def test_port_base_counts_also_when_the_configuration_exists(self):
        with tempfile.TemporaryDirectory(prefix="stox-run-") as folder:
            config = os.path.join(folder, "stox.toml")
            self.expect(self.shown(folder), 5060)
            with open(config, encoding="utf-8") as f:
                first = f.read()
            self.expect(self.shown(folder, "--port-base", "7000"), 7000)
            self.expect(self.shown(folder), 5060)
            with open(config, encoding="utf-8") as f:
                self.assertEqual(f.read(), first, "the file is its owner's")
            self.assertEqual(os.stat(config).st_mode & 0o777, 0o600)

    def test_first_port_base_is_written(self):
        with tempfile.TemporaryDirectory(prefix="stox-run-") as folder:
            self.shown(folder, "--port-base", "7000")
            self.expect(self.shown(folder), 7000)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
