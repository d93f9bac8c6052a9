#!/usr/bin/env bash
# pl-export: what is taken out of a chain, how a directory of the disk is replaced, and what is never touched.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/chain_lib.sh"

site() { # site DIR
    mkdir -p "$1/sub"; echo a > "$1/a"; echo b > "$1/sub/b"; chmod +x "$1/sub/b"; ln -s a "$1/l"
}

test_a_directory_is_replaced_as_a_whole() {
    site src; pl-from ./src > record
    pl-export ./out/deep < record > again
    diff -r --no-dereference src out/deep; [ -x out/deep/sub/b ]
    equal "$(ref < again)" "$(ref < record)"
    # An earlier export is replaced: what was put in there since goes.
    echo mine > out/deep/mine; echo 2 > src/a; pl-from ./src | pl-export out/deep/ > /dev/null
    diff -r --no-dereference src out/deep
    equal "$(find out -name '.pl-export*')" ""
    # Anything else is not.
    mkdir other; echo mine > other/mine; ln -s other link; echo > file
    refused 65 "other holds what pl-export has not written" "--merge, or replace all of it with --force" pl-export other < record
    refused 65 "link is a symbolic link" "export to another place" pl-export --force link < record
    refused 65 "file is a file, not a directory" "" pl-export --force file < record
    refused 64 "is not replaced: the current directory" "a directory of its own" pl-export --force . < record
    refused 64 "is not replaced" "" pl-export --force .. < record
    refused 64 "is not replaced" "" pl-export --force "$HOME" < record
    refused 64 "is not replaced" "" pl-export --force "$PL_STORE/objects/.." < record
    refused 64 "/ is no place" "" pl-export --force / < record
    equal "$(cat other/mine)" mine
    # A directory that took the place of an export by hand is no export.
    rm -r out/deep; mkdir out/deep; echo mine > out/deep/mine
    refused 65 "holds what pl-export has not written" "" pl-export out/deep < record
    pl-export --force out/deep < record > /dev/null; [ ! -e out/deep/mine ]
}

test_a_directory_is_laid_over_what_is_there() {
    site src; pl-from ./src > record
    mkdir -p out outside; echo mine > out/mine; ln -s ../outside/target out/a
    pl-export --merge out < record > /dev/null
    equal "$(cat out/mine out/a out/sub/b | tr '\n' ' ')" "mine a b "
    [ ! -L out/a ]; [ ! -e outside/target ]
    # A link to another place is not gone through.
    rm -r out/sub; ln -s ../outside out/sub
    refused 65 "sub is there, and is no directory" "without --merge" pl-export --merge out < record
    equal "$(ls outside)" ""
    refused 64 "exclude each other" "" pl-export --merge --force out < record
    SOURCE_DATE_EPOCH=86400 pl-export dated < record > /dev/null; equal "$(stat -c %Y dated/a)" 86400
    pl-from ./src | pl-with timestamps 172800 | pl-export dated > /dev/null; equal "$(stat -c %Y dated/a)" 172800
}

test_files_and_what_lies_in_a_container() {
    mkdir src; site src/www; echo x > file; chmod +x file
    pl-from "$(root)" | pl-with workdir /app | pl-with directory ./src /app | pl-with file file /usr/bin/tool |
        pl-with exec --expect 3 --shell 'echo out; echo err >&2; exit 3' 2> /dev/null | pl-with env A=1 > record
    pl-export --path www ./www < record > /dev/null; diff -r --no-dereference src/www www
    equal "$(pl-export --path /app/www < record | ref)" "$(pl-from ./src/www | ref)"
    pl-export --path /usr/bin/tool ./ < record > /dev/null; [ -x tool ]; cmp tool file
    pl-export --path /usr/bin/tool renamed < record | jq -e '.type == "file" and .executable' > /dev/null; cmp renamed file
    equal "$(pl-export --path /app/www/sub < record | pl-export --path b --show contents)" b
    equal "$(pl-export --path www --show entries < record | tr '\n' ' ')" "a l sub/ sub/b "
    equal "$(pl-export --path www --show tree < record | tr '\n' '|')" "a  2|l -> a|sub/|  b  2|"
    equal "$(pl-export --path www --show size < record)" 4
    equal "$(pl-export --path www --show inspect < record | jq -c '.[-1] | [.path, .mode, .size]')" '["sub/b","0755",2]'
    equal "$(pl-export --show stdout < record) $(pl-export --show stderr < record) $(pl-export --show exit-code < record)" "out err 3"
    equal "$(pl-export --show digest < record)" "$(jq -r .digest record)"
    equal "$(pl-export --show inspect < record | jq -c .config.WorkingDir)" '"/app"'
    refused 65 "no command has been run" "pl-with exec -- COMMAND" pl-export --show stdout < <(pl-from "$(root)")
    refused 65 "does not exist in the container" "" pl-export --path /nowhere < record
    refused 64 "leaves the root" "" pl-export --path ../../x < record
    refused 64 "a container is no directory" "--path /PATH" pl-export out < record
    refused 64 "nothing to do" "for example" pl-export < record
    refused 66 "nothing arrived" "" pl-export out < /dev/null
    rm file; pl-export --path /app/www < record | ref > kept
    pl-with directory "$(cat kept)" /copy < record | pl-export --path /copy --show entries > entries; grep -q sub/b entries
}

test_images() {
    pl-from "$(root)" | pl-with new-file /x text | pl-with annotation org.example.a=1 | pl-with name shop > record
    pl-export --oci lay --docker-archive shop.tar < record > /dev/null
    pl-with label second=1 < record | pl-export --oci lay --tag two:2 > /dev/null
    equal "$(jq -c '[.manifests[].annotations[]]' lay/index.json)" '["shop","two:2"]'
    equal "$(skopeo inspect --raw oci:lay:shop | jq -c .annotations)" '{"org.example.a":"1"}'
    equal "$(skopeo inspect --config oci:lay:two:2 | jq -r .config.Labels.second)" 1
    skopeo copy -q docker-archive:shop.tar oci:other:x
    equal "$(skopeo inspect --config oci:other:x | sha256sum | cut -c 1-64)" "$(skopeo inspect --config docker-archive:shop.tar | sha256sum | cut -c 1-64)"
    # Back again it is the same container.
    for source in oci:lay:shop docker-archive:shop.tar; do equal "$(pl-from "$source" | ref)" "$(ref < record)"; done
    mkdir full; echo > full/x
    refused 65 "holds something else than an OCI layout" "" pl-export --oci full < record
    refused 65 "only a container is an image" "" pl-export --oci lay < <(pl-from ./full)
    refused 64 "cannot be the name" "" pl-export --oci lay --tag 'a b' < record
    mkdir bin; PATH="$PWD/bin:$OUT/bin:/usr/bin:/bin"
    printf '#!/bin/sh\n[ "$1 $2" = "load --input" ] && tar -xOf "$3" manifest.json > %s/loaded\n' "$PWD" > bin/docker; chmod +x bin/docker
    pl-export --load docker --tag shop:1 < record > /dev/null
    equal "$(jq -c '.[0].RepoTags' loaded)" '["shop:1"]'
}

run_tests
