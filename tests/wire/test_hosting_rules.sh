#!/usr/bin/env bash
# The rules of firebase.json: 80 cases, path by path, in the local cloud and in superstatic, which firebase-tools serves with.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/packages.sh"
. "$ROOT/tests/wire/hosting.sh"
HERE=$ROOT/tests/wire

test_every_case_is_answered_as_superstatic_answers_it_or_with_a_reason() {
    npm_packages superstatic@10.0.0
    start_cloud
    "$HERE/make_hosting_site.py" site
    NODE_PATH=$NODE_MODULES node "$HERE/superstatic_answers.js" "$HERE/hosting_cases.jsonl" "$PWD/site" > answers
    "$HERE/compare_hosting.py" "$CLOUD" "$TOKEN" "$HERE/hosting_cases.jsonl" site answers "$HERE/hosting_differences.jsonl"
}

test_every_difference_has_its_reason() {
    jq -e 'select(.why | length < 20)' "$HERE/hosting_differences.jsonl" && fail "a difference without a reason"
    [ "$(wc -l < "$HERE/hosting_cases.jsonl")" -ge 60 ]
}

run_tests
