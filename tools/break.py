"""The tests bite: breaks a copy of the sources on purpose and expects a red test.

    break.py [--jobs N] NAME... | all | list

Each tests/break/NAME.brk is one mutation:

    # One sentence: what is broken, and which promise it breaks.
    file: src/room/file.cpp
    red: regex of ctest names, at least one of which must fail
    <<<<
    exact old text (once in the file)
    ====
    new text
    >>>>

The copy is build/break/src, built in build/break/build; the checkout itself is never touched. Ends with 0 when every mutation that was asked
for turned a test red.
"""

import argparse
import filecmp
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BREAKS = os.path.join(ROOT, "tests", "break")
COPY = os.path.join(ROOT, "build", "break", "src")
BUILD = os.path.join(ROOT, "build", "break", "build")
TAKEN = ("CMakeLists.txt", "LICENSE", "cmake", "src", "tests", "tools", "packaging", "docs")


@dataclass
class Break:
    name: str
    sentence: str
    file: str
    red: str
    old: str
    new: str


def fail(text):
    sys.exit(f"break: {text}")


def load(name):
    path = os.path.join(BREAKS, name + ".brk")
    if not os.path.exists(path):
        fail(f"no {name}; there are: {' '.join(names())}")
    with open(path) as f:
        text = f.read()
    m = re.fullmatch(r"((?:# .*\n)+)file: (\S+)\nred: (\S+)\n<<<<\n(.*?)\n====\n(.*?)\n?>>>>\n", text, re.S)
    if not m:
        fail(f"{path} is not in the format that {os.path.basename(__file__)} describes")
    sentence = " ".join(line[2:] for line in m.group(1).splitlines())
    return Break(name, sentence, m.group(2), m.group(3), m.group(4), m.group(5))


def names():
    return sorted(f[:-4] for f in os.listdir(BREAKS) if f.endswith(".brk"))


def sync():
    """Makes COPY equal to the checkout and touches only what differs, so that the next build is short."""
    wanted = set()
    for top in TAKEN:
        source = os.path.join(ROOT, top)
        if os.path.isfile(source):
            wanted.add(top)
        for folder, folders, files in os.walk(source):
            folders[:] = [d for d in folders if d != "__pycache__"]
            wanted.update(os.path.relpath(os.path.join(folder, f), ROOT) for f in files)
    for relative in wanted:
        source, target = os.path.join(ROOT, relative), os.path.join(COPY, relative)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        if not os.path.exists(target) or not filecmp.cmp(source, target, shallow=False):
            shutil.copy(source, target)
    for folder, _, files in os.walk(COPY):
        for f in files:
            path = os.path.join(folder, f)
            if os.path.relpath(path, COPY) not in wanted:
                os.remove(path)


def run(argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL)


def build(jobs):
    if not os.path.exists(os.path.join(BUILD, "build.ninja")):
        configured = run(
            ["cmake", "-S", COPY, "-B", BUILD, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_COMPILER=g++"]
        )
        if configured.returncode != 0:
            fail("cmake failed:\n" + configured.stdout[-3000:])
    built = run(["cmake", "--build", BUILD, "-j", str(jobs)])
    return None if built.returncode == 0 else built.stdout


def red_tests(regex, jobs):
    """The names that failed; None if the regex names no test."""
    done = run(["ctest", "--test-dir", BUILD, "-R", regex, "-j", str(jobs), "--no-tests=error", "--timeout", "60"])
    if "No tests were found" in done.stdout:
        return None
    # "\t  7 - name  # GetParam() = ... (Failed)"
    return re.findall(r"^\s*\d+ - (\S+).* \((?!Not Run|Skipped)[^()]*\)", done.stdout, re.M)


def apply(b):
    """Breaks the copy; the text as it was."""
    path = os.path.join(COPY, b.file)
    if not os.path.exists(path):
        fail(f"{b.name}: there is no {b.file}")
    with open(path) as f:
        text = f.read()
    if text.count(b.old) != 1:
        fail(f"{b.name}: the old text stands {text.count(b.old)} times in {b.file}, wanted once; bring the .brk file up to date")
    with open(path, "w") as f:
        f.write(text.replace(b.old, b.new))
    return text


def bites(b, red_before, jobs):
    print(f"== {b.name}: {b.sentence}", flush=True)
    unbroken = apply(b)
    try:
        error = build(jobs)
        if error:
            print(f"   does not build:\n{error[-2000:]}")
            return False
        red = red_tests(b.red, jobs)
        if red is None:
            print(f"   no test is called {b.red}")
            return False
        red = [test for test in red if test not in red_before]
        for test in red[:5]:
            print(f"   red: {test}")
        if len(red) > 5:
            print(f"   and {len(red) - 5} more")
        if not red:
            print(f"   NOT NOTICED: all of {b.red} stayed green")
        return bool(red)
    finally:
        with open(os.path.join(COPY, b.file), "w") as f:
            f.write(unbroken)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("names", nargs="+", metavar="NAME")
    arguments = parser.parse_args()
    if arguments.names == ["list"]:
        for name in names():
            print(f"{name:28} {load(name).sentence}")
        return 0
    asked = names() if arguments.names == ["all"] else arguments.names
    breaks = [load(n) for n in asked]
    for b in breaks:  # before the long part
        with open(os.path.join(ROOT, b.file)) as f:
            if f.read().count(b.old) != 1:
                fail(f"{b.name}: the old text does not stand exactly once in {b.file}; bring the .brk file up to date")

    sync()
    print("== unbroken: these tests must be green", flush=True)
    error = build(arguments.jobs)
    if error:
        fail("the unbroken copy does not build:\n" + error[-3000:])
    red_before = set()
    for regex in sorted({b.red for b in breaks}):
        red = red_tests(regex, arguments.jobs)
        if red is None:
            fail(f"no test is called {regex}")
        red_before.update(red)
    if red_before:
        print(f"   RED WITHOUT ANY MUTATION, hence not counted: {' '.join(sorted(red_before))}", flush=True)
    missed = [b.name for b in breaks if not bites(b, red_before, arguments.jobs)]
    print(f"{len(breaks) - len(missed)} of {len(breaks)} mutations were noticed" + (f"; not: {' '.join(missed)}" if missed else ""))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
