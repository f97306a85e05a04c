#!/usr/bin/env python3
"""clang-tidy over the sources of src/, several of one folder at a time.

A check looks at every declaration that a source sees, and nearly all of those stand in the headers that its neighbours include too. So the
sources of a folder are linted as one translation unit, which costs a third. Those that do not go with the ones before them (two have a helper
of the same name) make a unit of their own; each source is linted in any case.

Usage: tools/tidy.py BUILD_DIR [--tidy NAME] [--jobs N]    (BUILD_DIR: one of clang, with compile_commands.json)
Exits with 1 if anything is found.
"""

import argparse
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TOGETHER = 10  # more would make the last units of a run the long ones


class Linter:
    def __init__(self, tidy, folder):
        self._tidy, self._folder = tidy, folder

    def command(self, compile_command, source, *more):
        """The compiler's arguments with another source, and without an output."""
        words = shlex.split(compile_command["command"])
        words = words[next(i for i, w in enumerate(words) if "clang" in os.path.basename(w)) :]  # behind ccache
        at = words.index("-o")
        del words[at : at + 2]
        return [source if os.path.join(compile_command["directory"], w) == compile_command["file"] else w for w in words if w != "-c"] + [*more]

    def unit(self, sources):
        """A file that includes them all."""
        if len(sources) == 1:
            return sources[0]["file"]
        folder = tempfile.mkdtemp(dir=self._folder)
        with open(os.path.join(folder, "all.cpp"), "w") as f:
            f.writelines(f'#include "{s["file"]}"  // NOLINT(bugprone-suspicious-include)\n' for s in sources)
            return f.name

    def misfits(self, sources):
        """Those that the compiler takes alone and does not behind the others."""
        if len(sources) == 1:
            return []
        parse = self.command(sources[0], self.unit(sources), "-fsyntax-only", "-ferror-limit=0")
        ran = subprocess.run(parse, cwd=sources[0]["directory"], capture_output=True, text=True)
        if ran.returncode == 0:
            return []
        return [s for s in sources[1:] if re.search(f"^{re.escape(s['file'])}:.*error:", ran.stderr, re.M)] or sources[1:]

    def lint(self, sources):
        """What was found, as text."""
        rest = []
        while apart := self.misfits(sources):
            rest += apart
            sources = [s for s in sources if s not in apart]
        unit = self.unit(sources)
        arguments = [self._tidy, "--quiet", f"--config-file={ROOT}/.clang-tidy", unit, "--", *self.command(sources[0], unit)[1:]]
        ran = subprocess.run(arguments, cwd=sources[0]["directory"], capture_output=True, text=True)
        found = "" if ran.returncode == 0 else ran.stdout + ran.stderr
        return found + (self.lint(rest) if rest else "")


def groups_of(commands):
    """Sources of one folder that are compiled in the same way, at most TOGETHER each."""
    by_way = {}
    for c in sorted(commands, key=lambda c: c["file"]):
        words = [w for w in shlex.split(c["command"]) if w.startswith(("-D", "-I", "-std", "-isystem"))]
        by_way.setdefault((os.path.dirname(c["file"]), *words), []).append(c)
    return [of[i : i + TOGETHER] for of in by_way.values() for i in range(0, len(of), TOGETHER)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--tidy", default="clang-tidy")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    with open(os.path.join(options.build, "compile_commands.json")) as f:
        commands = {c["file"]: c for c in json.load(f)}
    sources = [os.path.join(at, n) for at, _, names in os.walk(os.path.join(ROOT, "src")) for n in names if n.endswith(".cpp")]
    for source in sorted(set(sources) - set(commands)):
        print(f"tidy: {source} is in no target of {options.build}")
    groups = groups_of([commands[s] for s in sources if s in commands])
    found = False
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        linter = Linter(options.tidy, folder)
        for text in pool.map(linter.lint, groups):
            found = found or bool(text)
            print(text, end="")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
