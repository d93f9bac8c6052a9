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
    refused 64 "takes one request at a time" --region us-central1 --cpu 0.5 --concurrency 80 "$IMAGE"
    refused 64 "is no NAME=SECRET" --region us-central1 --secret KEY "$IMAGE"
    refused 64 "is no NAME=SECRET" --region us-central1 --secret KEY=a:newest "$IMAGE"
    refused 64 "is no NAME=SECRET" --region us-central1 --secret /key=a "$IMAGE"
    refused 64 "mounts one secret in a directory" --region us-central1 --secret /s/d/a=a --secret /s/d/b=b "$IMAGE"
    refused 64 "excludes --network" --region us-central1 --vpc-connector c --network n "$IMAGE"
    refused 64 "--no-vpc excludes" --region us-central1 --no-vpc --network n "$IMAGE"
    refused 64 "is no NAME and no /path/file" --region us-central1 --remove-secret /file "$IMAGE"
    refused 64 "is no projects/PROJECT" --region us-central1 --encryption-key k "$IMAGE"
    refused 64 "takes whole hours" --region us-central1 --key-shutdown-time 90m "$IMAGE"
    refused 64 "it can be auto, or 0 to 1000" --region us-central1 --scaling many "$IMAGE"
    refused 64 "--max is 0" --region us-central1 --max 0 "$IMAGE"
    refused 64 "is no PROJECT:REGION:NAME" --region us-central1 --cloudsql-instance i "$IMAGE"
    refused 64 "is no part of a probe" --region us-central1 --startup-probe path=/x "$IMAGE"
    refused 64 "names 0" --region us-central1 --startup-probe periodSeconds=1 "$IMAGE"
    refused 64 "does not begin with /" --region us-central1 --working-directory x "$IMAGE"
    refused 64 "is no NAME=IMAGE" --region us-central1 --sidecar Cache=x "$IMAGE"
    refused 64 "there is no option colour" --region us-central1 --sidecar cache:colour=red "$IMAGE"
    refused 64 "is no part of a probe" --region us-central1 --sidecar cache:startup-probe=x "$IMAGE"
    refused 64 "is no NAME=WHAT" --region us-central1 --volume v=ram "$IMAGE"
    refused 64 "is no NAME=WHAT" --region us-central1 --volume v=memory:much "$IMAGE"
    refused 64 "is no NAME=/PATH" --region us-central1 --mount v=here "$IMAGE"
    printf 'A=1\nnothing\n' > vars
    refused 65 "vars:2: no NAME=VALUE" --region us-central1 --env-file vars "$IMAGE"
    refused 65 "is no name of a Cloud Run service" --region us-central1 --name Shop "$IMAGE"
}

run_tests
