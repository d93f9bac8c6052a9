#!/usr/bin/env bash
# Every type of credentials against scripted servers: the exact requests, and what the tools of pl make of the tokens.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/wire/registry.sh"
. "$ROOT/tests/wire/discovery.sh"
. "$ROOT/tests/wire/auth.sh"

test_github_actions_needs_nothing_but_the_provider() {
    servers ok
    in_github
    equal "$(pl-gcp-auth --print access-token 2> said)" federated.1
    contains "$(cat said)" "::add-mask::federated.1"
    equal "$(pl-gcp-auth --print access-token --impersonate-service-account $DEPLOYER 2> /dev/null)" ya29.1
    requests | golden credentials-github.txt
    pl-gcp-auth -o json --project demo > record 2> said
    equal "$(jq -r '.type + " " + .ref + " " + .kind + " " + .origin + " " + .project' record)" \
        "credential principal://iam.googleapis.com/projects/123/locations/global/workloadIdentityPools/ci/subject/repo:octo/shop:ref:refs/heads/main external_account GitHub Actions demo"
}

test_each_hop_is_shown() {
    servers ok; in_github
    pl-gcp-auth --check --project demo --impersonate-service-account $DEPLOYER > check 2> said
    sed "s/:$PORT/:PORT/; s/\(iat\|exp\) = [0-9]*/\1 = TIME/; s/[0-9]\{4\} s,/TIME s,/" check | golden check.txt
    equal "$(cat said)" ""
    servers iam-denied,ok; in_github
    status 77 pl-gcp-auth --check --project demo --impersonate-service-account $DEPLOYER > check 2> said
    grep -qE '^pool admission +ok ' check
    grep -qE '^impersonation +NO  deploy@' check
    servers ok lacks=run.services.create+firebasehosting.sites.update; in_github
    status 77 pl-gcp-auth --check --project demo > check 2> said
    equal "$(grep -c '^API permission *NO' check)" 2
    equal "$(grep -c 'gcloud projects add-iam-policy-binding demo' check)" 2
    pl-gcp-auth --check --project demo --for push-image > check 2> said
    servers ok lacks=run.jobs.runWithOverrides; in_github
    pl-gcp-auth --check --project demo > check 2> said
    status 77 pl-gcp-auth --check --project demo --for run-job > check 2> said
    grep -qE '^API permission +NO  .*run.jobs.runWithOverrides' check
}

test_the_project() {
    servers ok
    in_github
    project() { pl-gcp-auth "$@" 2> said | jq -r .project; }
    equal "$(project)" of-the-pool
    equal "$(project --impersonate-service-account a@of-the-account.iam.gserviceaccount.com)" of-the-account
    equal "$(GOOGLE_CLOUD_PROJECT=of-the-variable project)" of-the-variable
    equal "$(GOOGLE_CLOUD_PROJECT=of-the-variable project --project of-the-option)" of-the-option
}

test_a_file_source() {
    servers ok
    curl -sf "$CLOUD/identity" | jq -r .value > jwt
    : > "$LOG"
    cat > adc.json <<END
{"type":"external_account","audience":"//iam.googleapis.com/$PROVIDER","subject_token_type":"urn:ietf:params:oauth:token-type:jwt",
"token_url":"https://sts.googleapis.com/v1/token","credential_source":{"file":"$PWD/jwt"},
"service_account_impersonation_url":"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/$DEPLOYER:generateAccessToken"}
END
    chmod 600 adc.json
    export GOOGLE_APPLICATION_CREDENTIALS=$PWD/adc.json
    equal "$(pl-gcp-auth --print access-token)" ya29.1
    requests | golden credentials-file.txt
}

test_push_and_deploy_of_a_job_in_github() {
    registry google
    container > container
    registry_port=$PORT registry_log=$LOG
    python3 "$ROOT/tests/wire/run_server.py" new run.log > run.port & wait_for 10 test -s run.port
    servers ok
    in_github
    export PL_IMPERSONATE_SERVICE_ACCOUNT=$DEPLOYER PL_ENDPOINT_REGISTRY=http://127.0.0.1:$registry_port PL_ENDPOINT_RUN=http://127.0.0.1:$(cat run.port)
    pl-push-image --repo shop --tag v1 < container 2> said | pl-run-deploy --region us-central1 --name shop -o ref > url 2>> said || { cat said; return 1; }
    equal "$(cat url)" https://shop.run.app
    contains "$(cat run.log)" '"token": "Bearer ya29.'
    absent -q computeMetadata run.log "$LOG"
    lacks "$(cat said)" ya29.
}

