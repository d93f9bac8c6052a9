#!/usr/bin/env bash
# The local cloud's Hosting and sign-in through clients that nobody here wrote: firebase-tools, Firebase's JavaScript SDK,
# google-auth.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"
. "$ROOT/tests/packages.sh"
. "$ROOT/tests/wire/hosting.sh"
. "$ROOT/tests/e2e/firebase_tools.sh"

project() {
    "$ROOT/tests/wire/make_hosting_site.py" public
    printf '{"hosting":{"site":"shop","public":"public","ignore":["**/docs/v1/**"],"cleanUrls":true,"trailingSlash":false,
        "redirects":[{"source":"/old/:p*","destination":"/docs/:p*","type":301}],
        "rewrites":[{"source":"/app/**","destination":"/index.html"}],"i18n":{"root":"/intl"},
        "headers":[{"source":"**/*.js","headers":[{"key":"Cache-Control","value":"max-age=600"},{"key":"X-A","value":"b"}]}]}}' > firebase.json
}
tools() { npm_packages firebase-tools@15.34.2; }

test_firebase_tools_deploys_and_every_file_is_there() {
    tools; start_cloud; project
    firebase hosting:sites:create shop
    firebase deploy --only hosting --message "first one"
    find public -type f ! -path '*/v1/*' ! -name '*.html' -printf '%P\n' | while read -r file; do
        path=$(jq -rn --arg p "/$file" '$p | split("/") | map(@uri) | join("/")')
        equal "$(visit shop "$path")" 200
        cmp body "public/$file"
    done
    equal "$(visit shop /docs/guide)$(cat body)" "200this is docs/guide.html"
    equal "$(visit shop /docs/v1/)$(visit shop /old/guide)$(header Location)" 404301/docs/guide
    equal "$(visit shop /app/x)$(cat body)" "200this is index.html"
    equal "$(visit shop / -H 'Accept-Language: de')$(cat body)" "200this is intl/de/index.html"
    visit shop /app.js > /dev/null
    equal "$(header Cache-Control) $(header X-A)" "max-age=600 b"
    expect 200 GET /v1beta1/sites/shop/releases
    equal "$(get '.releases[0].message')" "first one"
    # Nothing has changed: nothing is uploaded, and it is a release all the same.
    rm -rf .firebase
    firebase deploy --only hosting --debug
    grep -q '>>> .*populateFiles' tool.log
    lacks "$(grep '>>>' tool.log)" /upload/
    # A service that is not there: the real service's few words.
    jq '.hosting.rewrites += [{source: "/api/**", run: {serviceId: "missing"}}]' firebase.json > changed; mv changed firebase.json
    firebase deploy --only hosting && fail "a rewrite to a service that is missing"
    contains "$(cat tool.log)" "Precondition check failed."
    equal "$(visit shop /app.js)" 200
}

test_firebase_tools_channels_copies_and_disabling() {
    tools; start_cloud; project
    put_site shop public
    firebase hosting:channel:deploy pr/1 --expires 2d
    expect 200 GET /v1beta1/sites/shop/channels/pr-1
    label=$(get .url | sed 's|http://||; s|\..*||')
    equal "$(visit "$label" /about)$(visit shop /about)" 200404
    expect 200 GET /admin/v2/projects/pl-local/config
    contains "$(cat answer)" "$label"
    firebase hosting:channel:deploy pr/1 --expires 1d
    firebase hosting:channel:list --site shop
    contains "$(cat tool.log)" "$label"
    firebase hosting:sites:create other
    firebase hosting:clone shop:pr-1 other:live
    equal "$(visit other /about)$(visit other /docs/v1/)" 200404
    firebase hosting:clone "shop@$VERSION" other:again
    expect 200 GET /v1beta1/sites/other/channels/again
    label_again=$(get .url | sed 's|http://||; s|\..*||')
    equal "$(visit "$label_again" /docs/v1/)" 200
    firebase hosting:sites:list
    contains "$(cat tool.log)" "http://other.localhost:$PORT"
    firebase hosting:channel:delete pr-1 --site shop --force
    equal "$(visit "$label" /about)" 404
    firebase hosting:disable --site other --force
    contains "$(visit other /about && cat body)" "Site Not Found"
    firebase hosting:sites:delete other --force
    expect 404 GET /v1beta1/projects/pl-local/sites/other
}

# firebase-tools pins a rewrite to the revision that serves now: by Cloud Run's API v1 it gives it a tag.
test_firebase_tools_pins_a_rewrite_to_a_revision() {
    tools; start_cloud; project; eval "$(cat environment)"
    web_app app first
    ship app api --allow-unauthenticated > url
    firebase hosting:sites:create shop
    jq '.hosting.rewrites = [{source: "/index.html", run: {serviceId: "api", region: "us-central1", pinTag: true}}]' firebase.json > changed; mv changed firebase.json
    rm public/index.html
    firebase deploy --only hosting
    web_app app second
    ship app api > url
    equal "$(curl -sf "$(cat url)/index.html")" second
    equal "$(visit shop /index.html)$(cat body)" 200first
    contains "$(pl-run-deploy -q --region us-central1 api --export | jq -r '.traffic[].tag')" fh-
}

# There are no functions here: firebase-tools says so, and the rewrite is kept.
test_firebase_tools_with_a_rewrite_to_a_function() {
    tools; start_cloud; project
    firebase hosting:sites:create shop
    for function in '"hello"' '{"functionId": "hello", "region": "europe-west1"}'; do
        jq --argjson f "$function" '.hosting.rewrites = [{source: "/f/**", function: $f}]' firebase.json > changed; mv changed firebase.json
        firebase deploy --only hosting
        contains "$(cat tool.log)" "Deploy complete!"
        equal "$(visit shop /f/x)" 501
    done
}

