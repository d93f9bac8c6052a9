#!/usr/bin/env python3
"""Puts the directory argv[2] into the store argv[1], as pl-build does with a site, and prints its record."""
import hashlib, json, os, sys

store, root = sys.argv[1], sys.argv[2]


def put(data):
    name = hashlib.sha256(data).hexdigest()
    path = f"{store}/objects/{name[:2]}/{name[2:]}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not os.path.exists(path):
        with open(path, "wb") as file:
            file.write(data)
    return name


def escape(name):
    return "".join("%%%02X" % b if b <= 0x20 or b in b"%\x7f" else chr(b) for b in os.fsencode(name))


def lines(folder):
    for entry in os.scandir(os.path.join(root, folder)):
        path = os.path.join(folder, entry.name)
        if entry.is_symlink():
            yield path, f"l - {escape(os.readlink(entry.path))}"
        elif entry.is_dir():
            yield path, "d - -"
            yield from lines(path)
        else:
            with open(entry.path, "rb") as file:
                data = file.read()
            yield path, f"f {put(data)} {len(data)}"


text = "".join(f"{rest} {escape(path)}\n" for path, rest in sorted(lines(""), key=lambda l: os.fsencode(l[0])))
digest = put(text.encode("latin-1"))
print(json.dumps({"pl": 1, "type": "directory", "ref": f"directory:sha256:{digest}", "name": os.path.basename(root), "source": os.path.abspath(root),
                  "set": "abc123", "seq": 1, "of": 1}))
