#!/usr/bin/env bash
# A failure travels inside the pipe: whatever the shell makes of exit codes, the last stage fails, with the first one's code
# and reason in one line. In dash, bash -e and make, none of which looks at the exit codes of earlier stages.
. "$(dirname "$0")/../lib.sh"

cloud() {
    export PL_LOCAL_STATE=$PWD/cloud
    eval "$(pl-local start 2> /dev/null)"
    trap 'pl-local stop 2> /dev/null; kill $(jobs -p) 2> /dev/null || true; wait' EXIT
}
# source_that NAME COMMAND: a build context whose one step is COMMAND
source_that() {
    mkdir -p "$1" root/bin
    cp /bin/busybox root/bin/ && ln -sf busybox root/bin/sh && ln -sf busybox root/bin/sleep
    [ -e base.tar ] || tar -C root --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf base.tar .
    printf 'FROM rootfs:%s\nRUN %s\nCMD ["sh"]\n' "$PWD/base.tar" "$2" > "$1/Dockerfile"
}
container() { source_that shop "echo made"; pl-build shop 2> /dev/null; }

PUSH='pl-push-image --repo demo 2> 2.err' DEPLOY='pl-run-deploy --region us-central1 2> 3.err > out'
# fails CODE LINE FIRST [LAST]: the pipe FIRST | pl-push-image | LAST ends with CODE, and LAST says LINE and nothing else
fails() {
    local shell code
    for shell in "dash -c" "bash -e -c"; do
        code=0; $shell "$3 2> 1.err | $PUSH | ${4:-$DEPLOY}" || code=$?
        [ "$code" = "$1" ] || fail "$shell: exit status $code, not $1: $(cat 1.err 2.err 3.err)"
        equal "$(cat 3.err)" "$2"
        equal "$(jq -r .type out; jq -r .code out)" "error
$1"
    done
    printf 'deploy:\n\t@%s 2> 1.err | %s | %s\n' "${3//\$/\$\$}" "$PUSH" "${4:-$DEPLOY}" > Makefile
    status 2 make --no-print-directory deploy 2> make.err
    contains "$(cat make.err)" "Error $1"
    equal "$(cat 3.err)" "$2"
}

test_a_failing_build_step() {
    cloud
    source_that broken "echo words of the step; exit 3"
    fails 70 "pl-run-deploy: not started: pl-build failed (70): broken/Dockerfile:2: RUN echo words of the step; exit 3 failed with exit code 3" "pl-build broken"
    contains "$(cat 1.err)" "│   words of the step"
    # The reason is told by the first and by the last.
    equal "$(cat 2.err)" "pl-push-image: not started: pl-build failed (70)"
    # The record names the first cause, not who passed it on.
    equal "$(jq -r .stage out)" pl-build
}

test_no_input() {
    cloud
    local why="pl-run-deploy: not started: pl-push-image failed (66): nothing arrived: the command before the pipe failed or printed nothing"
    fails 66 "$why" "true"
    fails 66 "$why" "echo"
    fails 66 "$why" "no-such-command"
    fails 66 "$why" "sh -c 'kill -9 \$\$'"
    status 66 pl-run-deploy --region us-central1 < /dev/null > out 2> 3.err
    equal "$(head -n 1 3.err)" "pl-run-deploy: nothing arrived: the command before the pipe failed or printed nothing"
}

test_a_killed_build_leaves_nothing_running() {
    cloud
    source_that slow "echo begun; sleep 7653.5"
    mkfifo pipe
    # A wrapper that kills pl-build once its step runs, as the kernel's out-of-memory killer would.
    cat > build <<'END'
#!/bin/sh
pl-build --no-cache slow & pid=$!
while ! grep -q begun 1.err; do sleep 0.05; done
kill -$1 $pid
wait $pid
END
    chmod +x build
    fails 66 "pl-run-deploy: not started: pl-push-image failed (66): nothing arrived: the command before the pipe failed or printed nothing" "./build KILL"
    fails 143 "pl-run-deploy: not started: pl-build failed (143): stopped by a signal (TERM)" "./build TERM"
    is_gone() { ! ps ax -o args | grep -q '[s]leep 7653.5'; }
    wait_for 10 is_gone
    source_that slow "echo now it ends"
    pl-build slow | pl-push-image --repo demo > image
    PL_STORE=$PL_STORE pl-cache verify
}

test_wrong_types() {
    cloud
    local zeros; zeros=$(printf %064d 0)
    fails 65 "pl-run-deploy: not started: pl-push-image failed (65): got a directory; it takes a container" "echo directory:sha256:$zeros"
    fails 65 "pl-run-deploy: not started: pl-push-image failed (65): got an image; put pl-from before it" "echo 127.0.0.1:5000/a@sha256:$zeros"
    fails 65 "pl-run-deploy: not started: pl-push-image failed (65): got a service; it takes a container" "echo https://shop.test"
    container > record
    for shell in "dash -c" "bash -e -c"; do
        status 65 $shell "cat record | $DEPLOY"
        equal "$(cat 3.err)" "pl-run-deploy: got a container (from pl-build); put pl-push-image before it"
    done
}

