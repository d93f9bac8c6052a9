#!/usr/bin/env bash
# pl-cache: status, gc and verify. What is of use stays, what is not goes, and nothing that runs beside is harmed.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/users.sh"

make_source() { # make_source DIR WORD
    mkdir -p "$1"
    "$ROOT/tests/engine/make_rootfs" "$1/root.tar"
    echo "$2" > "$1/word"; echo both > "$1/both"; printf 'root.tar\nDockerfile\n' > "$1/.dockerignore"
    cat > "$1/Dockerfile" <<EOF
FROM rootfs:root.tar
RUN --mount=type=cache,target=/cache echo $2 > /made && rm /etc/removed && echo $2 > /cache/$2
COPY . /app
RUN cat /app/word > /copied
EOF
}
build() { (cd "$1" && shift && pl-build -q -o ref "$@" .); }
made() { sed -n 's/.* \([0-9]*\) steps found, \([0-9]*\) made.*/\1 \2/p'; }
age() { find "$PL_STORE" -mindepth 1 ! -name lock ! -name version -exec touch -h -d "$1 days ago" {} +; }
age_new() { find "$PL_STORE" -mindepth 1 -mmin -60 ! -name lock ! -name version -exec touch -h -d "$1 days ago" {} +; }
removed() { sed -n 's/^removed.*: \([0-9]*\) steps, \([0-9]*\) bases, \([0-9]*\) layers.*/\1 \2 \3/p'; }
listing() { (cd "$PL_STORE" && find . ! -path './tmp*' -printf '%p %y %s\n' | sort); }

test_what_is_of_use_stays() {
    make_source a one
    ref=$(build a)
    age 20
    equal "$(build a)" "$ref"
    equal "$(pl-cache gc | removed)" "0 0 0"
    equal "$(cd a && pl-build . 2>&1 > /dev/null | made)" "3 0"
    # All that belongs to it is there: a step on top of it runs on its layers.
    echo 'RUN test ! -e /etc/removed && cat /made /copied' >> a/Dockerfile
    (cd a && pl-build . > /dev/null 2> ../log); equal "$(made < log)" "3 1"
    contains "$(cat log)" "one"
    pl-cache verify > verified
}

test_what_is_of_no_use_goes() {
    make_source a one; make_source b two
    ref=$(build a); build b > /dev/null
    age 20
    build a > /dev/null
    pl-cache gc > out
    # b's three steps and their layers; the base is a's, too.
    equal "$(removed < out)" "3 0 3"
    equal "$(cd a && pl-build . 2>&1 > /dev/null | made)" "3 0"
    equal "$(cd b && pl-build . 2>&1 > /dev/null | made)" "0 3"
    ! grep -rqx two "$PL_STORE/objects" || true
    pl-cache verify > verified
    # A base that lies on the disk as a file is known by its content alone: it counts as a layer.
    age 15; pl-cache gc > out
    equal "$(removed < out)" "6 0 7"
    equal "$(find "$PL_STORE/objects" -type f | wc -l) $(ls "$PL_STORE/trees" | wc -l) $(ls "$PL_STORE/mounts" | wc -l)" "0 0 0"
    equal "$(build a)" "$ref"
    pl-cache verify > verified
}

test_days_and_sizes() {
    make_source a one; make_source b two
    head -c 3000000 /dev/urandom > a/large
    build a > /dev/null
    age 3
    head -c 3000000 /dev/urandom > b/large
    build b > /dev/null
    listing > before
    contains "$(pl-cache gc --keep-days 2 --dry-run)" "would remove"
    pl-cache gc --keep-days 0 -n > /dev/null
    listing > after; diff before after
    equal "$(pl-cache gc | removed)" "0 0 0"
    # The latest that fits is kept: b's.
    equal "$(pl-cache gc --max-size 30M | removed)" "0 0 0"
    contains "$(pl-cache gc --max-size 11M)" "kept"
    equal "$(cd b && pl-build . 2>&1 > /dev/null | made)" "3 0"
    lacks "$(cd a && pl-build . 2>&1 > /dev/null | made)" "3 0"
    pl-cache gc --keep-days 0 > out
    contains "$(cat out)" "kept          0.0 MB: 0 steps"
    status 64 pl-cache gc --keep-days many 2> error
    status 64 pl-cache gc --max-size huge 2> error
    pl-cache verify > verified
}

