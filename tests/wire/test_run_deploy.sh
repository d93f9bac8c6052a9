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
cloud_run() { # cloud_run SCENARIO [N:WHEN]
    LOG=$PWD/log.$((${SERVERS:=0} + 1)); SERVERS=$((SERVERS + 1))
    : > "$LOG"
    python3 "$ROOT/tests/wire/run_server.py" "$1" "$LOG" "${2:-0:}" > "$LOG.port" 2> "$LOG.errors" &
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
    contains "$(cat log)" "service shop: unchanged, revision shop-6509a466cf gets 100% of the traffic"
    equal "$(methods)" "GET SHOP
GET SHOP/revisions/shop-6509a466cf"
}

test_a_change_in_between_is_not_overwritten() {
    cloud_run conflict
    deploy > /dev/null 2> log
    contains "$(cat log)" "changed by somebody else meanwhile: reading it again"
    equal "$(methods | grep -v /revisions/ | head -4)" "GET SHOP
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
             'resource.labels.revision_name="shop-'):
    assert part in asked[0]["filter"], asked[0]["filter"]
END
}

test_traffic_that_another_revision_holds() {
    cloud_run held
    status 1 deploy > out 2> log
    contains "$(cat log)" "all traffic is held by revision shop-00001"
    contains "$(cat log)" "--region us-central1 --project demo"
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

test_an_api_that_is_switched_on() {
    cloud_run disabled
    deploy --enable-apis --secret KEY=key > /dev/null 2> log
    contains "$(cat log)" "switched on run.googleapis.com in demo"
    equal "$(jq -r 'select(.path | startswith("/v1/")) | .method + " " + .path + " " + (.body | tostring)' "$LOG")" \
'GET /v1/projects/demo/services:batchGet?names=projects/demo/services/run.googleapis.com&names=projects/demo/services/secretmanager.googleapis.com null
POST /v1/projects/demo/services:batchEnable {"serviceIds":["run.googleapis.com","secretmanager.googleapis.com"]}
GET /v1/operations/acf.1 null'
    : > "$LOG"
    deploy --enable-apis --secret KEY=key > /dev/null
    equal "$(jq -r 'select(.path | startswith("/v1/")) | .method' "$LOG")" GET
    cloud_run disabled
    echo '{"name":"it","rules":{"regions":{"allow":["europe-*"]}}}' > policy.json
    PL_POLICY=policy.json status 77 deploy --enable-apis > /dev/null 2> log || { cat log; return 1; }
    equal "$(jq -r 'select(.method != "GET") | .path' "$LOG")" ""
}

test_a_quota_that_is_used_up() {
    cloud_run quota
    status 75 deploy > out 2> log
    contains "$(cat log)" "Quota exceeded for quota metric 'Write requests'"
    contains "$(cat log)" "run the same command again"
    equal "$(methods | sort -u | grep PATCH)" "PATCH SHOP"
}

test_an_operation_that_is_lost() {
    cloud_run lost
    status 75 deploy > out 2> log
    contains "$(cat log)" "Cloud Run has lost operation o1: how it ended is not known"
    contains "$(cat log)" "run the same command again: it goes on from what is there"
    deploy > out 2> log
    contains "$(cat log)" "service shop: unchanged, revision shop-6509a466cf gets 100% of the traffic"
}

# It stops at once, cancels nothing, and says how to go on.
test_a_signal_while_it_waits() {
    cloud_run slow
    pl-run-deploy --region us-central1 --progress plain "$IMAGE" > out 2> log & pid=$!
    wait_for 20 grep -q ':wait' "$LOG"
    kill -TERM $pid
    result=0; wait $pid || result=$?
    equal "$result" 143
    contains "$(cat log)" "Cloud Run goes on; run the same command again to see how it ended"
    equal "$(methods | tail -1)" "POST /v2/projects/demo/locations/us-central1/operations/o1:wait"
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
    equal "$(methods | sed 's|revisions/.*|revisions/NEW|')" "GET SHOP
GET SHOP/revisions/NEW
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

# ---- settings ----

# Each line of run_options.txt: options, a place in the service that is sent, what is there.
test_every_option_is_what_it_says() {
    cloud_run update
    printf '# a comment\n\nPLAIN=a b\nexport QUOTED="line\\nline \\"x\\" \\\\"\nRAW=\x27$HOME \\n\x27\r\nEMPTY=\n' > vars
    rows=0
    while IFS=$'\t' read -r options place want; do
        rows=$((rows + 1))
        : > "$LOG"
        # shellcheck disable=SC2086
        deploy -q --dry-run $options > /dev/null || fail "$options"
        got=$(jq -c 'select(.method == "PATCH") | .body' "$LOG" | jq -c "$place")
        [ "$(jq -cS . <<< "$got")" = "$(jq -cS . <<< "$want")" ] || fail "$options: $got, not $want"
    done < "$ROOT/tests/wire/run_options.txt"
    equal "$rows" "$(wc -l < "$ROOT/tests/wire/run_options.txt")"
    [ "$rows" -gt 55 ]
}

test_a_service_as_a_file() {
    cloud_run update
    deploy > /dev/null
    pl-run-deploy shop --region us-central1 --export > service.json
    equal "$(jq -c 'keys' service.json)" '["annotations","description","template","traffic"]'
    deploy --service service.json > /dev/null 2> log
    contains "$(cat log)" "service shop: unchanged"
    jq '.description = "other" | .template.containers[0].env = [{"name": "A", "value": "1"}] | .traffic = []' service.json > changed.json
    : > "$LOG"
    deploy --service changed.json --env B=2 > /dev/null
    equal "$(jq -c 'select(.method == "PATCH") | .body | .description, .template.containers[0].env, .template.sessionAffinity, .traffic[0].percent' "$LOG" | tr '\n' ' ')" \
        '"other" [{"name":"A","value":"1"},{"name":"B","value":"2"}] true 100 '
    echo '[]' > wrong.json
    status 65 deploy --service wrong.json > /dev/null 2> log
    contains "$(cat log)" "is no Service of the Cloud Run API"
}

test_a_service_as_yaml() {
    cloud_run new
    sed 's/^    //' > service.yaml <<'END'
    apiVersion: serving.knative.dev/v1
    kind: Service
    metadata:
      name: shop
      annotations: {run.googleapis.com/ingress: internal}
    spec:
      template:
        metadata:
          annotations: {autoscaling.knative.dev/maxScale: '3'}
        spec:
          timeoutSeconds: 60
          containers:
          - image: us-central1-docker.pkg.dev/demo/repo/shop:1
            env: [{name: A, value: "1"}]
END
    pl-run-deploy --region us-central1 --update --service service.yaml --env B=2 -o ref > out 2> log
    equal "$(cat out)" "https://shop.run.app"
    equal "$(jq -c 'select(.method == "PATCH") | .body | .ingress, .template.scaling, .template.timeout, .template.containers' "$LOG" | tr '\n' ' ')" \
        '"INGRESS_TRAFFIC_INTERNAL_ONLY" {"maxInstanceCount":3} "60s" [{"image":"us-central1-docker.pkg.dev/demo/repo/shop:1","env":[{"name":"A","value":"1"},{"name":"B","value":"2"}]}] '
    pl-run-deploy --region us-central1 --update --service service.yaml --env B=2 > out 2> log
    contains "$(cat log)" "service shop: unchanged"
    sed -i 's/timeoutSeconds: 60/timeoutSecond: 60/' service.yaml
    status 65 pl-run-deploy --region us-central1 --update --service service.yaml > out 2> log
    contains "$(cat log)" "service.yaml: spec.template.spec.timeoutSecond is nothing that a service of Cloud Run has"
}

test_settings_change_without_an_image() {
    cloud_run update
    pl-run-deploy shop --region us-central1 --update --memory 1Gi --env SECRET=hidden --diff > out 2> log < /dev/null
    equal "$(jq -c 'select(.method == "PATCH") | .body.template.containers[0] | .image, .resources.limits.memory' "$LOG" | tr '\n' ' ')" \
        "\"h/r@sha256:$(printf %064d 0)\" \"1Gi\" "
    contains "$(cat log)" 'template.containers[0].resources.limits.memory'
    contains "$(cat log)" 'template.containers[0].env[SECRET]'
    lacks "$(cat log)" hidden
    status 64 deploy --update > out 2> log
    contains "$(cat log)" "--update takes no image"
    status 64 pl-run-deploy --region us-central1 --update --memory 1Gi > out 2> log
    contains "$(cat log)" "which service?"
    cloud_run new
    status 65 pl-run-deploy shop --region us-central1 --update --memory 1Gi > out 2> log
    contains "$(cat log)" "there is no service shop in us-central1, and nothing names an image for it"
    equal "$(methods | sort -u)" "GET SHOP"
}

test_values_arrive_byte_for_byte() {
    cloud_run update
    long=$(head -c 24000 /dev/zero | tr '\0' x)
    value=$(printf 'a,b="c" \x27d\x27 = ü 🎉\n\ttwo lines %%s $HOME')
    deploy --env "V=$value" --env "L=$long" > /dev/null
    python3 - "$LOG" "$value" "$long" <<'END'
import json, sys
sent = [r["body"] for r in map(json.loads, open(sys.argv[1])) if r["method"] == "PATCH"][0]
env = {e["name"]: e["value"] for e in sent["template"]["containers"][0]["env"]}
assert env["V"] == sys.argv[2] and env["L"] == sys.argv[3]
END
}

# ---- traffic ----

test_a_revision_without_traffic_and_with_a_tag() {
    cloud_run update
    deploy --no-traffic --tag candidate > record 2> log
    requests | golden run-candidate.txt
    equal "$(jq -r '.percent, .tag_url, .revision' record)" "0
https://candidate---shop.run.app
shop-f7a0061fda"
    contains "$(cat log)" "revision shop-f7a0061fda gets 0% of the traffic"
    contains "$(cat log)" "pl-run-deploy shop --promote candidate --region us-central1"
    : > "$LOG"
    pl-run-deploy shop --region us-central1 --promote candidate > record 2> log
    contains "$(cat log)" "revision shop-f7a0061fda gets 100% of the traffic"
    requests | golden run-promote.txt
    : > "$LOG"
    pl-run-deploy shop --region us-central1 --rollback > record 2> log
    contains "$(cat log)" "revision shop-00001 gets 100% of the traffic"
    requests | golden run-rollback.txt
    # Once more goes on backwards, not forth again.
    pl-run-deploy shop --region us-central1 --rollback > record 2> log
    contains "$(cat log)" "revision shop-00000 gets 100% of the traffic"
    status 78 pl-run-deploy shop --region us-central1 --rollback > record 2> log
    contains "$(cat log)" "has no older revision to go back to"
}

test_after_a_rollback_the_next_deployment_serves() {
    cloud_run update
    deploy > /dev/null
    pl-run-deploy shop --region us-central1 --rollback > /dev/null
    : > "$LOG"
    deploy > record 2> log # the same image again: no new revision, all traffic back to it
    contains "$(cat log)" "revision shop-f7a0061fda gets 100% of the traffic"
    equal "$(methods | grep -v operations)" "GET SHOP
PATCH SHOP
GET SHOP
GET SHOP/revisions/shop-f7a0061fda"
    contains "$(requests)" "updateMask=traffic%2Cannotations%2Cclient"
}

test_traffic_that_is_kept() {
    cloud_run update
    pl-run-deploy shop --region us-central1 --rollback --to shop-00000 > /dev/null
    deploy --keep-traffic > record 2> log
    contains "$(cat log)" "revision shop-f7a0061fda gets 0% of the traffic"
}

test_divided_traffic() {
    cloud_run update
    deploy --no-traffic --tag candidate > /dev/null
    : > "$LOG"
    pl-run-deploy shop --region us-central1 --traffic candidate=10 --traffic shop-00001=60 --traffic shop-00000=30 > /dev/null 2> log
    contains "$(cat log)" "the traffic is divided"
    requests | sed -n '/PATCH/,/^}/p' | golden run-divided.txt
    status 64 pl-run-deploy shop --region us-central1 --traffic candidate=10 > /dev/null 2> log
    contains "$(cat log)" "add up to 10, not to 100"
    status 64 pl-run-deploy shop --region us-central1 --traffic candidate=ten > /dev/null 2> log
    contains "$(cat log)" "is no NAME=PERCENT"
    status 78 pl-run-deploy shop --region us-central1 --traffic nothing=100 > /dev/null 2> log
    contains "$(cat log)" "no such tag"
    status 78 pl-run-deploy shop --region us-central1 --promote nothing > /dev/null 2> log
    contains "$(cat log)" "service shop has no tag and no revision nothing"
}

test_a_first_revision_gets_traffic() {
    cloud_run new
    status 64 deploy --no-traffic > /dev/null 2> log
    contains "$(cat log)" "its first revision gets all the traffic"
    equal "$(methods | grep -c PATCH)" 0
    deploy --tag first -o ref > ref
    contains "$(requests)" '"tag": "first"'
}

# The state that the server holds: which revision serves, and how many there are.
serving() { curl -s -H 'Authorization: Bearer t' "$PL_CLOUD_URL$SHOP" | jq -r '.trafficStatuses[0] | .revision // "latest"'; }
revisions() { curl -s -H 'Authorization: Bearer t' "$PL_CLOUD_URL$SHOP/revisions" | jq '.revisions | length'; }

test_killed_at_any_request_it_is_old_or_new_and_the_next_run_completes_it() {
    cloud_run update
    deploy > /dev/null
    total=$(wc -l < "$LOG")
    [ "$total" -gt 6 ] || fail "$total requests"
    for when in before after; do
        for number in $(seq "$total"); do
            kill "$!" 2> /dev/null || :
            cloud_run update "$number:$when"
            rm -f victim; mkfifo go
            sh -c 'echo $$ > victim; : < go; exec pl-run-deploy -q --region us-central1 '"$IMAGE" > out 2> log & client=$!
            : > go; rm go
            wait "$client" && [ "$when $number" != "after $total" ] && fail "$when request $number: it was not killed"
            # Nothing half: the old revision, or the latest.
            equal "$(serving)" latest
            [ "$(revisions)" -le 3 ] || fail "$when request $number: $(revisions) revisions"
            deploy -q -o ref > ref 2> log || fail "$when request $number: $(cat log)"
            equal "$(cat ref) $(revisions)" "https://shop.run.app 3"
        done
    done
}

# ---- what there is ----

test_lists() {
    cloud_run update
    deploy --tag blue > /dev/null
    pl-run-deploy --region us-central1 --list | golden run-list.txt
    pl-run-deploy shop --region us-central1 --revisions | golden run-revisions.txt
    pl-run-deploy shop --region us-central1 --describe | golden run-describe.txt
    lacks "$(pl-run-deploy shop --region us-central1 --describe)" '"1"'
    status 78 pl-run-deploy other --region us-central1 --describe > out 2> log
    contains "$(cat log)" "there is no service other in us-central1"
}

test_the_log() {
    cloud_run update
    contains "$(pl-run-deploy shop --region us-central1 --logs --lines 5)" "INFO: Uvicorn running"
    contains "$(requests)" '"pageSize": 5'
    pl-run-deploy shop --region us-central1 --logs --since 1h > /dev/null
    contains "$(requests)" 'AND timestamp>='
}

test_deleting() {
    cloud_run update
    status 64 pl-run-deploy shop --region us-central1 --delete > out 2> log
    contains "$(cat log)" "--delete --confirm shop"
    status 64 pl-run-deploy shop --region us-central1 --delete --confirm shoq > out 2> log
    equal "$(methods | grep -c DELETE)" 0
    pl-run-deploy shop --region us-central1 --delete --confirm shop 2> log
    contains "$(cat log)" "service shop in us-central1 is deleted"
    equal "$(methods | grep -c DELETE)" 1
    pl-run-deploy shop --region us-central1 --delete --confirm shop 2> log
    contains "$(cat log)" "did not exist"
}

test_one_thing_at_a_time() {
    cloud_run update
    status 64 pl-run-deploy shop --region us-central1 --promote latest --logs > out 2> log
    contains "$(cat log)" "at a time"
    status 64 pl-run-deploy shop "$IMAGE" --region us-central1 --rollback > out 2> log
    contains "$(cat log)" "is an image; here it takes only the name of a service"
    status 64 pl-run-deploy one two --region us-central1 --describe > out 2> log
    contains "$(cat log)" "one service and one image"
    status 64 pl-run-deploy --region us-central1 --rollback > out 2> log
    contains "$(cat log)" "which service?"
    status 64 deploy --tag Not_a_tag > out 2> log
    contains "$(cat log)" "is no tag"
    equal "$(methods | grep -c PATCH)" 0
}

# Of all that the tests before it sent and got.
test_zz_every_request_is_valid_by_googles_discovery_document() {
    cat "$WORK"/test_*/log.[0-9] | grep -v '"/computeMetadata/' > all
    [ "$(wc -l < all)" -gt 40 ] || fail "only $(wc -l < all) requests"
    valid_by_discovery all
}

run_tests
