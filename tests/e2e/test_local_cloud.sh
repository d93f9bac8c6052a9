#!/usr/bin/env bash
# The local cloud from the outside: its life, services in networks of their own, revisions, who may call, logs.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"
. "$ROOT/tests/wire/discovery.sh"

api() { # api METHOD PATH [BODY]: as the account of the cloud
    local token
    token=$(curl -sf -H 'Metadata-Flavor: Google' "$PL_CLOUD_URL/computeMetadata/v1/instance/service-accounts/default/token" |
        jq -r .access_token)
    curl -s -X "$1" -H "Authorization: Bearer $token" -H 'Content-Type: application/json' ${3:+-d "$3"} "$PL_CLOUD_URL$2"
}
SERVICES=/v2/projects/pl-local/locations/us-central1/services

test_a_second_start_finds_the_first() {
    cloud
    first=$(process_of_cloud)
    eval "$(pl-local start)"
    equal "$(process_of_cloud)" "$first"
    status 78 pl-local start --port 1
    contains "$(pl-local env)" "PL_CLOUD_URL='http://127.0.0.1:"
    contains "$(pl-local env --unset)" "unset"
}

test_services_that_insist_on_one_port_run_side_by_side() {
    cloud
    web_app one "I am one" 'exec /bin/busybox httpd -f -v -p 8080 -h /www'
    web_app two "I am two" 'exec /bin/busybox httpd -f -v -p 8080 -h /www'
    first=$(ship one one)
    second=$(ship two two)
    equal "$(curl -sf "$first/")" "I am one"
    equal "$(curl -sf "$second/")" "I am two"
    contains "$(pl-local status)" "service  one  us-central1  $first  ready"
}

test_all_apis_are_on() {
    cloud
    web_app app "text"
    pl-build app 2> /dev/null | pl-push-image --repo demo 2> /dev/null > image || return 1
    pl-run-deploy app --region us-central1 --enable-apis --project pl-local -o ref < image 2> log > url
    absent "switched on" log
    contains "$(curl -sf "$(cat url)/")" text
    equal "$(api POST /v1/projects/pl-local/services:batchEnable '{"serviceIds":["run.googleapis.com"]}' | jq -r '.response.services[0].state')" ENABLED
}

test_old_images_go_and_what_runs_stays() {
    cloud
    "$ROOT/tests/e2e/recording_front.py" "$PL_CLOUD_URL" exchanges > front & front=$!
    wait_for 10 test -s front
    web_app app "one"
    ship app app > /dev/null                      # serves, and is the oldest
    for text in two three four; do
        web_app app "$text"
        pl-build -q --name app app 2> /dev/null | pl-push-image -q --repo demo --tag "$text" -o ref 2> /dev/null > "$text" || return 1
    done
    export PL_ENDPOINT_ARTIFACTREGISTRY PL_ENDPOINT_RUN
    PL_ENDPOINT_ARTIFACTREGISTRY=$(cat front) PL_ENDPOINT_RUN=$(cat front)
    pl-push-image --repo demo --list > list
    equal "$(wc -l < list)" 4
    equal "$(grep -c '^in use ' list)" 1
    # Where nobody can say what runs, they are listed all the same, and none is deleted.
    python3 -u -m http.server --bind 127.0.0.1 0 > nobody 2>&1 & nobody=$!
    wait_for 10 grep -q 'port [0-9]' nobody
    export PL_ENDPOINT_RUN; run=$PL_ENDPOINT_RUN PL_ENDPOINT_RUN=http://127.0.0.1:$(sed -n 's/.*port \([0-9]*\).*/\1/p' nobody)
    equal "$(pl-push-image --repo demo --list 2> log | grep -c '^? ')" 4
    contains "$(cat log)" "which of them run is not known"
    status 78 pl-push-image --repo demo --clean --keep 0 --older-than 0s --confirm demo > out 2> log
    PL_ENDPOINT_RUN=$run; kill $nobody
    clean() { pl-push-image --repo demo --clean --keep 1 --older-than 0s --keep-tag tw "$@"; }
    clean --dry-run > out 2> log
    contains "$(cat log)" "1 of 4 images of demo are old: nothing was deleted (--dry-run)"
    contains "$(grep '^old ' out)" three
    contains "$(grep '^kept tag ' out)" two
    contains "$(grep '^new ' out)" four
    status 64 clean > out 2> log
    contains "$(cat log)" "add: --confirm demo"
    equal "$(pl-push-image --repo demo --list | wc -l)" 4
    clean --confirm demo > out 2> log
    contains "$(cat log)" "1 of 4 images of demo are deleted"
    equal "$(pl-push-image --repo demo --list | wc -l)" 3
    status 1 grep -q three <<< "$(pl-push-image --repo demo --list)"
    status 64 pl-push-image --repo 127.0.0.1/x --list > out 2> log
    status 78 pl-push-image --repo nothing --list > out 2> log
    contains "$(cat log)" "cannot list the images of nothing"
    # The same as a rule of the repository, beside a rule of somebody else.
    REPO=/v1/projects/pl-local/locations/us-central1/repositories/demo
    api PATCH "$REPO?updateMask=cleanupPolicies" '{"cleanupPolicies":{"own":{"id":"own","action":"KEEP","mostRecentVersions":{"keepCount":2}}}}' > reply
    pl-push-image --repo demo --clean --daily --keep 3 --older-than 7d --keep-tag v 2> log
    contains "$(cat log)" "the clean-up policies are set"
    pl-push-image --repo demo --clean --daily --keep 3 --older-than 7d --keep-tag v 2> log
    contains "$(cat log)" "unchanged"
    equal "$(api GET "$REPO" | jq -cS .cleanupPolicies)" '{"own":{"action":"KEEP","id":"own","mostRecentVersions":{"keepCount":2}},"pl-keep":{"action":"KEEP","id":"pl-keep","mostRecentVersions":{"keepCount":3}},"pl-old":{"action":"DELETE","condition":{"olderThan":"604800s","tagState":"ANY"},"id":"pl-old"},"pl-tags":{"action":"KEEP","condition":{"tagPrefixes":["v"],"tagState":"TAGGED"},"id":"pl-tags"}}'
    equal "$(api PATCH "$REPO?updateMask=cleanupPolicies" '{"cleanupPolicies":{"own":{"id":"other","action":"KEEP"}}}' | jq .error.code)" 400
    kill $front
    [ "$(wc -l < exchanges)" -gt 10 ]
    contains "$(valid_by_discovery exchanges)" "requests, 0 problems"
}

