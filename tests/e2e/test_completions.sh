#!/usr/bin/env bash
# Completions as they are installed, in real interactive shells (complete.py); live values against the local cloud and against
# servers that mean harm.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"

unset PL_COMPLETE_SECONDS XDG_CACHE_HOME
export PL_COMPLETE_SECONDS=20 # a busy machine

# In a prefix of its own, and from there in PATH.
install_once() {
    PREFIX=$WORK/usr
    [ -d "$PREFIX" ] || make -s -C "$ROOT" OUT="$OUT" PREFIX="$PREFIX" install > /dev/null
    export PATH="$PREFIX/bin:/usr/bin:/bin"
}
in_shell() { python3 "$FOLDER/complete.py" "$1" "$PREFIX" ${2:+"$2"}; }
# in_every_shell < "LINE -> ANSWER"...: each shell answers so; with "bash " and so on before a line only that shell.
in_every_shell() {
    local shell
    cat > cases
    for shell in bash zsh fish; do
        sed -nE "s/^($shell )?([?!c])/\2/p" cases > wanted
        sed -E 's/ -> .*//' wanted | in_shell "$shell" > got
        diff -u <(sed -nE '/ -> /s/^[?!] //p' wanted) got || fail "$shell"
    done
}

test_options_choices_files_and_the_source() {
    install_once
    mkdir -p app plain "other dir"
    printf 'FROM a AS one\nFROM b AS two\n' > app/Dockerfile
    touch "a file" req.txt
    echo '{"projects": {"default": "shop-1"}, "targets": {"shop-1": {"hosting": {"admin": ["shop-admin"]}}}}' > .firebaserc
    git init -q . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m first && git tag v1
    echo '{"projects": {"web": {"architect": {"build": {"configurations": {"staging": {}, "production": {}}}}}}}' > app/angular.json
    in_every_shell << END
? pl-run-deploy --region europe-west1 -> europe-west1 europe-west10 europe-west12
bash ! pl-run-deploy --region africa -> pl-run-deploy --region africa-south1$(printf ' ')
zsh ! pl-run-deploy --region africa -> pl-run-deploy --region africa-south1$(printf ' ')
? pl-run-deploy --region=africa -> --region=africa-south1
bash ? pl-run-deploy --output= -> --output=human json ref
zsh ? pl-run-deploy --output= -> --output=human --output=json --output=ref
fish ? pl-run-deploy --output= -> --output=human --output=json --output=ref
? pl-build app --target$(printf ' ') -> one two
? pl-build app --target=o -> --target=one
zsh ? pl-build p -> plain/
fish ? pl-build p -> plain/
bash ! pl-build p -> pl-build plain/
? pl-build ap -> app/
bash ! pl-build ap -> pl-build app/
zsh ! pl-build ap -> pl-build app/
bash ! pl-build oth -> pl-build other\\ dir/
zsh ! pl-build oth -> pl-build other\\ dir/
? pl-build app --project w -> web
? pl-build app --project web --configuration st -> staging
? pl-changed --since v -> v1
? pl-firebase-deploy --target a -> admin
? pl-firebase-deploy --project def -> default
? pl-gcp-auth --docker-login me-w -> me-west1-docker.pkg.dev
? pl-with wit -> without
? pl-with without en -> entrypoint env
? pl-with file re -> req.txt
bash ! pl-with file a\\  -> pl-with file a\\ file$(printf ' ')
? pl-with exec --service db=apt -> db=apt:
? pl-with exec -- re -> req.txt
bash ! pl-from docker-a -> pl-from docker-archive:
zsh ! pl-from docker-a -> pl-from docker-archive:
? pl-from --platform linux/ar -> linux/arm/v7 linux/arm64
? pl-gcp-auth --credentials env:PL_COMPLETE -> env:PL_COMPLETE_SECONDS
? pl run-d -> run-deploy
? pl run-deploy --region me- -> me-central1 me-central2 me-west1
? pl build app --target=t -> --target=two
? pl help run-j -> run-job
bash ! pl-build app | pl-push-image --rep -> pl-build app | pl-push-image --repo$(printf ' ')
zsh ! pl-build app | pl-push-image --rep -> pl-build app | pl-push-image --repo=
? X=1 pl-build app | pl-run-deploy --region=africa -> --region=africa-south1
? pl-push-image -o r -> ref
? $PREFIX/bin/pl-build app --target o -> one
? $PREFIX/bin/pl build app --target o -> one
? pl-cache ga -> $(printf '')
END
}

# Its own loader finds the files by their names.
test_bash_with_the_package_bash_completion() {
    install_once
    export XDG_DATA_DIRS=$PREFIX/share
    equal "$(in_shell bash with-library << 'END'
? pl-run-deploy --region africa
? pl run-deploy --region=me-w
! pl-run-deploy --reg
END
    )" "pl-run-deploy --region africa -> africa-south1
pl run-deploy --region=me-w -> --region=me-west1
pl-run-deploy --reg -> pl-run-deploy --region "
}

