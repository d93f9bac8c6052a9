#!/usr/bin/env bash
# The chain: pl-from and pl-with, each word of it, what is found again, and what is refused.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/chain_lib.sh"

test_settings_of_an_image() {
    # What the environment says to other tools is not said to these.
    export PL_ENV=X=1 PL_SERVICE=shop PL_USER=me PL_NAME=other PL_TAG=v1 PL_PATH=/x
    pl-from "$(root)" | pl-with env A=1 B=2 GONE=3 | pl-with env --expand 'PATH=/opt:$PATH' | pl-with without env GONE |
        pl-with label x=y z=1 | pl-with without label z | pl-with port 8080 53/udp 9 | pl-with without port 9 |
        pl-with user app:mail | pl-with volume /data | pl-with stop-signal SIGINT |
        pl-with health-check --interval 30s --retries 2 -- /bin/true | pl-with cmd -- a |
        pl-with entrypoint -- run "two words" | pl-with cmd -- --workers 2 | pl-with annotation org.x=1 |
        pl-with name shop > record
    config < record > config
    equal "$(jq -c .config.Env config)" '["PATH=/opt:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","A=1","B=2"]'
    equal "$(jq -c '.config | [.Labels, .ExposedPorts, .User, .Volumes, .StopSignal]' config)" \
        '[{"x":"y"},{"53/udp":{},"8080/tcp":{}},"app:mail",{"/data":{}},"SIGINT"]'
    equal "$(jq -c '.config | [.Healthcheck, .Entrypoint, .Cmd]' config)" \
        '[{"Interval":30000000000,"Retries":2,"Test":["CMD","/bin/true"]},["run","two words"],["--workers","2"]]'
    equal "$(jq -c '[.name, .annotations, .type, .from[0][:17]]' record)" '["shop",{"org.x":"1"},"container","container:sha256:"]'
    printf '# settings\nexport C="quoted text"\n\nD=4\n' > settings
    pl-from scratch | pl-with env-file settings | pl-with without env D | config | jq -c .config.Env > variables
    contains "$(cat variables)" '"C=quoted text"'
    lacks "$(cat variables)" D=4
}

test_files_of_a_container() {
    mkdir -p src/sub; echo a > src/a; echo b > src/sub/b.log; echo c > src/sub/c
    echo one > file; chmod +x file
    pl-from "$(root)" | pl-with workdir app | pl-with file file ./ | pl-with file file /bin/renamed |
        pl-with directory --exclude '**/*.log' --owner app:mail --mode 0640 ./src src | pl-with new-file --mode 0755 new 'text' |
        pl-with symlink src/a link | pl-with without file /etc/removed src/sub/c nothing |
        pl-with exec --shell 'stat -c "%n %U:%G %a %F" * src/* src/sub/* /bin/renamed; cat link new; [ ! -e /etc/removed ]; pwd' > record
    object "$(jq -r .exec.stdout record | sed 's/.*sha256://')" > out
    grep -q '^src/a app:mail 640 regular file$' out
    grep -q '^file root:root 755 regular file$' out
    grep -q '^link root:root 777 symbolic link$' out
    grep -q '^/bin/renamed root:root 755 regular file$' out
    equal "$(tail -n 2 out | tr '\n' ' ')" "a text/app "
    absent -E 'src/sub/(c|b.log) ' out
}

test_a_step_is_made_once() {
    echo 1 > requirements; mkdir src; echo 1 > src/a
    build() {
        pl-from "$(root)" | pl-with file requirements / | pl-with exec --shell 'cat requirements > installed' |
            pl-with directory src /src | pl-with exec --volatile-env "NOW=$RANDOM" --shell 'cat /src/a; echo $NOW' 2>> log
    }
    build 2> log > first; grep -q 'exec cat requirements' log
    build 2> log > again; absent -v ': cached$' log
    equal "$(ref < again)" "$(ref < first)"
    # What depends on it is made anew, and nothing else.
    echo 2 > src/a; build 2> log > second; grep -q 'exec cat requirements.*: cached' log; absent 'exec cat /src/a.*: cached' log
    echo 2 > requirements; build 2> log > third; absent ': cached$' log
    # --explain says what changed; --no-cache makes it all the same.
    pl-from "$(root)" | pl-with file requirements / | pl-with exec --no-cache --shell 'cat requirements > installed' 2> log > /dev/null
    absent 'exec cat requirements.*: cached' log
    echo 3 > requirements; pl-from "$(root)" | pl-with file --explain requirements / 2> log > /dev/null
    contains "$(cat log)" requirements
}

