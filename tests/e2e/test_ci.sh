#!/usr/bin/env bash
# The example workflows of examples/ci, run step by step as the runners of GitHub and GitLab run them, from nothing to a preview
# with its comment, a deployed service and a live site: identity from the local cloud, no key anywhere.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"

# A release as `make dist` makes it; once for all tests of this file.
release() {
    ARCHIVE=$WORK/dist/pl-linux-$(uname -m).tar.gz
    [ -e "$ARCHIVE" ] || OUT=$OUT "$ROOT/ci/dist" "$WORK/dist" > /dev/null
}
# The checkout of a repository that has what examples/shop has.
repository() {
    mkdir shop
    cp -R "$ROOT/examples/shop/backend" "$ROOT/examples/shop/frontend" shop
}
event() { # event ACTION: of pull request 7, or (push) of a push
    jq -nc --arg action "$1" --arg head "${2:-corp/shop}" '{repository: {full_name: "corp/shop"}, action: $action}
        + (if $action == "push" then {} else {pull_request: {number: 7, head: {sha: "4f2a", repo: {full_name: $head}}}} end)' > event.json
}
# runner WORKFLOW EVENT-NAME [OPTION...]: what it prints in `log`, its results in `answer`
runner() {
    local workflow=$1 name=$2 status=0
    shift 2
    "$ROOT/tests/e2e/github_runner.py" "$workflow" "$name" event.json shop --action "OWNER/pl@v1=$ROOT" --action "OWNER/pl/comment@v1=$ROOT/comment" \
        --input "OWNER/pl@v1=archive=$ARCHIVE" --var GOOGLE_CLOUD_PROJECT=pl-local --var SITE=shop --var REGION=us-central1 \
        --var "PL_WORKLOAD_IDENTITY_PROVIDER=${PL_WORKLOAD_IDENTITY_PROVIDER:-}" --var "PL_IMPERSONATE_SERVICE_ACCOUNT=${PL_IMPERSONATE_SERVICE_ACCOUNT:-}" "$@" > log || status=$?
    tail -n 1 log > answer
    if [ $status != 0 ] || ! jq -e . answer > /dev/null 2>&1; then cat log; return 1; fi
}
job() { eval "$(pl-local federation -q --repository corp/shop "$@")"; }
output() { jq -r --arg id "$1" --arg name "$2" '[.jobs[].steps[] | select(.id == $id)][0].outputs[$name] // ""' answer; }
outcomes() { jq -r --arg job "$1" '.jobs[$job].steps | map(.outcome) | join(" ")' answer; }
github_api() { # github_api [COMMENTS-OF-OTHERS]
    "$ROOT/tests/e2e/github_api.py" "$@" > api-port & api=$!
    trap 'kill $api; [ -z "${PL_LOCAL_STATE:-}" ] || pl-local stop -q' EXIT
    wait_for 10 test -s api-port
    GITHUB_API_URL=http://127.0.0.1:$(cat api-port)
    export GITHUB_API_URL
}
comments() { curl -sf "$GITHUB_API_URL/comments"; }
visit() { curl -sf --max-time 20 "$1"; }

