#!/usr/bin/env bash
# The policy of an organisation: what it forbids is refused before anything is sent that changes something, each rule by
# its own message.
. "$(dirname "$0")/../lib.sh"
export CLOUDSDK_CONFIG=/nonexistent
unset GOOGLE_CLOUD_PROJECT GCLOUD_PROJECT CLOUDSDK_CORE_PROJECT PL_POLICY
IMAGE=us-central1-docker.pkg.dev/demo/repo/shop@sha256:$(printf %064d 7)

cloud_run() { # cloud_run SCENARIO: starts the scripted one; $LOG has one line for each request
    LOG=$PWD/log.$((${SERVERS:=0} + 1)); SERVERS=$((SERVERS + 1))
    : > "$LOG"
    python3 "$ROOT/tests/wire/run_server.py" "$1" "$LOG" 0: > "$LOG.port" 2> "$LOG.errors" &
    trap 'kill $(jobs -p) 2> /dev/null || :; wait' EXIT
    wait_for 10 test -s "$LOG.port"
    PL_CLOUD_URL=http://127.0.0.1:$(cat "$LOG.port"); export PL_CLOUD_URL
}
deploy() { pl-run-deploy --region us-central1 --progress plain "$@" "$IMAGE"; }
# Nothing was sent that changes something, or could.
unchanged() { absent -E '"method": "(PATCH|DELETE|PUT)"|:setIamPolicy' "$LOG"; }

test_a_region_that_is_not_allowed() {
    cloud_run update
    echo '{"name": "acme", "rules": {"regions": {"allow": ["europe-*"], "why": "our data stays in Europe"}}}' > acme.json
    PL_POLICY=acme.json status 77 deploy > out 2> log
    contains "$(cat log)" 'policy acme, regions: the region is us-central1; allowed: europe-* (our data stays in Europe)'
    contains "$(cat out)" '"type":"error"'
    unchanged
    sed -i 's/europe/us/' acme.json
    PL_POLICY=acme.json deploy --port 9000 > out 2> log
    contains "$(cat "$LOG")" '"method": "PATCH"'
}

run_tests
