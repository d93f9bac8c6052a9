#!/usr/bin/env bash
# gcloud on the local cloud's Cloud Run: the commands that people use, and services that one of gcloud, Google's client
# library and pl has made and the others change.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"
. "$(dirname "$0")/gcloud.sh"
. "$ROOT/tests/wire/discovery.sh"

# One cloud and one image for the whole file; every exchange of gcloud's is recorded.
start() {
    export PL_LOCAL_STATE=$WORK/cloud
    eval "$(pl-local start -q)"
    [ -s "$WORK/image" ] || { web_app app hello; pl-build -q --name app app | pl-push-image -q --repo demo -o ref > "$WORK/image"; }
    IMAGE=$(cat "$WORK/image")
    "$ROOT/tests/e2e/recording_front.py" "$PL_CLOUD_URL" "$WORK/exchanges" > front &
    wait_for 10 test -s front
    DIRECT=$PL_CLOUD_URL PL_CLOUD_URL=$(cat front)
    TOKEN=$(curl -sf -H 'Metadata-Flavor: Google' "$PL_CLOUD_URL/computeMetadata/v1/instance/service-accounts/default/token" | jq -r .access_token)
}
# does ARGUMENTS...: gcloud does it; what it told is in `said`
does() { gcloud "$@" > said 2>&1 || fail "gcloud $*: $(cat said)"; }
ATEXIT='PL_LOCAL_STATE=$WORK/cloud pl-local stop -q;'

test_deploy_change_and_delete() {
    start; gcloud_once
    does run deploy hello --image "$IMAGE" --region us-central1 --allow-unauthenticated --tag candidate --update-env-vars A=1
    contains "$(cat said)" "is serving 100 percent of traffic"
    contains "$(gcloud run services list --format='value(metadata.name,region)')" "hello	us-central1"
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
    equal "$(gcloud run revisions describe "$(gcloud run services describe hello --region us-central1 --format='value(status.latestReadyRevisionName)')" \
        --region us-central1 --format='value(metadata.labels."serving.knative.dev/service",status.conditions[0].status)')" "hello	True"
    does run services add-iam-policy-binding hello --region us-central1 --member user:a@example.com --role roles/run.invoker
    gcloud run services get-iam-policy hello --region us-central1 --format=json | jq -e '.bindings[] | select(.role == "roles/run.invoker") | .members == ["allUsers", "user:a@example.com"]' > kept
    wait_for 10 eval "gcloud run services logs read hello --region us-central1 | grep 'response:200'"
    equal "$(gcloud run services list --region europe-west1 --format='value(metadata.name)')" ""
    contains "$(gcloud run regions list --format='value(locationId)')" us-central1
    # A container that does not start: gcloud says why, and the revision before goes on.
    status 1 gcloud run services update hello --region us-central1 --command /bin/busybox --args false --port 8081 2> said
    contains "$(cat said)" "is not ready and cannot serve traffic. The user-provided container failed to start and listen on the port"
    equal "$(curl -sf "$url/")" hello
    does run services delete hello --region us-central1
    status 1 gcloud run services describe hello --region us-central1 2> said
    contains "$(cat said)" "Cannot find service [hello]"
}

# ---- what is refused ----

# v1 METHOD PATH [BODY]: the status; the answer is in `answer`
v1() {
    curl -s -o answer -w '%{http_code}' -X "$1" -H "Authorization: Bearer $TOKEN" --noproxy '' --proxy "$PL_CLOUD_URL" \
        "http://${REGION:-us-central1}-run.googleapis.localhost/apis/serving.knative.dev/v1/namespaces/pl-local/$2" ${3:+-d "$3"}
}
message() { jq -r '.error.message' answer; }

