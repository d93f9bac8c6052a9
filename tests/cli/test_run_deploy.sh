#!/usr/bin/env bash
# pl-run-deploy from the outside: its options, and what stops it before anything is sent.
. "$(dirname "$0")/../lib.sh"
export CLOUDSDK_CONFIG=/nonexistent
unset GOOGLE_CLOUD_PROJECT GCLOUD_PROJECT CLOUDSDK_CORE_PROJECT
IMAGE=us-central1-docker.pkg.dev/p/r/shop@sha256:$(printf %064d 7)

# refused STATUS WORDS ARGUMENT...: with that exit code, those words, and an error record
refused() {
    local want=$1 words=$2; shift 2
    PL_CLOUD_URL=http://127.0.0.1:1 status "$want" timeout 10 pl-run-deploy "$@" > out 2> error < /dev/null
    contains "$(cat error)" "$words"
    contains "$(cat out)" '"type":"error"'
}

test_help() { pl-run-deploy --help | golden run-deploy-help.txt; }

test_wrong_settings_are_refused() {
    refused 64 "--region" "$IMAGE"
    refused 78 "is no region of Cloud Run" --region moon "$IMAGE"
    refused 64 "--port" --region us-central1 --port 70000 "$IMAGE"
    refused 64 "--memory" --region us-central1 --memory lots "$IMAGE"
    refused 64 "--cpu" --region us-central1 --cpu many "$IMAGE"
    refused 64 "--timeout" --region us-central1 --timeout 2h "$IMAGE"
    refused 64 "--concurrency" --region us-central1 --concurrency 0 "$IMAGE"
    refused 64 "--env" --region us-central1 --env NOTHING "$IMAGE"
    refused 64 "PORT" --region us-central1 --env PORT=1 "$IMAGE"
    refused 64 "--label" --region us-central1 --label 'Team=Web' "$IMAGE"
    refused 64 "--min-instances" --region us-central1 --min-instances 5 --max-instances 2 "$IMAGE"
    refused 65 "is no name of a Cloud Run service" --region us-central1 --name Shop "$IMAGE"
}

run_tests
