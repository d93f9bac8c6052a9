#!/usr/bin/env bash
# A site of the local cloud as a visitor sees it: content in each form, caching, and rewrites to services of Cloud Run.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"
. "$ROOT/tests/wire/hosting.sh"

site() { mkdir -p site; printf '%0.sthe same line\n' {1..200} > site/app.js; printf '<h1>home</h1>' > site/index.html; printf x > site/one.bin; : > site/empty.txt; }

test_content_in_each_form() {
    start_cloud; site; put_site shop site
    equal "$(visit shop /app.js)" 200
    cmp body site/app.js
    equal "$(header Content-Type)" "text/javascript; charset=utf-8"
    equal "$(header Cache-Control)" max-age=3600
    equal "$(header Vary)" "x-fh-requested-host, accept-encoding"
    tag=$(header ETag)
    equal "$(visit shop /app.js -H 'Accept-Encoding: br, gzip')" 200
    equal "$(header Content-Encoding)" gzip
    gzip -dc < body | cmp - site/app.js
    packed=$(header ETag)
    [ "$packed" != "$tag" ] || fail "two forms, one tag"
    for encoding in 'gzip;q=0' identity '*;q=0' ''; do
        visit shop /app.js -H "Accept-Encoding: $encoding" > /dev/null
        equal "$(header Content-Encoding)" ""
        cmp body site/app.js
    done
    equal "$(visit shop /one.bin -H 'Accept-Encoding: gzip')" 200
    equal "$(header Content-Encoding)" ""
    equal "$(cat body)" x
    equal "$(visit shop /empty.txt)$(wc -c < body)" 2000
    for seen in "$tag" "$packed" "W/$tag" "\"x\", $tag" '*'; do
        equal "$(visit shop /app.js -H "If-None-Match: $seen")" 304
        equal "$(wc -c < body)" 0
        equal "$(header ETag)" "$tag"
    done
    equal "$(visit shop /app.js -H 'If-None-Match: "x"')" 200
    modified=$(header Last-Modified)
    equal "$(visit shop /app.js -H "If-Modified-Since: $modified")" 304
    equal "$(visit shop /app.js -H 'If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT')" 200
    equal "$(visit shop /nope -H 'If-None-Match: *')" 404
}

test_parts_and_heads() {
    start_cloud; site; put_site shop site
    equal "$(visit shop /app.js -H 'Range: bytes=4-7' -H 'Accept-Encoding: gzip')" 206
    equal "$(header Content-Range)" "bytes 4-7/2800"
    equal "$(cat body)" same
    equal "$(visit shop /app.js -H 'Range: bytes=-5')$(cat body)" 206line
    equal "$(visit shop /app.js -H 'Range: bytes=2798-9999')$(header Content-Length)" 2062
    equal "$(visit shop /app.js -H 'Range: bytes=2800-')" 416
    equal "$(header Content-Range)" "bytes */2800"
    equal "$(visit shop /app.js -H 'Range: bytes=0-1,3-4')" 200
    equal "$(visit shop /app.js -I)$(header Content-Length)" 2002800
    equal "$(visit shop /app.js -I -H 'Accept-Encoding: gzip')$(header Content-Encoding)" 200gzip
    equal "$(visit shop /nope -I)" 404
}

test_hosts_and_paths_that_are_none() {
    start_cloud; site; put_site shop site
    for name in nowhere shop--x shop--live-00000000 SHOP--; do equal "$(visit $name /)" 404; contains "$(cat body)" "Site Not Found"; done
    equal "$(visit SHOP /)" 200
    contains "$(pl-local status)" "site     shop  http://shop.localhost:$PORT"
    equal "$(curl -s -o body -w '%{http_code}' -H "Host: shop.localhost.evil.example" "$CLOUD/")" 421
    equal "$(curl -s -o body -w '%{http_code}' -H "Host: a.shop.localhost" "$CLOUD/v1beta1/sites/shop")" 401
    for path in /%00 /a%00b; do equal "$(visit shop $path)" 400; done
    for path in /%zz /% /..%2f..%2fsite.json /%2e%2e/x /.git /%ff%fe "/$(printf 'x%.0s' {1..5000})"; do equal "$(visit shop "$path")" 404; done
    equal "$(visit shop / -X POST -d x)" 200
    # What the API answers at the cloud's own name is not there at a site's.
    equal "$(visit shop /v1beta1/sites/shop -H "Authorization: Bearer $TOKEN")" 404
}

