#!/usr/bin/env bash
# The context cases 56 to 71 of tests/hostile_inputs.txt: a build context, COPY, ADD, mounts and ignore files.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/dockerfile_lib.sh"
busybox_archive

# build [OPTIONS] < DOCKERFILE: the context is ./context; the record is in ./record, what is said in ./said
build() {
    mkdir -p context
    sed "s|\$BASE|$BASE|" > context/Dockerfile
    timeout 60 pl-build "$@" context > record 2> said || { local result=$?; cat said; return $result; }
}
# refused TEXT < DOCKERFILE: with 65, and nothing half-made is left
refused() {
    sed 's/\\n/\n/g' > text
    status 65 build < text || { cat text; return 1; }
    contains "$(cat said)" "$1"
    contains "$(cat record)" '"type":"error","stage":"pl-build","code":65'
    equal "$(ls "$PL_STORE/tmp" 2> /dev/null)" ""
}
# A file of the host that nothing may reach, and what it says.
canary() { mkdir -p canary; echo "alive-$$" > canary/f; }
untouched() { equal "$(ls canary)" f; equal "$(cat canary/f)" "alive-$$"; absent -rqs "alive-$$" "$PL_STORE"; }
inside() { pl-export --path "$1" --show "${2:-contents}" < record; }

test_context_56_COPY_of_a_path_above_the_context() {
    canary
    for path in ../canary/f ./../canary x/../../canary/f; do refused "$path leaves the build context" <<< "FROM scratch\nCOPY $path /"; done
    refused "there is no" <<< "FROM scratch\nCOPY $PWD/canary/f /"
    untouched
}

test_context_57_COPY_of_a_link_to_a_directory_of_the_host() {
    canary; mkdir context; ln -s "$PWD/canary" context/link; ln -s ../canary context/up
    refused "there is no link" <<< 'FROM scratch\nCOPY link/ /'
    refused "there is no link/f" <<< 'FROM scratch\nCOPY link/f /'
    refused "outside of the build context" <<< 'FROM scratch\nCOPY up /'
    build <<< "$(printf 'FROM scratch\nCOPY . /copied/')"
    equal "$(inside /copied entries | tr '\n' ' ')" "Dockerfile link up "
    untouched
}

# A directory and a file of the context become links to the host's, and again themselves, while it is read.
test_context_58_a_link_in_the_place_of_a_file_while_it_is_read() {
    canary; mkdir -p context/d; echo fine > context/d/f; ln -s "$PWD/canary" swap
    printf 'FROM scratch\nCOPY . /\n' > context/Dockerfile
    for i in $(seq 50); do echo "$i" > "context/d/g$i"; done
    python3 -c '
import ctypes, os
libc = ctypes.CDLL(None)
parent = os.getppid()
while os.getppid() == parent:
    for _ in range(1000): libc.renameat2(-100, b"context/d", -100, b"swap", 2)' & swapper=$!
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        echo "$RANDOM" > "context/e$_"
        got=0; timeout 60 pl-build context > record 2> said || got=$?
        case $got in 0 | 65) ;; *) fail "$got: $(cat said)" ;; esac
        absent -rqs "alive-$$" "$PL_STORE"
    done
    kill $swapper; wait $swapper || true
    # A link that is none any more when it is read.
    mkdir other; ln -s Dockerfile other/d; cp context/Dockerfile other
    code=0; strace -o trace -e trace=readlinkat -e inject=readlinkat:error=EINVAL pl-build other > record 2> said || code=$?
    equal "$code" 65; contains "$(cat said)" "d changed while it was read"
    equal "$(cat canary/f 2> /dev/null || cat context/d/f)" "alive-$$"
}

