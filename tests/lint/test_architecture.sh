#!/usr/bin/env bash
# The architecture as data: who may include whom, third-party headers in one folder only, every header compiles alone.
. "$(dirname "$0")/../lib.sh"

test_dependencies_run_one_way() {
    cd "$ROOT"
    local object sources=()
    while read -r object; do
        # One of a source that is gone stays in out/.
        local source=${object#"$OUT/obj/"}
        [ ! -e "${source%.d}.c" ] || sources+=("$object")
    done < <(find "$OUT/obj" -name '*.d' ! -path '*/tests/*' ! -path '*/completions/*')
    equal "$(awk -v objects="$OUT/obj/" -f tests/lint/dependencies.awk tests/lint/edges.txt "${sources[@]}")" ""
}

# The linker takes the first archive that has a name, and says nothing of the second.
test_no_two_libraries_have_the_same_name() {
    equal "$(nm -g --defined-only "$OUT"/lib/*.a 2> /dev/null | awk '$2 ~ /^[TDBRC]$/ { print $3 }' | sort | uniq -d)" ""
}

test_no_tool_includes_another() {
    cd "$ROOT"
    local file wrong=0
    for file in tools/*/*.[ch]; do
        grep -n '#include "tools/' "$file" | grep -v "\"$(dirname "$file")/" && wrong=1
    done
    [ $wrong = 0 ]
}

test_third_party_headers_stay_in_their_folder() {
    cd "$ROOT"
    local file header folder wrong=0
    while IFS=: read -r file header; do
        case $header in */*) header=${header%%/*}/ ;; esac
        folder=$(awk -v h="$header" '$1 == h { print $2 }' tests/lint/third_party.txt)
        [ -n "$folder" ] || continue
        case $file in "$folder"*) ;; *) echo "$file includes <$header>, which belongs to $folder"; wrong=1 ;; esac
        case $file in *.h) echo "$file is a header and includes <$header>"; wrong=1 ;; esac
    done < <(git ls-files common engine registry gcp firebase local chain tools | grep -E '\.[ch]$' |
             xargs grep -oE '#include <[^>]+>' | sed -E 's/#include <([^>]+)>/\1/')
    [ $wrong = 0 ]
}

test_every_header_compiles_alone() {
    cd "$ROOT"
    git ls-files '*.h' | xargs -P 2 -I{} gcc -std=c17 -D_GNU_SOURCE -Wall -Wextra -Werror -I. -fsyntax-only -x c {}
}

test_only_tools_and_command_print_or_exit() {
    cd "$ROOT"
    absent -nE '(^|[^_a-z])(printf|puts|putchar|perror|exit)\(|fprintf\((stdout|stderr)' \
        $(git ls-files common engine registry gcp firebase local chain | grep '\.c$' | grep -v '^common/command/')
}

test_banned_functions_are_not_used() {
    cd "$ROOT"
    absent -nE '(^|[^_a-z])(strcpy|strcat|strncpy|strncat|sprintf|vsprintf|strtok|gets|atoi|atol|system|popen|tmpnam|mktemp|alloca|gmtime|localtime|ctime|asctime)\(' \
        $(git ls-files '*.c' '*.h')
}

run_tests
