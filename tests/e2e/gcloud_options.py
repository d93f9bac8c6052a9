#!/usr/bin/env python3
"""gcloud_options.py SDK CLOUD IMAGE ROWS [write]: what an option of gcloud makes of a service beside what pl-run-deploy's makes of it.

Each line of ROWS is JSON: the words of gcloud and of pl, and what each changes of the service in terms of the Admin API v2:
"makes", and when pl's differs "pl_makes" and the reason, "why". An option that pl has not has no "pl" and a "why". gcloud runs in this process and
changes the service "option" of the local cloud (whose image is not there, so that nothing is started), or its traffic that of
"serving", which has two revisions of IMAGE. pl-run-deploy is run with --dry-run, and what it asks the cloud to validate is what
it would make. Prints what is not as ROWS and docs/gcloud.md say; with `write`, both are written anew."""
import http.client, http.server, json, os, re, shlex, subprocess, sys, threading, urllib.parse

sdk, cloud, image, rows_file, *mode = sys.argv[1:]
sys.path[:0] = [f"{sdk}/lib", f"{sdk}/lib/third_party"]
sys.argv[1:] = []
host = cloud.removeprefix("http://")
HERE = os.path.dirname(os.path.abspath(__file__))
PARENT = "/v2/projects/pl-local/locations/us-central1/services"
IMAGE = f"{host}/pl-local/demo/none@sha256:" + "0" * 64
with open(f"{HERE}/gcloud_options_service.json") as file:
    BEFORE = json.loads(file.read().replace("IMAGE", IMAGE))
SERVER_SAYS = {"name", "uid", "etag", "generation", "observedGeneration", "createTime", "updateTime", "creator", "lastModifier", "conditions", "terminalCondition",
               "latestReadyRevision", "latestCreatedRevision", "trafficStatuses", "client", "clientVersion", "reconciling", "urls", "uri", "@type"}


def token():
    connection = http.client.HTTPConnection(host)
    connection.request("GET", "/computeMetadata/v1/instance/service-accounts/default/token", headers={"Metadata-Flavor": "Google"})
    return json.load(connection.getresponse())["access_token"]


TOKEN = token()
BASE = http.client.HTTPConnection(host)


