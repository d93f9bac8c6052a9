#!/usr/bin/env bash
# What a failed step of a chain gives: its output, its exit code and where the log is, on a terminal, in a pipe and in GitHub
# Actions, word for word. (tests/engine/test_display.sh looks at pl-build's steps, test_terminal.sh at --shell-on-failure.)
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/chain_lib.sh"

make_base() {
    cat > say <<'END'
i=1; while [ $i -le 45 ]; do echo line $i; i=$((i + 1)); done
printf '\033[31mred\033[0m \033]0;title\007\n::error::forged\n  ##[error]forged\n'; echo with $TOKEN
exit 7
END
    pl-from "$(root)" > base
}
export TOKEN=value-of-the-token
failing() { pl-with exec --secret-env TOKEN=env:TOKEN --mount-directory say=/say -- sh /say; }
# Times and the log's own name differ.
alike() { tr -d '\r' | sed -E "s/[0-9]+\.[0-9] s/TIME/g; s#the full log: .*/([^/]*)\$#the full log: LOG#; s#$PWD#HERE#g"; }
on_a_terminal() { # on_a_terminal COMMAND: what appears there, without what is drawn while it runs
    python3 "$FOLDER/terminal_cases.py" shown "$1"
}
log_of() { sed -n 's/^the full log: //p' "$1" | tr -d '\r'; }

test_on_a_terminal() {
    make_base
    on_a_terminal "$(declare -f failing); failing < base; echo exit code \$?" > screen
    alike < screen | golden failure-terminal.txt
    grep -q '^\[1\] line 1$' "$(log_of screen)"
    absent value-of-the-token screen "$(log_of screen)"
}

test_in_a_pipe() {
    make_base
    status 70 failing < base > out 2> text
    alike < text | golden failure-pipe.txt
    alike < out | golden failure-record.txt
    # The log has all of it, and nothing that a terminal would obey.
    sed 's/([0-9.]* s)/(TIME)/' "$(log_of text)" | golden failure-log.txt
    # Down the pipe, also without pipefail: the last stage has the code, the name and the reason of the first.
    got=0; failing < base 2> first | pl-with env A=b 2> second | pl-export --show size > third 2> last || got=$?
    equal "$got" 70
    equal "$(cat second)" "pl-with: not started: pl-with failed (70)"
    equal "$(cat last)" "pl-export: not started: pl-with failed (70): exec sh /say failed with exit code 7"
}

test_in_github_actions() {
    make_base
    export GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$PWD/summary GITHUB_OUTPUT=$PWD/output
    touch summary output
    status 70 failing < base > out 2> text
    alike < text | golden failure-github.txt
    alike < summary | golden failure-github-summary.txt
    equal "$(cat output)" ""
}

run_tests
