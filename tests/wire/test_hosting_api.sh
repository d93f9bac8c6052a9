#!/usr/bin/env bash
# The local cloud's Hosting API: resources, states, and what is refused, in Google's shape.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/wire/hosting.sh"
. "$ROOT/tests/wire/discovery.sh"

# One cloud for all tests of this file: each has sites of its own.
pack() { printf '%s' "$1" | gzip -9n > "$2"; HASH=$(sha256sum < "$2" | cut -c1-64); }
new_version() { expect 200 POST "/v1beta1/sites/$1/versions" -d "${2:-{\}}"; VERSION=$(get .name); }
new_site() { expect 200 POST "/v1beta1/projects/pl-local/sites?siteId=$1" -d '{}'; }
upload() { expect "${3:-200}" POST "/upload/$VERSION/files/$1" -H 'Content-Type: application/octet-stream' --data-binary "@$2"; }
finalize() { expect "${1:-200}" PATCH "/v1beta1/$VERSION?updateMask=status" -d '{"status":"FINALIZED"}'; }
release() { expect "${2:-200}" POST "/v1beta1/sites/$1/releases?versionName=$VERSION" -d "${3:-{\}}"; }

test_every_request_needs_a_token() {
    start_cloud --strict
    for token in "" wrong owner "$TOKEN x"; do
        TOKEN=$token expect 401 GET /v1beta1/projects/pl-local/sites
        equal "$(get .error.status)" UNAUTHENTICATED
        TOKEN=$token expect 401 POST /upload/sites/pl-local/versions/0000000000000000/files/x -d y
    done
    expect 200 GET /v1beta1/projects/pl-local/sites
    equal "$(get '.sites[0].type')" DEFAULT_SITE
    expect 403 GET /v1beta1/projects/other-project/sites
    equal "$(get .error.message)" "The caller does not have permission"
    for path in projects/-/sites/pl-local projects/100000000001/sites/pl-local projects/pl-local; do expect 200 GET "/v1beta1/$path"; done
    expect 404 GET /v1beta1/sites/pl-local/nothing
    expect 405 PUT /v1beta1/sites/pl-local/versions
}

test_sites() {
    start_cloud
    new_site shop
    equal "$(get .name)" projects/pl-local/sites/shop
    equal "$(get .defaultUrl)" "http://shop.localhost:$PORT"
    expect 409 POST "/v1beta1/projects/pl-local/sites?siteId=shop" -d '{}'
    equal "$(get .error.status)" ALREADY_EXISTS
    for id in "" -x Upper a--b a_b "$(printf 'a%.0s' {1..31})" ..%2fx 1x; do
        expect 400 POST "/v1beta1/projects/pl-local/sites?siteId=$id" -d '{}'
    done
    expect 200 POST "/v1beta1/projects/pl-local/sites?siteId=later&validateOnly=true" -d '{}'
    expect 404 GET /v1beta1/projects/pl-local/sites/later
    equal "$(get .error.message)" "Requested entity was not found."
    expect 200 PATCH "/v1beta1/projects/pl-local/sites/shop?updateMask=app_id,labels" -d '{"appId":"1:2:web:3","labels":{"a":"b"}}'
    expect 200 GET /v1beta1/projects/pl-local/sites/shop
    equal "$(get '.appId + .labels.a')" 1:2:web:3b
    expect 200 PATCH "/v1beta1/sites/shop/config?updateMask=max_versions" -d '{"maxVersions":"2"}'
    expect 200 GET /v1beta1/sites/shop/config
    equal "$(get .maxVersions)" 2
    expect 400 DELETE /v1beta1/projects/pl-local/sites/pl-local
    expect 200 DELETE /v1beta1/projects/pl-local/sites/shop
    expect 404 GET /v1beta1/projects/pl-local/sites/shop
}

