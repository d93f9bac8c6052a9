#!/usr/bin/env bash
# What can be set up wrongly on the way to a token, by name: each says at which hop, why, and what to type.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/wire/auth.sh"

# wrong NAME STATUS TEXT... -- COMMAND...: the command ends with the status, and its words hold each text; the words are kept for the golden file
wrong() {
    local name=$1 want=$2 text; shift 2
    local texts=(); while [ "$1" != -- ]; do texts+=("$1"); shift; done; shift
    local got=0
    "$@" > out 2> said < /dev/null || got=$?
    [ "$got" = "$want" ] || { cat said; fail "$name: exit $got, not $want"; return 1; }
    for text in "${texts[@]}"; do contains "$(cat said)" "$text" || { echo "in: $name"; return 1; }; done
    { echo "== $name ($got)"; grep -v '^::' said | sed "s|$PWD|DIR|g; s|:$PORT|:PORT|g; s|[0-9]*-[0-9]*-[0-9]*T[0-9:]*Z|TIME|; s|([0-9]* s by|(N s by|"; } >> messages
    grep -h '^pl-gcp-auth' said | sed 's/[0-9]\{3,\}/N/g' >> all
    lacks "$(cat said out)" request-token; lacks "$(cat said out)" c2VjcmV0
}
token() { pl-gcp-auth --print access-token "$@"; }
as_deployer() { token --impersonate-service-account $DEPLOYER; }
# Every message is another one.
distinct() { equal "$(sort all | uniq -d)" ""; }

test_github_and_the_pool() {
    : > all; : > messages
    while read -r word status text; do
        servers $word; in_github
        wrong $word $status "$text" -- token
    done <<'END'
id-refused 77 identity token: GitHub refuses an identity token (400)
id-html 78 identity token: the identity token of GitHub
id-none 76 identity token: the identity token of GitHub
id-cut 65 is no JWT
id-empty 65 it has 0 bytes
id-old 77 the identity token has ended
id-future 77 the identity token is of the future
sts-audience 77 providers describe github --location=global --workload-identity-pool=ci --project=123
sts-issuer 77 update-oidc github --location=global --workload-identity-pool=ci --project=123 --issuer-uri=https://token.actions.githubusercontent.com
sts-aud 77 --allowed-audiences=https://iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/ci/providers/github
sts-condition 77 sub=repo:octo/shop:ref:refs/heads/main
sts-size 77 google.subject=assertion.repository
sts-clock 77 timedatectl
sts-mapping 77 --attribute-mapping=google.subject=assertion.sub
sts-disabled 77 --no-disabled
sts-signature 77 --format='value(oidc)'
sts-html 78 pool admission: the identity token cannot be exchanged
sts-text 76 the answer is no JSON object
sts-none 76 access_token
sts-down 75 run the same command again
END
    servers ok; in_github
    ACTIONS_ID_TOKEN_REQUEST_URL='' wrong no-permission 78 "id-token: write" -- token
    GITHUB_ACTIONS='' ACTIONS_ID_TOKEN_REQUEST_URL='' wrong not-github 78 "--id-token env:" -- token
    echo '{"pull_request":{"head":{"repo":{"full_name":"mallory/shop"}},"base":{"repo":{"full_name":"octo/shop"}}}}' > event.json
    GITHUB_EVENT_PATH=$PWD/event.json ACTIONS_ID_TOKEN_REQUEST_URL='' wrong fork 77 "comes from a fork" -- token
    ACTIONS_ID_TOKEN_REQUEST_URL=http://evil.example/x wrong no-tls 78 "without TLS" -- token
    wrong pool-for-provider 78 "is a pool, not a provider" "providers list" -- token --workload-identity-provider "${PROVIDER%/providers*}"
    wrong id-for-number 78 "gcloud projects describe my-project" -- token --workload-identity-provider "${PROVIDER/123/my-project}"
    wrong no-provider 78 "is no provider" -- token --workload-identity-provider github
    wrong no-account 78 "is no service account" -- token --impersonate-service-account "Deploy Bot"
    absent -q /v1/token "$LOG"
    unset PL_WORKLOAD_IDENTITY_PROVIDER
    wrong token-without-provider 64 "--workload-identity-provider PROVIDER" -- token --id-token env:ACTIONS_ID_TOKEN_REQUEST_TOKEN
    distinct
    golden wrong-federation.txt < messages
}

test_hostile_answers() {
    : > all; : > messages
    while read -r word status text; do
        servers $word; in_github
        wrong $word $status "$text" -- token
    done <<'END'
sts-deep 76 the answer is no JSON object
sts-large 76 larger
sts-dirty 76 characters that no token has
sts-negative 76 does not say when the token ends
sts-forever 76 does not say when the token ends
sts-number 76 access_token
sts-cut 76 the answer is no JSON object
END
    golden wrong-answers.txt < messages
}

