#!/usr/bin/env bash
# A registry that lies, breaks off, is overloaded or points elsewhere, to pl-build that pulls a base from it and to
# pl-push-image that pushes to it. Each case has its exit code and its words; nothing half-made or wrong is kept.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/registry.sh"

push() { pl-push-image --repo "127.0.0.1:$PORT/t/shop" --tag v1 -o ref; }
# The tar whose image the scripted registry has.
rootfs() {
    [ ! -e base.tar ] || return 0
    mkdir -p root/bin && cp /bin/busybox root/bin/ && ln -sf busybox root/bin/sh
    tar -C root --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 -cf base.tar .
}
# pull [VERSION]: builds one step on library/base
pull() {
    mkdir -p context
    printf 'FROM 127.0.0.1:%s/library/base%s\nRUN echo ran\n' "$PORT" "${1:-:v1}" > context/Dockerfile
    pl-build context
}
# refuses CODE TEXT WORDS [NAME=VALUE...]: pulling from such a registry ends so, and leaves the store right
refuses() {
    rootfs
    registry "$3" rootfs=base.tar "${@:4}"
    rm -rf "$PL_STORE"
    local got=0
    pull > out 2> error || got=$?
    [ "$got" = "$1" ] || fail "${3:0:60} ${4:0:60}: exit status $got, not $1: $(cut -c 1-600 error)"
    grep -qF -- "$2" error || fail "${3:0:60} ${4:0:60}: does not say \"$2\": $(cut -c 1-600 error)"
    equal "$(jq -r '.type, .code' out | tr '\n' ' ')" "error $1 "
    equal "$(LC_ALL=C grep -c "$(printf '[\001-\010\013-\037\177]')" error)" 0
    pl-cache verify > verified 2>&1 || fail "$3: $(cat verified)"
    kill "$SERVER" 2> /dev/null || true
}
# refuses_push CODE TEXT WORDS [NAME=VALUE...]
refuses_push() {
    registry "$3" "${@:4}"
    login
    [ -s container ] || container > container
    rm -rf "$PL_STORE/names/pushed"
    local got=0
    push < container > out 2> error || got=$?
    [ "$got" = "$1" ] || fail "${3:0:60} ${4:0:60}: exit status $got, not $1: $(cut -c 1-600 error)"
    grep -qF -- "$2" error || fail "${3:0:60} ${4:0:60}: does not say \"$2\": $(cut -c 1-600 error)"
    equal "$(cat out)" ""
    kill "$SERVER" 2> /dev/null || true
}

test_a_manifest_that_is_not_one() {
    refuses 76 "says the digest of the manifest is sha256:3333" manifest-lies
    refuses 76 "larger than the 4194304 bytes" manifest-large
    refuses 76 "larger than the 4194304 bytes" manifest-endless
    # Only what was on its way is taken.
    wait_for 60 grep -q SENT "$LOG"
    sent=$(python3 -c 'import json, sys; print([json.loads(line)["path"] for line in open(sys.argv[1]) if "SENT" in line][0])' "$LOG")
    [ "$sent" -lt 33554432 ]
    refuses 76 "neither a manifest nor an index but \"text/html\"" manifest-html
    refuses 76 "a manifest and an index at once" manifest-both
    refuses 76 "duplicate" manifest-twice
    refuses 76 "JSON nested deeper than 64" manifest-deep
    refuses 76 "nested more than 4 deep" manifest-nested
    refuses 76 "kept elsewhere (urls)" manifest-foreign
    refuses 76 "no sha256 digest" manifest-path
    refuses 65 "format of 2014 (schema 1)" manifest-schema1
    refuses 76 "more than 1000" manifest-many
}

test_another_manifest_than_the_digest_asked_for() {
    rootfs
    registry manifest-other rootfs=base.tar
    status 76 pull "@$(cat "$LOG.errors")" 2> error || { cat error; return 1; }
    contains "$(cat error)" "sent another manifest than the one asked for"
    registry plain rootfs=base.tar
    pull "@$(cat "$LOG.errors")"
    status 65 pull "@sha256:$(printf %064d 5)" 2> error
    contains "$(cat error)" "MANIFEST_UNKNOWN"
}

test_a_blob_that_is_another() {
    refuses 76 "digest" wrong-bytes
    refuses 76 "digest" layer-wrong
    refuses 76 "larger than the" long
}

test_a_layer_that_breaks_off_goes_on() {
    rootfs
    for words in layer-breaks layer-breaks,no-range; do
        registry $words rootfs=base.tar
        rm -rf "$PL_STORE"
        pull > out 2> error || { cat error; return 1; }
        contains "$(cat error)" "trying again"
        python3 - "$LOG" $words <<'END'
import json, sys
gets = [r for r in map(json.loads, open(sys.argv[1])) if "/blobs/" in r["path"]][1:]
assert len(gets) == 3, gets
ranges = [r["range"] for r in gets]
assert ranges[0] == "" and ranges[1].startswith("bytes=") and ranges[2].startswith("bytes="), ranges
if "no-range" not in sys.argv[2]:
    assert 0 < int(ranges[1][6:-1]) < int(ranges[2][6:-1]), ranges
END
    done
}

test_redirects_of_blobs() {
    refuses 76 "redirects more than 5 times" redirect-loop
    refuses 76 "private network" redirect-private
    refuses 76 "private network" plain redirect=http://169.254.169.254/computeMetadata/v1/
    refuses 76 "private network" plain "redirect=http://[::ffff:169.254.169.254]/"
    refuses 76 "private network" plain redirect=https://192.168.0.1/
    refuses 76 "no http or https URL" plain redirect=file:///etc/passwd
    refuses 76 "no http or https URL" plain redirect=ftp://127.0.0.1/
    refuses 76 "no http or https URL" plain redirect=http://me:secret@127.0.0.1/
    lacks "$(cat error)" secret
    refuses 76 "without TLS" plain redirect=http://registry.example/
}

