#!/usr/bin/env bash
# Google's own libraries and gcloud get tokens from the local cloud, through federation with impersonation, from a service
# account's key and from the metadata server, and use them on its APIs.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"
. "$(dirname "$0")/federation.sh"
. "$(dirname "$0")/gcloud.sh"
. "$ROOT/tests/wire/discovery.sh"

SERVICES=/v2/projects/pl-local/locations/us-central1/services

test_google_auth_for_python() {
    pip_packages google-auth==2.40.3 requests==2.32.4 pyjwt==2.10.1
    federated_cloud
    external_account external.json
    external_account direct.json ""
    cat > use.py <<'END'
import os, sys
import google.auth
from google.auth.transport.requests import AuthorizedSession, Request
cloud, kind = os.environ["PL_CLOUD_URL"], sys.argv[1]
credentials, project = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
session = AuthorizedSession(credentials)
for path in ("/v2/projects/pl-local/locations/us-central1/services", "/v1beta1/projects/pl-local/sites"):
    session.get(cloud + path).raise_for_status()
reply = session.post(cloud + "/v1/projects/pl-local:testIamPermissions", json={"permissions": ["run.services.create", "iam.serviceAccounts.create"]})
reply.raise_for_status()
print(type(credentials).__module__, ",".join(reply.json().get("permissions", [])))
import requests
registry = requests.get(cloud + "/v2/token", params={"scope": "repository:pl-local/demo/app:pull,push"}, auth=("oauth2accesstoken", credentials.token))
registry.raise_for_status()
END
    equal "$(GOOGLE_APPLICATION_CREDENTIALS=$PWD/external.json "$PYTHON" use.py external)" "google.auth.identity_pool run.services.create"
    equal "$(GOOGLE_APPLICATION_CREDENTIALS=$KEY "$PYTHON" use.py key)" "google.oauth2.service_account run.services.create,iam.serviceAccounts.create"
    host=${PL_CLOUD_URL#http://}
    equal "$(GCE_METADATA_HOST=$host GCE_METADATA_IP=$host "$PYTHON" use.py metadata)" "google.auth.compute_engine.credentials run.services.create,iam.serviceAccounts.create"
    cat > identity.py <<'END'
import os, sys
from google.auth.transport.requests import Request
from google.auth import compute_engine, default, impersonated_credentials
from google.oauth2 import id_token, service_account
cloud, kind = os.environ["PL_CLOUD_URL"], sys.argv[1]
if kind == "key":
    credentials = service_account.IDTokenCredentials.from_service_account_file(os.environ["KEY"], target_audience="https://a.example")
    credentials.refresh(Request())
    token = credentials.token
else:
    token = id_token.fetch_id_token(Request(), "https://a.example")
for certificates in ("/oauth2/v1/certs", "/oauth2/v3/certs"):
    claims = id_token.verify_token(token, Request(), audience="https://a.example", certs_url=cloud + certificates)
    print(claims["iss"], claims["email"])
END
    for kind in key metadata; do
        KEY=$KEY GCE_METADATA_HOST=$host GCE_METADATA_IP=$host "$PYTHON" identity.py $kind | sort -u > said
        equal "$(cat said)" "https://accounts.google.com developer@pl-local.iam.gserviceaccount.com"
    done
    # Without impersonation the principal itself asks, and nobody has let it do anything.
    GOOGLE_APPLICATION_CREDENTIALS=$PWD/direct.json "$PYTHON" use.py direct > said 2>&1 && fail "a principal without a role may list services"
    contains "$(cat said)" "403 Client Error"
}

test_google_auth_library_for_node() {
    npm_packages google-auth-library@10.5.0
    federated_cloud
    external_account external.json
    cat > use.cjs <<'END'
const {GoogleAuth} = require(process.argv[2] + '/google-auth-library');
(async () => {
  const cloud = process.env.PL_CLOUD_URL;
  const auth = new GoogleAuth({scopes: 'https://www.googleapis.com/auth/cloud-platform'});
  const client = await auth.getClient();
  if (process.env.SELF_SIGNED) client.useJWTAccessWithScope = true;
  const services = await client.request({url: `${cloud}/v2/projects/pl-local/locations/us-central1/services`});
  const test = await client.request({url: `${cloud}/v1/projects/pl-local:testIamPermissions`, method: 'POST', data: {permissions: ['run.services.create', 'iam.serviceAccounts.create']}});
  console.log(client.constructor.name, services.status, (test.data.permissions || []).join());
})().catch(error => { console.error(error.message); process.exit(1); });
END
    equal "$(GOOGLE_APPLICATION_CREDENTIALS=$PWD/external.json node use.cjs "$NODE_MODULES")" "IdentityPoolClient 200 run.services.create"
    # Its client for keys goes to Google's token endpoint whatever the file says; a token that it signs itself needs none.
    equal "$(SELF_SIGNED=1 GOOGLE_APPLICATION_CREDENTIALS=$KEY node use.cjs "$NODE_MODULES")" "JWT 200 run.services.create,iam.serviceAccounts.create"
    equal "$(GCE_METADATA_HOST=${PL_CLOUD_URL#http://} METADATA_SERVER_DETECTION=assume-present node use.cjs "$NODE_MODULES")" "Compute 200 run.services.create,iam.serviceAccounts.create"
}

test_gcloud_gets_tokens() {
    federated_cloud
    use_gcloud
    external_account external.json
    CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE=$PWD/external.json gcloud projects describe pl-local --format='value(projectNumber)' > said
    equal "$(cat said)" 100000000001
    CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE=$PWD/external.json gcloud iam service-accounts keys list --iam-account="$PL_IMPERSONATE_SERVICE_ACCOUNT" > said 2>&1 && fail "the deployer may list keys"
    contains "$(cat said)" "Permission 'iam.serviceAccountKeys.list' denied on resource"
    CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE=$KEY gcloud iam service-accounts list --format='value(email)' > said
    contains "$(cat said)" "$PL_IMPERSONATE_SERVICE_ACCOUNT"
    unset CLOUDSDK_CORE_CHECK_GCE_METADATA
    export GCE_METADATA_ROOT=${PL_CLOUD_URL#http://} GCE_METADATA_HOST=${PL_CLOUD_URL#http://} CLOUDSDK_CONFIG=$PWD/other
    equal "$(gcloud auth list --format='value(account)' 2> /dev/null)" developer@pl-local.iam.gserviceaccount.com
    token=$(gcloud auth print-access-token)
    curl -sf -H "Authorization: Bearer $token" "$PL_CLOUD_URL$SERVICES"
}

# The commands of docs/ci.md, by gcloud itself: then a job of that repository can deploy.
test_gcloud_sets_federation_up() {
    recorded_cloud --project my-project
    gcloud_once
    sed -n '/^gcloud iam workload-identity-pools create/,/^```/p' "$ROOT/docs/ci.md" | sed 's/123456789/100000000001/; /^```/d' > commands_of_the_page
    [ "$(grep -c gcloud commands_of_the_page)" = 5 ]
    . ./commands_of_the_page
    provider=$(gcloud iam workload-identity-pools providers describe my-org --location=global --workload-identity-pool=github --format='value(name)')
    equal "$provider" projects/100000000001/locations/global/workloadIdentityPools/github/providers/my-org
    # A job's identity from the cloud, but the provider and the account that gcloud has made.
    eval "$(pl-local federation -q --repository my-org/shop)"
    export PL_WORKLOAD_IDENTITY_PROVIDER=$provider
    web_app app "without a key"
    url=$(ship app app --allow-unauthenticated)
    equal "$(curl -sf "$url/")" "without a key"
}

test_gcloud_keeps_secrets() {
    cloud
    use_gcloud
    export CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE=$GOOGLE_APPLICATION_CREDENTIALS
    printf 'the value' > value
    gcloud secrets create api-key --data-file=value
    equal "$(gcloud secrets versions access latest --secret=api-key)" "the value"
    equal "$(gcloud secrets list --format='value(name)')" api-key
    gcloud secrets versions disable 1 --secret=api-key
    gcloud secrets versions access 1 --secret=api-key > said 2>&1 && fail "a disabled version was given out"
    contains "$(cat said)" "is in DISABLED state"
}

test_pl_itself() {
    federated_cloud
    pl-gcp-auth -o ref > principal
    equal "$(cat principal)" "$PL_IMPERSONATE_SERVICE_ACCOUNT"
    pl-gcp-auth --check > said 2>&1
    web_app app "by pl"
    PL_CLOUD_URL=$DIRECT ship app app > url
    token=$(pl-gcp-auth --print id-token --audience "$(cat url)")
    equal "$(curl -sf -H "Authorization: Bearer $token" "$(cat url)/")" "by pl"
}

test_a_job_deploys_as_what_it_is() {
    cloud
    eval "$(pl-local federation -q --repository shop/backend --direct)"
    web_app app "by a principal"
    ship app app > url
    contains "$(pl-gcp-auth -q -o ref)" "/workloadIdentityPools/github/subject/repo:shop/backend:ref:refs/heads/main"
    # Another repository of the same owner is somebody else.
    eval "$(pl-local federation -q --repository shop/frontend)"
    unset PL_IMPERSONATE_SERVICE_ACCOUNT
    status 77 pl-run-deploy app --region us-central1 --describe > said 2>&1
    contains "$(cat said)" "Permission 'run.services.get' denied"
}

test_zz_every_request_and_reply_is_valid_by_googles_discovery_documents() {
    [ -s "$WORK/exchanges" ]
    valid_by_discovery "$WORK/exchanges"
    for path in /v1/token generateAccessToken workloadIdentityPools serviceAccounts setIamPolicy; do grep -q "$path" "$WORK/exchanges"; done
}

run_tests