test_what_a_command_is_given() {
    echo input > input; mkdir tree; echo t > tree/t
    export TOKEN=very-secret-token
    pl-from "$(root)" | pl-with exec --stdin input --expect 3 --network none --mount-tmpfs /tmp/t --mount-cache c=/cache \
        --mount-directory ./tree=/tree --mount-directory ./input=/one --mount-secret token=env://TOKEN --secret-env "T=cmd:echo also-secret" --env E=1 --user app \
        -- /bin/sh -c 'cat - /tree/t /one; id -un; echo $E $T; cat /run/secrets/token; cat /run/secrets/token | base64; echo broken >&2; exit 3' > record 2> log
    equal "$(jq .exec.status record)" 3
    object "$(jq -r .exec.stdout record | sed 's/.*sha256://')" > out
    equal "$(cat out | tr '\n' ' ')" "input t input app 1 *** ****** "
    equal "$(object "$(jq -r .exec.stderr record | sed 's/.*sha256://')")" broken
    contains "$(cat log)" '***'
    absent -r 'very-secret-token\|also-secret' log record "$PL_STORE"
    # What was mounted is not in the image, and the cache stays.
    pl-with exec --mount-cache c=/cache --shell '[ ! -e /tree/t ] && [ ! -s /one ] && echo kept >> /cache/f' < record > /dev/null 2>&1
    refused 70 "exec exit 4 failed with exit code 4" "" pl-with exec --shell 'exit 4' < record
    refused 70 "succeeded, which is not what was expected" "" pl-with exec --expect 1 --shell true < record
    pl-with exec --expect any --shell 'exit 77' < record 2> /dev/null | jq -e '.exec.status == 77' > /dev/null
}

test_directories() {
    mkdir -p site/drafts; echo a > site/a.txt; echo b > site/b.md; echo d > site/drafts/d; echo x > extra; ln -s a.txt site/l
    printf '*.md\n/drafts/\n!keep.md\n' > site/.gitignore; echo keep > site/keep.md; mkdir site/sub; echo '!s.md' > site/sub/.gitignore; echo > site/sub/s.md; echo > site/sub/t.md
    list() { object "$(ref | sed 's/.*sha256://')" | awk '{ print $NF }' | tr '\n' ' '; }
    equal "$(pl-from --gitignore ./site | list)" ".gitignore a.txt keep.md l sub sub/.gitignore sub/s.md "
    equal "$(pl-from ./site | pl-with filter --gitignore | ref)" "$(pl-from --gitignore ./site | ref)"
    equal "$(pl-from ./site | pl-with filter --include '**/*.md' --exclude sub | list)" "b.md keep.md "
    equal "$(pl-from --include drafts ./site | list)" "drafts drafts/d "
    pl-from --gitignore ./site > base
    pl-with file extra deep/er/ < base | pl-with new-file c.txt hello | pl-with symlink c.txt m |
        pl-with directory ./site/drafts at/drafts | pl-with without directory sub | pl-with without file .gitignore > changed
    equal "$(list < changed)" "a.txt at at/drafts at/drafts/d c.txt deep deep/er deep/er/extra keep.md l m "
    equal "$(pl-with diff "$(ref < changed)" < base | list)" "at at/drafts at/drafts/d c.txt deep deep/er deep/er/extra m "
    printf -- '--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-a\n+patched\n' > change.patch
    patched=$(pl-with patch change.patch < base | ref)
    equal "$(pl-from scratch | pl-with file "$patched/a.txt" /x | pl-with file "$(pl-from ./extra)" /y | config | jq '.rootfs.diff_ids | length')" 2
    equal "$(pl-with patch change.patch < base | ref)" "$patched"
    refused 65 "the patch change.patch does not apply" "make it anew" pl-with patch change.patch < <(pl-with file extra a.txt < base)
    printf -- '--- a/../x\n+++ b/../x\n@@ -0,0 +1 @@\n+x\n' > out.patch
    refused 65 "does not apply" "" pl-with patch out.patch < base
}

