#!/usr/bin/env bash
# Canaries: secrets with odd characters go in at every place where one can, and are looked for everywhere afterwards, as they
# are and in the forms in which they travel.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/wire/registry.sh"
. "$ROOT/tests/wire/auth.sh"

CANARY='canary/+"q\z=7f3a'
# search PLACE...: none of the canaries, raw, base64 (at each of three offsets), percent-encoded or JSON-escaped
search() { python3 - "$CANARY" "$@" <<'END'
import base64, json, os, sys, urllib.parse
raw = sys.argv[1].encode()
forms = {raw, urllib.parse.quote(raw, safe="").encode(), urllib.parse.quote_plus(raw).encode(), json.dumps(raw.decode())[1:-1].encode(), raw.hex().encode(),
         json.dumps(raw.decode()).replace("/", "\\/")[1:-1].encode()}
for shift in range(3):
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        forms.add(encode(b"x" * shift + raw)[4 if shift else 0:-4])
found = seen = 0
for place in sys.argv[2:]:
    files = [os.path.join(d, f) for d, _, names in os.walk(place) for f in names] if os.path.isdir(place) else [place]
    for file in files:
        if os.path.islink(file) or not os.path.isfile(file): continue
        data = open(file, "rb").read(); seen += 1
        for form in forms:
            if form in data: print("canary in", file, form); found += 1
assert seen, "nothing was searched"
sys.exit(found > 0)
END
}
# watch: what every process of ours shows to others, until `rest` is called
watch() {
    mkdir -p seen
    ( set +e; while [ ! -e rest ]; do for process in $(pgrep -x 'pl-gcp-auth|pl-run-deploy|pl-push-image' || true); do
        cat /proc/$process/cmdline /proc/$process/environ >> seen/processes 2> /dev/null; done; sleep 0.02; done ) & WATCH=$!
}
rest() { touch rest; wait $WATCH; rm rest; }

run_all() { # run_all NAME: every tool, told much
    for command in "pl-gcp-auth" "pl-gcp-auth --check -v" "pl-gcp-auth --print id-token --audience https://x" "pl-run-deploy --region us-central1 --name shop -v $IMAGE" "pl-push-image -v --repo shop --tag v1"; do
        GITHUB_ACTIONS=true GITHUB_OUTPUT=$PWD/outputs GITHUB_STEP_SUMMARY=$PWD/summary $command < container >> told/"$1" 2>&1 || true
    done
    return 0
}

test_a_canary_is_found_when_it_is_there() {
    mkdir x
    printf '%s' "$CANARY" | base64 -w0 > x/a
    status 1 search x > /dev/null
    printf 'abc%s' "$CANARY" > x/a
    status 1 search x > /dev/null
    jq -n --arg c "$CANARY" '[$c]' > x/a
    status 1 search x > /dev/null
    echo nothing > x/a
    search x
}

