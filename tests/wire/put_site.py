#!/usr/bin/env python3
"""put_site.py CLOUD TOKEN SITE DIRECTORY [CONFIG]: a site with the files of a directory, through the Hosting API."""
import gzip, hashlib, json, os, sys, urllib.request

cloud, token, site, directory = sys.argv[1:5]
config = json.loads(sys.argv[5]) if len(sys.argv) > 5 else {}


def ask(method, path, body=None):
    data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(path if path.startswith("http") else cloud + path, data, method=method)
    request.add_header("Authorization", "Bearer " + token)
    request.add_header("Content-Type", "application/octet-stream" if isinstance(body, bytes) else "application/json")
    try:
        return json.load(urllib.request.urlopen(request))
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {path}: {error.code} {error.read().decode()}")


files, content = {}, {}
for folder, _, names in os.walk(directory):
    for name in names:
        full = os.path.join(folder, name)
        data = gzip.compress(open(full, "rb").read(), 9, mtime=0)
        digest = hashlib.sha256(data).hexdigest()
        files["/" + os.path.relpath(full, directory)] = digest
        content[digest] = data
try:
    urllib.request.urlopen(urllib.request.Request(f"{cloud}/v1beta1/projects/-/sites/{site}",
                                                  headers={"Authorization": "Bearer " + token}))
except urllib.error.HTTPError:
    ask("POST", f"/v1beta1/projects/-/sites?siteId={site}", {})
version = ask("POST", f"/v1beta1/sites/{site}/versions", {"config": config})["name"]
populated = ask("POST", f"/v1beta1/{version}:populateFiles", {"files": files})
for digest in populated.get("uploadRequiredHashes", []):
    ask("POST", populated["uploadUrl"] + "/" + digest, content[digest])
ask("PATCH", f"/v1beta1/{version}?updateMask=status", {"status": "FINALIZED"})
ask("POST", f"/v1beta1/sites/{site}/releases?versionName={version}", {})
print(version.split("/")[-1])
