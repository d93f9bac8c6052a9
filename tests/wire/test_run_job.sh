#!/usr/bin/env bash
# pl-run-job against a scripted Cloud Run: the exact requests of deploying and executing a job, and what it makes of each
# answer.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/wire/discovery.sh"
export CLOUDSDK_CONFIG=/nonexistent
unset GOOGLE_CLOUD_PROJECT GCLOUD_PROJECT CLOUDSDK_CORE_PROJECT
IMAGE=us-central1-docker.pkg.dev/demo/repo/migrate@sha256:$(printf %064d 7)
JOB=/v2/projects/demo/locations/us-central1/jobs/migrate

cloud_run() { # cloud_run SCENARIO [N:WHEN]: starts the scripted one; $LOG has one line for each request
    LOG=$PWD/log.$((${SERVERS:=0} + 1)); SERVERS=$((SERVERS + 1))
    : > "$LOG"
    python3 "$ROOT/tests/wire/job_server.py" "$1" "$LOG" "${2:-0:}" > "$LOG.port" 2> "$LOG.errors" &
    trap 'kill $(jobs -p) 2> /dev/null || :; wait' EXIT
    wait_for 10 test -s "$LOG.port"
    PL_CLOUD_URL=http://127.0.0.1:$(cat "$LOG.port"); export PL_CLOUD_URL
}
job() { pl-run-job migrate --region us-central1 --progress plain "$@"; }
requests() { python3 -c 'import json, sys
for line in open(sys.argv[1]):
    r = json.loads(line)
    if r["path"].startswith("/computeMetadata/"): continue
    if r["body"] and "clientVersion" in r["body"]: r["body"]["clientVersion"] = "VERSION"
    print(r["method"], r["path"], r["status"])
    if r["body"]: print(json.dumps(r["body"], indent=1, sort_keys=True))' "$LOG"; }
methods() { requests | grep -oE '^[A-Z]+ [^ ?]+' | sed "s|$JOB|JOB|"; }

# ---- deploying ----

test_a_new_job() {
    cloud_run new
    equal "$(pl-run-job --region us-central1 "$IMAGE" -o ref)" "projects/demo/locations/us-central1/jobs/migrate"
    requests | golden job-new.txt
    : > "$LOG"
    job "$IMAGE" > /dev/null 2> log
    contains "$(cat log)" "job migrate in us-central1: unchanged"
    equal "$(methods)" "GET JOB"
}

test_what_others_set_is_kept() {
    cloud_run update
    job "$IMAGE" --tasks 4 --env A=1 --label stage=test > record
    requests | golden job-update.txt
    equal "$(jq -c '[.type, .name, .digest, .from[0], .execution]' record)" "[\"job\",\"migrate\",\"${IMAGE#*@}\",\"$IMAGE\",null]"
}

test_a_change_in_between_is_not_overwritten() {
    cloud_run conflict
    job "$IMAGE" > /dev/null 2> log
    contains "$(cat log)" "job migrate was changed by somebody else meanwhile: reading it again"
    equal "$(jq -c 'select(.method == "PATCH") | .body | [.etag, .labels]' "$LOG" | tr '\n' ' ')" '["e1",{"team":"a"}] ["e2",{"team":"b"}] '
}

test_every_option_is_what_it_says() {
    cloud_run update
    printf 'FROM="a file"\n' > vars
    echo '{"name": "x", "template": {"taskCount": 9, "template": {"timeout": "60s", "containers": [{"image": "other"}]}}}' > job.json
    while IFS=$'\t' read -r options place want; do
        : > "$LOG"
        # shellcheck disable=SC2086
        job -q --dry-run $options "$IMAGE" > /dev/null || fail "$options"
        got=$(jq -c 'select(.method == "PATCH") | .body' "$LOG" | jq -c "$place")
        [ "$(jq -cS . <<< "$got")" = "$(jq -cS . <<< "$want")" ] || fail "$options: $got, not $want"
    done < "$ROOT/tests/wire/job_options.txt"
    contains "$(requests)" "PATCH $JOB?allowMissing=true&validateOnly=true 200"
    lacks "$(requests)" updateMask
    job --dry-run --env KEEP=hidden "$IMAGE" > out
    contains "$(cat out)" "~ template.template.containers[0].env[KEEP].value: (not shown) -> (not shown)"
    # An export deploys to the same, and holds nothing that Google computes.
    job --export > exported.json
    equal "$(jq -c keys exported.json)" '["labels","template"]'
    job --update --job exported.json > /dev/null 2> log
    contains "$(cat log)" "unchanged"
}

test_what_cannot_be_deployed() {
    cloud_run missing
    status 78 job --execute "$IMAGE" > out 2> log
    contains "$(cat log)" "job migrate is deployed, but not ready: the image was not found, or may not be read: $IMAGE"
    equal "$(methods | grep -c :run)" 0
    # One that is not ready is sent again.
    : > "$LOG"
    status 78 job "$IMAGE" > out 2> log
    equal "$(methods | grep -c PATCH)" 1
    cloud_run disabled
    status 78 job "$IMAGE" > out 2> log
    contains "$(cat log)" "gcloud services enable run.googleapis.com --project=demo"
    cloud_run busy
    job "$IMAGE" > /dev/null
    cloud_run new
    status 78 job --update --memory 1Gi > out 2> log
    contains "$(cat log)" "there is no job migrate in us-central1"
    status 65 pl-run-job --region us-central1 us-central1-docker.pkg.dev/p/r/shop:latest > out 2> log
    contains "$(cat log)" "names no digest"
    equal "$(methods | grep -c PATCH)" 0
}

# What is before it in the pipe has failed, or made something else: nothing is deployed or executed.
test_what_comes_through_the_pipe_is_an_image() {
    cloud_run update
    : > empty
    status 66 job --execute < empty > out 2> log
    contains "$(cat log)" "nothing arrived"
    status 66 sh -c ': | pl-run-job migrate --region us-central1 --execute > out 2> log'
    record='{"pl":1,"type":"job","ref":"projects/p/locations/r/jobs/j","tool":"pl-run-job","set":"1","seq":1,"of":1}'
    status 65 job --execute <<< "$record" > out 2> log
    contains "$(cat log)" "got a job (from pl-run-job); it takes an image"
    status 65 pl-run-deploy --region us-central1 <<< "$record" > out 2> log
    contains "$(cat log)" "got a job (from pl-run-job); it takes an image"
    status 65 pl-run-deploy --region us-central1 <<< "projects/p/locations/r/jobs/j" > out 2> log
    contains "$(cat log)" "got a job; it takes an image"
    status 70 job --execute <<< '{"pl":1,"type":"error","stage":"pl-build","code":70,"message":"no"}' > out 2> log
    contains "$(cat log)" "pl-build failed (70)"
    equal "$(methods)" ""
}

# ---- executing ----

test_an_execution() {
    cloud_run update
    job --execute > record 2> log
    contains "$(cat log)" "task 1: table users: column missing"
    equal "$(grep -c 'I am the first' log)" 1
    contains "$(cat log)" "job migrate: execution migrate-x7k2p succeeded (3 tasks)"
    equal "$(jq -r '[.ref, .execution] | join(" ")' record)" "projects/demo/locations/us-central1/jobs/migrate migrate-x7k2p"
    requests | sed '/timestamp>=/s/T[0-9:]*Z/T…/' | golden job-execute.txt
    : > "$LOG"
    job --execute --no-wait > record 2> log
    equal "$(methods)" "POST JOB:run"
    contains "$(cat log)" "pl-run-job migrate --attach migrate-x7k2p --region us-central1"
    # Deployed and executed: nothing is executed before it is deployed.
    : > "$LOG"
    job --execute "$IMAGE" > record 2> log
    equal "$(methods | head -3)" "GET JOB
PATCH JOB
POST JOB:run"
    equal "$(jq -r .digest record)" "${IMAGE#*@}"
}

test_every_override_is_what_it_says() {
    cloud_run update
    while IFS=$'\t' read -r options want; do
        : > "$LOG"
        # shellcheck disable=SC2086
        job -q --execute --no-wait $options > /dev/null < /dev/null || fail "$options"
        got=$(jq -c 'select(.method == "POST") | .body.overrides' "$LOG")
        [ "$(jq -cS . <<< "$got")" = "$(jq -cS . <<< "$want")" ] || fail "$options: $got, not $want"
    done < "$ROOT/tests/wire/override_options.txt"
    equal "$(methods | grep -c PATCH)" 0
}

# ends SCENARIO STATUS WORDS: how a job of it ends that is deployed and executed
ends() {
    cloud_run "$1"
    status "$2" job --execute "$IMAGE" > out 2> log
    contains "$(cat log)" "$3"
    equal "$(jq -r 'select(.type == "error") | .code' out)" "$2"
}

test_how_it_failed_is_told() {
    ends task 70 "job migrate: task 1 of execution migrate-x7k2p ended with exit code 3 after 2 attempts; it printed last: table users: column missing"
    contains "$(cat log)" "its log: pl-run-job migrate --logs --execution migrate-x7k2p --region us-central1"
    ends signal 70 "task 1 of execution migrate-x7k2p was ended by signal 9 after 2 attempts"
    ends memory 70 "needs more memory than it has after 2 attempts: Memory limit of 512 MiB exceeded"
    contains "$(cat log)" "--memory 1Gi"
    ends late 124 "reached its time limit of 600s after 2 attempts"
    contains "$(cat log)" "--task-timeout 1h"
    ends image 70 "failed after 2 attempts: Image 'h/r' not found; it printed last: table users: column missing"
    ends silent 70 "execution migrate-x7k2p failed: Task migrate-x7k2p-task1 failed with message"
    ends cancelled 1 "job migrate: execution migrate-x7k2p was cancelled"
}

test_waiting_ends() {
    cloud_run forever
    job "$IMAGE" > /dev/null
    status 124 job --execute --wait-time 1s > out 2> log
    contains "$(cat log)" "execution migrate-x7k2p did not end within 1 s"
    contains "$(cat log)" "pl-run-job migrate --attach migrate-x7k2p --region us-central1"
    pl-run-job migrate --region us-central1 --execute > out 2> log & pid=$!
    wait_for 10 grep -q "I am the third" log
    kill -TERM $pid
    status 143 wait $pid
    contains "$(cat log)" "execution migrate-x7k2p goes on; to follow it: pl-run-job migrate --attach migrate-x7k2p"
    equal "$(methods | grep -c cancel)" 0
    job --cancel migrate-x7k2p 2> log
    contains "$(cat log)" "execution migrate-x7k2p is cancelled"
    job --cancel migrate-x7k2p 2> log
    contains "$(cat log)" "had ended already"
    equal "$(methods | grep -c cancel)" 1
    status 78 pl-run-job other --region us-central1 --execute > out 2> log
    contains "$(cat log)" "there is no job other in us-central1"
    status 78 job --attach migrate-other > out 2> log
    contains "$(cat log)" "there is no execution migrate-other"
}

# An execution is asked for once: the request is never repeated by itself.
test_killed_at_any_request_the_job_is_old_or_new() {
    cloud_run update
    job --execute "$IMAGE" > /dev/null 2>&1
    first=$(awk '/"\/v2\// { print NR; exit }' "$LOG")
    last=$(awk '/:run"/ { print NR; exit }' "$LOG")
    for when in before after; do
        for number in $(seq "$first" "$last"); do
            kill "$!" 2> /dev/null || :
            cloud_run update "$number:$when"
            rm -f victim; mkfifo go
            sh -c 'echo $$ > victim; : < go; exec pl-run-job migrate -q --region us-central1 --execute '"$IMAGE" > out 2> log & client=$!
            : > go; rm go
            wait "$client" && fail "$when request $number: it was not killed"
            image=$(curl -s "$PL_CLOUD_URL$JOB" | jq -r '.template.template.containers[0].image')
            [ "$image" = "$IMAGE" ] || [ "$image" = "h/r@sha256:$(printf %064d 0)" ] || fail "$when request $number: $image"
            [ "$(grep -c ':run"' "$LOG")" -le 1 ] || fail "$when request $number: executed twice"
            job -q "$IMAGE" > /dev/null 2> log || fail "$when request $number: $(cat log)"
            equal "$(curl -s "$PL_CLOUD_URL$JOB" | jq -c '.template | [.parallelism, .template.containers[0].image, .template.vpcAccess]')" \
                "[1,\"$IMAGE\",{\"connector\":\"c\"}]"
        done
    done
}

# ---- what there is ----

test_lists() {
    cloud_run update
    pl-run-job --region us-central1 --list | golden job-list.txt
    job --describe | golden job-describe.txt
    job --executions | golden job-executions.txt
    contains "$(job --logs --lines 5)" "2026-11-24T06:00:01.5Z migrate-x7k2p 0 I am the first"
    contains "$(requests)" '"pageSize": 5'
    job --logs --execution migrate-x7k2p --since 1h > /dev/null
    contains "$(requests)" 'execution_name\"=\"migrate-x7k2p\" AND timestamp>='
    status 78 pl-run-job other --region us-central1 --describe > out 2> log
    contains "$(cat log)" "there is no job other in us-central1"
}

test_deleting() {
    cloud_run update
    status 64 job --delete > out 2> log
    contains "$(cat log)" "--delete --confirm migrate"
    job --delete --confirm migrate 2> log
    contains "$(cat log)" "job migrate in us-central1 is deleted"
    equal "$(methods | grep -c DELETE)" 1
    job --delete --confirm migrate 2> log
    contains "$(cat log)" "did not exist"
}

# Of all that the tests before it sent and got.
test_zz_every_request_is_valid_by_googles_discovery_document() {
    cat "$WORK"/test_*/log.[0-9] "$WORK"/test_*/log.[0-9][0-9] | grep -v '"/computeMetadata/' > all
    [ "$(wc -l < all)" -gt 100 ] || fail "only $(wc -l < all) requests"
    valid_by_discovery all
}

run_tests
