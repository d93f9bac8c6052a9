#!/usr/bin/env bash
# A person at a terminal: the shell in the container of a step that failed, and a terminal in a container.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/users.sh"

case_of() { # case_of CASE [ARGUMENT...]
    [ -e "$WORK/root.tar" ] || "$ROOT/tests/engine/make_rootfs" "$WORK/root.tar"
    ln -f "$WORK/root.tar" root.tar
    python3 "$FOLDER/terminal_cases.py" "$@"
}

test_a_shell_in_the_state_of_the_step() {
    case_of shell_in_the_state
    for mode in user single chroot; do
        PL_SANDBOX=$mode PL_STORE=$PWD/$mode case_of shell_in_the_state
    done
    absent -l 987 /proc/[0-9]*/cmdline
}
test_the_shell_of_an_ordinary_user() {
    add_user pl-test-terminal
    local home=$WORK/users/pl-test-terminal
    "$ROOT/tests/engine/make_rootfs" "$home/root.tar"
    cp "$FOLDER/terminal_cases.py" "$home/"; chown -R pl-test-terminal: "$home"
    as_user pl-test-terminal sh -c 'cd; python3 terminal_cases.py shell_in_the_state && python3 terminal_cases.py modes_come_back'
}
test_keys_and_the_window() { case_of keys_and_the_window; }
test_the_modes_come_back() { case_of modes_come_back; }
test_without_a_terminal() { case_of no_terminal; }
test_without_a_shell() { mkdir -p root; tar -xf "$WORK/root.tar" -C root; case_of no_shell; }
test_one_shell_at_a_time() { case_of one_at_a_time; }
test_what_the_step_left_running() { case_of what_runs_beside; }
test_builds_and_tests() { case_of builds_and_tests; }
test_a_terminal_in_a_container() { case_of serve; }

run_tests
