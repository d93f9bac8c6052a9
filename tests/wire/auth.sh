# Sourced by tests of credentials: the servers that a sign-in asks (auth_server.py), and the set-ups that lead there.
export CLOUDSDK_CONFIG=/nonexistent
unset GOOGLE_CLOUD_PROJECT GCLOUD_PROJECT CLOUDSDK_CORE_PROJECT GOOGLE_CLOUD_QUOTA_PROJECT GOOGLE_CLOUD_UNIVERSE_DOMAIN GCE_METADATA_HOST
unset PL_WORKLOAD_IDENTITY_PROVIDER PL_IMPERSONATE_SERVICE_ACCOUNT ACTIONS_ID_TOKEN_REQUEST_URL ACTIONS_ID_TOKEN_REQUEST_TOKEN
PROVIDER=projects/123/locations/global/workloadIdentityPools/ci/providers/github
DEPLOYER=deploy@demo.iam.gserviceaccount.com

# servers WORDS [NAME=VALUE...]: starts them; $LOG has one line for each request
servers() {
    LOG=$PWD/log.$((${SERVERS:=0} + 1)); SERVERS=$((SERVERS + 1))
    : > "$LOG"
    python3 "$ROOT/tests/wire/auth_server.py" "$1" "$LOG" "${@:2}" > "$LOG.port" 2> "$LOG.errors" &
    trap 'kill $(jobs -p) 2> /dev/null || :; wait' EXIT
    wait_for 10 test -s "$LOG.port"
    PORT=$(cat "$LOG.port") CLOUD=http://127.0.0.1:$(cat "$LOG.port")
    export PL_CLOUD_URL=$CLOUD
}
# in_github: as the runner sets it up for a job with id-token: write
in_github() {
    export GITHUB_ACTIONS=true ACTIONS_ID_TOKEN_REQUEST_URL="$CLOUD/github?api-version=2.0" ACTIONS_ID_TOKEN_REQUEST_TOKEN=request-token
    export PL_WORKLOAD_IDENTITY_PROVIDER=$PROVIDER
}
# Each request on lines of its own: method and path, then headers, then the body, sorted. An identity token is shown by its claims.
requests() { python3 - "$LOG" "$PORT" <<'END'
import base64, json, sys
def shown(name, value):
    if name in ("iat", "exp"): return "TIME"
    if isinstance(value, dict): return {key: shown(key, inner) for key, inner in value.items()}
    if name == "subject_token" and isinstance(value, str) and value.count(".") == 2:
        claims = json.loads(base64.urlsafe_b64decode(value.split(".")[1] + "=="))
        return "JWT for " + str(claims["aud"])
    return value.replace(sys.argv[2], "PORT") if isinstance(value, str) else value
for line in open(sys.argv[1]):
    r = json.loads(line)
    print(r["method"], r["path"].replace(sys.argv[2], "PORT"))
    for name, value in sorted(r["headers"].items()): print("  " + name + ": " + value)
    for name, value in sorted((r["body"] or {}).items()): print("  " + name + " =", json.dumps(shown(name, value), sort_keys=True))
END
}