test_nothing_is_left_after_stop() {
    cloud
    web_app app "text"
    url=$(ship app app)
    curl -sf "$url/" > /dev/null
    pids=$(pgrep -P "$(process_of_cloud)")
    [ -n "$pids" ]
    pl-local stop
    for pid in $pids; do [ ! -e "/proc/$pid" ] || fail "process $pid is still there"; done
    equal "$(grep -c "$PWD" /proc/mounts || true)" 0
    equal "$(ls "$PL_LOCAL_STATE/store/tmp")" ""
    status 1 pl-local status
    status 7 curl -s "$url/"
}

test_the_state_survives_a_kill() {
    cloud
    web_app app "still here"
    url=$(ship app app)
    pids=$(pgrep -P "$(process_of_cloud)")
    kill -9 "$(process_of_cloud)"
    for pid in $pids; do wait_for 5 test ! -e "/proc/$pid"; done
    equal "$(grep -c "$PWD" /proc/mounts || true)" 0
    eval "$(pl-local start)"
    equal "$(curl -sf "$url/")" "still here"
    ship app app > again 2>&1
    equal "$(cat again)" "$url"
    contains "$(pl-local logs app)" "response:200"
}

test_an_instance_that_ended_is_started_by_the_next_request() {
    cloud
    web_app app "text"
    url=$(ship app app)
    curl -sf "$url/" > /dev/null
    holder=$(pgrep -P "$(process_of_cloud)")
    kill -9 "$(pgrep -P "$holder")"
    wait_for 5 sh -c "! pgrep -P $holder"
    equal "$(curl -sf "$url/")" "text"
}

test_a_request_while_an_instance_is_ending_gets_the_next_one() {
    cloud
    web_app app "text"
    url=$(ship app app)
    holder=$(pgrep -P "$(process_of_cloud)")
    kill -STOP "$holder" # its end is seen by nobody until it goes on
    kill -9 "$(pgrep -P "$holder")"
    (sleep 0.1; kill -CONT "$holder") &
    equal "$(curl -sf "$url/")" "text"
    wait
}

