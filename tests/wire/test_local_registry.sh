#!/usr/bin/env bash
# pl-local's registry, request by request: every style of upload, who may do what, and what it refuses in whose words.
# What the OCI conformance suite asks for is in test_oci_conformance.sh.
. "$(dirname "$0")/../lib.sh"
OCI=application/vnd.oci.image.manifest.v1+json
INDEX=application/vnd.oci.image.index.v1+json

cloud() { # starts a local cloud of the test's own: $H, $ACCESS
    export PL_LOCAL_STATE=$PWD/cloud
    eval "$(pl-local start 2> /dev/null)"
    trap 'pl-local stop 2> /dev/null' EXIT
    H=${PL_CLOUD_URL#http://}
    ACCESS=$(curl -s -H 'Metadata-Flavor: Google' "$PL_CLOUD_URL/computeMetadata/v1/instance/service-accounts/default/token" | jq -r .access_token)
}
# token USER PASSWORD SCOPE...: prints the status, the token is in $TOKEN
token() {
    local scope query=""
    for scope in "${@:3}"; do query="$query&scope=$scope"; done
    STATUS=$(curl -s -o token.json -w '%{http_code}' -u "$1:$2" "$PL_CLOUD_URL/v2/token?service=$H$query")
    TOKEN=$(jq -r '.token // empty' token.json)
}
# api METHOD PATH [CURL-OPTION...]: sets STATUS; the reply is in the files head and body. With $TOKEN, or $ACCESS.
api() {
    local options=(-s -o body -D head -w '%{http_code}' -X "$1" -H "Authorization: Bearer ${TOKEN:-$ACCESS}")
    [ "$1" != HEAD ] || options+=(--head)
    STATUS=$(curl "${options[@]}" "$PL_CLOUD_URL$2" "${@:3}")
}
answers() { [ "$STATUS" = "$1" ] || fail "status $STATUS, not $1: $(cat head body)"; }
header() { tr -d "\r" < ./head | sed -n "s/^$1: //Ip"; }
code() { jq -r '.errors[0].code' body; }
digest() { echo "sha256:$(sha256sum "$1" | cut -d' ' -f1)"; }
begin_upload() { api POST "/v2/$1/blobs/uploads/" -d ''; answers 202; UPLOAD=$(header Location); }
put_blob() { api POST "/v2/$1/blobs/uploads/?digest=$(digest "$2")" -H 'Content-Type: application/octet-stream' --data-binary "@$2"; answers 201; }
descriptor() { printf '{"mediaType":"%s","digest":"%s","size":%s}' "$1" "$(digest "$2")" "$(stat -c %s "$2")"; }
# image NAME [LAYER-TYPE]: pushes config and layer, and writes the file manifest
image() {
    head -c 5000 /dev/urandom > layer
    printf '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":["%s"]}}' "$(digest layer)" > config
    put_blob "$1" layer
    put_blob "$1" config
    printf '{"schemaVersion":2,"mediaType":"%s","config":%s,"layers":[%s]}' "$OCI" \
        "$(descriptor application/vnd.oci.image.config.v1+json config)" \
        "$(descriptor "${2:-application/vnd.oci.image.layer.v1.tar}" layer)" > manifest
}
put_manifest() { api PUT "/v2/$1/manifests/$2" -H "Content-Type: ${4:-$OCI}" --data-binary "@${3:-manifest}"; }

test_every_style_of_upload_gives_the_same_blob() {
    cloud
    head -c 3000000 /dev/urandom > blob
    head -c 1000000 blob > first; tail -c +1000001 blob | head -c 1500000 > second; tail -c +2500001 blob > third
    want=$(digest blob)
    put_blob p/r/monolithic blob
    equal "$(header Location)" "/v2/p/r/monolithic/blobs/$want"
    equal "$(header Docker-Content-Digest)" "$want"
    begin_upload p/r/post-put
    api PUT "$UPLOAD?digest=$want" -T blob; answers 201
    begin_upload p/r/streamed
    api PATCH "$UPLOAD" -H 'Transfer-Encoding: chunked' -T - < blob; answers 202
    equal "$(header Range)" "0-2999999"
    api PUT "$(header Location)?digest=$want" -d ''; answers 201
    begin_upload p/r/chunked
    api PATCH "$UPLOAD" -H 'Content-Range: 0-999999' -T first; answers 202
    api PATCH "$UPLOAD" -H 'Content-Range: 1000000-2499999' -T second; answers 202
    api PUT "$UPLOAD?digest=$want" -H 'Content-Range: 2500000-2999999' -T third; answers 201
    for name in monolithic post-put streamed chunked; do
        api HEAD "/v2/p/r/$name/blobs/$want"; answers 200
        equal "$(header Content-Length)" 3000000
        api GET "/v2/p/r/$name/blobs/$want"; answers 200
        cmp body blob
    done
}

test_pieces_out_of_order_and_wrong_digests_are_refused() {
    cloud
    head -c 1000 /dev/urandom > blob
    begin_upload p/r/a
    api PATCH "$UPLOAD" -H 'Content-Range: 10-19' -d 0123456789; answers 416
    equal "$(header Range)" "0-0"
    api PATCH "$UPLOAD" -H 'Content-Range: 0-9' -d 0123456789; answers 202
    api PATCH "$UPLOAD" -H 'Content-Range: 5-14' -d 0123456789; answers 416
    equal "$(header Range)" "0-9"
    api PATCH "$UPLOAD" -H 'Content-Range: 10-99' -d 0123456789; answers 416
    api GET "$UPLOAD"; answers 204
    equal "$(header Range)" "0-9"
    api PUT "$UPLOAD?digest=sha256:../../x" -d ''; answers 400
    equal "$(code)" DIGEST_INVALID
    api PUT "$UPLOAD?digest=$(digest blob)" -d ''; answers 400
    equal "$(code)" DIGEST_INVALID
    api GET "$UPLOAD"; answers 404
    equal "$(code)" BLOB_UPLOAD_UNKNOWN
    api POST "/v2/p/r/a/blobs/uploads/?digest=sha256:$(printf %064d 0)" --data-binary @blob; answers 400
    api HEAD "/v2/p/r/a/blobs/sha256:$(printf %064d 0)"; answers 404
    begin_upload p/r/a
    api DELETE "$UPLOAD"; answers 204
    api GET "$UPLOAD"; answers 404
    begin_upload p/r/a
    api PATCH "${UPLOAD/r\/a/r/b}" -d x; answers 404
}

test_an_upload_that_broke_off_says_how_much_arrived_and_goes_on() {
    cloud
    head -c 400000 /dev/urandom > blob
    begin_upload p/r/a
    exec 3<> "/dev/tcp/127.0.0.1/${H#*:}"
    printf 'PATCH %s HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Length: 400000\r\n\r\n' "$UPLOAD" "$H" "$ACCESS" >&3
    head -c 150000 blob >&3
    # Until it has arrived, the upload is busy.
    api GET "$UPLOAD"; [ "$STATUS" = 409 ] || [ "$STATUS" = 204 ] || fail "status $STATUS"
    exec 3>&-
    is_free() { api GET "$UPLOAD"; [ "$STATUS" = 204 ]; }
    wait_for 20 is_free
    range=$(header Range); arrived=$((${range#0-} + 1))
    [ "$arrived" -gt 1 ] && [ "$arrived" -le 150000 ]
    tail -c +$((arrived + 1)) blob > rest
    api PATCH "$UPLOAD" -H "Content-Range: $arrived-399999" -T rest; answers 202
    api PUT "$UPLOAD?digest=$(digest blob)" -d ''; answers 201
}

test_a_mount_needs_the_right_to_read_there() {
    cloud
    head -c 1000 /dev/urandom > blob
    put_blob p/r/source blob
    token oauth2accesstoken "$ACCESS" repository:p/r/target:pull,push repository:p/r/source:pull
    api POST "/v2/p/r/target/blobs/uploads/?mount=$(digest blob)&from=p/r/source" -d ''; answers 201
    api GET "/v2/p/r/target/blobs/$(digest blob)"; answers 200
    token oauth2accesstoken "$ACCESS" repository:p/r/other:pull,push
    api POST "/v2/p/r/other/blobs/uploads/?mount=$(digest blob)&from=p/r/source" -d ''; answers 202
    api GET "/v2/p/r/other/blobs/$(digest blob)"; answers 404
    equal "$(code)" BLOB_UNKNOWN
    # A blob that another repository has is not there: a digest opens nothing.
    api POST "/v2/p/r/other/blobs/uploads/?mount=$(digest blob)" -d ''; answers 202
    api POST "/v2/p/r/other/blobs/uploads/?mount=$(digest blob)&from=p/r/none" -d ''; answers 202
}

test_logins() {
    cloud
    token oauth2accesstoken "$ACCESS" repository:p/r/a:pull; equal "$STATUS" 200
    jq -e '.access_token == .token and .expires_in > 3500 and .expires_in <= 3600 and (.issued_at | test("^20..-..-..T..:..:..Z$"))' token.json
    token _json_key "$(cat "$GOOGLE_APPLICATION_CREDENTIALS")" repository:p/r/a:pull; equal "$STATUS" 200
    token _json_key_base64 "$(base64 -w0 < "$GOOGLE_APPLICATION_CREDENTIALS")" repository:p/r/a:pull; equal "$STATUS" 200
    openssl genrsa 2048 2> /dev/null > other.pem
    key=$(jq --rawfile key other.pem '.private_key = $key' "$GOOGLE_APPLICATION_CREDENTIALS")
    for wrong in "oauth2accesstoken:x" "oauth2accesstoken:" "me:$ACCESS" "_json_key:{}" "_json_key:$key" "_json_key_base64:!" "x:"; do
        token "${wrong%%:*}" "${wrong#*:}" repository:p/r/a:pull
        equal "${wrong%%:*} $STATUS $TOKEN" "${wrong%%:*} 401 "
        equal "$(jq -r '.errors[0].code' token.json)" UNAUTHORIZED
    done
    equal "$(curl -s -o token.json -w '%{http_code}' "$PL_CLOUD_URL/v2/token?scope=repository:p/r/a:pull")" 403
    equal "$(jq -r '.errors[0].code' token.json)" DENIED
    # A registry token is no password, and no key to Google's other interfaces.
    token oauth2accesstoken "$ACCESS" repository:p/r/a:pull
    registry_token=$TOKEN
    token oauth2accesstoken "$registry_token"; equal "$STATUS" 401
    equal "$(curl -s -o body -w '%{http_code}' -H "Authorization: Bearer $registry_token" "$PL_CLOUD_URL/v1/projects/p/locations/us-central1/repositories")" 401
    equal "$(jq -r .error.status body)" UNAUTHENTICATED
}

test_a_token_opens_only_what_it_was_given_for() {
    cloud
    image p/r/a; put_manifest p/r/a v1; answers 201
    token oauth2accesstoken "$ACCESS" repository:p/r/a:pull
    api GET /v2/; answers 200
    api GET /v2/p/r/a/manifests/v1; answers 200
    put_manifest p/r/a v2; answers 401
    equal "$(code)" UNAUTHORIZED
    equal "$(header WWW-Authenticate)" "Bearer realm=\"http://$H/v2/token\",service=\"$H\",scope=\"repository:p/r/a:pull,push\",error=\"insufficient_scope\""
    contains "$(jq -r '.errors[0].message' body)" "artifactregistry.repositories.uploadArtifacts"
    api DELETE /v2/p/r/a/manifests/v1; answers 401
    api GET /v2/p/r/b/tags/list; answers 401
    api GET /v2/_catalog; answers 401
    equal "$(header WWW-Authenticate)" "Bearer realm=\"http://$H/v2/token\",service=\"$H\",scope=\"registry:catalog:*\",error=\"insufficient_scope\""
    for wrong in x "$TOKEN"x "${TOKEN%.*}.AAAA" "$(openssl rand -hex 20000)"; do
        equal "$(curl -s -o body -D head -w '%{http_code}' -H "Authorization: Bearer $wrong" "$PL_CLOUD_URL/v2/p/r/a/manifests/v1")" 401
        contains "$(header WWW-Authenticate)" 'error="invalid_token"'
    done
    equal "$(curl -s -o body -D head -w '%{http_code}' "$PL_CLOUD_URL/v2/")" 401
    equal "$(header WWW-Authenticate)" "Bearer realm=\"http://$H/v2/token\",service=\"$H\""
    equal "$(header Docker-Distribution-Api-Version)" registry/2.0
}

test_lists_come_in_pages() {
    cloud
    image p/r/a
    for tag in v10 v2 latest Upper _x 1.2; do put_manifest p/r/a $tag; answers 201; done
    api GET /v2/p/r/a/tags/list; answers 200
    equal "$(jq -c . body)" '{"name":"p/r/a","tags":["1.2","Upper","_x","latest","v10","v2"]}'
    path='/v2/p/r/a/tags/list?n=4'
    api GET "$path"; equal "$(jq -c .tags body)" '["1.2","Upper","_x","latest"]'
    equal "$(header Link)" '</v2/p/r/a/tags/list?n=4&last=latest>; rel="next"'
    api GET '/v2/p/r/a/tags/list?n=4&last=latest'; equal "$(jq -c .tags body)" '["v10","v2"]'
    equal "$(header Link)" ''
    api GET '/v2/p/r/a/tags/list?n=x'; answers 400
    equal "$(code)" PAGINATION_NUMBER_INVALID
    api GET /v2/p/r/none/tags/list; answers 404
    equal "$(code)" NAME_UNKNOWN
    image p/r/b/c; image p/r; image other
    api GET /v2/_catalog; answers 200
    equal "$(jq -c . body)" '{"repositories":["other","p/r","p/r/a","p/r/b/c"]}'
    api GET '/v2/_catalog?n=2&last=other'; equal "$(jq -c .repositories body)" '["p/r","p/r/a"]'
    equal "$(header Link)" '</v2/_catalog?n=2&last=p/r/a>; rel="next"'
    token oauth2accesstoken "$ACCESS" 'registry:catalog:*'
    api GET /v2/_catalog; answers 200
    api GET /v2/p/r/a/tags/list; answers 401
}

test_manifests_are_checked_before_they_are_stored() {
    cloud
    image p/r/a
    refuse() { put_manifest p/r/a v1 "$2" "${3:-$OCI}"; answers "$1"; code; }
    equal "$(refuse 400 <(cat manifest) application/json)" MANIFEST_INVALID
    equal "$(refuse 400 <(cat manifest) "$INDEX")" MANIFEST_INVALID
    equal "$(refuse 400 <(cat manifest) application/vnd.docker.distribution.manifest.v2+json)" MANIFEST_INVALID
    equal "$(refuse 400 <(echo '{'))" MANIFEST_INVALID
    equal "$(refuse 400 <(jq -c '.layers[0].size += 1' manifest))" MANIFEST_INVALID
    equal "$(refuse 400 <(jq -c '.config.digest = "sha256:../../etc/passwd"' manifest))" MANIFEST_INVALID
    equal "$(refuse 400 <(jq -c '.schemaVersion = 1' manifest))" MANIFEST_INVALID
    equal "$(refuse 400 <(sed 's/^{/{"config":{},/' manifest))" MANIFEST_INVALID
    equal "$(refuse 400 <(jq -c '.layers[0].digest = "sha256:'"$(printf %064d 0)"'"' manifest))" MANIFEST_BLOB_UNKNOWN
    equal "$(refuse 413 <(head -c 4200000 /dev/zero | tr '\0' ' '; cat manifest))" SIZE_INVALID
    api GET /v2/p/r/a/manifests/v1; answers 404
    equal "$(code)" MANIFEST_UNKNOWN
    put_manifest p/r/a "sha256:$(printf %064d 0)"; answers 400
    equal "$(code)" DIGEST_INVALID
    put_manifest p/r/a .v1; answers 400
    # Another repository's blobs are not this one's.
    put_manifest p/r/b v1; answers 400
    equal "$(code)" MANIFEST_BLOB_UNKNOWN
    for name in P/r a//b a/.b _x/y a/b_-c "$(printf 'a%.0s' {1..256})"; do
        api GET "/v2/$name/manifests/v1"; answers 400
        equal "$(code)" NAME_INVALID
    done
    api GET "/v2/p/r/a/../../../x/manifests/v1" --path-as-is; answers 400
    api GET "/v2/p/r/a/manifests/..%2f..%2fx"; [ "$STATUS" = 404 ] || [ "$STATUS" = 400 ] || fail "status $STATUS"
}

test_media_types_and_bytes_stay_as_they_came() {
    cloud
    image p/r/a application/vnd.oci.image.layer.v1.tar+zstd
    put_manifest p/r/a zstd; answers 201
    equal "$(header Docker-Content-Digest)" "$(digest manifest)"
    api GET /v2/p/r/a/manifests/zstd; cmp body manifest
    equal "$(header Content-Type)" "$OCI"
    docker=application/vnd.docker.distribution.manifest
    sed -e "s|$OCI|$docker.v2+json|" -e 's|application/vnd.oci.image.config.v1+json|application/vnd.docker.container.image.v1+json|' \
        -e 's|application/vnd.oci.image.layer.v1.tar+zstd|application/vnd.docker.image.rootfs.diff.tar.gzip|' manifest > docker-manifest
    put_manifest p/r/a docker docker-manifest $docker.v2+json; answers 201
    printf '{ "schemaVersion": 2,\n"manifests":[%s]}\n' "$(descriptor "$OCI" manifest)" > index
    put_manifest p/r/a index index "$INDEX"; answers 201
    printf '{"schemaVersion":2,"mediaType":"%s","manifests":[%s]}' $docker.list.v2+json "$(descriptor $docker.v2+json docker-manifest)" > list
    put_manifest p/r/a list list $docker.list.v2+json; answers 201
    api HEAD /v2/p/r/a/manifests/docker; equal "$(header Content-Type)" $docker.v2+json
    api HEAD "/v2/p/r/a/manifests/$(digest list)"; equal "$(header Content-Type)" $docker.list.v2+json
    equal "$(header Content-Length)" "$(stat -c %s list)"
    api GET /v2/p/r/a/manifests/index; cmp body index
    equal "$(header Content-Type)" "$INDEX"
    # A layer that is kept elsewhere need not be here.
    jq -c '.layers[0].urls = ["https://elsewhere.test/x"] | .layers[0].digest = "sha256:'"$(printf %064d 1)"'"' manifest > foreign
    put_manifest p/r/a foreign foreign; answers 201
}

test_deleting() {
    cloud
    image p/r/a
    put_manifest p/r/a v1; put_manifest p/r/a v2; answers 201
    api DELETE /v2/p/r/a/manifests/v1; answers 202
    api GET /v2/p/r/a/manifests/v1; answers 404
    api GET /v2/p/r/a/manifests/v2; answers 200
    api DELETE "/v2/p/r/a/manifests/$(digest manifest)"; answers 202
    api GET /v2/p/r/a/manifests/v2; answers 404
    api GET /v2/p/r/a/tags/list; equal "$(jq -c .tags body)" '[]'
    api DELETE "/v2/p/r/a/manifests/$(digest manifest)"; answers 404
    api DELETE "/v2/p/r/a/blobs/$(digest layer)"; answers 202
    api GET "/v2/p/r/a/blobs/$(digest layer)"; answers 404
    put_manifest p/r/a v1; answers 400
    equal "$(code)" MANIFEST_BLOB_UNKNOWN
}

test_ranges_of_blobs() {
    cloud
    printf 0123456789 > blob
    put_blob p/r/a blob
    path=/v2/p/r/a/blobs/$(digest blob)
    part() { api GET "$path" -H "Range: bytes=$1"; answers "${3:-206}"; equal "$(cat body)" "$2"; }
    part 2-4 234; equal "$(header Content-Range)" "bytes 2-4/10"
    part 7- 789
    part -3 789
    part 8-100 89
    part 0-0 0
    part 1-2,4-5 0123456789 200
    part x 0123456789 200
    for range in 10- 20-30 -0; do
        api GET "$path" -H "Range: bytes=$range"; answers 416
        equal "$(header Content-Range)" "bytes */10"
    done
}

test_a_killed_cloud_goes_on_with_what_was_complete() {
    cloud
    image p/r/a; put_manifest p/r/a v1
    head -c 3000000 /dev/urandom > blob
    begin_upload p/r/a
    curl -s --limit-rate 100k -X PATCH -H "Authorization: Bearer $ACCESS" -T blob "$PL_CLOUD_URL$UPLOAD" > /dev/null &
    is_busy() { api GET "$UPLOAD"; [ "$STATUS" = 409 ]; }
    wait_for 20 is_busy
    kill -9 "$(pl-local status | sed -n 's/^process *//p')"
    wait
    eval "$(pl-local start 2> /dev/null)"
    equal "$PL_CLOUD_URL" "http://$H"
    api GET /v2/p/r/a/manifests/v1; answers 200
    api GET "$UPLOAD"; answers 404
    equal "$(code)" BLOB_UPLOAD_UNKNOWN
    PL_STORE=$PL_LOCAL_STATE/store pl-cache verify
    put_blob p/r/a blob
}

run_tests