test_the_configuration_of_the_web_app() {
    start_cloud; site; put_site shop site
    equal "$(visit shop /__/firebase/init.json)" 200
    equal "$(jq -r '.projectId + " " + .authDomain + " " + .emulators.auth.hostAndPort' body)" "pl-local shop.localhost:$PORT 127.0.0.1:$PORT"
    equal "$(visit shop '/__/firebase/init.js?useEmulator=true')" 200
    contains "$(cat body)" "useEmulator('$CLOUD')"
    equal "$(visit shop /__/firebase/12.9.0/firebase-app.js)" 404
    equal "$(visit shop /__/other)" 404
}

# A service that says what it was asked, in CGI.
service() {
    web_app app home
    mkdir -p app/www/cgi-bin
    cgi() { { echo '#!/bin/busybox sh'; cat; } > "app/www/cgi-bin/$1"; chmod +x "app/www/cgi-bin/$1"; }
    cgi echo <<< 'printf "Content-Type: text/plain\r\nX-Own: yes\r\n\r\n"; env | /bin/busybox grep -E "^(HTTP_|REQUEST_|QUERY_|CONTENT_)"; /bin/busybox cat'
    cgi private <<< 'printf "Set-Cookie: a=1\r\nSet-Cookie: b=2\r\nVary: accept-language\r\n\r\nbody"'
    cgi public <<< 'printf "Cache-Control: public, max-age=60\r\nSet-Cookie: a=1\r\n\r\nbody"'
    cgi missing <<< 'printf "Status: 404 x\r\nX-Cascade: pass\r\n\r\nnot here"'
    cgi gone <<< 'printf "Status: 404 x\r\nContent-Type: text/plain\r\n\r\nof the service"'
    cgi moved <<< 'printf "Status: 302 x\r\nLocation: http://$HTTP_HOST/there?x\r\n\r\n"'
    cgi slow <<< 'printf "\r\none "; /bin/busybox sleep 1; printf two'
    cgi large <<< 'printf "\r\n"; /bin/busybox head -c 3000000 /dev/zero'
    cgi toolarge <<< 'printf "\r\n"; /bin/busybox head -c 40000000 /dev/zero'
    ship app "${1:-api}" "${2:---allow-unauthenticated}" > url
}
rewrite_to() { echo "{\"rewrites\":[{\"glob\":\"/cgi-bin/**\",\"run\":{\"serviceId\":\"$1\",\"region\":\"us-central1\"}},{\"glob\":\"**\",\"path\":\"/index.html\"}],\"headers\":[{\"glob\":\"/cgi-bin/**\",\"headers\":{\"X-Site\":\"shop\"}}]}"; }