test_gitignore_as_git_reads_it() {
    git init -q work; cd work
    mkdir -p a/b/c build/x docs/build 'sp ace' node_modules/m src/node_modules keep/deep log.d
    for f in a/1.log a/b/2.log a/b/c/3.txt a/b/c/x.o build/x/f docs/build/f 'sp ace/f' node_modules/m/f src/node_modules/f src/a.c \
        keep/deep/f keep/deep/keep.me log.d/f x.log important.log '#hash' '!bang' 'trail ' foo foo.txt doc.pdf docs/doc.pdf a/foo a/b/foo \
        'a/[x]' a/q1 a/q2 a/qq .envx docs/readme.md a/b/c/d.tmp; do mkdir -p "$(dirname "$f")"; echo 1 > "$f"; done
    printf '%s\n' '# comment' '*.log' '!important.log' '/build/' 'node_modules/' 'keep/**' '!keep/deep/' '!keep/deep/keep.me' '\#hash' '\!bang' \
        'foo' '!a/b/foo' 'docs/*.pdf' 'a/**/x.o' 'log.d' 'trail\ ' 'a/q?' '!a/qq' '**/d.tmp' 'sp ace/' '/*.nothing' '[' 'docs/readme.md  ' > .gitignore
    printf '%s\n' '!1.log' '/b/2.*' '*.txt' '!3.txt' > a/.gitignore
    printf '%s\r\n' '3.txt' > a/b/c/.gitignore
    git ls-files -co --exclude-standard | LC_ALL=C sort > ../git
    pl-from --gitignore . | pl-export --show entries | grep -v '/$' | LC_ALL=C sort > ../ours
    cd ..; diff git ours
    pl-from ./work | pl-with filter --gitignore | pl-export --show entries | grep -v '/$' | LC_ALL=C sort | diff git -
}

test_where_a_chain_begins() {
    export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a
    git init -q -b main repo; mkdir repo/docs; echo 1 > repo/docs/x; ln -s /etc/passwd repo/l
    git -C repo add -A; git -C repo commit -qm 1; git -C repo tag -a -m v v1; one=$(git -C repo rev-parse HEAD)
    url=file://$PWD/repo
    pl-from "git+$url#v1:docs" > record 2> /dev/null
    equal "$(jq -c '[.type, .name, .commit]' record)" "[\"directory\",\"docs\",\"$one\"]"
    equal "$(ref < record)" "$(pl-from ./repo/docs | ref)"
    pl-from --update "$url#main" > /dev/null 2>&1
    echo 2 > repo/docs/x; git -C repo commit -qam 2
    equal "$(pl-from --locked "$url#main" | jq -r .commit)" "$one"
    equal "$(pl-from "$url#$one:docs" | ref)" "$(ref < record)"
    rm pl.lock; lacks "$(pl-from "$url#main" 2> /dev/null | jq -r .commit)" "$one"
    refused 65 "has no branch or tag \"nope\"" "git ls-remote" pl-from "$url#nope"
    refused 64 "must not hold a password" "credential" pl-from "https://me:secret@127.0.0.1/x.git"
    refused 65 "does not say what $url#main is" "pl-from --update" pl-from --locked "$url#main"
    python3 -c '
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        asks = self.path.startswith("/x.git")
        self.send_response(401 if asks else 200); self.send_header("WWW-Authenticate", "Basic realm=x"); self.end_headers()
        self.wfile.write(b"hello\n")
    def log_message(self, *all): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler); print(server.server_port, flush=True); server.serve_forever()' > port &
    ATEXIT="kill $! 2> /dev/null"; wait_for 10 test -s port; web=http://127.0.0.1:$(cat port)
    refused 77 "wants a login" "git config credential.helper" pl-from "$web/x.git"
    digest=sha256:$(echo hello | sha256sum | cut -d ' ' -f 1)
    equal "$(pl-from "$web/a/file.txt?x=1#$digest" 2> /dev/null | jq -c '[.ref, .name]')" "[\"file:$digest\",\"file.txt\"]"
    kill $!; pl-from "$web/a/file.txt#$digest" > /dev/null
    refused 64 "needs its digest" "sha256sum" pl-from "$web/a/file.txt"
    # Image sources, and what is in the store already.
    pl-from "$(root)" > record; equal "$(ref < record | pl-with name x | ref)" "$(ref < record)"
    equal "$(pl-from "$(ref < record)" | ref)" "$(ref < record)"
    pl-from --update "$(root)" > /dev/null 2>&1; pl-from --locked "$(root)" > /dev/null
    mkdir src; refused 69 "" "named with a dot before it: pl-from ./src" env https_proxy=http://127.0.0.1:9 pl-from src
    refused 65 "credentials" "--allow-file" pl-from <(:) 2> /dev/null || true
    echo '-----BEGIN PRIVATE KEY-----' > src/id_rsa; refused 65 "credentials" "--allow-file" pl-from ./src
    pl-from --allow-file id_rsa ./src > /dev/null
}