test_shells_show_what_the_words_mean() {
    install_once
    fish --no-config -c "set fish_complete_path $PREFIX/share/fish/vendor_completions.d
        set -p fish_function_path $PREFIX/share/fish/vendor_functions.d
        complete -C 'pl-run-deploy --region africa'; complete -C 'pl-with exe'; complete -C 'pl serv'" > shown
    contains "$(cat shown)" "africa-south1	Johannesburg"
    contains "$(cat shown)" "exec	run a command in the container"
    contains "$(cat shown)" "serve	$(pl-serve --help=json | jq -r .summary)"
    timeout 60 zsh -f "$ROOT/tests/cli/complete.zsh" "$PREFIX/share/zsh/site-functions" 'pl-run-deploy --region us-west' 'Salt Lake City'
    timeout 60 zsh -f "$ROOT/tests/cli/complete.zsh" "$PREFIX/share/zsh/site-functions" 'pl-with e' 'set the program'
    timeout 60 zsh -f "$ROOT/tests/cli/complete.zsh" "$PREFIX/share/zsh/site-functions" 'pl se' 'serve'
}

test_values_of_the_cloud() {
    install_once
    cloud
    web_app app hello
    ship app shop --allow-unauthenticated --tag candidate > url
    image=$(pl-run-deploy --region us-central1 shop --export | jq -r '.template.containers[0].image')
    pl-run-job nightly "$image" --region us-central1 -q -o ref > /dev/null
    mkdir site && echo hi > site/index.html
    pl-firebase-deploy -q --channel summer site > /dev/null
    pl-build -q -o ref app > ref
    pl-from scratch | pl-with new-file /x y > /dev/null
    contains "$(pl --complete containers '' pl-serve)" "$(cat ref)	CMD "
    pl-with exec -q --mount-cache modules=/c -- /bin/busybox true < ref > /dev/null
    host=${image%%/*} repository=${image%@*}
    tag=$(curl -sf -H "Authorization: Bearer $(pl-gcp-auth --print access-token)" "http://$host/v2/${repository#*/}/tags/list" | jq -r '.tags[0]')
    revision=$(pl-run-deploy --region us-central1 shop --revisions | awk 'NR == 2 { print $1 }')
    # Where the answers are kept for a minute, so that the three shells ask once.
    in_every_shell << END
? pl-run-deploy --region us-central1 s -> shop
? pl-run-deploy --region us-central1 --name=s -> --name=shop
? pl-run-deploy shop --region us-central1 --to shop -> $revision
? pl-run-deploy --rollback shop --region us-central1 --to shop -> $revision
? pl-run-deploy shop --region us-central1 --promote c -> candidate
? pl-run-deploy shop --region us-central1 --traffic la -> latest=
? pl-run-deploy shop --region us-central1 --set-tag old=can -> old=candidate
? pl-run-deploy --region europe-west1 s -> $(printf '')
? pl-run-job --region us-central1 n -> nightly
? pl-push-image --repo d -> demo
? pl-firebase-deploy --site  -> pl-local
? pl-firebase-deploy --promote s -> summer
? pl-firebase-deploy --project $(printf %s "$GOOGLE_CLOUD_PROJECT" | cut -c1-3) -> $GOOGLE_CLOUD_PROJECT
? pl-local logs s -> shop
? pl-with exec --mount-cache mo -> modules=
? pl-push-image --repo demo $(cut -c1-30 ref) -> $(cat ref)
bash ! pl-push-image --repo demo $(cut -c1-30 ref) -> pl-push-image --repo demo $(cat ref)$(printf ' ')
zsh ! pl-push-image --repo demo $(cut -c1-30 ref) -> pl-push-image --repo demo $(cat ref)$(printf ' ')
? pl-from $repository:${tag:0:3} -> $repository:$tag
? pl-run-deploy --region us-central1 shop $repository:${tag:0:3} -> $repository:$tag
? pl-push-image --repo $host/ -> $repository
END
    # Nothing in the log, nothing of ours that others can read.
    [ ! -e "$HOME/.local/state/pl/logs" ] || lacks "$(ls "$HOME/.local/state/pl/logs")" "pl-2"
    equal "$(stat -c %a "$HOME/.cache/pl-complete")" 700
    equal "$(stat -c %a "$HOME"/.cache/pl-complete/* | sort -u)" 600
    # Asked a second time the cloud need not be there; another question meets silence, not an error.
    rm -r "$HOME/.cache/pl-complete"
    pl --complete services '' pl-run-deploy --region us-central1 > /dev/null
    pl-local stop -q
    equal "$(pl --complete services '' pl-run-deploy --region us-central1 | cut -f 1)" shop
    equal "$(pl --complete services '' pl-run-deploy --region us-east1 2>&1)" ""
    # And where nobody may be asked, nobody is.
    equal "$(PL_COMPLETE_SECONDS=0 pl --complete services '' pl-run-deploy --region us-central1)" ""
}