test_context_59_patterns_of_an_ignore_file_that_are_none() {
    mkdir context; echo x > context/x
    ignore() { printf "$1" > context/.dockerignore; }
    file='FROM scratch\nCOPY . /'
    for pattern in '[' '\\' '**[' 'a/[b' 'a\\'; do ignore "x\n$pattern\n"; refused ".dockerignore:2: the pattern" <<< "$file"; done
    ignore "$(head -c 65536 /dev/zero | tr '\0' a)\n"; refused ".dockerignore:1: a pattern is longer than 4096 bytes" <<< "$file"
    seq 100000 > context/.dockerignore; build <<< "$(printf "$file")"
    { seq 300000; } > context/.dockerignore; refused ".dockerignore" <<< "$file"
    # Bytes that are no text, both line endings, and a byte order mark.
    echo gone > context/$'\xff\xfe'; echo gone > context/crlf; echo gone > context/bom
    ignore '\xef\xbb\xbfbom\r\n\xff\xfe\r\ncrlf\r\n'; build <<< "$(printf "$file")"
    equal "$(inside / entries | tr '\n' ' ')" ".dockerignore Dockerfile x "
}

test_context_60_patterns_that_could_take_forever() {
    mkdir -p context/d; (cd context/d; printf 'a%.0s' $(seq 100) > name; for i in $(seq 200); do : > "$(cat name)$i"; done; rm name)
    { for i in $(seq 30); do echo '**/*a*a*a*a*a*a*a*a*a*a*b'; echo '**/**/**/**/**/**/**/**/x'; echo "$(printf '*/%.0s' $(seq 50))b"; done; } > context/.dockerignore
    build <<< "$(printf 'FROM scratch\nCOPY d /d')"
    equal "$(inside /d entries | wc -l)" 200
}

test_context_61_what_is_taken_in_again_below_an_ignored_directory() {
    mkdir -p context/docs/api/deep context/other; for f in docs/a docs/README docs/api/x docs/api/deep/y other/z; do echo x > "context/$f"; done
    printf 'docs\n!docs/README\n!docs/api/deep\nDockerfile\n.dockerignore\nother/\n!other/z\nother/z\n' > context/.dockerignore
    build <<< "$(printf 'FROM scratch\nCOPY . /')"
    equal "$(inside / entries | grep -v '/$' | tr '\n' ' ')" "docs/README docs/api/deep/y "
}

test_context_62_a_Dockerfile_or_ignore_file_that_is_a_link_out_of_the_context() {
    canary; mkdir context; printf 'FROM scratch\nCOPY x /\n' > canary/f; echo x > context/x
    ln -s ../canary/f context/Dockerfile
    status 65 pl-build context > record 2> said; contains "$(cat said)" "Dockerfile is a symbolic link out of the build context"
    ln -s canary/f away; pl-build -q --file away context > record
    rm context/Dockerfile; cp canary/f context/Dockerfile
    for name in .dockerignore Dockerfile.dockerignore; do
        ln -s ../canary/f context/$name
        status 65 pl-build context > record 2> said; contains "$(cat said)" "$name is a symbolic link out of the build context"
        rm context/$name
    done
    pl-build -q context > record
}

test_context_63_what_is_no_file() {
    mkdir context; mkfifo context/pipe
    refused "pipe is neither a file nor a directory nor a link" <<< 'FROM scratch\nCOPY . /'
    refused "pipe is neither a file nor a directory nor a link" <<< 'FROM scratch\nADD pipe /'
    rm context/pipe; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("context/socket")'
    refused "socket is neither a file" <<< 'FROM scratch\nCOPY . /'
    rm context/socket
    if [ "$(id -u)" = 0 ] && mknod context/zero c 1 5; then refused "zero is neither a file" <<< 'FROM scratch\nCOPY . /'; rm context/zero; fi
    for name in Dockerfile .dockerignore; do
        printf 'FROM scratch\nCOPY . /\n' > context/Dockerfile; rm -f "context/$name"; mkfifo "context/$name"
        status 65 timeout 20 pl-build context > record 2> said; contains "$(cat said)" "$name"
        rm "context/$name"
    done
}

