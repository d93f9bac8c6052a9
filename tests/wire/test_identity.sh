#!/usr/bin/env bash
# The local cloud's sign-in, request by request: what Firebase's SDK asks, what is refused in whose words, and who may ask.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/wire/hosting.sh"
. "$ROOT/tests/wire/discovery.sh"

toolkit() { # toolkit STATUS PATH BODY [CURL-OPTION...]
    local want=$1 path=$2 body=$3; shift 3
    STATUS=$(curl -s -o answer -D headers -w '%{http_code}' -H 'Content-Type: application/json' -d "$body" "$CLOUD/identitytoolkit.googleapis.com$path" "$@")
    log_exchange POST "$path" "$STATUS" -d "$body"
    [ "$STATUS" = "$want" ] || fail "$STATUS, not $want: $path: $(cat answer)"
}
refresh() { curl -s -o answer -w '%{http_code}' "$CLOUD/securetoken.googleapis.com/v1/token?key=k" -d "$1"; }
claims() { # of a token: the middle part
    local part; part=$(cut -d. -f2 <<< "$1" | tr _- /+)
    printf '%s' "$part$(printf '%*s' $(((4 - ${#part} % 4) % 4)) '' | tr ' ' =)" | base64 -d
}

test_signing_in_and_refreshing() {
    start_cloud
    toolkit 200 '/v1/accounts:signUp?key=k' '{"returnSecureToken":true}'
    equal "$(get '.kind + .expiresIn')" identitytoolkit#SignupNewUserResponse3600
    id=$(get .localId) token=$(get .idToken) renew=$(get .refreshToken)
    claims "$token" > answer
    equal "$(get '.iss + " " + .aud + " " + .firebase.sign_in_provider')" "https://securetoken.google.com/pl-local pl-local anonymous"
    equal "$(get '.sub + " " + .user_id')" "$id $id"
    equal "$(get '.exp - .iat')" 3600
    toolkit 200 '/v1/accounts:lookup?key=k' "{\"idToken\":\"$token\"}"
    equal "$(get '.users[0].localId')" "$id"
    lacks "$(cat answer)" refresh\"
    equal "$(refresh "grant_type=refresh_token&refresh_token=$renew")" 200
    equal "$(get '.token_type + .user_id + .project_id + .expires_in')" "Bearer${id}1000000000013600"
    [ -n "$(get .id_token)" ]
    equal "$(refresh "{\"grantType\":\"refresh_token\",\"refreshToken\":\"$renew\"}" )" 400
    pl-local stop 2> /dev/null; pl-local start > environment 2> /dev/null
    equal "$(refresh "grant_type=refresh_token&refresh_token=$renew")" 200
    toolkit 200 '/v1/accounts:update?key=k' "{\"idToken\":\"$token\",\"displayName\":\"Ann\",\"returnSecureToken\":true}"
    equal "$(claims "$(get .idToken)" | jq -r .name)" Ann
    toolkit 200 '/v1/accounts:delete?key=k' "{\"idToken\":\"$token\"}"
    toolkit 400 '/v1/accounts:lookup?key=k' "{\"idToken\":\"$token\"}"
    equal "$(get .error.message)" USER_NOT_FOUND
    equal "$(refresh "grant_type=refresh_token&refresh_token=$renew")" 400
    equal "$(get .error.message)" USER_NOT_FOUND
}

test_what_is_refused() {
    start_cloud
    toolkit 403 /v1/accounts:signUp '{}'
    for body in '{"email":"a@b.c","password":"secret"}' '{"idToken":"x"}'; do
        toolkit 400 '/v1/accounts:signUp?key=k' "$body"
        equal "$(get .error.message)" OPERATION_NOT_ALLOWED
    done
    toolkit 400 '/v1/accounts:signUp?key=k' 'not json'
    toolkit 400 '/v1/accounts:lookup?key=k' '{}'
    equal "$(get .error.message)" MISSING_ID_TOKEN
    toolkit 200 '/v1/accounts:signUp?key=k' '{}'
    token=$(get .idToken)
    for wrong in x a.b.c "${token%?????}AAAAA" "$TOKEN" "$(get .refreshToken)"; do
        toolkit 400 '/v1/accounts:lookup?key=k' "{\"idToken\":\"$wrong\"}"
        equal "$(get .error.message)" INVALID_ID_TOKEN
    done
    toolkit 404 '/v1/accounts:signInWithPassword?key=k' '{}'
    for form in "" grant_type=password "grant_type=refresh_token" "grant_type=refresh_token&refresh_token=x" "grant_type=refresh_token&refresh_token=$token"; do
        equal "$(refresh "$form")" 400
    done
    equal "$(get .error.message)" INVALID_REFRESH_TOKEN
    head -c 70000 /dev/zero | tr '\0' a > large
    toolkit 413 '/v1/accounts:signUp?key=k' @large
    # An ID token of a user is no access token of the project.
    TOKEN=$token expect 401 GET /v1beta1/projects/pl-local/sites
}

