#!/usr/bin/env bash
# The Dockerfiles in dockerfile/ built by pl-build and by buildah: the same files, owners, modes and config.
#
# dockerfile/NAME.Dockerfile is built with dockerfile/context, plus tree.tar and tree.tar.gz, which are made here.
#   NAME.options      more options for both, in buildah's words; SECRET is a file
#   NAME.buildah      what buildah builds instead, where it does not understand the Dockerfile (here-documents)
#   NAME.difference   what differs and why: the lines that diff is to print, after one "why: ..."
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/dockerfile_lib.sh"
HERE=$ROOT/tests/engine
CASES=$HERE/dockerfile

layout() { # layout ROOTFS DIRECTORY: in the registry too, as an image that is called like the directory
    umoci init --layout "$2" && umoci new --image "$2:latest" && umoci unpack --image "$2:latest" "$2.bundle" > /dev/null
    rm -rf "$2.bundle/rootfs"; cp -a "$1" "$2.bundle/rootfs"
    umoci repack --image "$2:latest" "$2.bundle" > /dev/null
    umoci config --image "$2:latest" --config.env PATH=/usr/local/bin:/usr/bin:/bin --config.cmd sh --config.label base=yes
    skopeo copy -q --dest-tls-verify=false "oci:$2:latest" "docker://127.0.0.1:$PORT/$(basename "$2"):latest"
}

start_registry() {
    PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: %s}}\nhttp: {addr: "127.0.0.1:%s"}\n' "$WORK/registry" "$PORT" > "$WORK/registry.yml"
    docker-registry serve "$WORK/registry.yml" > "$WORK/registry.log" 2>&1 &
    ATEXIT="kill $!"
    wait_for 10 bash -c "exec 3<>/dev/tcp/127.0.0.1/$PORT"
}

prepare() {
    umask 022
    start_registry
    make_busybox "$WORK/rootfs"; layout "$WORK/rootfs" "$WORK/base"
    make_busybox "$WORK/rootfs2"; echo 'other:x:7:' >> "$WORK/rootfs2/etc/group"; mkdir -m 700 "$WORK/rootfs2/home/other"; chown 7:7 "$WORK/rootfs2/home/other"
    layout "$WORK/rootfs2" "$WORK/other"
    cp -r "$CASES/context" "$WORK/context"
    mkdir -p "$WORK/tree/folder/deep"; echo x > "$WORK/tree/folder/deep/file"; echo y > "$WORK/tree/script"; chmod 750 "$WORK/tree/script"
    chmod 2770 "$WORK/tree/folder"; ln -s script "$WORK/tree/link"; ln "$WORK/tree/script" "$WORK/tree/hard"; chown -R 33:44 "$WORK/tree/folder"
    tar -C "$WORK/tree" -cf "$WORK/context/tree.tar" .
    tar -C "$WORK/tree" -czf "$WORK/context/tree.tar.gz" folder script
    chmod 644 "$WORK"/context/tree.tar*
    echo the-secret > "$WORK/secret"
}

options_of() { # NAME
    local text=
    [ ! -e "$CASES/$1.options" ] || text=$(cat "$CASES/$1.options")
    echo "--build-arg BASE=127.0.0.1:$PORT/base --build-arg OTHER=127.0.0.1:$PORT/other ${text//SECRET/$WORK/secret}"
}

build_with_pl() { # NAME
    local options; options=$(options_of "$1" | sed -E 's/--secret id=([a-z]+),src=/--secret \1=file:/')
    pl-build --file "$CASES/$1.Dockerfile" $options "$WORK/context" | pl-push-image --repo "127.0.0.1:$PORT/pl/$1" --tag t -o ref > /dev/null
    "$HERE/image_listing.py" "127.0.0.1:$PORT/pl/$1:t"
}

build_with_buildah() { # NAME
    local file=$CASES/$1.Dockerfile ignore=
    [ ! -e "$CASES/$1.buildah" ] || file=$CASES/$1.buildah
    [ ! -e "$CASES/$1.Dockerfile.dockerignore" ] || ignore="--ignorefile $CASES/$1.Dockerfile.dockerignore"
    local buildah=(buildah --root "$WORK/storage" --runroot "$WORK/run" --storage-driver vfs)
    cp -a "$WORK/context" context # what a RUN writes to a bind mount, buildah writes to the context
    "${buildah[@]}" bud --tls-verify=false --isolation chroot --format docker --tag "$1" $ignore -f "$file" $(options_of "$1") context > buildah.log 2>&1 || { cat buildah.log >&2; return 1; }
    "${buildah[@]}" push -q --tls-verify=false "$1" "docker://127.0.0.1:$PORT/buildah/$1:t" > buildah.log 2>&1 || { cat buildah.log >&2; return 1; }
    "$HERE/image_listing.py" "127.0.0.1:$PORT/buildah/$1:t"
}

compare() { # NAME
    local expected=$CASES/$1.difference
    build_with_buildah "$1" > buildah.txt
    build_with_pl "$1" > pl.txt
    [ -s pl.txt ]
    diff buildah.txt pl.txt | grep "^[<>]" > found || true
    if [ -e "$expected" ]; then sed 1d "$expected" | diff -u - found; else cat found; [ ! -s found ]; fi
}

prepare
for file in "$CASES"/*.Dockerfile; do
    name=$(basename "$file" .Dockerfile)
    eval "test_${name//-/_}() { compare $name; }"
done
run_tests