test_an_overloaded_registry() {
    rootfs
    registry busy-get,drops rootfs=base.tar
    pull > out 2> error || { cat error; return 1; }
    contains "$(cat error)" "answered 429; trying again in 0.0 s"
    refuses 75 "try again later" down
    # What would be over after our own deadline is not waited for.
    refuses 75 "slow down (429 TOOMANYREQUESTS)" busy-get retry=1000000000
    for retry in "Wed, 21 Oct 2015 07:28:00 GMT" -5 soon ""; do
        registry busy-get rootfs=base.tar "retry=$retry"
        rm -rf "$PL_STORE"
        pull > out 2> error || { cat error; return 1; }
    done
    registry token,token-down rootfs=base.tar
    login
    status 69 pull > out 2> error || { cat error; return 1; }
    contains "$(cat error)" "cannot get a token"
}

test_realms_of_tokens() {
    rootfs
    refuses_token() {
        registry "token,$3" rootfs=base.tar "${@:4}"
        login
        got=0; pull > out 2> error || got=$?
        [ "$got" = "$1" ] || fail "${3:0:60} ${4:0:60}: exit status $got, not $1: $(cut -c 1-600 error)"
        contains "$(cat error)" "$2"
        lacks "$(cat error)" secret
    }
    refuses_token 76 "private network" realm-metadata
    refuses_token 76 "a URL with a user name in it" realm-user
    refuses_token 76 "private network" realm "realm=http://[fe80::1]/token"
    refuses_token 76 "private network" realm "realm=https://10.0.0.1/token"
    refuses_token 76 "without TLS" realm "realm=http://auth.example/token"
    refuses_token 76 "no http or https URL" realm "realm=file:///etc/passwd"
    refuses_token 76 "no http or https URL" realm "realm=token"
    refuses_token 76 "no http or https URL" realm "realm=http://127.0.0.1/a b"
    refuses_token 77 "cannot be authorized" realm "realm=http://127.0.0.1/$(printf 'x%.0s' {1..17000})"
    refuses_token 77 "be authorized" no-challenge
    refuses_token 76 "no usable token" token-html
    refuses_token 76 "no usable token" token-none
    refuses_token 76 "larger than the 65536 bytes" token-big
    refuses_token 76 "no usable token" token-dirty
    lacks "$(cat error)" Evil
}

test_a_token_that_ends_in_the_middle_is_renewed() {
    registry expires
    login
    container shop 9000000 > container
    push < container
    [ "$(requests | grep -c '/token')" -ge 2 ]
}

test_a_login_goes_to_no_other_host() {
    registry token
    other=$PORT other_log=$LOG
    registry token,realm-other other="$other"
    login
    status 77 push < <(container) 2> error
    contains "$(cat error)" "is not sent there"
    contains "$(requests "$other_log")" "GET /token"
    lacks "$(cat "$other_log")" "Basic"
}

test_upload_locations() {
    registry elsewhere
    other=$PORT other_log=$LOG
    registry token,location-other other="$other"
    login
    push < <(container) || true
    contains "$(cat "$other_log")" '"PUT"'
    contains "$(cat "$LOG")" "Bearer"
    lacks "$(cat "$other_log")" "Bearer"
    refuses_push 76 "private network" location-private
    refuses_push 76 "without a Location" location-none
    refuses_push 76 "private network" plain location=http://169.254.169.254/
    refuses_push 76 "that is no URL" plain location=file:///etc/passwd
    refuses_push 76 "that is no URL" plain location=http://me:secret@127.0.0.1/
    refuses_push 76 "without TLS" plain location=http://registry.example/
    refuses_push 76 "that is no URL" plain "location=http://127.0.0.1/$(printf 'x%.0s' {1..17000})"
}

test_lies_to_a_push() {
    refuses_push 76 "stored the manifest as sha256:0000" lies-manifest
    refuses_push 76 "stored it as sha256:1111" lies-blob
    refuses_push 76 "is no image registry (a web page for /v2/)" portal
    container shop 200000 > container
    registry plain
    push < container
    refuses_push 76 "has it as sha256:2222" lies-head seed="$(find "$PL_STORE/objects" -size +190k)"
    refuses_push 77 'Permission "upload" denied (403 DENIED)' denied
    refuses_push 76 "AAAA" error-big
    [ "$(wc -c < error)" -lt 2000 ]
    refuses_push 75 "503" down
}

test_a_mount_that_was_none_is_noticed() {
    container shop 1000 1 x/y > /dev/null
    seed=$PL_STORE/base-layer
    registry lies-mount seed="$seed"
    ref=127.0.0.1:$PORT/library/base@sha256:$(printf %064d 0)
    container shop 1000 1 "$ref" > container
    push < container 2> error || { cat error; requests; return 1; }
    equal "$(requests | grep -c 'PUT manifests')" 2
}

test_a_registry_that_mounts_nothing_gets_the_base_itself() {
    container shop 1000 1 x/y > /dev/null
    registry token seed="$PL_STORE/base-layer"
    login
    container shop 1000 1 "127.0.0.1:$PORT/library/base@sha256:$(printf %064d 0)" > container
    push < container
}

test_nothing_acts_on_the_terminal_or_in_ci() {
    registry escapes
    GITHUB_ACTIONS=true status 76 push < <(container) 2> error
    absent "$(printf '\033')" error
    absent '^::error::owned' error
    refuses 76 "red" escapes
}

run_tests