# A registry whose tags are commands, and one that never answers.
registry() {
    cat > registry.py << 'END'
import http.server, json, sys, time
class Registry(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        open("asked", "a").write(self.path + "\n")
        if "silent" in self.path: time.sleep(60)
        tags = ["good", "$(touch pwned)", "`touch pwned`", "a b", "x;touch pwned", "x\ntouch", "q'q", 'd"d', "-o", "\x1b[31m", "g" * 200, "go\u202eod", 7, None]
        body = json.dumps({"name": "evil", "tags": tags}).encode() if "tags" in self.path else b"{}"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *arguments): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry)
open("port", "w").write(str(server.server_port))
server.serve_forever()
END
    python3 registry.py &
    server=$!
    wait_for 20 test -s port
    host=127.0.0.1:$(cat port)
}

test_values_from_outside_run_nothing() {
    install_once
    registry
    git init -q -b trunk . && git -c user.name=a -c user.email=a@b commit -q --allow-empty -m "a 'subject' \$(touch pwned)"
    git branch 'fine' && git branch '$(touch${IFS}pwned)' && git branch 'a;touch${IFS}pwned'
    in_every_shell << END
? pl-from $host/evil: -> $host/evil:good
? pl-changed --since  -> fine trunk
bash ! pl-from $host/evil: -> pl-from $host/evil:good$(printf ' ')
zsh ! pl-from $host/evil: -> pl-from $host/evil:good$(printf ' ')
bash ! pl-from "$host/evil: -> pl-from "$host/evil:good"$(printf ' ')
END
    equal "$(grep -c tags asked)" 1
    # What stands on the line is read, and not run either.
    for shell in bash zsh fish; do
        printf '%s\n' '? pl-run-deploy --project "$(touch pwned)" --region africa' '? pl-run-deploy --project `touch pwned` --region=africa' \
            '? pl-from "$(touch pwned):' '? pl-build --base=$(touch pwned)/x: --target ' > asking
        in_shell $shell < asking > out
        contains "$(cat out)" "--region africa -> africa-south1"
    done
    lacks "$(ls)" pwned
    # A folder that others may write into is no place to remember things.
    chmod 777 "$HOME/.cache/pl-complete"
    pl --complete images "$host/evil:" pl-from > out
    equal "$(grep -c tags asked)" 2
    chmod 700 "$HOME/.cache/pl-complete"
    kill "$server"
}

test_a_server_that_is_silent_is_not_waited_for() {
    install_once
    registry
    export PL_COMPLETE_SECONDS=1
    equal "$(status 0 pl --complete images "$host/silent:" pl-from 2>&1)" ""
    asked=$(grep -c silent asked)
    # The key again: no second question for ten seconds.
    equal "$(status 0 pl --complete images "$host/silent:" pl-from 2>&1)" ""
    equal "$(grep -c silent asked)" "$asked"
    kill "$server"
}

# Credentials that would have to be asked for are not at hand: no helper, no executable, no command is started.
test_nothing_is_started_that_may_ask() {
    install_once
    registry
    mkdir -p bin .docker
    printf '#!/bin/sh\ntouch %s/started\n' "$PWD" | tee bin/docker-credential-evil bin/token bin/git > /dev/null
    chmod +x bin/*
    printf '{"credHelpers": {"%s": "evil"}, "credsStore": "evil"}' "$host" > .docker/config.json
    printf '{"type": "external_account", "audience": "//iam.googleapis.com/x", "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_url": "https://sts.googleapis.com/v1/token", "credential_source": {"executable": {"command": "%s/bin/token"}}}' "$PWD" > key.json
    export DOCKER_CONFIG=$PWD/.docker PATH="$PREFIX/bin:$PWD/bin:/usr/bin:/bin" GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1
    contains "$(pl --complete images "$host/evil:" pl-from)" good
    GOOGLE_APPLICATION_CREDENTIALS=$PWD/key.json pl --complete services '' pl-run-deploy --region us-central1 > out 2>&1
    pl --complete services '' pl-run-deploy --region us-central1 --credentials "cmd:touch started" >> out 2>&1
    equal "$(cat out)" ""
    [ ! -e started ]
    kill "$server"
}

# Each kind that a table names is one that pl answers.
test_every_kind_of_value_is_known() {
    local kind
    pl --help=json | jq -r '.. | .values? // empty' | sort -u > kinds
    [ "$(wc -l < kinds)" -gt 15 ]
    while read -r kind; do status 0 env PL_COMPLETE_SECONDS=0 pl --complete "$kind" a=b pl-build > /dev/null; done < kinds
    status 64 pl --complete nonsense '' pl-build
    status 64 pl --complete
    # Every region of the one table, which the local cloud reads too.
    equal "$(pl --complete regions '' pl-run-deploy | cut -f 1)" "$(sed -n 's/^    {"\([a-z0-9-]*\)", ".*"},$/\1/p' "$ROOT/common/region/region.c")"
    [ "$(pl --complete regions '' pl-run-deploy | wc -l)" -ge 43 ]
}

run_tests
