#!/usr/bin/env python3
"""Runs a command as Docker runs one by default: root with 14 capabilities, and a filter for system calls.

    as_in_docker.py [--as USER] COMMAND...

What Docker refuses to a container without CAP_SYS_ADMIN is refused here: new namespaces, mounts, entering namespaces.
See https://docs.docker.com/engine/security/seccomp/ and moby's profiles/seccomp/default.json.
"""
import ctypes
import errno
import os
import sys

ALLOW, ERRNO, MASKED_EQ = 0x7FFF0000, 0x00050000, 7
NEW_NAMESPACES = [0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000]
KEPT = ("chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,net_raw,sys_chroot,mknod,"
        "audit_write,setfcap")


class Argument(ctypes.Structure):
    _fields_ = [("index", ctypes.c_uint), ("operator", ctypes.c_int), ("mask", ctypes.c_uint64),
                ("value", ctypes.c_uint64)]


def main():
    library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
    library.seccomp_init.restype = ctypes.c_void_p
    library.seccomp_init.argtypes = [ctypes.c_uint32]
    library.seccomp_load.argtypes = [ctypes.c_void_p]
    library.seccomp_rule_add_array.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint,
                                               ctypes.POINTER(Argument)]
    context = library.seccomp_init(ALLOW)

    def refuse(name, number, arguments=()):
        array = (Argument * len(arguments))(*arguments)
        call = library.seccomp_syscall_resolve_name(name.encode())
        if library.seccomp_rule_add_array(context, ERRNO | number, call, len(arguments), array) != 0:
            sys.exit(f"cannot refuse {name}")

    for name in ("unshare", "mount", "umount2", "setns", "pivot_root", "fsopen", "fsmount", "move_mount", "open_tree",
                 "mount_setattr"):
        refuse(name, errno.EPERM)
    for flag in NEW_NAMESPACES:
        refuse("clone", errno.EPERM, [Argument(0, MASKED_EQ, flag, flag)])
    refuse("clone3", errno.ENOSYS)
    if library.seccomp_load(context) != 0:
        sys.exit("cannot load the filter; is this root?")
    words, user = sys.argv[1:], []
    if words[0] == "--as":
        user = ["--reuid", words[1], "--regid", words[1], "--init-groups"]
        words = words[2:]
    keep = ",".join("+" + name for name in KEPT.split(","))
    os.execvp("setpriv", ["setpriv", *user, "--bounding-set=-all," + keep, "--inh-caps=-all", *words])


main()