test_a_pull_request_is_tested_previewed_and_cleaned_up_after() {
    shared_store
    release
    repository
    cloud
    github_api
    # A preview leads to the service that is there.
    event push
    job
    runner "$ROOT/examples/ci/github/deploy.yml" push
    event opened
    # Tests need nobody's identity, and get none.
    runner "$ROOT/examples/ci/github/test.yml" pull_request
    equal "$(outcomes test)" "success success success success"
    job --claim event_name=pull_request --claim ref=refs/pull/7/merge
    runner "$ROOT/examples/ci/github/preview.yml" pull_request
    equal "$(outcomes preview)" "success success success success"
    equal "$(jq -r '.jobs["clean-up"].result' answer)" skipped
    url=$(output preview url)
    contains "$(visit "$url/")" "<app-root"
    equal "$(comments | jq -r '.[].body')" "<!-- pl:preview -->
**Preview** of 4f2a: $url

It ends after 7 days, or when this pull request is closed."

    echo "a pull request that never had a preview gets no comment when it is closed"
    event closed corp/shop
    jq '.pull_request.number = 8' event.json > other.json; mv other.json event.json
    runner "$ROOT/examples/ci/github/preview.yml" pull_request
    equal "$(outcomes clean-up)" "success success success"
    equal "$(comments | jq length)" 1

    echo "a second push changes the comment, and makes no second one"
    event synchronize
    runner "$ROOT/examples/ci/github/preview.yml" pull_request
    equal "$(comments | jq -c 'map([.number, .changes])')" "[[7,1]]"

    echo "closed: the preview goes"
    event closed
    runner "$ROOT/examples/ci/github/preview.yml" pull_request
    equal "$(jq -r '.jobs.preview.result' answer)" skipped
    equal "$(outcomes clean-up)" "success success success"
    contains "$(comments | jq -r '.[].body')" "The preview is gone"
    status 22 visit "$url/"
}

test_what_is_on_main_is_live() {
    shared_store
    release
    repository
    cloud
    event push
    job
    runner "$ROOT/examples/ci/github/deploy.yml" push
    equal "$(outcomes deploy)" "success success success success success success"
    url=$(output backend url) revision=$(output backend revision) digest=$(output backend digest)
    equal "$(visit "$url/" | jq -r .revision)" "$revision"
    contains "$(output backend image)" "/pl-local/shop/backend@$digest"
    equal "$(output backend record | jq -r .type)" service
    contains "$(visit "$(output frontend url)/")" "<app-root"
    contains "$(jq -r .summary answer)" "the backend is $revision"
    # Whoever reads the log finds no token in it.
    absent -E 'eyJ[A-Za-z0-9_-]{20,}\.eyJ' log
}

test_a_pull_request_of_a_fork_is_told_so_in_one_line() {
    release
    repository
    cloud
    github_api
    event opened stranger/shop
    job --claim event_name=pull_request
    runner "$ROOT/examples/ci/github/preview.yml" pull_request --fork
    equal "$(outcomes preview)" "success success skipped skipped"
    equal "$(grep -c '^::notice title=pl::this pull request comes from a fork, and those get no identity token: it is tested, and nothing is deployed$' log)" 1
    equal "$(output pl can-deploy)" false
    equal "$(comments)" "[]"
    # Tests of it say nothing about that.
    sed '/run: pl-test/d; /name: Backend/d; /name: Frontend/d' "$ROOT/examples/ci/github/test.yml" > test.yml
    runner test.yml pull_request --fork
    absent '::notice' log
    # The same without the permission says what is missing.
    event opened
    sed '/id-token: write/d' "$ROOT/examples/ci/github/preview.yml" > preview.yml
    runner preview.yml pull_request
    equal "$(outcomes preview)" "success success skipped skipped"
    contains "$(cat log)" "permissions: id-token: write"
}

test_the_action_installs_what_its_checksum_says() {
    release
    mkdir -p runner
    install_pl() { env -i PATH=/usr/bin:/bin HOME="$HOME" RUNNER_TEMP="$PWD/runner" GITHUB_PATH="$PWD/path" GITHUB_OUTPUT="$PWD/output" "$@" "$ROOT/ci/install"; }
    install_pl PL_ARCHIVE="$ARCHIVE" > said
    contains "$(cat said)" "is installed ("
    equal "$(PATH=$(cat path):/usr/bin:/bin command -v pl-build)" "$PWD/runner/pl/bin/pl-build"
    contains "$("$(cat path)/pl" --version)" "$(sed -n 's/^version=//p' output)"
    # The same binaries make the same archive.
    OUT=$OUT "$ROOT/ci/dist" "$PWD/again" > /dev/null
    cmp "$ARCHIVE" "again/$(basename "$ARCHIVE")"
    cp "$ARCHIVE" damaged.tar.gz
    printf x >> damaged.tar.gz
    cp "$ARCHIVE.sha256" damaged.tar.gz.sha256
    status 1 install_pl PL_ARCHIVE="$PWD/damaged.tar.gz" > said
    contains "$(cat said)" "::error title=pl::$PWD/damaged.tar.gz has the checksum"
    status 1 install_pl PL_ARCHIVE="$ARCHIVE" PL_ARCHIVE_SHA256="$(printf 'a%.0s' {1..64})" > said
    rm damaged.tar.gz.sha256
    status 1 install_pl PL_ARCHIVE="$PWD/damaged.tar.gz" > said
    contains "$(cat said)" "has no checksum beside it"
}

