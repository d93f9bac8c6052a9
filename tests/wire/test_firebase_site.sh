#!/usr/bin/env bash
# What pl-firebase-deploy makes of a directory and its firebase.json: files, names, links, rules, hooks, settings.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/firebase.sh"

# The files and the configuration of the last version that was made final.
files() { log '" ".join(sorted(p for x in r if "populate" in x["path"] for p in x["body"]["files"]))'; }
serving() { python3 -c 'import json, sys
r = [json.loads(line) for line in open(sys.argv[1])]
print(json.dumps([x["body"]["config"] for x in r if x["method"] == "PATCH" and "/versions/" in x["path"]][-1]))' "$LOG" | jq -c "${1:-.}"; }

# ---- firebase.json ----

# What firebase-tools 15.34.2 sends for the same file, as it was recorded.
test_the_configuration_is_that_of_firebase_tools() {
    hosting services=us-central1/hello
    mkdir -p site/sub; echo x > site/index.html
    cat > firebase.json << 'END'
{ "hosting": { "public": "site", "ignore": ["firebase.json", "**/.*", "**/node_modules/**"],
    "cleanUrls": true, "trailingSlash": false, "appAssociation": "NONE", "i18n": { "root": "/intl" },
    "rewrites": [ { "source": "/api/**", "run": { "serviceId": "hello" } }, { "source": "**", "destination": "/index.html" } ],
    "redirects": [ { "source": "/old/:id*", "destination": "/new/:id", "type": 301 } ],
    "headers": [ { "source": "**/*.css", "headers": [ { "key": "Cache-Control", "value": "max-age=600" }, { "key": "X-A", "value": "b" } ] } ] } }
END
    pl-firebase-deploy . > /dev/null
    equal "$(serving | jq -S .)" "$(jq -S . << 'END'
{"rewrites":[{"glob":"/api/**","run":{"serviceId":"hello","region":"us-central1"}},{"glob":"**","path":"/index.html"}],
"redirects":[{"glob":"/old/:id*","location":"/new/:id","statusCode":301}],"headers":[{"glob":"**/*.css","headers":{"Cache-Control":"max-age=600","X-A":"b"}}],
"cleanUrls":true,"appAssociation":"NONE","i18n":{"root":"/intl"},"trailingSlashBehavior":"REMOVE"}
END
)"
}

test_every_kind_of_rule_is_sent() {
    hosting services=us-east1/second-gen,us-central1/plain
    config '{"regex": "^/a$", "function": "one"}, {"source": "/b", "function": "two", "region": "europe-west1"},
            {"glob": "/c", "function": {"functionId": "three", "region": "us-east4"}}, {"source": "/d", "dynamicLinks": true},
            {"source": "/e", "function": "plain"}'
    pl-firebase-deploy site > /dev/null 2>&1
    equal "$(serving .rewrites)" '[{"regex":"^/a$","function":"one"},{"glob":"/b","function":"two","functionRegion":"europe-west1"},{"glob":"/c","function":"three","functionRegion":"us-east4"},{"glob":"/d","dynamicLinks":true},{"glob":"/e","function":"plain"}]'
    printf '{"hosting": {"public": ".", "trailingSlash": true, "redirects": [{"regex": "^/(?P<x>.*)$", "destination": "https://e.org/:x"}]}}' > site/firebase.json
    pl-firebase-deploy site > /dev/null 2>&1
    equal "$(serving)" '{"redirects":[{"regex":"^/(?P<x>.*)$","location":"https://e.org/:x"}],"trailingSlashBehavior":"ADD"}'
    printf '{"hosting": {"redirects": [{"source": "/**", "destination": "https://e.org"}]}}' > site/firebase.json
    : > "$LOG"
    pl-firebase-deploy site > /dev/null 2>&1
    equal "$(files)" ""
}

