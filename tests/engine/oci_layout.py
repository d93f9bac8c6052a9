"""oci_layout.py DIR [--diff-id HEX] LAYER...: an OCI layout with archives as they are for its layers."""
import gzip, hashlib, json, os, sys


def sha(data):
    return hashlib.sha256(data).hexdigest()


def plain(data):
    try:
        return gzip.decompress(data) if len(data) < 10000 else data  # no bombs
    except Exception:
        return data


def layout(place, paths, diff_ids=None):
    os.makedirs(place + "/blobs/sha256")

    def blob(data):
        with open(f"{place}/blobs/sha256/{sha(data)}", "wb") as out:
            out.write(data)
        return {"digest": "sha256:" + sha(data), "size": len(data)}
    layers = [open(path, "rb").read() for path in paths]
    config = blob(json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {
        "type": "layers", "diff_ids": ["sha256:" + each for each in diff_ids or [sha(plain(data)) for data in layers]]}}).encode())
    kinds = ["tar+zstd" if data[:2] == b"\x28\xb5" else "tar+gzip" if data[:2] == b"\x1f\x8b" else "tar" for data in layers]
    manifest = blob(json.dumps({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **config},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1." + kind, **blob(data)} for kind, data in zip(kinds, layers)],
    }).encode())
    with open(place + "/index.json", "w") as out:
        json.dump({"schemaVersion": 2, "manifests": [{
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "annotations": {"org.opencontainers.image.ref.name": "x"}, **manifest}]}, out)
    with open(place + "/oci-layout", "w") as out:
        out.write('{"imageLayoutVersion": "1.0.0"}')


if __name__ == "__main__":
    if sys.argv[2] == "--diff-id":
        layout(sys.argv[1], sys.argv[4:], [sys.argv[3]])
    else:
        layout(sys.argv[1], sys.argv[2:])