# What is said to go is what goes.
test_a_dry_run_tells_the_truth() {
    for i in 1 2 3; do make_source s$i w$i; head -c 2000000 /dev/urandom > s$i/large; build s$i > /dev/null; age_new $((4 - i)); done
    free=$(($(stat -f -c '%a * %S' "$PL_STORE")))
    for how in "--keep-days 2" "--max-size 10M" "--max-size 0" "--keep-days 0" "--min-free $((free + 6000000))" "--min-free 1000T"; do
        rm -rf saved; cp -a "$PL_STORE" saved
        pl-cache gc $how --dry-run > would || true
        pl-cache gc $how > did || true
        equal "$(sed -n 's/^would remove  *//p' would)" "$(sed -n 's/^removed  *//p' did)"
        equal "$(sed -n 's/^would keep  *//p' would)" "$(sed -n 's/^kept  *//p' did)"
        rm -rf "$PL_STORE"; mv saved "$PL_STORE"
    done
}

# A file system of its own, of which something else takes a part.
test_room_on_the_file_system() {
    [ "$(id -u)" = 0 ] || skip "only root can mount a file system"
    mkdir disk; mount -t tmpfs -o size=40m none disk
    trap 'umount -l disk' EXIT
    export PL_STORE=$PWD/disk/store
    make_source a one; make_source b two
    head -c 5000000 /dev/urandom > a/large; build a > /dev/null; age_new 2
    head -c 5000000 /dev/urandom > b/large; build b > /dev/null; age_new 1
    head -c 3000000 /dev/urandom > disk/other
    free() { echo $(($(stat -f -c '%a * %S' disk))); }
    before=$(free)
    # There is enough: nothing goes. Then a's, which were used longest ago; then all.
    equal "$(pl-cache gc --min-free 5M | removed)" "0 0 0"
    pl-cache gc --min-free $((before + 4000000)) > out
    contains "$(cat out)" "free          "
    [ "$(free)" -ge $((before + 4000000)) ]
    equal "$(cd b && pl-build . 2>&1 > /dev/null | made)" "3 0"
    lacks "$(cd a && pl-build . 2>&1 > /dev/null | made)" "3 0"
    status 1 pl-cache gc --min-free 39M > out 2> error
    contains "$(cat error)" "less than the 39.0 MB of --min-free: the store can give no more"
    contains "$(cat out)" "kept          0.0 MB: 0 steps"
    status 1 pl-cache gc --min-free 39M --dry-run > out 2> error
    status 64 pl-cache gc --min-free 99999999999999999999 2> error
    status 64 pl-cache gc --min-free 99999999999T 2> error
    status 64 pl-cache gc --min-free -1 2> error
    build b > /dev/null; pl-cache verify > verified
}

