#!/usr/bin/env bash
# pl-run-deploy against a scripted Cloud Run: the exact requests of every way through a deployment, and what it makes of
# each answer.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/wire/discovery.sh"
export CLOUDSDK_CONFIG=/nonexistent
unset GOOGLE_CLOUD_PROJECT GCLOUD_PROJECT CLOUDSDK_CORE_PROJECT
IMAGE=us-central1-docker.pkg.dev/demo/repo/shop@sha256:$(printf %064d 7)
SHOP=/v2/projects/demo/locations/us-central1/services/shop

# cloud_run SCENARIO: starts the scripted one; $LOG has one line for each request
cloud_run() {
    LOG=$PWD/log.$((${SERVERS:=0} + 1)); SERVERS=$((SERVERS + 1))
    : > "$LOG"
    python3 "$ROOT/tests/wire/run_server.py" "$1" "$LOG" > "$LOG.port" 2> "$LOG.errors" &
    trap 'kill $(jobs -p) 2> /dev/null || :; wait' EXIT
    wait_for 10 test -s "$LOG.port"
    PL_CLOUD_URL=http://127.0.0.1:$(cat "$LOG.port"); export PL_CLOUD_URL
}
deploy() { pl-run-deploy --region us-central1 --progress plain "$@" "$IMAGE"; }
# The requests to Cloud Run: method, path, body. Its own version is not part of it.
requests() { python3 -c 'import json, sys
for line in open(sys.argv[1]):
    r = json.loads(line)
    if r["path"].startswith("/computeMetadata/"): continue
    if r["body"] and "clientVersion" in r["body"]: r["body"]["clientVersion"] = "VERSION"
    print(r["method"], r["path"], r["status"])
    if r["body"]: print(json.dumps(r["body"], indent=1, sort_keys=True))' "$LOG"; }
methods() { requests | grep -oE '^[A-Z]+ [^ ?]+' | sed "s|$SHOP|SHOP|"; }

test_a_new_service() {
    cloud_run new
    equal "$(deploy -o ref)" "https://shop.run.app"
    requests | golden run-new.txt
}

test_what_others_set_is_kept() {
    cloud_run update
    deploy --port 9000 --memory 2Gi --cpu 2 --env 'A=1,2=3' --label team=web --min-instances 1 --max-instances 5 \
        --concurrency 10 --timeout 90s --service-account web@demo.iam.gserviceaccount.com > /dev/null
    requests | golden run-update.txt
}

test_a_second_deployment_sends_nothing() {
    cloud_run new
    deploy > /dev/null
    : > "$LOG"
    deploy > /dev/null 2> log
    contains "$(cat log)" "service shop: unchanged, revision shop-00002 gets 100% of the traffic"
    equal "$(methods)" "GET SHOP
GET SHOP/revisions/shop-00002"
}

test_a_change_in_between_is_not_overwritten() {
    cloud_run conflict
    deploy > /dev/null 2> log
    contains "$(cat log)" "changed by somebody else meanwhile: reading it again"
    equal "$(methods | head -4)" "GET SHOP
PATCH SHOP
GET SHOP
PATCH SHOP"
    python3 - "$LOG" <<'END'
import json, sys
sent = [r["body"] for r in map(json.loads, open(sys.argv[1])) if r["method"] == "PATCH"]
assert [b["etag"] for b in sent] == ["e1", "e2"], sent
assert sent[1]["description"] == "changed meanwhile", sent[1]
END
}

test_a_revision_that_does_not_start() {
    cloud_run fail
    status 70 deploy > out 2> log
    contains "$(cat log)" "Uvicorn running on http://127.0.0.1:8080"
    contains "$(cat log)" "listens on 127.0.0.1"
    contains "$(cat out)" '"type":"error"'
    python3 - "$LOG" <<'END'
import json, sys
asked = [r["body"] for r in map(json.loads, open(sys.argv[1])) if r["path"] == "/v2/entries:list"]
assert asked[0]["resourceNames"] == ["projects/demo"], asked
for part in ('resource.type="cloud_run_revision"', 'resource.labels.service_name="shop"',
             'resource.labels.revision_name="shop-00002"'):
    assert part in asked[0]["filter"], asked[0]["filter"]
END
}

test_traffic_that_another_revision_holds() {
    cloud_run held
    status 1 deploy > out 2> log
    contains "$(cat log)" "all traffic is held by revision shop-00001"
    contains "$(cat log)" "gcloud run services update-traffic shop --to-latest --region=us-central1 --project=demo"
}

test_a_token_that_ended_is_renewed_once() {
    cloud_run expired
    deploy > /dev/null
    python3 - "$LOG" <<'END'
import json, sys
run = [(r["token"], r["status"]) for r in map(json.loads, open(sys.argv[1])) if r["path"].startswith("/v2/")]
assert run[0] == ("Bearer t1", 401) and all(token == "Bearer t2" for token, _ in run[1:]), run
END
}

test_an_api_that_is_off() {
    cloud_run disabled
    status 78 deploy > out 2> log
    contains "$(cat log)" "gcloud services enable run.googleapis.com --project=demo"
    equal "$(methods | grep -c PATCH)" 0
}

test_a_server_that_is_busy_is_asked_again() {
    cloud_run busy
    deploy > /dev/null
    equal "$(methods | head -3 | sort -u)" "GET SHOP"
}

test_a_dry_run_changes_nothing() {
    cloud_run update
    deploy --dry-run --env 'SECRET=value of it' > out 2> log
    cat out log > told
    contains "$(cat told)" "template.containers[0].image"
    lacks "$(cat told)" "value of it"
    equal "$(methods)" "GET SHOP
PATCH SHOP"
    contains "$(requests)" "validateOnly=true"
}

test_who_may_call_is_written_when_it_differs() {
    cloud_run new
    deploy --allow-unauthenticated > /dev/null
    requests | sed -n '/IamPolicy/,$p' | golden run-public.txt
    : > "$LOG"
    deploy --allow-unauthenticated > /dev/null
    equal "$(methods | grep -c setIamPolicy)" 0
    deploy --no-allow-unauthenticated > /dev/null
    python3 - "$LOG" <<'END'
import json, sys
sent = [r["body"] for r in map(json.loads, open(sys.argv[1])) if r["path"].endswith(":setIamPolicy")]
assert len(sent) == 1 and not sent[0]["policy"].get("bindings"), sent
END
}

test_what_cannot_be_deployed() {
    cloud_run new
    status 65 pl-run-deploy --region us-central1 us-central1-docker.pkg.dev/p/r/shop:latest > out 2> log
    contains "$(cat log)" "digest"
    status 66 pl-run-deploy --region us-central1 < /dev/null > out 2> log
    contains "$(cat log)" "nothing arrived"
    mkdir site; echo x > site/index.html
    "$ROOT/tests/wire/make_directory.py" "$PL_STORE" site > record
    status 65 pl-run-deploy --region us-central1 > out 2> log < record
    contains "$(cat log)" "image"
    equal "$(methods)" ""
}

# Of all that the tests before it sent and got.
test_zz_every_request_is_valid_by_googles_discovery_document() {
    cat "$WORK"/test_*/log.[0-9] | grep -v '"/computeMetadata/' > all
    [ "$(wc -l < all)" -gt 40 ] || fail "only $(wc -l < all) requests"
    valid_by_discovery all
}

run_tests