test_a_version_from_creation_to_release() {
    start_cloud
    new_site shop
    new_version shop '{"status":"CREATED","labels":{"deployment-tool":"test"}}'
    equal "$(get '.status + .labels["deployment-tool"]')" CREATEDtest
    pack one a.gz; one=$HASH; pack two b.gz; two=$HASH
    expect 200 POST "/v1beta1/$VERSION:populateFiles" -d "{\"files\":{\"/a\":\"$one\",\"/b\":\"$two\",\"/c\":\"$one\"}}"
    equal "$(get '.uploadRequiredHashes | length')" 2
    equal "$(get .uploadUrl)" "$CLOUD/upload/$VERSION/files"
    finalize 400
    equal "$(get .error.status)" FAILED_PRECONDITION
    upload "$one" a.gz
    upload "$one" a.gz
    upload "$two" a.gz 400
    contains "$(get .error.message)" "content hash"
    printf plain > plain; upload "$(sha256sum < plain | cut -c1-64)" plain 400
    contains "$(get .error.message)" "not gzipped"
    upload "${two^^}" b.gz 400
    expect 200 POST "/v1beta1/$VERSION:populateFiles" -d "{\"files\":{\"/a\":\"$one\"}}"
    equal "$(get .uploadRequiredHashes)" null
    expect 200 GET "/v1beta1/$VERSION/files?status=EXPECTED"
    equal "$(get '[.files[].path] | join(" ")')" /b
    expect 200 POST "/v1beta1/$VERSION:populateFiles" -d '{"files":{"/b":""}}'
    release shop 400
    finalize
    equal "$(get '.status + " " + .fileCount')" "FINALIZED 2"
    finalize
    expect 400 POST "/v1beta1/$VERSION:populateFiles" -d "{\"files\":{\"/d\":\"$one\"}}"
    upload "$one" a.gz 400
    expect 400 PATCH "/v1beta1/$VERSION?updateMask=config" -d '{"config":{"cleanUrls":true}}'
    expect 200 PATCH "/v1beta1/$VERSION?updateMask=labels" -d '{"labels":{"x":"y"}}'
    release shop 200 '{"message":"first"}'
    equal "$(get '.type + " " + .message + " " + .version.status')" "DEPLOY first FINALIZED"
    equal "$(visit shop /c)" 200
    equal "$(cat body)" one
    equal "$(visit shop /b)" 404
    release shop 400
    contains "$(get .error.message)" "is the current active version."
    expect 400 DELETE "/v1beta1/$VERSION"
}

test_releases_are_kept_and_can_be_gone_back_to() {
    start_cloud
    new_site shop
    pack one a.gz
    for n in 1 2 3; do
        new_version shop; eval "version$n=$VERSION"
        expect 200 POST "/v1beta1/$VERSION:populateFiles" -d "{\"files\":{\"/$n\":\"$HASH\"}}"
        [ $n != 1 ] || upload "$HASH" a.gz
        finalize; release shop
    done
    VERSION=$version1 release shop 200 '{"message":"back"}'
    equal "$(get .type)" ROLLBACK
    equal "$(visit shop /1)$(visit shop /3)" 200404
    expect 200 GET "/v1beta1/sites/shop/releases?pageSize=3"
    equal "$(get '[.releases[].type] | join(" ")')" "ROLLBACK DEPLOY DEPLOY"
    expect 200 GET "/v1beta1/sites/shop/channels/live/releases?pageSize=3&pageToken=$(get .nextPageToken)"
    equal "$(get '.releases | length')" 1
    name=$(get '.releases[0].name')
    expect 200 GET "/v1beta1/$name"
    expect 404 GET /v1beta1/sites/shop/releases/1
    expect 200 GET "/v1beta1/sites/shop/versions?pageSize=2&filter=status%3D%22FINALIZED%22"
    equal "$(get '.versions[0].name')" "$version3"
    expect 200 DELETE "/v1beta1/$version2"
    expect 200 GET "/v1beta1/$version2"
    equal "$(get .status)" DELETED
    VERSION=$version2 release shop 400
    release shop 400 "{\"message\":\"$(printf 'm%.0s' {1..600})\"}"
    expect 400 POST "/v1beta1/sites/shop/releases?versionName=sites/pl-local/versions/0123456789abcdef" -d '{}'
    expect 404 POST "/v1beta1/sites/shop/releases?versionName=sites/shop/versions/0123456789abcdef" -d '{}'
    expect 200 POST /v1beta1/sites/shop/releases -d '{"type":"SITE_DISABLE"}'
    equal "$(visit shop /1)" 404
    contains "$(cat body)" "Site Not Found"
    VERSION=$version3 release shop
    expect 200 PATCH "/v1beta1/sites/shop/config?updateMask=maxVersions" -d '{"maxVersions":"1"}'
    VERSION=$version1 release shop
    expect 200 GET "/v1beta1/$version3"
    equal "$(get .status)" FINALIZED
    equal "$(visit shop /1)" 200
}

