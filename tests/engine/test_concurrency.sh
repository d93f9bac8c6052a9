#!/usr/bin/env bash
# Many pl-build on one store, each of which may be killed at any time: the store is right, the next build succeeds, and
# no mount and no process is left.
. "$(dirname "$0")/../lib.sh"
# In memory where that is possible: the barriers of a disk that others use take seconds.
if [ "$(id -u)" = 0 ] && [ -d /dev/shm ]; then STORES=$(mktemp -d /dev/shm/pl-test.XXXXXX); ATEXIT="rm -rf $STORES; $ATEXIT"
else STORES=$WORK/stores; mkdir "$STORES"; fi

# Found again among all processes of the machine, also those of another run of this file.
NAP=$((40000 + $$ % 20000))

make_source() { # make_source DIR WORD: three steps that depend on WORD; the first has a cache
    mkdir -p "$1"
    "$ROOT/tests/engine/make_rootfs" "$1/root.tar"
    echo "$2" > "$1/word"
    cat > "$1/Dockerfile" <<EOF
FROM rootfs:root.tar
RUN --mount=type=cache,target=/cache for i in 1 2 3 4 5 6 7 8 9; do echo \$i $2 > /f\$i; echo \$i >> /cache/\$i; done; rm /etc/removed
COPY word /app/
RUN cat /app/word > /copied; echo ran-it
EOF
}
# What a test started in the background ends with it.
end_jobs() { trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT; }
none_runs() { ! ps -eo args | grep -Fxq -e "$1"; }
build() { pl-build -q -o ref "$@"; }
use_store() { export PL_STORE=$STORES/$1; }
processes() { ps -eo args | grep -cFx -e "$1" || true; }
# What is there after a kill must be right as it is; whoever is alone then removes what was half made.
check_store() {
    pl-cache verify > verified 2>&1 || { cat verified; fail "the store is damaged: $*"; }
    equal "$(find "$PL_STORE/tmp" -mindepth 1 | head -3)" "" || fail "half-made things are left: $*"
    equal "$(grep -c "$PL_STORE" /proc/mounts)" 0
}

test_eight_at_once_make_each_step_once() {
    use_store eight; end_jobs
    make_source source x; cd source
    sed -i 's/echo ran-it/echo ran-it; sleep 0.3/' Dockerfile
    for i in 1 2 3 4 5 6 7 8; do pl-build -o ref . > "ref$i" 2> "log$i" & done
    wait
    equal "$(cat ref? | sort -u | wc -l)" 1
    equal "$(cat log? | grep -c 'ran-it$')" 1
    contains "$(cat log?)" "wait for another process: "
    check_store eight
    equal "$(build .)" "$(cat ref1)"
}

test_a_wait_ends_with_the_one_that_is_waited_for() {
    use_store wait; end_jobs
    make_source source x; cd source
    sed -i 's/echo ran-it/if [ ! -e \/cache\/held ]; then touch \/cache\/held; sleep '"$NAP"'; fi/; s/^RUN cat/RUN --mount=type=cache,target=\/cache cat/' Dockerfile
    pl-build -q . > first 2>&1 & first=$!
    wait_for 20 sh -c 'ps -eo args | grep -Fxq "sleep '"$NAP"'"'
    pl-build -o ref . > second 2> log & second=$!
    wait_for 20 grep -q "wait for another process: RUN" log
    kill -9 $first
    wait $second
    contains "$(cat second)" container:sha256:
    equal "$(processes 'sleep '"$NAP"'')" 0
    check_store wait
}

test_a_wait_can_be_interrupted() {
    use_store interrupt; end_jobs
    make_source source x; cd source
    sed -i 's/echo ran-it/sleep '"$NAP"'/' Dockerfile
    pl-build -q . > first 2>&1 & first=$!
    wait_for 20 sh -c 'ps -eo args | grep -Fxq "sleep '"$NAP"'"'
    pl-build -o ref . > second 2> log & second=$!
    wait_for 20 grep -q "wait for another process: RUN" log
    kill -TERM $second
    status 143 wait $second
    contains "$(cat log)" "stopped by a signal (TERM)"
    kill -TERM $first
    status 143 wait $first
    wait_for 10 none_runs 'sleep '"$NAP"''
    check_store interrupt
}