# … | adc: the file, which `use_adc` names
adc() { cat > adc.json; chmod 600 adc.json; }
use_adc() { export GOOGLE_APPLICATION_CREDENTIALS=$PWD/adc.json; }
user_file() { echo '{"type":"authorized_user","client_id":"i","client_secret":"s","refresh_token":"r"}'; }
key_file() { [ -e key.pem ] || openssl genrsa -out key.pem 2048 2> /dev/null; jq -n --rawfile key key.pem '{type: "service_account", project_id: "demo", private_key_id: "k1", private_key: $key, client_email: "builder@demo.iam.gserviceaccount.com", token_uri: "https://oauth2.googleapis.com/token"}'; }

test_id_tokens_of_each_type() {
    servers ok
    audience() { pl-gcp-auth --print id-token --audience https://shop.run.app "$@" | cut -d. -f2 | { read -r part; printf '%s==' "$part" | tr _- /+ | base64 -d 2> /dev/null; } | jq -r .aud; }
    equal "$(audience)" x
    grep -q 'identity?audience=https%3A%2F%2Fshop.run.app&format=standard' "$LOG"
    use_adc
    key_file | adc
    equal "$(audience)" https://shop.run.app
    user_file | adc
    equal "$(audience --impersonate-service-account $DEPLOYER --include-email)" https://shop.run.app
    unset GOOGLE_APPLICATION_CREDENTIALS; in_github
    equal "$(audience --impersonate-service-account $DEPLOYER --delegate via@demo.iam.gserviceaccount.com 2> /dev/null)" https://shop.run.app
    grep -v computeMetadata "$LOG" > filtered; LOG=$PWD/filtered
    requests | golden credentials-id-tokens.txt
}

test_another_universe_needs_no_exchange() {
    servers ok
    use_adc
    key_file | jq '.universe_domain = "example.test" | .token_uri = "https://oauth2.example.test/token"' | adc
    unset PL_CLOUD_URL
    export GOOGLE_CLOUD_UNIVERSE_DOMAIN=example.test PL_ENDPOINT_RUN=$CLOUD
    pl-gcp-auth --print access-token > token
    for part in 1 2; do cut -d. -f$part token | tr _- /+ | { read -r part; printf '%s==' "$part"; } | base64 -d 2> /dev/null > part.$part || true; done
    equal "$(jq -r '.alg + .typ + .kid' part.1)" RS256JWTk1
    equal "$(jq -r '[.iss, .sub, .scope, .exp - .iat, .aud] | map(tostring) | join(" ")' part.2)" \
        "builder@demo.iam.gserviceaccount.com builder@demo.iam.gserviceaccount.com https://www.googleapis.com/auth/cloud-platform 3600 null"
    equal "$(cat "$LOG")" ""
    GOOGLE_CLOUD_UNIVERSE_DOMAIN='evil/../x' status 78 pl-gcp-auth > out 2> said
    contains "$(cat said)" "which is no domain"
    # The addresses are those of the universe, and its files are held to it.
    external() { echo '{"type":"external_account","universe_domain":"example.test","audience":"//iam.example.test/'$PROVIDER'","subject_token_type":"urn:ietf:params:oauth:token-type:jwt","token_url":"'"$1"'","credential_source":{"file":"jwt"}}' | adc; }
    external https://sts.googleapis.com/v1/token; status 78 pl-gcp-auth > out 2> said; contains "$(cat said)" "which is not Google's (https://sts.example.test)"
    curl -sf "$CLOUD/identity" | jq -r .value > jwt
    external https://sts.example.test/v1/token; PL_ENDPOINT_STS=$CLOUD pl-gcp-auth --print access-token > token
    equal "$(cat token)" federated.1
}

test_who_pays_is_said() {
    servers ok
    use_adc
    user_file | jq '.quota_project_id = "of-the-file"' | adc
    payer() { : > "$LOG"; pl-gcp-auth --check --for run-deploy --project demo "$@" > out 2>&1; jq -r 'select(.path | endswith("testIamPermissions")) | .headers["X-Goog-User-Project"] // "nobody"' "$LOG"; }
    equal "$(payer)" of-the-file
    equal "$(GOOGLE_CLOUD_QUOTA_PROJECT=of-the-variable payer)" of-the-variable
    equal "$(GOOGLE_CLOUD_QUOTA_PROJECT=of-the-variable payer --quota-project of-the-option)" of-the-option
    status 78 pl-gcp-auth --quota-project 'a b' > out 2> said
    user_file | adc
    equal "$(payer)" nobody
    pl-gcp-auth --check --for push-image --repo shop --project demo > out 2>&1
    servers ok lacks=artifactregistry.repositories.uploadArtifacts
    status 77 pl-gcp-auth --check --for push-image --repo shop --project demo > out 2>&1
    contains "$(cat out)" "pl-push-image: may not artifactregistry.repositories.uploadArtifacts"
    contains "$(cat out)" "gcloud artifacts repositories add-iam-policy-binding shop --location=us-central1 --project=demo --role=roles/artifactregistry.writer --member=MEMBER"
}

test_after_a_401_the_whole_way_is_gone_again() {
    python3 "$ROOT/tests/wire/run_server.py" expired run.log > run.port & wait_for 10 test -s run.port
    servers ok token=t
    in_github
    export PL_IMPERSONATE_SERVICE_ACCOUNT=$DEPLOYER PL_ENDPOINT_RUN=http://127.0.0.1:$(cat run.port)
    pl-run-deploy --region us-central1 --name shop -o ref us-central1-docker.pkg.dev/demo/repo/shop@sha256:$(printf %064d 7) > url 2> said || { cat said; return 1; }
    # t.1 was refused once, and GitHub, the pool and the account were asked anew.
    equal "$(jq -r .path "$LOG" | sed 's/[?].*//' | sort | uniq -c | awk '{print $1}' | tr '\n' ' ')" "2 2 2 "
}

test_a_token_is_renewed_before_it_is_refused() {
    python3 "$ROOT/tests/wire/run_server.py" new run.log > run.port & wait_for 10 test -s run.port
    servers ok token=t. life=2
    in_github
    export PL_IMPERSONATE_SERVICE_ACCOUNT=$DEPLOYER PL_ENDPOINT_RUN=http://127.0.0.1:$(cat run.port)
    # The first token is there before the record comes, and has ended then; nobody there refuses it.
    { wait_for 10 grep -q generateAccessToken "$LOG"; sleep 2; echo "us-central1-docker.pkg.dev/demo/repo/shop@sha256:$(printf %064d 7)"; } |
        pl-run-deploy --region us-central1 --name shop -o ref > url 2> said || { cat said; return 1; }
    [ -s run.log ]
    absent -q 'Bearer t.1"' run.log
}

test_what_an_executable_is_told_and_what_it_keeps() {
    servers ok
    use_adc
    export GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1
    curl -sf "$CLOUD/identity" | jq -j .value > jwt
    cat > source <<'END'
#!/bin/sh
env | grep ^GOOGLE_EXTERNAL_ACCOUNT | sort >> "$(dirname "$0")/told"; printf '%s|' "$@" >> "$(dirname "$0")/told"; echo >> "$(dirname "$0")/told"
jq -n --rawfile jwt "$(dirname "$0")/jwt" '{version: 1, success: true, token_type: env.GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE, id_token: $jwt, expiration_time: 4102444800}' | tee "$GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE"
END
    chmod 755 source
    jq -n --arg pwd "$PWD" --arg provider //iam.googleapis.com/$PROVIDER --arg account $DEPLOYER '{type: "external_account", audience: $provider, token_url: "https://sts.googleapis.com/v1/token",
        service_account_impersonation_url: ("https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/" + $account + ":generateAccessToken"),
        service_account_impersonation: {token_lifetime_seconds: 1200},
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt", credential_source: {executable: {command: ($pwd + "/source --a \"b c\" '"'d'"'"), timeout_millis: 10000, output_file: ($pwd + "/kept")}}}' | adc
    for time in 1 2; do pl-gcp-auth --print access-token > token; done
    equal "$(sed "s|$PWD|DIR|" told)" "GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1
GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE=//iam.googleapis.com/$PROVIDER
GOOGLE_EXTERNAL_ACCOUNT_IMPERSONATED_EMAIL=$DEPLOYER
GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE=0
GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE=DIR/kept
GOOGLE_EXTERNAL_ACCOUNT_TOKEN_TYPE=urn:ietf:params:oauth:token-type:jwt
--a|b c|d|"
    equal "$(jq -r 'select(.path | endswith(":generateAccessToken")) | .body.lifetime' "$LOG" | sort -u)" 1200s
    # What it has kept is used until it ends.
    jq '.expiration_time = 1' kept > old && mv old kept
    pl-gcp-auth --print access-token > token
    equal "$(grep -c INTERACTIVE told)" 2
}

test_aws_from_its_metadata_server() {
    servers ok
    use_adc
    unset AWS_REGION AWS_DEFAULT_REGION AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
    echo '{"type":"external_account","audience":"//iam.googleapis.com/'$PROVIDER'","subject_token_type":"urn:ietf:params:aws:token-type:aws4_request","token_url":"https://sts.googleapis.com/v1/token",
        "credential_source":{"environment_id":"aws1","region_url":"'$CLOUD'/aws/zone","url":"'$CLOUD'/aws/roles","imdsv2_session_token_url":"'$CLOUD'/aws/token","regional_cred_verification_url":"https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"}}' | adc
    equal "$(pl-gcp-auth --print access-token)" federated.1
    equal "$(jq -r '.method + " " + .path + " " + (.headers["X-aws-ec2-metadata-token"] // "")' "$LOG")" "PUT /aws/token 
