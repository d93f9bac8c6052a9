#!/usr/bin/env python3
"""Answers as Cloud Run, the metadata server and Cloud Logging would, by the scenario in argv[1]; prints its port, then
one line of JSON for each request and its reply to the file argv[2].

Scenarios: new, update (there is a service with fields of others), conflict (it changes between the reading and the first
PATCH), fail (the new revision does not start), expired (the first token is refused), disabled (the API is off), busy
(two answers of 503 come first), held (traffic stays with the
old revision), two (two revisions, the newer one serves), public (like update, and everybody may call it)."""
import http.server, json, os, signal, sys, threading, time, urllib.parse

scenario, log = sys.argv[1], open(sys.argv[2], "a", buffering=1)
# N:WHEN kills the process whose id is in the file "victim" at its request number N, "before" or "after" it is answered.
kill_number, kill_when = (sys.argv[3] if len(sys.argv) > 3 else "0:").split(":")
# projects/P/locations/R/services/S of the one service, when it is not the usual one.
PATH = "/v2/" + (sys.argv[4] if len(sys.argv) > 4 else "projects/demo/locations/us-central1/services/shop")
state = {"requests": 0, "service": None, "tokens": 0, "gets": 0, "patches": 0, "polls": 0, "busy": 0, "revisions": {},
         "apis": [] if sys.argv[1] == "disabled" else ["run.googleapis.com"],
         "policy": {"etag": "p1", "bindings": []}}
FAILED = {"code": 9, "message": "Revision 'shop-00002' is not ready and cannot serve traffic. The user-provided container "
          "failed to start and listen on the port defined provided by the PORT=8080 environment variable"}
LATEST, PINNED = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"
READY = [{"type": "Ready", "state": "CONDITION_SUCCEEDED"}]


def add_revision(name, image, second):
    state["revisions"][name] = {"name": f"{PATH[4:]}/revisions/{name}", "containers": [{"image": image}], "conditions": READY,
                                "createTime": f"2026-11-24T06:00:{second:02}Z", "creator": "dev@demo.iam.gserviceaccount.com"}


def settle(service):
    """Who gets what by its traffic; in the scenario "held" nothing moves."""
    service["terminalCondition"] = {"type": "Ready", "state": "CONDITION_SUCCEEDED"}
    if scenario == "held":
        service["trafficStatuses"] = [{"type": PINNED, "percent": 100, "revision": "shop-00001"}]
        return
    service["trafficStatuses"] = [{**target, **({"uri": f"https://{target['tag']}---shop.run.app"} if target.get("tag") else {})}
                                  for target in service.get("traffic") or [{"type": LATEST, "percent": 100}]]


if scenario == "public":
    state["policy"]["bindings"] = [{"role": "roles/run.invoker", "members": ["allUsers"]}]