test_no_secret_is_left_anywhere() {
    export TMPDIR=$PWD/tmp IMAGE=us-central1-docker.pkg.dev/demo/repo/shop@sha256:$(printf %064d 7)
    mkdir -p told tmp in
    container > container
    jq -n --arg c "$CANARY" '{type: "authorized_user", client_id: "i", client_secret: ($c + "-client"), refresh_token: ($c + "-refresh")}' > in/user.json
    openssl genrsa -out in/key.pem 2048 2> /dev/null
    chmod 600 in/*
    for words in ok echo oauth-html oauth-revoked sts-condition; do
        servers $words token=tokencanary
        watch
        GOOGLE_APPLICATION_CREDENTIALS=$PWD/in/user.json run_all $words
        [ "$words" = oauth-html ] || GOOGLE_APPLICATION_CREDENTIALS=$PWD/in/user.json PL_IMPERSONATE_SERVICE_ACCOUNT=$DEPLOYER run_all $words
        curl -sf "$CLOUD/identity" | jq -r .value > in/jwt
        PL_WORKLOAD_IDENTITY_PROVIDER=$PROVIDER PL_ID_TOKEN=file:$PWD/in/jwt PL_IMPERSONATE_SERVICE_ACCOUNT=$DEPLOYER run_all $words
        jq -n --rawfile key in/key.pem --arg uri "$CLOUD/token" '{type: "service_account", private_key: $key, client_email: "a@demo.iam.gserviceaccount.com", token_uri: $uri}' > in/key.json
        chmod 600 in/key.json
        GOOGLE_APPLICATION_CREDENTIALS=$PWD/in/key.json run_all $words
        rest
        absent -qF "$(cut -d. -f2 in/jwt)" -r told "$HOME" seen outputs summary tmp
    done
    [ -s seen/processes ]
    search told "$HOME" seen outputs summary tmp "$PL_STORE" container
    absent -rqE 'BEGIN PRIVATE|BEGIN RSA' told "$HOME" seen tmp "$PL_STORE"
    lacks "$(grep -rhE 'tokencanary' told "$HOME" seen tmp "$PL_STORE" outputs summary | grep -v '^::add-mask::' || true)" tokencanary
    key=$(sed -n 5p in/key.pem)
    absent -rqF "$key" told "$HOME" seen tmp "$PL_STORE" outputs summary
}

test_no_core_file() {
    servers slow
    ulimit -c unlimited 2> /dev/null || skip "the limit of core files cannot be raised"
    curl -sf "$CLOUD/identity" | jq -r .value > jwt
    for tool in "pl-gcp-auth" "pl-run-deploy --region us-central1 --name shop us-central1-docker.pkg.dev/demo/repo/shop@sha256:$(printf %064d 7)"; do
        : > "$LOG"
        $tool --workload-identity-provider $PROVIDER --id-token file:jwt > out 2>&1 &
        process=$!
        wait_for 10 grep -q /v1/token "$LOG"
        kill -SEGV $process
        wait $process || true
        equal "$(find . -name 'core*')" ""
    done
    # That a core file would have been seen: of a program that allows one.
    [ "$(cat /proc/sys/kernel/core_pattern)" = core ] || return 0
    sh -c 'kill -SEGV $$' || true
    [ -n "$(find . -name 'core*')" ]
}

# memory PID TEXT: how often a text stands in what a process may write to
memory() { python3 - "$1" "$2" <<'END'
import sys
found = 0
with open("/proc/%s/maps" % sys.argv[1]) as maps, open("/proc/%s/mem" % sys.argv[1], "rb", 0) as mem:
    for line in maps:
        place, rights = line.split()[:2]
        if not rights.startswith("rw"): continue
        begin, end = (int(part, 16) for part in place.split("-"))
        mem.seek(begin)
        try: found += mem.read(end - begin).count(sys.argv[2].encode())
        except OSError: pass
print(found)
END
}

test_what_is_spent_is_wiped() {
    servers ok token=tokencanary-
    openssl genrsa -out key.pem 2048 2> /dev/null
    curl -sf "$CLOUD/identity" | jq -r .value > jwt
    echo '{"type":"external_account","audience":"//iam.googleapis.com/'$PROVIDER'","subject_token_type":"urn:ietf:params:oauth:token-type:jwt","token_url":"https://sts.googleapis.com/v1/token","credential_source":{"file":"jwt"}}' > external.json
    jq -n --rawfile key key.pem '{type: "service_account", private_key: $key, client_email: "a@demo.iam.gserviceaccount.com", token_uri: "https://oauth2.googleapis.com/token"}' > key.json
    chmod 600 ./*.json
    for file in external key; do
        # It waits for its record with the account's token: what led to that token is spent.
        : > "$LOG"; rm -f input; mkfifo input
        GOOGLE_APPLICATION_CREDENTIALS=$PWD/$file.json pl-run-deploy --region us-central1 --project demo --name shop --impersonate-service-account $DEPLOYER < input > out 2> said &
        process=$!
        exec 7> input
        wait_for 10 grep -q generateAccessToken "$LOG"
        has_token() { [ "$(memory $process tokencanary-)" -gt 0 ]; }
        wait_for 10 has_token
        only_token() { [ "$(memory $process tokencanary-)" = 1 ]; }
        wait_for 10 only_token
        equal "$file: $(memory $process "$(cut -d. -f2 jwt)") $(memory $process tokencanary-federated) $(memory $process "$(sed -n 5p key.pem)")" "$file: 0 0 0"
        exec 7>&-
        wait $process || true
    done
}

run_tests