# Each read takes some time, and the file grows or shrinks meanwhile; the long form: test_bad_input.sh.
test_context_64_a_file_that_grows_or_shrinks_while_it_is_read() {
    mkdir context; printf 'FROM scratch\nCOPY big /\n' > context/Dockerfile
    for change in 'echo x >> context/big' 'truncate -s $((RANDOM * 50 + 1000000)) context/big'; do
        head -c 3000000 /dev/zero > context/big
        (while :; do eval "$change"; done) & writer=$!
        # One read of the file takes a second and a half, in which it changes, however busy the machine is.
        code=0; strace -o trace -P "$PWD/context/big" -e trace=read -e inject=read:delay_exit=1500000:when=2 pl-build context > record 2> said || code=$?
        equal "$code" 65
        kill $writer; wait $writer || true
        contains "$(cat said)" "big changed while it was read"
        rm -rf "$PL_STORE"
    done
}

test_context_65_files_that_hold_credentials() {
    mkdir -p context/.docker
    key='{"type": "service_account", "private_key": "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"}'
    check() { # check FILE CONTENT
        printf '%s\n' "$2" > "context/$1"
        refused "credentials would get into the image: $1" <<< 'FROM scratch\nCOPY . /'
        contains "$(cat said)" "--allow-file $1"
        rm "context/$1"
    }
    check gha-creds-0123456789abcdef.json '{"type": "external_account"}'
    check my-service-account-1.json "$key"
    check .docker/config.json '{"auths": {"https://index.docker.io/v1/": {"auth": "bWU6c2VjcmV0"}}}'
    check .npmrc '//registry.npmjs.org/:_authToken=npm_0123456789'
    check .env 'PASSWORD=x'
}

test_context_66_ADD_of_an_archive_with_dots() {
    canary; mkdir context
    python3 -c '
import io, tarfile
for name, entry, target in (("a", "../canary/new", ""), ("b", "x/../../../canary/new", ""), ("c", "l", "../canary"), ("d", "h", "../canary/f")):
    with tarfile.open(f"context/{name}.tar", "w") as out:
        info = tarfile.TarInfo(entry); info.linkname = target
        if target: info.type = tarfile.SYMTYPE if name == "c" else tarfile.LNKTYPE
        out.addfile(info)
        if name == "c": info = tarfile.TarInfo("l/new"); info.size = 1; out.addfile(info, io.BytesIO(b"x"))'
    refused "a.tar: the entry \"../canary/new\" leaves the archive's root" <<< 'FROM scratch\nADD a.tar /'
    refused "leaves the archive's root" <<< 'FROM scratch\nADD b.tar /'
    refused "leaves the archive's root" <<< 'FROM scratch\nADD d.tar /'
    build <<< "$(printf 'FROM scratch\nADD c.tar /in/')"
    equal "$(inside /in entries | tr '\n' ' ')" "canary/ canary/new l "
    untouched
}

test_context_67_COPY_from_a_stage_through_a_link() {
    canary
    build << E
FROM \$BASE AS one
RUN ln -s $PWD/canary /link && ln -s ../../../.. /up && ln -s loop /loop && mkdir -p $PWD/canary && echo inside > $PWD/canary/f
FROM scratch
COPY --from=one /link/f /copied
COPY --from=one /up/etc/passwd /passwd
E
    equal "$(inside /copied)" inside; contains "$(inside /passwd)" app:x:1000
    refused "/loop leads through too many symbolic links" <<< 'FROM $BASE AS one\nRUN ln -s loop /loop\nFROM scratch\nCOPY --from=one /loop /x'
    refused "does not exist in the container" <<< "FROM \$BASE AS one\nRUN ln -s $PWD/canary /link\nFROM scratch\nCOPY --from=one /link/f /x"
    untouched
}

