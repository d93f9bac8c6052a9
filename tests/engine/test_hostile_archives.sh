#!/usr/bin/env bash
# Every hostile archive of tests/hostile_inputs.txt (unpack 01 to 55) by every door by which an archive comes in.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/chain_lib.sh"

# The archives are the unit tests' own.
export CANARY=$WORK/canary
mkdir -m 700 "$CANARY" "$WORK/archives"; echo alive > "$CANARY/f"
for part in names content; do "$OUT/test/unit/test_unpack_$part" --write "$WORK/archives" "$CANARY"; done > "$WORK/archives/table"

door() { python3 "$FOLDER/hostile_doors.py" "$1" "$WORK/archives"; }

test_layers_of_an_image() { door layer; }
test_root_file_systems_and_their_export() { door rootfs; }
test_docker_archives() { door docker_archive; }
test_archives_that_ADD_takes_apart() { door add; }

image() { python3 "$FOLDER/oci_layout.py" "$@"; } # image DIR [--diff-id HEX] LAYER...
files() { pl-from "oci:$1" | pl-export --path / --show entries | tr '\n' ' '; }

test_unpack_13_a_link_of_the_layer_below_in_the_merged_view() {
    image view "$WORK/archives/13-a-link-in-one-layer-and-a-file-through-it-in-the-next."{1,2}.tar
    equal "$(files view)" "x/ x/f "
    equal "$(pl-from oci:view | pl-export --path /x/f --show contents)" inside
}

test_unpack_25_an_opaque_mark_at_the_root_in_the_merged_view() {
    mkdir one two; echo a > one/a; mkdir one/d; echo x > one/d/x; tar -cf one.tar -C one a d
    mkdir two/d two/bin; cp /bin/busybox two/bin/; ln -s busybox two/bin/ls; echo y > two/d/y; : > two/.wh..wh..opq
    tar -cf two.tar -C two d bin .wh..wh..opq
    image view one.tar two.tar
    equal "$(files view)" "bin/ bin/busybox bin/ls d/ d/y "
    # A command sees the same.
    pl-from oci:view | pl-with exec -- /bin/ls /d 2> log | pl-export --show stdout > seen
    equal "$(cat seen)" y
    pl-from oci:view | pl-with exec -- /bin/ls / 2> log | pl-export --show stdout > seen
    absent -x a seen
}

test_unpack_53_a_layer_that_is_another_than_the_config_says() {
    echo x > f; tar -cf f.tar f
    image view --diff-id "$(printf %064d 5)" f.tar
    pl-from oci:view > record
    refused 76 "a layer unpacks to sha256:$(sha256sum < f.tar | cut -c 1-64) instead of sha256:$(printf %064d 5)" "" \
        pl-export --path / --show entries < record
    equal "$(find "$PL_STORE/trees" "$PL_STORE/tmp" -mindepth 1 | head -3)" ""
    pl-cache verify > /dev/null
}

# What is legal: hard links, chains of links, owners, modes and whiteouts of real directories, as umoci unpacks them.
test_unpack_55_a_legal_image_is_what_umoci_makes_of_it() {
    [ "$(id -u)" = 0 ] || skip "owners need root"
    mkdir -p one/usr/bin one/opt two/usr/share
    ln -s usr/bin one/bin; ln -s ../bin one/usr/sbin; ln -s ../usr/sbin/../bin one/opt/bin; ln -s /opt/bin one/abs
    mkdir one/opt/zoneinfo; echo x > one/opt/zoneinfo/UTC; cp -a /usr/share/perl5 one/opt/; cp -a /etc/alternatives /etc/ssl one/usr/
    cp /bin/true one/usr/bin/su; chmod 4755 one/usr/bin/su; chown 7:8 one/usr/bin/su; ln one/usr/bin/su one/opt/su
    mkfifo -m 640 one/opt/fifo; mkdir -m 1777 one/tmp; mkdir -m 500 one/opt/closed; echo x > one/opt/closed/f
    : > two/.wh.tmp; mkdir -p two/opt/ssl two/usr/ssl; : > two/usr/ssl/.wh..wh..opq; echo new > two/usr/ssl/openssl.cnf
    : > two/opt/.wh.zoneinfo; echo over > two/abs; cp -a /usr/share/terminfo two/usr/share/ 2> /dev/null || cp -a /lib/terminfo two/usr/share/
    for part in one two; do tar --xattrs --format=posix -C $part -cf $part.tar $(ls -A $part); done
    image view one.tar two.tar
    umoci raw unpack --image view:x theirs > umoci.log 2>&1 || { cat umoci.log; return 1; }
    listing() { (cd "$1" && find . -mindepth 1 -printf '%P %y %m %U:%G %l\n' | sort; find . -type f -print0 | sort -z | xargs -0 sha256sum; find . -type f -links +1 -printf '%P %n\n' | sort); }
    listing theirs > theirs.list
    # Ours as a container sees it: an overlay of our layers, in a mount namespace of its own.
    pl-from oci:view | pl-with exec --expect any -- /none > /dev/null 2>&1 || true
    lowers=$(for part in two one; do digest=$(sha256sum < $part.tar | cut -c 1-64); echo "$PL_STORE/trees/$digest-root/tree"; done | paste -sd:)
    mkdir ours
    export -f listing
    unshare --mount bash -c 'mount -t overlay overlay -o "lowerdir=$1" ours && listing ours > ours.list' x "$lowers"
    [ "$(wc -l < ours.list)" -gt 500 ]
    diff theirs.list ours.list
}

run_tests
