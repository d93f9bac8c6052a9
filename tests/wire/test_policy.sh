#!/usr/bin/env bash
# The policy of an organisation: what it forbids is refused before anything is sent that changes something, each rule by
# its own message. The policy is that of examples/policy.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/wire/registry.sh"
export CLOUDSDK_CONFIG=/nonexistent XDG_CONFIG_HOME=
unset GOOGLE_CLOUD_PROJECT GCLOUD_PROJECT CLOUDSDK_CORE_PROJECT PL_POLICY
IMAGE=us-central1-docker.pkg.dev/acme-prod/repo/shop@sha256:$(printf %064d 7)
ACCOUNT=web@acme-prod.iam.gserviceaccount.com
NAME=acme-web-shop-production

cloud_run() { # cloud_run SCENARIO: starts the scripted one; $LOG has one line for each request
    LOG=$PWD/log.$((${SERVERS:=0} + 1)); SERVERS=$((SERVERS + 1))
    : > "$LOG"
    python3 "$ROOT/tests/wire/run_server.py" "$1" "$LOG" 0: "projects/acme-prod/locations/us-central1/services/$NAME" > "$LOG.port" 2> "$LOG.errors" &
    trap 'kill $(jobs -p) 2> /dev/null || :; wait' EXIT
    wait_for 10 test -s "$LOG.port"
    PL_CLOUD_URL=http://127.0.0.1:$(cat "$LOG.port"); export PL_CLOUD_URL
}
# Nothing was sent that changes something, or could.
unchanged() { absent -E '"method": "(PATCH|DELETE|PUT)"|:setIamPolicy' "$LOG"; }

