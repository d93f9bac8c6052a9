#!/usr/bin/env bash
# Jobs: deployed and executed by pl-run-job, run by the local cloud.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"

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
    # The same once more changes nothing; without an image it is executed as it is.
    job < record > /dev/null 2> log
    contains "$(cat log)" "job migrate in us-central1: unchanged"
    status 70 job migrate --execute --with-env CODE=3 --with-tasks 2 > out 2> log
    contains "$(cat log)" "task 1: migrate"
    contains "$(cat log)" "ended with exit code 3 after 2 attempts; it printed last: migrate"
    contains "$(cat log)" " try 1 port="
    equal "$(jq -r .code out)" 70
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
    equal "$(job migrate --executions | awk 'NR > 1 { print $2 }' | tr '\n' ' ')" "cancelled failed succeeded failed succeeded "
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
    contains "$(job migrate --logs --execution "$execution")" "try 0"
    lacks "$(job migrate --logs --execution "$execution")" "try 1"
    job migrate --delete --confirm migrate 2> log
    status 78 job migrate --executions > out 2> log
    contains "$(cat log)" "there is no job migrate"
}

run_tests
