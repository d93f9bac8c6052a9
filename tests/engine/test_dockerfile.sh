#!/usr/bin/env bash
# pl-build for a Dockerfile, as a user meets it: messages with their line, what is built and what is found, secrets, the plan.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/dockerfile_lib.sh"
busybox_archive

# dockerfile [OPTIONS] < TEXT: $BASE in it is the base; what pl-build says is in ./said, the record in ./record
dockerfile() {
    mkdir -p context
    sed "s|\$BASE|$BASE|" > context/Dockerfile
    pl-build "$@" context > record 2> said || { local result=$?; cat said; return $result; }
}

# refused LINE TEXT < DOCKERFILE: it is refused at that line with that text; \n in it is a new line
refused() {
    sed 's/\\n/\n/g' > text
    status 65 dockerfile < text || { cat text; return 1; }
    contains "$(grep '^pl-build: ' said | tail -n 1)" "pl-build: context/Dockerfile:$1: $2"
}

test_what_is_not_understood_is_refused_by_line_and_name() {
    mkdir -p context; echo x > context/file
    refused 2 "the instruction ONBUILD is not supported" <<< 'FROM scratch\nONBUILD RUN x'
    refused 3 "the instruction FORM is not supported" <<< '\nFROM scratch\nFORM x'
    refused 2 "COPY --parents is not supported" <<< 'FROM scratch\nCOPY --parents file /'
    refused 2 "COPY --exclude is not supported" <<< 'FROM scratch\nCOPY --exclude=x file /'
    refused 2 "ADD --checksum is not supported" <<< 'FROM scratch\nADD --checksum=sha256:x file /'
    refused 2 "ADD --from is not supported" <<< 'FROM scratch\nADD --from=0 file /'
    refused 2 "ADD of a URL is not supported" <<< 'FROM scratch\nADD https://example.com/x /'
    refused 2 "ADD of a URL is not supported" <<< 'FROM scratch\nADD git@example.com:x.git /'
    refused 2 "RUN --security is not supported" <<< 'FROM scratch\nRUN --security=insecure true'
    refused 2 "--network=sandbox is not supported" <<< 'FROM scratch\nRUN --network=sandbox true'
    refused 2 "--mount=type=ssh is not supported" <<< 'FROM scratch\nRUN --mount=type=ssh true'
    refused 2 "--mount=type=cache needs a target" <<< 'FROM scratch\nRUN --mount=type=cache true'
    refused 2 "--mount=type=tmpfs does not know the option \"id\"" <<< 'FROM scratch\nRUN --mount=type=tmpfs,target=/x,id=y true'
    refused 2 "the secret key was not given" <<< 'FROM scratch\nRUN --mount=type=secret,id=key,required=true true'
    refused 2 "--chmod=u+x: only an octal mode" <<< 'FROM scratch\nCOPY --chmod=u+x file /'
    refused 2 "there is no missing" <<< 'FROM scratch\nCOPY missing /'
    refused 2 "there is no *.nothing" <<< 'FROM scratch\nCOPY *.nothing /'
    refused 2 "../file leaves the build context" <<< 'FROM scratch\nCOPY ../file /'
    refused 2 "there is no stage 7 before this one" <<< 'FROM scratch\nCOPY --from=7 /x /'
    refused 2 "the stage later does not come before this one" <<< 'FROM scratch\nCOPY --from=later /x /\nFROM scratch AS later\nFROM scratch\nCOPY --from=0 / /'
    refused 1 "COPY stands before the first FROM" <<< 'COPY file /\nFROM scratch'
    refused 1 "FROM takes an image" <<< 'FROM scratch as'
    refused 2 "FROM: the image's name is empty" <<< 'ARG NONE\nFROM $NONE'
    refused 2 "\"x\" is not NAME=value" <<< 'FROM scratch\nENV a=b x'
    refused 2 "\"\${a\" has no closing brace" <<< 'FROM scratch\nENV b=${a'
    refused 2 "a: must be set" <<< 'FROM scratch\nENV b="${a:?must be set}"'
    refused 2 "the here-document EOF has no end" <<< 'FROM scratch\nCOPY <<EOF /x\nno end'
    refused 2 "--interval=often is not understood" <<< 'FROM scratch\nHEALTHCHECK --interval=often CMD x'
    refused 2 "SHELL needs a JSON list" <<< 'FROM scratch\nSHELL /bin/sh'
    refused 2 "USER needs a value" <<< 'FROM scratch\nUSER'
    refused 2 "/etc/passwd of the image does not know" <<< 'FROM $BASE\nCOPY --chown=nobody-knows file /'
    refused 3 "/file is no directory in the image" <<< 'FROM $BASE\nCOPY file /\nCOPY file /file/below'
}