test_the_old_revision_serves_until_the_new_one_is_ready() {
    cloud
    web_app app "old"
    url=$(ship app app)
    web_app app "new" 'while [ ! -e /www/go ]; do /bin/busybox sleep 0.1; [ -z \"$X\" ] || exit 3; done; exec /bin/busybox httpd -f -p $PORT -h /www'
    ship app app > /dev/null 2>&1 &
    wait_for 20 sh -c "curl -s '$PL_CLOUD_URL/' > /dev/null && [ \"\$(pgrep -P $(process_of_cloud) | wc -l)\" = 2 ]"
    equal "$(curl -sf "$url/")" "old"
    kill %1
    wait
    equal "$(curl -sf "$url/")" "old"
}

test_a_revision_that_fails_never_serves() {
    cloud --startup-time 5
    web_app app "good"
    url=$(ship app app)
    web_app app "bad" 'echo going down; exit 3'
    status 70 sh -c "pl-build -q --name app app | pl-push-image -q --repo demo | pl-run-deploy --region us-central1 > out 2> error"
    contains "$(cat error)" "its process ended with exit code 3"
    contains "$(cat error)" "going down"
    contains "$(cat error)" "serves as before"
    equal "$(curl -sf "$url/")" "good"
    contains "$(pl-local status)" "its last revision failed"
}

test_a_first_revision_that_fails_leaves_a_service_that_can_be_deployed_again() {
    cloud --startup-time 5
    web_app app "bad" 'exit 3'
    status 70 sh -c "pl-build -q --name app app | pl-push-image -q --repo demo | pl-run-deploy --region us-central1 > out 2> error"
    web_app app "good"
    url=$(ship app app)
    equal "$(curl -sf "$url/")" "good"
}

test_who_may_call() {
    cloud --strict
    web_app app "text"
    url=$(ship app app)
    equal "$(curl -s -o body -w '%{http_code}' "$url/")" 403
    token=$(curl -sf -H 'Metadata-Flavor: Google' "$PL_CLOUD_URL/computeMetadata/v1/instance/service-accounts/default/identity?audience=$url")
    equal "$(curl -s -o body -w '%{http_code}' -H "Authorization: Bearer $token" "$url/")" 200
    other=$(curl -sf -H 'Metadata-Flavor: Google' "$PL_CLOUD_URL/computeMetadata/v1/instance/service-accounts/default/identity?audience=https://elsewhere")
    equal "$(curl -s -o body -w '%{http_code}' -H "Authorization: Bearer $other" "$url/")" 401
    ship app app --allow-unauthenticated > /dev/null
    equal "$(curl -s -o body -w '%{http_code}' "$url/")" 200
    ship app app --no-allow-unauthenticated > /dev/null
    equal "$(curl -s -o body -w '%{http_code}' "$url/")" 403
}

test_the_developer_calls_a_private_service_but_nobody_for_others() {
    cloud
    web_app app "text"
    url=$(ship app app)
    equal "$(curl -s -o body -w '%{http_code}' "$url/")" 200
    equal "$(curl -s -o body -w '%{http_code}' -H 'X-Forwarded-Host: shop.web.app' "$url/")" 403
    equal "$(curl -s -o body -w '%{http_code}' -H 'Host: evil.example' "$url/")" 400
}

test_a_container_sees_the_contract() {
    cloud
    web_app app "text" '/bin/busybox env > /www/env; /bin/busybox id -u > /www/id; exec /bin/busybox httpd -f -p $PORT -h /www'
    url=$(ship app app --port 9000 --env 'LIST=a,b=c' --memory 256Mi)
    environment=$(curl -sf "$url/env")
    contains "$environment" "PORT=9000"
    contains "$environment" "K_SERVICE=app"
    contains "$environment" "K_REVISION=app-"
    contains "$environment" "K_CONFIGURATION=app"
    contains "$environment" "LIST=a,b=c"
    lacks "$environment" "GOOGLE_APPLICATION_CREDENTIALS"
    lacks "$environment" "PL_"
}

test_the_metadata_server_answers_in_a_container() {
    cloud
    web_app app "text" '/bin/busybox wget -q -O /www/project --header Metadata-Flavor:Google http://metadata.google.internal/computeMetadata/v1/project/project-id; exec /bin/busybox httpd -f -p $PORT -h /www'
    url=$(ship app app)
    equal "$(curl -sf "$url/project")" "pl-local"
}

