#!/usr/bin/env bash
# Building on a base that lies in a registry: what is fetched, when, and what becomes of it on a push.
. "$(dirname "$0")/../lib.sh"

# Debian's registry; its access log is registry.log. $R
debian_registry() {
    [ -x "$(command -v docker-registry)" ] || skip "docker-registry is not installed"
    local port; port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:%s"}\n' \
        "$PWD/registry" "$port" > registry.yml
    docker-registry serve registry.yml > registry.log 2>&1 &
    trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT
    wait_for 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$port"
    R=127.0.0.1:$port
}
cloud() { # a local cloud of the test's own: $H
    export PL_LOCAL_STATE=$PWD/cloud
    eval "$(pl-local start 2> /dev/null)"
    trap 'pl-local stop 2> /dev/null; kill $(jobs -p) 2> /dev/null || true; wait' EXIT
    H=${PL_CLOUD_URL#http://}
}
# requests: METHOD PATH STATUS of each since the last call
requests() {
    sed -n 's/.* "\([A-Z]*\) \([^ ]*\) HTTP[^"]*" \([0-9]*\) .*/\1 \2 \3/p' registry.log | tail -n +$((${SEEN:-0} + 1)) > requests
    SEEN=$((${SEEN:-0} + $(wc -l < requests)))
}
# dockerfile LINE...: the build context ./context
dockerfile() { mkdir -p context; printf '%s\n' "$@" > context/Dockerfile; echo "${CONTENT:-content}" > context/file; }
base() { # pushes a base of two layers to REF
    mkdir -p root/bin root/etc
    cp /bin/busybox root/bin/ && ln -sf busybox root/bin/sh && ln -sf busybox root/bin/cat
    echo 'root:x:0:0::/:/bin/sh' > root/etc/passwd
    tar -C root --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf base.tar .
    dockerfile "FROM rootfs:$PWD/base.tar" "RUN echo made > /made"
    PL_STORE=$PWD/base-store pl-build context > base
    PL_STORE=$PWD/base-store pl-push-image --repo "${1%:*}" --tag "${1##*:}" < base > base-image
}

test_adding_files_fetches_no_layer_and_a_push_mounts_them() {
    debian_registry
    base "$R/team/base:v1"
    requests
    layers=$(curl -s "http://$R/v2/team/base/manifests/v1" -H 'Accept: application/vnd.oci.image.manifest.v1+json' | jq -r '.layers[].digest')
    requests
    dockerfile "FROM $R/team/base:v1" "COPY --link file /file"
    pl-build context > container
    requests
    equal "$(grep -c ' /v2/team/base/manifests/v1 200' requests)" 1
    for layer in $layers; do absent "$layer" requests; done
    pl-push-image --repo "$R/team/shop" --tag v1 < container > image
    requests
    equal "$(grep -c 'POST /v2/team/shop/blobs/uploads/?.*from=team%2Fbase.* 201' requests)" 2
    absent -E 'GET .*/blobs/sha256' requests
    # In another registry they are needed: from the base's own.
    cloud
    pl-push-image --repo demo --tag v1 < container > image
    requests
    for layer in $layers; do equal "$(grep -c "^GET /v2/team/base/blobs/$layer 200" requests)" 1; done
    equal "$(PL_STORE=$PWD/fresh pl-build --base x context 2>&1 > /dev/null | grep -c -- '--base is for sources without a Dockerfile')" 1
}

test_a_step_fetches_each_layer_once() {
    debian_registry
    base "$R/team/base:v1"
    requests
    dockerfile "FROM $R/team/base:v1" "COPY file /file" "RUN cat /file /made > /both"
    pl-build context > container
    requests
    equal "$(grep -c '^GET /v2/team/base/blobs/sha256:[0-9a-f]* 200' requests)" 3
    CONTENT=other dockerfile "FROM $R/team/base:v1" "COPY file /file" "RUN cat /file /made > /both"
    pl-build context > container
    pl-push-image --repo "$R/team/shop" --tag v1 < container > image
    requests
    absent '^GET /v2/team/base/blobs' requests
    equal "$(skopeo inspect --tls-verify=false "docker://$R/team/shop:v1" | jq '.Layers | length')" 4
}

test_a_moved_tag_is_noticed_when_asked_for_and_a_digest_stays() {
    debian_registry
    base "$R/team/base:v1"
    old=$(jq -r .ref base-image)
    dockerfile "FROM $R/team/base:v1" "RUN cat /made"
    pl-build context > first
    dockerfile "FROM rootfs:$PWD/base.tar" "RUN echo changed > /made"
    PL_STORE=$PWD/base-store pl-build context | PL_STORE=$PWD/base-store pl-push-image --repo "$R/team/base" --tag v1 > moved
    dockerfile "FROM $R/team/base:v1" "RUN cat /made"
    requests
    pl-build context > again
    requests
    equal "$(cat requests)" ""
    equal "$(jq -r .digest again)" "$(jq -r .digest first)"
    pl-build --pull context > second 2> log
    contains "$(cat log)" "│   changed"
    dockerfile "FROM $old" "RUN cat /made"
    pl-build context > third 2> log
    contains "$(cat log)" "cached"
    equal "$(jq -r .digest third)" "$(jq -r .digest first)"
    lacks "$(jq -r .digest second)" "$(jq -r .digest first)"
}

test_a_base_that_cannot_be_had() {
    cloud
    for try in "127.0.0.1:1/team/base:v1 69" "$H/pl-local/demo/none:v1 78" "$H/UPPER/x 65" "$H/pl-local/demo/x@sha256:12 65"; do
        dockerfile "FROM ${try% *}" "RUN true"
        status "${try##* }" pl-build context > out 2> error || { cat error; return 1; }
        contains "$(cat error)" "${try% *}"
        equal "$(jq -r .type out)" error
    done
    base "$H/pl-local/demo/base:v1"
    dockerfile "FROM $H/pl-local/demo/base:v2" "RUN true"
    status 65 pl-build context > out 2> error
    contains "$(cat error)" "MANIFEST_UNKNOWN"
    dockerfile "FROM --platform=linux/s390x $H/pl-local/demo/base:v1" "RUN true"
    status 65 pl-build context > out 2> error
    contains "$(cat error)" "s390x"
    # Without a login: the registry's own words, and what to type.
    dockerfile "FROM $H/pl-local/demo/base:v1" "RUN true"
    if GOOGLE_APPLICATION_CREDENTIALS=/nonexistent pl-build context > out 2> error; then fail "built without a login"; fi
    contains "$(cat error)" "/nonexistent"
    (unset PL_CLOUD_URL GOOGLE_APPLICATION_CREDENTIALS; status 77 pl-build context > out 2> error)
    contains "$(cat error)" "podman login $H"
}

test_an_application_on_a_base_of_a_registry() {
    cloud
    shared_store
    mkdir python && echo 'FROM apt:bookworm?python3,python3-venv,ca-certificates' > python/Dockerfile
    pl-build --name python python | pl-push-image --repo demo --tag 3 > base
    mkdir application
    echo 'web: python3 main.py' > application/Procfile
    echo 'print("hello")' > application/main.py
    export PL_STORE=$PWD/store
    pl-build --base "$H/pl-local/demo/python:3" application > container 2> log
    lacks "$(cat log)" fetch
    pl-push-image --repo demo --tag v1 < container > image 2> log
    contains "$(cat log)" "1 mounted"
    lacks "$(cat log)" fetch
}

run_tests
