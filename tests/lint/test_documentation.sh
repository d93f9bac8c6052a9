#!/usr/bin/env bash
# The pages of documentation are written so that tests/e2e/test_documentation.sh can run them, and call the tools as they are.
. "$(dirname "$0")/../lib.sh"
export OUT

test_every_block_is_run_or_says_why_not() {
    cd "$ROOT"
    tests/e2e/documentation.py check README.md docs/*.md > "$WORK/said" || { cat "$WORK/said"; return 1; }
    [ "$(grep -c ': not run: ' "$WORK/said")" -le 12 ]
}

test_every_line_of_code_is_understood_by_its_tool() {
    cd "$ROOT"
    tests/e2e/documentation.py lines README.md docs/*.md docs/tools/*.md examples/shop/*/README.md
}

run_tests
