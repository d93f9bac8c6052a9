# Sourced by tests that use firebase-tools against the local cloud ($CLOUD, $PORT of tests/wire/hosting.sh).
. "$ROOT/tests/packages.sh"

# firebase ARGUMENTS: nothing but the cloud is asked; what the tool would fetch from its makers goes to a port where nobody
# listens. Its words are in tool.log.
firebase() {
    npm_packages firebase-tools@15.34.2
    local variable settings=()
    for variable in FIREBASE_HOSTING_API_URL FIREBASE_API_URL FIREBASE_RESOURCEMANAGER_URL FIREBASE_SERVICE_USAGE_URL \
        FIREBASE_FUNCTIONS_URL FIREBASE_FUNCTIONS_V2_URL CLOUD_RUN_URL CLOUD_RUN_API_URL FIREBASE_AUTH_MANAGEMENT_URL \
        FIREBASE_IDENTITY_URL FIREBASE_TOKEN_URL; do settings+=("$variable=${API:-$CLOUD}"); done
    env -u GOOGLE_APPLICATION_CREDENTIALS "${settings[@]}" "FIREBASE_HOSTING_URL=http://localhost:$PORT" FIREBASE_REALTIME_URL=http://localhost:1 \
        GCE_METADATA_HOST="127.0.0.1:$PORT" CI=true XDG_CONFIG_HOME="$PWD/config" NO_UPDATE_NOTIFIER=1 FIREBASE_CLI_DISABLE_ANALYTICS=1 \
        node "$NODE_MODULES/firebase-tools/lib/bin/firebase.js" "$@" --project pl-local --non-interactive > tool.log 2>&1 ||
        { tail -n 40 tool.log; return 1; }
}
