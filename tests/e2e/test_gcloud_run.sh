#!/usr/bin/env bash
# gcloud on the local cloud's Cloud Run: the commands that people use, and services that others have made.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"
. "$(dirname "$0")/gcloud.sh"

# One cloud and one image for the whole file.
start() {
    export PL_LOCAL_STATE=$WORK/cloud
    eval "$(pl-local start -q)"
    gcloud_once
    [ -s "$WORK/image" ] || { web_app app hello; pl-build -q --name app app | pl-push-image -q --repo demo -o ref > "$WORK/image"; }
    IMAGE=$(cat "$WORK/image")
}
# does ARGUMENTS...: gcloud does it; what it told is in `said`
does() { gcloud "$@" > said 2>&1 || fail "gcloud $*: $(cat said)"; }
ATEXIT='PL_LOCAL_STATE=$WORK/cloud pl-local stop -q;'

test_deploy_change_and_delete() {
    start
    does run deploy hello --image "$IMAGE" --region us-central1 --allow-unauthenticated --tag candidate --update-env-vars A=1
    contains "$(cat said)" "is serving 100 percent of traffic"
    equal "$(gcloud run services list --format='value(metadata.name,region)')" "hello	us-central1"
    url=$(gcloud run services describe hello --region us-central1 --format='value(status.url)')
    equal "$(curl -sf "$url/")" hello
    first=$(gcloud run services describe hello --region us-central1 --format='value(status.latestReadyRevisionName)')
    does run services update hello --region us-central1 --update-env-vars B=2 --no-traffic
    contains "$(cat said)" "is serving 0 percent of traffic"
    does run services update-traffic hello --region us-central1 --to-latest
    contains "$(cat said)" "100% LATEST (currently hello-00002-"
    gcloud run revisions list --service hello --region us-central1 --format='value(metadata.name)' > revisions
    equal "$(wc -l < revisions)" 2
    status 1 gcloud run revisions delete "$first" --region us-central1 2> said
    contains "$(cat said)" "is actively serving traffic or has a traffic tag"
    does run services update-traffic hello --region us-central1 --clear-tags
    does run revisions delete "$first" --region us-central1
    equal "$(gcloud run revisions list --region us-central1 --format='value(metadata.name)' | grep -c "$first")" 0
    gcloud run services describe hello --region us-central1 --format export > service.yaml
    sed -i '/^ *name: hello-0/d; s/value: .2./value: three/' service.yaml
    does run services replace service.yaml --region us-central1
    equal "$(gcloud run services describe hello --region us-central1 --format=json | jq -c '[.spec.template.spec.containers[0].env[] | .value]')" '["1","three"]'
    does run services delete hello --region us-central1
    status 1 gcloud run services describe hello --region us-central1 2> said
    contains "$(cat said)" "Cannot find service [hello]"
}

run_tests
