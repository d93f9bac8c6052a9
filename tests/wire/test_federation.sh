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
# new_key: key.pem, and its JSON Web Key Set in $KEYS
new_key() {
    local modulus
    openssl genrsa -out key.pem 2048 2> /dev/null
    modulus=$(openssl rsa -in key.pem -noout -modulus | cut -d= -f2 | python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read().strip()))' | part)
    KEYS=$(jq -nc --arg n "$modulus" '{keys: [{kty: "RSA", alg: "RS256", use: "sig", kid: "one", $n, e: "AQAB"}]}')
}
part() { base64 -w0 | tr '+/' '-_' | tr -d =; }
signed() { # signed CLAIMS [KID]
    local text; text=$(printf '{"alg":"RS256","kid":"%s"}' "${2:-one}" | part).$(printf '%s' "$1" | part)
    printf '%s.%s' "$text" "$(printf '%s' "$text" | openssl dgst -sha256 -sign key.pem | part)"
}
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

test_forged_and_borrowed_tokens() {
    start_cloud
    set_up
    job '{"repository":"shop/backend"}'
    token=$(id_token)
    body=$(cut -d. -f2 <<< "$token") signature=$(cut -d. -f3 <<< "$token")
    kid=$(cut -d. -f1 <<< "$token" | tr _- /+ | base64 -d 2> /dev/null | jq -r .kid || true)
    for algorithm in none HS256 RS512 ES256; do
        exchange 400 "$(printf '{"alg":"%s","kid":"%s"}' $algorithm "$kid" | part).$body.$signature"
        equal "$(get .error)" invalid_grant
        contains "$(get .error_description)" "takes RS256 only"
    done
    exchange 400 "$(printf '{"alg":"RS256"}' | part).$body.$signature"
    contains "$(get .error_description)" "has no key"
    other=$(claims "$token" | sed 's|repo:shop/backend|repo:shop/secrets|' | part)
    exchange 400 "${token%%.*}.$other.$signature"
    refused invalid_grant "Invalid ID Token signature."
    # A token of one kind is good for nothing else.
    for borrowed in "$TOKEN" "$REQUEST_TOKEN" "$(jq -r .refresh_token cloud/user.json)"; do exchange 400 "$borrowed"; done
    exchange 200 "$token"
    federated=$(get .access_token)
    for borrowed in "$token" "$REQUEST_TOKEN" "$(jq -r .refresh_token cloud/user.json)"; do
        TOKEN=$borrowed expect 401 GET /v1/projects/pl-local/serviceAccounts
    done
    for borrowed in "$token" "$TOKEN" "$federated"; do
        equal "$(curl -s -o answer -w '%{http_code}' -H "Authorization: Bearer $borrowed" "$REQUEST_URL&audience=a")" 401
    done
    # Only who runs the cloud says what a job is.
    TOKEN=$federated expect 403 POST /github/jobs -d '{"claims":{"repository":"shop/secrets"}}'
    # Too long, and nothing that is no text.
    exchange 400 "$(head -c 20000 /dev/zero | tr '\0' a)"
    equal "$(curl -s -o answer -w '%{http_code}' -d "subject_token=$(head -c 70000 /dev/zero | tr '\0' a)" "$CLOUD/v1/token")" 413
    expect 400 POST /v1/token -d '{"grantType":["x"],"audience":{}}'
}

