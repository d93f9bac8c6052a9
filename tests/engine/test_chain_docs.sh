#!/usr/bin/env bash
# Every line of docs/from-dagger.md is run.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/chain_lib.sh"
. "$ROOT/tests/e2e/cloud.sh"

make_inputs() {
    mkdir -p src/sub other repository; printf 'import os\n' > src/main.py; echo test > src/test_x.py; echo y > src/sub/y
    cp -r src/. other/; echo more > other/more; echo 'six==1.17.0' > requirements.txt; echo 'DEBUG=no' > settings.txt
    printf 'FROM scratch\nCOPY src /src\n' > Dockerfile; echo content-of-a-secret > secret.txt
    printf -- '--- a/main.py\n+++ b/main.py\n@@ -1 +1 @@\n-import os\n+import sys\n' > change.patch
    git init -q -b main repository; echo 1 > repository/x; git -C repository add x
    git -C repository -c user.name=a -c user.email=a commit -qm 1
    pl-from "$(root)" | pl-with workdir /app | pl-with name shop > Container.json
    pl-from ./src > Directory.json; pl-from ./src/main.py > File.json
    WEB=$(pl-with port 8080 < Container.json | pl-with entrypoint -- httpd -f -p 8080 -h /etc | ref); export WEB
    cp Container.json Secret.json; cp Container.json Service.json; cp Container.json CacheVolume.json
}

keep_secret() {
    local token url=$PL_CLOUD_URL/v1/projects/$GOOGLE_CLOUD_PROJECT/secrets
    token=$(pl-gcp-auth -q --print access-token)
    curl -sf -o answer -H "Authorization: Bearer $token" "$url?secretId=key" -d '{"replication":{"automatic":{}}}'
    curl -sf -o answer -H "Authorization: Bearer $token" "$url/key:addVersion" -d "{\"payload\":{\"data\":\"$(printf 'kept at Google' | base64)\"}}"
}

test_the_lines_for_people_who_come_from_dagger() {
    cloud; keep_secret; make_inputs
    export TOKEN=a-token-of-mine SOURCE_DATE_EPOCH=0
    python3 "$ROOT/tests/engine/dagger_lines.py" "$ROOT/docs/from-dagger.md" > lines
    while IFS=$'\t' read -r section line; do
        local run=(bash -c "set -e -o pipefail; $line")
        # What wants a terminal gets one, and its record from the file.
        [ "${line/--terminal/}" = "$line" ] || run=(python3 "$ROOT/tests/engine/terminal_cases.py" line "set -e -o pipefail; exec < $section.json; $line")
        "${run[@]}" < "$section.json" > out 2> log || { cat log; fail "$section: $line"; }
    done < lines
    [ "$(wc -l < lines)" -gt 80 ]
    pl-with exec --mount-secret "t=gcp:projects/$GOOGLE_CLOUD_PROJECT/secrets/key/versions/1" --shell 'cat /run/secrets/t; wc -c < /run/secrets/t' < Container.json 2> log |
        pl-export --show stdout > out
    equal "$(cat out)" "***14"
    absent -r "kept at Google" "$PL_STORE" out log
    # Through a registry and back, in another store: the same container, with what was taken away still gone.
    pl-with without file /etc/removed < Container.json | pl-with annotation org.example.a=1 | pl-push-image -q --repo demo --tag gone > image.json 2> log
    equal "$(jq -r .type image.json)" image
    PL_STORE=$PWD/other pl-from < image.json > back
    equal "$(ref < back)" "$(pl-with without file /etc/removed < Container.json 2> log | ref)"
    PL_STORE=$PWD/other pl-with exec --shell 'ls /etc' < back 2> log | PL_STORE=$PWD/other pl-export --show stdout > out
    grep -q passwd out; absent removed out
    # A step that is found asks nobody for its secret.
    pl-local stop -q
    pl-with exec --mount-secret "t=gcp:projects/$GOOGLE_CLOUD_PROJECT/secrets/key/versions/1" --shell 'cat /run/secrets/t; wc -c < /run/secrets/t' < Container.json > out
    refused 64 "is no version of a secret" "versions/latest" pl-with exec --mount-secret t=gcp:key -- sleep 0 < Container.json
}

run_tests
