# Sourced by the tests of Python builds: real builds on the base from Debian packages, started as Cloud Run does.
HERE=$ROOT/tests/engine
APPLICATIONS=$HERE/python
BASE='apt:bookworm?python3,python3-venv,ca-certificates'

start_registry() {
    PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:%s"}\n' "$WORK/registry" "$PORT" > "$WORK/registry.yml"
    docker-registry serve "$WORK/registry.yml" > "$WORK/registry.log" 2>&1 &
    ATEXIT="kill $!"
    wait_for 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$PORT"
}

application() { # application NAME [FROM]: a copy of python/NAME in ./NAME
    cp -r "$APPLICATIONS/$1" .
    case $1 in fastapi-*) cp -r "$APPLICATIONS"/fastapi-requirements/* "$1" ;; esac
}

build() { # build NAME [OPTIONS]: prints the image's reference in the registry; what pl-build says is in ./said
    pl-build --base "$BASE" "$@" 2> said | pl-push-image --repo "127.0.0.1:$PORT/${1##*/}" --tag t -o ref 2> pushed || { cat said pushed >&2; return 1; }
}

serve() { # serve REF: starts it in a container, prints what it answers
    "$HERE/image_listing.py" "$1" Cmd > command
    mkdir -p check; cp "$HERE/python_serve_check.py" check/
    printf 'FROM %s\nRUN --network=none --mount=type=bind,target=/check python3 /check/python_serve_check.py %s\n' "$1" "$(printf '%q' "$(cat command)")" > check/Dockerfile
    pl-build --no-cache check > /dev/null 2> served || { cat served >&2; return 1; }
    sed -n 's/.*answer: //p' served
}

answers() { # answers NAME TEXT [OPTIONS]: builds, starts, and what it answers has the text
    local name=$1 text=$2; shift 2
    shared_store
    application "$name"
    ref=$(build "$name" "$@")
    answer=$(serve "$ref")
    contains "$answer" "$text"
    contains "$answer" "user: 10001"
}