GET /aws/zone session
GET /aws/roles session
GET /aws/roles/builder session
POST /v1/token "
    # The signature is AWS's own: botocore makes the same from the same.
    pip_packages botocore==1.40.0
    "$PYTHON" - "$LOG" <<'END'
import json, sys, urllib.parse, datetime
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
sent = json.loads(urllib.parse.unquote([json.loads(line) for line in open(sys.argv[1])][-1]["body"]["subject_token"]))
headers = {h["key"]: h["value"] for h in sent["headers"]}
assert sent["url"] == "https://sts.eu-central-1.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15" and sent["method"] == "POST", sent
signer = SigV4Auth(Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "sessiontoken"), "sts", "eu-central-1")
request = AWSRequest("POST", sent["url"], headers={k: v for k, v in headers.items() if k in ("x-amz-date", "x-amz-security-token", "x-goog-cloud-target-resource")})
request.context["timestamp"] = headers["x-amz-date"]
request.context["payload_signing_enabled"] = True
canonical = signer.canonical_request(request)
signature = signer.signature(signer.string_to_sign(request, canonical), request)
assert headers["Authorization"].endswith("Signature=" + signature), (headers["Authorization"], canonical)
END
}

test_a_certificate_by_mutual_tls() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=test-ca 2> /dev/null
    issue() { openssl req -newkey rsa:2048 -nodes -keyout $1.key -out $1.csr -subj "/CN=$1" 2> /dev/null
        openssl x509 -req -in $1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out $1.pem -extfile <(echo "subjectAltName=IP:127.0.0.1") 2> /dev/null; }
    issue server; issue workload
    servers ok tls=server ca=ca.pem
    use_adc
    jq -n --arg pwd "$PWD" '{cert_configs: {workload: {cert_path: ($pwd + "/workload.pem"), key_path: ($pwd + "/workload.key")}}}' > certificate_config.json
    jq -n --arg pwd "$PWD" --arg provider //iam.googleapis.com/$PROVIDER '{type: "external_account", audience: $provider, token_url: "https://sts.mtls.googleapis.com/v1/token",
        subject_token_type: "urn:ietf:params:oauth:token-type:mtls", credential_source: {certificate: {certificate_config_location: ($pwd + "/certificate_config.json"), trust_chain_path: ($pwd + "/ca.pem")}}}' | adc
    export PL_ENDPOINT_STS=https://127.0.0.1:$PORT CURL_CA_BUNDLE=$PWD/ca.pem
    equal "$(pl-gcp-auth --print access-token)" federated.1
    jq -r 'select(.path == "/v1/token") | .body.subject_token' "$LOG" | jq -r '.[]' > chain
    equal "$(sed -n 1p chain)" "$(openssl x509 -in workload.pem -outform DER | base64 -w0)"
    equal "$(sed -n 2p chain)" "$(openssl x509 -in ca.pem -outform DER | base64 -w0)"
    equal "$(wc -l < chain)" 2
    rm workload.pem; status 65 pl-gcp-auth > out 2> said
}

test_zz_every_request_is_valid_by_googles_discovery_documents() {
    # The form of the token exchange has the names of RFC 8693; the document has its own for the same.
    python3 - "$WORK" > requests <<'END'
import glob, json, re, sys
for log in glob.glob(sys.argv[1] + "/test_*/log.*"):
    if not re.fullmatch(r".*/log[.]\d+", log): continue
    for line in open(log):
        r = json.loads(line)
        body = r.get("body")
        if r["path"] == "/v1/token": body = {re.sub("_(.)", lambda m: m[1].upper(), k): v for k, v in body.items()}
        elif not re.search(":(generate|testIam)", r["path"]): continue
        print(json.dumps({"method": r["method"], "path": r["path"], "body": body, "status": 200, "reply": None}))
END
    for part in '"/v1/token"' generateAccessToken generateIdToken projects/demo:testIamPermissions repositories/shop:testIamPermissions; do grep -q "$part" requests || fail "no request: $part"; done
    valid_by_discovery requests
    sed 's/"scope": \[/"scopes": [/' requests > wrong
    status 1 valid_by_discovery wrong > /dev/null
}

run_tests