test_refusals_in_googles_words() {
    start
    service() { jq -nc --arg image "$IMAGE" '{apiVersion: "serving.knative.dev/v1", kind: "Service", metadata: {name: "refused", namespace: "pl-local"},
        spec: {template: {spec: {containers: [{$image}]}}}} | '"$1"; }
    equal "$(v1 GET services/refused)" 404
    equal "$(message)" "Resource 'refused' of kind 'SERVICE' in region 'us-central1' in project 'pl-local' does not exist."
    equal "$(REGION=moon-north1 v1 GET services/refused)" 403
    equal "$(message)" "Permission denied on 'locations/moon-north1' (or it may not exist)."
    equal "$(v1 PUT services/refused "$(service .)")" 404
    equal "$(v1 POST services "$(service .)")" 200
    equal "$(v1 POST services "$(service .)")" 409
    equal "$(message) $(jq -r .error.status answer)" "Resource 'refused' already exists. ALREADY_EXISTS"
    equal "$(v1 PUT services/refused "$(service '.metadata.resourceVersion = "AAY"')")" 409
    contains "$(message) $(jq -r .error.status answer)" "Conflict for resource 'refused': version 'AAY' was specified"
    while IFS=$'\t' read -r change want; do
        equal "$(v1 PUT services/refused "$(service "$change")")" 400
        equal "$(message)" "$want"
        equal "$(jq -r '.error.details[0].fieldViolations[0] | "\(.field): \(.description)"' answer)" "$want"
    done <<'END'
.metadata.annotations = {"run.googleapis.com/secrets": "a:b"}	metadata.annotations: Annotation 'run.googleapis.com/secrets' is not supported on resources of kind 'Service'. Supported kinds are: Revision, Execution
.metadata.annotations = {"run.googleapis.com/none": "1"}	metadata.annotations: Annotation 'run.googleapis.com/none' is not supported on resources of kind 'Service'.
.spec.template.metadata.annotations = {"autoscaling.knative.dev/minScale": "x"}	spec.template.metadata.annotations: Annotation 'autoscaling.knative.dev/minScale': Invalid value 'x'; must be a whole number
.spec.traffic = [{"latestRevision": true, "percent": 99}]	spec.traffic: the percentages must add up to 100
.spec.traffic = [{"latestRevision": true, "revisionName": "refused-1", "percent": 100}]	spec.traffic[0].latestRevision: must be false when revisionName is set
.metadata.name = "other"	metadata.name: must be 'refused'
.spec.template.spec.volumes = [{"name": "v"}]	spec.template.spec.volumes[0]: Volume must have a source of secret, emptyDir, csi or nfs
.spec.template.spec.timeoutSeconds = 4000	spec.template.spec.timeout_seconds: maximum allowed time is one hour.
.spec.template.metadata.annotations = {"run.googleapis.com/execution-environment": "gen2"} | .spec.template.spec.containers[0].resources.limits.cpu = "500m"	spec.template.spec.containers.resources.limits.cpu: Invalid value specified for cpu. Total cpu < 1 is not supported with gen2 execution environment.
END
    equal "$(v1 PUT services/refused "$(service '.spec.template.spec.containers[0].imagePull = "Always"')")" 400
    contains "$(message)" "Unknown name \"imagePull\""
    equal "$(v1 PUT services/refused "$(service '.spec.template.spec.containers[0].resources = {"limits": {"memory": "512M B"}}')")" 400
    contains "$(message)" "memory"
    equal "$(v1 PUT "services/refused?dryRun=all" "$(service '.metadata.annotations = {"run.googleapis.com/description": "dry"}')")" 200
    equal "$(v1 GET services/refused)$(grep -c dry answer)" 2000
    # Without a region somebody must say where.
    equal "$(curl -s -o answer -w '%{http_code}' -H "Authorization: Bearer $TOKEN" "$PL_CLOUD_URL/apis/serving.knative.dev/v1/namespaces/pl-local/services" -d "$(service '.metadata.name = "nowhere"')")" 400
    contains "$(message)" "Say in which region"
    equal "$(v1 DELETE services/refused)$(jq -r .status answer)" 200Success
}

# ---- a service made by one of three, changed by the others: nothing is lost ----