test_rewrites_to_a_service() {
    start_cloud; eval "$(cat environment)"
    service
    site; printf missing > site/404.html
    put_site shop site "$(rewrite_to api)"
    equal "$(visit shop '/cgi-bin/echo?a=1&b=%20c' -H 'Cookie: x=1; __session=mine; y=2' -H 'X-Foo: bar' -H 'Authorization: Bearer t')" 200
    for line in "HTTP_X_FORWARDED_HOST=shop.localhost:$PORT" 'QUERY_STRING=a=1&b=%20c' HTTP_COOKIE=__session=mine HTTP_X_FOO=bar \
        'HTTP_AUTHORIZATION=Bearer t' REQUEST_METHOD=GET 'HTTP_X_ORIGINAL_URL=/cgi-bin/echo?a=1&b=%20c'; do
        grep -qxF "$line" body || fail "not asked with $line: $(cat body)"
    done
    equal "$(header X-Own) $(header X-Site) $(header Cache-Control)" "yes shop private"
    equal "$(header Vary)" "Accept-Encoding, Authorization, Cookie"
    equal "$(visit shop /cgi-bin/echo -H 'Cookie: x=1')" 200
    lacks "$(cat body)" HTTP_COOKIE
    head -c 300000 /dev/urandom | base64 > sent
    equal "$(visit shop /cgi-bin/echo -H 'Content-Type: text/own' --data-binary @sent)" 200
    grep -qx CONTENT_TYPE=text/own body
    tail -c "$(wc -c < sent)" body | cmp - sent
    equal "$(visit shop /cgi-bin/echo -H 'Transfer-Encoding: chunked' --data-binary @sent)" 200
    grep -qx "CONTENT_LENGTH=$(wc -c < sent)" body
    equal "$(visit shop /cgi-bin/private)" 200
    equal "$(header Set-Cookie | tr '\n' ' ')" "a=1 b=2 "
    equal "$(header Vary)" "Accept-Language, Accept-Encoding, Authorization, Cookie"
    equal "$(visit shop /cgi-bin/public)$(header Set-Cookie)" 200
    equal "$(visit shop /cgi-bin/gone)$(cat body)" "404of the service"
    equal "$(visit shop /cgi-bin/missing)$(cat body)" 404missing
    equal "$(visit shop /cgi-bin/moved)$(header Location)" "302/there?x"
    equal "$(visit shop /cgi-bin/large)$(wc -c < body)" 2003000000
    equal "$(visit shop /cgi-bin/toolarge)" 502
    equal "$(visit shop /cgi-bin/echo -I)" 200
    equal "$(visit shop /other)" 200
}

test_a_rewrite_to_a_tag_goes_to_its_revision() {
    start_cloud; eval "$(cat environment)"
    service api
    expect 200 GET /v2/projects/pl-local/locations/us-central1/services/api
    revision=$(get '.latestReadyRevision | split("/") | last')
    expect 200 PATCH '/v2/projects/pl-local/locations/us-central1/services/api?updateMask=traffic' -d '{"traffic":[
        {"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST","percent":100},
        {"type":"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION","revision":"'"$revision"'","tag":"before"}]}'
    cgi echo <<< 'printf "\r\nthe second revision"'
    ship app api > url
    site; put_site shop site "$(rewrite_to api)"
    equal "$(visit shop /cgi-bin/echo)$(cat body)" "200the second revision"
    put_site shop site "$(rewrite_to api | jq -c '.rewrites[0].run.tag = "before"')"
    equal "$(visit shop /cgi-bin/echo)" 200
    contains "$(cat body)" REQUEST_METHOD=GET
}

test_an_answer_arrives_when_it_is_complete() {
    start_cloud; eval "$(cat environment)"
    service
    site; put_site shop site "$(rewrite_to api)"
    equal "$(visit shop /cgi-bin/slow)$(cat body)" "200one two"
    equal "$(header Content-Length)" 7
}

test_a_service_that_is_not_public_stays_so() {
    start_cloud; eval "$(cat environment)"
    service closed -q
    site; put_site shop site "$(rewrite_to closed)"
    equal "$(visit shop /cgi-bin/echo)" 403
    lacks "$(cat body)" HTTP_
}

test_a_service_that_is_gone_and_bodies_that_are_too_large() {
    start_cloud; eval "$(cat environment)"
    service
    site; put_site shop site "$(rewrite_to api)"
    head -c 34000000 /dev/zero > huge
    equal "$(visit shop /cgi-bin/echo -H 'Content-Type: x/y' --data-binary @huge)" 413
    expect 200 DELETE /v2/projects/pl-local/locations/us-central1/services/api
    wait_for 20 bash -c "[ \$(curl -s -o /dev/null -w '%{http_code}' http://shop.localhost:$PORT/cgi-bin/echo) = 404 ]"
    expect 400 POST /v1beta1/sites/shop/versions -d "{\"config\":$(rewrite_to api)}"
}

test_many_visitors_at_once_while_it_is_deployed() {
    start_cloud; site; put_site shop site
    seq 200 | xargs -P 16 -I{} curl -s -o /dev/null -w '%{http_code}\n' "http://shop.localhost:$PORT/app.js?{}" > codes &
    for text in a b c d; do printf '%s' "$text" > site/index.html; put_site shop site; equal "$(visit shop /)$(cat body)" "200$text"; done
    wait %1
    equal "$(sort codes | uniq -c | tr -s ' ')" " 200 200"
}

run_tests