test_a_failing_step_has_its_line_and_its_last_words() {
    status 70 dockerfile << 'E'
FROM $BASE
RUN true
RUN echo this is \
    why >&2; exit 3
E
    contains "$(cat said)" "this is why"
    contains "$(tail -n 1 said)" 'pl-build: context/Dockerfile:3: RUN echo this is     why >&2; exit 3 failed with exit code 3'
    contains "$(cat record)" '"type":"error","stage":"pl-build","code":70'
    cd context
    status 70 pl-build > ../record 2> ../said
    contains "$(tail -n 1 ../said)" 'pl-build: Dockerfile:3: RUN'
}

test_in_github_actions_the_failure_is_an_annotation_at_its_line() {
    mkdir -p context/sub; printf 'FROM %s\nRUN true\nRUN exit 3\n' "$BASE" > context/sub/Dockerfile
    status 70 env GITHUB_ACTIONS=true GITHUB_WORKSPACE="$PWD" pl-build context/sub > record 2> said
    contains "$(cat said)" ",file=context/sub/Dockerfile,line=3"
    equal "$(grep -c '^::error' said)" 1
    printf 'FROM scratch\nNONSENSE\n' > context/sub/Dockerfile
    status 65 env GITHUB_ACTIONS=true GITHUB_WORKSPACE="$PWD" pl-build "$PWD/context/sub" > record 2> said
    contains "$(cat said)" ",file=context/sub/Dockerfile,line=2"
}

test_only_what_the_target_needs_is_built_and_stages_share_the_cache() {
    cat > text << 'E'
FROM $BASE AS common
RUN echo common > /common
FROM common AS one
RUN echo one > /one
FROM common AS two
RUN echo two > /two
FROM common AS broken
RUN exit 1
FROM $BASE
COPY --from=one /one /
COPY --from=two /two /
E
    dockerfile --target one < text
    contains "$(cat said)" "echo one"; lacks "$(cat said)" "echo two"; lacks "$(cat said)" "exit 1"
    dockerfile --target two < text
    contains "$(cat said)" "RUN echo common > /common: cached"; lacks "$(cat said)" "echo one"
    dockerfile < text
    contains "$(cat said)" "RUN echo one > /one: cached"; contains "$(cat said)" "RUN echo two > /two: cached"
    first=$(jq -r .digest record)
    dockerfile < text
    contains "$(cat said)" "5 steps found, 0 made"
    equal "$(jq -r .digest record)" "$first"
    status 64 dockerfile --target nothing < text
    contains "$(cat said)" 'context/Dockerfile has no stage "nothing"'
}

test_a_change_makes_only_what_depends_on_it_and_is_explained() {
    mkdir -p context/src; echo 1 > context/requirements; echo a > context/src/a
    cat > text << 'E'
FROM $BASE
WORKDIR /app
COPY requirements .
RUN cp requirements installed
COPY src src
CMD ["x"]
E
    dockerfile < text
    echo b > context/src/a
    dockerfile --explain < text
    contains "$(cat said)" "3 steps found, 1 made"
    contains "$(cat said)" "a changed"
    echo 2 > context/requirements
    dockerfile --explain < text
    contains "$(cat said)" "1 steps found, 3 made"
    contains "$(cat said)" "requirements changed"
    dockerfile --no-cache < text
    contains "$(cat said)" "0 steps found, 4 made"
}

test_a_secret_is_seen_by_its_step_and_stays_nowhere() {
    secret=s3cr3t-$RANDOM$RANDOM
    printf 'first\n%s\n' "$secret" > key
    cat > text << 'E'
FROM $BASE
RUN --mount=type=secret,id=key,required=true grep -c . /run/secrets/key > /lines; cat /run/secrets/key
RUN --mount=type=secret,id=env,env=TOKEN test "$TOKEN" = value-of-token
E
    TOKEN=value-of-token dockerfile --secret key=file:key --secret env=env:TOKEN < text
    lacks "$(cat said record)" "$secret"
    contains "$(cat said)" "***"
    ! grep -rlF "$secret" "$PL_STORE" "$HOME"
    # A secret is no part of what decides: with another value the same steps are found.
    echo other > key
    TOKEN=another dockerfile --secret key=file:key --secret env=env:TOKEN < text
    contains "$(cat said)" "2 steps found, 0 made"
}

