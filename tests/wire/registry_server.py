#!/usr/bin/env python3
"""A small image registry on loopback that behaves as the words in argv[1] say; prints its port, then appends one line
of JSON for each request to the file argv[2]. Other arguments are NAME=VALUE: seed=FILE (a blob it has), rootfs=FILE (an
uncompressed tar, of which it has the image library/base:v1), other=PORT, and the texts realm=, location=, redirect= and
retry= that it puts into its answers.

Words, joined by commas.
 Logins: token (Bearer, user "me", password "secret"), basic, stale (the first token is refused once), expires (a token
 is good for three requests), never (401 for every token), no-challenge, realm-other / realm-metadata / realm-user,
 token-big / token-dirty / token-html / token-none / token-down, identity (takes the refresh token "refresh" by POST), google (it is also the metadata server, and takes that
 one's access token as a password).
 Everything: denied, escapes, error-big, down, portal (a web page for everything), drops (the first request of each path
 gets no answer), busy (429 for the first POST and PUT of a path), busy-get.
 Uploads: single (takes a POST with the body), breaks (the first PATCH ends in the middle, what came is kept), loses (and
 is not kept), lies-manifest, lies-blob, lies-head, mounts, lies-mount, location-other, location-private, location-none,
 forgets (a manifest whose blobs are gone).
 Blobs: redirect-other, redirect-private, redirect-loop, wrong-bytes (layer-wrong: only in the layer), short, long,
 layer-breaks (the layer ends in the middle, twice), no-range (and is never sent from the middle).
 Manifests: manifest-other, manifest-lies, manifest-large, manifest-endless, manifest-html, manifest-both,
 manifest-twice, manifest-deep, manifest-nested, manifest-foreign, manifest-path, manifest-schema1, manifest-many."""
import base64, gzip, hashlib, http.server, json, re, sys, threading, uuid

OCI = "application/vnd.oci.image."

words, log = set(sys.argv[1].split(",")), open(sys.argv[2], "a", buffering=1)
settings = dict(argument.split("=", 1) for argument in sys.argv[3:])
blobs, uploads, manifests, uploaded = {}, {}, {}, set()
count = {}
lock = threading.Lock()
LOGIN = "Basic " + base64.b64encode(b"oauth2accesstoken:ya29.1" if "google" in words else b"me:secret").decode()


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def first(what, times=1):
    """True the first `times` times that it is asked about `what`."""
    with lock:
        count[what] = count.get(what, 0) + 1
        return count[what] <= times


def keep(data):
    blobs[digest(data)] = data
    return digest(data)


def descriptor(kind, data):
    return {"mediaType": OCI + kind, "digest": digest(data), "size": len(data)}


def make_image(tar):
    """The bytes of a manifest for the tar, whose blobs it keeps."""
    global layer
    layer = gzip.compress(tar, 1, mtime=0)
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["sh"]},
                         "rootfs": {"type": "layers", "diff_ids": [digest(tar)]}}).encode()
    keep(layer), keep(config)
    manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": descriptor("config.v1+json", config),
                "layers": [descriptor("layer.v1.tar+gzip", layer)]}
    if "manifest-both" in words:
        manifest["manifests"] = []
    if "manifest-foreign" in words:
        manifest["layers"][0]["urls"] = ["https://elsewhere.test/layer"]
    if "manifest-path" in words:
        manifest["layers"][0]["digest"] = "sha256:../../../../etc/passwd"
    if "manifest-schema1" in words:
        manifest = {"schemaVersion": 1, "name": "library/base", "fsLayers": []}
    if "manifest-many" in words:
        manifest["layers"] *= 1001
    text = json.dumps(manifest)
    if "manifest-twice" in words:
        text = text[:-1] + ', "config": ' + json.dumps(manifest["config"]) + "}"
    if "manifest-deep" in words:
        text = text[:-1] + ', "annotations": ' + "[" * 100000 + "]" * 100000 + "}"
    return text.encode()


