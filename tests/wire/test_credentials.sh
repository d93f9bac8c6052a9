#!/usr/bin/env bash
# Every type of credentials against scripted servers: the exact requests, and what the tools of pl make of the tokens.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/wire/registry.sh"
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

run_tests
