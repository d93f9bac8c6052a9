#!/usr/bin/env bash
# Jobs: deployed and executed by pl-run-job, run by the local cloud.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"
. "$ROOT/tests/wire/discovery.sh"

job() { pl-run-job --region us-central1 "$@"; }
image() { pl-build -q --name "$1" app | pl-push-image -q --repo demo; }

test_a_job_ends_as_its_task_does() {
    cloud
    web_app app x 'echo \"$CLOUD_RUN_JOB $CLOUD_RUN_EXECUTION $CLOUD_RUN_TASK_INDEX/$CLOUD_RUN_TASK_COUNT try $CLOUD_RUN_TASK_ATTEMPT port=$PORT service=$K_SERVICE arg=$0\"; [ ! \"$SLEEP\" ] || exec /bin/busybox sleep $SLEEP; exit ${CODE:-0}'
    # From an image to a job that was executed; its output is on stderr, its record on stdout.
    image migrate > record
    job --execute --max-retries 1 < record > out 2> log
    execution=$(jq -r .execution out)
    equal "$(jq -r '[.type, .ref, .name] | join(" ")' out)" "job projects/pl-local/locations/us-central1/jobs/migrate migrate"
    contains "$(cat log)" "migrate $execution 0/1 try 0 port= service= arg=sh"
    contains "$(cat log)" "succeeded (1 task)"
    contains "$(pl-local logs migrate)" "migrate $execution 0/1 try 0"
    # The same once more changes nothing; without an image it is executed as it is.
    job < record > /dev/null 2> log
    contains "$(cat log)" "job migrate in us-central1: unchanged"
    status 70 job migrate --execute --with-env CODE=3 --with-tasks 2 > out 2> log
    contains "$(cat log)" "task 1: migrate"
    contains "$(cat log)" "ended with exit code 3 after 2 attempts; it printed last: migrate"
    contains "$(cat log)" " try 1 port="
    equal "$(jq -r .code out)" 70
    # However much it prints, nothing of it is lost.
    job migrate --execute --with-arg /bin/busybox --with-arg seq --with-arg 5000 > out 2> log
    equal "$(grep -cE '^pl-run-job │   [0-9]+$' log)" 5000
    # What was changed for one execution was not changed in the job.
    job migrate --execute -o ref > out 2> log
    equal "$(cat out)" "projects/pl-local/locations/us-central1/jobs/migrate"
    # A time limit of the task, and one of ours; the execution that goes on is attached to, and cancelled.
    status 124 job migrate --update --max-retries 0 --env SLEEP=60 --execute --with-timeout 1s > out 2> log < /dev/null
    contains "$(cat log)" "reached its time limit of 1s"
    status 124 job migrate --execute --wait-time 1s > out 2> log
    execution=$(grep -o 'migrate --attach [^ ]*' log | cut -d ' ' -f 3)
    contains "$(pl-local status)" "job      migrate  us-central1  $execution  running"
    job migrate --attach "$execution" > attached 2> attached.log & pid=$!
    wait_for 10 grep -q 'try 0' attached.log
    job migrate --cancel "$execution" 2> log
    contains "$(cat log)" "is cancelled"
    status 1 wait $pid
    contains "$(cat attached.log)" "execution $execution was cancelled"
    equal "$(job migrate --executions | awk 'NR > 1 { print $2 }' | tr '\n' ' ')" "cancelled failed succeeded succeeded failed succeeded "
    # A signal stops the waiting at once, not the execution.
    pl-run-job migrate --region us-central1 --execute > out 2> log & pid=$!
    wait_for 10 grep -q 'try 0' log
    kill -TERM $pid
    status 143 wait $pid
    execution=$(sed -n 's/.*migrate --attach \([^ ]*\) .*/\1/p' log)
    contains "$(cat log)" "execution $execution goes on; to follow it"
    contains "$(job migrate --executions | sed -n 2p)" "$execution"
    contains "$(job migrate --executions | sed -n 2p)" "runs"
    # A cloud that is started anew says what it did not end.
    kill -9 "$(process_of_cloud)"
    eval "$(pl-local start)"
    contains "$(job migrate --executions | sed -n 2p)" "cancelled"
    status 1 job migrate --attach "$execution" > out 2> log
    contains "$(cat log)" "was cancelled: The local cloud was stopped while the execution ran."
    contains "$(job migrate --logs --execution "$execution")" "try 0"
    lacks "$(job migrate --logs --execution "$execution")" "try 1"
    job migrate --delete --confirm migrate 2> log
    status 78 job migrate --executions > out 2> log
    contains "$(cat log)" "there is no job migrate"
}

