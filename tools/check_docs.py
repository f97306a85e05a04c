#!/usr/bin/env python3
"""What documents cite must exist: other documents, the error texts of docs/troubleshooting.md, the tests of docs/security.md, the metrics of
docs/operations.md, which names each one that the sources have. Prints what is wrong; exit 1 then."""

import pathlib
import re
import sys

CITED = re.compile(r"\bdocs/[\w./-]+\.(?:md|svg|png)")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#\s]+)")


def missing(root):
    for path in sorted(root.rglob("*")):
        top = path.relative_to(root).parts[0]
        if not path.is_file() or top.startswith((".git", "build")) or path.suffix not in {
            ".md", ".cpp", ".hpp", ".py", ".txt", ".toml", ".gold", ".scn", ".sh",
        }:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for cited in CITED.findall(text):
            if not (root / cited).exists():
                yield path, cited
        if path.suffix == ".md":
            for link in LINK.findall(text):
                if not (path.parent / link).exists():
                    yield path, link


def cells(line):
    return line.split("|")[1:-1] if line.startswith("|") else []


def missing_texts(root):
    """The first column of troubleshooting.md quotes what the program says."""
    page = root / "docs" / "troubleshooting.md"
    if not page.exists():
        return
    sources = "\n".join(p.read_text(encoding="utf-8") for p in sorted((root / "src").rglob("*.[ch]pp")))
    # Adjacent literals are one text, and a quote in one is escaped.
    sources = re.sub(r'"\s*\n\s*"', "", sources).replace('\\"', '"')
    for line in page.read_text(encoding="utf-8").splitlines():
        for quoted in re.findall(r"`([^`]+)`", (cells(line) or [""])[0]):
            if quoted not in sources:
                yield page, f"the text `{quoted}`"


def has_test(root, name):
    """NAME as ctest has it, without what follows the case's name."""
    room, _, case = name.partition(".")
    if room == "scenario":
        return any((root / "tests/scenario").rglob(case + ".scn"))
    if room == "golden":
        folder, _, stem = case.partition(".")
        return (root / "tests/golden" / folder / (stem + ".gold")).exists()
    suite, _, case = case.partition(".")
    if room == "e2e":
        file, wanted = root / f"tests/e2e/test_{suite}.py", f"def test_{case}("
        return file.exists() and wanted in file.read_text(encoding="utf-8")
    wanted = re.compile(rf"TEST(?:_[FP])?\({suite},\s*{case}\)")
    return any(wanted.search(p.read_text(encoding="utf-8")) for p in sorted((root / "tests").rglob("*_test.cpp")))


def missing_tests(root):
    """The last column of security.md names the tests that show what is said."""
    page = root / "docs" / "security.md"
    if not page.exists():
        return
    for line in page.read_text(encoding="utf-8").splitlines():
        for name in re.findall(r"`([a-z0-9_]+\.[a-z0-9_.]+)`", (cells(line) or [""])[-1]):
            if not has_test(root, name):
                yield page, f"the test `{name}`"


# A series as the sources make it: its name, then its help. Of an enum there is a table of rows {aside::x, name, help}.
SERIES = re.compile(r'(?:push_back\(\{|\badd\(|\bcounter\(|\bgauge\(|\baside::\w+,)\s*"([a-z][a-z0-9_]*)",\s*"')


def differing_metrics(root):
    """The first column of the table of metrics has every name that the sources have, and alarms and recipes have no other."""
    page = root / "docs" / "operations.md"
    if not page.exists():
        return
    text = page.read_text(encoding="utf-8")
    sources = [p.read_text(encoding="utf-8") for p in sorted((root / "src").rglob("*.cpp"))]
    made = {name for s in sources if "sample>" in s for name in SERIES.findall(s)}
    lines = text.partition("\n## Metrics\n")[2].partition("\n## ")[0].splitlines()
    told = {name for line in lines for name in re.findall(r"`([a-z][a-z0-9_]*)[`{]", (cells(line) or [""])[0])}
    for name in sorted(made - told):
        yield page, f"does not name the metric {name}"
    for name in sorted(told - made):
        yield page, f"names the metric {name}, which no source makes"
    for other in [page, root / "docs/troubleshooting.md", *sorted((root / "docs/howto").glob("*.md"))]:
        for name in re.findall(r"\bstox_([a-z0-9_]+)", other.read_text(encoding="utf-8") if other.exists() else ""):
            if name not in made:
                yield other, f"names the metric stox_{name}, which no source makes"


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = [*missing(root), *missing_texts(root), *missing_tests(root)]
    found = [(path, f"cites {cited}, which does not exist") for path, cited in found] + [*differing_metrics(root)]
    for path, what in found:
        print(f"{path.relative_to(root)}: {what}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
