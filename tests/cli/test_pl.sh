#!/usr/bin/env bash
# pl itself, what every tool has in common, and what is generated from the tables.
. "$(dirname "$0")/../lib.sh"

tools() { find "$OUT/bin" -name 'pl*' -type f -perm -u+x | sort; }

# A folder with pl and two tools that are known to the last byte.
fake_folder() {
    mkdir -p "$WORK/bin"
    cp "$OUT/bin/pl" "$WORK/bin/pl"
    cat > "$WORK/bin/pl-build" << 'END'
#!/bin/sh
case "$1" in
--help=json) echo '{"name":"pl-build","summary":"build a directory","writes":"container or directory"}' ;;
--help) echo "help of pl-build" ;;
*) echo "ran with $# arguments: $*"; exit 7 ;;
esac
END
    cat > "$WORK/bin/pl-push-image" << 'END'
#!/bin/sh
echo '{"name":"pl-push-image","summary":"push it","reads":"container","writes":"image"}'
END
    printf '#!/bin/sh\nexit 1\n' > "$WORK/bin/pl-broken"
    printf 'no program\n' > "$WORK/bin/pl-notes.txt"
    chmod +x "$WORK"/bin/pl-*
}

test_pl_lists_the_tools_beside_it() {
    fake_folder
    PATH=/usr/bin:/bin "$WORK/bin/pl" | golden pl-list.txt
    equal "$(PATH=/usr/bin:/bin "$WORK/bin/pl" --help=json | jq -r '.[].name' | tr '\n' ' ')" "pl-build pl-push-image "
}