test_channels() {
    start_cloud
    new_site shop
    expect 200 POST "/v1beta1/projects/pl-local/sites/shop/channels?channelId=pr-1" -d '{"ttl":"604800s"}'
    equal "$(get .name)" projects/100000000001/sites/shop/channels/pr-1
    url=$(get .url)
    case $url in "http://shop--pr-1-"*".localhost:$PORT") ;; *) fail "$url" ;; esac
    expect 409 POST "/v1beta1/sites/shop/channels?channelId=pr-1" -d '{}'
    expect 409 POST "/v1beta1/sites/shop/channels?channelId=live" -d '{}'
    for id in "" a/b %2e%2e "a b" ../x; do expect 400 POST "/v1beta1/sites/shop/channels?channelId=${id// /%20}" -d '{}'; done
    for ttl in '"1"' '"-5s"' '"0s"' '"3000000s"' '"x"'; do
        expect 400 POST "/v1beta1/sites/shop/channels?channelId=b" -d "{\"ttl\":$ttl}"
    done
    expect 400 POST "/v1beta1/sites/shop/channels?channelId=b" -d '{"retainedReleaseCount":101}'
    put_site shop "$ROOT/tests/lint"
    expect 200 POST "/v1beta1/sites/shop/channels/pr-1/releases?versionName=sites/shop/versions/$VERSION" -d '{}'
    contains "$(get .name)" sites/shop/channels/pr-1/releases/
    expect 400 POST "/v1beta1/sites/shop/channels/pr-1/releases" -d '{"type":"SITE_DISABLE"}'
    equal "$(curl -s -o /dev/null -w '%{http_code}' "$url/edges.txt")" 200
    expect 200 PATCH "/v1beta1/sites/shop/channels/pr-1?updateMask=ttl" -d '{"ttl":"1.5s"}'
    wait_for 10 bash -c "[ \$(curl -s -o /dev/null -w '%{http_code}' -H 'Authorization: Bearer $TOKEN' $CLOUD/v1beta1/sites/shop/channels/pr-1) = 404 ]"
    equal "$(curl -s -o /dev/null -w '%{http_code}' "$url/edges.txt")" 404
    equal "$(visit shop /edges.txt)" 200
    expect 400 DELETE /v1beta1/sites/shop/channels/live
    expect 400 PATCH "/v1beta1/sites/shop/channels/live?updateMask=ttl" -d '{"ttl":"60s"}'
    for n in $(seq 50); do expect 200 POST "/v1beta1/projects/-/sites/shop/channels?channelId=c$n" -d '{}'; done
    expect 429 POST "/v1beta1/projects/-/sites/shop/channels?channelId=c51" -d '{}'
    equal "$(get .error.message)" "Couldn't create channel on \`projects/100000000001/sites/shop\`: channel quota reached."
    equal "$(get .error.status)" RESOURCE_EXHAUSTED
    expect 200 DELETE /v1beta1/sites/shop/channels/c7
    expect 200 POST "/v1beta1/projects/-/sites/shop/channels?channelId=c51" -d '{}'
    expect 200 GET "/v1beta1/sites/shop/channels?pageSize=100"
    equal "$(get '.channels | length')" 51
}

