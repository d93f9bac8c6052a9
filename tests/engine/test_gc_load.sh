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

builder() { # builder DIR NUMBER END: builds until then; each result must be what the first one of the same word was
    cd "$1" || return
    local round=0 word kind made
    while [ "$(date +%s%N)" -lt "$3" ]; do
        word=$(((round / 2 + $2) % 3)); echo "word $word" > word
        case $(((round + $2) % 3)) in 0) kind=build;; 1) kind=chain;; 2) kind=site;; esac
        if [ $kind = build ]; then made=$(pl-build -q -o ref . 2> log); else made=$($kind 2> log); fi || { echo "$1 $kind: $(tail -3 log)" >> "$WORK/failures"; return; }
        [ -e "first-$kind-$word" ] || echo "$made" > "first-$kind-$word"
        [ "$made" = "$(cat "first-$kind-$word")" ] || echo "$1 $kind: $made is not $(cat "first-$kind-$word")" >> "$WORK/failures"
        echo $kind >> "$WORK/built"
        round=$((round + 1))
    done
}

collector() { # collector END
    local got
    set -- "$1" "--keep-days 0" "--max-size 3M" "--keep-days 0 --max-size 1000" "--min-free 1000T" "--keep-days 1"
    while [ "$(date +%s%N)" -lt "$1" ]; do
        got=0; pl-cache gc -q $2 > gc.out 2> gc.log || got=$?
        echo "$got $2" >> "$WORK/collected"
        sed -n 's/^removed.*: \([0-9]*\) steps.*/\1/p' gc.out >> "$WORK/removed"
        case "$got $2" in "0 "*|"1 --min-free"*|"75 "*) ;; *) echo "gc $2: $got $(cat gc.log)" >> "$WORK/failures" ;; esac
        set -- "$1" "$3" "$4" "$5" "$6" "$2"
    done
}

load() { # load SECONDS
    export PL_STORE=$STORES/$1
    trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT
    rm -f "$WORK"/{failures,built,collected,removed}; : > "$WORK/failures"
    "$ROOT/tests/engine/make_rootfs" "$WORK/root.tar"
    for i in 1 2 3 4 5 6 7 8; do make_source "$PWD/s$i"; done
    end=$(($(date +%s%N) + $1 * 1000000000))
    for i in 1 2 3 4 5 6 7 8; do (builder "$PWD/s$i" $i $end) & done
    (collector $end) &
    wait
    echo "in $1 s: $(sort "$WORK/built" | uniq -c | tr -s ' \n' ' '), gc $(sort "$WORK/collected" | uniq -c | sort -rn | tr -s ' \n' ' '), $(awk '{ n += $1 } END { print n }' "$WORK/removed") steps removed" | tee -a "${PL_TEST_NUMBERS:-/dev/null}"
    [ ! -s "$WORK/failures" ] || fail "$(sort "$WORK/failures" | uniq -c | head -20)"
    pl-cache verify > verified || fail "$(cat verified)"
    # gc had its turns, and took what the builders had to make anew.
    [ "$(grep -c '^[01] ' "$WORK/collected")" -ge 3 ]
    [ "$(awk '{ n += $1 } END { print n }' "$WORK/removed")" -ge 3 ]
    [ "$(sort -u "$WORK/built" | wc -l)" = 3 ]
}

test_a_minute() { load 60; }
test_some_seconds() { load 4; }

deep test_a_minute
run_tests