test_targets_and_projects_of_firebaserc() {
    hosting sites=shop,shop-admin
    mkdir -p site; echo x > site/index.html
    printf '{"hosting": [{"target": "main", "public": "site"}, {"target": "admin", "public": "other"}]}' > firebase.json
    printf '{"projects": {"default": "other", "here": "demo"}, "targets": {"demo": {"hosting": {"main": ["shop-admin"], "admin": ["a", "b"]}}}}' > .firebaserc
    equal "$(pl-firebase-deploy site --project here | jq -r '"\(.site) \(.project)"')" "shop-admin demo"
    equal "$(pl-firebase-deploy . --target main --project demo | jq -r .site)" shop-admin
    status 78 pl-firebase-deploy . --target admin --project here 2> said > /dev/null
    contains "$(cat said)" "the target admin stands for 2 sites"
    status 78 pl-firebase-deploy . --target main 2> said > /dev/null
    contains "$(cat said)" ".firebaserc connects the target main with no site of project other"
    equal "$(GOOGLE_CLOUD_PROJECT=demo pl-firebase-deploy . --site shop-admin | jq -r .site)" shop-admin
}

# In a repository of several applications: what was built below says which of the sites it is.
test_a_record_is_for_the_site_whose_directory_it_was_built_in() {
    hosting sites=shop,shop-admin,shop-help
    mkdir -p apps/shop/dist apps/admin-tool/dist apps/admin/dist; for app in apps/*; do echo "$app" > $app/dist/index.html; done
    printf '{"hosting": [{"site": "shop", "public": "apps/shop/dist/browser"}, {"site": "shop-admin", "public": "apps/admin/dist"}, {"site": "shop-help", "public": "apps/admin-tool/dist"}]}' > firebase.json
    built() { record "apps/$1/dist" | jq -c --arg source "$PWD/apps/$1" '.source = $source'; }
    for app in shop:shop admin:shop-admin admin-tool:shop-help; do
        equal "$(built "${app%:*}" | pl-firebase-deploy | jq -r .site)" "${app#*:}"
    done
    record apps/shop/dist | jq -c --arg source "$PWD/apps" '.source = $source' > whole
    status 78 pl-firebase-deploy < whole > /dev/null 2> said
    contains "$(cat said)" "has 3 sites"
    equal "$(pl-firebase-deploy --site shop-help < whole 2> /dev/null | jq -r .site)" shop-help
}

# As "firebase deploy" does without --only. What is wrong with any of the sites is known before the first is touched.
test_all_sites_of_a_firebase_json() {
    hosting sites=shop,shop-admin
    mkdir -p app/www app/admin; echo x > app/www/index.html; echo y > app/admin/index.html
    sites() { printf '{"hosting": [{"site": "shop", "public": "www"}, {"target": "admin", "public": "admin", "cleanUrls": true%s}]}' "$1" > app/firebase.json; }
    printf '{"targets": {"demo": {"hosting": {"admin": ["shop-admin"]}}}}' > app/.firebaserc
    sites ', "rewrites": [{"source": "/api", "run": {"serviceId": "missing"}}]'
    status 78 pl-firebase-deploy --all-sites app > /dev/null 2> said
    contains "$(cat said)" "site 2 of 2: app/firebase.json:1: the rewrite /api leads to the service missing"
    equal "$(log 'sum(x["method"] != "GET" for x in r)')" 0
    sites ''
    status 78 pl-firebase-deploy app > /dev/null 2> said
    contains "$(cat said)" "app/firebase.json has 2 sites (site shop, target admin)"
    contains "$(cat said)" "--all-sites"
    pl-firebase-deploy --all-sites app > records
    equal "$(jq -r '"\(.site) \(.seq)/\(.of)"' records | tr '\n' ' ')" "shop 1/2 shop-admin 2/2 "
    equal "$(log '[(x["path"].split("/")[5], sorted(x["body"]["files"])) for x in r if "populate" in x["path"]]')" "[('shop', ['/index.html']), ('shop-admin', ['/index.html'])]"
    equal "$(serving)" '{"cleanUrls":true}'
    pl-firebase-deploy --all-sites app > /dev/null 2> said
    equal "$(grep -c ': unchanged, ' said)" 2
    pl-firebase-deploy --all-sites --channel pr-1 -o ref app | tr '\n' ' ' > urls
    equal "$(cat urls)" "https://shop--pr-1-x7.web.app https://shop-admin--pr-1-x7.web.app "
    echo z > app/admin/index.html
    pl-firebase-deploy --all-sites -n app > shown 2>&1
    contains "$(cat shown)" "site shop: 0 would be added, 0 changed"
    contains "$(cat shown)" "site shop-admin: 0 would be added, 1 changed"
    printf '{"hosting": {"site": "shop", "public": "www"}}' > app/firebase.json
    equal "$(pl-firebase-deploy --all-sites app | jq -r '"\(.site) \(.of)"')" "shop 1"
    status 64 pl-firebase-deploy --all-sites < /dev/null 2> said > /dev/null
    status 64 pl-firebase-deploy --all-sites --site shop app 2> said > /dev/null
}

# ---- files ----

test_names_of_all_kinds_are_deployed_as_they_are() {
    hosting
    mkdir -p 'site/a b' 'site/größe'
    for name in 'a b/c d.txt' '#hash' '?query' '%2e%2e' 'größe/✓.txt' '😀' 'back\slash' "it's" '"quoted"' '$HOME' '-dash' '...'; do echo "$name" > "site/$name"; done
    echo x > site/index.html
    pl-firebase-deploy site > /dev/null
    log '"\n".join(sorted(p for x in r if "populate" in x["path"] for p in x["body"]["files"]))' > sent
    ( cd site; find . -type f | cut -c2- | grep -v '^/\.\.\.$' | LC_ALL=C sort ) > wanted
    diff wanted sent
    for name in $'new\nline' $'\e[31mred' $'\xff'; do
        echo x > "site/$name"
        status 65 pl-firebase-deploy site > /dev/null 2> said
        contains "$(cat said)" "is not UTF-8 or has a control character"
        lacks "$(cat said)" $'\e'
        rm "site/$name"
    done
}

test_ignore_and_what_is_always_left_out() {
    hosting
    mkdir -p site/node_modules/x site/.git site/.well-known site/sub/.firebase
    for file in index.html .env.example .hidden node_modules/x/y .git/config .well-known/assetlinks.json firebase-debug.log sub/firebase-debug.1.log sub/a.map b.map firebase.json.bak; do echo x > "site/$file"; done
    pl-firebase-deploy site > /dev/null 2>&1
    equal "$(files)" "/.well-known/assetlinks.json /b.map /firebase.json.bak /index.html /sub/a.map"
    printf '{"hosting": {"public": "site", "ignore": ["**/*.map", "node_modules/**", "/index.html"]}}' > firebase.json
    : > "$LOG"; pl-firebase-deploy . > /dev/null 2>&1
    equal "$(files)" "/.env.example /.hidden /.well-known/assetlinks.json /firebase.json.bak /index.html"
    printf '{"hosting": {"public": "site",\n "ignore": ["**/*.map",\n "**"]}}' > firebase.json
    status 65 pl-firebase-deploy . > /dev/null 2> said
    contains "$(cat said)" 'firebase.json:3: the pattern "**" leaves out everything'
    rm -r site; mkdir site
    status 65 pl-firebase-deploy . > /dev/null 2> said
    contains "$(cat said)" "there is no file to deploy"
    rmdir site
    status 65 pl-firebase-deploy . > /dev/null 2> said
    contains "$(cat said)" "site does not exist"
}