test_copies() {
    start_cloud
    new_site one; new_site two
    mkdir -p files/x; echo a > files/a.html; echo b > files/x/b.js; echo c > files/x/c.js
    put_site one files '{"cleanUrls":true}'
    expect 200 POST /v1beta1/projects/-/sites/two/versions:clone \
        -d "{\"sourceVersion\":\"sites/one/versions/$VERSION\",\"finalize\":true,\"include\":{\"regexes\":[\"/x/.*\",\"/a\"]},\"exclude\":{\"regexes\":[\"c[.]js\$\"]}}"
    equal "$(get '.done')" true
    operation=$(get .name); copy=$(get .response.name)
    expect 200 GET "/v1beta1/$operation"
    equal "$(get '.response.status + .response.fileCount')" FINALIZED2
    expect 404 GET /v1beta1/projects/100000000001/operations/unknown
    expect 200 POST "/v1beta1/projects/-/sites/two/channels/live/releases?versionName=$copy" -d '{}'
    equal "$(visit two /a)$(visit two /x/b.js)$(visit two /x/c.js)" 200200404
    expect 400 POST /v1beta1/sites/two/versions:clone -d '{"sourceVersion":"x"}'
    expect 404 POST /v1beta1/sites/two/versions:clone -d '{"sourceVersion":"sites/one/versions/0123456789abcdef"}'
    expect 400 POST /v1beta1/sites/two/versions:clone -d "{\"sourceVersion\":\"sites/one/versions/$VERSION\",\"include\":{\"regexes\":[\"(\"]}}"
}

test_a_configuration_that_cannot_be_served_is_refused() {
    start_cloud
    new_site shop
    while read -r config; do
        expect 400 POST /v1beta1/sites/shop/versions -d "{\"config\":$config}"
        equal "$(get .error.status)" INVALID_ARGUMENT
    done <<'END'
{"cleanUrl":true}
{"cleanUrls":"yes"}
{"trailingSlashBehavior":"MAYBE"}
{"appAssociation":"SOME"}
{"i18n":{}}
{"i18n":{"root":"/x","other":1}}
{"rewrites":{}}
{"rewrites":[{"path":"/index.html"}]}
{"rewrites":[{"glob":"**","regex":".*","path":"/index.html"}]}
{"rewrites":[{"glob":"**"}]}
{"rewrites":[{"glob":"**","path":"index.html"}]}
{"rewrites":[{"glob":"**","path":"/a","function":"b"}]}
{"rewrites":[{"glob":"{1..100000}","path":"/a"}]}
{"rewrites":[{"regex":"(","path":"/a"}]}
{"rewrites":[{"regex":"(?=a)","path":"/a"}]}
{"rewrites":[{"regex":"(a)\\1","path":"/a"}]}
{"rewrites":[{"regex":"a++","path":"/a"}]}
{"rewrites":[{"regex":"a{1001}","path":"/a"}]}
{"rewrites":[{"regex":"\\Ka","path":"/a"}]}
{"rewrites":[{"regex":"(*UTF)a","path":"/a"}]}
{"rewrites":[{"glob":"**","run":{"region":"us-central1"}}]}
{"rewrites":[{"glob":"**","run":{"serviceId":"a","project":"b"}}]}
{"redirects":[{"glob":"/a","location":"/b","statusCode":200}]}
{"redirects":[{"glob":"/a","statusCode":301}]}
{"redirects":[{"glob":"/a","location":"/b\r\nX: y","statusCode":301}]}
{"redirects":[{"glob":"/a","location":"/b","statusCode":301,"type":301}]}
{"headers":[{"glob":"**","headers":{"X A":"b"}}]}
{"headers":[{"glob":"**","headers":{"X-A":"b\r\nSet-Cookie: c"}}]}
{"headers":[{"glob":"**","headers":{"X-A":1}}]}
END
    expect 400 POST /v1beta1/sites/shop/versions -d '{"config":{"rewrites":[{"glob":"**","run":{"serviceId":"missing"}}]}}'
    equal "$(get '.error.status + ": " + .error.message')" "FAILED_PRECONDITION: Precondition check failed."
    expect 400 POST /v1beta1/sites/shop/versions -d '{"colour":"red"}'
    expect 400 POST /v1beta1/sites/shop/versions -d '{"status":"FINALIZED"}'
    expect 400 POST /v1beta1/sites/shop/versions -d '{"labels":{"a":1}}'
    expect 400 POST /v1beta1/sites/shop/versions -d 'not json'
    expect 404 POST /v1beta1/sites/nowhere/versions -d '{}'
    new_version shop
    expect 400 PATCH "/v1beta1/$VERSION?updateMask=colour" -d '{}'
    expect 400 PATCH "/v1beta1/$VERSION?updateMask=config.rewrites" -d '{"config":{}}'
    expect 400 PATCH "/v1beta1/$VERSION?updateMask=status" -d '{"status":"DELETED"}'
}