# Both clients authorize the hosts of their previews. (firebase-tools takes "https://" off a URL and nothing else.)
test_previews_are_authorized_for_sign_in() {
    tools; start_cloud; project; eval "$(cat environment)"
    firebase hosting:sites:create shop
    firebase hosting:channel:deploy theirs
    pl-firebase-deploy -q --site shop --channel mine public > record
    expect 200 GET /admin/v2/projects/pl-local/config
    cp answer authorized
    for channel in mine theirs; do
        expect 200 GET "/v1beta1/sites/shop/channels/$channel"
        contains "$(jq -r '.authorizedDomains[]' authorized)" "$(get .url | sed 's|http://||; s|:.*||')"
    done
    pl-firebase-deploy -q --site shop --delete-channel mine
    expect 200 GET /admin/v2/projects/pl-local/config
    lacks "$(cat answer)" shop--mine
    contains "$(cat answer)" shop--theirs
}

# To what it reaches without TLS, firebase-tools sends "owner" for a token; through TLS it sends a real one.
test_firebase_tools_with_a_real_token() {
    tools; start_cloud --strict; project
    expect 200 POST "/v1beta1/projects/-/sites?siteId=shop" -d '{}'
    firebase deploy --only hosting && fail "deployed without a token"
    openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out ca.pem -days 2 -subj /CN=localhost \
        -addext 'subjectAltName=DNS:localhost,IP:127.0.0.1' 2> /dev/null
    "$ROOT/tests/e2e/tls_front.py" "$CLOUD" ca.pem key.pem > front & front=$!
    trap 'kill $front; pl-local stop 2> /dev/null' EXIT
    wait_for 10 test -s front
    export NODE_EXTRA_CA_CERTS=$PWD/ca.pem
    API=$(cat front) firebase deploy --only hosting
    equal "$(visit shop /about)" 200
}

test_the_sdk_signs_in_and_google_auth_verifies() {
    npm_packages firebase@12.9.0
    pip_packages google-auth==2.40.3 requests==2.32.4
    start_cloud
    node "$ROOT/tests/e2e/firebase_sign_in.mjs" "$CLOUD" pl-local "$NODE_MODULES" > token
    cat > verify.py <<'END'
import sys
from google.auth.transport.requests import Request
from google.oauth2 import id_token
token, certificates = open("token").read().strip(), sys.argv[1] + "/robot/v1/metadata/x509/securetoken@system.gserviceaccount.com"
claims = id_token.verify_token(token, Request(), audience="pl-local", certs_url=certificates)
assert claims["iss"] == "https://securetoken.google.com/pl-local" and claims["name"] == "Ann", claims
id_token._GOOGLE_APIS_CERTS_URL = certificates
assert id_token.verify_firebase_token(token, Request(), audience="pl-local")["sub"] == claims["sub"]
for wrong in (token[:-8] + "AAAAAAAA", open("access").read()):
    try:
        id_token.verify_token(wrong, Request(), audience="pl-local", certs_url=certificates)
    except Exception as error:
        print("refused:", type(error).__name__)
    else:
        sys.exit("a wrong token is taken")
try:
    id_token.verify_token(token, Request(), audience="another", certs_url=certificates)
except Exception as error:
    print("refused:", type(error).__name__)
else:
    sys.exit("another project's token is taken")
END
    printf '%s' "$TOKEN" > access
    "$PYTHON" verify.py "$CLOUD"
}

test_a_page_signs_in_and_calls_a_service_through_a_rewrite() {
    npm_packages firebase@12.9.0
    start_cloud; eval "$(cat environment)"
    web_app app home
    mkdir -p app/www/cgi-bin
    printf '#!/bin/busybox sh\nprintf "\\r\\n"; echo "$HTTP_AUTHORIZATION $QUERY_STRING" >&2\n' | tee app/www/cgi-bin/said > app/www/cgi-bin/token
    chmod +x app/www/cgi-bin/*
    ship app api --allow-unauthenticated > url
    mkdir site
    cp "$ROOT/tests/e2e/page/index.html" "$NODE_MODULES"/firebase/firebase-app.js "$NODE_MODULES"/firebase/firebase-auth.js site
    put_site shop site '{"rewrites":[{"glob":"/cgi-bin/**","run":{"serviceId":"api","region":"us-central1"}}]}'
    "$(command -v chromium google-chrome | head -n 1)" --headless=new --no-sandbox --disable-gpu --no-first-run --disable-background-networking --user-data-dir="$PWD/browser" \
        --remote-debugging-port=0 "http://shop.localhost:$PORT/" > browser.log 2>&1 & browser=$!
    trap 'kill $browser; pl-local stop 2> /dev/null' EXIT
    wait_for 60 sh -c 'pl-local logs api | grep -E "signed%20in|failed"' || { pl-local logs api; tail browser.log; return 1; }
    pl-local logs api > printed
    contains "$(cat printed)" "signed%20in%20"
    contains "$(cat printed)" "%20200"
    user=$(ls cloud/identity/users)
    contains "$(cat printed)" "$user"
    token=$(sed -n 's/.*Bearer \([^ ]*\) .*/\1/p' printed | head -1)
    [ "${#token}" -gt 500 ] || fail "the service got no token: $(cat printed)"
}

run_tests
