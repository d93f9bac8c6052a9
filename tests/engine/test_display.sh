#!/usr/bin/env bash
# What pl-build tells while it works, when a step fails, in GitHub Actions; and that it ends with the reader of its output.
. "$(dirname "$0")/../lib.sh"

make_source() { # make_source < SCRIPT: a Dockerfile with one step that runs it
    "$ROOT/tests/engine/make_rootfs" root.tar
    cat > say
    printf 'FROM rootfs:root.tar\nRUN echo first\nRUN --mount=type=bind,source=say,target=/say sh /say\n' > Dockerfile
    printf '*\n!say\n' > .dockerignore
}
on_a_terminal() { # on_a_terminal ROWS COLUMNS COMMAND...: its output and its errors go to a terminal; what that got is printed
    python3 - "$@" <<'EOF'
import fcntl, os, pty, struct, sys, termios
rows, columns, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
pid, fd = pty.fork()
if pid == 0:
    os.environ["TERM"] = "xterm"
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.execvp(command[0], command)
while True:
    try:
        data = os.read(fd, 65536)
    except OSError:
        break
    if not data:
        break
    os.write(1, data)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
EOF
}

test_plain_names_the_tool_in_every_line() {
    make_source <<'EOF'
printf 'one\ntwo\n'; printf 'on stderr\nno-newline' >&2
EOF
    pl-build . > out 2> log
    [ -z "$(grep -v -e '^pl-build │ ' -e '^pl-build: ' log)" ] || fail "$(cat log)"
    for line in one two "on stderr" no-newline; do grep -qx "pl-build │   $line" log; done
    grep -q '^pl-build │ RUN echo first: [0-9.]* s$' log
    pl-build . > out 2> log
    grep -qx 'pl-build │ RUN echo first: cached' log
    # Only the record is on standard output.
    equal "$(wc -l < out)" 1
    pl-build -q . > out 2> log
    equal "$(cat log)" ""
}

test_a_failure_is_told_in_full() {
    make_source <<'EOF'
i=1
while [ $i -le 100 ]; do echo "line $i $(head -c 300 /dev/zero | tr '\0' x) end"; i=$((i + 1)); done
exit 7
EOF
    long=$(head -c 300 /dev/zero | tr '\0' x)
    # On a terminal of 80 columns the last 40 lines come whole, after all that was drawn.
    status 70 on_a_terminal 24 80 pl-build . > screen
    tr -d '\r' < screen | sed -n '/failed; its last 40 of 100 lines:/,$p' > end
    grep -q '^RUN .* sh /say: failed; its last 40 of 100 lines:$' end
    equal "$(grep -c "^  │ line [0-9]* $long end$" end)" 40
    grep -q "^  │ line 61 " end; grep -q "^  │ line 100 " end
    # Then where everything is, what failed, and why.
    log=$(sed -n 's/^the full log: //p' end)
    equal "$(grep -c "line [0-9]* $long end$" "$log")" 100
    contains "$(tail -n 2 end)" "exit code 7"
    # Elsewhere all lines have been printed: they are not repeated.
    status 70 pl-build . > out 2> text
    equal "$(grep -c "^pl-build │   line [0-9]* $long end$" text)" 100
    contains "$(tail -n 2 text)" "exit code 7"
    grep -q '^the full log: /' text
    equal "$(cat out | wc -l)" 1
    contains "$(cat out)" '"code":70,"message":"'
    # With -q it is the failure alone.
    status 70 pl-build -q . > out 2> text
    equal "$(grep -c "^  │ line " text)" 40
}

test_a_terminal_shows_what_runs() {
    make_source <<'EOF'
for i in 1 2 3 4 5 6 7 8 9; do echo working on $i; sleep 0.1; done
EOF
    on_a_terminal 24 60 pl-build . > screen
    contains "$(cat screen)" "working on"
    # What stays is a line per step, with its time, and the ref alone on the last line.
    tail -n 3 screen | tr -d '\r' > end
    contains "$(cat end)" "container:sha256:"
    contains "$(tr -d '\r' < screen)" "RUN echo first"
    on_a_terminal 24 60 pl-build . > screen
    contains "$(cat screen)" "cached"
    status 64 pl-build --progress tty . > out 2> log
    contains "$(cat log)" "standard error is not a terminal"
    on_a_terminal 24 60 pl-build --no-cache --progress plain . > screen
    lacks "$(cat screen)" "$(printf '\033[')"
}

