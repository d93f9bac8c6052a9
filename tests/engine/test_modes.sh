#!/usr/bin/env bash
# The four ways to run a step: as root, as an ordinary user with and without a range of ids, as Docker runs a root shell.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/users.sh"
[ "$(id -u)" = 0 ] || { echo "skip - all of $0: needs root"; echo "counts: 0 0 1"; exit 0; }

make_source() { # make_source DIR: a Dockerfile on busybox that shows who runs it and what was kept
    "$ROOT/tests/engine/make_rootfs" "$1/root.tar"
    cat > "$1/Dockerfile" <<'EOF'
FROM rootfs:root.tar
RUN id -u; grep -c . /proc/mounts || true; echo made > /made; rm /etc/removed; chown 7:8 /made; ls -ln /made
USER app
RUN id -u; touch /tmp/mine
EOF
    printf 'root.tar\n' > "$1/.dockerignore"
    chmod -R a+rX "$1"
}
mode_of() { sed -n 's/^Steps are run in the mode "\([a-z]*\)".*/\1/p'; }

test_root_uses_overlays() {
    make_source "$PWD"
    equal "$(pl-build --doctor | mode_of)" root
    pl-build -o ref . > ref 2> log
    contains "$(cat log)" "0 steps found, 2 made"
}

test_every_mode_makes_the_same_image() {
    mkdir source; make_source source; cd source
    add_user pl-test-full
    cp -r . "$WORK/users/source"
    wanted=$(pl-build -o ref . 2> log)
    for mode in user chroot; do
        equal "$(PL_SANDBOX=$mode PL_STORE=$PWD/../$mode pl-build -o ref . 2> log)" "$wanted"
    done
    cd "$WORK/users/source"
    equal "$(as_user pl-test-full pl-build -o ref . 2> ../log)" "$wanted"
    equal "$("$ROOT/tests/engine/as_in_docker.py" pl-build --no-cache -o ref . 2> ../log)" "$wanted"
}

test_an_ordinary_user_with_ids() {
    add_user pl-test-ids
    make_source "$WORK/users/pl-test-ids"
    cd "$WORK/users/pl-test-ids"
    equal "$(as_user pl-test-ids pl-build --doctor | mode_of)" user
    as_user pl-test-ids pl-build -o ref . > "$WORK/ref" 2> "$WORK/log2"
    contains "$(cat "$WORK/log2")" " 7        8 "
    as_user pl-test-ids pl-cache verify
    # Its store holds files of other ids, and yet it can remove all of it.
    as_user pl-test-ids pl-build --no-cache -q . > /dev/null
    equal "$(find .cache/pl/tmp -mindepth 1 | head -1)" ""
}

test_an_ordinary_user_without_ids() {
    add_user pl-test-none NO_IDS
    make_source "$WORK/users/pl-test-none"
    cd "$WORK/users/pl-test-none"
    as_user pl-test-none pl-build --doctor > "$WORK/doctor"
    equal "$(mode_of < "$WORK/doctor")" single
    contains "$(cat "$WORK/doctor")" "pl-test-none has no range of 65536 ids in /etc/subuid and /etc/subgid"
    contains "$(cat "$WORK/doctor")" "sudo usermod --add-subuids "
    as_user pl-test-none pl-build -o ref . > "$WORK/ref" 2> "$WORK/log2"
    contains "$(cat "$WORK/log2")" "0 steps found, 2 made"
    chain() { as_user pl-test-none sh -c 'pl-from rootfs:root.tar | pl-with exec -- touch /one | pl-with exec -- ls "$@"' sh "$@"; }
    chain -d /one > /dev/null
    # The command that is advised is right.
    sh -c "$(sed -n 's/^ *sudo \(usermod .*\)/\1/p' "$WORK/doctor" | head -1)"
    equal "$(as_user pl-test-none pl-build --doctor | mode_of)" user
    as_user pl-test-none pl-build -o ref . > "$WORK/ref" 2> "$WORK/log2"
    # A chain finds a step's layer, which the mode from before alone can use: it says so, and what it advises helps.
    status 65 chain -l /one > /dev/null 2> "$WORK/log2"
    contains "$(cat "$WORK/log2")" 'in the form for the mode "user"'
    contains "$(cat "$WORK/log2")" "run the command that built the image again"
    chain -l /one > /dev/null
    as_user pl-test-none pl-cache verify
}

test_root_without_any_privilege_to_mount() {
    make_source "$PWD"
    "$ROOT/tests/engine/as_in_docker.py" pl-build --doctor > doctor
    equal "$(mode_of < doctor)" chroot
    contains "$(cat doctor)" "inside Docker: docker run --security-opt seccomp=unconfined"
    "$ROOT/tests/engine/as_in_docker.py" pl-build -o ref . > ref 2> log
    contains "$(cat log)" "0 steps found, 2 made"
    # Namespaces without the right to mount outside of them are as good as root.
    equal "$(setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin pl-build --doctor | mode_of)" user
}

test_where_nothing_works_it_says_what_is_missing() {
    make_source "$PWD"
    nothing() { "$ROOT/tests/engine/as_in_docker.py" setpriv --bounding-set=-sys_chroot,-chown --inh-caps=-all "$@"; }
    status 78 nothing pl-build --doctor > doctor 2> error
    contains "$(cat doctor)" "chroot is refused"
    contains "$(cat doctor)" "Steps cannot be run on this machine."
    status 78 nothing pl-build . > out 2> error
    contains "$(cat error)" "containers cannot run here: cannot make a user namespace: Operation not permitted"
    contains "$(cat error)" "docker run --security-opt seccomp=unconfined"
    contains "$(cat out)" '"code":78'
    status 78 env PL_SANDBOX=best pl-build . > out 2> error
    contains "$(cat error)" "PL_SANDBOX is none of root, user, single, chroot"
    status 78 env PL_SANDBOX=root "$ROOT/tests/engine/as_in_docker.py" pl-build . > out 2> error
}

# Ubuntu's switch cannot be had here: its file is laid over, and the namespaces are refused as AppArmor refuses them.
test_advice_for_apparmor() {
    add_user pl-test-armor NO_IDS
    cat > "$WORK/run" <<EOF
mount -t tmpfs -o mode=755 none /proc/sys/kernel && echo 1 > /proc/sys/kernel/apparmor_restrict_unprivileged_userns
exec "$ROOT/tests/engine/as_in_docker.py" --as pl-test-armor env HOME=/ "$WORK/bin/pl-build" --doctor
EOF
    status 78 unshare --mount sh "$WORK/run" > out 2> error
    contains "$(cat out)" "AppArmor forbids user namespaces"
    contains "$(cat out)" "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
}

test_namespaces_switched_off() {
    make_source "$PWD"
    # A limit of user namespaces belongs to a user namespace: ours alone.
    cat > run <<'EOF'
echo 0 > /proc/sys/user/max_user_namespaces
exec setpriv --bounding-set=-all --inh-caps=-all pl-build --doctor
EOF
    status 78 unshare --user --map-root-user sh run > out 2> error
    contains "$(cat out)" "sudo sysctl -w user.max_user_namespaces=15000"
}

run_tests
