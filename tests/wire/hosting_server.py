#!/usr/bin/env python3
"""Answers as Firebase Hosting, Cloud Run (services only) and the metadata server would, with Hosting's rules: states of a
version, hashes that are missing, quotas. Prints its port, then one line of JSON for each request and its answer to the
file argv[1]. The other arguments are NAME=VALUE:

  sites=a,b          the project's sites; the first one is the default (shop)
  taken=a,b          ids that sites of other projects have
  domains=a,b        authorized domains of Firebase Authentication; without it the project has none
  quota=N            channels beside live
  services=R/S,...   ready services of Cloud Run, with R/S! for one that has no ready revision
  functions=R/S,...  those that are functions of the second generation
  tags=N             tags that the services have, fh-old-0 and so on; no version refers to them
  private=1          nobody calls the services without credentials
  fault=PATTERN      an answer of its own for requests "METHOD PATH" that contain PATTERN: PATTERN|STATUS[|TIMES[|MESSAGE]]
  drop=PATTERN       the request takes place, but the connection ends without an answer, once
  lose=PATTERN       the connection ends and the request does not take place, once
  kill=N:WHEN        SIGKILL to the process whose id is in the file "victim", at request N, WHEN before or after it
  expired=N          the first token is refused once it has been used that often
  twice=1            an upload of what is there already is answered by 409
  have=all           every file's content is there already
State is kept in the file "state" when state=FILE is given. A request POST /scripted reads it again and takes new
options from its body, one a line: so one server serves many runs. GET /scripted/blob?PATH gives a file of the last version."""
import datetime, gzip, hashlib, http.server, json, os, re, signal, sys, threading, urllib.parse

log = open(sys.argv[1], "a", buffering=1)
options = {}
for word in sys.argv[2:]:
    name, value = word.split("=", 1)
    options.setdefault(name, []).append(value)