test_an_application_cannot_write_to_the_terminal() {
    make_source <<'EOF'
printf '\033]0;title\007\033[2J\033[31mred\033[0m \r\b\b bell \007 \302\233 \033P q \033\\ end\n'
exit 3
EOF
    for command in "on_a_terminal 24 80 pl-build ." "pl-build ."; do
        status 70 $command > screen 2>&1
        lacks "$(cat screen)" "$(printf '\033]')"
        lacks "$(cat screen)" "$(printf '\033[2J')"
        lacks "$(cat screen)" "$(printf '\033[31m')"
        lacks "$(cat screen)" "$(printf '\007')"
        contains "$(cat screen)" "red"
    done
}

test_a_step_gives_no_orders_to_github() {
    make_source <<'EOF'
printf '%s\n' "::error file=x::forged" "  ::warning::forged" "::set-output name=x::y" "::add-mask::x" "::stop-commands::t" \
    "##[error]forged" "a ##[command]forged" "::group::x" "::endgroup::"
printf '\r::error::forged\n\v::error::forged\n\302\240::error::forged\n::error::forged without newline'
exit 9
EOF
    export GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$PWD/summary GITHUB_OUTPUT=$PWD/output
    touch summary output
    status 70 pl-build . > out 2> log
    # What the runner takes for a command: a line that begins with "::", or "##[" anywhere.
    grep -E '^[[:space:]]*::|##\[' log > commands || true
    equal "$(grep -c . commands)" 3
    equal "$(sed -n 1p commands)" "::group::pl-build"
    equal "$(sed -n 2p commands)" "::endgroup::"
    contains "$(sed -n 3p commands)" "::error "
    lacks "$(tr '\r' '\n' < log | grep -E '^[[:space:]]*::(warning|set-output|add-mask|stop-commands)')" forged
    contains "$(sed -n 3p commands)" "exit code 9"
    equal "$(cat output)" ""
}

test_github_gets_outputs_and_a_summary() {
    make_source <<'EOF'
true
EOF
    export GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$PWD/summary GITHUB_OUTPUT=$PWD/output
    touch summary output
    pl-build . > out 2> log
    grep -q '^ref=container:sha256:[0-9a-f]\{64\}$' output || grep -q 'container:sha256:' output
    contains "$(cat summary)" "pl-build"
    equal "$(grep -c '^::group::' log) $(grep -c '^::endgroup::' log)" "1 1"
}

test_it_ends_with_the_reader_of_its_output() {
    make_source <<'EOF'
sleep 7711
EOF
    trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT
    mkfifo pipe
    pl-build . > pipe 2> log & building=$!
    exec 7< pipe
    wait_for 20 sh -c 'ps -eo args | grep -Fxq "sleep 7711"'
    exec 7<&-
    status 130 wait $building
    contains "$(cat log)" "stopped: the next command in the pipe exited"
    wait_for 10 sh -c '! ps -eo args | grep -Fxq "sleep 7711"'
    equal "$(find "$PL_STORE/tmp" -mindepth 1)" ""
    # Also before the first step, and while it waits for another one.
    got=0; { pl-build . 2> log2 || echo $? > code; } | true
    equal "$(cat code)" 130
}

test_a_signal_ends_it_in_order() {
    make_source <<'EOF'
trap "" TERM INT HUP
sleep 7712
EOF
    trap 'kill $(jobs -p) 2> /dev/null || true; wait' EXIT
    for signal in TERM HUP; do
        pl-build . > out 2> log & building=$!
        wait_for 20 sh -c 'ps -eo args | grep -Fxq "sleep 7712"'
        kill -$signal $building
        got=0; wait $building || got=$?
        equal "$got" "$((128 + $(kill -l $signal)))"
        contains "$(cat log)" "stopped by a signal ($signal)"
        contains "$(cat out)" '"type":"error"'
        wait_for 10 sh -c '! ps -eo args | grep -Fxq "sleep 7712"'
        equal "$(find "$PL_STORE/tmp" -mindepth 1)" ""
    done
}

test_a_sign_of_life() {
    make_source <<'EOF'
sleep 16; echo late
EOF
    pl-build . > out 2> log
    contains "$(cat log)" "sh /say (1"
    contains "$(cat log)" "still running: RUN"
}

run_tests
