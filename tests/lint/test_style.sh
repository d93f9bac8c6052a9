#!/usr/bin/env bash
# Formatting, length of functions and files, shell scripts, paths of one machine.
. "$(dirname "$0")/../lib.sh"

test_sources_are_formatted() {
    cd "$ROOT"
    git ls-files '*.c' '*.h' | xargs -P 2 -n 20 clang-format --dry-run -Werror
}

test_functions_fit_a_screen() {
    cd "$ROOT"
    # In our format a function's body begins after a line that ends in ") {" and ends with a '}' in column 0.
    git ls-files common engine registry gcp firebase local tools | grep '\.c$' | xargs awk '
        FNR == 1 { begin = 0 }
        !begin && /\) \{$/ && !/^    (if|for|while|switch)/ { begin = FNR; name = $0 }
        /^}/ { if (begin && FNR - begin > 70) { print FILENAME ":" begin ": " FNR - begin " lines: " name; bad = 1 } begin = 0 }
        END { exit bad }'
}

test_files_hold_one_subject() {
    cd "$ROOT"
    git ls-files '*.c' '*.h' | xargs wc -l | awk '$2 != "total" && $1 > 700 { print; bad = 1 } END { exit bad }'
}

test_shell_scripts_pass_shellcheck() {
    cd "$ROOT"
    git ls-files | xargs -d '\n' grep -lE '^#!(/usr/bin/env bash|/bin/sh)' | xargs shellcheck -S warning -e SC1091,SC2034,SC2046,SC2086,SC2154,SC2155,SC2164,SC2317
}

# Seconds for everything. (clang-tidy's analyzer takes minutes and was wrong in all that it said.)
test_cppcheck_finds_nothing() {
    cd "$ROOT"
    # One of two pointers is always there, which cppcheck does not see.
    git ls-files '*.c' | grep -v ^tests/ | xargs cppcheck -j 2 --std=c11 --enable=warning,performance,portability --quiet -I. -D_GNU_SOURCE \
        --suppress=missingIncludeSystem --suppress=nullPointer:engine/take.c --error-exitcode=1 \
        --template='{file}:{line}: {id}: {message}'
}

test_no_path_of_one_machine() {
    cd "$ROOT"
    if git grep -nE '(^|[^A-Za-z0-9_.])/(work|farm)/[a-z]' -- . ':!tests/lint'; then return 1; fi
}

run_tests