test_paths_and_hashes_that_are_none() {
    start_cloud
    new_site shop; new_version shop
    pack x x.gz
    for path in a / // /a/ /a//b /../x /a/../b /. "/$(printf 'x%.0s' {1..2100})"; do
        expect 400 POST "/v1beta1/$VERSION:populateFiles" -d "{\"files\":{\"$path\":\"$HASH\"}}"
    done
    for hash in x "${HASH^^}" "${HASH}0" "../$HASH" "sha256:$HASH"; do
        expect 400 POST "/v1beta1/$VERSION:populateFiles" -d "{\"files\":{\"/a\":\"$hash\"}}"
    done
    expect 400 POST "/v1beta1/$VERSION:populateFiles" -d '{"files":[]}'
    expect 400 POST "/v1beta1/$VERSION:populateFiles" -d '{"files":{"/a":1}}'
    expect 404 POST /v1beta1/sites/shop/versions/0123456789abcdef:populateFiles -d '{}'
    expect 404 POST "/v1beta1/sites/shop/versions/..%2f..%2fsite:populateFiles" -d '{}'
    expect 404 POST /upload/sites/shop/versions/0123456789abcdef/files/$HASH -d x
    expect 404 GET "/v1beta1/sites/..%2f..%2fregistry/versions"
}

test_all_of_it_is_there_after_a_crash() {
    start_cloud
    mkdir files; echo x > files/index.html
    put_site shop files
    expect 200 POST "/v1beta1/sites/shop/channels?channelId=pr" -d '{"ttl":"3600s"}'
    url=$(get .url)
    expect 200 POST "/v1beta1/sites/shop/channels/pr/releases?versionName=sites/shop/versions/$VERSION" -d '{}'
    new_version shop
    pack y y.gz
    expect 200 POST "/v1beta1/$VERSION:populateFiles" -d "{\"files\":{\"/y\":\"$HASH\"}}"
    upload "$HASH" y.gz
    pid=$(cat cloud/lock); kill -9 "$pid"
    printf '{"/cut":"off' >> "cloud/hosting/shop/versions/${VERSION##*/}.files"
    wait_for 10 bash -c "! kill -0 $pid"
    pl-local start > environment 2> /dev/null
    equal "$(visit shop /)" 200
    equal "$(curl -s "$url/")" x
    expect 200 POST "/v1beta1/$VERSION:populateFiles" -d "{\"files\":{\"/z\":\"$HASH\"}}"
    finalize
    equal "$(get .fileCount)" 2
    release shop
    equal "$(visit shop /z)$(visit shop /)" 200404
}

# The last one: what the others asked and were answered.
test_zz_every_reply_is_valid_by_googles_discovery_document() {
    [ "$(wc -l < "$WORK/exchanges")" -gt 200 ] || [ -n "${TEST:-}" ]
    valid_by_discovery --replies "$WORK/exchanges"
    # The check itself: a field that no schema has, a wrong type, an error of another form.
    jq -c 'select(.method == "POST" and .status == 200 and (.path | startswith("/v1beta1/sites/shop/releases?")))' "$WORK/exchanges" | sed -n 1p > one
    jq -c '.reply.colour = "red"' one > two; status 1 valid_by_discovery --replies two
    jq -c '.reply.releaseTime = "today"' one > two; status 1 valid_by_discovery --replies two
    jq -c '.status = 400 | .reply = {"message": "no"}' one > two; status 1 valid_by_discovery --replies two
}

run_tests