P, lock = "demo", threading.RLock()
SITES = options.get("sites", ["shop"])[0].split(",")
faults = [f.split("|", 3) for f in options.get("fault", [])]
drops, loses = list(options.get("drop", [])), list(options.get("lose", []))
state = {"versions": {}, "channels": {}, "blobs": {}, "releases": {}, "clock": 0, "tokens": 0, "requests": 0, "used": 0}
services, contents = {}, {}
for word in ",".join(options.get("services", []) + options.get("functions", [])).split(","):
    if word:
        region, name = word.rstrip("!").split("/")
        path = f"projects/{P}/locations/{region}/services/{name}"
        services[path] = {"name": path, "uri": f"https://{name}.run.app", "etag": "e1", "traffic": [{"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}] + [
                              {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", "revision": f"{name}-00000", "tag": f"fh-old-{i}"}
                              for i in range(int(options.get("tags", ["0"])[0]))],
                          "labels": {"goog-managed-by": "cloudfunctions"} if word in options.get("functions", [""])[0].split(",") else {},
                          "terminalCondition": {"state": "CONDITION_SUCCEEDED"},
                          **({} if word.endswith("!") else {"latestReadyRevision": f"{path}/revisions/{name}-00001"})}
UNSENT = object()


class Refused(Exception):
    def __init__(self, code, status, message):
        self.code, self.body = code, {"error": {"code": code, "status": status, "message": message}}


def now(ahead=0):
    state["clock"] += 1
    time = datetime.datetime(2026, 9, 1) + datetime.timedelta(seconds=state["clock"])
    if ahead:
        time = datetime.datetime.utcnow() + datetime.timedelta(seconds=ahead)
    return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def version_of(site, id):
    if id not in state["versions"] or not state["versions"][id]["name"].startswith(f"sites/{site}/"):
        raise Refused(404, "NOT_FOUND", f"Version {id} not found")
    return state["versions"][id]


def shown(version):
    return {k: v for k, v in version.items() if not k.startswith("_")}


def channel_of(site, id):
    if id == "live":
        state["channels"].setdefault(f"{site}/live", {"name": f"sites/{site}/channels/live", "url": f"https://{site}.web.app"})
    if f"{site}/{id}" not in state["channels"]:
        raise Refused(404, "NOT_FOUND", f"Channel {id} not found")
    channel = dict(state["channels"][f"{site}/{id}"])
    releases = state["releases"].get(f"{site}/{id}")
    if releases:
        channel["release"] = releases[0]
    return channel


def check_config(config):
    for rewrite in config.get("rewrites", []):
        run = rewrite.get("run")
        if run and f"projects/{P}/locations/{run['region']}/services/{run['serviceId']}" not in services:
            raise Refused(400, "FAILED_PRECONDITION", "Precondition check failed.")


def hosting(method, path, query, body):
    if path == f"projects/{P}/sites" and method == "POST":
        id = query["siteId"]
        if id in options.get("taken", [""])[0].split(","):
            raise Refused(400, "INVALID_ARGUMENT", f"Invalid name: `{id}` is reserved by another project; try something like `{id}-1a2b3` instead")
        if id in SITES:
            raise Refused(409, "ALREADY_EXISTS", "Requested entity already exists")
        if query.get("validateOnly") != "true":
            SITES.append(id)
        return {"name": f"projects/{P}/sites/{id}", "defaultUrl": f"https://{id}.web.app", "type": "USER_SITE"}
    if path == f"projects/{P}/sites":
        return {"sites": [{"name": f"projects/{P}/sites/{s}", "defaultUrl": f"https://{s}.web.app",
                           "type": "USER_SITE" if i else "DEFAULT_SITE"} for i, s in enumerate(SITES)]}
    match = re.fullmatch(rf"projects/(?:{P}|-)/sites/([^/]+)(/.*)?", path)
    if not match or match[1] not in SITES:
        raise Refused(404, "NOT_FOUND", "Requested entity was not found.")
    site, rest = match[1], match[2] or ""
    if not rest:
        return {"name": f"projects/{P}/sites/{site}", "defaultUrl": f"https://{site}.web.app", "type": "DEFAULT_SITE"}
    if rest == "/channels":
        if method == "GET":
            return {"channels": [channel_of(site, k.split("/")[1]) for k in list(state["channels"]) if k.startswith(site + "/")]}
        id = query["channelId"]
        if f"{site}/{id}" in state["channels"]:
            raise Refused(409, "ALREADY_EXISTS", "Requested entity already exists")
        if len([k for k in state["channels"] if not k.endswith("/live")]) >= int(options.get("quota", ["50"])[0]):
            raise Refused(429, "RESOURCE_EXHAUSTED", f"Couldn't create channel on `projects/1/sites/{site}`: channel quota reached.")
        state["channels"][f"{site}/{id}"] = {"name": f"sites/{site}/channels/{id}", "url": f"https://{site}--{id}-x7.web.app",
                                             "expireTime": now(int(body["ttl"][:-1])), "createTime": now()}
        return channel_of(site, id)
    match = re.fullmatch(r"/channels/([^/]+)(/releases)?", rest)
    if match and match[2]:
        channel_of(site, match[1])
        key = f"{site}/{match[1]}"
        if method == "GET":
            return {"releases": state["releases"].get(key, [])}
        version = version_of(site, query["versionName"].split("/")[-1])
        if version["status"] != "FINALIZED":
            raise Refused(400, "FAILED_PRECONDITION", "The version is not finalized.")
        release = {"name": f"sites/{site}/channels/{match[1]}/releases/{state['clock']}", "version": shown(version), "type": "DEPLOY",
                   "releaseTime": now(), **({"message": body["message"]} if "message" in body else {})}
        state["releases"].setdefault(key, []).insert(0, release)
        return release
    if match:
        channel = channel_of(site, match[1])
        if method == "PATCH":
            state["channels"][f"{site}/{match[1]}"]["expireTime"] = now(int(body["ttl"][:-1]))
            return channel_of(site, match[1])
        if method == "DELETE":
            del state["channels"][f"{site}/{match[1]}"]
            return {}
        return channel
    if rest == "/versions":
        if method == "GET":
            found = [shown(v) for v in state["versions"].values() if v["name"].startswith(f"sites/{site}/")]
            return {"versions": sorted(found, key=lambda v: v["createTime"], reverse=True)[:25]}
        check_config(body.get("config", {}))
        id = "%016x" % (0xabc000 + len(state["versions"]))
        state["versions"][id] = {"name": f"sites/{site}/versions/{id}", **body, "createTime": now(), "_files": {}}
        return shown(state["versions"][id])
    match = re.fullmatch(r"/versions/([^/:]+)(:populateFiles|/files)?", rest)
    if not match:
        raise Refused(404, "NOT_FOUND", "no such method")
    version = version_of(site, match[1])
    if match[2] == "/files":
        names = sorted(version["_files"])
        begin = int(query.get("pageToken", 0))
        end = begin + int(query.get("pageSize", 100))
        return {"files": [{"path": n, "hash": version["_files"][n], "status": "ACTIVE"} for n in names[begin:end]],
                **({"nextPageToken": str(end)} if end < len(names) else {})}
    if match[2]:
        if version["status"] != "CREATED":
            raise Refused(400, "FAILED_PRECONDITION", "The version is not in CREATED state.")
        if len(body["files"]) > 1000:
            raise Refused(400, "INVALID_ARGUMENT", "too many files")
        version["_files"].update(body["files"])
        missing = sorted({h for h in body["files"].values() if h not in state["blobs"] and "have" not in options})
        return {"uploadUrl": f"http://127.0.0.1:{port}/upload/sites/{site}/versions/{match[1]}/files",
                **({"uploadRequiredHashes": missing} if missing else {})}
    if method == "PATCH":
        if version["status"] != "CREATED":
            raise Refused(400, "FAILED_PRECONDITION", "The version is not in CREATED state.")
        missing = [p for p, h in version["_files"].items() if h not in state["blobs"] and "have" not in options]
        if missing:
            raise Refused(400, "FAILED_PRECONDITION", f"{len(missing)} files are not uploaded")
        check_config(body.get("config", {}))
        version.update({k: body[k] for k in query["updateMask"].split(",") if k in body}, finalizeTime=now(),
                       fileCount=str(len(version["_files"])))
    return shown(version)


def domains(method, path, body):
    if "domains" not in options or path != f"/admin/v2/projects/{P}/config":
        raise Refused(404, "NOT_FOUND", "CONFIGURATION_NOT_FOUND")
    if method == "PATCH":
        state["domains"] = body["authorizedDomains"]
    return {"name": f"projects/{P}/config", "authorizedDomains": state.setdefault("domains", options["domains"][0].split(","))}


def upload(path, data):
    hash = path.split("/")[-1]
    if hashlib.sha256(data).hexdigest() != hash:
        raise Refused(400, "INVALID_ARGUMENT", "content hash mismatch")
    contents[hash] = gzip.decompress(data)
    if hash in state["blobs"] and "twice" in options:
        raise Refused(409, "ALREADY_EXISTS", "Requested entity already exists")
    state["blobs"][hash] = len(data)
    return UNSENT


def run(method, path, query, body):
    if path.endswith(":getIamPolicy"):
        public = "private" not in options
        return {"etag": "p1", "bindings": [{"role": "roles/run.invoker", "members": ["allUsers" if public else "user:a@b.c"]}]}
    match = re.fullmatch(rf"projects/{P}/locations/([^/]+)/(services|operations)(?:/([^/]+))?", path)
    if not match:
        raise Refused(404, "NOT_FOUND", "no such method")
    if match[2] == "operations":
        return {"name": path, "done": True, "response": {}}
    if not match[3]:
        return {"services": [s for s in services.values() if match[1] in ("-", s["name"].split("/")[3])]}
    if path not in services:
        raise Refused(404, "NOT_FOUND", f"Resource '{match[3]}' of kind 'SERVICE' in region '{match[1]}' in project '{P}' does not exist.")
    if method == "PATCH":
        services[path].update({k: body[k] for k in query["updateMask"].split(",")}, etag="e2")
        return {"name": f"projects/{P}/locations/{match[1]}/operations/o1", "done": True, "response": services[path]}
    return services[path]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet: the client's kernel waits 40 ms before it asks for a second one
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    def read(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            data = b""
            while True:
                size = int(self.rfile.readline(), 16)
                data += self.rfile.read(size)
                self.rfile.readline()
                if not size:
                    return data
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def send(self, status, body, flavor=False):
        data = body.encode() if isinstance(body, str) else b"" if body is UNSENT else json.dumps(body).encode()
        self.send_response(status)
        if flavor:
            self.send_header("Metadata-Flavor", "Google")
        if status == 429 or status == 503:
            self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def metadata(self, path):
        if path.endswith("/email"):
            return self.send(200, "dev@demo.iam.gserviceaccount.com", True)
        if path.endswith("/project-id"):
            return self.send(200, P, True)
        state["tokens"] += 1
        return self.send(200, {"access_token": f"t{state['tokens']}", "expires_in": 3599, "token_type": "Bearer"}, True)

    def restart(self, data):
        with lock:
            options.pop("kill", None)
            for word in data.decode().split():
                options[word.split("=", 1)[0]] = [word.split("=", 1)[1]]
            with open(options["state"][0]) as file:
                state.update(json.load(file), requests=0)
        return self.send(200, {})

    def answer(self, path, query, data):
        what = f"{self.command} {self.path}"
        for fault in faults:
            if fault[0] in what and (len(fault) < 3 or int(fault[2]) > 0):
                if len(fault) > 2:
                    fault[2] = str(int(fault[2]) - 1)
                raise Refused(int(fault[1]), {429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE", 403: "PERMISSION_DENIED", 400: "FAILED_PRECONDITION"}.get(int(fault[1]), "UNKNOWN"),
                              fault[3] if len(fault) > 3 else "made to fail")
        if options.get("expired") and self.headers.get("Authorization") == "Bearer t1":
            state["used"] += 1
            if state["used"] > int(options["expired"][0]):
                raise Refused(401, "UNAUTHENTICATED", "expired")
        if not (self.headers.get("Authorization") or "").startswith("Bearer t"):
            raise Refused(401, "UNAUTHENTICATED", "no token")
        if path.startswith("/upload/"):
            return upload(path, data)
        body = json.loads(data) if data else None
        if path.startswith("/v1beta1/"):
            return hosting(self.command, path[len("/v1beta1/"):], query, body)
        if path.startswith("/admin/"):
            return domains(self.command, path, body)
        return run(self.command, path[len("/v2/"):], query, body)

    def handle_any(self):
        split = urllib.parse.urlsplit(self.path)
        path, query = split.path, dict(urllib.parse.parse_qsl(split.query, keep_blank_values=True))
        data = self.read()
        if path.startswith("/computeMetadata/"):
            return self.metadata(path)
        if path == "/scripted/blob":
            return self.send(200, contents[list(state["versions"].values())[-1]["_files"][split.query]].decode())
        if path == "/scripted":
            return self.restart(data)
        what = f"{self.command} {self.path}"
        lost = next((p for p in loses if p in what), None)
        if lost:
            loses.remove(lost)
            self.close_connection = True
            return None
        with lock:
            state["requests"] += 1
            number, when = (options.get("kill", ["0:"])[0]).split(":")
            kills = state["requests"] == int(number)
            if kills and when == "before":
                os.kill(int(open("victim").read()), signal.SIGKILL)
                self.close_connection = True
                return None
            try:
                status, reply = 200, self.answer(path, query, data)
            except Refused as refused:
                status, reply = refused.code, refused.body
            is_upload = path.startswith("/upload/")
            log.write(json.dumps({"method": self.command, "path": self.path, "token": self.headers.get("Authorization"),
                                  "type": self.headers.get("Content-Type"),
                                  "body": len(data) if is_upload else json.loads(data) if data else None,
                                  "status": status, "reply": None if reply is UNSENT else reply}) + "\n")
            if options.get("state"):
                with open(options["state"][0] + ".new", "w") as file:
                    json.dump(state, file)
                os.replace(options["state"][0] + ".new", options["state"][0])
            if kills:
                os.kill(int(open("victim").read()), signal.SIGKILL)
                self.close_connection = True
                return None
            dropped = next((p for p in drops if p in what), None)
            if dropped:
                drops.remove(dropped)
                self.close_connection = True
                return None
        return self.send(status, reply)

    do_GET = do_POST = do_PATCH = do_DELETE = handle_any


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


server = Server(("127.0.0.1", 0), Handler)
port = server.server_address[1]
print(port, flush=True)
server.serve_forever()
