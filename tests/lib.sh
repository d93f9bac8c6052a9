# Sourced by every test script. A script defines functions named test_* and ends with: run_tests
#
# Each function runs in a subshell with `set -e`, an empty HOME, its own PL_STORE below $WORK, out/bin first in PATH, and no
# pipefail. It fails when a command in it fails. `skip REASON` ends it as skipped: that is counted and shown.
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
FOLDER=$(cd "$(dirname "$0")" && pwd)
OUT=${OUT:-$ROOT/out}
export ROOT PATH="$OUT/bin:$PATH" LC_ALL=C.UTF-8
unset MAKEFLAGS MFLAGS MAKELEVEL GITHUB_ACTIONS GITHUB_OUTPUT GITHUB_STEP_SUMMARY PL_CLOUD_URL PL_OUTPUT PL_PROGRESS NO_COLOR FORCE_COLOR CI GOOGLE_APPLICATION_CREDENTIALS
WORK=$(mktemp -d "${TMPDIR:-/tmp}/pl-test.XXXXXX")
export WORK
ATEXIT=
cleanup() { eval "$ATEXIT"; chmod -R u+rwX "$WORK" 2>/dev/null; rm -rf "$WORK"; }
trap cleanup EXIT

# Debian's own python3: a version manager's shim would take longer than the scripts here.
if [ -x /usr/bin/python3 ]; then
    mkdir -p "$OUT/test/path"
    [ -e "$OUT/test/path/python3" ] || ln -s /usr/bin/python3 "$OUT/test/path/python3" 2> /dev/null || true
    export PATH="$OUT/bin:$OUT/test/path:${PATH#"$OUT/bin:"}"
fi

skip() { echo "$*" > "$WORK/skipped"; exit 0; }
fail() { echo "FAIL: $*" >&2; return 1; }
# status N COMMAND...: the command must exit with N
status() { local want=$1 got=0; shift; "$@" || got=$?; [ "$got" = "$want" ] || fail "exit status $got, not $want: $*"; }
equal() { [ "$1" = "$2" ] || fail "got:  $1
want: $2"; }
contains() { case "$1" in *"$2"*) ;; *) fail "does not contain \"$2\": $1" ;; esac; }
lacks() { case "$1" in *"$2"*) fail "contains \"$2\": $1" ;; esac; }
# absent GREP-ARGUMENT...: grep finds nothing. (A line that begins with "!" would fail nothing.)
absent() { local found; if found=$(grep "$@"); then fail "found: $found"; fi; }
# golden NAME < ACTUAL: equal to tests/.../golden/NAME; PL_GOLDEN=write records
golden() {
    local file=$FOLDER/golden/$1
    if [ "${PL_GOLDEN:-}" = write ]; then mkdir -p "$(dirname "$file")"; cat > "$file"; else diff -u "$file" - ; fi
}
# A store that all tests share: what takes long to make (the base from Debian packages) is made once in a run.
shared_store() { export PL_STORE=${PL_TEST_SCRATCH:-$OUT/test}/store; mkdir -p "$PL_STORE"; }
wait_for() { # wait_for SECONDS COMMAND...: until it succeeds
    local end=$(( $(date +%s) + $1 )); shift
    until "$@" > /dev/null 2>&1; do [ "$(date +%s)" -lt "$end" ] || fail "not within the time: $*" || return 1; sleep 0.05; done
}

# deep TEST...: these take long, and what they show is shown in part by others; they are run with PL_DEEP=1 (docs/testing.md).
deep() { [ "${PL_DEEP:-}" = 1 ] || unset -f "$@"; }

run_tests() {
    local passed=0 failed=0 skipped=0 result function
    for function in $(declare -F | sed -n 's/^declare -f \(test_.*\)/\1/p'); do
        [ -z "${TEST:-}" ] || [ "$TEST" = "$function" ] || continue
        [ "${TEST_EXCEPT:-}" != "$function" ] || continue
        rm -f "$WORK/skipped"
        export HOME=$WORK/$function/home PL_STORE=$WORK/$function/store
        mkdir -p "$HOME"
        # In a process group of its own, so that whatever it has left running ends with it.
        set -m
        ( set +m -e; cd "$WORK/$function"; "$function" ) > "$WORK/log" 2>&1 < /dev/null &
        set +m
        wait $!
        result=$?
        kill -9 -- "-$!" 2> /dev/null
        if [ $result != 0 ]; then
            failed=$((failed + 1)); echo "not ok - $function"; sed 's/^/    /' "$WORK/log" | tail -n 60
        elif [ -e "$WORK/skipped" ]; then
            skipped=$((skipped + 1)); echo "skip - $function: $(cat "$WORK/skipped")"
        else
            passed=$((passed + 1)); echo "ok - $function"
        fi
    done
    echo "counts: $passed $failed $skipped"
    [ $failed = 0 ]
}