test_a_build_argument_wins_and_one_that_is_unknown_is_said() {
    printf 'ARG B\nFROM $B\nARG NAME=default\nRUN echo "$NAME" > /name\nLABEL name=$NAME\n' |
        dockerfile --build-arg B="$BASE" --build-arg NAME=given --build-arg UNKNOWN=1
    contains "$(cat said)" "--build-arg UNKNOWN is not declared by any ARG"
    lacks "$(cat said)" "--build-arg NAME"
}

test_the_plan_runs_nothing() {
    printf 'FROM %s AS build\nRUN exit 1\nFROM scratch\nCOPY --from=build /x /\n' rootfs:/does/not/exist.tar | dockerfile --plan
    equal "$(cat record)" "   1  build       FROM rootfs:/does/not/exist.tar AS build
   2  build       RUN exit 1
   3              FROM scratch
   4              COPY --from=build /x /"
    [ -z "$(find "$PL_STORE/objects" -type f)" ]
}

test_dockerignore_beside_the_dockerfile_comes_first() {
    mkdir -p context; echo a > context/a; echo b > context/b
    echo a > context/.dockerignore; echo b > Other.dockerignore
    printf 'FROM scratch\nCOPY a b* /\n' > Other
    status 65 pl-build --file Other context > record 2> said
    contains "$(cat said)" "pl-build: Other:2: there is no b*"
    contains "$(cat said)" ".dockerignore"
    printf 'FROM scratch\nCOPY a /\n' > Other
    pl-build --file Other context
}

test_links_are_copied_as_they_are_and_never_followed_out_of_the_context() {
    mkdir -p context; ln -s /etc/hostname context/absolute; ln -s ../../outside context/up; ln -s loop context/loop; echo x > context/file
    printf 'FROM %s\nCOPY . /copied/\nRUN test "$(ls -l /copied | grep -c -e "absolute -> /etc/hostname" -e "up -> ../../outside")" = 2\n' "$BASE" | dockerfile
    refused 2 "there is no absolute" <<< 'FROM scratch\nCOPY absolute /'
    refused 2 "up is a symbolic link to ../../outside, outside of the build context" <<< 'FROM scratch\nCOPY up /'
    refused 2 "loop leads through too many symbolic links" <<< 'FROM scratch\nCOPY loop /'
}

test_archives_are_taken_apart_by_add_whatever_compressed_them() {
    mkdir -p context/tree; echo x > context/tree/file
    tar -C context/tree -cJf context/a.tar.xz file; tar -C context/tree -cjf context/b.tar.bz2 file
    tar -C context/tree -cf - file | zstd -q > context/c.tar.zst; tar -C context/tree -czf context/d.tgz file
    gzip -c context/tree/file > context/e.gz; : > context/empty.tar; printf 'BZh none' > context/f.bz2; tar --format=v7 -C context/tree -cf context/old file
    cat > text << 'E'
FROM $BASE
ADD a.tar.xz /a
ADD b.tar.bz2 /b
ADD c.tar.zst /c
ADD d.tgz /d
ADD old /old
ADD e.gz empty.tar f.bz2 /e/
RUN cat /a/file /b/file /c/file /d/file /old/file && test -f /e/e.gz && test -f /e/empty.tar && test -f /e/f.bz2
E
    dockerfile < text
}

test_a_base_with_triggers_is_refused() {
    store() { buildah --root "$PWD/storage" --runroot "$PWD/run" --storage-driver vfs "$@"; }
    name=$(store from scratch)
    store copy -q "$name" "$WORK/busybox" / > /dev/null
    store config --onbuild 'RUN touch /triggered' "$name"
    store commit -q --format docker "$name" "docker-archive:$PWD/triggers.tar:x:y" > /dev/null
    refused 1 "the base docker-archive:$PWD/triggers.tar has ONBUILD instructions, which are not supported: RUN touch /triggered" <<< "FROM docker-archive:$PWD/triggers.tar"
}

run_tests
