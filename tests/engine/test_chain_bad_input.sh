#!/usr/bin/env bash
# What is wrong or hostile for the chain: each has its message, its exit code and what to type next, and leaves nothing.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/chain_lib.sh"

# all CODE TEXT NEXT COMMAND...: refused, and the store is whole
all() { refused "$@"; equal "$(ls "$PL_STORE/tmp")" ""; }

test_a_chain_that_begins_with_nothing() {
    refused 66 "nothing arrived" "begin the chain with: pl-from IMAGE, or pl-from ./DIR" pl-with env A=1 < /dev/null
    refused 66 "nothing arrived" "" pl-export --show tree < /dev/null
    refused 66 "nothing arrived" "" pl-with env A=1 < <(printf '\n\n')
    # As in a Makefile, without pipefail: the last stage fails all the same.
    status 66 bash -c 'true | pl-with env A=1 | pl-with port 1 | pl-export --show inspect' > out 2> /dev/null
}

test_a_step_on_a_directory_that_needs_a_container() {
    mkdir src; pl-from ./src > record
    for word in 'exec -- true' 'env A=1' 'workdir /x' 'user me' 'port 1' 'rootfs src'; do
        # shellcheck disable=SC2086
        refused 65 "${word%% *} changes a container, and got a directory (from pl-from)" "pl-with directory $(ref < record) /PATH" pl-with $word < record
    done
    refused 65 "patch changes a directory, and got a container" "pl-export --path" pl-with patch x < <(pl-from scratch)
}

test_a_path_that_leaves_the_root() {
    mkdir src; echo x > src/x; pl-from ./src > directory; pl-from scratch > container
    for word in 'file src/x ../x' 'directory src /../x' 'new-file a/../../x text' 'symlink x ../../l' 'without file ../x' 'workdir ../..' 'volume /../v'; do
        # shellcheck disable=SC2086
        refused 64 "leaves the root" "" pl-with $word < container
    done
    refused 64 "leaves the root" "" pl-with new-file ../x text < directory
    refused 64 "leaves the root" "" pl-export --path ../x < directory
    refused 64 "leaves the root" "" pl-with file "$(ref < directory)/../../x" /x < container
}

test_a_ref_that_gc_removed() {
    mkdir src; echo x > src/x; pl-from ./src > directory; pl-from "$(root)" | pl-with label a=1 > container
    pl-cache gc --keep-days 0 > /dev/null
    for record in directory container; do
        refused 65 "the store has no $(ref < $record): it was removed (pl-cache gc), or made in another store" \
            "run the commands that made it again, on this machine and with the same PL_STORE" pl-with name x < $record
    done
    refused 65 "the store has no $(ref < directory)" "" pl-with directory "$(ref < directory)" /x < <(pl-from scratch)
    refused 65 "the store has no $(ref < container)" "" pl-from "$(ref < container)"
}

test_a_ref_of_the_store_of_another_machine() {
    mkdir src; echo x > src/x; PL_STORE=$PWD/theirs pl-from ./src > record
    refused 65 "made in another store" "with the same PL_STORE" pl-export out < record
    refused 65 "made in another store" "" pl-export --show tree < record
    [ ! -e out ]
}

# A ref is the digest of what it names, so no container can name itself, nor two each other.
test_a_service_that_is_missing_or_its_own() {
    pl-from "$(root)" | pl-with port 8080 | pl-with entrypoint -- sleep 1000 > record
    refused 65 "the store has no container:sha256:$(printf %064d 7)" "" pl-with exec --service "db=container:sha256:$(printf %064d 7)" -- true < record
    refused 69 "the service db" "" env https_proxy=http://127.0.0.1:9 pl-with exec --service db=127.0.0.1:9/none:1 -- true < record
    refused 64 "the name db is given twice" "" pl-with exec --service "db=$(ref < record)" --service "db=$(ref < record)" -- true < record
    # Its own container is another instance, which does not serve here.
    pl-with entrypoint -- sh -c 'exit 4' < record > own
    refused 70 "the service db ended with 4 before it listened on port 8080" "" pl-with exec --service "db=$(ref < own)" -- true < own
}