test_logs_follow() {
    cloud
    web_app app "text"
    url=$(ship app app)
    pl-local logs app -f > followed 2>&1 &
    curl -s "$url/none" > /dev/null
    wait_for 5 grep -q response:404 followed
    kill %1
    wait
    status 66 pl-local logs nobody
    contains "$(api POST /v2/entries:list '{"resourceNames":["projects/pl-local"],"filter":"resource.labels.service_name=\"app\"","orderBy":"timestamp desc","pageSize":5}')" "response:404"
    contains "$(api POST /v2/entries:list '{"filter":"sin(x)>2"}')" "INVALID_ARGUMENT"
}

test_requests_are_checked_as_google_does() {
    cloud
    equal "$(curl -s "$PL_CLOUD_URL$SERVICES" | jq -r .error.status)" UNAUTHENTICATED
    contains "$(api GET $SERVICES/none)" "does not exist"
    contains "$(api GET /v2/projects/other-project/locations/us-central1/services)" "PERMISSION_DENIED"
    contains "$(api POST "$SERVICES?serviceId=app" '{"template":{"containers":[{"image":"x","colour":"red"}]}}')" "Unknown name \\\"colour\\\" at 'service.template.containers[0]': Cannot find field."
    contains "$(api POST "$SERVICES?serviceId=app" '{"template":{"containers":[{"image":"x","env":[{"name":"PORT","value":"1"}]}]}}')" "reserved env names"
    contains "$(api POST "$SERVICES?serviceId=app" '{"template":{"timeout":"1h","containers":[{"image":"x"}]}}')" "google.protobuf.Duration"
    contains "$(api POST "$SERVICES?serviceId=App" '{"template":{"containers":[{"image":"x"}]}}')" "invalid"
    contains "$(api POST "$SERVICES?serviceId=app" '{"template":{"containers":[]}}')" "at least one container"
    contains "$(api POST "$SERVICES?serviceId=app" '{"labels":{"run.googleapis.com/x":"y"},"template":{"containers":[{"image":"x"}]}}')" "not supported in the v2 API"
    contains "$(api PATCH "$SERVICES/app?updateMask=colour&allowMissing=true" '{"template":{"containers":[{"image":"x"}]}}')" "Invalid field mask"
    contains "$(api PATCH "$SERVICES/app" '{"template":{"containers":[{"image":"x"}]}}')" "NOT_FOUND"
    equal "$(api POST "$SERVICES?serviceId=app&validateOnly=true" '{"ingress":1,"template":{"containers":[{"image":"x"}]}}' | jq -r .response.ingress)" INGRESS_TRAFFIC_ALL
    equal "$(api GET $SERVICES | jq -c .)" "{}"
}

test_an_image_that_is_not_there() {
    cloud
    status 78 pl-run-deploy --region us-central1 --name app "${PL_CLOUD_URL#http://}/pl-local/demo/none@sha256:$(printf %064d 0)" 2> error > out
    contains "$(cat error)" "the image was not found"
}

test_a_stale_etag_is_a_conflict() {
    cloud
    web_app app "text"
    ship app app > /dev/null
    contains "$(api PATCH "$SERVICES/app?updateMask=labels" '{"etag":"\"old\"","labels":{"a":"b"}}')" ABORTED
    equal "$(api PATCH "$SERVICES/app?updateMask=labels" '{"labels":{"a":"b"}}' | jq .done)" true
    equal "$(api GET "$SERVICES/app" | jq -r .labels.a)" b
    equal "$(api GET "$SERVICES/app/revisions" | jq '.revisions | length')" 1
}

test_delete_ends_the_service() {
    cloud
    web_app app "text"
    url=$(ship app app)
    api DELETE "$SERVICES/app" > /dev/null
    wait_for 5 sh -c "! curl -s '$url/'"
    contains "$(api GET $SERVICES/app)" NOT_FOUND
    equal "$(ls "$PL_LOCAL_STATE/run/pl-local/us-central1")" ""
}

test_reset_removes_everything() {
    cloud
    web_app app "text"
    ship app app > /dev/null
    pl-local reset
    [ ! -e "$PL_LOCAL_STATE" ]
}

# ---- rollouts ----

run_deploy() { pl-run-deploy --region us-central1 -q "$@"; }
candidate() { pl-build -q --name app app | pl-push-image -q --repo demo | run_deploy "$@"; }

