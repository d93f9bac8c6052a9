#!/usr/bin/env bash
# Secret Manager of the local cloud: every request, by Google's discovery document, and what is refused.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/wire/hosting.sh"
. "$ROOT/tests/wire/discovery.sh"
SECRETS=/v1/projects/pl-local/secrets
put() { expect 200 POST "$SECRETS/$1:addVersion" -d "{\"payload\":{\"data\":\"$(printf '%s' "$2" | base64 -w 0)\"}}"; }

test_a_secret_and_its_versions() {
    start_cloud
    expect 200 POST "$SECRETS?secretId=key" -d '{"replication":{"automatic":{}},"labels":{"team":"web"}}'
    equal "$(get '.name, .labels.team')" "projects/100000000001/secrets/key
web"
    expect 409 POST "$SECRETS?secretId=key" -d '{"replication":{"automatic":{}}}'
    put key one; put key two
    equal "$(get .name)" projects/100000000001/secrets/key/versions/2
    expect 200 GET "$SECRETS/key/versions/latest:access"
    equal "$(get .payload.data | base64 -d)" two
    expect 200 GET "$SECRETS/key/versions/1:access"
    equal "$(get .payload.data | base64 -d)" one
    expect 200 GET "$SECRETS"
    equal "$(get '.secrets[0].name, .totalSize')" "projects/100000000001/secrets/key
1"
    expect 200 GET "$SECRETS/key/versions"
    equal "$(get '.versions[].state' | tr '\n' ' ')" "ENABLED ENABLED "
    lacks "$(cat answer)" payload
    expect 200 GET "$SECRETS/key/versions/2"
    expect 200 GET "$SECRETS/key"
}

test_disabled_and_destroyed() {
    start_cloud
    expect 200 POST "$SECRETS?secretId=key" -d '{"replication":{"automatic":{}}}'
    put key one; put key two
    expect 200 POST "$SECRETS/key/versions/2:disable" -d '{}'
    expect 400 GET "$SECRETS/key/versions/2:access"
    contains "$(get .error.message)" "is in DISABLED state"
    expect 200 GET "$SECRETS/key/versions/latest:access"
    equal "$(get .payload.data | base64 -d)" one
    expect 200 POST "$SECRETS/key/versions/2:enable" -d '{}'
    expect 200 POST "$SECRETS/key/versions/2:destroy" -d '{}'
    equal "$(get .state)" DESTROYED
    expect 400 POST "$SECRETS/key/versions/2:enable" -d '{}'
    equal "$(jq -c '.secrets.key.versions[1] | has("data")' "$PL_LOCAL_STATE/secrets/state.json")" false
    expect 200 DELETE "$SECRETS/key"
    expect 404 GET "$SECRETS/key"
}

test_it_is_all_there_after_a_restart() {
    start_cloud
    expect 200 POST "$SECRETS?secretId=key" -d '{"replication":{"automatic":{}}}'
    put key one
    pl-local stop 2> /dev/null
    start_cloud
    expect 200 GET "$SECRETS/key/versions/latest:access"
    equal "$(get .payload.data | base64 -d)" one
}

test_what_is_refused() {
    start_cloud
    for name in "" a/b "a b" ../x "$(printf 'x%.0s' $(seq 256))"; do
        expect 400 POST "$SECRETS?secretId=$(jq -rn --arg x "$name" '$x | @uri')" -d '{"replication":{"automatic":{}}}'
    done
    expect 400 POST "$SECRETS?secretId=key" -d '{}'
    expect 400 POST "$SECRETS?secretId=key" -d '{'
    expect 404 GET "$SECRETS/none"
    expect 404 POST "$SECRETS/none:addVersion" -d '{"payload":{"data":"YQ=="}}'
    expect 200 POST "$SECRETS?secretId=key" -d '{"replication":{"automatic":{}}}'
    expect 404 GET "$SECRETS/key/versions/latest:access"
    expect 404 GET "$SECRETS/key/versions/99"
    expect 400 POST "$SECRETS/key:addVersion" -d '{"payload":{"data":"*"}}'
    expect 400 POST "$SECRETS/key:addVersion" -d '{"payload":{}}'
    head -c 65537 /dev/zero | base64 -w 0 | sed 's/.*/{"payload":{"data":"&"}}/' > large
    equal "$(curl -s -o answer -w '%{http_code}' -H "Authorization: Bearer $TOKEN" "$CLOUD$SECRETS/key:addVersion" -d @large)" 400
    equal "$(curl -s -o answer -w '%{http_code}' "$CLOUD$SECRETS/key")" 401
}

test_zz_every_reply_is_valid_by_googles_discovery_document() {
    [ "$(wc -l < "$WORK/exchanges")" -gt 30 ] || fail "$(wc -l < "$WORK/exchanges")"
    valid_by_discovery --replies "$WORK/exchanges"
}

run_tests