# The input of a step is a file to it, and a container with layers to who made it: the check of a test suite names one.
test_what_one_name_takes_for_a_file_may_be_a_container() {
    make_source a one
    build a > /dev/null
    last=$(ls -t "$PL_STORE"/names/steps | head -1)
    container=$(jq -r .container "$PL_STORE/names/steps/$last")
    mkdir -p "$PL_STORE/names/tested-unit"
    echo "{\"source\":\"$container\"}" > "$PL_STORE/names/tested-unit/00"
    touch -d '1 hour ago' "$PL_STORE"/names/steps/*
    equal "$(pl-cache gc | removed)" "0 0 0"
    equal "$(cd a && pl-build . 2>&1 > /dev/null | made)" "3 0"
}

test_a_reference_that_was_printed_is_good_for_days() {
    make_source a one
    (cd a && pl-build .) > record 2> log
    pl-cache gc > out
    LOG=$PWD/requests; : > "$LOG"
    "$ROOT/tests/wire/registry_server.py" single "$LOG" > port & trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT
    wait_for 10 test -s port
    pl-push-image --repo "127.0.0.1:$(cat port)/t/a" --tag x < record > image
    contains "$(cat image)" '"type":"image"'
    # Also one that only labels made, which no step of the store is about.
    (cd a && pl-build --label x=y .) > record 2> log
    pl-cache gc > out
    pl-push-image --repo "127.0.0.1:$(cat port)/t/a" --tag y < record > image
}

test_status_says_how_much_there_is() {
    make_source a one; build a > /dev/null
    pl-cache status > out
    contains "$(cat out)" "store    $PL_STORE"
    contains "$(cat out)" "layers   4 unpacked"
    contains "$(cat out)" "caches   1 "
    lacks "$(cat out)" "used by"
    status 64 pl-cache 2> error
    status 64 pl-cache clean 2> error
}

test_gc_waits_for_builds_and_builds_for_gc() {
    make_source a one
    sed -i 's/^RUN cat.*/RUN while [ ! -e \/app\/go ] \&\& [ ! -e \/cache\/go ]; do sleep 0.1; done/; s/^RUN while/RUN --mount=type=cache,target=\/cache while/' a/Dockerfile
    build a > ref & building=$!
    wait_for 20 sh -c 'ls "$PL_STORE"/mounts/*/one'
    contains "$(pl-cache status | grep "used by")" "pl-build ("
    pl-cache gc --keep-days 0 > out 2> log & collecting=$!
    wait_for 20 grep -q "wait for the processes that use the store" log || kill -0 $collecting
    touch "$(echo "$PL_STORE"/mounts/*)/go"
    wait $building
    wait $collecting
    contains "$(cat ref)" container:sha256:
    contains "$(cat out)" "kept          0.0 MB: 0 steps"
}

# What is in a pipe is held by who wrote it until who reads it has it; who waits for something to read holds nothing.
test_a_pipe_is_held_together() {
    "$ROOT/tests/engine/make_rootfs" root.tar
    trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT
    pl-from -q rootfs:root.tar | { touch made; wait_for 20 test -e go; pl-with -q env A=1 > record 2> log; } & pipe=$!
    wait_for 20 test -e made
    wait_for 20 sh -c 'ls "$PL_STORE"/names/rootfs/*'
    pl-cache gc --keep-days 0 > out 2> collected & collecting=$!
    wait_for 8 sh -c '[ -e "$PL_STORE/turn" ] && ! flock -n -s "$PL_STORE/turn" true'
    touch go
    wait $pipe || fail "$(cat log)"
    wait $collecting
    contains "$(cat record)" '"type":"container"'
    mkfifo fifo; exec 7<> fifo
    pl-with -q env A=2 < fifo > record 2> log 7>&- & waiting=$!
    wait_for 20 test -e "/proc/$waiting/fd/3"
    timeout 10 pl-cache gc --keep-days 0 > out
    contains "$(cat out)" "kept          0.0 MB: 0 steps"
    pl-from -q rootfs:root.tar > fifo; exec 7>&-
    wait $waiting || fail "$(cat log)"
    contains "$(cat record)" '"type":"container"'
}

test_gc_beside_builds() {
    for i in 1 2 3 4; do make_source "s$i" "w$i"; done
    trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT
    (while :; do pl-cache gc --keep-days 0 > /dev/null 2>&1; done) & collecting=$!
    for _ in 1 2 3; do
        pids=
        for i in 1 2 3 4; do (cd s$i && pl-build -q -o ref . > ref 2> log) & pids="$pids $!"; done
        for pid in $pids; do wait "$pid" || { cat s?/log; return 1; }; done
    done
    kill $collecting; wait $collecting || true
    pl-cache verify > verified || { cat verified; return 1; }
}