test_what_is_busy_is_asked_again() {
    servers id-busy,sts-busy,iam-busy; in_github
    equal "$(as_deployer 2> /dev/null)" ya29.3
    equal "$(grep -c '"path": "/v1/token"' "$LOG")" 3
}

test_impersonation() {
    : > all; : > messages
    while read -r word status text; do
        servers $word; in_github
        wrong $word $status "$text" -- as_deployer
    done <<END
iam-denied 77 gcloud iam service-accounts add-iam-policy-binding $DEPLOYER --role=roles/iam.workloadIdentityUser --member=principalSet://iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/ci/attribute.repository/octo/shop
iam-missing 78 gcloud iam service-accounts describe $DEPLOYER
iam-off 78 gcloud services enable iamcredentials.googleapis.com
iam-long 65 allowServiceAccountCredentialLifetimeExtension
iam-past 76 expireTime
END
    distinct
    golden wrong-impersonation.txt < messages
}

adc() { export GOOGLE_APPLICATION_CREDENTIALS=$PWD/adc.json; cat > adc.json; chmod 600 adc.json; }
file() { # file NAME STATUS TEXT: of adc.json
    wrong "$1" "$2" "$3" -- token
}
external() { # external SOURCE [MEMBER...]: an external_account with this credential_source
    adc <<< '{"type":"external_account","audience":"//iam.googleapis.com/'"${AUDIENCE:-$PROVIDER}"'","subject_token_type":"urn:ietf:params:oauth:token-type:jwt","token_url":"'"${TOKEN_URL:-https://sts.googleapis.com/v1/token}"'","credential_source":'"$1"'}'
}

test_files() {
    : > all; : > messages
    servers ok
    export GOOGLE_APPLICATION_CREDENTIALS=$PWD/none.json
    file missing 78 "does not exist"
    mkdir directory; GOOGLE_APPLICATION_CREDENTIALS=$PWD/directory file directory 65 "directory"
    adc <<< '{"type":"authorized_user","client_id":"secret'; file cut-off 65 "not valid JSON"
    adc <<< '[1]'; file no-object 65 type
    adc <<< '{"type":"gdch_service_account"}'; file unknown-type 65 '"gdch_service_account" are not known'
    { printf '{"x":"'; head -c 70000 /dev/zero | tr '\0' a; printf '"}'; } | adc; file too-large 65 "larger than"
    adc <<< '{"type":"authorized_user","client_id":"i","client_secret":"s\r\n","refresh_token":"r"}'; file crlf 65 "client_secret has a control character (0x0d)"
    adc <<< '{"type":"authorized_user","client_id":"i","client_secret":"","refresh_token":"r"}'; file empty 65 "client_secret is empty"
    adc <<< '{"type":"authorized_user","client_id":"i","client_secret":"s","refresh_token":"r","universe_domain":"example.test"}'; file universe 78 "GOOGLE_CLOUD_UNIVERSE_DOMAIN=example.test"
    openssl genrsa -out key.pem 2048 2> /dev/null
    key() { jq -n --rawfile key key.pem --arg uri "${URI:-https://oauth2.googleapis.com/token}" '{type: "service_account", private_key: $key, client_email: "a@b.iam.gserviceaccount.com", token_uri: $uri}' | jq "$1" | adc; }
    key '.private_key = "-----BEGIN"'; file no-key 65 "private_key"
    key '.client_email = "a@b\r\n"'; file crlf-email 65 "client_email has a control character"
    for URI in https://evil.example/token http://oauth2.googleapis.com/token https://oauth2.googleapis.com.evil.example/token https://evilgoogleapis.com/token \
        https://oauth2.googleapis.com:8443/token https://oauth2.googleapis.com@evil.example/token https://run.googleapis.com/token 'https://oauth2.googleapis.com/token#x'; do
        key .; wrong "token_uri $URI" 78 "which is not Google's" -- token
    done
    URI=http://127.0.0.1:1/token key .; file other-local-cloud 78 "which is not Google's"
    external '{}'; file no-source 65 "none of file, url, executable"
    external '{"file":"/nonexistent/jwt"}'; file no-token-file 78 "does not exist"
    : > empty; external '{"file":"'$PWD/empty'"}'; file empty-token-file 65 "it is empty"
    echo '{"value":1}' > jwt; external '{"file":"'$PWD/jwt'","format":{"type":"json","subject_token_field_name":"value"}}'; file no-field 65 value
    external '{"file":"'$PWD/jwt'","format":{"type":"xml"}}'; file format 65 "there are text and json"
    external '{"url":"http://evil.example/"}'; file url-without-tls 78 "without TLS"
    external '{"url":"'$CLOUD/missing'"}'; file url-404 77 "answers 404"
    external '{"environment_id":"aws2"}'; file aws2 65 "only aws1"
    external '{"environment_id":"aws1","url":"http://evil.example/role","regional_cred_verification_url":"https://sts.{region}.amazonaws.com?a"}'; file aws-url 78 "not AWS's metadata server"
    external '{"environment_id":"aws1","regional_cred_verification_url":"https://sts.{region}.amazonaws.com?a"}'; AWS_REGION='' file aws-region 78 "export AWS_REGION="
    external '{"certificate":{"certificate_config_location":"/nonexistent"}}'; file no-certificate 78 "which does not exist"
    external '{"certificate":{}}'; file certificate-where 65 "needs one of"
    TOKEN_URL=https://evil.example/v1/token external '{"file":"x"}'; file token-url 78 "its token_url is https://evil.example"
    AUDIENCE=projects/123/locations/global/workloadIdentityPools/ci external '{"file":"x"}'; file audience-pool 78 "is a pool, not a provider"
    adc <<< '{"type":"impersonated_service_account","service_account_impersonation_url":"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com:signJwt"}'; file verb 65 ":generateAccessToken"
    adc <<< '{"type":"impersonated_service_account","service_account_impersonation_url":"https://evil.example/v1/projects/-/serviceAccounts/a@b:generateAccessToken"}'; file impersonation-url 78 "which is not Google's"
    adc <<< '{"type":"impersonated_service_account","service_account_impersonation_url":"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/a@b.iam.gserviceaccount.com:generateAccessToken","source_credentials":{"type":"impersonated_service_account"}}'; file nested 65 "as delegates"
    equal "$(cat "$LOG" | grep -vc missing)" 0
    distinct
    golden wrong-files.txt < messages
}

