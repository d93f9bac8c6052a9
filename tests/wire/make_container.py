#!/usr/bin/env python3
"""Puts a small image into a store as pl-build leaves one (common/store/store.h), and prints its record.

    make_container.py STORE [NAME [LAYER-BYTES [SEED [BASE-ORIGIN]]]]

The image has one layer of its own; with BASE-ORIGIN also a layer below it that only that registry has (a note without
the blob), whose compressed bytes are written to STORE/base-layer for a test's server to give out. BASE_NAME in the
environment is its label for the base."""
import gzip, hashlib, io, json, os, random, sys, tarfile

store = sys.argv[1]
name = sys.argv[2] if len(sys.argv) > 2 else "shop"
size = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
seed = sys.argv[4] if len(sys.argv) > 4 else "1"
origin = sys.argv[5] if len(sys.argv) > 5 else None


def sha(data):
    return hashlib.sha256(data).hexdigest()


def put(data):
    hexed = sha(data)
    path = f"{store}/objects/{hexed[:2]}/{hexed[2:]}"
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    if not os.path.exists(path):
        with open(path, "wb") as file:
            file.write(data)
        os.chmod(path, 0o400)
    return hexed


def write_name(kind, key, value):
    os.makedirs(f"{store}/names/{kind}", mode=0o700, exist_ok=True)
    with open(f"{store}/names/{kind}/{key}", "w") as file:
        json.dump(value, file)


def layer(path, content):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        entry = tarfile.TarInfo(path)
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    return out.getvalue(), gzip.compress(out.getvalue(), 1, mtime=0)


def note(plain, packed, origin):
    value = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "sha256:" + sha(packed),
             "size": len(packed)}
    if origin:
        value["origin"] = origin
    write_name("layers", sha(plain), {"blob": value})


os.makedirs(store, mode=0o700, exist_ok=True)
diff_ids = []
if origin:
    plain, packed = layer("etc/base", random.Random(7).randbytes(200000))
    note(plain, packed, origin)
    with open(f"{store}/base-layer", "wb") as file:
        file.write(packed)
    diff_ids.append("sha256:" + sha(plain))
plain, packed = layer("app/data", random.Random(seed).randbytes(size))
put(packed)
note(plain, packed, None)
diff_ids.append("sha256:" + sha(plain))
config = json.dumps({"architecture": "amd64", "config": {"Cmd": ["/app"], "Labels": {
    "org.opencontainers.image.title": name, "other": "x",
    **({"org.opencontainers.image.base.name": os.environ["BASE_NAME"]} if "BASE_NAME" in os.environ else {})}}, "os": "linux",
    "rootfs": {"diff_ids": diff_ids, "type": "layers"}}, sort_keys=True, separators=(",", ":")).encode()
digest = "sha256:" + put(config)
print(json.dumps({"pl": 1, "type": "container", "ref": "container:" + digest, "digest": digest, "name": name,
                  "platform": "linux/amd64", "colour": "blue", "from": ["directory:sha256:" + "0" * 64],
                  "set": "abcdef", "seq": 1, "of": 1}, separators=(",", ":")))