test_one_comment_among_many() {
    github_api 230
    export GITHUB_REPOSITORY=corp/shop GITHUB_TOKEN=ghs_x
    say() { printf '%s\n' "$2" | "$ROOT/ci/comment" 9 "$1" "${@:3}"; }
    say preview 'first "quoted" $(x) `y`' > said
    contains "$(cat said)" "is written"
    say preview second > said
    contains "$(cat said)" "is up to date"
    say coverage third
    say lint fourth only-change > said
    contains "$(cat said)" "no comment at #9 to change"
    equal "$(comments | jq -c '[.[] | select(.body | startswith("<!-- pl:")) | [.id, .body, .changes]]')" '[[231,"<!-- pl:preview -->\nsecond\n",1],[232,"<!-- pl:coverage -->\nthird\n",0]]'
    status 64 say 'a b' x 2> error
    status 64 "$ROOT/ci/comment" x preview 2> error < /dev/null
    GITHUB_TOKEN=wrong status 22 say preview x 2> error
}

test_gitlab() {
    shared_store
    release
    repository
    cloud
    # The packages are here already; apt-get is a program that says so.
    mkdir path
    printf '#!/bin/sh\nexit 0\n' > path/apt-get
    chmod +x path/apt-get
    sed "s|/tmp/pl.tar.gz|$PWD/pl.tar.gz|g; s|/opt|$PWD/opt|g" "$ROOT/examples/ci/gitlab/.gitlab-ci.yml" > ci.yml
    mkdir opt
    gitlab() {
        local status=0
        "$ROOT/tests/e2e/gitlab_runner.py" ci.yml shop --path "$PWD/path:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" --var GOOGLE_CLOUD_PROJECT=pl-local --var SITE=shop \
            --var REGION=us-central1 --var "PL_ARCHIVE=file://$ARCHIVE" --var "PL_ARCHIVE_SHA256=$(cut -d' ' -f1 "$ARCHIVE.sha256")" \
            --var "PL_WORKLOAD_IDENTITY_PROVIDER=$PL_WORKLOAD_IDENTITY_PROVIDER" --var "PL_IMPERSONATE_SERVICE_ACCOUNT=$PL_IMPERSONATE_SERVICE_ACCOUNT" "$@" > log || status=$?
        tail -n 1 log > answer
        [ $status = 0 ] || { cat log; return 1; }
    }
    job --issuer gitlab
    gitlab --var CI_PIPELINE_SOURCE=push --var CI_COMMIT_BRANCH=main
    equal "$(jq -r 'keys | join(" ")' answer)" "deploy test"
    contains "$(pl-local status)" "ready"
    contains "$(visit "http://shop.localhost:${PL_CLOUD_URL##*:}/")" "<app-root"
    job --issuer gitlab --claim ref=feature
    gitlab --var CI_PIPELINE_SOURCE=merge_request_event --var CI_MERGE_REQUEST_IID=3 --var CI_COMMIT_BRANCH=
    equal "$(jq -r 'keys | join(" ")' answer)" "preview test"
    url=$(jq -r .preview.environment.url answer)
    contains "$(visit "$url/")" "<app-root"
    gitlab --var CI_PIPELINE_SOURCE=merge_request_event --var CI_MERGE_REQUEST_IID=3 --var CI_COMMIT_BRANCH= --job clean-up
    status 22 visit "$url/"
    absent -E 'eyJ[A-Za-z0-9_-]{20,}\.eyJ' log
}

run_tests
