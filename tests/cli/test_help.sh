#!/usr/bin/env bash
# The help of the tools that have no file of their own here, and what is the same for all of them.
. "$(dirname "$0")/../lib.sh"

test_pl_build() { pl-build --help | golden build-help.txt; }
test_pl_local() { pl-local --help | golden local-help.txt; }
test_pl_serve() { pl-serve --help | golden serve-help.txt; }
test_pl_cache() { pl-cache --help | golden cache-help.txt; }

test_every_tool_tells_its_version_and_its_table() {
    for tool in "$OUT"/bin/pl-*; do
        name=$(basename "$tool")
        equal "$("$tool" --version | cut -d ' ' -f 1)" "$name"
        equal "$("$tool" --help=json | jq -r .name)" "$name"
    done
}

test_every_help_fits_eighty_columns() {
    for tool in "$OUT"/bin/pl "$OUT"/bin/pl-*; do
        "$tool" --help > help
        equal "$(python3 -c 'import sys
for line in open(sys.argv[1], encoding="utf-8"):
    if len(line) > 81: print(line)' help)" ""
    done
}

test_every_tool_refuses_an_unknown_option() {
    for tool in "$OUT"/bin/pl-*; do
        status 64 "$tool" --no-such-option < /dev/null > out 2> error
        contains "$(cat error)" "--no-such-option"
    done
}

test_a_misspelt_option_is_told_the_right_one() {
    status 64 pl-build --explian . > out 2> error
    contains "$(cat error)" "--explain"
    status 64 pl-push-image --rpo x > out 2> error < /dev/null
    contains "$(cat error)" "--repo"
}

run_tests
