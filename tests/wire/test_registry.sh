#!/usr/bin/env bash
# pl-push-image against Debian's registry, against clients nobody here wrote, and against a registry that misbehaves.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/registry.sh"

push() { pl-push-image --repo "127.0.0.1:$PORT/t/shop" --tag v1 -o ref "$@"; }

debian_registry() { # debian_registry [EXTRA-YAML]
    [ -x "$(command -v docker-registry)" ] || skip "docker-registry is not installed"
    PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:%s"}\n%s\n' \
        "$PWD/registry" "$PORT" "${1:-}" > registry.yml
    docker-registry serve registry.yml > registry.log 2>&1 &
    trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT
    wait_for 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$PORT"
}

test_debian_registry_and_skopeo_take_what_is_pushed() {
    debian_registry
    ref=$(container shop 9000000 | push --tag other)
    skopeo inspect --tls-verify=false "docker://$ref" > inspect.json
    contains "$(cat inspect.json)" '"v1"'
    contains "$(cat inspect.json)" '"other"'
    skopeo copy -q --src-tls-verify=false "docker://127.0.0.1:$PORT/t/shop:v1" oci:layout:v1
    contains "$(skopeo inspect --raw oci:layout:v1)" '"org.opencontainers.image.title":"shop"'
    equal "${ref##*@}" "sha256:$(skopeo inspect --raw oci:layout:v1 | sha256sum | cut -d' ' -f1)"
    equal "$(container shop 9000000 | push)" "$ref"
}

test_debian_registry_with_a_password() {
    printf 'me:%s\n' "$(python3 -c 'import crypt; print(crypt.crypt("secret", crypt.mksalt(crypt.METHOD_BLOWFISH)).replace("$2b$", "$2y$"))' 2> /dev/null || htpasswd -nbB me secret | cut -d: -f2)" > passwords
    debian_registry "auth: {htpasswd: {realm: x, path: $PWD/passwords}}"
    status 77 push < <(container) 2> error
    contains "$(cat error)" "podman login"
    login
    status 0 push < <(container)
}

test_a_small_push_takes_three_requests_after_authentication() {
    registry token,single
    login
    container | push
    equal "$(requests)" "GET /v2/
GET /token
GET /v2/
POST blobs/uploads/
POST blobs/uploads/
PUT manifests/v1"
    : > "$LOG"
    container | push
    equal "$(requests | grep -v -e token -e '/v2/$')" "PUT manifests/v1"
    contains "$(cat "$LOG")" "service=the%20registry%26x%3D1&scope=repository%3At%2Fshop%3Apull%2Cpush&account=me"
}

test_the_record_names_the_digest_and_what_it_came_from() {
    registry single
    container > record
    pl-push-image --repo "127.0.0.1:$PORT/t/shop:v1" < record > image
    python3 - record image <<'END'
import json, sys
container, image = (json.load(open(path)) for path in sys.argv[1:])
assert image["type"] == "image" and image["ref"].endswith("/t/shop@" + image["digest"]), image
assert image["from"] == [container["ref"]] + container["from"], image
assert image["tags"] == ["v1"] and image["platform"] == "linux/amd64" and image["colour"] == "blue", image
END
}

test_a_stale_token_is_renewed_once_and_an_endless_challenge_ends() {
    registry stale
    login
    status 0 push < <(container)
    registry never
    login
    status 77 push < <(container) 2> error
    [ "$(requests | grep -c token)" -le 3 ]
    lacks "$(cat error)" secret
}

test_a_busy_registry_is_asked_again() {
    registry busy
    status 0 push < <(container shop 5000000)
    equal "$(requests | grep -c 'PUT manifests/v1')" 2
    registry down
    status 75 push < <(container) 2> error
    contains "$(cat error)" "503"
}

