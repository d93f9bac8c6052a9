#!/usr/bin/env python3
"""What an image in a registry on loopback is, in a form that can be compared: its config and its files, layers applied.

    image_listing.py HOST/REPOSITORY@DIGEST|HOST/REPOSITORY:TAG [CONFIG-NAME]

With a name, the value of that part of the config alone, as JSON.

Times are left out, and so are the config's history and layers: two builders never agree on those.
"""
import gzip
import hashlib
import io
import json
import stat
import sys
import tarfile
import urllib.request

KEPT = ["User", "ExposedPorts", "Env", "Entrypoint", "Cmd", "Volumes", "WorkingDir", "Labels", "StopSignal", "Shell", "Healthcheck"]
TYPES = ", ".join(["application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json"])


def get(url):
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": TYPES})) as reply:
        return reply.read()


def remove(files, path):
    for name in [name for name in files if name == path or name.startswith(path + "/")]:
        del files[name]


def apply_layer(files, blob):
    data = gzip.decompress(blob) if blob[:2] == b"\x1f\x8b" else blob
    archive = tarfile.open(fileobj=io.BytesIO(data))
    own = set()
    for entry in archive:
        path = entry.name.removeprefix("./").strip("/")
        folder, _, name = path.rpartition("/")
        if name == ".wh..wh..opq":
            for below in [p for p in files if p.startswith(folder + "/") and p not in own]:
                del files[below]
            continue
        if name.startswith(".wh."):
            remove(files, (folder + "/" if folder else "") + name[4:])
            continue
        if path in ("", "."):
            continue
        if not entry.isdir():
            remove(files, path)
        elif path in files and files[path]["type"] != "d":
            remove(files, path)
        own.add(path)
        if entry.islnk():
            files[path] = files[entry.linkname.removeprefix("./").strip("/")]
            continue
        files[path] = {
            "type": "d" if entry.isdir() else "l" if entry.issym() else "p" if entry.isfifo() else "f" if entry.isfile() else "?",
            "mode": f"{stat.S_IMODE(entry.mode):04o}" if not entry.issym() else "-",
            "owner": f"{entry.uid}:{entry.gid}",
            "capability": entry.pax_headers.get("SCHILY.xattr.security.capability", "").encode("utf-8", "surrogateescape").hex(),
            "content": entry.linkname if entry.issym() else hashlib.sha256(archive.extractfile(entry).read()).hexdigest()[:12] if entry.isfile() else "-",
        }


def main():
    host, _, name = sys.argv[1].partition("/")
    separator = "@" if "@" in name else ":"
    repository, _, tag = name.rpartition(separator)
    base = f"http://{host}/v2/{repository}"
    manifest = json.loads(get(f"{base}/manifests/{tag}"))
    config = json.loads(get(f"{base}/blobs/{manifest['config']['digest']}")).get("config", {})
    config.get("Labels", {}) and config["Labels"].pop("io.buildah.version", None)
    config.get("Env", []).sort()
    if len(sys.argv) > 2:
        print(json.dumps(config.get(sys.argv[2]), sort_keys=True))
        return
    for key in KEPT:
        if config.get(key):
            print(f"{key} {json.dumps(config[key], sort_keys=True)}")
    files = {}
    for layer in manifest["layers"]:
        apply_layer(files, get(f"{base}/blobs/{layer['digest']}"))
    for path in sorted(files):
        entry = files[path]
        print(entry["type"], entry["mode"], entry["owner"], json.dumps("/" + path), entry["content"], *filter(None, [entry["capability"]]))


main()