api() { # api METHOD PATH [BODY]: as the account of the cloud, or as that of $TOKEN
    : "${TOKEN:=$(curl -sf -H 'Metadata-Flavor: Google' "$PL_CLOUD_URL/computeMetadata/v1/instance/service-accounts/default/token" | jq -r .access_token)}"
    curl -s -X "$1" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' ${3:+-d "$3"} "$PL_CLOUD_URL$2"
}
# refused CODE WORDS PATCH-OF-THE-BODY: what Cloud Run does not take
refused() { local reply; reply=$(api PATCH "$JOBS/bad?allowMissing=true" "$(jq -c "$3" body)"); equal "$(jq -r .error.code <<< "$reply")" "$1"; contains "$reply" "$2"; }
# done_of: the operation of a reply, when it is done
done_of() { local name; name=$(jq -r .name); api POST "/v2/$name:wait" '{"timeout":"30s"}'; }
JOBS=/v2/projects/pl-local/locations/us-central1/jobs

test_jobs_are_checked_as_google_does() {
    cloud
    "$ROOT/tests/e2e/recording_front.py" "$PL_CLOUD_URL" exchanges > front & front=$!
    wait_for 10 test -s front
    web_app app x 'cd /; echo begin; /bin/busybox sleep 0.2; [ ! \"$KEY\" ] || { echo \"variable $KEY\"; /bin/busybox cat /s/key; /bin/busybox df -k /m | /bin/busybox tail -n 1; }; [ $CLOUD_RUN_TASK_ATTEMPT -ge ${GOOD:-0} ] || exit 4; echo end'
    image tool > record
    DIRECT=$PL_CLOUD_URL PL_CLOUD_URL=$(cat front)
    IMAGE=$(jq -r .ref record)
    jq -nc --arg image "$IMAGE" '{labels: {team: "a"}, template: {taskCount: 6, parallelism: 2, template: {maxRetries: 2, timeout: "30s", containers: [{name: "tool", image: $image}]}}}' > body
    equal "$(api POST "$JOBS?jobId=tool" "$(cat body)" | jq -c '[.done, .response.terminalCondition.state, .response.generation, .response.template.template.containers[0].resources.limits]')" \
        '[true,"CONDITION_SUCCEEDED","1",{"cpu":"1000m","memory":"512Mi"}]'
    equal "$(api POST "$JOBS?jobId=tool" "$(cat body)" | jq -c '[.error.code, .error.message]')" "[409,\"Resource 'tool' already exists.\"]"
    equal "$(api PATCH "$JOBS/none" "$(cat body)" | jq .error.code)" 404
    equal "$(api GET "$JOBS?pageSize=1" | jq -c '[.jobs[].labels.team]')" '["a"]'
    # What is refused, in Google's words.
    refused 400 "Violation in UpdateJobRequest.job.template.task_count" '.template.taskCount = 1001'
    refused 400 "UpdateJobRequest.job.template.template.max_retries: must be between 0 and 10" '.template.template.maxRetries = 11'
    refused 400 "UpdateJobRequest.job.template.template.timeout: must be between 1s and 604800s" '.template.template.timeout = "604801s"'
    refused 400 "template.template.containers[0].env: The following reserved env names were provided: CLOUD_RUN_TASK_INDEX" '.template.template.containers[0].env = [{name: "CLOUD_RUN_TASK_INDEX", value: "1"}]'
    refused 400 "UpdateJobRequest.job.template.template: the template must be provided" 'del(.template.template)'
    refused 400 "namespaces are not supported in the v2 API" '.template.annotations = {"run.googleapis.com/x": "y"}'
    refused 400 "at 'job': Cannot find field." '.traffic = []'
    refused 400 "template.template.containers[0].image" '.template.template.containers[0].image = ""'
    equal "$(api PATCH "$JOBS/Bad_name?allowMissing=true" "$(cat body)" | jq .error.code)" 404
    equal "$(api POST "$JOBS?jobId=Bad" "$(cat body)" | jq .error.code)" 400
    equal "$(api PATCH "$JOBS/tool" "$(jq -c '.etag = "\"old\""' body)" | jq -r .error.status)" ABORTED
    equal "$(api PATCH "$JOBS/other?allowMissing=true&validateOnly=true" "$(cat body)" | jq -c '[.done, .response.template.taskCount]')" '[true,6]'
    equal "$(api GET "$JOBS/other" | jq .error.code)" 404
    contains "$(api PATCH "$JOBS/missing?allowMissing=true" "$(jq -c '.template.template.containers[0].image |= sub("/demo/"; "/none/")' body)" | jq -r .error.message)" "not found"
    contains "$(api GET "$JOBS/missing" | jq -c .terminalCondition)" CONTAINER_MISSING
    # Tasks side by side, two at a time.
    api POST "$JOBS/tool:run" '{}' | done_of > execution
    equal "$(jq -c '.response | [.succeededCount, .parallelism, .taskCount, .conditions[0].state, .reconciling]' execution)" '[6,2,6,"CONDITION_SUCCEEDED",null]'
    jq -r .text "$PL_LOCAL_STATE/logs/pl-local/us-central1/jobs/tool.log" | awk '$0 == "begin" { if (++n > most) most = n } $0 == "end" { n-- } END { print most }' > most
    equal "$(cat most)" 2
    # Overrides: what is wrong, and retries, secrets and volumes of one.
    override() { api POST "$JOBS/tool:run" "$(jq -nc "{overrides: $1}")"; }
    equal "$(override '{taskCount: 1001}' | jq .error.code)" 400
    equal "$(override '{containerOverrides: [{name: "other"}]}' | jq .error.code)" 400
    equal "$(override '{containerOverrides: [{args: ["x"], clearArgs: true}]}' | jq .error.code)" 400
    override '{taskCount: 1, containerOverrides: [{name: "tool", env: [{name: "GOOD", value: "2"}]}]}' | done_of > execution
    equal "$(jq -c '.response | [.succeededCount, .retriedCount]' execution)" '[1,1]'
    equal "$(api GET "/v2/$(jq -r .response.name execution)/tasks" | jq -c '.tasks[] | [.retried, .index, .lastAttemptResult]')" '[2,null,{"status":{}}]'
    override '{taskCount: 1, containerOverrides: [{env: [{name: "GOOD", value: "9"}]}]}' | done_of > execution
    equal "$(jq -c '.response | [.failedCount, .conditions[0].executionReason]' execution)" '[1,"NON_ZERO_EXIT_CODE"]'
    contains "$(jq -r '.response.conditions[0].message' execution)" "-task0 failed with message: The container exited with an error."
    equal "$(api GET "/v2/$(jq -r .response.name execution)/tasks" | jq -c '.tasks[0].lastAttemptResult.exitCode')" 4
    api POST '/v1/projects/pl-local/secrets?secretId=key' '{"replication":{"automatic":{}}}' > /dev/null
    api POST /v1/projects/pl-local/secrets/key:addVersion "{\"payload\":{\"data\":\"$(printf secret-value | base64)\"}}" > /dev/null
    PL_CLOUD_URL=$DIRECT job tool --update --secret KEY=key --secret /s/key=key:1 --tasks 1 -q -o ref > said
    api PATCH "$JOBS/tool" "$(api GET "$JOBS/tool" | jq -c '.template.template.volumes += [{name: "m", emptyDir: {medium: "MEMORY", sizeLimit: "4Mi"}}] | .template.template.containers[0].volumeMounts += [{name: "m", mountPath: "/m"}]')" > reply
    PL_CLOUD_URL=$DIRECT job tool --execute > out 2> log
    contains "$(cat log)" "variable secret-value"
    contains "$(cat log)" " 4096 "
    lacks "$(jq -c .template reply)$(PL_CLOUD_URL=$DIRECT job tool --describe)" secret-value
    # Executions are deleted, policies bind a job alone.
    execution=$(jq -r .response.name execution)
    equal "$(api POST "/v2/$execution:cancel" '{}' | jq .error.code)" 400
    equal "$(api DELETE "/v2/$execution" | jq .done)" true
    equal "$(api GET "/v2/$execution" | jq .error.code)" 404
    api POST /v1/projects/pl-local/serviceAccounts '{"accountId":"runner","serviceAccount":{}}' > /dev/null
    api POST "$JOBS/tool:setIamPolicy" '{"policy":{"bindings":[{"role":"roles/run.invoker","members":["serviceAccount:runner@pl-local.iam.gserviceaccount.com"]}]}}' | jq -c .bindings > policy
    equal "$(api GET "$JOBS/tool:getIamPolicy" | jq -c .bindings)" "$(cat policy)"
    runner=$(api POST /v1/projects/-/serviceAccounts/runner@pl-local.iam.gserviceaccount.com:generateAccessToken '{"scope":["https://www.googleapis.com/auth/cloud-platform"]}' | jq -r .accessToken)
    TOKEN=$runner override '{taskCount: 1}' > reply
    contains "$(cat reply)" "Permission 'run.jobs.runWithOverrides' denied"
    equal "$(TOKEN=$runner api POST "$JOBS/tool:run" '{}' | jq .error)" null
    equal "$(TOKEN=$runner api GET "$JOBS/tool" | jq .error.code)" 403
    equal "$(TOKEN=$runner api POST "$JOBS/missing:run" '{}' | jq .error.code)" 403
    kill $front
    contains "$(valid_by_discovery --answers exchanges)" "requests, 0 problems"
}

run_tests
