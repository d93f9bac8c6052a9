#!/usr/bin/env bash
# pl-cache list and explain: what is in the store, how large, why, and where it comes from.
. "$(dirname "$0")/../lib.sh"

make_source() { # make_source DIR WORD
    mkdir -p "$1/app"
    "$ROOT/tests/engine/make_rootfs" "$1/root.tar"
    echo "$2" > "$1/app/word"
    head -c 300000 /dev/urandom > "$1/app/large"
    cat > "$1/Dockerfile" <<'END'
FROM rootfs:root.tar
RUN --mount=type=cache,target=/cache echo x > /made && echo y > /cache/y
COPY app /app
RUN cat /app/word > /copied
END
}
build() { (cd "$1" && pl-build -q -o ref .); }
entries() { pl-cache list -o json "$@" | jq -r "$Q"; }
step() { pl-cache list --kind step -o json | jq -r --arg t "$1" '.entries[] | select(.title | startswith($t)) | .key' | head -1; }

test_the_list() {
    make_source a one; ref=$(build a)
    pl-cache list > out
    contains "$(cat out)" "RUN cat /app/word > /copied: the latest of its name in $PWD/a"
    contains "$(cat out)" "built from $PWD/a"
    contains "$(cat out)" "/cache: steps of the store mount it"
    lacks "$(cat out)" "slots:"
    contains "$(pl-cache list --kind note)" "slots:"
    Q='.entries | map(.kind) | unique | join(" ")'
    equal "$(entries --kind layer --kind step)" "layer step"
    Q='.entries | length'
    equal "$(entries --kind step)" 3
    equal "$(entries --limit 2)" 2
    equal "$(pl-cache list --limit 1 | tail -1 | cut -d' ' -f1)" and
    # By size, and by the last use.
    Q='[.entries[].bytes] | . == (sort | reverse)'; equal "$(entries)" true
    find "$PL_STORE/names/steps" -type f | head -1 | xargs touch -d '3 days ago'
    Q='[.entries[].used] | . == (sort | reverse)'; equal "$(entries --sort age)" true
    contains "$(pl-cache list --kind step --sort age | tail -1)" "3 days"
    # What only one needs is its own; all of it is what status says.
    Q='.entries[] | select(.title == "COPY app /app") | .exclusive + .shared == .bytes'; equal "$(entries)" true
    Q='all(.entries[]; .exclusive <= .bytes)'; equal "$(entries)" true
    contains "$(pl-cache list -o ref)" "$ref"
    status 64 pl-cache list step 2> error
    status 64 pl-cache list --kind thing 2> error
    status 64 pl-cache list --sort name 2> error
}

test_what_is_shared_and_what_is_not() {
    make_source a one; build a > /dev/null
    (cd a && pl-from -q ./app > ../record)
    head -c 500000 /dev/urandom > alone; mkdir only; mv alone only
    pl-from -q ./only > /dev/null
    Q='.entries[] | select(.kind == "directory" and .exclusive >= 500000) | .reason'
    equal "$(entries)" "nothing refers to it: it was printed, or read from a source"
    # The files of the directory are in a layer, too: only the listing may be its own.
    Q=".entries[] | select(.key == \"$(jq -r .ref record)\") | .exclusive"
    shared=$(entries); [ -z "$shared" ] || [ "$shared" -lt 300000 ]
    before=$(pl-cache list -o json | jq .bytes)
    gone=$(pl-cache list -o json | jq '.entries[] | select(.kind == "directory" and .exclusive >= 500000) | .exclusive')
    rm "$PL_STORE/objects"/??/"$(sha256sum < only/alone | cut -c3-64)"
    [ "$(($(pl-cache list -o json | jq .bytes) + gone))" -ge "$before" ]
}