# Those of other people: the first of a name, after ours; what does not describe itself is named alone.
test_pl_lists_the_tools_of_others() {
    fake_folder
    mkdir others more
    cat > others/pl-own << 'END'
#!/bin/sh
printf '%s\n' '{"name":"pl-nonsense","summary":"ours\u001b[31m","reads":"image"}'
END
    printf '#!/bin/sh\nexit 3\n' > others/pl-silent
    printf '#!/bin/sh\nsleep 60\n' > more/pl-slow
    printf '#!/bin/sh\necho not me\n' > more/pl-own
    printf '#!/bin/sh\necho not me\n' > others/pl-build
    echo > others/pl-notes
    chmod +x others/pl-own others/pl-silent others/pl-build more/*
    export PATH="$PWD/others:$PWD/more:$PWD/none:relative:/usr/bin:/bin"
    "$WORK/bin/pl" > list
    golden pl-list-others.txt < list
    equal "$("$WORK/bin/pl" --help=json | jq -rc '.[2:][] | [.name, .path, .reads]' | sed "s|$PWD|HERE|")" '["pl-own","HERE/others/pl-own","image"]
["pl-silent","HERE/others/pl-silent",null]
["pl-slow","HERE/more/pl-slow",null]'
    equal "$("$WORK/bin/pl" own 2>&1 | jq -r .reads)" image
}

# They hang, print without end, want the terminal, leave a process behind: asked all at once, and what they say is one line.
test_tools_of_others_that_mean_harm() {
    fake_folder
    mkdir evil
    for name in a b c d; do printf '#!/bin/sh\nexec sleep 100\n' > "evil/pl-hang-$name"; done
    printf '#!/bin/sh\nexec head -c 1000000000 /dev/zero\n' > evil/pl-zero
    printf '#!/bin/sh\nexec yes\n' > evil/pl-yes
    printf '#!/bin/sh\nsleep 100 &\n' > evil/pl-leaves
    printf '#!/bin/sh\nread -r answer < /dev/tty\n' > evil/pl-asks
    cat > evil/pl-text << 'END'
#!/bin/sh
printf '%s%0300d%s\n' '{"name":"pl-build","summary":"' 0 '\u001b[31m","reads":"a\npl-build  fine","writes":["x"]}'
END
    chmod +x evil/*
    export PATH="$PWD/evil:/usr/bin:/bin"
    timeout 60 "$WORK/bin/pl" > list 2> errors
    equal "$(cat errors)" ""
    sed -n '/Others/,$p' list | awk 'NF' | cut -c1-120 | golden pl-list-harm.txt
    equal "$(grep -c "$(printf '\033')" list)" 0
    timeout 60 "$WORK/bin/pl" --help=json | jq -e 'length == 11' > /dev/null
    # Completing runs none of them.
    equal "$(timeout 10 "$WORK/bin/pl" --complete tools h pl | tr '\n' ' ')" "hang-a hang-b hang-c hang-d "
}

test_the_list_fits_the_screen() {
    script -qec 'stty cols 80; pl' /dev/null < /dev/null | tr -d '\r' > list
    absent -E '^.{81,}' list
    contains "$(cat list)" "  pl-build            build a container or a site from a source directory"
}

test_functions_of_ones_own() {
    export PATH="$ROOT/examples/own:$PATH"
    pl | grep -Eq "^  pl-announce +service or site +service or site +note what"
    record() { printf '{"pl":1,"type":"%s","ref":"%s","name":"%s","set":"abcdef","seq":1,"of":1}\n' "$1" "$2" "$3"; }
    record service https://shop.run.app shop > service
    equal "$(pl-announce < service)" "$(cat service)"
    contains "$(cat DEPLOYED.md)" "$(date -u +%Y)"
    contains "$(cat DEPLOYED.md)" " https://shop.run.app"
    status 65 pl-announce <<< "$(record image h/r@sha256:1 shop)" > out 2> log
    status 66 pl-announce < /dev/null 2> log
    error='{"pl":1,"type":"error","stage":"pl-build","code":70,"message":"no"}'
    equal "$(status 70 pl-announce <<< "$error" 2> log)" "$error"
    equal "$(status 70 pl-pick a <<< "$error" 2> log)" "$error"
    (record container container:sha256:1 backend; record container container:sha256:2 worker) > two
    equal "$(pl-pick worker < two | jq -c '[.ref, .seq, .of]')" '["container:sha256:2",1,1]'
    status 66 pl-pick other < two > out 2> log
    contains "$(cat out)" '"type":"error","stage":"pl-pick","code":66'
}

test_pl_runs_a_tool_with_its_arguments_and_status() {
    fake_folder
    equal "$(status 7 "$WORK/bin/pl" build ./x --flag 'a b')" "ran with 3 arguments: ./x --flag a b"
    equal "$(status 7 "$WORK/bin/pl" pl-build)" "ran with 0 arguments: "
    equal "$("$WORK/bin/pl" help build)" "help of pl-build"
    cd "$WORK/bin" && equal "$(status 7 ./pl build -- -x)" "ran with 2 arguments: -- -x"
}

test_pl_without_such_a_tool_says_so() {
    equal "$(status 78 pl nonsense 2>&1)" "pl: there is no tool pl-nonsense
  see which there are: pl"
    contains "$(status 78 pl buld 2>&1)" "did you mean build?"
    status 78 pl ../../bin/sh 2> /dev/null
    status 78 pl help nonsense 2> /dev/null
    status 64 pl --nonsense 2> /dev/null
}

test_help_of_pl() {
    pl --help | golden pl-help.txt
    equal "$(pl help)" "$(pl --help)"
}

test_every_tool_describes_itself() {
    local tool name
    for tool in $(tools); do
        name=$(basename "$tool")
        "$tool" --help > "$WORK/help"
        contains "$(head -n 1 "$WORK/help")" "$name: "
        [ "$(wc -l < "$WORK/help")" -ge 10 ]
        if grep -nE '^.{101,}$' "$WORK/help" | grep -v '^[0-9]*:  [^ ]'; then fail "$name --help: too wide"; fi
        contains "$("$tool" --version)" "$name (pl) "
        [ "$name" = pl ] || equal "$("$tool" --help=json | jq -r .name)" "$name"
        equal "$("$tool" -h 2>&1 > /dev/null)" ""
    done
}

test_every_tool_refuses_what_it_does_not_know() {
    local tool name
    for tool in $(tools); do
        name=$(basename "$tool")
        status 64 "$tool" --no-such-option > "$WORK/out" 2> "$WORK/err" < /dev/null
        contains "$(head -n 1 "$WORK/err")" "$name: unknown option --no-such-option"
        contains "$(cat "$WORK/err")" "$name --help"
        if [ -s "$WORK/out" ]; then equal "$(jq -r '"\(.pl) \(.type) \(.stage) \(.code)"' "$WORK/out")" "1 error $name 64"; fi
    done
}

test_an_output_that_cannot_be_written_is_73() {
    local tool
    for tool in $(tools); do
        status 73 "$tool" --help > /dev/full 2> "$WORK/err"
        contains "$(cat "$WORK/err")" "standard output: cannot write: No space left on device"
        status 73 "$tool" --help >&- 2> /dev/null
    done
}

test_a_terminal_as_input_is_answered_with_an_example() {
    status 64 script -qec 'pl-run-deploy --region us-central1' /dev/null < /dev/null > "$WORK/seen"
    tr -d '\r' < "$WORK/seen" > "$WORK/plain"
    equal "$(cat "$WORK/plain")" "pl-run-deploy: it reads a record (image) from a pipe, and standard input is a terminal
  for example: pl-build ./backend | pl-push-image --repo my-repo | pl-run-deploy --region us-central1
  see: pl-run-deploy --help"
}

test_start_is_quick() {
    local begin end
    begin=$(date +%s%N)
    for _ in 1 2 3 4 5 6 7 8 9 10; do pl --version > /dev/null; done
    end=$(date +%s%N)
    # 5 ms each is the budget; ten times that still finds what is wrong on a busy machine.
    [ $(((end - begin) / 10000000)) -lt 50 ]
}

test_the_tables_have_no_mistake() {
    "$OUT/completions/generate" "$WORK/made" "$ROOT/docs"
    equal "$(find "$WORK/made/man" -name '*.1' | wc -l)" "$(tools | wc -l)"
}

# What real shells make of them is in tests/e2e/test_completions.sh.
test_completions_are_well_formed() {
    local file
    for file in "$OUT"/completions/bash/*; do shellcheck -s bash -S warning "$file"; done
    for file in "$OUT"/completions/zsh/*; do zsh -n "$file"; done
    for file in "$OUT"/completions/zsh/_pl "$OUT"/completions/zsh/_pl-*; do equal "$(head -n 1 "$file")" "#compdef $(basename "$file" | cut -c2-)"; done
    for file in "$OUT"/completions/fish/*; do fish --no-execute "$file"; done
}

test_manual_pages_are_well_formed() {
    local page
    for page in "$OUT"/completions/man/*; do
        equal "$(mandoc -T lint -W warning "$page")" ""
        mandoc -T utf8 "$page" | col -b > "$WORK/page"
        for section in NAME DESCRIPTION 'SEE ALSO'; do grep -q "^$section" "$WORK/page"; done
        [ "${page##*.}" = 1 ] || continue
        for section in SYNOPSIS OPTIONS 'EXIT STATUS'; do grep -q "^$section" "$WORK/page"; done
        contains "$(cat "$WORK/page")" "--progress"
    done
    mandoc -T utf8 -O width=100 "$OUT/completions/man/pl-exit-codes.7" | col -bx | tr -s ' \n' ' ' > "$WORK/page"
    contains "$(cat "$WORK/page")" "66 nothing arrived on standard input: the command before the pipe failed or printed nothing 69"
    # Each code that a tool says it ends with is in the list.
    comm -23 <(pl --help=json | jq '.[].exits[].status' | sort -u) <(sed -n 's/^| \([0-9]*\) |.*/\1/p' "$ROOT/docs/exit-codes.md" | sort -u) > "$WORK/unknown"
    equal "$(cat "$WORK/unknown")" ""
}

