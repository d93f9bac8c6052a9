#!/usr/bin/env bash
# Sources and bases that are wrong: each has its message, its exit code, and leaves nothing half-made.
. "$(dirname "$0")/../lib.sh"

# refused CODE TEXT NEXT COMMAND...: on stderr the reason, below it what to do; in the pipe one error record
refused() {
    local code=$1 text=$2 next=$3; shift 3
    status "$code" "$@" > out 2> log || { cat log; return 1; }
    contains "$(cat log)" "$text"
    contains "$(sed -n '/^pl-build: /,$p' log)" "$next"
    equal "$(grep -c . out)" 1
    contains "$(cat out)" '"type":"error","stage":"pl-build","code":'"$code"
    nothing_half_made
}
nothing_half_made() {
    [ ! -e "$PL_STORE/version" ] || { pl-cache verify > verified || { cat verified; fail "the store is damaged"; }
    equal "$(find "$PL_STORE/tmp" -mindepth 1 | head -3)" ""; }
}
rootfs() { [ -e "$WORK/root.tar" ] || "$ROOT/tests/engine/make_rootfs" "$WORK/root.tar"; echo "rootfs:$WORK/root.tar"; }
python_source() { # python_source DIR
    mkdir -p "$1"; echo 'print("hello")' > "$1/main.py"; echo 'fastapi' > "$1/requirements.txt"
}

test_directories() {
    refused 65 "/nonexistent/x does not exist" "name the directory that holds the application" pl-build /nonexistent/x
    mkdir empty
    refused 65 "empty is empty" "name the directory that holds the application" pl-build empty
    mkdir unknown; echo hello > unknown/README.md
    refused 65 "found no stack in" "write a Dockerfile, or name one with --file" pl-build unknown
    refused 65 "README.md is not a directory" "name the directory that holds the application" pl-build unknown/README.md
    mkdir -p root/api root/docs; python_source root/api
    refused 65 "found no stack in" "root/api" pl-build root
    mkdir closed; python_source closed; printf 'FROM scratch\nCOPY . /\n' > closed/Dockerfile
    if [ "$(id -u)" != 0 ]; then chmod 000 closed/main.py; refused 77 "main.py" "" pl-build closed; fi
    refused 65 "Dockerfile.none" "" pl-build --file Dockerfile.none closed
}

test_links_and_other_things_in_the_source() {
    python_source source
    for target in /etc/passwd ../outside a/../../outside; do
        ln -s "$target" source/link
        refused 65 "link is a symbolic link out of the source directory (to $target)" ".dockerignore or .plignore" pl-build source
        echo link > source/.plignore
        pl-build --plan source > plan
        rm source/link source/.plignore
    done
    # Inside is fine, and is kept as a link.
    mkdir source/a; ln -s ../main.py source/a/inside
    pl-build --plan source > plan
    mkfifo source/pipe
    refused 65 "pipe is neither a file nor a directory nor a link" ".plignore" timeout 20 pl-build source
    rm source/pipe
    python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("source/socket")'
    refused 65 "socket is neither a file" ".plignore" pl-build source
    rm source/socket
    # In a Dockerfile's context a link stays a link, as with Docker, and is never followed out of it.
    ln -s /etc/passwd source/link
    printf 'FROM scratch\nCOPY link /app\n' > source/Dockerfile
    refused 65 "Dockerfile:2: there is no link" ".dockerignore" pl-build source
}