if scenario in ("update", "conflict", "fail", "held", "two", "public"):
    old = "h/r@sha256:" + "0" * 64
    add_revision("shop-00000", old, 0)
    add_revision("shop-00001", old, 1)
    state["service"] = {"name": PATH[4:], "etag": "e1", "description": "mine", "uri": "https://shop.run.app", "template": {
        "revision": "shop-00001", "containers": [{"image": old, "env": [{"name": "KEEP", "value": "1"}]}],
        "sessionAffinity": True}, "generation": "1", "observedGeneration": "1", "traffic": [{"type": LATEST, "percent": 100}],
        "latestReadyRevision": PATH[4:] + "/revisions/shop-00001", "latestCreatedRevision": PATH[4:] + "/revisions/shop-00001"}
    settle(state["service"])


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet: the client's kernel waits 40 ms before it asks for a second one

    def log_message(self, *_):
        pass

    def answer(self, status, body, flavor=False):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        log.write(json.dumps({**self.seen, "status": status, "reply": body if isinstance(body, dict) else None}) + "\n")
        self.send_response(status)
        if flavor:
            self.send_header("Metadata-Flavor", "Google")
        if status == 429:
            self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def metadata(self, path):
        if path.endswith("/email"):
            return self.answer(200, "dev@demo.iam.gserviceaccount.com", True)
        if path.endswith("/project-id"):
            return self.answer(200, "demo", True)
        state["tokens"] += 1
        return self.answer(200, {"access_token": f"t{state['tokens']}", "expires_in": 3599, "token_type": "Bearer"}, True)

    def patch(self, body):
        state["patches"] += 1
        if "validateOnly=true" in self.path:
            return self.answer(200, {"name": "projects/demo/locations/us-central1/operations/v", "done": True})
        if scenario == "conflict" and state["patches"] == 1:
            state["service"]["etag"] = "e2"
            state["service"]["description"] = "changed meanwhile"
            return self.answer(409, {"error": {"code": 409, "status": "ABORTED", "message": "etag mismatch"}})
        mask = self.path.split("updateMask=")[1].split("&")[0].split("%2C")
        service = {**(state["service"] or {}), **{key: body[key] for key in mask if key in body}}
        service.setdefault("traffic", [{"type": LATEST, "percent": 100}])
        service.update(name=PATH[4:], uri="https://shop.run.app", etag=f"e{state['patches'] + 2}")
        if "template" in mask:
            name = body["template"]["revision"]
            if name in state["revisions"]:
                return self.answer(400, {"error": {"code": 400, "status": "INVALID_ARGUMENT",
                                                   "message": f"Revision named '{name}' with different configuration already exists."}})
            add_revision(name, body["template"]["containers"][0]["image"], state["patches"] + 1)
            service["latestCreatedRevision"] = PATH[4:] + "/revisions/" + name
            if scenario != "fail":
                service["latestReadyRevision"] = service["latestCreatedRevision"]
        settle(service)
        state["service"] = service
        return self.answer(200, {"name": "projects/demo/locations/us-central1/operations/o1", "done": False})

    def operation(self):
        state["polls"] += 1
        done = state["polls"] > 1
        reply = {"name": "projects/demo/locations/us-central1/operations/o1", "done": done}
        if done and scenario == "fail":
            reply["error"] = FAILED
        return self.answer(200, reply)

    def handle_any(self):
        state["requests"] += 1
        kills = state["requests"] == int(kill_number)
        if kills and kill_when == "before":
            return os.kill(int(open("victim").read()), signal.SIGKILL)
        self.handle_one()
        if kills:
            os.kill(int(open("victim").read()), signal.SIGKILL)

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(body) if body else None
        path = self.path.split("?")[0]
        self.seen = {"method": self.command, "path": self.path, "token": self.headers.get("Authorization"),
                     "project": self.headers.get("x-goog-user-project"), "body": body}
        if path.startswith("/computeMetadata/"):
            return self.metadata(path)
        if scenario == "expired" and self.headers.get("Authorization") == "Bearer t1":
            return self.answer(401, {"error": {"code": 401, "status": "UNAUTHENTICATED", "message": "expired"}})
        if path.endswith("/services:batchGet"):
            names = urllib.parse.parse_qs(self.path.split("?")[1])["names"]
            return self.answer(200, {"services": [{"name": n.replace("demo", "123"), "state": "ENABLED" if n.split("/")[-1] in state["apis"] else "DISABLED"} for n in names]})
        if path.endswith("/services:batchEnable"):
            state["enabling"] = body["serviceIds"]
            return self.answer(200, {"name": "operations/acf.1", "done": False})
        if path == "/v1/operations/acf.1":
            state["apis"] += state["enabling"]
            return self.answer(200, {"name": "operations/acf.1", "done": True, "response": {}})
        if scenario == "disabled" and "run.googleapis.com" not in state["apis"]:
            return self.answer(403, {"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "API is off", "details": [
                {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED",
                 "domain": "googleapis.com", "metadata": {"service": "run.googleapis.com"}}]}})
        if scenario == "busy" and state["busy"] < 2:
            state["busy"] += 1
            return self.answer(503, {"error": {"code": 503, "status": "UNAVAILABLE", "message": "later"}})
        if path == "/v2/entries:list":
            return self.answer(200, {"entries": [{"insertId": "i1", "timestamp": "2026-11-24T06:00:00.5Z", "textPayload": "INFO: Uvicorn running on http://127.0.0.1:8080"}]})
        if path.endswith(":getIamPolicy"):
            return self.answer(200, state["policy"])
        if path.endswith(":setIamPolicy"):
            state["policy"] = body["policy"]
            return self.answer(200, state["policy"])
        if "/operations/" in path and scenario == "lost":
            return self.answer(404, {"error": {"code": 404, "status": "NOT_FOUND", "message": "Operation not found."}})
        if path.endswith(":wait") and scenario == "slow":
            log.write(json.dumps({**self.seen, "status": 0, "reply": None}) + "\n")
            return time.sleep(60)
        if self.command == "PATCH" and scenario == "quota":
            return self.answer(429, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED",
                                               "message": "Quota exceeded for quota metric 'Write requests' and limit 'Write requests per minute per region'"}})
        if "/operations/" in path:
            return self.operation()
        if "/revisions/" in path:
            found = state["revisions"].get(path.split("/")[-1])
            return self.answer(200, found) if found else self.answer(404, {"error": {
                "code": 404, "status": "NOT_FOUND", "message": "Resource of kind 'REVISION' does not exist."}})
        if path.endswith("/revisions"):
            return self.answer(200, {"revisions": sorted(state["revisions"].values(), key=lambda r: r["createTime"], reverse=True)})
        if path.endswith("/services") and self.command == "GET":
            return self.answer(200, {"services": [state["service"]]} if state["service"] else {})
        if self.command == "DELETE" and state["service"]:
            state["service"] = None
            return self.answer(200, {"name": "projects/demo/locations/us-central1/operations/o1", "done": False})
        if self.command == "PATCH":
            return self.patch(body)
        if path == PATH and state["service"]:
            return self.answer(200, state["service"])
        return self.answer(404, {"error": {"code": 404, "status": "NOT_FOUND", "message": "Resource 'shop' was not found."}})

    do_GET = do_POST = do_PATCH = do_DELETE = handle_any


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
