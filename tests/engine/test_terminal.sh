#!/usr/bin/env bash
# A person at a terminal: the shell in the container of a step that failed, and a terminal in a container.
. "$(dirname "$0")/../lib.sh"

case_of() { # case_of CASE [ARGUMENT...]
    [ -e "$WORK/root.tar" ] || "$ROOT/tests/engine/make_rootfs" "$WORK/root.tar"
    ln -sf "$WORK/root.tar" root.tar
    timeout 120 python3 "$FOLDER/terminal_cases.py" "$@"
}

test_a_shell_in_the_state_of_the_step() {
    case_of shell_in_the_state
    for mode in user single chroot; do
        PL_SANDBOX=$mode PL_STORE=$PWD/$mode case_of shell_in_the_state
    done
    absent -l 987 /proc/[0-9]*/cmdline
}

run_tests