# A repository whose commit is on the branch main of its remote, and what pl-build, pl-push-image and pl-test leave in the
# store when it is built, pushed and tested.
source_and_store() {
    export GIT_CONFIG_GLOBAL=/dev/null PL_POLICY=$ROOT/examples/policy/acme.json
    git init -q -b main app
    git -C app -c user.name=a -c user.email=a@example.com commit -q --allow-empty -m first
    git -C app remote add origin https://example.com/app.git
    git -C app update-ref refs/remotes/origin/main HEAD
    COMMIT=$(git -C app rev-parse HEAD)
    python3 - "$PL_STORE" "$PWD/app" "${IMAGE##*:}" <<'END'
import hashlib, json, os, sys, time
store, directory, manifest = sys.argv[1:]
def name(kind, key, value):
    os.makedirs(f"{store}/names/{kind}", mode=0o700, exist_ok=True)
    with open(f"{store}/names/{kind}/{key}", "w") as file:
        json.dump(value, file)
config, source = "c" * 64, "sha256:" + "5" * 64
name("pushed", manifest, {"container": "sha256:" + config})
name("built", config, {"source": source, "directory": directory, "base": "python:3.13-slim"})
key = hashlib.sha256((source + "\n").encode()).hexdigest()
for suite in "unit", "lint", "audit":
    name("tested-" + suite, key, {"passed": True, "coverage": 91.5, "tests": 3, "time": int(time.time())})
END
}
# scan SEVERITY ID: what Trivy found in an image
scan() { printf '{"SchemaVersion": 2, "ArtifactName": "a", "Metadata": {"ImageID": "sha256:%s"}, "Results": [{"Vulnerabilities": [{"Severity": "%s"}]}]}' "$2" "$1"; }
change() { sed -i "s|$2|$3|" "$PL_STORE"/names/"$1"/*; } # change KIND FROM TO: what the store says
# What the policy allows, and what is different this time.
deploy() {
    pl-run-deploy --region "${REGION:-us-central1}" --project "${PROJECT:-acme-prod}" --progress plain --name "$NAME" ${ACCOUNT:+--service-account "$ACCOUNT"} \
        --label team=web --min-instances "${LEAST:-1}" --max-instances "${MOST:-10}" --ingress "${INGRESS:-internal}" "$@" "${OTHER:-$IMAGE}"
}
# refused TEXT ARGUMENTS...: by one rule alone, in its own words
refused() {
    local text=$1; shift
    [ "${1:-}" = --scan ] || set -- --scan good.json "$@"
    status 77 deploy "$@" > out 2> log || { cat log; return 1; }
    contains "$(cat log)" "$text"
    equal "$(grep -c "│ policy " log)" 1 || { cat log; return 1; }
    contains "$(cat out)" '"type":"error"'
    unchanged
}

test_each_rule_stops_its_bad_deploy() {
    source_and_store
    local id; id=$(printf c%.0s {1..64})
    scan HIGH "$id" > good.json; scan CRITICAL "$id" > bad.json; scan LOW "${id/c/d}" > other.json
    cloud_run new
    PROJECT=my-own refused 'acme, projects: the project is my-own; allowed: acme-* (private projects'
    REGION=asia-east1 refused 'acme, regions: the region is asia-east1; allowed: europe-west1, us-central1 (where our'
    NAME=shop-production refused 'acme, names: the name is shop-production; it must match acme-[a-z]+-' 
    OTHER=docker.io/library/shop@${IMAGE##*@} refused 'acme, registries: the image is docker.io/library/shop; allowed: *-docker'
    change built python:3.13-slim alpine:3
    refused 'acme, base_images: the base of the image is alpine:3; allowed: python:3.1?-slim, node:2?-slim (these get'
    change built alpine:3 python:3.13-slim
    refused 'acme, labels: the label managed-by is "hand"; it must be pl (whoever is woken' --label managed-by=hand
    refused "acme, labels: the label git-commit is \"0123456\"; it must be $COMMIT" --label git-commit=0123456
    refused 'acme, production, labels: the label environment is "test"; it must be production' --label environment=test
    refused 'acme, cpu: CPU is 4, the most allowed is 2 (ask the platform team' --cpu 4
    refused 'acme, memory: memory is 128Mi, the least allowed is 256Mi' --memory 128Mi
    refused 'acme, memory: memory is 4096Mi, the most allowed is 2048Mi' --memory 4Gi
    refused 'acme, concurrency: concurrency is 500, the most allowed is 200' --concurrency 500
    refused 'acme, timeout: the timeout is 3600s, the most allowed is 900s (longer work' --timeout 1h
    ACCOUNT=me@other.iam.gserviceaccount.com \
        refused 'acme, service_accounts: it runs as me@other.iam.gserviceaccount.com; allowed: *@acme-*'
    ACCOUNT='' refused 'acme, service_accounts: it would run as the default compute account'
    LEAST=0 refused 'acme, production, min_instances: the minimum of instances is 0'
    MOST=60 refused 'acme, production, max_instances: the maximum of instances is 60, the most allowed is 50 (the data'
    refused 'acme, production, public_access: everybody may call it: allUsers has roles/run.invoker' --allow-unauthenticated
    refused 'acme, production, public_access: everybody may call it: the invoker check is off' --no-invoker-check
    INGRESS=all refused 'acme, production, ingress: the ingress is all; allowed: internal, internal-and'
    git -C app checkout -qb feature
    git -C app -c user.name=a -c user.email=a@example.com commit -q --allow-empty -m second
    COMMIT=$(git -C app rev-parse HEAD)
    refused "acme, production, branches: commit ${COMMIT:0:12} is on the branch feature; allowed: main, release/* (what was"
    # A branch that only has the name, and a repository that another variable names, do not help.
    git -C app checkout -qB main
    refused "acme, production, branches: commit ${COMMIT:0:12} of the branch main is on no branch of a remote by that name"
    git -C app checkout -q feature; git clone -q app reviewed; git -C reviewed update-ref refs/remotes/origin/main HEAD
    GIT_DIR=$PWD/reviewed/.git refused "acme, production, branches: commit ${COMMIT:0:12} is on the branch feature"
    git -C app update-ref refs/remotes/origin/main HEAD
    change tested-unit true false
    refused 'acme, production, tests: the last unit report of this source is not green (red code'
    change tested-unit false true; change tested-unit 91.5 79.9
    refused 'acme, production, coverage: the coverage is 79.9 %, the floor is 80 %'
    change tested-unit 79.9 91.5; mv "$PL_STORE/names/tested-lint" away
    refused 'acme, production, tests: there is no lint report of this source (sha256:555555555555…): run pl-test --suite lint'
    mv away "$PL_STORE/names/tested-lint"; change tested-audit '"time": .*}' '"time": 1000000000}'
    refused 'acme, production, audit: the audit report of this source is '
    change tested-audit 1000000000 "$(date +%s)"
    change tested-audit '"passed": true' '"passed": false'
    refused 'acme, production, audit: the audit of this source found something, and does not say how severe it is'
    change tested-audit '"passed": false' '"passed": false, "findings": {"high": 3, "critical": 1, "unknown": 1}'
    refused 'acme, production, audit: the audit of this source has 2 findings that are at least critical (a week is'
    change tested-audit '"critical": 1, "unknown": 1' '"critical": 0'
    refused "acme, production, scan: there is no scan of the image $IMAGE (image ID sha256:cccc" --scan other.json
    refused "acme, production, scan: the scan of the image ${IMAGE%@*} has 1 finding that is at least critical" --scan bad.json
    deploy --scan good.json --scan other.json -o ref > out 2> log || { cat log; false; }
    equal "$(cat out)" https://shop.run.app
    # The labels whose values it knows are set.
    equal "$(jq -c 'select(.method == "PATCH") | .body.labels' "$LOG")" \
        "{\"team\":\"web\",\"managed-by\":\"pl\",\"git-commit\":\"$COMMIT\",\"environment\":\"production\"}"
}

# simple RULES: a policy with these rules, as a file
simple() { printf '{"name": "%s", "rules": {%s}}' "$1" "$2" > "$1.json"; }
run_deploy() { pl-run-deploy --region us-central1 --project acme-prod --name "$NAME" "$@" "$IMAGE"; }

test_no_policy_replaces_another() {
    cloud_run new
    mkdir -p "$HOME/.config/pl" rules; simple wide '"regions": {"allow": ["*"]}'
    simple mine '"cpu": {"at_most": 2}'; mv mine.json "$HOME/.config/pl/mine.json"
    simple project '"memory": {"at_most": "1Gi"}'; mv project.json rules/
    simple variable '"concurrency": {"at_most": 10}'
    echo '{"policy": "mine.json"}' > "$HOME/.config/pl/config.json"
    echo '{"policy": ["rules/project.json", "wide.json"], "pl-run-deploy": {"port": 9000}}' > pl.json
    export PL_POLICY=variable.json
    status 77 run_deploy --cpu 4 --memory 2Gi > out 2> log
    contains "$(cat log)" 'policy variable, concurrency: concurrency is 80'
    contains "$(cat log)" 'policy project, memory: memory is 2048Mi'
    contains "$(cat log)" 'policy mine, cpu: CPU is 4'
    contains "$(cat log)" 'the policy forbids it, 3 breaches: concurrency, memory, cpu'
    # A variable that is empty, and a project that names another policy, take nothing away.
    echo '{"policy": "wide.json"}' > pl.json
    PL_POLICY='' status 77 run_deploy --cpu 4 > out 2> log
    contains "$(cat log)" 'policy mine, cpu: CPU is 4'
    # One that cannot be read or understood lets nothing pass.
    for bad in '{"policy": 3}' '{"policy": "missing.json"}' '{"policy": []' '{"policy": "http://127.0.0.1:9/a.json"}'; do
        echo "$bad" > pl.json
        status 78 run_deploy > out 2> log
    done
    contains "$(cat log)" 'is not pinned: whoever serves it could change it'
    unchanged
}

test_what_a_file_and_others_set_is_judged_too() {
    NAME=shop cloud_run public
    simple acme '"public_access": {"allow": false}, "cpu": {"at_most": 2}, "service_accounts": {"allow": ["*"]}'
    echo '{"template": {"serviceAccount": "a@b", "containers": [{"resources": {"limits": {"cpu": "8"}}}]}}' > service.json
    export PL_POLICY=acme.json NAME=shop
    status 77 run_deploy --service service.json > out 2> log
    contains "$(cat log)" 'public_access: everybody may call it: allUsers has roles/run.invoker'
    contains "$(cat log)" 'cpu: CPU is 8, the most allowed is 2'
    contains "$(cat log)" '2 breaches: cpu, public_access'
    status 77 pl-run-deploy shop --region us-central1 --project acme-prod --promote shop-00001 > out 2> log
    contains "$(cat log)" '1 breach: public_access'
    # What an option for deployments says does not count here.
    status 77 pl-run-deploy shop --region us-central1 --project acme-prod --rollback --to shop-00000 --no-allow-unauthenticated > out 2> log
    contains "$(cat log)" '1 breach: public_access'
    simple moved '"registries": {"allow": ["us-central1-docker.pkg.dev/acme-*"]}, "service_accounts": {"allow": ["a@*"]}, "tests": {"suites": ["unit"]}'
    PL_POLICY=moved.json status 77 pl-run-deploy shop --region us-central1 --project acme-prod --promote shop-00000 > out 2> log
    contains "$(cat log)" 'policy moved, registries: the image is h/r; allowed: us-central1-docker.pkg.dev/acme-*'
    contains "$(cat log)" 'revision shop-00000: the policy forbids it, 2 breaches: registries, service_accounts'
    unchanged
    PL_POLICY=moved.json pl-run-deploy shop --region us-central1 --project acme-prod --rollback --to shop-00000 > out 2> log
    : > "$LOG"
    unchanged
    run_deploy --service service.json --cpu 1 --no-allow-unauthenticated > out 2> log
    contains "$(cat "$LOG")" setIamPolicy
}

test_a_policy_at_a_url_is_pinned() {
    mkdir served; simple acme '"regions": {"allow": ["europe-*"]}'; mv acme.json served/
    python3 -u -m http.server -d served -b 127.0.0.1 0 > http 2>&1 &
    trap 'kill $(jobs -p) 2> /dev/null || :; wait' EXIT
    wait_for 10 grep -q port http
    local url digest; url=http://127.0.0.1:$(sed 's/.*port \([0-9]*\).*/\1/' http)/acme.json
    digest=$(sha256sum < served/acme.json | cut -d' ' -f1)
    check() { pl-run-deploy --region us-central1 --policy-check > out 2> log; }
    PL_POLICY=$url status 78 check
    contains "$(cat log)" "add the digest of what was reviewed: $url#sha256:"
    PL_POLICY=$url#sha256:$(printf %064d 1) status 78 check
    contains "$(cat log)" "has changed: it has sha256:$digest, not sha256:0000"
    PL_POLICY=${url%acme.json}none.json#sha256:$digest status 69 check
    PL_POLICY=$url#sha256:$digest status 1 check
    contains "$(cat out)" 'policy acme, regions: the region is us-central1; allowed: europe-*'
    # What was fetched once needs no network again.
    kill %1; PL_POLICY=$url#sha256:$digest status 1 check
}