test_executables() {
    : > all; : > messages
    servers ok
    program() { { echo '#!/bin/sh'; cat; } > "$1"; chmod 755 "$1"; external '{"executable":{"command":"'"$PWD/$1"'","timeout_millis":5000}}'; }
    program none <<< 'echo x > ran'
    file not-allowed 78 "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1"
    [ ! -e ran ]
    export GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1
    answer() { program "$1" <<< "echo '$2'"; }
    program fails <<< 'echo secret >&2; exit 3'; file fails 77 "ended with 3"
    program hangs <<< 'sleep 60 & echo $! > child; wait'; file hangs 78 "within 5 s"
    wait_for 5 sh -c '! kill -0 $(cat child)'
    program rubbish <<< 'head -c 300 /dev/urandom'; file rubbish 65 "no JSON"
    program floods <<< 'yes'; file floods 78 "within 5 s"
    answer version '{"version":2,"success":true}'; file version 65 "its version is not 1"
    answer unclear '{"version":1}'; file unclear 65 "whether it has succeeded"
    answer refuses '{"version":1,"success":false,"code":"401","message":"sign in first"}'; file refuses 77 "sign in first (401)"
    answer other-type '{"version":1,"success":true,"token_type":"urn:ietf:params:oauth:token-type:saml2","saml_response":"x"}'; file other-type 65 "subject_token_type"
    answer no-token '{"version":1,"success":true,"token_type":"urn:ietf:params:oauth:token-type:jwt"}'; file no-token 65 "no token in it"
    answer old '{"version":1,"success":true,"token_type":"urn:ietf:params:oauth:token-type:jwt","id_token":"x","expiration_time":1}'; file old 77 "has ended"
    external '{"executable":{"command":"relative/path"}}'; file relative 65 "absolute path"
    external '{"executable":{"command":"/bin/x \"y"}}'; file quote 65 "a quote is not closed"
    external '{"executable":{"command":"/nonexistent/x"}}'; file missing-program 78 "/nonexistent/x"
    external '{"executable":{"command":"/bin/x","timeout_millis":1}}'; file timeout 65 "from 5000 to 120000"
    distinct
}

test_token_endpoints() {
    : > all; : > messages
    while read -r word status text; do
        servers $word
        adc <<< '{"type":"authorized_user","client_id":"i","client_secret":"s","refresh_token":"r"}'
        wrong $word $status "$text" -- token
    done <<'END'
oauth-revoked 77 gcloud auth application-default login
oauth-again 77 invalid_rapt
oauth-html 78 a page of HTML
oauth-clock 77 reasonable timeframe
END
    distinct
    servers ok
    wrong no-id-token 78 "--impersonate-service-account" -- pl-gcp-auth --print id-token --audience https://x
    wrong id-token-for-whom 64 "--audience is missing" -- pl-gcp-auth --print id-token
}

test_a_file_that_others_can_read_is_told() {
    servers ok
    adc <<< '{"type":"authorized_user","client_id":"i","client_secret":"s","refresh_token":"r"}'
    token 2> said > out
    equal "$(cat said)" ""
    chmod 644 adc.json
    token 2> said > out
    contains "$(cat said)" "chmod 600 $PWD/adc.json"
}

run_tests
