#!/usr/bin/env bash
# The example, built for real: what is made anew after a change, the same image wherever it is built, a step that fails.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/users.sh"

get_source() { cp -r "$ROOT/examples/shop/backend" "$1"; find "$1" -name __pycache__ -prune -exec rm -r {} +; }
base_of() { sed -n 's/.*"org.opencontainers.image.base.name":"\([^"]*\)".*/\1/p'; }
layers() { # layers REF: the DiffIDs
    local hex=${1#container:sha256:}
    python3 -c 'import json, sys; print(*json.load(open(sys.argv[1]))["rootfs"]["diff_ids"])' "$PL_STORE/objects/${hex:0:2}/${hex:2}"
}

test_what_is_made_anew_after_a_change() {
    shared_store
    now=$(date +%s.%N) # what is made anew must not be in the shared store from an earlier run
    get_source backend
    pl-build -o ref backend > first 2> log
    pl-build --explain -o ref backend > second 2> log
    equal "$(cat second)" "$(cat first)"
    contains "$(cat log)" "2 steps found, 0 made"
    contains "$(cat log)" "install dependencies (requirements.txt): found, nothing it sees has changed"

    # One line of the source: the source layer alone.
    echo "# one line more $now" >> backend/src/items.py
    pl-build --explain -o ref backend > third 2> log
    contains "$(cat log)" "1 steps found, 1 made"
    contains "$(cat log)" "copy the source: made, because src/items.py changed"
    set -- $(layers "$(cat first)"); count=$#; before="${*:1:$count-1}" last=${!count}
    set -- $(layers "$(cat third)")
    equal "${*:1:$#-1}" "$before"
    [ "${!#}" != "$last" ]

    # What is no part of the image changes nothing.
    echo 'def test_nothing(): pass' > backend/tests/test_more.py
    pl-build -o ref backend > fourth 2> log
    equal "$(cat fourth)" "$(cat third)"

    # Back again: it is still there.
    get_source again; rm -r backend; mv again backend
    equal "$(pl-build -q -o ref backend)" "$(cat first)"

    # A dependency more: its step runs, and why is told by the file's name.
    printf 'itsdangerous==2.2.0\n# %s\n' "$now" >> backend/requirements.txt
    pl-build --explain -o ref backend > fifth 2> log
    contains "$(cat log)" "install dependencies (requirements.txt): made, because requirements.txt changed"
    contains "$(cat log)" "Collecting itsdangerous==2.2.0"
    contains "$(cat log)" "0 steps found, 2 made"
    # --no-cache makes every step anew, and the same image.
    pl-build --no-cache --explain -o ref backend > sixth 2> log
    contains "$(cat log)" "0 steps found, 2 made"
    contains "$(cat log)" "--no-cache was given"
    equal "$(cat sixth)" "$(cat fifth)"
}

# npm leaves out of a lock what its registry lacks when the lock is made, and `npm ci` of npm 11 then refuses it.
test_the_lock_of_the_frontend_has_every_platform() {
    lock=$ROOT/examples/shop/frontend/package-lock.json
    jq -r '.packages[] | .optionalDependencies // {} | keys[]' "$lock" | sort -u > named
    jq -r '.packages | keys[] | sub(".*node_modules/"; "")' "$lock" | sort -u > locked
    [ -s named ]
    equal "$(comm -23 named locked)" ""
}

test_requirements_that_cannot_be_resolved() {
    shared_store
    get_source backend
    echo 'surely-no-such-package-1b2c3d==1.0' >> backend/requirements.txt
    status 70 pl-build backend > out 2> log
    contains "$(cat log)" "No matching distribution found for surely-no-such-package-1b2c3d==1.0"
    contains "$(cat log)" "the full log: $HOME/.local/state/pl/logs/"
    tail -n 3 log > end
    contains "$(cat end)" "pl-build: install dependencies (requirements.txt): the package index has no surely-no-such-package-1b2c3d==1.0"
    contains "$(cat end)" "correct it in requirements.txt"
    contains "$(cat out)" '"stage":"pl-build","code":70'
    grep -q 'surely-no-such-package' "$(sed -n 's/^the full log: //p' log)"
    # The failure is not remembered.
    get_source right
    pl-build -q right > /dev/null
}

test_a_dependency_that_does_not_go_with_another() {
    shared_store
    get_source backend
    printf 'fastapi==0.115.12\nstarlette==0.20.0\nuvicorn\n' > backend/requirements.txt
    status 70 pl-build backend > out 2> log
    contains "$(cat log)" "ResolutionImpossible"
    contains "$(tail -n 3 log)" "requirements.txt"
}

# Another user, another store, another place, umask, locale, time zone and times of files; the base made once more.
test_the_same_image_wherever_it_is_built() {
    add_user pl-test-repro
    get_source backend
    SAVED=$PL_STORE; shared_store
    wanted=$(umask 022; LC_ALL=C.UTF-8 TZ=UTC pl-build -q -o ref backend)
    platform_base=$(pl-build backend | base_of)
    home=$WORK/users/pl-test-repro
    mkdir "$home/other-place"
    cp -r backend "$home/other-place/backend"
    find "$home" -exec touch -d '2001-02-03 04:05:06' {} +
    chmod -R go-rwx "$home/other-place"; chown -R pl-test-repro: "$home"
    # The order in which a directory lists its files is another one, too.
    (cd "$home" && as_user pl-test-repro sh -c 'cd other-place/backend/src && for f in *.py; do cp "$f" "$f.new" && mv "$f.new" "$f"; done')
    got=$(cd "$home/other-place" && as_user pl-test-repro sh -c 'umask 077; LC_ALL=tr_TR.UTF-8 LANG=de_DE TZ=Asia/Tokyo exec pl-build -o ref backend' 2> "$WORK/user.log") || { tail -20 "$WORK/user.log"; return 1; }
    equal "$got" "$wanted"
    as_user pl-test-repro pl-cache verify
    PL_STORE=$SAVED
}

# Without a range of ids the image has the same layers of its own, on a base whose files all belong to root.
test_an_ordinary_user_without_ids_builds_it() {
    add_user pl-test-noids NO_IDS
    home=$WORK/users/pl-test-noids
    get_source "$home/backend"; chown -R pl-test-noids: "$home"
    (cd "$home" && as_user pl-test-noids pl-build backend) > out 2> log || { tail -20 log; return 1; }
    contains "$(cat out)" container:sha256:
    (cd "$home" && as_user pl-test-noids pl-build backend) > again 2> log
    contains "$(cat log)" "2 steps found, 0 made"
    as_user pl-test-noids pl-cache verify
}
deep test_an_ordinary_user_without_ids_builds_it # test_modes.sh has such a user, with another base

run_tests