test_links_inside_are_followed_and_others_refused() {
    hosting
    mkdir -p site/real/deep; echo x > site/index.html; echo y > site/real/deep/file; ln -s real/deep/file site/link; ln -s real site/folder
    ln -s ../index.html site/real/up; ln -s folder site/chain
    pl-firebase-deploy site > /dev/null
    equal "$(files)" "/chain/deep/file /chain/up /folder/deep/file /folder/up /index.html /link /real/deep/file /real/up"
    for target in /etc/passwd ../outside real/../../outside; do
        ln -sfn "$target" site/bad
        status 65 pl-firebase-deploy site > /dev/null 2> said
        contains "$(cat said)" "bad is a symbolic link out of the"
    done
    ln -sfn missing site/bad
    status 65 pl-firebase-deploy site > /dev/null 2> said
    contains "$(cat said)" "bad is a symbolic link to missing, which is not in the site"
    rm site/bad; ln -s . site/real/loop
    status 65 pl-firebase-deploy site > /dev/null 2> said
    contains "$(cat said)" "lead round in a circle"
    rm site/real/loop
    # The same from a record, where nobody has looked at the links before.
    for target in /etc/passwd ../outside real/../../outside; do
        ln -sfn "$target" site/bad
        record site | status 65 pl-firebase-deploy > /dev/null 2> said
        contains "$(cat said)" "bad is a symbolic link out of the site"
    done
}

