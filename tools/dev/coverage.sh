#!/usr/bin/env bash
# coverage.sh BUILD_FOLDER JOBS: runs the tests of a coverage build (without e2e) and prints line coverage by room.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
folder=$1
jobs=$2
cd "$here"
folder=$(cd "$folder" && pwd -P)
rm -rf "$folder/profiles"
mkdir -p "$folder/profiles"
LLVM_PROFILE_FILE="$folder/profiles/%p-%8m.profraw" ctest --no-tests=error --test-dir "$folder" -j "$jobs" -LE e2e --output-on-failure >"$folder/ctest.log" 2>&1 || {
  tail -n 60 "$folder/ctest.log" >&2
  exit 1
}
# Debian names the tools of the default clang both with and without the version.
profdata=$(command -v llvm-profdata || command -v llvm-profdata-14)
cov=$(command -v llvm-cov || command -v llvm-cov-14)
find "$folder/profiles" -name '*.profraw' >"$folder/profiles/list"
"$profdata" merge -sparse -f "$folder/profiles/list" -o "$folder/all.profdata"
# The first binary stands by itself, the others behind -object.
objects=()
while IFS= read -r binary; do objects+=(${objects[0]:+-object} "$binary"); done < <(find "$folder/tests" "$folder/src/daemon" "$folder/src/cli" -maxdepth 4 -type f -perm -u+x 2>/dev/null | sort)
"$cov" export -summary-only -instr-profile="$folder/all.profdata" "${objects[@]}" >"$folder/coverage.json"
/usr/bin/python3 - "$folder/coverage.json" "$here/src/" <<'PY'
import collections, json, os, sys

lines = collections.defaultdict(lambda: [0, 0])
for file in json.load(open(sys.argv[1]))["data"][0]["files"]:
    name = os.path.normpath(file["filename"])  # the compiler was given paths from the build folder
    if not name.startswith(sys.argv[2]):
        continue
    parts = name[len(sys.argv[2]) :].split("/")
    room = "/".join(parts[:-1])
    summary = file["summary"]["lines"]
    for key in (room, "all rooms"):
        lines[key][0] += summary["covered"]
        lines[key][1] += summary["count"]
print(f"{'room':<16}{'lines':>8}{'covered':>9}{'share':>8}")
for room in sorted(lines, key=lambda r: (r == "all rooms", r)):
    covered, count = lines[room]
    print(f"{room:<16}{count:>8}{covered:>9}{100 * covered / max(count, 1):>7.1f}%")
PY
grep -A1 -E 'tests passed' "$folder/ctest.log"
