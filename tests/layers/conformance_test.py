"""The writer of docs/conformance.md must find what is out of date or cannot be read: it gets small trees."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

DECISION = "decisions/0010-rulings.md"
TOOL = pathlib.Path(__file__).resolve().parents[2] / "tools" / "conformance.py"


def run(root, *flags):
    done = subprocess.run([sys.executable, str(TOOL), *flags, root], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


class Conformance(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.put("docs/" + DECISION, "# 0010\n")
        self.put("tests/golden/pager/a.gold", "# A <text> becomes | another.\n# spec: RFC7572 §4, §13.1, XEP-0131\n")
        self.put("tests/scenario/link/b.scn", "# The link comes back.\n# spec: RFC7572 §5 Table 2, docs/decisions/0010\n")

    def put(self, path, text):
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")

    def written(self):
        self.assertEqual(run(str(self.root), "--write"), (0, ""))
        return (self.root / "docs/conformance.md").read_text(encoding="utf-8")

    def test_sections_stand_in_their_order_with_their_tests(self):
        text = self.written()
        rows = [line for line in text.splitlines() if line.startswith(("## ", "| §", "| - "))]
        self.assertEqual(
            rows,
            [
                "## [RFC 7572](https://www.rfc-editor.org/rfc/rfc7572)",
                "| §4 | A &lt;text> becomes \\| another. | `golden.pager.a` |",
                "| §5 Table 2 | The link comes back. | `scenario.b` |",
                "| §13.1 | A &lt;text> becomes \\| another. | `golden.pager.a` |",
                "## [XEP-0131](https://xmpp.org/extensions/xep-0131.html)",
                "| - | A &lt;text> becomes \\| another. | `golden.pager.a` |",
                f"## [Our decisions/0010]({DECISION})",
                "| - | The link comes back. | `scenario.b` |",
            ],
        )

    def test_a_file_that_is_up_to_date_is_quiet(self):
        self.written()
        self.assertEqual(run(str(self.root)), (0, ""))

    def test_a_new_test_makes_the_file_out_of_date(self):
        self.written()
        self.put("tests/golden/pager/c.gold", "# More.\n# spec: RFC7572 §4\n")
        code, out = run(str(self.root))
        self.assertEqual(code, 1)
        self.assertIn("write it anew", out)

    def test_an_older_version_of_a_xep_has_its_own_section(self):
        self.put("tests/golden/pager/c.gold", "# Old.\n# spec: XEP-0424 0.3.0 §3\n")
        heading = "## [XEP-0424 0.3.0](https://xmpp.org/extensions/attic/xep-0424-0.3.0.html)"
        self.assertIn(heading + "\n\n| clause | shown | test |\n|---|---|---|\n| §3 | Old. |", self.written())

    def test_what_cannot_be_read_is_named(self):
        for line in ("# spec: RFC 7572 §4", "# spec: §4", "# spec: draft-x", "# nothing", "# spec: docs/decisions/0099"):
            self.put("tests/golden/pager/c.gold", f"# More.\n{line}\n")
            code, out = run(str(self.root), "--write")
            self.assertEqual(code, 1, line)
            self.assertTrue("c.gold" in out or "0099" in out, out)


if __name__ == "__main__":
    unittest.main()
