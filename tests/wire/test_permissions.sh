#!/usr/bin/env bash
# Who may do what in the local cloud: without a role nothing, with a predefined role what that role is for, and each API says
# no in its own words.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/wire/hosting.sh"

SERVICES=/v2/projects/pl-local/locations/us-central1/services

# account NAME [ROLE...]: $TOKEN is then its; $OWNER stays the owner's
account() {
    local name=$1 email=$1@pl-local.iam.gserviceaccount.com bindings=; shift
    OWNER=${OWNER:-$TOKEN} TOKEN=${OWNER:-$TOKEN}
    api POST /v1/projects/pl-local/serviceAccounts -d "{\"accountId\":\"$name\"}"
    for role; do bindings="$bindings${bindings:+,}{\"role\":\"$role\",\"members\":[\"serviceAccount:$email\"]}"; done
    expect 200 POST /v1/projects/pl-local:setIamPolicy -d "{\"policy\":{\"bindings\":[$bindings]}}"
    expect 200 POST "/v1/projects/-/serviceAccounts/$email:generateAccessToken" -d '{"scope":["https://www.googleapis.com/auth/cloud-platform"]}'
    TOKEN=$(get .accessToken)
}
registry_token() { curl -sf -u "oauth2accesstoken:$TOKEN" "$CLOUD/v2/token?scope=repository:pl-local/demo/app:pull,push" | jq -r .token; }
denied() { expect 403 "${@:2}"; contains "$(get .error.message)" "$1"; }

test_without_a_role() {
    start_cloud
    account nobody-one
    denied "Permission 'run.services.get' denied on resource 'projects/pl-local/locations/us-central1/services/x' (or resource may not exist)." GET $SERVICES/x
    denied "Permission 'run.services.list' denied" GET $SERVICES
    denied "Permission 'run.services.create' denied" POST "$SERVICES?serviceId=x" -d '{}'
    denied "Permission 'run.services.update' denied" PATCH "$SERVICES/x?allowMissing=true" -d '{}'
    denied "Permission 'run.services.setIamPolicy' denied" POST $SERVICES/x:setIamPolicy -d '{}'
    denied "The caller does not have permission" GET /v1beta1/projects/pl-local/sites
    denied "The caller does not have permission" POST /v1beta1/sites/pl-local/versions -d '{}'
    denied "The caller does not have permission" POST /upload/sites/pl-local/versions/0000000000000000/files/x -d y
    denied "Permission 'firebase.projects.get' denied" GET /v1beta1/projects/pl-local
    denied "Permission 'resourcemanager.projects.get' denied" GET /v1/projects/pl-local
    denied "Permission 'serviceusage.services.get' denied" GET /v1/projects/pl-local/services/run.googleapis.com
    denied "Permission 'serviceusage.services.enable' denied" POST /v1/projects/pl-local/services:batchEnable -d '{"serviceIds":["run.googleapis.com"]}'
    denied "Permission 'artifactregistry.repositories.create' denied" POST '/v1/projects/pl-local/locations/us/repositories?repositoryId=x' -d '{}'
    denied "Permission denied for all log views" POST /v2/entries:list -d '{}'
    denied "Permission 'resourcemanager.projects.setIamPolicy' denied" POST /v1/projects/pl-local:setIamPolicy -d '{}'
    denied "The caller does not have permission" GET /admin/v2/projects/pl-local/config
    TOKEN=$(registry_token) api POST /v2/pl-local/demo/app/blobs/uploads/
    equal "$STATUS $(get '.errors[0].code')" "403 DENIED"
    equal "$(get '.errors[0].message')" 'Permission "artifactregistry.repositories.uploadArtifacts" denied on resource "projects/pl-local/locations/local/repositories/demo" (or it may not exist)'
    expect 404 POST $SERVICES/x:testIamPermissions -d '{"permissions":["run.services.get"]}'
}

test_a_role_opens_what_it_is_for() {
    start_cloud
    account reader-one roles/viewer
    expect 200 GET $SERVICES
    expect 200 GET /v1beta1/projects/pl-local/sites
    denied run.services.create POST "$SERVICES?serviceId=x" -d '{}'
    account pusher-one roles/artifactregistry.writer
    TOKEN=$(registry_token) expect 202 POST /v2/pl-local/demo/app/blobs/uploads/
    denied run.services.list GET $SERVICES
    account runner-one roles/run.admin
    body='{"template":{"containers":[{"image":"127.0.0.1:1/pl-local/demo/app:v1"}]}}'
    denied "Permission 'iam.serviceaccounts.actAs' denied on service account developer@pl-local.iam.gserviceaccount.com (or it may not exist)." POST "$SERVICES?serviceId=x&validateOnly=true" -d "$body"
    account runner-one roles/run.admin roles/iam.serviceAccountUser
    api POST "$SERVICES?serviceId=x&validateOnly=true" -d "$body"
    [ "$STATUS" != 403 ]
}

test_a_policy_of_a_service_account_opens_this_account_only() {
    start_cloud
    account runner-one
    TOKEN=$OWNER expect 200 POST /v1/projects/-/serviceAccounts/developer@pl-local.iam.gserviceaccount.com:setIamPolicy \
        -d '{"policy":{"bindings":[{"role":"roles/iam.serviceAccountUser","members":["serviceAccount:runner-one@pl-local.iam.gserviceaccount.com"]}]}}'
    expect 200 POST /v1/projects/-/serviceAccounts/developer@pl-local.iam.gserviceaccount.com:testIamPermissions -d '{"permissions":["iam.serviceAccounts.actAs","iam.serviceAccounts.getAccessToken"]}'
    equal "$(get '.permissions | join(" ")')" iam.serviceAccounts.actAs
    expect 200 POST /v1/projects/pl-local:testIamPermissions -d '{"permissions":["iam.serviceAccounts.actAs"]}'
    equal "$(get .permissions)" null
}

test_scopes_narrow_a_token() {
    start_cloud
    account owner-one roles/owner
    scoped() { TOKEN=$OWNER; expect 200 POST /v1/projects/-/serviceAccounts/owner-one@pl-local.iam.gserviceaccount.com:generateAccessToken -d "{\"scope\":[$1]}"; TOKEN=$(get .accessToken); }
    narrow() { expect 403 "$@"; equal "$(get '.error.message + " " + .error.details[0].reason')" "Request had insufficient authentication scopes. ACCESS_TOKEN_SCOPE_INSUFFICIENT"; }
    scoped '"https://www.googleapis.com/auth/iam"'
    expect 200 GET /v1/projects/pl-local/serviceAccounts
    narrow GET $SERVICES
    narrow GET /v1beta1/projects/pl-local/sites
    scoped '"https://www.googleapis.com/auth/firebase","openid"'
    expect 200 GET /v1beta1/projects/pl-local/sites
    narrow GET $SERVICES
    scoped '"https://www.googleapis.com/auth/cloud-platform.read-only"'
    expect 200 GET $SERVICES
    narrow POST "$SERVICES?serviceId=x" -d '{}'
    scoped '"openid"'
    narrow GET $SERVICES
}

run_tests