test_context_68_WORKDIR_and_VOLUME_that_are_links() {
    canary
    build << E
FROM \$BASE
RUN ln -s / /root-link && ln -s $PWD/canary /out && ln -s ../../../../../.. /up
WORKDIR /out/deep
RUN echo one > here
WORKDIR /root-link
RUN echo two > at-root
WORKDIR /up/up
VOLUME /out
RUN echo three > three; ls /out > /listed
E
    equal "$(inside "$PWD/canary/deep/here")$(inside /at-root)" "onetwo"
    equal "$(inside /listed)" deep
    untouched
}

test_context_69_RUN_with_a_mount_of_a_link() {
    canary; mkdir -p context/d; ln -s "$PWD/canary" context/link; ln -s / context/d/up; echo ours > context/d/f
    run() { printf 'FROM $BASE AS one\nRUN ln -s %s /link; ln -s / /slash\nFROM $BASE\nRUN --mount=type=bind,%s %s\n' "$PWD/canary" "$1" "$2"; }
    for options in source=link source=link,rw source=d/up,rw source=./link; do
        refused "the source of the mount at /m is a symbolic link" <<< "$(run "$options,target=/m" 'echo new > /m/new; cat /m/f')"
    done
    refused "does not exist" <<< "$(run source=link/f,target=/m true)"
    refused "does not exist" <<< "$(run from=one,source=/link,target=/m true)"
    # Inside of the mount a link leads to the container's own; of a stage it is the stage's.
    build <<< "$(run source=d,target=/m 'test -e /m/up/bin/sh && test ! -e "/m/up'"$PWD"'/canary"')"
    build <<< "$(run from=one,source=/slash,target=/m 'test -L /m/link && test -e /m/bin/sh')"
    for target in /proc /proc/self/attr /sys/kernel; do
        got=0; build <<< "$(run "source=d,target=$target" true)" > /dev/null || got=$?
        case $got in 65 | 70) ;; *) fail "$target: $got" ;; esac
        grep -q -e "nothing is mounted at $target" -e "$target" said
    done
    # What is written to it is nowhere afterwards.
    build <<< "$(run source=d,target=/m,rw 'echo new > /m/new; echo changed > /m/f')"
    equal "$(ls context/d | tr '\n' ' ')$(cat context/d/f)" "f up ours"
    untouched
}

test_context_70_the_id_of_a_cache_that_is_a_path() {
    canary
    for id in ../../x "$PWD/canary" ../../../../../../../../../etc; do
        build <<< "$(printf 'FROM $BASE\nRUN --mount=type=cache,id=%s,target=/c ls -A /c > /listed; echo new > /c/new' "$id")"
        equal "$(inside /listed)" ""
    done
    equal "$(find "$PL_STORE/mounts" -mindepth 1 -maxdepth 1 -regextype egrep ! -regex ".*/[0-9a-f]{16}" | head -3)" ""
    equal "$(find "$PL_STORE/mounts" -mindepth 1 -maxdepth 1 | wc -l)" 3
    untouched
}

# One stage puts links into a cache while the others write through it and mount below it.
test_context_71_stages_that_race_for_a_cache() {
    canary
    for round in 1 2; do
        build --no-cache << E
FROM \$BASE AS one
RUN --mount=type=cache,id=shared,target=/c rm -rf /c/d; ln -s $PWD/canary /c/d; for i in 1 2 3 4 5 6 7 8 9; do mv /c/d /c/e; mv /c/e /c/d; done; ls -la /c
FROM \$BASE AS two
RUN --mount=type=cache,id=shared,target=/c mkdir -p /c/d; echo new > /c/d/new; true
FROM \$BASE AS three
RUN --mount=type=cache,id=shared,target=/c,mode=0777,uid=1000 --mount=type=tmpfs,target=/c/d echo new > /c/d/new
FROM scratch
COPY --from=one /etc/passwd /1
COPY --from=two /etc/passwd /2
COPY --from=three /etc/passwd /3
E
        equal "$(ls canary)$(cat canary/f)" "falive-$$"
    done
}

run_tests
