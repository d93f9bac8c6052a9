#!/usr/bin/env bash
# Eight builders and gc in a loop on one store: no build fails, each makes what it made before, and pl-cache verify finds
# nothing wrong. For a minute with PL_DEEP=1, for some seconds without.
. "$(dirname "$0")/../lib.sh"
if [ "$(id -u)" = 0 ] && [ -d /dev/shm ]; then STORES=$(mktemp -d /dev/shm/pl-test.XXXXXX); ATEXIT="rm -rf $STORES; $ATEXIT"
else STORES=$WORK/stores; mkdir "$STORES"; fi

make_source() { # make_source DIR
    mkdir -p "$1/more"
    cp "$WORK/root.tar" "$1"; echo more > "$1/more/file"; printf 'root.tar\nDockerfile\n' > "$1/.dockerignore"
    cat > "$1/Dockerfile" <<'END'
FROM rootfs:root.tar
RUN --mount=type=cache,target=/cache echo made > /made && rm /etc/removed && echo x > /cache/x
COPY more /more
COPY word /word
RUN cat /made /word /more/file > /copied
END
}

# In a pipe every part of which begins and ends on its own; `word` is what differs from round to round.
chain() {
    set -o pipefail
    pl-from -q rootfs:root.tar | pl-with -q directory ./more /more | pl-with -q exec -- sh -c 'cat /more/file > /first' |
        pl-with -q file word /word | pl-with -q env A=1 | pl-with -q exec -- sh -c 'cat /first /word > /second' |
        pl-with -q workdir / > record || return
    pl-export -q --path /second ./second --force < record > /dev/null 2> exported || true
    jq -r .ref record
}
site() { set -o pipefail; pl-from -q ./more | pl-with -q file word /word | pl-with -q new-file index.html "$(cat word)" | pl-export -q --force ./site | jq -r .ref; }

builder() { # builder DIR NUMBER: builds until it is enough; each result must be what the first one of the same word was
    cd "$1" || return
    local round=0 word kind made
    until [ -e "$WORK/enough" ]; do
        word=$(((round / 2 + $2) % 3)); echo "word $word" > word
        case $(((round + $2) % 3)) in 0) kind=build;; 1) kind=chain;; 2) kind=site;; esac
        if [ $kind = build ]; then made=$(pl-build -q -o ref . 2> log); else made=$($kind 2> log); fi || { echo "$1 $kind: $(tail -3 log)" >> "$WORK/failures"; return; }
        [ -e "first-$kind-$word" ] || echo "$made" > "first-$kind-$word"
        [ "$made" = "$(cat "first-$kind-$word")" ] || echo "$1 $kind: $made is not $(cat "first-$kind-$word")" >> "$WORK/failures"
        echo $kind >> "$WORK/built"
        round=$((round + 1))
    done
}

collector() {
    local got
    set -- "--keep-days 0" "--max-size 3M" "--keep-days 0 --max-size 1000" "--min-free 1000T" "--keep-days 1"
    until [ -e "$WORK/enough" ]; do
        got=0; pl-cache gc -q $1 > gc.out 2> gc.log || got=$?
        echo "$got $1" >> "$WORK/collected"
        sed -n 's/^removed.*: \([0-9]*\) steps.*/\1/p' gc.out >> "$WORK/removed"
        case "$got $1" in "0 "*|"1 --min-free"*|"75 "*) ;; *) echo "gc $1: $got $(cat gc.log)" >> "$WORK/failures" ;; esac
        set -- "$2" "$3" "$4" "$5" "$1"
    done
}

# gc had its turns, and took what the builders had to make anew.
saw_enough() {
    [ "$(grep -c '^[01] ' "$WORK/collected")" -ge 3 ] && [ "$(awk '{ n += $1 } END { print n }' "$WORK/removed")" -ge 3 ] &&
        [ "$(sort -u "$WORK/built" | wc -l)" = 3 ]
}

load() { # load SECONDS: as long, and until gc and all kinds of builds have had their turns
    export PL_STORE=$STORES/$1
    trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT
    rm -f "$WORK"/{failures,built,collected,removed,enough}; : > "$WORK/failures"
    "$ROOT/tests/engine/make_rootfs" "$WORK/root.tar"
    for i in 1 2 3 4 5 6 7 8; do make_source "$PWD/s$i"; done
    for i in 1 2 3 4 5 6 7 8; do (builder "$PWD/s$i" $i) & done
    (collector) &
    sleep "$1"
    wait_for 60 saw_enough
    touch "$WORK/enough"
    wait
    echo "in $1 s: $(sort "$WORK/built" | uniq -c | tr -s ' \n' ' '), gc $(sort "$WORK/collected" | uniq -c | sort -rn | tr -s ' \n' ' '), $(awk '{ n += $1 } END { print n }' "$WORK/removed") steps removed" | tee -a "${PL_TEST_NUMBERS:-/dev/null}"
    [ ! -s "$WORK/failures" ] || fail "$(sort "$WORK/failures" | uniq -c | head -20)"
    pl-cache verify > verified || fail "$(cat verified)"
}

test_a_minute() { load 60; }
test_some_seconds() { load 3; }

deep test_a_minute
run_tests
