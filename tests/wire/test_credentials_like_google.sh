#!/usr/bin/env bash
# The token requests of each type of credentials beside those of Google's own libraries for Python and Node, field by field.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/packages.sh"
. "$ROOT/tests/wire/auth.sh"

clients() {
    pip_packages google-auth==2.40.3 requests==2.32.4
    npm_packages google-auth-library@10.5.0
    export NODE_MODULES
}
jwt() { curl -sf "$CLOUD/identity" | jq -j .value; }
# credentials_file NAME: one of each type, for the servers
credentials_file() {
    local pool='"audience":"//iam.googleapis.com/'$PROVIDER'","token_url":"'$CLOUD'/v1/token"'
    local account='"service_account_impersonation_url":"'$CLOUD'/v1/projects/-/serviceAccounts/'$DEPLOYER':generateAccessToken"'
    local type='"subject_token_type":"urn:ietf:params:oauth:token-type:jwt"'
    local user='"type":"authorized_user","client_id":"id.apps.googleusercontent.com","client_secret":"client-secret","refresh_token":"1//refresh"'
    case $1 in
        service_account)
            openssl genrsa -out key.pem 2048 2> /dev/null
            jq -n --rawfile key key.pem --arg cloud "$CLOUD" '{type: "service_account", project_id: "demo", private_key_id: "k1", private_key: $key,
                client_email: "builder@demo.iam.gserviceaccount.com", client_id: "1", token_uri: ($cloud + "/token")}' ;;
        authorized_user) echo "{$user}" ;;
        external_account_authorized_user)
            echo '{"type":"external_account_authorized_user","audience":"//iam.googleapis.com/locations/global/workforcePools/w/providers/p","client_id":"id","client_secret":"client-secret","refresh_token":"refresh","token_url":"'"$CLOUD"'/v1/oauthtoken","token_info_url":"'"$CLOUD"'/v1/introspect"}' ;;
        impersonated_service_account)
            echo '{"type":"impersonated_service_account",'"$account"',"delegates":["projects/-/serviceAccounts/via@demo.iam.gserviceaccount.com"],"source_credentials":{'"$user"'}}' ;;
        external_account-file) jwt > jwt; echo '{"type":"external_account",'"$pool,$type"',"credential_source":{"file":"'$PWD/jwt'"}}' ;;
        external_account-file-impersonated) jwt > jwt; echo '{"type":"external_account",'"$pool,$type,$account"',"credential_source":{"file":"'$PWD/jwt'"}}' ;;
        external_account-json-file) curl -sf "$CLOUD/identity" > jwt.json; echo '{"type":"external_account",'"$pool,$type"',"credential_source":{"file":"'$PWD/jwt.json'","format":{"type":"json","subject_token_field_name":"value"}}}' ;;
        external_account-url) echo '{"type":"external_account",'"$pool,$type"',"credential_source":{"url":"'"$CLOUD"'/identity","headers":{"X-Test":"a"},"format":{"type":"json","subject_token_field_name":"value"}}}' ;;
        external_account-client) jwt > jwt; echo '{"type":"external_account",'"$pool,$type"',"client_id":"id","client_secret":"client-secret","credential_source":{"file":"'$PWD/jwt'"}}' ;;
        external_account-executable)
            jwt > jwt
            printf '#!/bin/sh\necho "{\\"version\\":1,\\"success\\":true,\\"token_type\\":\\"$GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE\\",\\"id_token\\":\\"$(cat %s/jwt)\\",\\"expiration_time\\":4102444800}"\nenv | grep ^GOOGLE_EXTERNAL | sort >> %s/environments\n' "$PWD" "$PWD" > source
            chmod 755 source
            echo '{"type":"external_account",'"$pool,$type,$account"',"credential_source":{"executable":{"command":"'"$PWD"'/source --quiet \"a b\"","timeout_millis":5000}}}' ;;
        external_account-aws) echo '{"type":"external_account",'"$pool"',"subject_token_type":"urn:ietf:params:aws:token-type:aws4_request","credential_source":{"environment_id":"aws1","regional_cred_verification_url":"https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"}}' ;;
        external_account-workforce) jwt > jwt; echo '{"type":"external_account","audience":"//iam.googleapis.com/locations/global/workforcePools/w/providers/p","token_url":"'"$CLOUD"'/v1/token","workforce_pool_user_project":"payer",'"$type"',"credential_source":{"file":"'$PWD/jwt'"}}' ;;
    esac
}
compare() { # compare TYPE: the table's lines for it
    local wrong=0
    mkdir -p "$1"; cd "$1"
    servers ok
    credentials_file "$1" > file.json; chmod 600 file.json
    export GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1 AWS_REGION=eu-central-1 AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=secret AWS_SESSION_TOKEN=session
    : > "$LOG"; GOOGLE_APPLICATION_CREDENTIALS=$PWD/file.json pl-gcp-auth --print access-token > ours.token; cp "$LOG" ours
    : > "$LOG"; "$PYTHON" "$ROOT/tests/wire/auth_client.py" file.json > python.token || wrong=1; cp "$LOG" python
    : > "$LOG"; node "$ROOT/tests/wire/auth_client.mjs" file.json > node.token || wrong=1; cp "$LOG" node
    for client in python node; do python3 "$ROOT/tests/wire/compare_auth.py" "$1" $client ours $client >> ../table || wrong=1; done
    kill %1; wait
    cd ..
    return $wrong
}

test_the_requests_are_theirs() {
    clients
    local wrong=0
    : > table
    for type in service_account authorized_user external_account_authorized_user impersonated_service_account external_account-file \
        external_account-file-impersonated external_account-json-file external_account-url external_account-client external_account-executable \
        external_account-aws external_account-workforce; do
        compare $type || wrong=1
    done
    cat table
    [ $wrong = 0 ]
    golden credentials-like-google.txt < table
}

run_tests
