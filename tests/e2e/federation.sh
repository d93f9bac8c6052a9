# shellcheck shell=bash
# Sourced by tests of federation with clients that nobody here wrote: credentials files, and gcloud kept on this machine.

# recorded_cloud [OPTIONS]: a local cloud of the test's own, behind something that writes every exchange to $WORK/exchanges;
# $DIRECT is its URL without that.
recorded_cloud() {
    cloud "$@"
    "$ROOT/tests/e2e/recording_front.py" "$PL_CLOUD_URL" "$WORK/exchanges" > front & front=$!
    trap 'kill $front; pl-local stop -q' EXIT
    wait_for 10 test -s front
    DIRECT=$PL_CLOUD_URL PL_CLOUD_URL=$(cat front) KEY=$GOOGLE_APPLICATION_CREDENTIALS
}
# federated_cloud [OPTIONS]: such a one, and this shell a job of shop/backend.
federated_cloud() {
    recorded_cloud "$@"
    eval "$(pl-local federation -q --repository shop/backend)"
    PL_CLOUD_URL=$(cat front)
}

# external_account FILE [ACCOUNT]: what google-github-actions/auth writes, with this cloud's URLs; ACCOUNT "": no impersonation
external_account() {
    jq -n --arg cloud "$PL_CLOUD_URL" --arg provider "$PL_WORKLOAD_IDENTITY_PROVIDER" --arg account "${2-$PL_IMPERSONATE_SERVICE_ACCOUNT}" \
        --arg url "$ACTIONS_ID_TOKEN_REQUEST_URL" --arg token "$ACTIONS_ID_TOKEN_REQUEST_TOKEN" \
        '{type: "external_account", audience: "//iam.googleapis.com/\($provider)", subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
          token_url: "\($cloud)/v1/token",
          credential_source: {url: "\($url)&audience=\("https://iam.googleapis.com/\($provider)" | @uri)", headers: {Authorization: "Bearer \($token)"},
                              format: {type: "json", subject_token_field_name: "value"}}}
         + (if $account == "" then {} else {service_account_impersonation_url: "\($cloud)/v1/projects/-/serviceAccounts/\($account):generateAccessToken"} end)' > "$1"
}
