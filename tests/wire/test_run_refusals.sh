#!/usr/bin/env bash
# What Cloud Run refuses, and in which words: a table of requests to the local cloud.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/e2e/cloud.sh"

test_each_request_is_answered_as_the_table_says() {
    cloud
    token=$(curl -sf -H 'Metadata-Flavor: Google' "$PL_CLOUD_URL/computeMetadata/v1/instance/service-accounts/default/token" | jq -r .access_token)
    "$FOLDER/run_refusals.py" "${PL_CLOUD_URL#http://}" "$token" "$FOLDER/run_refusals.jsonl" > differences || fail "$(cat differences)"
}

run_tests
