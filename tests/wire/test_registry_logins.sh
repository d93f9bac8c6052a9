#!/usr/bin/env bash
# The logins of Docker's and podman's files and credential helpers, as a registry sees them.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/registry.sh"

push() { pl-push-image --repo "127.0.0.1:$PORT/t/shop" --tag v1 -o ref < container; }
right=$(printf me:secret | base64)
# config FILE JSON: "HOST" in the text is the registry
config() { mkdir -p "$(dirname "$1")"; printf '%s' "${2//HOST/127.0.0.1:$PORT}" > "$1"; }
# helper NAME SCRIPT: docker-credential-NAME, which has the host in $host
helper() {
    mkdir -p bin
    printf '#!/bin/sh\n[ "$1" = get ] && read -r host\necho "$host" >> "%s/asked"\n%s\n' "$PWD" "$2" > "bin/docker-credential-$1"
    chmod +x "bin/docker-credential-$1"
}
begin() { registry "${1:-token}"; container > container; export PATH=$PWD/bin:$PATH; rm -f asked; }
answer='echo "{\"Username\":\"me\",\"Secret\":\"secret\"}"'

test_files_in_their_order() {
    begin
    auth='{"auths":{"HOST":{"auth":"'$right'"}}}' wrong='{"auths":{"HOST":{"auth":"'$(printf me:wrong | base64)'"}}}'
    status 77 push
    for file in "$HOME/.docker/config.json" "$HOME/.config/containers/auth.json" run/containers/auth.json; do
        config "$file" "$auth"
        XDG_RUNTIME_DIR=$PWD/run push
        rm "$file"
    done
    config "$HOME/.docker/config.json" "$wrong"
    config own.json "$auth"
    status 77 push
    REGISTRY_AUTH_FILE=$PWD/own.json push
    mkdir docker && mv own.json docker/config.json
    DOCKER_CONFIG=$PWD/docker push
    # A key may be a URL; another host's, or one that only begins alike, is not ours.
    config "$HOME/.docker/config.json" '{"auths":{"HOST0":{"auth":"'$right'"},"127.0.0.1":{"auth":"'$right'"},"https://HOST/v2/":{"auth":"'$right'"}}}'
    push
    config "$HOME/.docker/config.json" '{"auths":{"HOST0":{"auth":"'$right'"},"127.0.0.1":{"auth":"'$right'"},"HOST/t":{"auth":"'$right'"}}}'
    status 77 push
    config "$HOME/.docker/config.json" '{"auths":{"HOST":{"username":"me","password":"secret"}}}'
    push
}

test_damaged_files_are_named_and_not_quoted() {
    begin
    for text in '{"auths":{"HOST":{"auth":"c2VjcmV0' '{"auths":{"HOST":{"auth":"!secret!"}}}' 'secret' '[]secret'; do
        config "$HOME/.docker/config.json" "$text"
        status 65 push 2> error || { cat error; return 1; }
        contains "$(cat error)" ".docker/config.json"
        lacks "$(cat error)" "c2VjcmV0"
        lacks "$(cat error)" "secret"
    done
    for text in '{}' '' '{"auths":[]}' '{"auths":{"HOST":{}}}' '{"auths":{"HOST":{"auth":""}}}' '{"auths":{"HOST":{"auth":"bWU="}}}'; do
        config "$HOME/.docker/config.json" "$text"
        status 77 push 2> error || { cat error; return 1; }
        contains "$(cat error)" "podman login 127.0.0.1:$PORT"
    done
}

test_helpers() {
    begin
    helper good "$answer"
    config "$HOME/.docker/config.json" '{"credHelpers":{"HOST":"good"},"auths":{"HOST":{"auth":"wrong"}}}'
    push
    equal "$(sort -u asked)" "127.0.0.1:$PORT"
    config "$HOME/.docker/config.json" '{"credsStore":"good"}'
    push
    helper none 'echo "credentials not found in native keychain"; exit 1'
    config "$HOME/.docker/config.json" '{"credsStore":"none","auths":{"HOST":{"auth":"'$right'"}}}'
    push
    config "$HOME/.docker/config.json" '{"credsStore":"not-installed"}'
    status 77 push 2> error
    contains "$(cat error)" "docker-credential-not-installed is not installed: no login"
    for script in 'echo "the keychain is locked" >&2; exit 1' 'echo "{\"Username\":\"me\", secret"' 'kill -9 $$'; do
        helper bad "$script"
        config "$HOME/.docker/config.json" '{"credHelpers":{"HOST":"bad"}}'
        status 77 push 2> error || { cat error; return 1; }
        contains "$(cat error)" "docker-credential-bad"
        lacks "$(cat error)" secret
    done
    for name in '../good' 'good; touch hacked' '' 'good/../good'; do
        config "$HOME/.docker/config.json" '{"credHelpers":{"HOST":"'"$name"'"}}'
        got=0; push 2> error || got=$?
        [ "$got" = 65 ] || [ "$got" = 77 ] || fail "exit status $got for $name"
        [ ! -e hacked ]
    done
}

test_an_identity_token_is_a_refresh_token() {
    begin token,identity
    config "$HOME/.docker/config.json" '{"auths":{"HOST":{"auth":"'$(printf '<token>:' | base64)'","identitytoken":"refresh"}}}'
    push
    contains "$(requests)" "POST /token"
    helper identity 'echo "{\"Username\":\"<token>\",\"Secret\":\"refresh\"}"'
    config "$HOME/.docker/config.json" '{"credsStore":"identity"}'
    push
    config "$HOME/.docker/config.json" '{"auths":{"HOST":{"identitytoken":"other"}}}'
    status 77 push 2> error
    contains "$(cat error)" "wrong refresh token"
}

test_basic_logins_are_tried_in_turn() {
    begin basic
    config "$HOME/.docker/config.json" '{"auths":{"HOST":{"auth":"'$right'"}}}'
    push
    config "$HOME/.docker/config.json" '{"auths":{"HOST":{"auth":"'$(printf me:wrong | base64)'"}}}'
    status 77 push 2> error
    contains "$(cat error)" "podman login"
    [ "$(wc -l < "$LOG")" -lt 20 ]
}

test_a_secret_is_in_no_argument_and_no_log() {
    begin
    helper good 'echo "{\"Username\":\"me\",\"Secret\":\"secret\"}"; tr "\\0" " " < /proc/$PPID/cmdline > cmdline; tr "\\0" "\n" < /proc/$PPID/environ > environ'
    config "$HOME/.docker/config.json" '{"credHelpers":{"HOST":"good"}}'
    pl-push-image -v --repo "127.0.0.1:$PORT/t/shop" --tag v1 < container > out 2> error
    [ -s cmdline ]
    absent -r secret cmdline environ out error "$HOME/.local" "$PL_STORE/names"
}

run_tests
