# Sourced by the tests of pl-firebase-deploy against a scripted Hosting.
. "$ROOT/tests/wire/discovery.sh"
HERE=$ROOT/tests/wire
export CLOUDSDK_CONFIG=/nonexistent
unset GOOGLE_CLOUD_PROJECT GCLOUD_PROJECT CLOUDSDK_CORE_PROJECT

# hosting [NAME=VALUE...]: starts a scripted one; $LOG has one line for each request
hosting() {
    LOG=$PWD/log.$((${SERVERS:=0} + 1)); SERVERS=$((SERVERS + 1))
    : > "$LOG"
    "$HERE/hosting_server.py" "$LOG" "$@" > "$LOG.port" 2> "$LOG.errors" &
    SERVER=$!
    trap 'kill $(jobs -p) 2> /dev/null || :; wait' EXIT
    wait_for 10 test -s "$LOG.port"
    PL_CLOUD_URL=http://127.0.0.1:$(cat "$LOG.port"); export PL_CLOUD_URL
}
# The requests so far, without what is always the same: METHOD PATH STATUS.
requests() { python3 -c 'import json, sys
for line in open(sys.argv[1]):
    r = json.loads(line)
    path = r["path"].replace("/v1beta1/projects/demo/sites/shop", "").replace("sites%2Fshop%2Fversions%2F", "")
    if "/upload/" in path: path = "upload"
    print(r["method"], path.replace("0000000000abc00", "V"), r["status"])' "$LOG"; }
# log EXPRESSION: of the list r of requests
log() { python3 -c 'import json, sys
r = [json.loads(line) for line in open(sys.argv[1])]
print(eval(sys.argv[2]))' "$LOG" "$1"; }
site() { mkdir -p site/sub; echo '<h1>one</h1>' > site/index.html; echo 'a{}' > site/sub/a.css; echo 'b()' > site/main-ABCDEFG7.js; }
# shown [CHANNEL]: the version that the channel shows, without its zeros, or "nothing"
shown() { curl -s -H 'Authorization: Bearer t' "$PL_CLOUD_URL/v1beta1/projects/demo/sites/shop/channels/${1:-live}" |
    python3 -c 'import json, sys; print(json.load(sys.stdin).get("release", {}).get("version", {}).get("name", "nothing").split("/")[-1].lstrip("0"))'; }
deploy() { pl-firebase-deploy "$@" site; }
record() { "$HERE/make_directory.py" "$PL_STORE" "$@"; } # record DIR: the record of pl-build for it
config() { # config REWRITES-JSON: a site whose firebase.json has them from line 3 on
    mkdir -p site; echo x > site/index.html
    printf '{"hosting": {"public": ".",\n "rewrites": [\n%s\n]}}\n' "$1" > site/firebase.json
}
