#!/usr/bin/env bash
# What is generated from the tools' option tables and checked in is what the tables say now.
. "$(dirname "$0")/../lib.sh"

test_completions_and_manual_pages_are_current() {
    cd "$ROOT"
    for form in bash zsh fish man; do
        diff -r "$OUT/completions/$form" "completions/$form" || fail "completions/$form is old; run: make generated"
    done
}

test_docs_of_the_tools_are_current() {
    cd "$ROOT"
    diff -r "$OUT/completions/markdown" docs/tools || fail "docs/tools is old; run: make generated"
}

test_links_in_the_docs_lead_somewhere() {
    cd "$ROOT"
    local file target wrong=0
    for file in README.md docs/*.md docs/tools/*.md; do
        while read -r target; do
            [ -e "$(dirname "$file")/$target" ] || { echo "$file: $target does not exist"; wrong=1; }
        done < <(grep -oE '\]\([^)#]+' "$file" | sed 's/^](//' | grep -v '://')
    done
    [ $wrong = 0 ]
}

run_tests
