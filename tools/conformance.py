#!/usr/bin/env python3
"""Writes docs/conformance.md from the "# spec:" lines of the golden files and scenarios: which clause is shown by which test.

    conformance.py [ROOT]           prints what is wrong with a line or out of date in the file; exit 1 then
    conformance.py --write [ROOT]   writes the file anew
"""

import pathlib
import re
import sys

# "RFC7247 §7.1 Table 2", "XEP-0131", "XEP-0424 0.3.0 §3", "XML 1.0 §2.2", "docs/losses.md", "docs/decisions/0010"; "§8" alone goes on with the document before.
CLAUSE = re.compile(r"(?P<document>RFC\d+|XEP-\d{4}(?: \d+(?:\.\d+)+)?|XML 1\.0|docs/[\w./-]+)?(?: ?§(?P<place>\d.*))?$")
HEAD = """# Conformance

Which clause of which document is shown by which test: written by `tools/conformance.py --write` from the `# spec:` lines of tests/golden and tests/scenario; do not edit. `ctest -R NAME` runs a test, its file
holds the text that comes in and the text that must come out. What we do where a document leaves a choice, or where we leave its letter, stands in [decisions](decisions); what a translation loses in [losses.md](losses.md).
"""


class Broken(Exception):
    pass


def clauses(spec):
    """(document, place) of each item of a spec line."""
    document = None
    for item in spec.split(","):
        m = CLAUSE.match(item.strip())
        if not m or not (m["document"] or (document and m["place"])):
            raise Broken(f"cannot read {item.strip()!r}")
        document = m["document"] or document
        yield document, m["place"] or ""


def tests(root):
    """(name as ctest has it, path, sentence, spec line)."""
    for room, ending in (("golden", ".gold"), ("scenario", ".scn")):
        folder = root / "tests" / room
        for path in sorted(folder.rglob("*" + ending)):
            lines = path.read_text(encoding="utf-8").splitlines()
            sentence = next((line[2:] for line in lines if line.startswith("# ")), "")
            spec = next((line[8:] for line in lines if line.startswith("# spec: ")), "")
            middle = f"{path.parent.relative_to(folder)}." if room == "golden" else ""
            yield f"{room}.{middle}{path.stem}", path, sentence, spec


def order(text):
    """Sections by their numbers, not by their letters: §8 before §13."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"\d+|[^\d.]+", text)]


def heading(root, document):
    if m := re.match(r"docs/(decisions/\d+)$", document):
        found = sorted((root / "docs").glob(m[1] + "-*.md"))
        if not found:
            raise Broken(f"there is no {document}")
        return f"[Our {document.removeprefix('docs/')}](decisions/{found[0].name})"
    if m := re.match(r"RFC(\d+)", document):
        return f"[RFC {m[1]}](https://www.rfc-editor.org/rfc/rfc{m[1]})"
    if m := re.match(r"XEP-(\d+) (.+)", document):  # an older version
        return f"[{document}](https://xmpp.org/extensions/attic/xep-{m[1]}-{m[2]}.html)"
    if m := re.match(r"XEP-(\d+)", document):
        return f"[{document}](https://xmpp.org/extensions/xep-{m[1]}.html)"
    if document == "XML 1.0":
        return "[XML 1.0](https://www.w3.org/TR/xml/)"
    return f"[Our {document.removeprefix('docs/')}]({document.removeprefix('docs/')})"


def rank(document):
    kinds = ("RFC", "XEP", "XML", "docs")
    return next(i for i, kind in enumerate(kinds) if document.startswith(kind)), order(document)


def page(root):
    table = {}
    for name, path, sentence, spec in tests(root):
        try:
            found = list(clauses(spec))
        except Broken as e:
            raise Broken(f"{path.relative_to(root)}: {e}") from e
        for document, place in found:
            table.setdefault(document, {}).setdefault(place, []).append((name, sentence))
    out = [HEAD]
    for document in sorted(table, key=rank):
        out.append(f"\n## {heading(root, document)}\n\n| clause | shown | test |\n|---|---|---|\n")
        for place in sorted(table[document], key=order):
            for name, sentence in sorted(set(table[document][place])):
                words = sentence.replace("|", "\\|").replace("<", "&lt;")
                out.append(f"| {'§' + place if place else '-'} | {words} | `{name}` |\n")
    return "".join(out)


def main():
    argv = [a for a in sys.argv[1:] if a != "--write"]
    root = pathlib.Path(argv[0] if argv else ".").resolve()
    path = root / "docs" / "conformance.md"
    try:
        wanted = page(root)
    except Broken as e:
        print(e)
        return 1
    if len(argv) + 1 < len(sys.argv):
        path.write_text(wanted, encoding="utf-8")
    elif not path.exists() or path.read_text(encoding="utf-8") != wanted:
        print("docs/conformance.md is not what the tests say; write it anew: tools/conformance.py --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
