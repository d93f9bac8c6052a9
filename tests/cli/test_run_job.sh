#!/usr/bin/env bash
# pl-run-job from the outside: its options, and what stops it before anything is sent.
. "$(dirname "$0")/../lib.sh"
export CLOUDSDK_CONFIG=/nonexistent
unset GOOGLE_CLOUD_PROJECT GCLOUD_PROJECT CLOUDSDK_CORE_PROJECT
IMAGE=us-central1-docker.pkg.dev/p/r/migrate@sha256:$(printf %064d 7)

# refused STATUS WORDS ARGUMENT...: with that exit code, those words, and an error record
refused() {
    local want=$1 words=$2; shift 2
    PL_CLOUD_URL=http://127.0.0.1:1 status "$want" timeout 10 pl-run-job "$@" > out 2> error < /dev/null || { cat error; return 1; }
    contains "$(cat error)" "$words"
    contains "$(cat out)" '"type":"error"'
}

test_help() { pl-run-job --help | golden run-job-help.txt; }

test_wrong_settings_are_refused() {
    refused 64 "--region" "$IMAGE"
    refused 78 "is no region of Cloud Run" --region moon "$IMAGE"
    refused 64 "--tasks is 0; it can be 1 to 10000" --region us-central1 --tasks 0 "$IMAGE"
    refused 64 "--max-retries is 11; it can be 0 to 10" --region us-central1 --max-retries 11 "$IMAGE"
    refused 64 "--task-timeout is 691200; it can be 1 to 604800" --region us-central1 --task-timeout 8d "$IMAGE"
    refused 64 "--memory is less than 128Mi" --region us-central1 --memory 64Mi "$IMAGE"
    refused 64 "--env takes NAME=VALUE" --region us-central1 --env NOTHING "$IMAGE"
    refused 64 "unknown option --port" --region us-central1 --port 80 "$IMAGE"
    refused 65 "is no name of a Cloud Run job" --region us-central1 --name Migrate "$IMAGE"
    printf '{"template":[]}' > job.json
    refused 65 "job.json is no Job of the Cloud Run API" --region us-central1 --job job.json "$IMAGE"
}

test_what_does_not_go_together() {
    refused 64 "go with --execute" migrate --region us-central1 --with-env A=1 "$IMAGE"
    refused 64 "go with --execute" migrate --region us-central1 --no-wait "$IMAGE"
    refused 64 "--wait-time goes with" migrate --region us-central1 --wait-time 1h "$IMAGE"
    refused 64 "exclude each other" migrate --region us-central1 --execute --no-wait --wait-time 1h
    refused 64 "exclude each other" migrate --region us-central1 --execute --without-args --with-arg x
    refused 64 "--with-env: --env takes NAME=VALUE" migrate --region us-central1 --execute --with-env A
    refused 64 "--with-tasks is 0" migrate --region us-central1 --execute --with-tasks 0
    refused 64 "only one of" migrate --region us-central1 --list --logs
    refused 64 "only one of" migrate --region us-central1 --execute --delete
    refused 64 "--list takes no job" migrate --region us-central1 --list
    refused 64 "is an image" migrate --region us-central1 --describe "$IMAGE"
    refused 64 "is an image" migrate --region us-central1 --update "$IMAGE"
    refused 64 "named twice" migrate --region us-central1 --name other "$IMAGE"
    refused 64 "which job?" --region us-central1 --execute
    refused 64 "which job?" --region us-central1 --update
    refused 64 "if that is meant: --delete --confirm migrate" migrate --region us-central1 --delete
    refused 64 "add --update to change the job without an image" migrate --region us-central1 --execute --memory 1Gi
    refused 64 "add --update" migrate --region us-central1 --execute --remove-env A
}

run_tests
