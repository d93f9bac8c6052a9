#!/usr/bin/env bash
# Where a base comes from, and pl.lock, which keeps it.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/dockerfile_lib.sh"
busybox_archive

# The same root file system as an OCI layout (tags one and two), as a docker archive and in a registry.
umoci init --layout "$WORK/layout" && umoci new --image "$WORK/layout:one"
umoci unpack --image "$WORK/layout:one" "$WORK/bundle" > /dev/null; rm -rf "$WORK/bundle/rootfs"; cp -a "$WORK/busybox" "$WORK/bundle/rootfs"
umoci repack --image "$WORK/layout:one" "$WORK/bundle" > /dev/null
umoci config --image "$WORK/layout:one" --tag two --config.env TAG=two
skopeo copy -q "oci:$WORK/layout:one" "docker-archive:$WORK/archive.tar:x:y"
gzip -k "$WORK/busybox.tar"
PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:%s"}\n' "$WORK/registry" "$PORT" > "$WORK/registry.yml"
docker-registry serve "$WORK/registry.yml" > "$WORK/registry.log" 2>&1 &
REGISTRY=$!
ATEXIT="kill $REGISTRY"
wait_for 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$PORT"
publish() { skopeo copy -q --dest-tls-verify=false "oci:$WORK/layout:$1" "docker://127.0.0.1:$PORT/busybox:latest"; }
publish one

build() { # build REFERENCE [OPTIONS]: an image that says what its base is
    mkdir -p context
    printf 'FROM %s\nRUN id -u > /ran && echo "${TAG:-one}" > /tag && test -e /etc/passwd\n' "$1" > context/Dockerfile
    pl-build "${@:2}" context > record 2> said || { local result=$?; cat said; return $result; }
}
digest() { jq -r .digest record; }

test_every_kind_of_base_has_the_same_files() {
    build "oci:$WORK/layout:one"; first=$(digest)
    build "docker-archive:$WORK/archive.tar"
    build "127.0.0.1:$PORT/busybox"; equal "$(digest)" "$first"
    build "127.0.0.1:$PORT/busybox:latest"; equal "$(digest)" "$first"
    build "oci:$WORK/layout:two"; [ "$(digest)" != "$first" ]
    build "rootfs:$WORK/busybox.tar"; tar=$(digest)
    build "rootfs:$WORK/busybox.tar.gz"; equal "$(digest)" "$tar"
}

test_a_base_that_is_not_there_is_said() {
    status 65 build oci:/nowhere; contains "$(cat said)" "context/Dockerfile:1: "; contains "$(cat said)" "/nowhere"
    status 65 build "oci:$WORK/layout:three"; contains "$(cat said)" "has no image with the tag three"
    status 65 build docker-archive:/nowhere.tar; contains "$(cat said)" "/nowhere.tar"
    status 65 build "docker-archive:$WORK/busybox.tar"; contains "$(cat said)" "busybox.tar: it has no manifest.json, so it is no docker archive"
    status 65 build rootfs:/nowhere.tar; contains "$(cat said)" "/nowhere.tar"
    status 65 build rootfs:/etc/passwd; contains "$(cat said)" "/etc/passwd"
    status 64 build 'apt:book_worm?x'; contains "$(cat said)" "write it as apt:bookworm?python3"
    status 64 build 'apt:bookworm?$(id)'
    # A registry that nobody serves: no name is asked for outside of this machine.
    status 69 build 127.0.0.1:9/busybox
    contains "$(tail -n 2 said)" "context/Dockerfile:1: image 127.0.0.1:9/busybox"
    contains "$(tail -n 1 said)" "apt:bookworm"
}

test_a_lock_keeps_the_base_of_a_registry() {
    publish one
    build "127.0.0.1:$PORT/busybox" --lock; first=$(digest)
    equal "$(jq -r '.bases["127.0.0.1:'$PORT'/busybox"]["linux/amd64"]' context/pl.lock | cut -d@ -f1)" "127.0.0.1:$PORT/busybox"
    publish two
    build "127.0.0.1:$PORT/busybox" --pull; equal "$(digest)" "$first"
    # Another store asks for the digest, not for the tag.
    PL_STORE=$PWD/second build "127.0.0.1:$PORT/busybox"; equal "$(digest)" "$first"
    mv context/pl.lock old.lock
    build "127.0.0.1:$PORT/busybox" --pull; [ "$(digest)" != "$first" ]
    mv old.lock context/pl.lock
    build "127.0.0.1:$PORT/busybox" --lock; [ "$(digest)" != "$first" ]; second=$(digest)
    publish one
    build "127.0.0.1:$PORT/busybox" --pull; equal "$(digest)" "$second"
}

test_a_lock_notices_another_file() {
    cp "$WORK/busybox.tar" base.tar
    build "rootfs:$PWD/base.tar" --lock
    build "rootfs:$PWD/base.tar"
    mkdir more; echo x > more/new; tar -C more -rf base.tar new
    status 65 build "rootfs:$PWD/base.tar"
    contains "$(cat said)" "context/Dockerfile:1: the base rootfs:$PWD/base.tar is not the one that pl.lock names"
    contains "$(tail -n 1 said)" "pl-build --lock"
    build "rootfs:$PWD/base.tar" --lock
    build "rootfs:$PWD/base.tar"
}

test_what_a_lock_does_not_say_is_said_and_a_broken_one_is_refused() {
    build "rootfs:$WORK/busybox.tar" --lock
    build "rootfs:$WORK/busybox.tar.gz"
    contains "$(cat said)" "pl.lock says nothing about the base rootfs:$WORK/busybox.tar.gz"
    echo '{"lock":2}' > context/pl.lock
    status 65 build "rootfs:$WORK/busybox.tar"
    contains "$(cat said)" "pl.lock is no lock file of a kind that this version of pl knows"
    echo '{"lock":1,"bases":{"x":1}}' > context/pl.lock
    status 65 build "rootfs:$WORK/busybox.tar"
    contains "$(cat said)" "pl-build --lock"
}

# A lock that a machine with a registry has made is not replaced by Debian packages where none is reached.
test_a_locked_base_has_no_fallback() {
    mkdir app; echo 'print(1)' > app/main.py
    echo '{"lock":1,"bases":{"python:3.12-slim":{"linux/amd64":"127.0.0.1:9/python@sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}}' > app/pl.lock
    status 69 pl-build app > record 2> said
    contains "$(tail -n 2 said)" "pl.lock names the base"
    lacks "$(cat said)" "apt:"
}

run_tests