test_a_users_refresh_token() {
    start_cloud
    ask() { curl -s -o answer -w '%{http_code}' "$CLOUD/token" -d "grant_type=refresh_token&client_id=$1&client_secret=$2&refresh_token=$3"; }
    id=$(jq -r .client_id cloud/user.json) secret=$(jq -r .client_secret cloud/user.json) token=$(jq -r .refresh_token cloud/user.json)
    equal "$(stat -c %a cloud/user.json)" 600
    equal "$(ask "$id" "$secret" "$token")" 200
    TOKEN=$(get .access_token) expect 200 GET /v1/projects/pl-local/serviceAccounts
    # The STS has the same for external accounts, with the client as HTTP Basic.
    equal "$(curl -s -o answer -w '%{http_code}' -u "$id:$secret" "$CLOUD/v1/oauthtoken" -d "grant_type=refresh_token&refresh_token=$token")" 200
    equal "$(curl -s -o answer -w '%{http_code}' -u "$id:x" "$CLOUD/v1/oauthtoken" -d "grant_type=refresh_token&refresh_token=$token")" 401
    equal "$(ask "$id" wrong "$token")" 401
    equal "$(get .error)" invalid_client
    equal "$(ask "$id" "$secret" "${token%????}AAAA")" 400
    equal "$(get .error)" invalid_grant
    equal "$(ask "$id" "$secret" "$TOKEN")" 400
    GOOGLE_APPLICATION_CREDENTIALS=$PWD/cloud/user.json PL_CLOUD_URL=$CLOUD pl-gcp-auth -q -o json --project pl-local > record
    equal "$(jq -r .kind record)" authorized_user
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

test_one_command_makes_a_job_of_a_repository() {
    start_cloud
    eval "$(pl-local federation --repository shop/backend --claim environment=production)"
    [ -z "${GOOGLE_APPLICATION_CREDENTIALS:-}" ]
    equal "$PL_IMPERSONATE_SERVICE_ACCOUNT" "$ACCOUNT"
    REQUEST_URL=$ACTIONS_ID_TOKEN_REQUEST_URL REQUEST_TOKEN=$ACTIONS_ID_TOKEN_REQUEST_TOKEN PROVIDER=$PL_WORKLOAD_IDENTITY_PROVIDER
    claims "$(id_token)" > answer
    equal "$(get .sub)" repo:shop/backend:environment:production
    exchange 200 "$(id_token)"
    eval "$(pl-local federation --repository shop/backend/app --issuer gitlab --claim ref=v1 --claim ref_type=tag)"
    equal "$PL_ID_TOKEN" env:GITLAB_OIDC_TOKEN
    claims "$GITLAB_OIDC_TOKEN" > answer
    equal "$(get '.iss + " " + .sub')" "https://gitlab.com project_path:shop/backend/app:ref_type:tag:ref:v1"
    PROVIDER=$PL_WORKLOAD_IDENTITY_PROVIDER
    exchange 200 "$GITLAB_OIDC_TOKEN"
    pl-local status > said
    grep -q "^provider  .*/workloadIdentityPools/github/providers/shop-repos  https://token.actions.githubusercontent.com  active$" said
    grep -q "^account  $ACCOUNT$" said
    # A second repository keeps the first one's rights.
    pl-local federation --repository Other_Owner/x > again
    expect 200 POST "/v1/projects/-/serviceAccounts/$ACCOUNT:getIamPolicy"
    equal "$(get '.bindings[0].members | length')" 3
    contains "$(cat again)" providers/other-owner-repos
    for wrong in "" x "a b/c" "a/b'; touch x; '"; do status 64 pl-local federation --repository "$wrong" 2> error; done
    status 64 pl-local federation --repository a/b --claim environment 2> error
    contains "$(cat error)" "--claim takes NAME=VALUE"
    contains "$(pl-local env --unset)" ACTIONS_ID_TOKEN_REQUEST_TOKEN
    pl-local stop 2> /dev/null
    status 69 pl-local federation --repository a/b 2> error
}

test_tokens_can_live_for_seconds() {
    start_cloud --token-lifetime 5
    set_up
    job '{"repository":"shop/backend"}'
    token=$(id_token)
    claims "$token" > answer
    equal "$(get '.exp - .iat')" 5
    exchange 200 "$token"
    TOKEN=$(get .access_token)
    [ "$(get .expires_in)" -le 5 ]
    api POST "/v1/projects/-/serviceAccounts/$ACCOUNT:testIamPermissions" -d '{"permissions":["iam.serviceAccounts.getAccessToken"]}'
    has_ended() { api POST "/v1/projects/-/serviceAccounts/$ACCOUNT:testIamPermissions" -d '{}'; [ "$STATUS" = 401 ]; }
    wait_for 20 has_ended
    exchange 400 "$token"
    contains "$(get .error_description)" "is stale to sign-in."
}

test_pools_and_providers() {
    start_cloud
    set_up
    expect 200 GET "/v1/$POOL/operations/abc"
    equal "$(get '.done')" true
    expect 409 POST "$POOLS?workloadIdentityPoolId=github" -d '{}'
    for id in "" abc Upper gcp-pool -abc "$(printf 'a%.0s' {1..33})"; do expect 400 POST "$POOLS?workloadIdentityPoolId=$id" -d '{}'; done
    expect 200 GET "$POOLS"
    equal "$(get '.workloadIdentityPools[0] | .name + " " + .state + " " + .displayName')" "$POOL ACTIVE GitHub"
    expect 200 PATCH "/v1/$POOL?updateMask=displayName,disabled" -d '{"displayName":"Other","disabled":true}'
    job '{"repository":"shop/backend"}'
    exchange 400 "$(id_token)"
    equal "$(get .error)" invalid_target
    expect 200 PATCH "/v1/$POOL?updateMask=disabled" -d '{}'
    exchange 200 "$(id_token)"
    expect 400 PATCH "/v1/$POOL?updateMask=name" -d '{"name":"x"}'
    expect 200 PATCH "/v1/$PROVIDER?updateMask=oidc.allowed_audiences" -d '{"oidc":{"allowedAudiences":["https://a.example"]}}'
    expect 200 GET "/v1/$PROVIDER"
    equal "$(get '.oidc.allowedAudiences[0] + " " + .oidc.issuerUri')" "https://a.example https://token.actions.githubusercontent.com"
    exchange 400 "$(id_token)"
    exchange 200 "$(id_token https%3A%2F%2Fa.example)"
    expect 200 DELETE "/v1/$PROVIDER"
    expect 400 DELETE "/v1/$PROVIDER"
    exchange 400 "$(id_token https%3A%2F%2Fa.example)"
    expect 200 GET "/v1/$POOL/providers"
    equal "$(get .workloadIdentityPoolProviders)" null
    expect 200 GET "/v1/$POOL/providers?showDeleted=true"
    equal "$(get '.workloadIdentityPoolProviders[0].state')" DELETED
    expect 200 POST "/v1/$PROVIDER:undelete" -d '{}'
    pl-local stop 2> /dev/null; pl-local start > environment 2> /dev/null
    exchange 200 "$(id_token https%3A%2F%2Fa.example)"
    expect 404 GET "/v1/$POOL/providers/none"
    expect 403 GET "${POOLS/$NUMBER/other-project}"
}

test_what_a_provider_must_be() {
    start_cloud
    set_up
    provider() { expect 400 POST "/v1/$POOL/providers?workloadIdentityPoolProviderId=wrong" -d "$1"; contains "$(get .error.message)" "$2"; }
    provider "{$MAPPING,$ISSUER}" "The attribute condition must reference one of the provider's claims."
    provider "{$MAPPING,$ISSUER,\"attributeCondition\":\"true\"}" "The attribute condition must reference one of the provider's claims."
    provider "{$MAPPING,$CONDITION}" "oidc"
    provider "{$MAPPING,$CONDITION,\"aws\":{\"accountId\":\"1\"}}" "OIDC only"
    provider "{$MAPPING,$CONDITION,\"oidc\":{\"issuerUri\":\"http://a.example\"}}" "https"
    provider "{$ISSUER,$CONDITION}" "must map google.subject"
    provider "{$ISSUER,$CONDITION,\"attributeMapping\":{\"google.subject\":\"assertion.sub\",\"attribute.Bad\":\"assertion.sub\"}}" "Invalid mapped attribute key: attribute.Bad"
    provider "{$ISSUER,$CONDITION,\"attributeMapping\":{\"google.subject\":\"assertion.sub.reverse()\"}}" "the local cloud does not know the function: \"reverse\""
    provider "{$MAPPING,$ISSUER,\"attributeCondition\":\"request.time < 1\"}" "of variables there are assertion, google and attribute only: \"request\""
}

test_keys_of_another_issuer() {
    start_cloud
    expect 200 POST "$POOLS?workloadIdentityPoolId=github" -d '{}'
    new_key
    expect 200 POST "/v1/$POOL/providers?workloadIdentityPoolProviderId=actions" -d "$(jq -nc --arg keys "$KEYS" '{attributeMapping: {"google.subject": "assertion.sub"}, oidc: {issuerUri: "https://ci.example", jwksJson: $keys, allowedAudiences: ["us"]}}')"
    now=$(date +%s)
    exchange 200 "$(signed "{\"iss\":\"https://ci.example\",\"sub\":\"me\",\"aud\":\"us\",\"iat\":$now,\"exp\":$((now + 600))}")"
    exchange 400 "$(signed "{\"iss\":\"https://ci.example\",\"sub\":\"me\",\"aud\":\"us\",\"iat\":$now,\"exp\":$((now + 600))}" two)"
    contains "$(get .error_description)" 'has no key "two"'
    exchange 400 "$(signed "{\"iss\":\"https://ci.example\",\"aud\":\"us\",\"iat\":$now,\"exp\":$((now + 600))}")"
    refused invalid_grant "Could not obtain a value for google.subject from the given credential."
    exchange 400 "$(signed "{\"iss\":\"https://ci.example\",\"sub\":\"me\",\"aud\":\"us\",\"iat\":$now,\"exp\":$((now + 90000))}")"
    contains "$(get .error_description)" "24 hours"
    exchange 400 "$(signed "{\"iss\":\"https://ci.example\",\"sub\":\"me\",\"aud\":\"us\",\"iat\":$((now + 600)),\"exp\":$((now + 900))}")"
    contains "$(get .error_description)" "is in the future"
}

test_an_issuer_on_this_machine_is_asked_for_its_keys() {
    start_cloud
    expect 200 POST "$POOLS?workloadIdentityPoolId=github" -d '{}'
    new_key
    mkdir -p site/.well-known
    (cd site && exec python3 -u -m http.server --bind 127.0.0.1 0 > ../served 2>&1) & server=$!
    trap 'kill $server; pl-local stop 2> /dev/null' EXIT
    wait_for 10 grep -q 'port [0-9]' served
    issuer=http://127.0.0.1:$(sed -n 's/.*port \([0-9]*\).*/\1/p' served)
    expect 200 POST "/v1/$POOL/providers?workloadIdentityPoolProviderId=actions" -d "{\"attributeMapping\":{\"google.subject\":\"assertion.sub\"},\"oidc\":{\"issuerUri\":\"$issuer\",\"allowedAudiences\":[\"us\"]}}"
    token=$(signed "{\"iss\":\"$issuer\",\"sub\":\"me\",\"aud\":\"us\",\"iat\":$(date +%s),\"exp\":$(($(date +%s) + 600))}")
    exchange 400 "$token"
    contains "$(get .error_description)" "Error connecting to the given credential's issuer"
    configure() { printf '{"issuer":"%s","jwks_uri":"%s"}' "$1" "$2" > site/.well-known/openid-configuration; }
    printf '%s' "$KEYS" > site/keys
    configure "$issuer/" "$issuer/keys"
    exchange 400 "$token"
    contains "$(get .error_description)" "another issuer"
    configure "$issuer" "https://a.example/keys"
    exchange 400 "$token"
    contains "$(get .error_description)" "is not on this machine"
    configure "$issuer" "$issuer/keys"
    exchange 200 "$token"
    kill $server
    trap 'pl-local stop 2> /dev/null' EXIT
    exchange 400 "$token"
}

test_service_accounts_keys_and_signatures() {
    start_cloud
    set_up
    expect 409 POST /v1/projects/pl-local/serviceAccounts -d '{"accountId":"deployer"}'
    expect 400 POST /v1/projects/pl-local/serviceAccounts -d '{"accountId":"x"}'
    expect 200 GET /v1/projects/pl-local/serviceAccounts
    equal "$(get '.accounts | length')" 2
    expect 200 POST "/v1/projects/pl-local/serviceAccounts/$ACCOUNT/keys" -d '{}'
    get .privateKeyData | base64 -d > key.json
    equal "$(jq -r '.type + " " + .client_email' key.json)" "service_account $ACCOUNT"
    id=$(jq -r .private_key_id key.json)
    GOOGLE_APPLICATION_CREDENTIALS=$PWD/key.json PL_CLOUD_URL=$CLOUD pl-gcp-auth -q -o ref --project pl-local > principal
    equal "$(cat principal)" "$ACCOUNT"
    expect 200 DELETE "/v1/projects/pl-local/serviceAccounts/$ACCOUNT/keys/$id"
    status 77 env GOOGLE_APPLICATION_CREDENTIALS="$PWD/key.json" PL_CLOUD_URL="$CLOUD" pl-gcp-auth -q --project pl-local > said 2>&1
    expect 200 POST "/v1/projects/-/serviceAccounts/$ACCOUNT:signBlob" -d "{\"payload\":\"$(printf hello | base64)\"}"
    kid=$(get .keyId)
    get .signedBlob | base64 -d > signature
    expect 200 POST "/v1/projects/-/serviceAccounts/$ACCOUNT:signJwt" -d '{"payload":"{\"sub\":\"x\"}"}'
    equal "$(claims "$(get .signedJwt)")" '{"sub":"x"}'
    curl -sf "$CLOUD/service_accounts/v1/jwk/$ACCOUNT" > answer
    equal "$(get '.keys[0].kid')" "$kid"
    expect 400 POST "/v1/projects/pl-local/serviceAccounts/$ACCOUNT:generateAccessToken" -d '{"scope":["a"]}'
    expect 400 POST "/v1/projects/-/serviceAccounts/$ACCOUNT:generateAccessToken" -d '{}'
    expect 400 POST "/v1/projects/-/serviceAccounts/$ACCOUNT:generateAccessToken" -d '{"scope":["a"],"lifetime":"3601s"}'
    equal "$(get .error.message)" "The access token lifetime cannot exceed 3600 seconds."
    expect 404 POST /v1/projects/-/serviceAccounts/none@pl-local.iam.gserviceaccount.com:generateAccessToken -d '{"scope":["a"]}'
    expect 200 POST "/v1/projects/pl-local/serviceAccounts/$ACCOUNT:disable"
    expect 400 POST "/v1/projects/-/serviceAccounts/$ACCOUNT:generateAccessToken" -d '{"scope":["a"]}'
    expect 200 DELETE "/v1/projects/pl-local/serviceAccounts/$ACCOUNT"
    expect 404 GET "/v1/projects/pl-local/serviceAccounts/$ACCOUNT"
}

test_delegates_go_hop_by_hop() {
    start_cloud
    set_up
    expect 200 POST /v1/projects/pl-local/serviceAccounts -d '{"accountId":"middle"}'
    middle=middle@pl-local.iam.gserviceaccount.com
    expect 200 POST "/v1/projects/-/serviceAccounts/$middle:setIamPolicy" -d "{\"policy\":{\"bindings\":[{\"role\":\"roles/iam.serviceAccountTokenCreator\",\"members\":[\"principalSet://iam.googleapis.com/$POOL/*\"]}]}}"
    job '{"repository":"shop/frontend"}'
    exchange 200 "$(id_token)"
    owner=$TOKEN TOKEN=$(get .access_token)
    ask="{\"scope\":[\"a\"],\"delegates\":[\"projects/-/serviceAccounts/$middle\"]}"
    expect 403 POST "/v1/projects/-/serviceAccounts/$ACCOUNT:generateAccessToken" -d "$ask"
    TOKEN=$owner expect 200 POST "/v1/projects/-/serviceAccounts/$ACCOUNT:setIamPolicy" -d "{\"policy\":{\"bindings\":[{\"role\":\"roles/iam.serviceAccountTokenCreator\",\"members\":[\"serviceAccount:$middle\"]}]}}"
    expect 200 POST "/v1/projects/-/serviceAccounts/$ACCOUNT:generateAccessToken" -d "$ask"
    expect 403 POST "/v1/projects/-/serviceAccounts/$ACCOUNT:generateAccessToken" -d '{"scope":["a"]}'
}

test_policies() {
    start_cloud
    set_up
    expect 200 POST /v1/projects/pl-local:getIamPolicy -d '{}'
    equal "$(get '.bindings[0] | .role + " " + .members[0]')" "roles/owner serviceAccount:developer@pl-local.iam.gserviceaccount.com"
    etag=$(get .etag)
    binding() { printf '{"policy":{"etag":"%s","bindings":[{"role":"%s","members":["%s"]%s}]}}' "$etag" "$1" "$2" "${3:-}"; }
    expect 200 POST /v1/projects/pl-local:setIamPolicy -d "$(binding roles/run.admin user:a@b.example)"
    expect 409 POST /v1/projects/pl-local:setIamPolicy -d "$(binding roles/run.viewer user:a@b.example)"
    equal "$(get .error.status)" ABORTED
    etag=
    expect 400 POST /v1/projects/pl-local:setIamPolicy -d "$(binding run.viewer user:a@b.example)"
    expect 400 POST /v1/projects/pl-local:setIamPolicy -d "$(binding roles/run.viewer somebody)"
    expect 400 POST /v1/projects/pl-local:setIamPolicy -d "$(binding roles/run.viewer user:a@b.example ',"condition":{"expression":"true"}')"
    # Whoever runs the cloud stays its owner.
    expect 200 POST /v1/projects/pl-local:testIamPermissions -d '{"permissions":["resourcemanager.projects.setIamPolicy"]}'
    equal "$(get '.permissions | length')" 1
    expect 404 POST "/v1/projects/pl-local/serviceAccounts/none@pl-local.iam.gserviceaccount.com:getIamPolicy"
}

test_zz_every_reply_is_valid_by_googles_discovery_document() {
    grep -v '"path":"/github/jobs' "$WORK/exchanges" > replies
    [ -s replies ]
    valid_by_discovery --replies replies
}

run_tests