test_what_is_no_file_is_refused_by_name() {
    hosting
    mkdir -p site; echo x > site/index.html; mkfifo site/pipe
    status 65 pl-firebase-deploy site > /dev/null 2> said
    contains "$(cat said)" "pipe is neither a file nor a directory nor a link"
    contains "$(cat said)" '"ignore" in firebase.json'
    rm site/pipe; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("site/socket")'
    status 65 pl-firebase-deploy site > /dev/null 2> said
    contains "$(cat said)" "socket is neither"
    rm site/socket
    if [ "$(id -u)" = 0 ] && mknod site/device c 1 3 2> /dev/null; then
        status 65 pl-firebase-deploy site > /dev/null 2> said
        contains "$(cat said)" "device is neither"
    fi
    equal "$(log 'sum(x["method"] != "GET" for x in r)')" 0
}

test_credentials_are_not_published() {
    hosting
    mkdir -p site; echo x > site/index.html
    printf '{"type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----\\nx", "client_email": "a@b"}' > site/key.json
    status 65 pl-firebase-deploy site > /dev/null 2> said
    contains "$(cat said)" "credentials would be published: key.json"
    pl-firebase-deploy site --allow-file key.json > /dev/null
    contains "$(files)" /key.json
}

test_without_firebase_json_an_index_is_needed_and_pages_are_recognised() {
    hosting
    mkdir -p site; echo x > site/page.html
    status 65 pl-firebase-deploy site > /dev/null 2> said
    contains "$(cat said)" "the site has no index.html"
    echo x > site/index.html; pl-firebase-deploy site > /dev/null 2> said
    contains "$(cat said)" "a single-page application"
    echo x > site/404.html; pl-firebase-deploy site > /dev/null 2> said
    contains "$(cat said)" "a site of pages"
    equal "$(serving 'del(.headers)')" '{"cleanUrls":true}'
}

# ---- headers, settings, hooks ----

test_default_headers_are_offered_and_added_when_asked() {
    hosting
    config '{"source": "**", "destination": "/index.html"}'; echo x > site/main-ABCDEFG7.js
    pl-firebase-deploy site > /dev/null 2> said
    contains "$(cat said)" "--default-headers adds it"
    equal "$(serving .headers)" null
    pl-firebase-deploy site --default-headers > /dev/null 2> said
    lacks "$(cat said)" "--default-headers"
    equal "$(serving '[.headers[] | .headers["Cache-Control"]]')" '["no-cache","public, max-age=31536000, immutable"]'
    printf '{"hosting": {"public": ".", "headers": [{"source": "/x", "headers": [{"key": "cache-control", "value": "private"}]}]}}' > site/firebase.json
    pl-firebase-deploy site > /dev/null 2> said
    lacks "$(cat said)" "--default-headers"
    pl-firebase-deploy site --default-headers > /dev/null
    equal "$(serving '.headers[-1]')" '{"glob":"/x","headers":{"cache-control":"private"}}'
    config '{"source": "**", "destination": "/nothing"}'
    pl-firebase-deploy site > /dev/null 2> said
    contains "$(cat said)" "warning: site/firebase.json:3: the destination /nothing is not in the site"
}

