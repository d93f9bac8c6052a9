#!/usr/bin/env bash
# gcloud's jobs on the local cloud, and a job that gcloud and pl change in turn.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"
. "$(dirname "$0")/gcloud.sh"
. "$ROOT/tests/wire/discovery.sh"
ATEXIT='PL_LOCAL_STATE=$WORK/cloud pl-local stop -q;'

does() { gcloud "$@" --region us-central1 > said 2>&1 || fail "gcloud $*: $(cat said)"; }

test_jobs_of_gcloud() {
    export PL_LOCAL_STATE=$WORK/cloud
    eval "$(pl-local start -q)"
    web_app app x 'echo \"hello $CLOUD_RUN_TASK_INDEX of $CLOUD_RUN_TASK_COUNT arg=$0 X=$X\"; [ ! \"$SLEEP\" ] || exec /bin/busybox sleep $SLEEP; exit ${CODE:-0}'
    IMAGE=$(pl-build -q --name app app | pl-push-image -q --repo demo -o ref)
    "$ROOT/tests/e2e/recording_front.py" "$PL_CLOUD_URL" "$WORK/exchanges" > front &
    wait_for 10 test -s front
    DIRECT=$PL_CLOUD_URL PL_CLOUD_URL=$(cat front)
    gcloud_once
    does run jobs deploy migrate --image "$IMAGE" --tasks 2 --parallelism 1 --max-retries 1 --task-timeout 90s --set-env-vars X=1 \
        --labels team=web --memory 256Mi --cpu 1 --network net --subnet sub --vpc-egress all-traffic
    contains "$(cat said)" "has successfully been deployed"
    does run jobs execute migrate --wait
    contains "$(cat said)" "has successfully completed"
    does run jobs logs read migrate
    contains "$(cat said)" "hello 1 of 2 arg=sh X=1"
    # What pl changes, gcloud does not lose, and the other way round.
    PL_CLOUD_URL=$DIRECT pl-run-job migrate --region us-central1 --update --env PL=1 --max-retries 0 -q -o ref > said
    does run jobs update migrate --update-env-vars GCLOUD=1 --tasks 1
    PL_CLOUD_URL=$DIRECT pl-run-job migrate --region us-central1 --export > job.json
    equal "$(jq -cS '.template | [.taskCount, .parallelism, .template.maxRetries, .template.timeout, [.template.containers[0].env[] | .name],
        .template.containers[0].resources, .template.vpcAccess, .labels.team]' job.json)" \
        '[1,1,0,"90s",["X","PL","GCLOUD"],{"limits":{"cpu":"1","memory":"256Mi"}},{"egress":"ALL_TRAFFIC","networkInterfaces":[{"network":"net","subnetwork":"sub"}]},"web"]'
    # Overrides of one execution, and one that fails.
    status 1 gcloud run jobs execute migrate --region us-central1 --wait --args '^@^/bin/busybox@sh@-c@echo now X=$X; exit 3' --update-env-vars X=2 --tasks 1 --task-timeout 60s 2> said
    contains "$(cat said)" "ERROR: (gcloud.run.jobs.execute) The execution failed."
    execution=$(gcloud run jobs executions list --job migrate --region us-central1 --limit 1 --format='value(metadata.name)' 2> /dev/null)
    does beta run jobs executions logs read "$execution"
    contains "$(cat said)" "now X=2"
    equal "$(gcloud run jobs executions tasks list --execution "$execution" --region us-central1 --format='value(status.index,status.lastAttemptResult.exitCode)' 2> said)" "	3"
    # One that is ended.
    does run jobs execute migrate --update-env-vars SLEEP=60
    execution=$(gcloud run jobs executions list --job migrate --region us-central1 --limit 1 --format='value(metadata.name)' 2> /dev/null)
    does run jobs executions cancel "$execution"
    equal "$(gcloud run jobs executions describe "$execution" --region us-central1 --format='value(status.cancelledCount,status.conditions[0].reason)' 2> said)" "1	Cancelled"
    equal "$(gcloud run jobs list --format='value(metadata.name,status.executionCount,region)' 2> said)" "migrate	3	us-central1"
    does run jobs describe migrate
    does run jobs add-iam-policy-binding migrate --member allUsers --role roles/run.invoker
    status 1 gcloud run jobs update migrate --region us-central1 --task-timeout 200h 2> said
    contains "$(cat said)" "spec.template.spec.template.spec.timeout_seconds: must be between"
    gcloud run jobs describe migrate --region us-central1 --format export > job.yaml
    # The same file means the same to pl, but for the label that gcloud leaves out of what it reads itself.
    PL_CLOUD_URL=$DIRECT pl-run-job --region us-central1 --update --job job.yaml --dry-run -q > said
    equal "$(sed 's/ ".*//' said)" "- template.labels.client.knative.dev/nonce:"
    sed -i 's/maxRetries: 0/maxRetries: 2/' job.yaml
    does run jobs replace job.yaml
    does run jobs executions delete "$execution"
    does run jobs delete migrate
    status 1 gcloud run jobs describe migrate --region us-central1 2> said
    contains "$(cat said)" "Cannot find job [migrate]"
}

test_zz_every_reply_is_valid_by_googles_discovery_documents() {
    valid_by_discovery --answers "$WORK/exchanges"
    for path in /jobs /executions/ /tasks :run :cancel; do
        grep -q "/apis/run.googleapis.com/v1/namespaces/pl-local/.*$path" "$WORK/exchanges" || grep -q "namespaces/pl-local$path" "$WORK/exchanges"
    done
}

run_tests