def index_of(manifest, kind):
    return json.dumps({"schemaVersion": 2, "mediaType": OCI + "index.v1+json",
                       "manifests": [descriptor(kind, manifest)]}).encode()


layer = None
if "seed" in settings:
    keep(open(settings["seed"], "rb").read())
if "rootfs" in settings:
    image = make_image(open(settings["rootfs"], "rb").read())
    manifests[digest(image)] = image
    if "manifest-nested" in words:
        for level in range(8):
            image = index_of(image, "index.v1+json" if level else "manifest.v1+json")
            manifests[digest(image)] = image
    manifests["v1"] = image
    print(digest(image), file=sys.stderr, flush=True)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **headers):
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def error(self, status, code, message="", **headers):
        self.answer(status, {"errors": [{"code": code, "message": message}]}, **headers)

    def origin(self):
        return "http://127.0.0.1:%d" % self.server.server_port

    def challenge(self):
        realm = self.origin() + "/token"
        if "realm-other" in words:
            realm = "http://localhost:%s/token" % settings["other"]
        if "realm-metadata" in words:
            realm = "http://169.254.169.254/token"
        realm = settings.get("realm", realm)
        if "no-challenge" in words:
            return self.error(401, "UNAUTHORIZED", "no")
        if "realm-user" in words:
            realm = "http://me:secret@127.0.0.1:%d/token" % self.server.server_port
        basic = 'Basic realm="a, b=\\"c\\""'
        bearer = 'bearer realm="%s", service="the registry&x=1", scope="repository:a/b:pull,push"' % realm
        self.error(401, "UNAUTHORIZED", WWW_Authenticate=basic if "basic" in words else "Negotiate, " + basic + ", " + bearer)

    def allowed(self):
        given = self.headers.get("Authorization", "")
        if "basic" in words:
            return given == LOGIN
        if not words & {"token", "stale", "never", "expires", "no-challenge"}:
            return True
        if words & {"never", "no-challenge"}:
            return False
        if "expires" in words:
            return given.startswith("Bearer tok-") and first(given, 3)
        if "stale" in words and given == "Bearer tok-1" and count.get("token", 0) == 1:
            return self.path == "/v2/"
        return given.startswith("Bearer tok-")

    def token(self, body):
        form = dict(part.split("=", 1) for part in body.decode().split("&") if "=" in part)
        if self.command == "POST":
            if "identity" not in words or (form.get("grant_type"), form.get("refresh_token")) != ("refresh_token", "refresh"):
                return self.error(401, "UNAUTHORIZED", "wrong refresh token")
        elif self.headers.get("Authorization") != LOGIN:
            return self.error(401, "UNAUTHORIZED", "wrong password")
        if "token-html" in words:
            return self.answer(200, b"<html>Sign in</html>", Content_Type="text/html")
        if "token-none" in words:
            return self.answer(200, {"secret_token": "tok-1"})
        if "token-down" in words:
            return self.error(500, "UNKNOWN", Retry_After="0")
        first("token")
        token = "tok-%d" % count["token"]
        if "token-big" in words:
            token = "x" * 70000
        if "token-dirty" in words:
            token = "tok\r\nEvil: 1"
        self.answer(200, {"access_token": token, "expires_in": 300})

    def read_body(self):
        length = int(self.headers.get("Content-Length") or 0)
        if self.command == "PATCH" and words & {"breaks", "loses"} and first("break"):
            got = self.rfile.read(length // 2)
            self.close_connection = True
            return got, False
        return self.rfile.read(length), True

    def handle_any(self):
        body, whole = self.read_body()
        with lock:
            log.write(json.dumps({"method": self.command, "path": self.path, "length": len(body),
                                  "auth": self.headers.get("Authorization", ""), "range": self.headers.get("Content-Range", self.headers.get("Range", "")),
                                  "type": self.headers.get("Content-Type", "")}) + "\n")
        path = self.path.split("?")[0]
        query = dict(part.split("=", 1) for part in self.path.partition("?")[2].split("&") if "=" in part)
        query = {name: value.replace("%3A", ":").replace("%2F", "/") for name, value in query.items()}
        if path.startswith("/computeMetadata/") and "google" in words:
            last = path.split("/")[-1]
            return self.answer(200, {"token": {"access_token": "ya29.1", "expires_in": 3599, "token_type": "Bearer"},
                                     "email": b"ci@demo.iam.gserviceaccount.com", "project-id": b"demo"}[last],
                               Metadata_Flavor="Google")
        if path == "/token":
            return self.token(body)
        if "portal" in words:
            return self.answer(200, b"<html>Welcome to our network</html>", Content_Type="text/html")
        if "drops" in words and first(self.command + re.sub("[0-9a-f-]{36}", "", path)):
            self.close_connection = True
            return None
        if not self.allowed():
            return self.challenge()
        if "denied" in words and path != "/v2/":
            return self.error(403, "DENIED", 'Permission "upload" denied')
        if "escapes" in words and path != "/v2/":
            return self.error(400, "UNKNOWN", "\x1b[31mred\x1b[0m\n::error::owned\n" + "x" * 2000)
        if "error-big" in words and path != "/v2/":
            return self.answer(400, b"A" * 10000000, Content_Type="text/plain")
        if "busy-get" in words and self.command == "GET" and first(path):
            return self.error(429, "TOOMANYREQUESTS", "slow down", Retry_After=settings.get("retry", "0"))
        if "down" in words and path != "/v2/":
            return self.error(503, "UNAVAILABLE", Retry_After="0")
        if "busy" in words and self.command in ("POST", "PUT") and first(self.command + re.sub("[0-9a-f-]{36}", "", path)):
            return self.error(429, "TOOMANYREQUESTS", Retry_After="0")
        if path == "/v2/":
            return self.answer(200, b"{}")
        match = re.fullmatch(r"/v2/([a-z0-9/_.-]+?)/(blobs/uploads|blobs|manifests)/([^/]*)", path)
        if not match:
            return self.error(404, "NAME_UNKNOWN")
        name, kind, rest = match.groups()
        if kind == "blobs":
            return self.blob(rest)
        if kind == "manifests":
            return self.manifest(rest, body)
        return self.upload(name, rest, query, body, whole)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = handle_any

    def blob(self, wanted):
        if wanted not in blobs:
            return self.error(404, "BLOB_UNKNOWN")
        data = blobs[wanted]
        if data is None or ("lies-mount" in words and "/t/shop/" in self.path and wanted not in uploaded):
            return self.error(404, "BLOB_UNKNOWN")
        redirect = {"redirect-other": "http://127.0.0.1:%s/v2/x/blobs/%s" % (settings.get("other"), wanted),
                    "redirect-private": "http://10.1.2.3/x", "redirect-loop": self.path}
        for word in words & redirect.keys():
            if self.command == "GET":
                return self.answer(307, Location=redirect[word])
        if "redirect" in settings and self.command == "GET":
            return self.answer(307, Location=settings["redirect"])
        if "wrong-bytes" in words or ("layer-wrong" in words and data is layer):
            data = b"!" + data[1:]
        if "long" in words:
            data = data + b"more"
        if "short" in words and self.command == "GET":
            self.close_connection = True
            return self.answer(200, data[:100], Content_Length=str(len(data)))
        self.content(data, wanted)

    def content(self, data, wanted):
        claimed = "sha256:" + "2" * 64 if "lies-head" in words else wanted
        begin = re.fullmatch("bytes=([0-9]+)-", self.headers.get("Range", ""))
        begin = int(begin.group(1)) if begin and "no-range" not in words else 0
        status, headers = (206, {"Content_Range": "bytes %d-%d/%d" % (begin, len(data) - 1, len(data))}) if begin else (200, {})
        rest = data[begin:]
        if "layer-breaks" in words and data is layer and first("layer-break", 2):
            self.close_connection = True
            return self.answer(status, rest[:len(rest) // 2], Content_Length=str(len(rest)), **headers)
        self.answer(status, rest, Docker_Content_Digest=claimed, **headers)

    def manifest(self, name, body):
        if self.command == "PUT":
            document = json.loads(body)
            used = [document["config"]["digest"]] + [layer["digest"] for layer in document["layers"]]
            if "forgets" in words and first("forget"):
                blobs.clear()
            for missing in used:
                if blobs.get(missing) is None or ("lies-mount" in words and missing not in uploaded):
                    return self.error(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry")
            manifests[name] = manifests[digest(body)] = body
            claimed = "sha256:" + "0" * 64 if "lies-manifest" in words else digest(body)
            return self.answer(201, Docker_Content_Digest=claimed)
        if name not in manifests:
            return self.error(404, "MANIFEST_UNKNOWN", "there is none")
        data = manifests[name]
        kind = re.search(b'"mediaType": ?"([^"]*)"', data)
        headers = {"Content_Type": kind.group(1).decode() if kind else "application/vnd.docker.distribution.manifest.v1+json"}
        if "manifest-html" in words:
            return self.answer(200, b"<html>Sign in</html>", Content_Type="text/html")
        if "manifest-other" in words:
            data += b" "
        if "manifest-lies" in words:
            headers["Docker_Content_Digest"] = "sha256:" + "3" * 64
        if "manifest-large" in words:
            data += b" " * (4194305 - len(data))
        if "manifest-endless" in words:
            return self.endless(headers)
        self.answer(200, data, **headers)

    def endless(self, headers):
        """Up to 64 MiB without a length; notes how much was taken."""
        self.send_response(200)
        self.send_header("Content-Type", headers["Content_Type"])
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        sent = 0
        try:
            while sent < 64 << 20:
                sent += self.wfile.write(b" " * 65536)
        except OSError:
            pass
        with lock:
            log.write(json.dumps({"method": "SENT", "path": str(sent)}) + "\n")

    def place(self, upload):
        location = "/v2/x/blobs/uploads/%s?state=1" % upload
        if "location-other" in words:
            location = "http://127.0.0.1:%s%s" % (settings["other"], location)
        if "location-private" in words:
            location = "https://192.168.7.7" + location
        location = settings.get("location", location)
        return {} if "location-none" in words else {"Location": location}

    def complete(self, wanted, data):
        if digest(data) != wanted:
            return self.error(400, "DIGEST_INVALID")
        blobs[wanted] = data
        uploaded.add(wanted)
        self.answer(201, Docker_Content_Digest="sha256:" + "1" * 64 if "lies-blob" in words else wanted)

    def upload(self, name, upload, query, body, whole):
        if self.command == "POST":
            if "mount" in query and words & {"mounts", "lies-mount"}:
                if "mounts" in words:
                    blobs[query["mount"]] = b""
                return self.answer(201, Location="/v2/%s/blobs/%s" % (name, query["mount"]))
            if "single" in words and "digest" in query:
                return self.complete(query["digest"], body)
            upload = str(uuid.uuid4())
            uploads[upload] = b""
            return self.answer(202, **self.place(upload))
        if upload not in uploads and "other" not in settings and "elsewhere" not in words:
            return self.error(404, "BLOB_UPLOAD_UNKNOWN")
        data = uploads.get(upload, b"")
        span = {"Range": "0-%d" % max(len(data) - 1, 0)}
        if self.command == "GET":
            return self.answer(204, **span, **self.place(upload))
        if self.command == "PATCH":
            begin = self.headers.get("Content-Range")
            if begin and int(begin.split("-")[0]) != len(data):
                return self.answer(416, **span)
            uploads[upload] = data + body
            if not whole:
                if "loses" in words:
                    del uploads[upload]
                self.close_connection = True
                return None
            return self.answer(202, Range="0-%d" % (len(data) + len(body) - 1), **self.place(upload))
        uploads.pop(upload, None)
        self.complete(query["digest"], data + body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