test_pages_of_this_machine_may_ask_and_no_others() {
    start_cloud
    preflight() { curl -s -o answer -D headers -w '%{http_code}' -X OPTIONS -H "Origin: $1" -H 'Access-Control-Request-Method: POST' -H 'Access-Control-Request-Headers: content-type,x-client-version' "$CLOUD/identitytoolkit.googleapis.com/v1/accounts:signUp?key=k"; }
    for origin in http://localhost:4200 "http://shop.localhost:$PORT" http://127.0.0.1:8080; do
        equal "$(preflight $origin)" 204
        equal "$(header Access-Control-Allow-Origin)" "$origin"
        lacks "$(header Access-Control-Allow-Headers)" Authorization
        toolkit 200 '/v1/accounts:signUp?key=k' '{}' -H "Origin: $origin"
        equal "$(header Access-Control-Allow-Origin)" "$origin"
    done
    for origin in https://evil.example http://localhost.evil.example null; do
        equal "$(preflight $origin)" 404
        equal "$(header Access-Control-Allow-Origin)" ""
    done
    expect 421 GET /v1beta1/sites -H 'Host: evil.example'
}

test_the_settings_need_an_access_token() {
    start_cloud
    expect 200 GET /admin/v2/projects/pl-local/config
    equal "$(get '.authorizedDomains | length')" 3
    expect 200 PATCH '/admin/v2/projects/pl-local/config?update_mask=authorizedDomains' -d '{"authorizedDomains":["localhost","a.example"]}'
    expect 200 GET /admin/v2/projects/pl-local/config
    equal "$(get '.authorizedDomains[1]')" a.example
    expect 400 PATCH /admin/v2/projects/pl-local/config -d '{"signIn":{}}'
    TOKEN=x expect 401 GET /admin/v2/projects/pl-local/config
    toolkit 200 '/v1/accounts:signUp?key=k' '{}'
    id=$(get .localId)
    expect 200 POST /v1/projects/pl-local/accounts:lookup -d "{\"localId\":[\"$id\"]}"
    equal "$(get '.users | length')" 1
    expect 200 POST /v1/projects/pl-local/accounts:query -d '{}'
    equal "$(get '.userInfo[0].localId + .recordsCount')" "${id}1"
    expect 200 POST /v1/projects/pl-local/accounts:delete -d "{\"localId\":\"$id\"}"
    expect 400 POST /v1/projects/pl-local/accounts:delete -d '{"localId":"../key"}'
    expect 404 POST /v1/projects/other/accounts:query -d '{}'
}

test_the_certificates_are_public_and_prove_the_tokens() {
    start_cloud
    toolkit 200 '/v1/accounts:signUp?key=k' '{}'
    token=$(get .idToken)
    kid=$(printf '%s==' "$(cut -d. -f1 <<< "$token" | tr _- /+)" | base64 -d 2> /dev/null | jq -r .kid)
    curl -sf "$CLOUD/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com" | jq -r --arg kid "$kid" '.[$kid]' > certificate
    openssl x509 -in certificate -pubkey -noout > public
    printf '%s' "${token%.*}" > signed
    part=$(cut -d. -f3 <<< "$token" | tr _- /+)
    printf '%s==' "$part" | base64 -d 2> /dev/null > signature
    openssl dgst -sha256 -verify public -signature signature signed
    curl -sf "$CLOUD/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com" > answer
    equal "$(get '.keys[0].kid')" "$kid"
}

test_zz_every_reply_is_valid_by_googles_discovery_document() {
    # What Firebase's SDK and tools send is not all in the document: returnSecureToken, update_mask.
    jq -c '.body = null | .path |= sub("[?].*"; "")' "$WORK/exchanges" > replies
    [ -s replies ]
    valid_by_discovery --replies replies
}

run_tests