# One build is killed at each of its changes of the store in turn.
test_killed_at_every_change() {
    use_store every
    make_source source x; cd source
    calls=rename,renameat2,linkat,syncfs,mkdir,mkdirat,unlink
    wanted=$(build .)
    n=1
    while :; do
        rm -rf "$PL_STORE"
        pl-cache status > /dev/null
        # Without -f: pl-build itself is killed, and whatever it started has to notice.
        got=0; { strace -o trace -e trace=$calls -e inject=$calls:signal=SIGKILL:when=$n pl-build -q -o ref . > out; } 2> err || got=$?
        [ $got != 0 ] || break
        grep -q '+++ killed by SIGKILL +++' trace || fail "it ended with $got at change $n: $(cat err)"
        check_store "killed at change $n: $(tail -2 trace | head -1)"
        equal "$(build .)" "$wanted"
        n=$((n + 1))
    done
    [ $n -gt 20 ] || fail "only $n changes were seen"
}

test_any_of_eight_is_killed_at_any_time() {
    use_store kill; end_jobs
    for i in 1 2 3 4 5 6 7 8; do make_source "source$i" $((i / 2)); done
    for i in 1 2 3 4 5 6 7 8; do (cd source$i && PL_STORE=$STORES/alone build . > ../wanted$i); done
    for round in 1 2 3 4 5 6; do
        rm -rf "$PL_STORE"
        pids=
        for i in 1 2 3 4 5 6 7 8; do (cd source$i && exec pl-build -q -o ref . > ../got$i 2>&1) & pids="$pids $!"; done
        # Three of them, at moments that differ from round to round.
        for pid in $(echo "$pids" | tr ' ' '\n' | sed '/^$/d' | shuf -n 3 --random-source=<(yes "$round")); do
            sleep 0.0$((round * 7 % 10)); kill -9 "$pid" 2> /dev/null || true
        done
        wait
        check_store "round $round"
        for i in 1 2 3 4 5 6 7 8; do equal "$(cd source$i && build .)" "$(cat wanted$i)"; done
    done
}

test_nothing_is_left_running() {
    use_store running; end_jobs
    make_source source x; cd source
    sed -i 's/echo ran-it/sleep '"$NAP"' \& setsid sleep '"$NAP"' \& (sleep '"$NAP"' \&) ; sleep '"$NAP"'/' Dockerfile
    for mode in root user single chroot; do
        for signal in KILL TERM HUP; do
            PL_SANDBOX=$mode setsid pl-build -q . > out 2>&1 & build=$!
            wait_for 20 sh -c '[ "$(ps -eo args | grep -Fxc "sleep '"$NAP"'")" = 4 ]' || fail "$mode: $(cat out)"
            kill -$signal $build
            wait $build || true
            wait_for 10 none_runs 'sleep '"$NAP"'' || fail "$mode $signal"
            check_store "$mode $signal" || cat out
        done
    done
}

# mmdebstrap mounts and starts a lot: it is gone with the build, too.
test_a_base_that_is_being_made_is_gone_with_the_build() {
    command -v mmdebstrap > /dev/null || skip "mmdebstrap is not installed"
    export PL_STORE=$PWD/store; end_jobs
    mkdir source; printf 'FROM apt:bookworm\nRUN true\n' > source/Dockerfile
    for mode in root user single chroot; do
        PL_SANDBOX=$mode pl-build source > out 2> log & build=$!
        wait_for 60 grep -q "running apt-get update" log
        wait_for 10 sh -c 'ps -eo args | grep -v grep | grep -q "$PL_STORE"' || fail "$mode: nothing makes a base: $(cat log)"
        kill -9 $build
        wait $build || true
        wait_for 10 sh -c '! ps -eo args | grep -v grep | grep -q "'"$PL_STORE"'"' || fail "$mode"
        check_store "$mode"
        equal "$(find "${TMPDIR:-/tmp}" -maxdepth 1 -newer source/Dockerfile -name 'mmdebstrap.*')" ""
    done
}

run_tests