# shown NAME: the service as both APIs show it, a line for each value, without what any change changes: times, versions, the
# revision's name and what the client says of itself
shown() {
    local api=$PL_CLOUD_URL
    curl -sf -H "Authorization: Bearer $TOKEN" "$api/v2/projects/pl-local/locations/us-central1/services/$1" \
        "$api/apis/serving.knative.dev/v1/namespaces/pl-local/services/$1" | jq -r '
        (if .apiVersion then {v1: {metadata: {annotations: .metadata.annotations, labels: .metadata.labels}, spec}} else {v2: .} end)
        | del(.v2 | .uid, .etag, .generation, .observedGeneration, .createTime, .updateTime, .creator, .lastModifier, .conditions,
            .terminalCondition, .latestReadyRevision, .latestCreatedRevision, .trafficStatuses, .client, .clientVersion)
        | del(.v2.template | .revision, .client, .clientVersion) | del(.v1.spec.template.metadata.name)
        | del((.v1.metadata.annotations, .v1.spec.template.metadata.annotations, .v2.annotations)
            | .["run.googleapis.com/operation-id", "serving.knative.dev/creator", "serving.knative.dev/lastModifier",
                "run.googleapis.com/client-name", "run.googleapis.com/client-version", "pl-previous-revision"])
        | del((.v2.template.labels, .v1.spec.template.metadata.labels) | .["client.knative.dev/nonce"])
        | walk(if type == "object" and has("env") then .env |= (map({key: .name, value: .}) | from_entries) else . end)
        | paths(scalars) as $path | "\($path | map(tostring) | join(".")) \(getpath($path) | tojson)"' | LC_ALL=C sort
}
# changes NAME VARIABLE COMMAND...: after it there is this variable more, and all else is as before
changes() {
    local name=$1 variable=$2 place
    shift 2
    shown "$name" > before
    "$@" > said 2>&1 || fail "$*: $(cat said)"
    shown "$name" > after
    for place in v1.spec.template.spec v2.template; do
        printf '%s.containers.0.env.%s.name "%s"\n%s.containers.0.env.%s.value "1"\n' $place "$variable" "$variable" $place "$variable"
    done | LC_ALL=C sort - before > wanted
    diff wanted after
}
by_library() { node "$ROOT/tests/e2e/google_cloud_run.cjs" "$DIRECT" change "$1"; }
by_gcloud() { gcloud run services update "$1" --region us-central1 --update-env-vars GCLOUD=1; }
by_pl() { PL_CLOUD_URL=$DIRECT pl-run-deploy -q --region us-central1 "$1" "$IMAGE" --env PL=1 -o ref; }

prepare_others() {
    npm_packages @google-cloud/run@3.3.0
    printf value > value
    gcloud secrets create key --data-file=value 2> said
    export NODE_PATH=$NODE_MODULES
}

of_gcloud() {
    printf 'httpGet.path=/,httpGet.port=8080,periodSeconds=1,failureThreshold=30' > probe
    does run deploy rich --image "$IMAGE" --region us-central1 --set-env-vars 'A=1,EMPTY=' --set-secrets 'S=key:1,/secrets/file=key:latest' \
        --labels team=web --memory 256Mi --cpu 2 --no-cpu-throttling --cpu-boost --concurrency 17 --timeout 77 --max-instances 4 --min 0 \
        --service-account developer@pl-local.iam.gserviceaccount.com --ingress internal --network net --subnet sub --network-tags a,b \
        --vpc-egress all-traffic --execution-environment gen2 --session-affinity --description "made by gcloud" --port 8080 \
        --startup-probe "$(cat probe)" --liveness-probe "$(cat probe)" --add-volume name=scratch,type=in-memory,size-limit=16Mi \
        --add-volume-mount volume=scratch,mount-path=/scratch --tag candidate --binary-authorization default --no-invoker-iam-check \
        --key projects/p/locations/l/keyRings/r/cryptoKeys/k --post-key-revocation-action-type shut-down --encryption-key-shutdown-hours 4
    # What v2 has no word for, it does not show, and a client of v2 does not lose.
    equal "$(v1 GET services/rich)" 200
    jq '.metadata.annotations["run.googleapis.com/max-surge"] = "1" | .spec.template.metadata.annotations["run.googleapis.com/secure-session-agent"] = "true"
        | del(.spec.template.metadata.name)' answer > changed
    equal "$(v1 PUT services/rich @changed)" 200
    wait_for 20 eval 'v1 GET services/rich && [ "$(jq -r ".status.conditions[0].status" answer)" = True ]'
    shown rich > lines
    equal "$(grep -c '^v1.*max-surge "1"\|^v1.*secure-session-agent "true"' lines)$(grep -c '^v2.*googleapis.com/' lines || true)" 20
    changes rich NODE by_library rich
    changes rich PL by_pl rich
}

