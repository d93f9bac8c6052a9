#!/usr/bin/env python3
"""compare_hosting.py CLOUD TOKEN CASES DIRECTORY ANSWERS DIFFERENCES

Deploys every case of hosting_cases.jsonl to the local cloud, asks what superstatic was asked (ANSWERS, from
superstatic_answers.js), and compares status, Location, the configured headers and the body. What differs must stand in
hosting_differences.jsonl, with its reason; what stands there must differ."""
import gzip, hashlib, http.client, json, os, sys, urllib.error, urllib.request

cloud, token, cases, directory, answers, differences = sys.argv[1:7]
host = cloud[len("http://"):]
port = host.split(":")[1]
SITE = "cases"


def ask(method, path, body=None):
    data = body if isinstance(body, bytes) else json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(path if path.startswith("http") else cloud + path, data, method=method)
    request.add_header("Authorization", "Bearer " + token)
    try:
        return json.load(urllib.request.urlopen(request))
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{method} {path}: {error.code} {error.read().decode()}")


def read_files():
    files, content = {}, {}
    for folder, _, names in os.walk(directory):
        for name in names:
            full = os.path.join(folder, name)
            data = gzip.compress(open(full, "rb").read(), 9, mtime=0)
            files["/" + os.path.relpath(full, directory)] = hashlib.sha256(data).hexdigest()
            content[hashlib.sha256(data).hexdigest()] = data
    return files, content


def api_config(config):
    """firebase.json as the API has it, as firebase-tools converts it."""
    def pattern(rule):
        return {"regex": rule["regex"]} if "regex" in rule else {"glob": rule["source"]}
    out = {k: config[k] for k in ("cleanUrls", "i18n", "appAssociation") if k in config}
    if "trailingSlash" in config:
        out["trailingSlashBehavior"] = "ADD" if config["trailingSlash"] else "REMOVE"
    if "rewrites" in config:
        out["rewrites"] = [dict(pattern(r), path=r["destination"]) for r in config["rewrites"]]
    if "redirects" in config:
        out["redirects"] = [dict(pattern(r), location=r["destination"], statusCode=r["type"]) for r in config["redirects"]]
    if "headers" in config:
        out["headers"] = [dict(pattern(r), headers={h["key"]: h["value"] for h in r["headers"]}) for r in config["headers"]]
    return out


def release(config, files, content):
    version = ask("POST", f"/v1beta1/sites/{SITE}/versions", {"config": api_config(config)})["name"]
    populated = ask("POST", f"/v1beta1/{version}:populateFiles", {"files": files})
    for digest in populated.get("uploadRequiredHashes", []):
        ask("POST", populated["uploadUrl"] + "/" + digest, content[digest])
    ask("PATCH", f"/v1beta1/{version}?updateMask=status", {"status": "FINALIZED"})
    ask("POST", f"/v1beta1/sites/{SITE}/releases?versionName={version}", {})


def visit(path, headers):
    connection = http.client.HTTPConnection("127.0.0.1", int(port))
    connection.putrequest("GET", path, skip_host=True)
    for name, value in {"Host": f"{SITE}.localhost:{port}", **headers}.items():
        connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    answer = {"status": response.status, "headers": {k.lower(): v for k, v in response.getheaders()},
              "body": response.read().decode("latin1")}
    connection.close()
    return answer


def reduce(answer, configured):
    """What is compared of an answer."""
    headers = answer["headers"]
    out = {"status": answer["status"]}
    if "location" in headers:
        out["location"] = headers["location"]
    else:
        # Both have a page of their own where the site has none.
        out["body"] = answer["body"] if len(answer["body"]) < 60 else "(a page of the server's)"
    for name in configured:
        if name in headers:
            out[name] = headers[name]
    return out


def main():
    known = {}
    for line in open(differences, encoding="utf-8"):
        one = json.loads(line)
        known[(one["case"], one["path"], json.dumps(one.get("visitor", {})))] = one["here"]
    theirs = {}
    for line in open(answers, encoding="utf-8"):
        one = json.loads(line)
        theirs[(one["case"], one["path"], json.dumps(one["visitor"]))] = one
    files, content = read_files()
    ask("POST", f"/v1beta1/projects/-/sites?siteId={SITE}", {})
    wrong = asked = count = 0
    for line in open(cases, encoding="utf-8"):
        case = json.loads(line)
        count += 1
        release(case["config"], files, content)
        configured = {h["key"].lower() for r in case["config"].get("headers", []) for h in r["headers"]}
        for visitor in case.get("visitors", [{}]):
            for path in case["paths"]:
                key = (case["case"], path, json.dumps(visitor))
                asked += 1
                ours, other = reduce(visit(path, visitor), configured), reduce(theirs[key], configured)
                expected = known.pop(key, other)
                if ours == expected and (expected is other or ours != other):
                    continue
                wrong += 1
                print(json.dumps({"case": case["case"], "path": path, "visitor": visitor, "here": ours, "superstatic": other}))
    for key in known:
        wrong += 1
        print(f"no longer asked: {key}")
    print(f"{count} cases, {asked} requests, {wrong} wrong")
    sys.exit(1 if wrong else 0)


main()
