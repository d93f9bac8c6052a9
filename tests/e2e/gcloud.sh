# shellcheck shell=bash
# Sourced by tests that use Google's gcloud on the local cloud, which finds this cloud everywhere and nobody else.

# What pl-local exports, for a front that stands before it ($PL_CLOUD_URL), too.
use_gcloud() {
    command -v gcloud > /dev/null || skip "gcloud is not installed"
    export CLOUDSDK_CONFIG=$PWD/gcloud CLOUDSDK_CORE_DISABLE_PROMPTS=1 CLOUDSDK_CORE_DISABLE_USAGE_REPORTING=1 \
        CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK=1 CLOUDSDK_CORE_CHECK_GCE_METADATA=0 TERM=dumb
    local port=${PL_CLOUD_URL##*:} variable
    for variable in $(compgen -e | grep '^CLOUDSDK_\(API_ENDPOINT_OVERRIDES_.*\|AUTH_TOKEN_HOST\)$'); do
        export "$variable=$(echo "${!variable}" | sed "s/:[0-9][0-9]*\//:$port\//")"
    done
    export CLOUDSDK_PROXY_PORT=$port
    unset CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE
}

# With an access token: loading the key for each command would take most of its time.
use_access_token() {
    curl -sf -H 'Metadata-Flavor: Google' "$PL_CLOUD_URL/computeMetadata/v1/instance/service-accounts/default/token" |
        jq -r .access_token > access_token
    export CLOUDSDK_AUTH_ACCESS_TOKEN_FILE=$PWD/access_token
}
# $GCLOUD_SDK, and the $GCLOUD_PYTHON that it is run with
find_gcloud() {
    GCLOUD_SDK=$(dirname "$(dirname "$(readlink -f "$(command -v gcloud)")")")
    GCLOUD_PYTHON=$GCLOUD_SDK/platform/bundledpythonunix/bin/python3
    [ -x "$GCLOUD_PYTHON" ] || GCLOUD_PYTHON=python3
}

# gcloud_once: from here on `gcloud` is one process, which answers every call.
gcloud_once() {
    use_gcloud
    use_access_token
    find_gcloud
    mkfifo commands answers
    "$GCLOUD_PYTHON" "$ROOT/tests/e2e/gcloud_process.py" "$GCLOUD_SDK" < commands > answers 2> gcloud.log &
    exec {GCLOUD_IN}> commands {GCLOUD_OUT}< answers
    GCLOUD_FOLDER=$PWD
    gcloud() {
        local result
        jq -nc --arg folder "$GCLOUD_FOLDER" '{arguments: $ARGS.positional, out: "\($folder)/gcloud.out", error: "\($folder)/gcloud.error"}' \
            --args -- "$@" >&"$GCLOUD_IN"
        read -r result <&"$GCLOUD_OUT" || { cat "$GCLOUD_FOLDER/gcloud.log" >&2; fail "gcloud has ended"; }
        cat "$GCLOUD_FOLDER/gcloud.out"
        cat "$GCLOUD_FOLDER/gcloud.error" >&2
        return "$result"
    }
}