test_damaged_records() {
    cloud
    container > record
    local refused="pl-run-deploy: not started: pl-push-image failed (65):"
    for length in 1 20 100 $(($(stat -c %s record) - 2)); do
        code=0; head -c "$length" record | sh -c "$PUSH | $DEPLOY" || code=$?
        equal "$length $code" "$length 65"
        contains "$(cat 3.err)" "$refused the last record is cut off: "
        equal "$(grep -c . 3.err)" 1
    done
    # Only the newline is missing: all of it is there.
    head -c $(($(stat -c %s record) - 1)) record | sh -c "$PUSH" > image
    fails 65 "$refused the record is of version 2; this pl understands version 1" "sed 's/\"pl\":1/\"pl\":2/' record"
    fails 65 "$refused received 1 of 2 records" "sed 's/\"of\":1/\"of\":2/' record"
    fails 65 "$refused received 1 of 2 records" "sed 's/\"seq\":1,\"of\":1/\"seq\":2,\"of\":2/' record"
    fails 65 "$refused a record is longer than 4096 bytes" "sed 's/\"name\":\"shop\"/\"name\":\"$(printf 'x%.0s' {1..4096})\"/' record"
    fails 65 "$refused \"shop is built\" is neither a record nor a ref" "echo shop is built"
    fails 65 "$refused \"?[31mred?[0m\" is neither a record nor a ref" "printf '\\033[31mred\\033[0m\\n'"
    fails 65 "$refused the store has no container sha256:$(printf %064d 0)" "sed 's/sha256:[0-9a-f]*/sha256:$(printf %064d 0)/g' record"
    equal "$(curl -s -H "Authorization: Bearer $(curl -s -H 'Metadata-Flavor: Google' "$PL_CLOUD_URL/computeMetadata/v1/instance/service-accounts/default/token" | jq -r .access_token)" "$PL_CLOUD_URL/v2/projects/pl-local/locations/us-central1/services" | jq -c .)" '{}'
}

test_refs_instead_of_records() {
    cloud
    container > record
    ref=$(jq -r .ref record)
    echo "$ref" | pl-push-image --repo demo --name shop -o ref > pushed
    equal "$(pl-push-image --repo demo --name shop -o ref "$ref")" "$(cat pushed)"
    equal "$(pl-build --name shop -o ref shop)" "$ref"
    fails 64 "pl-run-deploy: not started: pl-push-image failed (64): the image has no name" "echo $ref"
    # A chain that begins with an image is what the directory is called, in which it is written.
    mkdir "Back End"; cd "Back End"
    jq -c 'del(.name)' ../record | pl-push-image --repo demo -o ref > pushed 2> error
    contains "$(cat pushed)" "/demo/back-end@sha256:"
    contains "$(cat error)" "the image is called back-end, as this directory"
}

test_a_consumer_that_cannot_work_stops_its_producers() {
    cloud
    source_that slow "echo begun; sleep 7652.5"
    # wait_and_fail LAST: LAST fails while pl-build is in the middle of its step
    wait_and_fail() {
        code=0
        dash -c "(pl-build --no-cache slow; echo \$? > 1.code) 2> 1.err | ($PUSH; echo \$? > 2.code) | { while ! grep -q begun 1.err; do sleep 0.05; done; exec $1 2> 3.err > out; }" || code=$?
        equal "$code" "$2"
        equal "$(cat 1.code 2.code | tr '\n' ' ')" "130 130 "
        equal "$(tail -n 1 1.err)" "pl-build: stopped: the next command in the pipe exited"
        equal "$(cat 2.err)" "pl-push-image: stopped: the next command in the pipe exited"
        contains "$(head -n 1 3.err)" "$3"
        equal "$(jq -r .stage out)" pl-run-deploy
    }
    wait_and_fail "pl-run-deploy --region moon" 78 "\"moon\" is no region"
    wait_and_fail "env -u GOOGLE_APPLICATION_CREDENTIALS PL_CLOUD_URL=http://127.0.0.1:1 pl-run-deploy --region us-central1" 77 "http://127.0.0.1:1 does not answer"
    jq '.private_key_id = "x" | .client_email = "other@pl-local.iam.gserviceaccount.com"' "$GOOGLE_APPLICATION_CREDENTIALS" > other.json
    chmod 600 other.json
    wait_and_fail "env GOOGLE_APPLICATION_CREDENTIALS=$PWD/other.json pl-run-deploy --region us-central1" 77 "invalid_grant"
    is_gone() { ! ps ax -o args | grep -q '[s]leep 7652.5'; }
    wait_for 10 is_gone
    # pl-push-image checks the registry while it waits, too.
    code=0
    dash -c "(pl-build --no-cache slow; echo \$? > 1.code) 2> 1.err | { while ! grep -q begun 1.err; do sleep 0.05; done; exec pl-push-image --repo 127.0.0.1:1/x 2> 2.err; } | $DEPLOY" || code=$?
    equal "$code" 69
    equal "$(cat 1.code)" 130
    contains "$(cat 3.err)" "pl-run-deploy: not started: pl-push-image failed (69)"
}

run_tests
