#!/usr/bin/env bash
# pl-push-image from the outside: its options, where an image goes, which tags it gets, what stops it early.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/wire/registry.sh"
export CLOUDSDK_CONFIG=/nonexistent
unset GOOGLE_CLOUD_PROJECT GCLOUD_PROJECT CLOUDSDK_CORE_PROJECT

tags_of() { python3 -c 'import json, sys; print(*json.loads(sys.stdin.readline())["tags"])'; }

test_help() { pl-push-image --help | golden push-image-help.txt; }

test_the_table_is_right() {
    pl-push-image --help=json | python3 -c 'import json, sys; assert json.load(sys.stdin)["name"] == "pl-push-image"'
}

test_wrong_options_are_refused_before_anything_is_read() {
    for arguments in "" "--repo Upper" "--repo team/shop" "--repo ghcr.io/a//b" "--repo x --region moon" \
        "--repo ghcr.io/a@sha256:$(printf %064d 0)" "--repo ghcr.io/a --tag -x" "--repo ghcr.io/a:no/tag" "--repo r --name ../x"; do
        got=0
        # shellcheck disable=SC2086
        timeout 10 pl-push-image $arguments < <(exec sleep 20) > out 2> error || got=$?
        case "$arguments:$got" in *region*:78) ;; *:64) ;; *) fail "exit status $got for: $arguments: $(cat error)" ;; esac
        contains "$(cat out)" '"type":"error"'
    done
    contains "$(pl-push-image --repo team/shop 2>&1 < /dev/null || true)" "docker.io/team/shop"
}

test_an_endpoint_of_no_service_is_refused() {
    PL_ENDPOINT_OAUTH=http://127.0.0.1:1 status 78 pl-push-image --repo my-repo < /dev/null > out 2> error
    contains "$(cat error)" "PL_ENDPOINT_OAUTH names no service"
    contains "$(cat error)" "did you mean PL_ENDPOINT_OAUTH2?"
}

test_google_repository_in_the_local_cloud() {
    registry google,token,single
    export PL_CLOUD_URL=http://127.0.0.1:$PORT
    ref=$(container shop | pl-push-image --repo my-repo --tag v1 -o ref)
    contains "$ref" "127.0.0.1:$PORT/demo/my-repo/shop@sha256:"
    ref=$(container shop | pl-push-image --repo my-repo --project other-demo --name front/web --tag v1 -o ref)
    contains "$ref" "127.0.0.1:$PORT/other-demo/my-repo/front/web@sha256:"
    contains "$(cat "$LOG")" "account=oauth2accesstoken"
    lacks "$(cat "$LOG" | grep -v '"path": "/token')" "Basic"
}

test_without_credentials_it_ends_while_it_waits() {
    PL_CLOUD_URL=http://127.0.0.1:1 status 77 timeout 20 pl-push-image --repo my-repo < <(exec sleep 60) > out 2> error
    contains "$(cat error)" "pl-local start"
    contains "$(cat out)" '"type":"error"'
}

test_default_tags() {
    registry single
    push() { pl-push-image --repo "127.0.0.1:$PORT/t/shop" "$@"; }
    container > record
    push < record > image
    digest=$(python3 -c 'import json; print(json.load(open("image"))["digest"])')
    equal "$(tags_of < image)" "$(echo "$digest" | cut -c8-19)"
    mkdir work && cd work
    git init -q && git -c user.name=x -c user.email=x@x commit -q --allow-empty -m x
    equal "$(push < ../record | tags_of)" "$(git rev-parse HEAD)"
    touch new
    equal "$(push < ../record | tags_of)" "$(echo "$digest" | cut -c8-19)"
    equal "$(push --tag b --tag a --tag b < ../record | tags_of)" "b a"
    equal "$(pl-push-image --repo "127.0.0.1:$PORT/t/shop:v7" --tag x < ../record | tags_of)" "v7 x"
    absent '/manifests/latest' "$LOG"
}

test_several_containers_need_several_repositories() {
    registry single,google
    { container one | sed 's/"of":1/"of":2/'; container two 2000 | sed 's/"seq":1,"of":1/"seq":2,"of":2/'; } > records
    status 64 pl-push-image --repo "127.0.0.1:$PORT/t/shop" < records > /dev/null 2> error
    contains "$(cat error)" "one by one"
    PL_CLOUD_URL=http://127.0.0.1:$PORT pl-push-image --repo r -o ref < records > refs
    equal "$(cut -d@ -f1 refs | tr '\n' ' ')" "127.0.0.1:$PORT/demo/r/one 127.0.0.1:$PORT/demo/r/two "
}

test_bad_records() {
    registry single
    push() { pl-push-image --repo "127.0.0.1:$PORT/t/shop" "$@"; }
    status 66 push < /dev/null > out 2> error
    status 65 push < <(echo '{"pl":2,"type":"container"}') > out 2> error
    status 65 push < <(echo "directory:sha256:$(printf %064d 0)") > out 2> error
    contains "$(cat error)" "directory"
    status 65 push < <(echo "container:sha256:$(printf %064d 0)") > out 2> error
    contains "$(cat error)" "the store has no container"
    status 70 push < <(echo '{"pl":1,"type":"error","stage":"pl-build","code":70,"message":"no"}') > out 2> error
    contains "$(cat error)" "not started: pl-build failed (70)"
    equal "$(grep -c . out)" 1
    equal "$(grep -c POST "$LOG")" 0
}

test_a_damaged_object_is_not_sent() {
    registry single
    container shop 5000 > record
    for object in "$PL_STORE"/objects/*/*; do
        [ "$(stat -c %s "$object")" -lt 4000 ] || { chmod u+w "$object"; printf X | dd of="$object" conv=notrunc bs=1 seek=100 2> /dev/null; }
    done
    status 65 pl-push-image --repo "127.0.0.1:$PORT/t/shop" < record > out 2> error
    contains "$(cat error)" "pl-cache verify"
    absent manifests "$LOG"
}

run_tests