test_credential_files() {
    python_source source
    cd source
    secret='"private_key": "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"'
    check() { # check FILE CONTENT KIND
        mkdir -p "$(dirname "$1")"; printf '%s\n' "$2" > "$1"
        refused 65 "credentials would get into the image: $1 ($3" "--allow-file $1" pl-build .
        contains "$(cat log)" "name it in .dockerignore or move it away"
        # Not a byte of it was kept.
        ! grep -rlqF -e "$2" "$PL_STORE" 2> /dev/null
        pl-build --allow-file "$1" --plan . > /dev/null
        echo "$1" > .plignore; pl-build --plan . > /dev/null
        rm -r .plignore "$1"
    }
    check gha-creds-0123456789abcdef.json '{"type": "external_account"}' "credentials that google-github-actions/auth left behind"
    check key.json '{"type": "service_account", '"$secret"'}' "the key of a service account"
    check deploy/prod.json '{"client_email": "x@y", "type":"service_account", '"$secret"'}' "the key of a service account"
    check .env 'DATABASE_PASSWORD=x' "environment file"
    check config/.env.production 'DATABASE_PASSWORD=x' "environment file"
    check .npmrc '//registry.npmjs.org/:_authToken=npm_0123456789' "a token for a package registry"
    check .netrc 'machine x login y password z' "logins"
    check certificates/server.key '-----BEGIN RSA PRIVATE KEY-----' "private key"
    # These hold none.
    echo 'DATABASE_PASSWORD=' > .env.example
    echo '//registry.npmjs.org/:_authToken=${NPM_TOKEN}' > .npmrc
    echo '{"name": "x"}' > package.json
    echo 'VITE_API=/api' > .env.production
    pl-build --plan . > /dev/null
    # A Dockerfile's context is treated alike.
    echo x > .env
    printf 'FROM scratch\nCOPY . /app\n' > Dockerfile
    refused 65 ".env (environment file)" "--allow-file .env" pl-build .
    mkdir -p src deep/er; echo y > src/y; echo x > deep/er/.env
    printf 'FROM scratch\nCOPY deep /app\n' > Dockerfile
    refused 65 "credentials would get into the image: deep/er/.env (environment file)" "--allow-file deep/er/.env" pl-build .
    printf 'FROM scratch\nCOPY .e* /app/\n' > Dockerfile
    refused 65 "credentials would get into the image: .env (environment file)" "--allow-file .env" pl-build .
    # What no instruction takes is in nobody's way.
    printf 'FROM scratch\nCOPY src /app\n' > Dockerfile
    pl-build -q . > /dev/null
    ! grep -rlqFx x "$PL_STORE/objects" || fail "it is in the store"
    rm -r deep
    printf '.env\n' > .dockerignore; printf 'FROM scratch\nCOPY . /app\n' > Dockerfile
    pl-build -q . > /dev/null
}

# The size grows while it is read, on each of many tries: a pipe of strace slows pl-build down at the read.
test_a_file_that_changes_while_it_is_read() {
    mkdir source; printf 'FROM scratch\nCOPY big /\n' > source/Dockerfile
    head -c 3000000 /dev/urandom > source/big
    (while :; do echo x >> source/big; done) & writer=$!
    trap 'kill $writer 2> /dev/null || true' EXIT
    refused 65 "big changed while it was read" "pl-build" strace -o trace -e trace=read -e inject=read:delay_exit=20000:when=20+ pl-build source
    kill $writer; wait $writer || true
    pl-build -q source > /dev/null
    # A change that keeps size and modification time is seen, too.
    head -c 3000000 /dev/urandom > source/big
    (while :; do printf X | dd of=source/big conv=notrunc bs=1 count=1 status=none; touch -d @1700000000 source/big; done) & writer=$!
    refused 65 "big changed while it was read" "" strace -o trace -e trace=read -e inject=read:delay_exit=20000:when=20+ pl-build source
}

test_a_file_that_vanishes_while_the_source_is_read() {
    mkdir source; printf 'FROM scratch\nCOPY . /\n' > source/Dockerfile
    for i in $(seq 100); do echo $i > source/f$i; done
    (while :; do rm -f source/f50; echo new > source/f50; done) & writer=$!
    trap 'kill $writer 2> /dev/null || true' EXIT
    for _ in 1 2 3 4 5 6; do
        got=0; pl-build source > out 2> log || got=$?
        case $got in 0) ;; 65) contains "$(cat log)" "f50 changed while it was read" ;; *) fail "$got: $(cat log)" ;; esac
        nothing_half_made
    done
}

test_bases_that_cannot_be_had() {
    python_source source
    # Nothing listens there; and a name that does not exist.
    refused 69 "127.0.0.1:1" "needs none" pl-build --base 127.0.0.1:1/a/b:c source
    refused 65 "/nonexistent.tar" "" pl-build --base rootfs:/nonexistent.tar source
    echo garbage > garbage.tar
    refused 65 "garbage.tar" "" pl-build --base rootfs:garbage.tar source
    head -c 700000 "$(rootfs | cut -d: -f2)" > cut.tar
    refused 65 "cut.tar" "" pl-build --base rootfs:cut.tar source
    : > nothing.tar
    refused 65 "nothing.tar" "" pl-build --base rootfs:nothing.tar source
    refused 65 "/nonexistent/index.json" "" pl-build --base oci:/nonexistent source
    refused 64 "is no suite with packages" "apt:bookworm?python3" pl-build --base 'apt:book worm' source
    refused 64 "linux/" "" pl-build --platform windows/amd64 --base "$(rootfs)" source
}

