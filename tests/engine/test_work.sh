#!/usr/bin/env bash
# How much work is done, counted instead of timed: files opened, processes started, waits for the disk, requests.
. "$(dirname "$0")/../lib.sh"
strace -o /dev/null true 2> /dev/null || { echo "skip - all of $0: strace does not work here"; echo "counts: 0 0 1"; exit 0; }

project() { # a directory "project", entered: a Dockerfile on busybox; a thousand files whose names end in .source
    mkdir -p project/src; cd project
    "$ROOT/tests/engine/make_rootfs" root.tar
    printf 'FROM rootfs:root.tar\nCOPY one.source /\nRUN cat /one.source > /made\nCOPY src /src\n' > Dockerfile
    printf 'root.tar\nDockerfile\n' > .dockerignore
    echo one > one.source
    for i in $(seq 999); do echo "$i" > "src/$i.source"; done
    echo '{"type": "none"}' > src/source.json # by its name it could hold a credential
}
traced() { strace -f -qq -o "$WORK/trace" "$@"; } # traced COMMAND...: its system calls to $WORK/trace
calls() { grep -cE "^[0-9]+ +($1)\(" "$WORK/trace"; } # calls 'fsync|syncfs': how many there were
opened() { grep -E "open(at2?)?\(.*($1)" "$WORK/trace" | grep -vc O_DIRECTORY; }
# What was found has to lie long enough in the past to be believed (engine/stat_cache.h).
settled() { pl-build -q . > /dev/null; wait_for 20 unchanged_is_known; }
unchanged_is_known() { traced pl-build -q . > /dev/null && [ "$(opened 'source')" = 0 ]; }

test_without_a_change_nothing_is_opened_started_or_written() {
    project
    settled
    traced pl-build -o ref . > ../ref
    equal "$(opened '\.source|source\.json')" 0
    equal "$(calls 'fork|vfork|clone|clone3')" 0
    equal "$(calls execve)" 1
    equal "$(calls 'fsync|fdatasync|syncfs|sync')" 0
    equal "$(calls 'rename|renameat|renameat2|link|linkat|unlink|unlinkat|symlink|ftruncate')" 0
    equal "$(calls 'socket|connect')" 0
    # One look at each of 1,002 files, and little else.
    [ "$(calls 'newfstatat|stat|lstat|statx')" -lt 1100 ] || fail "$(calls 'newfstatat|stat|lstat|statx') looks"
    [ "$(grep -c . "$WORK/trace")" -lt 2000 ] || fail "$(grep -c . "$WORK/trace") system calls"
}

test_one_line_changed_reads_one_file_and_runs_nothing() {
    project
    settled
    echo changed > src/500.source
    traced pl-build -o ref . > ../ref
    equal "$(opened '\.source')" 1
    equal "$(opened 'source\.json')" 0
    # At most the one that tries how the base's layers can be laid out.
    [ "$(calls 'fork|vfork|clone|clone3')" -le 1 ] || fail "$(calls 'fork|vfork|clone|clone3') processes"
    equal "$(calls execve)" 1
    # The base is asked about the directory, not about each of its files.
    [ "$(calls 'newfstatat|stat|lstat|statx')" -lt 1200 ] || fail "$(calls 'newfstatat|stat|lstat|statx') looks"
    equal "$(calls syncfs)" 0
    [ "$(calls fsync)" -le 12 ] || fail "$(calls fsync) waits for the disk"
}

test_a_small_step_does_not_wait_for_what_others_write() {
    project
    settled
    echo two > one.source
    traced pl-build -o ref . > ../ref
    equal "$(calls syncfs)" 0
    [ "$(calls fsync)" -le 40 ] || fail "$(calls fsync) waits for the disk"
    # pl, the container's two processes and its command; no helper program.
    equal "$(calls execve)" 3
}

test_a_stack_reads_only_what_decides() {
    mkdir app && cp -r "$ROOT/examples/shop/backend/." app
    find app -name __pycache__ -prune -exec rm -r {} +
    for i in $(seq 200); do echo "x = $i" > "app/src/module$i.py"; done
    head -c 300000 /dev/zero | tr '\0' x > app/src/large.txt
    mkdir base && cp /bin/busybox base && "$ROOT/tests/engine/make_rootfs" base/root.tar
    cd app
    pl-build --base rootfs:../base/root.tar --plan . > ../plan
    known() { traced pl-build --base rootfs:../base/root.tar --plan . > /dev/null && [ "$(opened 'module[0-9]*\.py')" = 0 ]; }
    wait_for 20 known
    equal "$(opened 'large\.txt')" 0
    equal "$(opened 'src/main\.py')" 1
    equal "$(calls 'fork|vfork|clone|clone3')" 0
}

# The requests of a command, in plain HTTP on loopback: "METHOD PATH" without the query.
requests() {
    strace -f -qq -s 200 -e trace=sendto -o "$WORK/trace" "$@" > /dev/null
    sed -nE 's/.*"((GET|HEAD|POST|PUT|PATCH|DELETE) [^ ?]*).*/\1/p' "$WORK/trace"
}

test_the_requests_of_a_pipe_that_changes_nothing() {
    . "$ROOT/tests/e2e/cloud.sh"
    cloud
    web_app app hello
    pl-build -q --name web app > record
    pl-push-image -q --repo demo < record > image
    pl-run-deploy -q --region us-central1 < image > service
    equal "$(requests pl-build -q --name web app)" ""
    equal "$(requests pl-push-image -q --repo demo < record | grep -vE 'token$|/v2/$')" \
        "PUT /v2/pl-local/demo/web/manifests/$(sed -n 's/.*"digest":"sha256:\(.\{12\}\).*/\1/p' image)"
    service=/v2/projects/pl-local/locations/us-central1/services/web
    equal "$(requests pl-run-deploy -q --region us-central1 < image | grep -v token)" \
        "GET $service
GET $service/revisions/$(sed -n 's/.*"revision":"\([^"]*\)".*/\1/p' service)"
}

run_tests