test_everything_is_installed_and_taken_away() {
    make -s -C "$ROOT" OUT="$OUT" DESTDIR="$WORK/root" PREFIX=/usr install > /dev/null
    (cd "$WORK/root/usr" && find . -type f -o -type l) > "$WORK/installed"
    for name in $(tools | xargs -n 1 basename); do
        for path in bin/$name share/bash-completion/completions/$name share/zsh/site-functions/_$name \
            share/fish/vendor_completions.d/$name.fish share/man/man1/$name.1 share/doc/pl/docs/tools/$name.md; do
            grep -qxF "./$path" "$WORK/installed" || fail "no $path"
        done
    done
    for path in share/man/man5/pl-records.5 share/man/man7/pl-exit-codes.7 share/fish/vendor_functions.d/__pl_values.fish \
        share/zsh/site-functions/_pl_values share/doc/pl/README.md bin/docker-credential-pl; do
        grep -qxF "./$path" "$WORK/installed" || fail "no $path"
    done
    contains "$(MANPATH=$WORK/root/usr/share/man man -w pl-build 2> /dev/null)" man1/pl-build.1
    contains "$(MANPAGER="cat" "$WORK/root/usr/bin/pl" help exit-codes)" "how the tools of pl end"
    # Other people's files stay.
    touch "$WORK/root/usr/share/zsh/site-functions/_other"
    make -s -C "$ROOT" OUT="$OUT" DESTDIR="$WORK/root" PREFIX=/usr uninstall
    equal "$(cd "$WORK/root/usr" && find . -type f -o -type l)" ./share/zsh/site-functions/_other
}

run_tests
