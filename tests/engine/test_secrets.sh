#!/usr/bin/env bash
# A secret is a file for the steps, and is nowhere else: in no layer, key, log, record, and not on the disk afterwards.
. "$(dirname "$0")/../lib.sh"
SECRET=hunter2-is-a-password
MODES=root
[ "$(id -u)" != 0 ] || MODES="root user single chroot"

make_source() {
    "$ROOT/tests/engine/make_rootfs" root.tar
    cat > Dockerfile <<'EOF'
FROM rootfs:root.tar
RUN --mount=type=secret,id=token,env=TOKEN test "$(cat /run/secrets/token)" = "$TOKEN" && stat -c '%a %u' /run/secrets/token \
    && cat /run/secrets/token && echo "$TOKEN" && echo made > /made && ls -A /dev/shm
EOF
}
nowhere() { # nowhere PLACE...: the secret is in none of them, in no form that a search finds
    local found
    found=$(grep -rlaF -e "$SECRET" "$@" 2> /dev/null || true)
    [ -z "$found" ] || fail "the secret is in $found"
}

test_a_secret_is_in_no_layer_key_log_or_record() {
    make_source
    printf '%s\n' "$SECRET" > "$WORK/secret"
    for mode in $MODES; do
        export PL_SANDBOX=$mode PL_STORE=$PWD/store-$mode
        TOKEN=$SECRET pl-build --secret token=env:TOKEN -v . > record 2> log || fail "$mode: $(cat log)"
        contains "$(cat log)" "400 0"
        contains "$(cat log)" "***"
        nowhere record log "$PL_STORE" "$HOME"
        # From a file it is the same secret, and not what the key is made of.
        pl-build --secret token="file:$WORK/secret" . > record 2> log
        contains "$(cat log)" "1 steps found, 0 made"
        TOKEN=something-else pl-build --secret token=env:TOKEN . > record 2> log
        contains "$(cat log)" "1 steps found, 0 made"
        nowhere record log
    done
}

test_a_secret_is_gone_after_a_kill() {
    make_source
    sed -i 's/ls -A .*/sleep 5711/' Dockerfile
    trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT
    for mode in $MODES; do
        export PL_SANDBOX=$mode PL_STORE=$PWD/store-$mode
        TOKEN=$SECRET pl-build --secret token=env:TOKEN . > record 2> log & build=$!
        wait_for 20 sh -c 'ps -eo args | grep -Fxq "sleep 5711"'
        kill -9 $build; wait $build || true
        wait_for 10 sh -c '! ps -eo args | grep -Fxq "sleep 5711"'
        pl-cache status > /dev/null
        nowhere "$PL_STORE" /dev/shm "$HOME"
    done
}

test_a_step_that_fails_does_not_tell_it() {
    make_source
    sed -i 's/ls -A .*/false/' Dockerfile
    TOKEN=$SECRET status 70 pl-build --secret token=env:TOKEN . > record 2> log
    contains "$(cat log)" "***"
    nowhere record log "$PL_STORE" "$HOME"
    TOKEN=$SECRET GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$PWD/summary status 70 pl-build --secret token=env:TOKEN . > record 2> log
    nowhere record log summary
}

test_a_secret_on_the_command_line_is_refused() {
    make_source
    status 64 pl-build --secret "token=$SECRET" . > record 2> log
    nowhere record log
    contains "$(cat log)" "env:NAME"
    status 64 pl-build --secret "../x=env:TOKEN" . > record 2> log
    status 78 pl-build --secret "token=env:NOT_SET" . > record 2> log || status 64 pl-build --secret "token=env:NOT_SET" . > record 2> log
    contains "$(cat log)" "NOT_SET"
}

# Where nothing can be mounted, what takes the place of mounts leaves the layer as it would be.
test_mounts_leave_nothing_in_the_layer() {
    make_source
    mkdir tree; echo lent > tree/lent
    cat > Dockerfile <<'EOF'
FROM rootfs:root.tar
RUN mkdir -p /there /etc/pl && echo own > /there/own && echo own > /etc/pl/token
COPY tree/lent /etc/resolv.conf
RUN --mount=type=bind,source=tree,target=/there --mount=type=tmpfs,target=/tmp \
    --mount=type=secret,id=token,target=/etc/pl/token --mount=type=bind,source=tree,target=/new/deep,rw \
    --mount=type=cache,target=/tmp/cache \
    cat /there/lent /new/deep/lent && test ! -e /there/own && echo x > /tmp/x && echo y > /new/deep/y \
    && test "$(cat /etc/pl/token)" != own && test "$(cat /etc/resolv.conf)" != lent && echo > /etc/resolv.conf && echo made > /made
EOF
    printf 'root.tar\nstore*\nlog\nref*\n' > .dockerignore
    for mode in $MODES; do
        export PL_SANDBOX=$mode PL_STORE=$PWD/store-$mode
        TOKEN=$SECRET pl-build --secret token=env:TOKEN -o ref . > ref-$mode 2> log || fail "$mode: $(cat log)"
        [ "$mode" = single ] || equal "$(cat ref-$mode)" "$(cat ref-root)"
    done
    nowhere store-*
}

run_tests
