# Sourced by the tests of Dockerfiles: a root file system of busybox, which is there at once.

# Two users, a directory that is not root's, and what a container needs; as a directory.
make_busybox() { # make_busybox DIRECTORY
    mkdir -p "$1"/{bin,dev,etc,proc,run,sys,tmp,root,home/app,opt,var/lib,usr/bin,usr/local/bin}
    touch "$1"/etc/{hostname,hosts,resolv.conf} # buildah leaves them behind where they are missing
    chmod 1777 "$1/tmp"; chmod 700 "$1/root"; chown 1000:1000 "$1/home/app"
    cp "$(command -v busybox)" "$1/bin/busybox"
    local name
    for name in cat chmod chown cp cut echo env false grep id ln ls mkdir mkfifo mv printf pwd rm sh sleep sort stat tee test touch true umask vi; do
        ln -s busybox "$1/bin/$name"
    done
    # One file with a capability, where this machine lets us set one.
    cp "$1/bin/busybox" "$1/bin/capable"; setcap cap_net_bind_service=+ep "$1/bin/capable"
    printf 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n' > "$1/etc/passwd"
    printf 'root:x:0:\napp:x:1000:\nstaff:x:50:app\n' > "$1/etc/group"
}

# The same as $WORK/busybox.tar, for FROM rootfs:...
busybox_archive() {
    umask 022
    make_busybox "$WORK/busybox"
    tar --xattrs --xattrs-include=security.capability -C "$WORK/busybox" -cf "$WORK/busybox.tar" .
    BASE=rootfs:$WORK/busybox.tar
}
