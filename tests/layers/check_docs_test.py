"""The docs checker must find what it is there to find: it gets small trees with one fault each."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

CHECKER = pathlib.Path(__file__).resolve().parents[2] / "tools" / "check_docs.py"
SOURCE = """std::vector<sample> samples() {
  out.push_back({"ready", "1 while it takes work.", true, {}, 1});
  counter("lost_total",
          "Lost.", n);
}
"""
PAGE = """# Operations

## Metrics

| name | what |
|---|---|
| `ready`, `lost_total{domain}` | all of it |

## What to alarm on

- `stox_ready == 0`
"""


class Metrics(unittest.TestCase):
    def check(self, page=PAGE, source=SOURCE, **more):
        files = {"docs/operations.md": page, "src/samples.cpp": source, **more}
        with tempfile.TemporaryDirectory() as root:
            for path, text in files.items():
                place = pathlib.Path(root, path)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text, encoding="utf-8")
            done = subprocess.run([sys.executable, str(CHECKER), root], capture_output=True, text=True, check=False)
            return done.returncode, done.stdout + done.stderr

    def assert_finds(self, words, **tree):
        code, out = self.check(**tree)
        self.assertEqual(code, 1, out)
        self.assertIn(words, out)

    def test_that_are_all_named_are_right(self):
        self.assertEqual(self.check(), (0, ""))

    def test_that_the_page_leaves_out_are_found(self):
        self.assert_finds("does not name the metric lost_total", page=PAGE.replace(", `lost_total{domain}`", ""))

    def test_that_only_other_sections_name_are_found(self):
        page = PAGE.replace(", `lost_total{domain}`", "") + "\n| `lost_total` | elsewhere |\n"
        self.assert_finds("does not name the metric lost_total", page=page)

    def test_that_no_source_makes_are_found(self):
        self.assert_finds("names the metric found_total", page=PAGE.replace("lost_total{", "lost_total`, `found_total{"))

    def test_that_an_alarm_misspells_are_found(self):
        self.assert_finds("names the metric stox_reedy", page=PAGE.replace("stox_ready", "stox_reedy"))

    def test_that_a_recipe_misspells_are_found(self):
        self.assert_finds("tls.md: names the metric stox_tsl", **{"docs/howto/tls.md": "`stox_tsl` grows\n"})


if __name__ == "__main__":
    unittest.main()
