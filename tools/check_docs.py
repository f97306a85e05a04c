#!/usr/bin/env python3
"""Every document that the sources or other documents cite must exist. Prints what does not; exit 1 then."""

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


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    found = list(missing(root))
    for path, cited in found:
        print(f"{path.relative_to(root)}: cites {cited}, which does not exist")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
