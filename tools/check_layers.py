#!/usr/bin/env python3
"""Checks that every room of src/ includes only what tools/layers.txt allows.

Usage: check_layers.py [ROOT]        ROOT holds src/ and tools/layers.txt; default: the checkout this file is in.

Prints one line per finding (file:line: what is wrong) and exits with 1 if there is any, with 2 if the table is unusable.
"""
import pathlib
import re
import sys

# The rooms that may touch sockets, files, clocks, threads, random numbers and the environment.
RIM = {"net", "store", "admin", "config", "daemon", "cli"}
SOURCES = {".hpp", ".cpp", ".h", ".ipp"}

# What a core room must not include: a pattern for the name in angle brackets, and why.
CORE_INCLUDES = [
    (r"boost/(asio|beast)(/|\.hpp|$)", "sockets and their loop belong to the rim"),
    (r"(thread|mutex|shared_mutex|condition_variable|future)$", "one loop, one thread: the core has none of its own"),
    (r"(fstream|filesystem)$", "files belong to the rim"),
    (r"random$", "random numbers come through id_source"),
    (r"(sys/socket|sys/stat|netdb|unistd|fcntl|poll|sys/epoll)\.h$", "system calls belong to the rim"),
    (r"(sqlite3|unbound)\.h$", "store and resolver belong to the rim"),
]
# What a core room must not call, looked for outside of comments and literals.
CORE_CALLS = [
    # Not the definition of a const member of that name: a clock's now() is static.
    (r"::\s*now\s*\((?!\s*\)\s*const\b)", "reads a clock: time comes with the event"),
    (r"\b(secure_)?getenv\s*\(", "reads the environment"),
    (r"\bstd\s*::\s*s?rand\b", "random numbers come through id_source"),
]
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.M)
# Comments and literals; an include's name is found before these go.
NOISE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^()\\ ]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])\'(?:\\.|[^\'\\\n])+\'', re.S)


class TableError(Exception):
    pass


def read_table(path):
    """The allowed edges: room -> set of rooms."""
    table = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.split("#")[0].strip()
        if not line:
            continue
        room, colon, allowed = line.partition(":")
        if not colon:
            raise TableError(f"{path}:{number}: no colon")
        if room in table:
            raise TableError(f"{path}:{number}: {room} stands there twice")
        table[room] = set(allowed.split())
    for room, allowed in table.items():
        for other in sorted(allowed - table.keys()):
            raise TableError(f"{path}: {room} may include {other}, which is no room")
        for other in sorted(allowed):
            if are_strangers(room, other):
                raise TableError(f"{path}: {room} and {other} speak different protocols; neither may include the other")
    check_acyclic(path, table)
    return table


def check_acyclic(path, table):
    done = set()

    def visit(room, trail):
        if room in trail:
            raise TableError(f"{path}: the rooms go in a circle: {' -> '.join(trail + [room])}")
        if room not in done:
            for other in sorted(table[room] - {room}):
                visit(other, trail + [room])
            done.add(room)

    for room in sorted(table):
        visit(room, [])


def family(room):
    top = room.split("/")[0]
    return {"sip": "sip", "msrp": "sip", "xmpp": "xmpp"}.get(top)


def are_strangers(room, other):
    return None not in (family(room), family(other)) and family(room) != family(other)


def room_of(path, table):
    """The room that a path below src/ lies in: the longest that fits."""
    parts = path.split("/")[:-1]
    for n in range(len(parts), 0, -1):
        if "/".join(parts[:n]) in table:
            return "/".join(parts[:n])
    return None


def blank_noise(text):
    return NOISE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()), text)


def blank_comments(text):
    return NOISE.sub(lambda m: re.sub(r"[^\n]", " ", m.group()) if m.group()[0] == "/" else m.group(), text)


def check_own_include(name, room, included, table):
    other = included and room_of(included, table)
    if other is None:
        return f'"{included}" is in no room: name it from src/ on'
    if are_strangers(room, other):
        return f"{room} includes {included}: SIP and XMPP rooms never meet below translate"
    if other != room and other not in table[room]:
        return f"{room} must not include {other} ({included})"
    if re.fullmatch(r"gateway/[^/]+_flow\.hpp", included):
        users = {included[: -len(".hpp")] + ".cpp", "gateway/router.hpp", "gateway/router.cpp"}
        if name not in users:
            return f"{included} is for its own .cpp and the router: flows talk by ids"
    return None


def check_foreign_include(room, included):
    if room in RIM:
        return None
    if included.startswith("openssl/") and room != "crypto":
        return f"<{included}> in {room}: OpenSSL stays in crypto"
    for pattern, why in CORE_INCLUDES:
        if re.match(pattern, included):
            return f"<{included}> in {room}: {why}"
    return None


def check_file(path, src, table):
    """Yields (line, what) for one file."""
    name = path.relative_to(src).as_posix()
    room = room_of(name, table)
    if room is None:
        yield 1, "lies in no room of the table"
        return
    text = path.read_text(encoding="utf-8")
    line_of = lambda at: text.count("\n", 0, at) + 1
    for m in INCLUDE.finditer(blank_comments(text)):
        own, foreign = m.groups()
        what = check_own_include(name, room, own, table) if own else check_foreign_include(room, foreign)
        if what:
            yield line_of(m.start(1) if own else m.start(2)), what
    if room in RIM:
        return
    code = blank_noise(text)
    for pattern, why in CORE_CALLS:
        for m in re.finditer(pattern, code):
            yield line_of(m.start()), f"{m.group().strip()} in {room}: {why}"


def main(arguments):
    root = pathlib.Path(arguments[0]) if arguments else pathlib.Path(__file__).resolve().parent.parent
    src = root / "src"
    try:
        table = read_table(root / "tools" / "layers.txt")
    except (TableError, OSError) as e:
        print(e, file=sys.stderr)
        return 2
    files = sorted(p for p in src.rglob("*") if p.suffix in SOURCES)
    findings = 0
    for path in files:
        for line, what in sorted(check_file(path, src, table)):
            print(f"{path.relative_to(root)}:{line}: {what}")
            findings += 1
    print(f"layers: {len(files)} files, {findings or 'no'} finding{'' if findings == 1 else 's'}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
