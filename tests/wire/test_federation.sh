#!/usr/bin/env bash
# The local cloud's federation, request by request: pools, providers, the token exchange, what a service account does for
# whom, and what is refused in whose words.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/wire/hosting.sh"
. "$ROOT/tests/wire/discovery.sh"

NUMBER=100000000001
POOLS=/v1/projects/$NUMBER/locations/global/workloadIdentityPools
POOL=projects/$NUMBER/locations/global/workloadIdentityPools/github
PROVIDER=$POOL/providers/actions
ACCOUNT=deployer@pl-local.iam.gserviceaccount.com
MAPPING='"attributeMapping":{"google.subject":"assertion.sub","attribute.repository":"assertion.repository","attribute.owner":"assertion.repository_owner"}'
ISSUER='"oidc":{"issuerUri":"https://token.actions.githubusercontent.com"}'
CONDITION="\"attributeCondition\":\"assertion.repository_owner == 'shop'\""

# set_up: pool, provider and account, and who may act as it
set_up() {
    expect 200 POST "$POOLS?workloadIdentityPoolId=github" -d '{"displayName":"GitHub"}'
    expect 200 POST "$POOLS/github/providers?workloadIdentityPoolProviderId=actions" -d "{$MAPPING,$ISSUER,$CONDITION}"
    expect 200 POST /v1/projects/pl-local/serviceAccounts -d '{"accountId":"deployer","serviceAccount":{"displayName":"Deploys"}}'
    expect 200 POST "/v1/projects/-/serviceAccounts/$ACCOUNT:setIamPolicy" -d "{\"policy\":{\"bindings\":[{\"role\":\"roles/iam.workloadIdentityUser\",\"members\":[\"principalSet://iam.googleapis.com/$POOL/attribute.repository/shop/backend\"]}]}}"
}
# job CLAIMS: $REQUEST_URL and $REQUEST_TOKEN, as a job of GitHub Actions has them
job() {
    api POST /github/jobs -d "{\"claims\":$1}"
    [ "$STATUS" = 200 ]
    REQUEST_URL=$(get .requestUrl) REQUEST_TOKEN=$(get .requestToken)
}
# id_token [AUDIENCE]
id_token() { curl -sf -H "Authorization: Bearer $REQUEST_TOKEN" "$REQUEST_URL&audience=${1-https%3A%2F%2Fiam.googleapis.com%2F$PROVIDER}" | jq -r .value; }
# exchange STATUS TOKEN [FIELD VALUE]...: the form that Google's libraries send
exchange() {
    local want=$1 token=$2; shift 2
    declare -A field=([grant_type]=urn:ietf:params:oauth:grant-type:token-exchange [audience]=//iam.googleapis.com/$PROVIDER
        [scope]=https://www.googleapis.com/auth/cloud-platform [requested_token_type]=urn:ietf:params:oauth:token-type:access_token
        [subject_token]=$token [subject_token_type]=urn:ietf:params:oauth:token-type:jwt)
    while [ $# -gt 0 ]; do field[$1]=$2; shift 2; done
    local name arguments=()
    for name in "${!field[@]}"; do [ -z "${field[$name]}" ] || arguments+=(--data-urlencode "$name=${field[$name]}"); done
    STATUS=$(curl -s -o answer -w '%{http_code}' "$CLOUD/v1/token" "${arguments[@]}")
    [ "$STATUS" = "$want" ] || fail "$STATUS, not $want: $(cat answer)"
}
refused() { equal "$(get .error)" "$1"; equal "$(get .error_description)" "$2"; }
claims() { # of a token: the middle part
    local part; part=$(cut -d. -f2 <<< "$1" | tr _- /+)
    printf '%s' "$part$(printf '%*s' $(((4 - ${#part} % 4) % 4)) '' | tr ' ' =)" | base64 -d
}

test_from_a_job_to_a_service_account() {
    start_cloud
    set_up
    job '{"repository":"shop/backend","environment":"production"}'
    claims "$(id_token)" > answer
    equal "$(get '[.iss, .sub, .aud, .repository_owner, .ref, .job_workflow_ref, .exp - .iat] | join(" ")')" \
        "https://token.actions.githubusercontent.com repo:shop/backend:environment:production https://iam.googleapis.com/$PROVIDER shop refs/heads/main shop/backend/.github/workflows/deploy.yml@refs/heads/main 300"
    owner=$TOKEN
    exchange 200 "$(id_token)"
    equal "$(get '.token_type + " " + .issued_token_type')" "Bearer urn:ietf:params:oauth:token-type:access_token"
    [ "$(get .expires_in)" -le 300 ]
    TOKEN=$(get .access_token)
    expect 200 POST "/v1/projects/-/serviceAccounts/$ACCOUNT:generateAccessToken" -d '{"scope":["https://www.googleapis.com/auth/cloud-platform"],"lifetime":"600s","delegates":null}'
    impersonated=$(get .accessToken)
    expect 200 POST "/v1/projects/-/serviceAccounts/$ACCOUNT:generateIdToken" -d '{"audience":"https://a.example","includeEmail":true}'
    claims "$(get .token)" > answer
    equal "$(get '.aud + " " + .email + " " + .iss')" "https://a.example $ACCOUNT https://accounts.google.com"
    # The account is somebody, and may nothing until somebody says so.
    TOKEN=$impersonated expect 200 POST /v1/projects/pl-local:testIamPermissions -d '{"permissions":["run.services.create"]}'
    equal "$(get .permissions)" null
    TOKEN=$owner expect 200 POST /v1/projects/pl-local:setIamPolicy -d "{\"policy\":{\"bindings\":[{\"role\":\"roles/run.admin\",\"members\":[\"serviceAccount:$ACCOUNT\"]}]}}"
    TOKEN=$impersonated expect 200 POST /v1/projects/pl-local:testIamPermissions -d '{"permissions":["run.services.create","iam.serviceAccounts.create"]}'
    equal "$(get '.permissions | join(" ")')" run.services.create
}

test_what_the_exchange_refuses() {
    start_cloud
    set_up
    job '{"repository":"shop/backend"}'
    token=$(id_token)
    audience='Invalid value for "audience". This value should be the full resource name of the Identity Provider. See https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token for the list of possible formats.'
    for wrong in "" https://iam.googleapis.com/$PROVIDER //iam.googleapis.com/$POOL "//iam.googleapis.com/${PROVIDER/$NUMBER/pl-local}"; do
        exchange 400 "$token" audience "$wrong"
        refused invalid_request "$audience"
    done
    exchange 400 "$token" audience "//iam.googleapis.com/$POOL/providers/none"
    equal "$(get .error)" invalid_target
    exchange 400 "$(id_token https%3A%2F%2Fa.example)"
    refused invalid_grant "The audience in ID Token [https://a.example] does not match the expected audience https://iam.googleapis.com/$PROVIDER."
    exchange 200 "$(id_token "%2F%2Fiam.googleapis.com%2F$PROVIDER")"
    exchange 400 "${token%?????}AAAAA"
    refused invalid_grant "Invalid ID Token signature."
    exchange 400 "${token%.*}"
    equal "$(get .error)" invalid_grant
    exchange 400 "$TOKEN"
    contains "$(get .error_description)" "does not match the expected ones: https://token.actions.githubusercontent.com"
    exchange 400 "$token" scope ""
    equal "$(get .error)" invalid_scope
    exchange 400 "$token" grant_type password
    equal "$(get .error)" unsupported_grant_type
    exchange 400 "$token" subject_token_type urn:ietf:params:aws:token-type:aws4_request
    contains "$(get .error_description)" "OIDC tokens only"
    job '{"repository":"stranger/backend"}'
    exchange 401 "$(id_token)"
    refused unauthorized_client "The given credential is rejected by the attribute condition."
    job "{\"repository\":\"shop/backend\",\"environment\":\"$(printf 'e%.0s' {1..120})\"}"
    exchange 400 "$(id_token)"
    refused invalid_grant "The size of mapped attribute google.subject exceeds the 127 bytes limit."
    equal "$(curl -s -o answer -w '%{http_code}' -H 'Authorization: Bearer x' "$REQUEST_URL&audience=a")" 401
}

test_both_encodings() {
    start_cloud
    set_up
    job '{"repository":"shop/backend"}'
    body=$(jq -nc --arg token "$(id_token)" --arg audience "//iam.googleapis.com/$PROVIDER" '{grantType: "urn:ietf:params:oauth:grant-type:token-exchange",
        $audience, scope: "https://www.googleapis.com/auth/cloud-platform", requestedTokenType: "urn:ietf:params:oauth:token-type:access_token",
        subjectToken: $token, subjectTokenType: "urn:ietf:params:oauth:token-type:jwt"}')
    expect 200 POST /v1/token -d "$body"
    [ -n "$(get .access_token)" ]
    expect 400 POST /v1/token -d '{'
    refused invalid_request "Invalid JSON payload received."
}

test_who_may_act_as_an_account() {
    start_cloud
    set_up
    job '{"repository":"shop/frontend"}'
    exchange 200 "$(id_token)"
    TOKEN=$(get .access_token)
    expect 403 POST "/v1/projects/-/serviceAccounts/$ACCOUNT:generateAccessToken" -d '{"scope":["https://www.googleapis.com/auth/cloud-platform"]}'
    equal "$(get .error.message)" "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist)."
    equal "$(get '.error.details[0].reason + " " + .error.details[0].metadata.permission')" "IAM_PERMISSION_DENIED iam.serviceAccounts.getAccessToken"
    expect 403 POST "$POOLS?workloadIdentityPoolId=another" -d '{}'
    contains "$(get .error.message)" "Permission 'iam.workloadIdentityPools.create' denied"
}

run_tests
