#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# ./check.sh [--asan] [--all] [lit arguments]
# Builds what is missing and runs every test; the last line is
# `N passed, N failed[, N skipped]`, and the exit status says the same.
# --asan: the same with AddressSanitizer and UBSan, in a build folder of its own.
# --all: also the tests that take longer, marked `REQUIRES: all`.
set -euo pipefail
cd "$(dirname "$0")"
. cmake/bootstrap.sh

preset=release
while :; do
  case "${1:-}" in
  --asan) preset=asan ;;
  --all) export MX_TEST_ALL=1 ;;
  *) break ;;
  esac
  shift
done
bootstrap "$preset"
if [ -n "${MX_TEST_ALL:-}" ]; then
  say "building what only long tests need"
  cmake --build "$build" --target mx-ptx-fuzzer
fi

say "testing"
log=$build/check.log
status=0
/usr/lib/llvm-22/bin/lit -v "$@" "$build/test" 2>&1 | tee "$log" >&2 || status=$?

# lit's summary counts each kind on a line of its own.
count() {
  awk -v kinds="$1" -F'[:(]' '
    { kind = $1; gsub(/^ +| +$/, "", kind) }
    /^ +[A-Z][A-Za-z ]*: +[0-9]+/ && index("|" kinds "|", "|" kind "|") { n += $2 }
    END { print n + 0 }' "$log"
}
passed=$(count "Passed|Passed With Retry|Expectedly Failed")
failed=$(count "Failed|Unresolved|Timed Out|Unexpectedly Passed")
skipped=$(count "Unsupported|Skipped|Excluded")
[ $((passed + failed)) -gt 0 ] || { echo "error: no test was run" >&2; status=1; }
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] || status=1
exit "$status"
