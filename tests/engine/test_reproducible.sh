#!/usr/bin/env bash
# The same source gives the same image: in another store, place, order, umask, locale, time zone, at another time.
. "$(dirname "$0")/../lib.sh"

make_source() { # make_source DIR
    mkdir -p "$1/sub"
    "$ROOT/tests/engine/make_rootfs" "$1/root.tar"
    for name in b a c ä Z 'with space' '%20'; do echo "$name" > "$1/sub/$name"; done
    printf '#!/bin/sh\n' > "$1/run"; chmod 755 "$1/run"; ln -s sub/a "$1/link"
    cat > "$1/Dockerfile" <<'EOF'
FROM rootfs:root.tar
RUN for i in b a Z ä; do echo $i > /$i; done; mkdir /kept; umask 077; mkdir /private; date > /dev/null; rm /etc/removed; ln /a /hard
COPY --chown=app . /app
RUN ls /app/sub > /list; echo $SOURCE_DATE_EPOCH > /epoch; touch -d '2001-02-03 04:05:06' /old; mkfifo /fifo
EOF
    printf 'root.tar\nDockerfile\n' > "$1/.dockerignore"
}
build() { (cd "$1" && pl-build -q -o ref .); }
config() { local hex=${1#container:sha256:}; cat "$PL_STORE/objects/${hex:0:2}/${hex:2}"; }

test_the_same_image() {
    make_source first
    wanted=$(umask 022; LC_ALL=C.UTF-8 build first)
    mkdir -p else/where; cp -r first else/where/second
    # Another order in the directory, other times, other permission bits than those that count.
    (cd else/where/second/sub && for name in *; do mv "$name" ../x; cp ../x "$name"; rm ../x; done)
    find else -exec touch -h -d '1999-12-31 23:59:59' {} +
    chmod -R go-rwx else; chmod 700 else/where/second/run
    got=$(umask 077; export PL_STORE=$PWD/store2 HOME=$PWD/home2 LC_ALL=tr_TR.UTF-8 LANG=de_DE.UTF-8 TZ=Pacific/Auckland
        unset XDG_CACHE_HOME; build else/where/second)
    equal "$got" "$wanted"
    # Without any environment, and made anew in the same store.
    equal "$(cd first && env -i PATH="$PATH" HOME="$HOME" PL_STORE="$PL_STORE" pl-build -q --no-cache -o ref .)" "$wanted"
    # An executable bit, a name, a link's target: each is another image.
    chmod -x first/run; [ "$(build first)" != "$wanted" ]; chmod +x first/run; equal "$(build first)" "$wanted"
    ln -sfn sub/b first/link; [ "$(build first)" != "$wanted" ]; ln -sfn sub/a first/link; equal "$(build first)" "$wanted"
    mv first/sub/a first/sub/A; [ "$(build first)" != "$wanted" ]; mv first/sub/A first/sub/a; equal "$(build first)" "$wanted"
}

test_at_another_time() {
    make_source source
    wanted=$(build source)
    # The clock of a time namespace only goes with the boot time; that of the day is the kernel's. What is left is waiting.
    while [ "$(date +%s)" = "$(stat -c %Y "$PL_STORE/names/steps" )" ]; do sleep 0.1; done
    equal "$(PL_STORE=$PWD/later build source)" "$wanted"
}

test_source_date_epoch() {
    make_source source
    without=$(build source)
    contains "$(config "$without")" '"created":"1970-01-01T00:00:00Z"'
    export SOURCE_DATE_EPOCH=1700000000
    with=$(build source)
    [ "$with" != "$without" ]
    contains "$(config "$with")" '"created":"2023-11-14T22:13:20Z"'
    lacks "$(config "$with")" 1970
    # A base is made once for all: whose epoch was set then does not matter.
    equal "$(PL_STORE=$PWD/other build source)" "$with"
    equal "$(SOURCE_DATE_EPOCH=0 PL_STORE=$PWD/other build source)" "$without"
    # Whoever packs the layers later clamps their times alike: verify does, and a push.
    unset SOURCE_DATE_EPOCH
    pl-cache verify > verified || { cat verified; return 1; }
    : > requests
    "$ROOT/tests/wire/registry_server.py" single "$PWD/requests" > port & trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT
    wait_for 10 test -s port
    echo "$with" | pl-push-image --repo "127.0.0.1:$(cat port)/t/a" --tag x > image
    contains "$(cat image)" '"type":"image"'
    SOURCE_DATE_EPOCH=yesterday status 64 pl-build source > out 2> log
    contains "$(cat log)" "SOURCE_DATE_EPOCH"
    # Times after the epoch are clamped, times before it stay.
    tree=$(dirname "$(find "$PL_STORE/trees" -name old | head -1)")
    equal "$(date -u -d @"$(stat -c %Y "$tree/old")" +%Y-%m-%d)" 2001-02-03
}

run_tests