def ask(method, path, body=None):
    BASE.request(method, path, json.dumps(body) if body is not None else None, {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"})
    response = BASE.getresponse()
    reply = json.load(response)
    if response.status >= 400:
        raise SystemExit(f"{method} {path}: {reply}")
    return reply


# ---- a service as lines ----

def name_volumes(template):
    """Volumes are called by where they are mounted: each tool makes up names of its own."""
    names = {mount["name"]: mount["mountPath"] for container in template.get("containers", []) for mount in container.get("volumeMounts", [])}
    for container in template.get("containers", []):
        for mount in container.get("volumeMounts", []):
            mount["name"] = names[mount["name"]]
    for volume in template.get("volumes", []):
        volume["name"] = names.get(volume["name"], volume["name"])


def key_of(item, index):
    if "type" in item:  # of the traffic: the two ways to say "latest" and "by name" apart, and tags
        return " ".join(filter(None, [item.get("revision", "latest"), item.get("tag")]))
    return item.get("mountPath") or item.get("name") or str(index)


def flatten(value, path, lines):
    if isinstance(value, dict) and value:
        for key, item in value.items():
            flatten(item, f"{path}.{key}" if path else key, lines)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for index, item in enumerate(value):
            flatten(item, f"{path}[{key_of(item, index)}]", lines)
    else:
        lines[path] = value
    return lines


def lines_of(service):
    text = json.dumps({key: value for key, value in service.items() if key not in SERVER_SAYS}).replace(IMAGE, "IMAGE")
    # Each tool has names of its own for new revisions.
    service = json.loads(re.sub(r'"revision": "(option|serving)-(?!first|second)[a-z0-9-]+"', r'"revision": "NEW"', text))
    template = service.get("template", {})
    for key in ("revision", "client", "clientVersion"):
        template.pop(key, None)
    template.get("labels", {}).pop("client.knative.dev/nonce", None)
    service.get("annotations", {}).pop("pl-previous-revision", None)
    name_volumes(template)
    return {key: value for key, value in flatten(service, "", {}).items() if value not in ({}, [])}


def difference(before, after):
    before, after = lines_of(before), lines_of(after)
    return {key: after.get(key) for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)}


# ---- gcloud ----

def gcloud(service, words):
    arguments = shlex.split(words.replace("IMAGE", IMAGE))
    track = [arguments.pop(0)] if words.startswith("beta ") else []
    command = arguments.pop(0) if not arguments[0].startswith("--") else "update"
    os.ftruncate(2, 0)
    try:
        CLI.Execute([*track, "run", "services", command, service, "--region", "us-central1", "--async", "--quiet", *arguments])
    except SystemExit as end:
        if end.code:
            with open("gcloud.out") as said:
                return said.read().strip().splitlines()[-1]
    return None


# ---- pl ----

class Front(http.server.BaseHTTPRequestHandler):
    """Passes on what pl-run-deploy asks, and keeps what the cloud says of a change that it would make. A change that is to be
    made is not: what traffic options ask for is kept as it was asked for."""
    protocol_version = "HTTP/1.1"
    before = would_be = None

    def log_message(self, *arguments):
        pass

    def forward(self):
        connection = http.client.HTTPConnection(host)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.command == "PATCH" and "validateOnly=true" not in self.path:
            asked = json.loads(body)
            mask = urllib.parse.parse_qs(self.path.partition("?")[2])["updateMask"][0].split(",")
            Front.would_be = {**Front.before, **{key: asked[key] for key in mask if key in asked}}
            return self.answer(403, [], json.dumps({"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "kept"}}).encode())
        headers = {key: value for key, value in self.headers.items() if key.lower() not in ("host", "content-length", "connection", "accept-encoding")}
        connection.request(self.command, self.path, body or None, headers)
        response = connection.getresponse()
        reply = response.read()
        if self.command == "PATCH":
            Front.would_be = json.loads(reply).get("response")
        self.answer(response.status, response.getheaders(), reply)

    def answer(self, status, headers, reply):
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    do_GET = do_POST = do_PATCH = forward


def pl(service, words):
    Front.would_be = None
    arguments = shlex.split(words.replace("IMAGE", IMAGE))
    # What only moves traffic cannot be tried; everything else is a deployment without an image.
    update = [] if {"--promote", "--traffic", "--rollback", "--set-tag", "--remove-tag"} & set(arguments) else ["--update", "--dry-run"]
    done = subprocess.run(["pl-run-deploy", service, "--region", "us-central1", "-q", *update, *arguments], env=ENVIRONMENT, text=True,
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    return done


# ---- the rows ----

LATEST, REVISION = "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION"


def wait(operation):
    """The operation of a rollout that goes well."""
    done = ask("POST", f"/v2/{operation['name']}:wait", {"timeout": "60s"})
    if "response" not in done:
        raise SystemExit(f"the service is not ready: {done}")


def prepare():
    """Both services as they are before each row."""
    template = {**BEFORE["template"], "revision": "option-first"}
    ask("POST", f"{PARENT}?serviceId=option", {**BEFORE, "traffic": BEFORE["traffic"][:1], "template": template})
    ask("PATCH", f"{PARENT}/option?updateMask=traffic", BEFORE)
    serving = {"template": {"revision": "serving-first", "containers": [{"image": image}]}}
    wait(ask("POST", f"{PARENT}?serviceId=serving", serving))
    serving["template"] = {"revision": "serving-second", "containers": [{"image": image, "env": [{"name": "A", "value": "1"}]}]}
    serving["traffic"] = [{"type": LATEST, "percent": 100}, {"type": REVISION, "revision": "serving-first", "tag": "old"}]
    wait(ask("PATCH", f"{PARENT}/serving", serving))
    return {service: ask("GET", f"{PARENT}/{service}") for service in ("option", "serving")}


def restore(service, before, now):
    if difference(before, now):
        fields = sorted((before.keys() | now.keys()) - SERVER_SAYS)
        template = {key: value for key, value in before["template"].items() if key != "revision"}
        ask("PATCH", f"{PARENT}/{service}?updateMask={','.join(fields)}",
            {key: value for key, value in before.items() if key not in SERVER_SAYS} | {"template": template})


def check(row):
    """What is wrong with a row; it is brought up to date."""
    wrong = []
    service = "serving" if "traffic" in row["gcloud"] else "option"
    before = Front.before = BEFORE_EACH[service]
    refusal = gcloud(service, row["gcloud"])
    now = ask("GET", f"{PARENT}/{service}")
    made = refusal or difference(before, now)
    restore(service, before, now)
    if row.get("makes") != made:
        wrong.append(f"gcloud {row['gcloud']}: {json.dumps(made)}")
    row["makes"] = made
    if "pl" in row:
        done = pl(service, row["pl"])
        would = difference(before, Front.would_be) if Front.would_be else {} if not done.returncode else f"exit {done.returncode}: {done.stderr}"
        if row.get("pl_makes", row["makes"]) != would or ("pl_makes" in row) != ("why" in row):
            wrong.append(f"pl-run-deploy {row['pl']}: {json.dumps(would)}; gcloud {row['gcloud']}: {json.dumps(made)}")
        row.pop("pl_makes", None)
        if would != made:
            row["pl_makes"] = would
    elif not row.get("why"):
        wrong.append(f"gcloud {row['gcloud']}: no option of pl's and no reason")
    return wrong


def document(rows):
    """docs/gcloud.md"""
    def shown(words):
        words = words.replace("|", "\\|")
        return f"`{words}`" if words else ""

    lines = ["# gcloud's options and pl's", "",
             "What `gcloud run services update OPTIONS` (`deploy` has the same), or `update-traffic`, does to a service, and what",
             "`pl-run-deploy OPTIONS` does (with an image, or with `--update` and without one). A test runs both against the local cloud and compares the",
             "services: where nothing is said, they are the same. The commands are in [coming from gcloud](from-gcloud.md).", "", "| gcloud | pl-run-deploy | |", "|---|---|---|"]
    lines += [f"| {shown(row['gcloud'])} | {shown(row.get('pl', ''))} | {row.get('why', '')} |" for row in rows]
    return "\n".join(lines) + "\n"


DOCUMENT = f"{HERE}/../../docs/gcloud.md"
with open(rows_file) as file:
    rows = [json.loads(line) for line in file if line.strip()]
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
threading.Thread(target=server.serve_forever, daemon=True).start()
front = f"http://127.0.0.1:{server.server_address[1]}"
# A key is for the cloud's own address: behind the front, pl asks the metadata server.
ENVIRONMENT = {**os.environ, "PL_CLOUD_URL": front, "GCE_METADATA_HOST": front.removeprefix("http://")}
del ENVIRONMENT["GOOGLE_APPLICATION_CREDENTIALS"]
from googlecloudsdk import gcloud_main

CLI = gcloud_main.CreateCLI([])
answers = os.fdopen(os.dup(1), "w", buffering=1)
os.dup2(os.open("gcloud.out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600), 1)
os.dup2(1, 2)
BEFORE_EACH = prepare()
wrong = [problem for row in rows for problem in check(row)]
if mode == ["write"]:
    with open(rows_file, "w") as file:
        for row in rows:
            order = ("gcloud", "pl", "makes", "pl_makes", "why")
            print(json.dumps({key: row[key] for key in order if key in row}), file=file)
    with open(DOCUMENT, "w") as file:
        file.write(document(rows))
elif open(DOCUMENT).read() != document(rows):
    wrong.append("docs/gcloud.md is not current: PL_GOLDEN=write TEST=test_options_of_gcloud_and_of_pl bash tests/e2e/test_gcloud_run.sh")
print("\n".join(wrong), file=answers) if wrong else None
print(f"{len(rows)} options, {sum('pl_makes' in row for row in rows)} differ, {sum('pl' not in row for row in rows)} without one of pl's", file=answers)
sys.exit(1 if wrong else 0)