test_an_upload_that_breaks_goes_on_where_it_was() {
    registry breaks
    status 0 push < <(container shop 9000000)
    contains "$(requests)" "GET /v2/x/blobs/uploads/"
    python3 - "$LOG" <<'END'
import json, sys
patches = [r for r in map(json.loads, open(sys.argv[1])) if r["method"] == "PATCH"]
assert len(patches) == 2 and patches[1]["range"].startswith("%d-" % patches[0]["length"]), patches
END
    registry loses
    status 0 push < <(container shop 9000000)
    equal "$(requests | grep -c PATCH)" 2
}

test_what_a_registry_has_forgotten_is_sent_again() {
    registry forgets
    status 0 push < <(container shop 5000000)
    equal "$(requests | grep -c 'PUT manifests')" 2
    equal "$(requests | grep -c 'PATCH')" 2
}

test_a_base_is_mounted_across_without_being_fetched() {
    registry token,mounts
    login
    status 0 push < <(container shop 1000 1 "127.0.0.1:$PORT/library/base@sha256:$(printf %064d 0)")
    contains "$(cat "$LOG")" "from=library%2Fbase"
    contains "$(cat "$LOG")" "scope=repository%3Alibrary%2Fbase%3Apull"
    lacks "$(requests)" "GET blobs"
}

# base WORDS: the base's layer lies in a registry that behaves like that, the image goes to another
base() {
    container shop 1000 1 x/y > /dev/null
    registry "$1" seed="$PL_STORE/base-layer" "${@:2}"
    base_log=$LOG from=127.0.0.1:$PORT/library/base@sha256:$(printf %064d 0)
    registry plain
}

test_a_base_in_another_registry_is_fetched_and_checked() {
    base plain
    status 0 push < <(container shop 1000 1 "$from")
    for words in wrong-bytes long; do
        rm -rf "$PL_STORE"; base $words
        status 76 push < <(container shop 1000 1 "$from") 2> error
        lacks "$(requests)" manifests
    done
    rm -rf "$PL_STORE"; base redirect-private
    status 76 push < <(container shop 1000 1 "$from") 2> error
    contains "$(cat error)" "private network"
}

test_a_redirected_blob_is_asked_for_without_the_token() {
    container shop 1000 1 x/y > /dev/null
    registry plain seed="$PL_STORE/base-layer"
    other=$PORT other_log=$LOG
    base token,redirect-other other="$other"
    login "${from%%/*}"
    sed -i 's/127.0.0.1:127/127/' "$HOME/.docker/config.json"
    status 0 push < <(container shop 1000 1 "$from")
    contains "$(cat "$base_log")" Bearer
    contains "$(requests "$other_log")" "GET /v2/x/blobs"
    lacks "$(cat "$other_log")" Bearer
}

test_nobody_there_is_said_before_the_input_ends() {
    PORT=1
    # The writer would keep the pipe open for a minute.
    SECONDS=0
    status 69 push < <(exec sleep 60) 2> error
    [ "$SECONDS" -lt 20 ]
    contains "$(cat error)" "127.0.0.1"
}

test_a_credential_helper_is_asked() {
    registry token
    mkdir -p bin "$HOME/.docker"
    printf '#!/bin/sh\n[ "$1" = get ] && read -r host; echo "$host" > "%s/asked"; echo "{\\"Username\\":\\"me\\",\\"Secret\\":\\"secret\\"}"\n' "$PWD" > bin/docker-credential-test
    chmod +x bin/docker-credential-test
    printf '{"credHelpers":{"127.0.0.1:%s":"test"}}' "$PORT" > "$HOME/.docker/config.json"
    PATH=$PWD/bin:$PATH status 0 push < <(container)
    equal "$(cat asked)" "127.0.0.1:$PORT"
    printf '{"credsStore":"not-there"}' > "$HOME/.docker/config.json"
    mkdir -p "$HOME/.config/containers"
    printf '{"auths":{"127.0.0.1:%s":{"auth":"%s"}}}' "$PORT" "$(printf me:secret | base64)" > "$HOME/.config/containers/auth.json"
    status 0 push < <(container shop 2000)
}

run_tests