# Of an image that was built elsewhere its config is asked for, by digest.
test_the_label_of_an_image_that_was_built_elsewhere() {
    registry single
    cloud_run update
    simple acme '"base_images": {"allow": ["python:3.1?-slim"]}, "tests": {"suites": ["unit"]}'
    push() { container | PL_POLICY='' pl-push-image --repo "127.0.0.1:$PORT/t/shop" -o ref; }
    judge() { PL_POLICY=acme.json status "${2:-77}" pl-run-deploy --region us-central1 --name shop "$1" > out 2> log; }
    local plain labelled; plain=$(push); labelled=$(BASE_NAME=alpine:3 push)
    judge "$plain" # it was pushed from here
    contains "$(cat log)" "the image 127.0.0.1:$PORT/t/shop does not say which base it was made from"
    export PL_STORE=$PWD/other
    judge "$labelled"
    contains "$(cat log)" 'base_images: the base of the image is alpine:3; allowed: python:3.1?-slim'
    contains "$(cat log)" 'tests: which source this was built from is not known here'
    judge "127.0.0.1:$PORT/t/shop@sha256:$(printf %064d 1)" 65
    contains "$(cat log)" 'policy acme, rule base_images: cannot look at the image'
    unchanged
}

test_a_job_is_judged() {
    source_and_store
    cloud_run new
    simple acme '"memory": {"at_most": "2Gi"}, "timeout": {"at_most": "5m"}, "names": {"pattern": "[a-z]+-job"}, "scan": {"refuse": "high"}'
    scan LOW "$(printf c%.0s {1..64})" > good.json
    PL_POLICY=acme.json status 77 pl-run-job report --region us-central1 --project acme-prod --memory 4Gi --scan good.json "$IMAGE" \
        > out 2> log || { cat log; return 1; }
    contains "$(cat log)" 'policy acme, names: the name is report; it must match [a-z]+-job'
    contains "$(cat log)" 'policy acme, memory: memory is 4096Mi, the most allowed is 2048Mi'
    contains "$(cat log)" "policy acme, timeout: the timeout is 600s (Cloud Run's own value: nothing else is set), the most allowed is 300s"
    unchanged; absent '"method": "POST"' "$LOG"
}

test_the_check_for_editors_and_pull_requests() {
    unset PL_CLOUD_URL
    export PL_POLICY=$ROOT/examples/policy/acme.json
    status 1 pl-run-deploy --region us-west1 --policy-check --name acme-web-shop-production --memory 128Mi --ingress internal \
        --allow-unauthenticated > out 2> log
    sed "s|(git: .*); allowed|(git: …); allowed|" out | golden policy-check.txt
    status 1 pl-run-deploy --region us-west1 --policy-check -o json > out 2> log
    equal "$(jq -c '.breaches[0]' out)" '{"policy":"acme","rule":"regions","message":"the region is us-west1; allowed: europe-west1, us-central1","why":"where our customers'"'"' contracts say that data may be"}'
    jq -e '.undecided | map(.rule) | index("projects")' out > index
    simple acme '"cpu": {"at_most": 2}'
    PL_POLICY=acme.json pl-run-deploy --region us-west1 --policy-check --cpu 2 > out 2> log
    equal "$(cat out)" ''
    contains "$(cat log)" 'no breach of the policy'
    PL_POLICY='' pl-run-deploy --region us-west1 --policy-check --cpu 2 > out 2> log
    contains "$(cat log)" 'no policy binds here'
}

run_tests