test_a_candidate_is_promoted_and_rolled_back() {
    cloud
    web_app app "old"
    url=$(ship app app)
    web_app app "new"
    candidate --no-traffic --tag candidate > record
    tagged=$(jq -r .tag_url record)
    equal "$(curl -sf "$url/") $(curl -sf "$tagged/")" "old new"
    run_deploy app --promote candidate > /dev/null
    equal "$(curl -sf "$url/")" "new"
    run_deploy app --rollback > /dev/null
    equal "$(curl -sf "$url/") $(curl -sf "$tagged/")" "old new"
    # The same once more: it serves again, and no revision is made.
    candidate > /dev/null
    equal "$(curl -sf "$url/")" "new"
    equal "$(run_deploy app --revisions | grep -c ready)" 2
}

test_traffic_is_divided() {
    cloud
    web_app app "old"
    url=$(ship app app)
    web_app app "new"
    candidate --no-traffic --tag candidate > /dev/null
    run_deploy app --traffic candidate=50 --traffic "$(run_deploy app --revisions | awk '$2 == "100%" {print $1}')=50" > /dev/null
    for _ in $(seq 60); do curl -sf "$url/"; done | sed 's/w/w\n/g; s/d/d\n/g' > answers
    [ "$(grep -c new answers)" -gt 5 ] && [ "$(grep -c old answers)" -gt 5 ] || fail "$(sort answers | uniq -c)"
}

# load URL: asks it until the file `stop` is there; the status and the first word of each answer go to `answers`
load() { while [ ! -e stop ]; do curl -s -o body -w '%{http_code} ' "$1/" && cat body && echo; sleep 0.02; done > answers 2>&1; }

test_a_smoke_test_decides() {
    cloud
    web_app app "old"
    url=$(ship app app)
    web_app app "new"
    status 70 candidate --smoke /health > record 2> error
    contains "$(cat error)" "is not good at /health: it answers 404"
    contains "$(cat record)" '"type":"error"'
    equal "$(curl -sf "$url/")" "old"
    candidate --smoke / > record
    equal "$(curl -sf "$url/") $(jq -r '.percent, .tag_url' record | tr '\n' ' ')" "new 100 null "
    lacks "$(run_deploy app --revisions)" "canary"
    # Nothing new, nothing to ask, nothing to move.
    contains "$(pl-build -q --name app app | pl-push-image -q --repo demo | pl-run-deploy --region us-central1 --smoke / 2>&1 > /dev/null)" "unchanged"
}

test_a_good_canary_gets_all() {
    cloud
    web_app app "old"
    url=$(ship app app)
    load "$url" &
    web_app app "new"
    candidate --canary 20 --step 40 --every 1s > record
    equal "$(curl -sf "$url/")" "new"
    touch stop; wait
    equal "$(grep -cv '^200 ' answers)" 0
    [ "$(grep -c old answers)" -gt 10 ] || fail "$(sort answers | uniq -c)"
}

test_a_bad_canary_goes_back_by_itself() {
    cloud
    web_app app "old"
    url=$(ship app app)
    load "$url" &
    web_app app "new"
    status 70 candidate --canary 10 --every 1s --gate '[ "$PL_PERCENT" = 10 ] && curl -sf "$PL_URL/" && exit 7' > record 2> error
    contains "$(cat error)" "the gate's command ended with exit code 7"
    equal "$(for _ in 1 2 3 4 5 6 7 8 9 10; do curl -sf "$url/"; done)" "oldoldoldoldoldoldoldoldoldold"
    touch stop; wait
    equal "$(grep -cv '^200 ' answers)" 0
    contains "$(run_deploy app --revisions)" "100%"
    # The next one serves again.
    web_app app "third"
    candidate > /dev/null
    equal "$(curl -sf "$url/")" "third"
}

test_a_canary_that_is_stopped_stays_where_it_is() {
    cloud
    web_app app "old"
    url=$(ship app app)
    web_app app "new"
    pl-build -q --name app app | pl-push-image -q --repo demo > image
    pl-run-deploy --region us-central1 --canary 30 --every 60s < image > record 2> error &
    wait_for 20 sh -c 'pl-run-deploy --region us-central1 -q app --revisions | grep -q " 30%"'
    kill "$(pgrep -f 'pl-run-deploy.*--canary 30')"
    wait %1 || true
    contains "$(cat error)" "to go on: pl-run-deploy app --promote"
    contains "$(run_deploy app --revisions)" "70%"
    run_deploy --canary 30 --step 70 --every 1s < image > record
    equal "$(curl -sf "$url/")" "new"
}

