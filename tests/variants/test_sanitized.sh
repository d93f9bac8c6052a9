#!/usr/bin/env bash
# pl built by clang with all warnings, AddressSanitizer (with leaks) and UndefinedBehaviorSanitizer, and the unit and
# command tests run with that. PL_DEEP=1 (make check-variants PL_DEEP=1) also runs the other suites so, and valgrind.
. "$(dirname "$0")/../lib.sh"
SANITIZED=$OUT/sanitized
export UBSAN_OPTIONS=print_stacktrace=1

# run_sanitized SUITE...: every test passes, and no process has written a report
run_sanitized() {
    local reports=$SANITIZED/reports
    [ -e "$SANITIZED/completions/done" ] || fail "it was not built"
    rm -rf "$reports"; mkdir -p "$reports"
    # Its budget is for the plain build.
    env OUT="$SANITIZED" ASAN_OPTIONS="log_path=$reports/report" TEST_EXCEPT=test_start_is_quick "$ROOT/tests/run" "$@" > summary || { cat summary; return 1; }
    tail -n 1 summary
    [ -z "$(ls "$reports")" ] || { head -n 60 "$reports"/*; fail "sanitizers found something"; }
}

test_clang_builds_everything_without_a_warning() {
    make -C "$ROOT" --no-print-directory -j2 OUT="$SANITIZED" CC=clang SANITIZE=address,undefined CFLAGS='-O0 -gline-tables-only' \
        all completions tests > log 2>&1 || { grep -A 5 'error:' log; return 1; }
}

test_each_suite_runs_clean() {
    run_sanitized unit cli
    [ -z "${PL_DEEP:-}" ] || run_sanitized wire engine e2e
}

# valgrind_bin: a folder of tools that run under valgrind
valgrind_bin() {
    mkdir -p valgrind/bin reports
    local tool
    for tool in "$OUT"/bin/*; do
        printf '#!/bin/sh\nexec valgrind --quiet --trace-children=no --leak-check=full --errors-for-leak-kinds=definite,indirect --error-exitcode=99 --log-file=%s/reports/%%p %s "$@"\n' \
            "$PWD" "$tool" > "valgrind/bin/$(basename "$tool")"
    done
    chmod +x valgrind/bin/*
    ln -s "$OUT/completions" valgrind/completions
}
reports() { find reports -type f -size +0 -exec head -n 40 {} +; }

test_valgrind_finds_nothing_in_a_push() {
    valgrind_bin
    for name in $([ -n "${PL_DEEP:-}" ] && grep -o '^test_[a-z_]*' "$ROOT/tests/cli/test_push_image.sh" || echo test_default_tags); do
        OUT=$PWD/valgrind TEST=$name bash "$ROOT/tests/cli/test_push_image.sh" > log 2>&1 || { cat log; reports; return 1; }
    done
    equal "$(reports)" ""
}

test_valgrind_finds_nothing_in_the_unit_tests() {
    for test in "$OUT"/test/unit/test_{record,registry,json,common,xml,glob,jwt,ignore}; do
        [ -x "$test" ] || continue
        [ -n "${PL_DEEP:-}" ] || [ "$(basename "$test")" = test_registry ] || continue
        valgrind --quiet --leak-check=full --errors-for-leak-kinds=definite,indirect --error-exitcode=99 "$test" > log 2>&1 || { cat log; return 1; }
    done
}

run_tests
