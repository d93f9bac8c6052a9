#!/usr/bin/env bash
# Node servers as containers, started as Cloud Run does: from the registry, as the image's user, with $PORT.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/node_lib.sh"

start_registry() {
    PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:%s"}\n' "$WORK/registry" "$PORT" > "$WORK/registry.yml"
    docker-registry serve "$WORK/registry.yml" > "$WORK/registry.log" 2>&1 &
    ATEXIT="kill $!"
    wait_for 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$PORT"
}
start_registry

image() { # image DIR: prints the reference of what was built
    build "$1" | pl-push-image --repo "127.0.0.1:$PORT/${1##*/}" --tag t -o ref 2> pushed || { cat pushed >&2; return 1; }
}

config() { # config REF KEY
    skopeo inspect --config --tls-verify=false "docker://$1" | jq -c ".config.$2"
}

serve() { # serve REF: starts it in a container, prints what it answers
    mkdir -p check
    cp "$ROOT/tests/engine/node_serve_check.mjs" check/
    printf 'FROM %s\nRUN --network=none --mount=type=bind,target=/check node /check/node_serve_check.mjs %s\n' "$1" "$(printf '%q' "$(config "$1" Cmd)")" > check/Dockerfile
    pl-build --no-cache check > /dev/null 2> served || { cat served >&2; return 1; }
    sed -n 's/.*answer: //p' served
}

test_a_server_with_a_build() {
    shared_store
    application server
    echo "// $RANDOM" >> server/src/main.js
    ref=$(image server)
    equal "$(jq -r .type <<< "$(build server)")" container
    equal "$(config "$ref" User)" '"10001:10001"'
    contains "$(config "$ref" Env)" '"NODE_ENV=production"'
    answer=$(serve "$ref")
    contains "$answer" '"number":true'
    contains "$answer" '"built":true'
    contains "$answer" '"user":10001'
    # What only development needs is not in the image.
    contains "$answer" '"odd":false'
}

test_a_server_without_a_build() {
    shared_store
    application server
    jq 'del(.scripts.build) | .scripts.start = "node src/main.js"' server/package.json > new; mv new server/package.json
    ref=$(image server)
    answer=$(serve "$ref")
    contains "$answer" '"number":true'
    contains "$answer" '"built":false'
}

test_a_server_in_a_workspace() {
    shared_store
    application workspace
    contains "$(serve "$(image workspace/apps/api)")" "<p>8</p>"
}

run_tests