test_one_build_serves_every_environment() {
    site; hosting
    deploy --channel a --runtime-config apiUrl=/api --runtime-config 'text=a=b "c"' > /dev/null
    equal "$(serving '.headers[-1]')" '{"glob":"/assets/config.json","headers":{"Cache-Control":"no-cache"}}'
    contains "$(files)" /assets/config.json
    rest() { log '[{p: h for x in r if "populate" in x["path"] and V in x["path"] for p, h in x["body"]["files"].items() if "config.json" not in p} for V in ("abc000", "abc001")]'; }
    deploy --channel b --runtime-config apiUrl=https://b --runtime-config-file /settings.json > /dev/null
    equal "$(rest | python3 -c 'a, b = eval(input()); b.pop("/settings.json"); print(a == b, len(a))')" "True 3"
    mkdir -p site/assets; echo '{"apiUrl": "x", "kept": 1}' > site/assets/config.json
    deploy --runtime-config apiUrl=y > /dev/null
    curl -s -H 'Authorization: Bearer t' "$PL_CLOUD_URL/scripted/blob?/assets/config.json" | jq -c . > got
    equal "$(cat got)" '{"apiUrl":"y","kept":1}'
    rm -r site/assets; echo '{"apiUrl": "x", "other": 2}' > site/config.json
    deploy --runtime-config apiUrl=z > /dev/null
    curl -s -H 'Authorization: Bearer t' "$PL_CLOUD_URL/scripted/blob?/config.json" | jq -c . > got
    equal "$(cat got)" '{"apiUrl":"z","other":2}'
    equal "$(serving '.headers[-1].glob')" '"/config.json"'
    rm site/config.json; mkdir site/assets; echo '[]' > site/assets/config.json
    status 65 deploy --runtime-config apiUrl=y > /dev/null 2> said
    contains "$(cat said)" "is no JSON object"
}

test_hooks_run_before_and_after() {
    hosting
    mkdir -p app
    cat > app/firebase.json << 'END'
{"hosting": {"public": "out", "predeploy": ["mkdir -p out && echo \"$GCLOUD_PROJECT $PROJECT_DIR $RESOURCE_DIR\" > out/index.html", "echo second >> out/index.html"],
  "postdeploy": "echo done > after; exit $(cat code)"}}
END
    echo 0 > app/code
    pl-firebase-deploy app > /dev/null
    equal "$(cat app/out/index.html)" "demo $PWD/app $PWD/app/out
second"
    equal "$(cat app/after)" "done"
    echo 3 > app/code
    status 70 pl-firebase-deploy app > record 2> said
    contains "$(cat said)" 'the site is deployed, but: the postdeploy hook "echo done > after; exit $(cat code)" ended with status 3'
    pl-firebase-deploy app --no-hooks > /dev/null
    printf '{"hosting": {"public": "out", "predeploy": "echo sorry >&2; exit 1"}}' > app/firebase.json
    : > "$LOG"
    status 70 pl-firebase-deploy app > /dev/null 2> said
    contains "$(cat said)" "sorry"
    equal "$(log 'sum(x["method"] != "GET" for x in r)')" 0
    record app/out > record
    pl-firebase-deploy < record > /dev/null 2> said
    contains "$(cat said)" "predeploy is not run for what a pipe brings"
    status 70 pl-firebase-deploy --hooks < record > /dev/null 2>&1
}

test_github_gets_the_outputs() {
    site; hosting
    GITHUB_ACTIONS=true GITHUB_OUTPUT=$PWD/output GITHUB_STEP_SUMMARY=$PWD/summary deploy --channel pr-7 > record 2> said
    for line in ref=https://shop--pr-7-x7.web.app site=https://shop--pr-7-x7.web.app url=https://shop--pr-7-x7.web.app name=shop version=0000000000abc000 channel=pr-7; do
        grep -qx "$line" output || fail "no $line: $(cat output)"
    done
    grep -q '^expires=2' output
    contains "$(cat summary)" "channel pr-7"
}

run_tests