test_a_base_of_debian_packages_that_cannot_be_made() {
    command -v mmdebstrap > /dev/null || skip "mmdebstrap is not installed"
    python_source source
    http_proxy=http://127.0.0.1:1 refused 69 "the base apt:bookworm cannot be made: Failed to fetch" "http_proxy" \
        pl-build --base apt:bookworm source
    contains "$(cat log)" "Could not connect to 127.0.0.1:1"
    [ "$(id -u)" = 0 ] || return 0
    # Without the program: something that cannot be run is laid over it.
    refused 78 "mmdebstrap is missing" "sudo apt-get install mmdebstrap" unshare --mount \
        sh -c 'mount --bind /dev/null "$1" && exec pl-build --base apt:bookworm source' x "$(command -v mmdebstrap)"
}

test_another_architecture() {
    case $(uname -m) in x86_64) other=arm64 ;; *) other=amd64 ;; esac
    [ ! -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ] || skip "this kernel can run $other"
    python_source source
    refused 65 "the base is for $other and this machine runs" "qemu-user-static" pl-build --platform linux/$other --base scratch source
    refused 65 "cannot be made on this machine" "qemu-user-static" pl-build --platform linux/$other --base apt:bookworm source
    # What runs nothing can be built for every platform.
    printf 'FROM scratch\nCOPY main.py /\n' > source/Dockerfile
    contains "$(pl-build --platform linux/$other source)" '"platform":"linux/'$other'"'
}

test_a_full_disk() {
    [ "$(id -u)" = 0 ] || skip "a small file system needs root"
    mkdir small source; head -c 20000000 /dev/urandom > source/big
    "$ROOT/tests/engine/make_rootfs" source/root.tar
    small=$PWD/small
    trap 'umount -l "$small" 2> /dev/null || true' EXIT
    full() { # full OPTIONS DOCKERFILE
        umount small 2> /dev/null || true
        mount -t tmpfs -o "$1" none small
        printf '%b' "$2" > source/Dockerfile
        export PL_STORE=$PWD/small/store
        (cd source && refused 73 "" "pl-cache gc" pl-build .)
        umount small
    }
    full size=200k 'FROM scratch\nCOPY big /\n'
    full size=3500k,nr_inodes=200 'FROM scratch\nCOPY Dockerfile /\n'
    full size=1500k 'FROM rootfs:root.tar\nRUN true\n'
    full size=3500k,nr_inodes=400 'FROM rootfs:root.tar\nRUN true\n'
    full size=5m 'FROM scratch\nCOPY big /\n'
    full size=5m 'FROM rootfs:root.tar\nRUN dd if=/dev/zero of=/big bs=1M count=20\n'
    contains "$(cat source/log)" "the disk of the store"
    full size=5m 'FROM rootfs:root.tar\nRUN --mount=type=cache,target=/c dd if=/dev/zero of=/c/big bs=1M count=20\n'
    # With room again, it goes on.
    mount -t tmpfs -o size=100m none small
    (cd source && pl-build -q . > /dev/null)
    umount small
}

test_a_store_that_cannot_be_used() {
    python_source source
    echo file > file
    PL_STORE=$PWD/file/store status 65 pl-build source > out 2> log || PL_STORE=$PWD/file/store status 73 pl-build source > out 2> log
    contains "$(cat log)" "PL_STORE"
    mkdir other; echo 99 > other/version
    PL_STORE=$PWD/other status 78 pl-build source > out 2> log
    contains "$(cat log)" "was written by another version of pl"
    if [ "$(id -u)" = 0 ]; then
        mkdir foreign; chown 12345 foreign
        PL_STORE=$PWD/foreign status 78 pl-build source > out 2> log
        contains "$(cat log)" "belongs to another user"
    fi
}

run_tests
