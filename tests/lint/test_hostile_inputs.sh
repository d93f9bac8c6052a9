#!/usr/bin/env bash
# Every hostile input of tests/hostile_inputs.txt has a test that says its number.
. "$(dirname "$0")/../lib.sh"

test_the_list_is_complete() {
    grep -v '^#' "$ROOT/tests/hostile_inputs.txt" | cut -d ' ' -f 1,2 > listed
    { for i in $(seq -w 1 55); do echo "unpack $i"; done; for i in $(seq 56 71); do echo "context $i"; done; } | diff listed -
    absent -vE '^(#.*|(unpack|context) [0-9]{2} (refused|confined|accepted) +.+)$' "$ROOT/tests/hostile_inputs.txt"
}

# Rows of the tables ({12, "name", …}), single tests ("unpack 12: name") and functions (test_unpack_12_name).
test_every_case_has_a_test() {
    cd "$ROOT/tests"
    { sed -n 's/^    {\([0-9]*\), "[^"]\{4,\}", .*/unpack \1/p' unit/test_unpack_*.c | awk '{ printf "%s %02d\n", $1, $2 }'
      sed -n 's/^        {"unpack \([0-9][0-9]\): .*/unpack \1/p' unit/test_unpack_*.c
      sed -n 's/^test_\(unpack\|context\)_\([0-9][0-9]\)_[a-zA-Z_]*() {$/\1 \2/p' engine/test_hostile_*.sh; } | sort -u > "$OLDPWD/tested"
    grep -v '^#' hostile_inputs.txt | cut -d ' ' -f 1,2 | sort | diff - "$OLDPWD/tested"
}

run_tests