test_what_is_refused() {
    directory=$(pl-from "$ROOT/tests/fixtures/broken-exits" | ref); container=$(pl-from scratch | ref)
    refused 66 "nothing arrived" "begin the chain with: pl-from" pl-with env A=1 < /dev/null
    echo "$directory" > record
    refused 65 "exec changes a container, and got a directory" "pl-with directory $directory /PATH" pl-with exec -- true < record
    echo "$container" > record
    refused 65 "patch changes a directory, and got a container" "pl-export --path" pl-with patch x < record
    refused 64 "../x leaves the root" "stays inside" pl-with file record ../x < record
    refused 64 "leaves the root" "" pl-with new-file /a/../../x < <(echo "$directory")
    refused 64 "--shell does not go with env" "" pl-with env --shell x A=1 < record
    refused 64 "exec needs a command" "behind two dashes" pl-with exec < record
    refused 64 "file needs FILE PATH" "usage: pl-with file FILE PATH" pl-with file x < record
    refused 64 "is no port" "" pl-with port 70000 < record
    refused 64 "env takes NAME=VALUE" "" pl-with env A < record
    refused 65 "cannot open nothing" "" pl-with file nothing /x < record
    refused 65 "is a directory" "pl-with directory" pl-with file "$WORK" /x < record
    gone=sha256:$(printf '%064d' 7)
    refused 65 "the store has no container:$gone" "with the same PL_STORE" pl-with env A=1 < <(echo "container:$gone")
    refused 65 "the store has no directory:$gone" "with the same PL_STORE" pl-with directory "directory:$gone" / < record
    refused 78 "NOT_SET" "export NOT_SET" pl-with exec --mount-secret x=env:NOT_SET -- true < record
    # A failure goes down the pipe with its code.
    set +e; pl-from ./nowhere 2> /dev/null | pl-with env A=1 2> /dev/null | pl-with port 1 > out 2> log; code=$?; set -e
    equal "$code" 65; equal "$(jq -r .stage out)" pl-from; contains "$(cat log)" "not started: pl-from failed (65)"
}

test_three_hundred_stages() {
    pipe="pl-from scratch"
    for i in $(seq 300); do pipe="$pipe | pl-with label n$i=$i"; done
    bash -c "$pipe" > record
    equal "$(config < record | jq '.config.Labels | length')" 300
    pipe="pl-from ./nowhere"
    for i in $(seq 300); do pipe="$pipe | pl-with label n$i=$i"; done
    status 65 bash -c "$pipe" > out 2> /dev/null
    equal "$(jq -r .stage out)" pl-from
}

run_tests
