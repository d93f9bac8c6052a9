#!/usr/bin/env python3
"""Asks two sites of the local cloud for every path of a directory and for paths around them, and compares status, headers
and decoded body: compare_sites.py PORT LEFT RIGHT DIRECTORY. The clients pack files differently, so ETag and the length of
packed bodies only have to be there; times are left out."""
import gzip, http.client, os, sys, urllib.parse

port, left, right, root = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
TIMES = {"date", "last-modified"}


def ask(site, path, method, headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request(method, path, headers={"Host": f"{site}.localhost:{port}", **headers})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    packed = {"etag"}
    if response.getheader("Content-Encoding") == "gzip":
        packed.add("content-length")
        body = gzip.decompress(body) if body else body
    kept = sorted((k.lower(), "…" if k.lower() in packed else v.replace(f"{site}.localhost", "SITE.localhost"))
                  for k, v in response.getheaders() if k.lower() not in TIMES)
    return response.status, kept, body.replace(f"{site}.localhost".encode(), b"SITE.localhost")


paths = {"/", "/missing", "/missing.html", "/missing/", "/app/x/y", "/r12", "/r", "/re/about", "/re/A", "/old/guide", "/old/a/b", "/ext/a/x",
         "/ext/b/y", "/ext/c/x", "/fn/x", "/docs", "/docs/", "/docs/nothing", "//", "/.secret", "/node_modules/x/y", "/firebase.json",
         "/__/firebase/init.json", "/.well-known/assetlinks.json", "/%", "/a%00b", "/..%2f", "/index.html", "/about?x=1"}
for folder, _, files in os.walk(root):
    for name in files:
        path = "/" + urllib.parse.quote(os.path.relpath(os.path.join(folder, name), root))
        paths |= {path, path + "/", path + "?q=1", path.removesuffix(".html"), path.removesuffix("index.html"), path.upper()}
count = different = 0
for path in sorted(paths):
    for method, headers in (("GET", {}), ("GET", {"Accept-Encoding": "gzip"}), ("HEAD", {}), ("POST", {}), ("GET", {"Accept-Language": "de-DE,de;q=0.9"}),
                            ("GET", {"Range": "bytes=0-1"})):
        count += 1
        one, other = ask(left, path, method, headers), ask(right, path, method, headers)
        if one != other:
            different += 1
            print(method, path, headers, *(f"\n    {site}: {answer[0]} {answer[1]} {answer[2][:60]}" for site, answer in ((left, one), (right, other))))
print(f"{count} requests to each, {different} answered differently")
sys.exit(1 if different or count < 500 else 0)