of_the_library() {
    node "$ROOT/tests/e2e/google_cloud_run.cjs" "$DIRECT" make library "$IMAGE"
    changes library GCLOUD by_gcloud library
    changes library PL by_pl library
}

of_pl() {
    PL_CLOUD_URL=$DIRECT pl-run-deploy -q --region us-central1 mine "$IMAGE" -o ref --env A=1 --secret S=key:1 --secret /secrets/file=key --label team=web --annotation example.com/a=b \
        --memory 256Mi --cpu 2 --no-cpu-throttling --cpu-boost --concurrency 17 --timeout 77s --max-instances 4 --ingress internal --network net \
        --subnet sub --network-tag a --vpc-egress all-traffic --execution-environment gen2 --session-affinity --description "made by pl" \
        --startup-probe "httpGet.path=/,periodSeconds=1,failureThreshold=30" --liveness-probe "httpGet.path=/,httpGet.port=8080" --audience https://a.example \
        --no-invoker-check --tag candidate > url
    changes mine GCLOUD by_gcloud mine
    changes mine NODE by_library mine
}

test_a_service_of_each_is_changed_by_the_others() {
    start; gcloud_once; prepare_others
    of_gcloud; of_the_library; of_pl
}

# 115 options of gcloud beside those of pl-run-deploy. PL_GOLDEN=write records what they make.
test_options_of_gcloud_and_of_pl() {
    export PL_LOCAL_STATE=$WORK/cloud
    eval "$(pl-local start -q)"
    [ -s "$WORK/image" ] || { web_app app hello; pl-build -q --name app app | pl-push-image -q --repo demo -o ref > "$WORK/image"; }
    use_gcloud; use_access_token; find_gcloud
    printf 'A: b\nC: "d e"\n' > vars.yaml
    printf 'A=b\nC="d e"\n' > vars.env
    "$GCLOUD_PYTHON" "$ROOT/tests/e2e/gcloud_options.py" "$GCLOUD_SDK" "$PL_CLOUD_URL" "$(cat "$WORK/image")" "$ROOT/tests/e2e/gcloud_options.jsonl" ${PL_GOLDEN:-} > said 2>&1 ||
        [ "${PL_GOLDEN:-}" = write ] || fail "$(cat said)"
    [ "$(sed -n 's/ options.*//p' said)" -ge 80 ]
}

# In a shell as `pl-local start` leaves it, a gcloud of one's own.
test_gcloud_in_the_environment_of_pl_local() {
    command -v gcloud > /dev/null || skip "gcloud is not installed"
    export PL_LOCAL_STATE=$WORK/cloud
    env | grep CLOUDSDK_ | sort > before || true
    eval "$(pl-local start -q)"
    CLOUDSDK_CONFIG=$PWD/gcloud gcloud run services list --format='value(metadata.name)' > names 2> said || fail "$(cat said)"
    eval "$(pl-local env --unset)"
    env | grep CLOUDSDK_ | sort | cmp - before
}

test_zz_every_reply_is_valid_by_googles_discovery_documents() {
    valid_by_discovery --answers "$WORK/exchanges"
    for path in /apis/serving.knative.dev/v1/namespaces/pl-local/services /revisions /v1/projects/pl-local/locations/us-central1/operations/ :setIamPolicy /v2/; do
        grep -q "$path" "$WORK/exchanges"
    done
}

run_tests
