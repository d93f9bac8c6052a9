#!/usr/bin/env bash
# pl-gcp-auth from the outside: its options, what a terminal gets, what goes together.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/wire/auth.sh"

test_help() { pl-gcp-auth --help | golden gcp-auth-help.txt; }

test_what_does_not_go_together() {
    while read -r arguments; do
        # shellcheck disable=SC2086
        status 64 pl-gcp-auth $arguments > out 2> said < /dev/null || { echo "$arguments"; return 1; }
    done <<'END'
--check --print access-token
--print access-token --write-adc x
--docker-login us-docker.pkg.dev --check
--for run-deploy
--repo r
--audience x
--print access-token --audience x
--print id-token
--print id-token --audience x --scope y
--include-email
get --check
put
get erase
--print password
--id-token secret
--credentials {"type":"x"}
END
    status 64 pl-gcp-auth --id-token eyJhbGciOi --workload-identity-provider $PROVIDER > out 2> said
    lacks "$(cat said)" eyJhbGciOi
}

test_a_token_is_not_printed_to_a_terminal() {
    servers ok
    script -qec "pl-gcp-auth --print access-token" /dev/null > screen < /dev/null || true
    contains "$(cat screen)" "a token is not printed to a terminal"
    lacks "$(cat screen)" ya29.1
    script -qec "pl-gcp-auth --print access-token --force" /dev/null > screen < /dev/null
    contains "$(cat screen)" ya29.
}

test_github_masks_before_it_sees() {
    servers ok
    in_github
    pl-gcp-auth --print access-token > both 2>&1
    equal "$(head -1 both)" "::add-mask::federated.1"
    equal "$(tail -1 both)" federated.1
}

test_without_credentials_it_says_where_it_looked() {
    export NO_GCE_CHECK=true
    status 77 pl-gcp-auth > out 2> said
    contains "$(cat said)" "GOOGLE_APPLICATION_CREDENTIALS is not set, /nonexistent/application_default_credentials.json does not exist"
    GITHUB_ACTIONS=true status 77 pl-gcp-auth > out 2> said
    contains "$(cat said)" "permissions: id-token: write"
}

test_the_order_of_places() {
    servers ok
    user() { jq -n --arg id "$1" '{type: "authorized_user", client_id: $id, client_secret: "s", refresh_token: "r"}'; }
    asked() { : > "$LOG"; pl-gcp-auth --project p "$@" > out 2> said; jq -r 'select(.body) | .body.client_id // .body.grant_type' "$LOG" | head -1; }
    equal "$(asked)" ""
    grep -q computeMetadata "$LOG"
    mkdir gcloud; user gcloud > gcloud/application_default_credentials.json
    # gcloud's file is no business of a local cloud, but with single endpoints it counts.
    CLOUDSDK_CONFIG=$PWD/gcloud asked > /dev/null
    absent -q '"gcloud"' "$LOG"
    equal "$(unset PL_CLOUD_URL; PL_ENDPOINT_OAUTH2=$CLOUD CLOUDSDK_CONFIG=$PWD/gcloud asked)" gcloud
    user variable > variable.json; chmod 600 variable.json
    export GOOGLE_APPLICATION_CREDENTIALS=$PWD/variable.json
    equal "$(asked)" variable
    curl -sf "$CLOUD/identity" | jq -r .value > jwt
    equal "$(asked --workload-identity-provider $PROVIDER --id-token file:jwt)" urn:ietf:params:oauth:grant-type:token-exchange
    MINE=$(user option) equal "$(MINE=$(user option) asked --workload-identity-provider $PROVIDER --id-token file:jwt --credentials env:MINE)" option
}

run_tests