test_killed_at_every_change() {
    make_source a one; make_source b two
    wanted_a=$(build a); wanted_b=$(build b)
    cp -a "$PL_STORE" full
    calls=rename,renameat,mkdir,unlink,syncfs
    n=1
    while :; do
        rm -rf "$PL_STORE"; cp -a full "$PL_STORE"
        age 20; build a > /dev/null
        got=0; { strace -o trace -e trace=$calls -e inject=$calls:signal=SIGKILL:when=$n pl-cache gc > out; } 2> err || got=$?
        [ $got != 0 ] || break
        grep -q '+++ killed by SIGKILL +++' trace || fail "it ended with $got at change $n: $(cat err)"
        pl-cache verify > verified || { cat verified; fail "the store is damaged at change $n: $(tail -2 trace | head -1)"; }
        equal "$(find "$PL_STORE/tmp" -mindepth 1 | head -3)" ""
        equal "$(build a) $(build b)" "$wanted_a $wanted_b"
        n=$((n + 1))
    done
    [ $n -gt 10 ] || fail "only $n changes were seen"
}

# Layers of a user namespace belong to ids that only exist inside of it.
test_an_ordinary_user() {
    add_user pl-test-gc
    home=$WORK/users/pl-test-gc
    make_source "$home/a" one
    sed -i 's/^RUN cat.*/RUN mkdir \/theirs \&\& echo x > \/theirs\/x \&\& chown -R app \/theirs \&\& chmod 700 \/theirs \&\& sleep 6711/' "$home/a/Dockerfile"
    chown -R pl-test-gc: "$home"
    trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT
    (cd "$home/a" && as_user pl-test-gc pl-build . > "$WORK/out" 2>&1) &
    wait_for 30 sh -c 'ps -eo args | grep -Fxq "sleep 6711"'
    kill -9 $(ps -u pl-test-gc -o pid=,args= | awk '$2 == "pl-build" { print $1 }' | head -1)
    wait_for 10 sh -c '! ps -eo args | grep -Fxq "sleep 6711"'
    sed -i 's/ && sleep 6711//' "$home/a/Dockerfile"
    (cd "$home/a" && as_user pl-test-gc pl-build . > "$WORK/out" 2> "$WORK/log2")
    equal "$(find "$home/.cache/pl/tmp" -mindepth 1)" ""
    contains "$(as_user pl-test-gc pl-cache status)" "layers   4 unpacked"
    contains "$(as_user pl-test-gc pl-cache gc --keep-days 0)" "kept          0.0 MB"
    equal "$(find "$home/.cache/pl/trees" "$home/.cache/pl/tmp" -mindepth 1)" ""
}

test_verify_puts_away_what_is_damaged() {
    make_source a one
    ref=$(build a)
    damaged() { # damaged COUNT: verify finds so many, then none, and the next build makes the same
        status 1 pl-cache verify > out 2> error || { cat out error; return 1; }
        contains "$(tail -1 out)" ": $1 damaged"
        pl-cache verify > out
        contains "$(cat out)" ": 0 damaged"
        equal "$(build a)" "$ref"
    }
    object=$(find "$PL_STORE/objects" -type f -size -2 | head -1)
    chmod u+w "$object"; echo X > "$object"
    damaged 1
    tree=$(find "$PL_STORE/trees" -name made)
    echo changed > "$tree"
    damaged 1
    rm "$(find "$PL_STORE/trees" -name clean | head -1)"
    damaged 1
    name=$(find "$PL_STORE/names/steps" -type f | head -1)
    echo '{"half' > "$name"
    damaged 1
    : > "$(find "$PL_STORE/names/layers" -type f | head -1)"
    damaged 1
    # A stat cache is no part of the truth: damaged, it costs time.
    for cache in "$PL_STORE"/statcache/*; do echo garbage > "$cache"; done
    equal "$(build a)" "$ref"
}

run_tests