test_a_secret_that_is_not_there() {
    pl-from "$(root)" > record
    refused 78 "NOT_SET" "export NOT_SET" pl-with exec --mount-secret x=env:NOT_SET --shell 'touch /ran' < record
    refused 65 "nothing" "" pl-with exec --mount-secret x=file:./nothing -- true < record
    refused 78 "the command that prints the secret ended with 3" "" pl-with exec --secret-env "X=cmd:echo out; exit 3" -- true < record
    refused 64 "" "" pl-with exec --mount-secret x=the-value-itself -- true < record
    lacks "$(cat log refusal)" the-value-itself
    mkfifo fifo; refused 65 "fifo" "" timeout 20 pl-with exec --mount-secret x=file:./fifo -- true < record
}

test_a_git_server_that_asks_for_a_password() {
    mkdir bin; printf '#!/bin/sh\necho "$*" >> %s/asked\nexit 255\n' "$PWD" > bin/ssh; cp bin/ssh bin/ask; chmod +x bin/*
    # ssh is asked in batch mode; no program that asks is started, also with a terminal there.
    printf 'timeout 30 pl-from ssh://git@127.0.0.1/x.git; echo ended $?\n' > script
    GIT_ASKPASS=$PWD/bin/ask SSH_ASKPASS=$PWD/bin/ask PATH=$PWD/bin:$PATH script -qec 'bash script' /dev/null > out 2>&1 < /dev/null
    contains "$(cat out)" "ended "; lacks "$(cat out)" "ended 124"; lacks "$(cat out)" "ended 0"
    contains "$(cat asked)" "BatchMode=yes"; equal "$(wc -l < asked)" 1
    refused 64 "must not hold a password" "" pl-from https://me:secret@127.0.0.1/x.git
    lacks "$(cat log refusal)" secret
    refused 64 "" "" pl-from 'git+ext::sh -c touch% pwned' || refused 65 "" "" pl-from 'git+ext::sh -c touch% pwned'
    refused 64 "is no branch, tag or commit" "" pl-from "file://$PWD/nowhere#--upload-pack=touch pwned"
    [ ! -e pwned ]
}

test_a_patch_that_does_not_apply() {
    mkdir -p src canary; echo a > src/a; ln -s "$PWD/canary" src/l; echo alive > canary/f; pl-from --exclude l ./src > record
    bad() { printf '%b' "$1" > p; all 65 "the patch p does not apply" "make it anew against this directory" pl-with patch p < record; }
    bad 'garbage\n'
    bad -- '--- a/a\n+++ b/a\n@@ -1 +1 @@\n-other\n+x\n'
    bad -- '--- a/../x\n+++ b/../x\n@@ -0,0 +1 @@\n+x\n'
    bad -- "--- /dev/null\n+++ b$PWD/canary/new\n@@ -1 +1 @@\n-x\n+x\n"
    # A link first, and then a file through it.
    bad "diff --git a/k b/k\nnew file mode 120000\n--- /dev/null\n+++ b/k\n@@ -0,0 +1 @@\n+$PWD/canary\n\\\\ No newline at end of file\ndiff --git a/k/new b/k/new\nnew file mode 100644\n--- /dev/null\n+++ b/k/new\n@@ -0,0 +1 @@\n+x\n"
    equal "$(ls canary)" f
    : > p; refused 65 "does not apply" "" pl-with patch p < record
}

# The directory holds a repository whose configuration names programs: none is run.
test_a_patch_of_a_directory_with_a_repository_of_its_own() {
    mkdir src; cd src; git init -q .; echo a > a; echo '* filter=x' > .gitattributes
    git config filter.x.clean "touch $WORK/pwned; cat"; git config filter.x.smudge "touch $WORK/pwned; cat"; git config core.fsmonitor "touch $WORK/pwned"
    tar -cf ../src.tar .git .gitattributes a; cd ..
    pl-from rootfs:src.tar | pl-export --path / > record
    printf -- '--- a/a\n+++ b/a\n@@ -1 +1 @@\n-a\n+patched\n' > p
    equal "$(pl-with patch p < record | pl-export --path a --show contents)" patched
    [ ! -e "$WORK/pwned" ]
}

pipe() { local i; printf 'pl-from scratch'; for i in $(seq "$1"); do printf ' | %s' "pl-with label n$i=$i"; done; }

test_three_hundred_stages_of_which_one_is_killed() {
    # Each waits for the one before it; the one in the middle is killed while it does.
    mkfifo gate
    { printf 'cat gate | pl-from scratch > /dev/null; pl-from scratch'; for i in $(seq 149); do printf ' | pl-with label n%s=1' "$i"; done
      printf ' | { cat > /dev/null; kill -9 $BASHPID; }'; for i in $(seq 150); do printf ' | pl-with label m%s=1' "$i"; done; } > stages
    echo go > gate & status 66 bash stages > out 2> log
    contains "$(cat log)" "pl-with: nothing arrived: the command before the pipe failed or printed nothing"
    contains "$(cat log)" "not started: pl-with failed (66)"
    equal "$(jq -r '[.type, .stage, .code] | join(" ")' out)" "error pl-with 66"
    pl-cache verify > /dev/null; equal "$(ls "$PL_STORE/tmp")" ""
}

test_three_hundred_stages_whose_disk_is_full() {
    [ "$(id -u)" = 0 ] || skip "a small file system needs root"
    mkdir small; mount -t tmpfs -o size=900k none small; ATEXIT="umount -l '$PWD/small' 2> /dev/null"; trap 'umount -l small' EXIT
    head -c 2000000 /dev/urandom > big
    { printf 'pl-from scratch'; for i in $(seq 150); do printf ' | pl-with label n%s=1' "$i"; done
      printf ' | pl-with file big /big'; for i in $(seq 149); do printf ' | pl-with label m%s=1' "$i"; done; } > stages
    PL_STORE=$PWD/small/store status 73 bash stages > out 2> log
    equal "$(jq -r '[.type, .stage, .code] | join(" ")' out)" "error pl-with 73"
    contains "$(cat log)" "No space left on device"; contains "$(cat log)" "pl-cache gc"
    PL_STORE=$PWD/small/store pl-cache verify > /dev/null
    equal "$(ls small/store/tmp)" ""
}

test_three_hundred_stages_whose_reader_goes_away() {
    pipe 300 > stages; printf ' 2> /dev/null | true\n' >> stages
    bash stages 2> log
    # A stage whose output is closed ends, and says so with 73 or by the signal.
    got=$(bash -c 'pl-from scratch | { sleep 0.2; pl-with label a=1; echo $? > code; } | true; cat code' 2> /dev/null)
    case $got in 0 | 73 | 130 | 141) ;; *) fail "$got" ;; esac
    pl-cache verify > /dev/null; equal "$(ls "$PL_STORE/tmp")" ""
}

test_operands_that_are_no_files() {
    pl-from scratch > container; mkdir src; pl-from ./src > directory
    mkfifo fifo; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'; ln -s /dev/zero zero; ln -s loop loop
    for operand in ./fifo ./sock ./zero ./loop /dev/tty /proc/kmsg; do
        for command in "file $operand /x" "env-file $operand" "rootfs $operand"; do
            got=0
            # shellcheck disable=SC2086
            timeout -k 2 20 pl-with $command < container > refusal 2> log || got=$?
            case $got in 65 | 75 | 77) ;; *) fail "$command: $got $(cat log)" ;; esac
        done
        got=0; timeout -k 2 20 pl-with patch $operand < directory > refusal 2> log || got=$?
        case $got in 65 | 75 | 77) ;; *) fail "patch $operand: $got $(cat log)" ;; esac
        for source in $operand rootfs:$operand docker-archive:$operand oci:$operand; do
            got=0; timeout -k 2 20 pl-from $source > refusal 2> log || got=$?
            case $got in 65 | 75 | 77) ;; *) fail "from $source: $got $(cat log)" ;; esac
        done
    done
    equal "$(ls "$PL_STORE/tmp")" ""
}

test_records_that_are_forged() {
    directory=$(pl-from "$ROOT/tests/fixtures/broken-exits" | ref); container=$(pl-from scratch | ref); hex=${directory##*:}
    forged() { printf '%s\n' "$1" > record; refused 65 "$2" "" pl-with name x < record; }
    forged 'container:sha256:../../../../etc/passwd' "is neither a record nor a ref"
    forged "container:sha256:${hex^^}" "is neither a record nor a ref"
    forged '{"pl":1,"type":"container","ref":"'"$directory"'"}' "is not the ref of a container"
    forged '{"pl":1,"type":"container","ref":"'"$container"'","ref":"'"$directory"'"}' "duplicate"
    forged '{"pl":2,"type":"container","ref":"'"$container"'"}' "version 2"
    forged '{"pl":1,"type":"container","ref":"'"$container"'","name":"a\u0000b"}' "not valid JSON"
    forged "container:sha256:$hex" "not valid JSON"
    (printf '{"pl":1,"type":"container","ref":"'; head -c 10000000 /dev/zero | tr '\0' x; printf '"}\n') > record
    refused 65 "larger than" "" pl-with name x < record
    # A name from outside reaches neither a terminal nor a path as it is.
    printf '{"pl":1,"type":"container","ref":"%s","name":"../\\u001b[31m\\r\\n::error::x"}\n' "$container" > record
    pl-with label a=1 < record > out 2> log; equal "$(LC_ALL=C grep -c "$(printf '[\001-\010\013-\037\177]')" out log | tr '\n' ' ')" "out:0 log:0 "
    printf '{"pl":1,"type":"file","ref":"file:%s","name":"../../up"}\n' "sha256:$hex" > record
    mkdir -p in/here; (cd in/here; pl-export . < ../../record > /dev/null 2>&1 || true); [ ! -e up ] && [ ! -e in/up ]
}

test_names_with_newlines_and_escapes() {
    name=$'new\nline\e[31m\a'; mkdir src "src/$name"; echo x > "src/$name/f"
    pl-from ./src > record; pl-export out < record > /dev/null; diff -r src out
    pl-export --show tree < record > tree; pl-export --show entries < record >> tree
    equal "$(wc -l < tree)" 4; contains "$(cat tree)" "new line?[31m?/f"
    pl-from "./src/$name" > named 2> log; status 65 pl-with file "not$name" /x < <(pl-from scratch) >> named 2>> log
    equal "$(LC_ALL=C grep -c "$(printf '[\001-\010\013-\037\177]')" tree named log | tr '\n' ' ')" "tree:0 named:0 log:0 "
}

test_stores_that_cannot_be_used() {
    echo > file; status 70 env PL_STORE="$PWD/file" pl-from scratch > out 2> log || true
    contains "$(cat log)" "set PL_STORE to a directory"
    mkdir mine; ln -s mine link; PL_STORE=$PWD/link pl-from scratch > /dev/null
    [ "$(id -u)" = 0 ] || skip "another user's directory and a read-only file system need root"
    mkdir theirs; chown 12345 theirs; ln -s theirs away
    PL_STORE=$PWD/away refused 78 "belongs to another user" "set PL_STORE to a directory of your own" pl-from scratch
    mount -t tmpfs -o size=1m none mine; trap 'umount -l mine' EXIT
    PL_STORE=$PWD/mine/s pl-from scratch > record; mount -o remount,ro mine
    PL_STORE=$PWD/mine/s refused 73 "Read-only file system" "" pl-with label a=1 < record
    PL_STORE=$PWD/mine/other refused 73 "Read-only file system" "PL_STORE" pl-from scratch
}

run_tests
