#!/usr/bin/env python3
"""A small image registry on loopback that behaves as the words in argv[1] say; prints its port, then appends one line
of JSON for each request to the file argv[2]. Other arguments are NAME=VALUE: seed=FILE (a blob it has), other=PORT.

Words, joined by commas: token (Bearer, user "me", password "secret"), basic, stale (the first token is refused once),
never (401 for every token), realm-other / realm-metadata / realm-user / token-big / token-dirty, single (takes a POST
with the body), busy, down, breaks (the first PATCH ends in the middle, what came is kept), loses (and is not kept),
lies-manifest, lies-blob, mounts, location-other, location-private, location-none, redirect-other, redirect-private,
wrong-bytes, short, long, escapes, denied, forgets (a manifest whose blobs are gone), google (it is also the metadata
server, and takes that one's access token as a password)."""
import base64, hashlib, http.server, json, re, sys, threading, uuid

words, log = set(sys.argv[1].split(",")), open(sys.argv[2], "a", buffering=1)
settings = dict(argument.split("=", 1) for argument in sys.argv[3:])
blobs, uploads, manifests = {}, {}, {}
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


if "seed" in settings:
    data = open(settings["seed"], "rb").read()
    blobs[digest(data)] = data


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
        if "realm-user" in words:
            realm = "http://me:secret@127.0.0.1:%d/token" % self.server.server_port
        basic = 'Basic realm="a, b=\\"c\\""'
        bearer = 'bearer realm="%s", service="the registry&x=1", scope="repository:a/b:pull,push"' % realm
        self.error(401, "UNAUTHORIZED", WWW_Authenticate=basic if "basic" in words else "Negotiate, " + basic + ", " + bearer)

    def allowed(self):
        given = self.headers.get("Authorization", "")
        if "basic" in words:
            return given == LOGIN
        if not words & {"token", "stale", "never"}:
            return True
        if "never" in words:
            return False
        if "stale" in words and given == "Bearer tok-1" and count.get("token", 0) == 1:
            return self.path == "/v2/"
        return given.startswith("Bearer tok-")

    def token(self):
        if self.headers.get("Authorization") != LOGIN:
            return self.error(401, "UNAUTHORIZED", "wrong password")
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
                                  "auth": self.headers.get("Authorization", ""), "range": self.headers.get("Content-Range", ""),
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
            return self.token()
        if not self.allowed():
            return self.challenge()
        if "denied" in words and path != "/v2/":
            return self.error(403, "DENIED", 'Permission "upload" denied')
        if "escapes" in words and path != "/v2/":
            return self.error(400, "UNKNOWN", "\x1b[31mred\x1b[0m\n::error::owned\n" + "x" * 2000)
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
        if self.command == "GET" and "redirect-other" in words:
            return self.answer(307, Location="http://127.0.0.1:%s/v2/x/blobs/%s" % (settings["other"], wanted))
        if self.command == "GET" and "redirect-private" in words:
            return self.answer(307, Location="http://10.1.2.3/x")
        if "wrong-bytes" in words:
            data = b"!" + data[1:]
        if "long" in words:
            data = data + b"more"
        if "short" in words and self.command == "GET":
            self.close_connection = True
            return self.answer(200, data[:100], Content_Length=str(len(data)))
        self.answer(200, data, Docker_Content_Digest=wanted)

    def manifest(self, name, body):
        if self.command == "PUT":
            document = json.loads(body)
            used = [document["config"]["digest"]] + [layer["digest"] for layer in document["layers"]]
            if "forgets" in words and first("forget"):
                blobs.clear()
            for missing in used:
                if missing not in blobs:
                    return self.error(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry")
            manifests[name] = manifests[digest(body)] = body
            claimed = "sha256:" + "0" * 64 if "lies-manifest" in words else digest(body)
            return self.answer(201, Docker_Content_Digest=claimed)
        if name not in manifests:
            return self.error(404, "MANIFEST_UNKNOWN")
        self.answer(200, manifests[name], Content_Type=json.loads(manifests[name])["mediaType"])

    def place(self, upload):
        location = "/v2/x/blobs/uploads/%s?state=1" % upload
        if "location-other" in words:
            location = "http://127.0.0.1:%s%s" % (settings["other"], location)
        if "location-private" in words:
            location = "https://192.168.7.7" + location
        return {} if "location-none" in words else {"Location": location}

    def complete(self, wanted, data):
        if digest(data) != wanted:
            return self.error(400, "DIGEST_INVALID")
        blobs[wanted] = data
        self.answer(201, Docker_Content_Digest="sha256:" + "1" * 64 if "lies-blob" in words else wanted)

    def upload(self, name, upload, query, body, whole):
        if self.command == "POST":
            if "mount" in query and "mounts" in words:
                blobs[query["mount"]] = None
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