test_the_log_is_followed() {
    cloud
    web_app app "text" 'echo it begins; exec /bin/busybox httpd -f -p $PORT -h /www'
    ship app app > /dev/null
    contains "$(run_deploy app --logs)" "it begins"
    pl-run-deploy --region us-central1 -q app --logs --follow --since 1h > followed &
    wait_for 5 grep -q "it begins" followed
    web_app app "other" 'echo it begins anew; exec /bin/busybox httpd -f -p $PORT -h /www'
    ship app app > /dev/null
    wait_for 5 grep -q "it begins anew" followed
    kill %1
    wait %1 || true
    equal "$(grep -c "it begins$" followed)" 1
}

test_a_deleted_service_is_gone() {
    cloud
    web_app app "text"
    url=$(ship app app)
    status 64 run_deploy app --delete
    run_deploy app --delete --confirm app
    status 7 curl -s "$url/"
    equal "$(run_deploy --list)" ""
}

test_a_repository_is_made_when_asked() {
    cloud
    web_app app "text"
    pl-build -q --name app app > container
    repositories() { curl -sf -H "Authorization: Bearer $(curl -sf -H 'Metadata-Flavor: Google' "$PL_CLOUD_URL/computeMetadata/v1/instance/service-accounts/default/token" | jq -r .access_token)" \
        "$PL_CLOUD_URL/v1/projects/pl-local/locations/us-central1/repositories" | jq -r '.repositories[].name'; }
    pl-push-image --repo images --create-repo < container > image 2> log
    contains "$(cat log)" "made the repository images in us-central1"
    contains "$(repositories)" "projects/pl-local/locations/us-central1/repositories/images"
    pl-push-image --repo images --create-repo < container > image 2> log
    lacks "$(cat log)" "made the repository"
    status 64 pl-push-image --repo 127.0.0.1:1/x --create-repo < container > image 2> log
}

# ---- secrets and volumes ----

# secret NAME VALUE: a new version of it
secret() {
    token=$(curl -sf -H 'Metadata-Flavor: Google' "$PL_CLOUD_URL/computeMetadata/v1/instance/service-accounts/default/token" | jq -r .access_token)
    ask() { curl -sf -o reply -H "Authorization: Bearer $token" -H 'Content-Type: application/json' "$@"; }
    ask -d '{"replication":{"automatic":{}}}' "$PL_CLOUD_URL/v1/projects/pl-local/secrets?secretId=$1" || true
    ask -d "{\"payload\":{\"data\":\"$(printf '%s' "$2" | base64 -w 0)\"}}" "$PL_CLOUD_URL/v1/projects/pl-local/secrets/$1:addVersion"
}

test_secrets_and_memory_volumes() {
    cloud
    secret key "first
value"
    secret key "second"
    web_app app x 'echo \"$KEY\" > /www/variable; /bin/busybox cp /secrets/api/key /www/file; [ ! -d /scratch ] || /bin/busybox df -k /scratch > /www/scratch; exec /bin/busybox httpd -f -p $PORT -h /www'
    pl-build -q --name app app | pl-push-image -q --repo demo > image
    status 78 run_deploy --secret KEY=other < image > record 2> error
    contains "$(cat error)" "secrets/other/versions/latest was not found"
    url=$(run_deploy --secret KEY=key:2 --secret /secrets/api/key=key:1 -o ref < image)
    equal "$(curl -sf "$url/variable")" "second"
    equal "$(curl -sf "$url/file")" "first
value"
    service="$PL_CLOUD_URL/v2/projects/pl-local/locations/us-central1/services/app"
    ask "$service"
    ask -X PATCH "$service" -d "$(jq -c 'del(.template.revision) | .template.volumes += [{"name": "scratch", "emptyDir": {"medium": "MEMORY", "sizeLimit": "4Mi"}}]
        | .template.containers[0].volumeMounts += [{"name": "scratch", "mountPath": "/scratch"}]' reply)"
    ask -d '{"timeout": "10s"}' "$PL_CLOUD_URL/v2/$(jq -r .name reply):wait"
    equal "$(jq -r '.error.message' reply)" null
    contains "$(curl -sf "$url/scratch")" " 4096 "
    # The value is nowhere but in the cloud's own file, and in the container.
    equal "$(grep -rl "second" "$PL_LOCAL_STATE" 2> /dev/null | grep -v /store/)" ""
    equal "$(base64 -d <<< "$(jq -r '.secrets.key.versions[1].data' "$PL_LOCAL_STATE/secrets/state.json")")" "second"
    equal "$(stat -c %a "$PL_LOCAL_STATE/secrets/state.json")" 600
}

run_tests
