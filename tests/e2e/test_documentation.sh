#!/usr/bin/env bash
# Every block of commands in README.md and docs/ is run as it is written there (documentation.py says how).
. "$(dirname "$0")/../lib.sh"

# page PATH: runs its blocks in a directory of its own
export OUT

page() {
    shared_store
    mkdir -p "$WORK/pages/$1"
    cd "$WORK/pages/$1" && "$ROOT/tests/e2e/documentation.py" run "$ROOT/$1"
}

# A test for each page that there is.
for file in README.md $(cd "$ROOT" && ls docs/*.md); do
    name=${file##*/}; name=${name%.md}
    eval "test_${name//-/_}() { page $file; }"
done

run_tests
