#!/usr/bin/env bash
# Who pl is to the cloud, end to end: federation from a job, tokens of seconds, docker's credential helper, files for
# Google's own clients, and that no secret is left anywhere.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"
. "$ROOT/tests/packages.sh"
unset PL_WORKLOAD_IDENTITY_PROVIDER PL_IMPERSONATE_SERVICE_ACCOUNT PL_ID_TOKEN ACTIONS_ID_TOKEN_REQUEST_URL ACTIONS_ID_TOKEN_REQUEST_TOKEN

# The branch that a policy asks for is that of the identity token, which Google has checked, and not of a variable.
branch_is_the_tokens() { # branch_is_the_tokens SAID
    printf '{"rules": {"branches": {"allow": ["release"]}}}' > release.json
    GITHUB_REF=refs/heads/release CI_COMMIT_BRANCH=release PL_POLICY=release.json \
        status 77 pl-run-deploy shop --region us-central1 --update --memory 1Gi > out 2> said
    contains "$(cat said)" "policy $PWD/release.json, branches: the identity of this run is that of $1; allowed: release"
    sed 's/release/main/' release.json > main.json
    PL_POLICY=main.json pl-run-deploy -q shop --region us-central1 --update --dry-run --memory 1Gi > out
}

test_a_job_deploys_without_a_key() {
    cloud
    eval "$(pl-local federation --repository octo/shop)"
    [ -z "${GOOGLE_APPLICATION_CREDENTIALS:-}" ]
    web_app app hello
    url=$(ship app shop)
    equal "$(curl -sf "$url/")" hello
    branch_is_the_tokens main
    mkdir site; echo hi > site/index.html
    equal "$(curl -sf "$(pl-firebase-deploy -q --site my-site site -o ref)/")" hi
    pl-gcp-auth --check > check 2> said
    equal "$(grep -cE '^(identity token|pool admission|impersonation|access token|API permission) +ok ' check)" 7
    contains "$(cat check)" "  repository = octo/shop"
    contains "$(cat check)" "$PL_IMPERSONATE_SERVICE_ACCOUNT"
    # The one thing that is missing, and the command that grants it.
    PL_WORKLOAD_IDENTITY_PROVIDER=${PL_WORKLOAD_IDENTITY_PROVIDER%/*}/none status 77 pl-gcp-auth --check > check 2> said
    grep -qE '^pool admission +NO' check
    grep -qE '^identity token +ok' check
}

test_a_job_of_gitlab_deploys_without_a_key() {
    cloud
    eval "$(pl-local federation --repository octo/shop --issuer gitlab)"
    web_app app hello
    url=$(ship app shop)
    equal "$(curl -sf "$url/")" hello
    branch_is_the_tokens main
}

test_what_is_not_granted_is_said_with_the_command_that_grants_it() {
    cloud
    eval "$(pl-local federation --repository octo/shop)"
    unset PL_IMPERSONATE_SERVICE_ACCOUNT
    status 77 pl-gcp-auth --check --for run-deploy > check 2> said
    contains "$(cat check)" "may not run.services.get, run.services.create"
    contains "$(cat said)" "gcloud projects add-iam-policy-binding $GOOGLE_CLOUD_PROJECT --role=roles/run.developer --member=principalSet://iam.googleapis.com/${PL_WORKLOAD_IDENTITY_PROVIDER%/providers*}/attribute.repository/octo/shop"
    status 77 pl-gcp-auth --impersonate-service-account nobody@$GOOGLE_CLOUD_PROJECT.iam.gserviceaccount.com --check > check 2> said || status 78 pl-gcp-auth --impersonate-service-account nobody@$GOOGLE_CLOUD_PROJECT.iam.gserviceaccount.com --check > check 2> said
    grep -qE '^impersonation +NO' check
}

test_a_build_that_outlasts_its_tokens() {
    cloud --token-lifetime 5
    eval "$(pl-local federation --repository octo/shop)"
    web_app app hello
    # Each tool has its first token before the record comes, and needs another one then.
    url=$({ pl-build -q --name shop app > record; sleep 7; cat record; } | { pl-push-image -q --repo demo > image; sleep 7; cat image; } |
        pl-run-deploy -q --region us-central1 -o ref)
    equal "$(curl -sf "$url/")" hello
}

test_a_credential_helper_for_podman_and_skopeo() {
    cloud
    eval "$(pl-local federation --repository octo/shop)"
    host=${PL_CLOUD_URL#http://}
    web_app app hello
    pl-build -q --name shop app | pl-push-image -q --repo demo -o ref > ref
    mkdir -p "$HOME/.docker"; echo '{"auths":{"ghcr.io":{"auth":"eDp5"}},"psFormat":"x"}' > "$HOME/.docker/config.json"
    status 64 pl-gcp-auth --docker-login ghcr.io 2> said
    pl-gcp-auth --docker-login $host 2> said
    equal "$(jq -r --arg h $host '.credHelpers[$h] + " " + .psFormat + " " + .auths["ghcr.io"].auth' "$HOME/.docker/config.json")" "pl x eDp5"
    equal "$(stat -c %a "$HOME/.docker/config.json")" 600
    equal "$(docker-credential-pl list)" "{\"$host\":\"oauth2accesstoken\"}"
    echo "https://$host/v2/" | docker-credential-pl get > answer
    equal "$(jq -r .Username answer)" oauth2accesstoken
    equal "$(echo ghcr.io | { docker-credential-pl get 2> /dev/null || echo "status $?"; })" "credentials not found in native keychain
status 1"
    echo '{"ServerURL":"x","Username":"y","Secret":"z"}' | docker-credential-pl store
    echo x | docker-credential-pl erase
    skopeo inspect --tls-verify=false --config "docker://$(cat ref)" > /dev/null
    skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$(cat ref)" "docker://$host/$GOOGLE_CLOUD_PROJECT/demo/copy:v1"
    # podman takes a run directory of at most 50 characters.
    run=$(mktemp -d /tmp/pl-run.XXXXXX); trap 'rm -rf $run; pl-local stop -q' EXIT
    podman --root "$PWD/podman" --runroot "$run" --storage-driver vfs --events-backend none --cgroup-manager cgroupfs pull -q --tls-verify=false "$host/$GOOGLE_CLOUD_PROJECT/demo/copy:v1"
    absent -rqE 'ya29|eyJ' "$HOME/.docker"
    # Without credentials it says why in words, as docker shows them.
    equal "$(echo $host | PL_WORKLOAD_IDENTITY_PROVIDER=x docker-credential-pl get 2> /dev/null | head -1 | cut -c1-50)" '--workload-identity-provider: "x" is no provider'
}

test_a_file_for_googles_own_clients() {
    cloud
    eval "$(pl-local federation --repository octo/shop)"
    export GITHUB_WORKSPACE=$PWD/checkout
    mkdir -p checkout/sub .hidden
    for place in checkout/adc.json checkout/sub/adc.json; do status 78 pl-gcp-auth --write-adc $place 2> said; contains "$(cat said)" "lies in the workspace"; done
    pl-gcp-auth --write-adc files/adc.json > environment 2> said
    equal "$(stat -c %a files/adc.json)" 600
    equal "$(sed 's/=.*//' environment | sort | tr '\n' ' ')" "export CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE export CLOUDSDK_CORE_PROJECT export CLOUDSDK_PROJECT export GCLOUD_PROJECT export GCP_PROJECT export GOOGLE_APPLICATION_CREDENTIALS export GOOGLE_CLOUD_PROJECT export GOOGLE_GHA_CREDS_PATH "
    status 78 pl-gcp-auth --write-adc files/adc.json > out 2> said
    contains "$(cat said)" "exists already"
    eval "$(cat environment)"
    equal "$GOOGLE_APPLICATION_CREDENTIALS" "$PWD/files/adc.json"
    pip_packages google-auth==2.40.3 requests==2.32.4
    "$PYTHON" "$ROOT/tests/wire/auth_client.py" "$GOOGLE_APPLICATION_CREDENTIALS" > token
    equal "$(curl -s -o answer -w '%{http_code}' -H "Authorization: Bearer $(cat token)" "$PL_CLOUD_URL/v2/projects/$GOOGLE_CLOUD_PROJECT/locations/us-central1/services")" 200
    if command -v gcloud > /dev/null; then
        token=$(CLOUDSDK_CONFIG=$PWD/gcloud CLOUDSDK_CORE_DISABLE_PROMPTS=1 CLOUDSDK_API_ENDPOINT_OVERRIDES_STS=$PL_CLOUD_URL/ \
            CLOUDSDK_API_ENDPOINT_OVERRIDES_IAMCREDENTIALS=$PL_CLOUD_URL/ gcloud auth print-access-token 2> said)
        equal "$(curl -s -o answer -w '%{http_code}' -H "Authorization: Bearer $token" "$PL_CLOUD_URL/v2/projects/$GOOGLE_CLOUD_PROJECT/locations/us-central1/services")" 200
    fi
    eval "$(pl-gcp-auth --cleanup 2> said)"
    [ ! -e files/adc.json ]
    [ -z "${GOOGLE_APPLICATION_CREDENTIALS:-}" ]
    echo "{}" > other; GOOGLE_GHA_CREDS_PATH=$PWD/other status 65 pl-gcp-auth --cleanup 2> said > out
    [ -e other ]
    # In GitHub Actions the runner's files are written, and the values are those of google-github-actions/auth.
    : > variables; : > outputs
    GITHUB_ACTIONS=true GITHUB_ENV=$PWD/variables GITHUB_OUTPUT=$PWD/outputs pl-gcp-auth --write-adc runner/adc.json > out 2> said
    equal "$(cat out)" ""
    equal "$(grep -c . variables)" 8
    grep -qx "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE=$PWD/runner/adc.json" variables
    grep -qx "credentials_file_path=$PWD/runner/adc.json" outputs
    jq -e '.type == "external_account" and .credential_source.format.subject_token_field_name == "value" and .credential_source.headers.Authorization != null' runner/adc.json > /dev/null
    GOOGLE_GHA_CREDS_PATH=$PWD/runner/adc.json pl-gcp-auth --cleanup > /dev/null 2>&1
    [ ! -e runner/adc.json ]
    # An account in a file of another type.
    jq -n '{type: "authorized_user", client_id: "i", client_secret: "s", refresh_token: "r"}' > user.json
    env -u PL_WORKLOAD_IDENTITY_PROVIDER pl-gcp-auth --credentials file:user.json --delegate via@p.iam.gserviceaccount.com --write-adc files/two.json > /dev/null 2> said
    equal "$(jq -r '.type + " " + .delegates[0] + " " + .source_credentials.type' files/two.json)" "impersonated_service_account projects/-/serviceAccounts/via@p.iam.gserviceaccount.com authorized_user"
}

run_tests