test_explain_a_step() {
    make_source a one; build a > /dev/null
    key=$(step "RUN cat")
    pl-cache explain "$key" > out
    contains "$(cat out)" "RUN cat /app/word > /copied"
    contains "$(cat out)" 'argv       ["/bin/sh","-c","cat /app/word > /copied"]'
    contains "$(cat out)" "found      a build in $PWD/a finds it"
    contains "$(cat out)" "$(step COPY)  COPY app /app"
    contains "$(pl-cache explain "$(step COPY)" | sed -n '/needed by/,$p')" "$key"
    # Its beginning is enough, also without the kind.
    equal "$(pl-cache explain "${key:0:17}")" "$(cat out)"
    equal "$(pl-cache explain "${key:5:12}")" "$(cat out)"
    equal "$(pl-cache explain -o json "$key" | jq -r .kind)" step
    # After a change another one is the latest; and a layer that is gone makes a build make it anew.
    echo two > a/app/word; build a > /dev/null
    contains "$(pl-cache explain "$key")" "the latest of its name in $PWD/a, differs: the container before it changed"
    layer=$(pl-cache explain -o json "$(pl-cache explain -o json "$key" | jq -r .container)" | jq -r '.needs[-1].key')
    rm -rf "$PL_STORE/trees/${layer#layer:sha256:}"* "$PL_STORE/names/layers/${layer#layer:sha256:}"
    contains "$(pl-cache explain "$key")" "a build makes it anew: a layer of the container that it made is no longer in the store"
}

test_explain_what_else_there_is() {
    make_source a one; ref=$(build a)
    pl-cache explain "$ref" > out
    contains "$(cat out)" "container  ${ref#container:sha256:}"
    contains "$(cat out)" "RUN cat /app/word > /copied"
    layer=$(pl-cache explain "$ref" -o json | jq -r '.needs[1].key')
    contains "$(pl-cache explain "$layer")" "needed by  container:sha256:"
    contains "$(pl-cache explain "${layer#layer:}")" "layer "
    tree=$(pl-from ./a/app | jq -r .ref)
    contains "$(pl-cache explain "$tree")" "file:sha256:$(sha256sum < a/app/word | cut -d' ' -f1)"
    file=sha256:$(sha256sum < a/app/word | cut -d' ' -f1)
    contains "$(pl-cache explain "$file")" "needed by  directory:sha256:"
    cache=$(pl-cache list --kind cache -o ref)
    contains "$(pl-cache explain "$cache")" "cache "
}

test_a_key_that_is_not_there() {
    make_source a one; build a > /dev/null
    status 1 pl-cache explain container:sha256:0000000000000000000000000000000000000000000000000000000000000000 > out 2> error
    contains "$(cat error)" "was removed (pl-cache gc), or made in another store"
    contains "$(cat error)" "pl-cache list"
    # A step's key is no layer.
    status 1 pl-cache explain "layer:$(step COPY | cut -d: -f2)" 2> error
    status 64 pl-cache explain 2> error
    contains "$(cat error)" "explain needs one key"
    for key in abc latest sha256: ../../etc/passwd "$(printf 'a%.0s' $(seq 70))" step:XYZ01 'python:3.12-slim'; do
        status 64 pl-cache explain "$key" 2> error || fail "$key"
        contains "$(cat error)" "is no key"
    done
    # Of two with the same beginning both are named.
    mkdir -p "$PL_STORE/names/tested-x"
    for end in 0 1; do echo '{}' > "$PL_STORE/names/tested-x/fedcba987654321$end"; done
    status 64 pl-cache explain fedcba98 2> error
    contains "$(cat error)" "fedcba9876543210, fedcba9876543211"
}

# A name of a directory, a base or a step may hold anything.
test_nothing_from_outside_reaches_the_terminal() {
    odd=$(printf 'odd\033]0;title\007\nname')
    make_source "$odd" one; build "$odd" > /dev/null
    for how in "list" "list --kind note" "explain $(step COPY)"; do
        pl-cache $how > out
        absent -P '\x1b|\x07' out
        contains "$(cat out)" 'odd?]0;title?'
    done
    pl-cache list -o json | jq -r '.entries[].reason' | grep -q "$(printf '\033')"
}

# Names are documents that anybody who may write the store may write: nonsense in them is no crash.
test_damaged_names() {
    make_source a one; build a > /dev/null
    for text in '' '{"half' '[]' '{"name":5,"definition":[],"container":{}}' '{"container":"sha256:short","step":7,"scope":[]}'; do
        for kind in steps bases slots built layers; do
            mkdir -p "$PL_STORE/names/$kind"
            printf %s "$text" > "$PL_STORE/names/$kind/00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
        done
        pl-cache list > out; pl-cache list --kind note > out
        pl-cache explain 00112233 > out
    done
}

run_tests
