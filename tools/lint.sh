#!/bin/sh
# Format, clang-tidy and the edges between rooms. Exits with 1 if anything is found.
#
# Usage: tools/lint.sh BUILD_DIR    (a build directory of clang with compile_commands.json)
# CLANG_FORMAT, CLANG_TIDY and JOBS (default 2) may be set.
set -u
if [ $# -ne 1 ] || [ ! -f "$1/compile_commands.json" ]; then
  echo "usage: $0 BUILD_DIR  (one that has a compile_commands.json)" >&2
  exit 2
fi
build=$(cd "$1" && pwd)
cd "$(dirname "$0")/.." || exit 2
tool() { # the first of the names that is installed
  for name in "$@"; do
    if command -v "$name" >/dev/null 2>&1; then echo "$name"; return; fi
  done
  echo "lint: none of these is installed: $*" >&2
  exit 2
}
format=${CLANG_FORMAT:-$(tool clang-format-14 clang-format)} || exit 2
tidy=${CLANG_TIDY:-$(tool clang-tidy-14 clang-tidy)} || exit 2
python=$(tool /usr/bin/python3 python3) || exit 2
found=0

echo "lint: $format"
find src tests fuzz bench \( -name '*.cpp' -o -name '*.hpp' \) -print0 2>/dev/null |
  xargs -0 -r "$format" --dry-run -Werror --style=file || found=1

echo "lint: $tidy"
"$python" tools/tidy.py "$build" --tidy "$tidy" --jobs "${JOBS:-2}" || found=1

echo "lint: layers"
"$python" tools/check_layers.py . || found=1

[ $found -eq 0 ] && echo "lint: no finding"
exit $found
