# Sourced by tests that need a scripted registry (registry_server.py).
HERE=$ROOT/tests/wire

container() { python3 "$HERE/make_container.py" "$PL_STORE" "$@"; }

# registry WORDS [NAME=VALUE...]: starts a scripted one; $PORT, and $LOG with one line for each request
registry() {
    LOG=$PWD/log.$((${SERVERS:=0} + 1)); SERVERS=$((SERVERS + 1))
    : > "$LOG"
    python3 "$HERE/registry_server.py" "$1" "$LOG" "${@:2}" > "$LOG.port" 2> "$LOG.errors" &
    SERVER=$!
    trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT
    wait_for 10 test -s "$LOG.port"
    PORT=$(cat "$LOG.port")
}
requests() { python3 -c 'import json,sys
for line in open(sys.argv[1]):
    r = json.loads(line); print(r["method"], r["path"].split("?")[0].replace("/v2/t/shop/", ""))' "${1:-$LOG}"; }
login() { mkdir -p "$HOME/.docker"; printf '{"auths":{"127.0.0.1:%s":{"auth":"%s"}}}' "${1:-$PORT}" "$(printf me:secret | base64)" > "$HOME/.docker/config.json"; }
