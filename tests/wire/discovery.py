#!/usr/bin/env python3
"""Checks requests and replies against Google's discovery documents.

    discovery.py FOLDER [--replies | --answers] LOG...     FOLDER holds the documents of APIS; prints what is wrong

A LOG has one line of JSON for each request: method, path, body, status, reply. What no document describes (uploads, the
metadata server) is left out. With --replies the requests were wrong on purpose: only those that were taken are checked. With --answers the requests are
not ours: none is checked. Unknown fields, wrong types, values that an enum has not, query parameters that the method
has not, and fields that only Google may write are errors; so is an error reply that has not Google's form."""
import json, re, sys, urllib.parse

# signBlob and signJwt are in two of them, at the same paths: the first one counts.
APIS = ("iamcredentials.v1", "artifactregistry.v1", "cloudresourcemanager.v1", "firebase.v1beta1", "firebasehosting.v1beta1", "iam.v1", "identitytoolkit.v1",
        "identitytoolkit.v2", "logging.v2", "run.v2", "secretmanager.v1", "serviceusage.v1", "sts.v1", "run.v1")
STANDARD = {"$.xgafv", "access_token", "alt", "callback", "fields", "key", "oauth_token", "prettyPrint", "quotaUser", "uploadType", "upload_protocol"}


class Document:
    def __init__(self, path):
        with open(path) as file:
            self.data = json.load(file)
        self.schemas = self.data["schemas"]
        self.methods = []
        self.collect(self.data)

    def collect(self, node):
        for method in node.get("methods", {}).values():
            # A resource name ends where the method's verb begins.
            pattern = re.sub(r"\{[^}]+\}", "([^/:]+)", method["flatPath"].replace(".", r"\."))
            self.methods.append((method["httpMethod"], re.compile(pattern), method))
        for child in node.get("resources", {}).values():
            self.collect(child)

    def find(self, verb, path):
        for method, pattern, description in self.methods:
            if method == verb and pattern.fullmatch(path):
                return description
        return None

    def check(self, value, schema, where, is_request):
        """Yields what is wrong with a value."""
        if value is None and is_request:  # gcloud writes null for what it has not
            return
        if "$ref" in schema:
            yield from self.check(value, self.schemas[schema["$ref"]], where, is_request)
            return
        kind = schema.get("type")
        if kind == "object":
            if not isinstance(value, dict):
                yield f"{where} is no object"
                return
            properties, others = schema.get("properties", {}), schema.get("additionalProperties")
            for key, item in value.items():
                if key in properties:
                    if is_request and (properties[key].get("readOnly") or
                                       properties[key].get("description", "").startswith("Output only")):
                        yield f"{where}.{key} is only for output"
                    yield from self.check(item, properties[key], f"{where}.{key}", is_request)
                elif others:
                    yield from self.check(item, others, f"{where}.{key}", is_request)
                else:
                    yield f"{where} has an unknown field {key}"
        elif kind == "array":
            if not isinstance(value, list):
                yield f"{where} is no array"
                return
            for index, item in enumerate(value):
                yield from self.check(item, schema["items"], f"{where}[{index}]", is_request)
        else:
            yield from self.check_scalar(value, schema, kind, where)

    def check_scalar(self, value, schema, kind, where):
        if kind == "string":
            if not isinstance(value, str):
                yield f"{where} is no string"
            elif "enum" in schema and value not in schema["enum"]:
                yield f"{where} is {value}, which the enum has not"
            elif schema.get("format") in ("int64", "uint64") and not re.fullmatch(r"-?\d+", value):
                yield f"{where} is no int64"
            elif schema.get("format") == "google-datetime" and not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value):
                yield f"{where} is no time: {value}"
            elif schema.get("format") == "google-duration" and not re.fullmatch(r"\d+(\.\d+)?s", value):
                yield f"{where} is no duration: {value}"
        elif kind == "integer" and (not isinstance(value, int) or isinstance(value, bool)):
            yield f"{where} is no integer"
        elif kind == "number" and not isinstance(value, (int, float)):
            yield f"{where} is no number"
        elif kind == "boolean" and not isinstance(value, bool):
            yield f"{where} is no boolean"


def check_query(method, query):
    for name, value in query:
        parameter = method.get("parameters", {}).get(name)
        if name not in STANDARD and (not parameter or parameter["location"] != "query"):
            yield f"unknown query parameter {name}"
        elif parameter and parameter["type"] == "integer" and not re.fullmatch(r"\d+", value):
            yield f"query parameter {name} is no integer"
        elif parameter and parameter["type"] == "boolean" and value not in ("true", "false"):
            yield f"query parameter {name} is no boolean"


def check_error(path, reply):
    if path == "v1/token":  # the token exchange speaks OAuth (RFC 6749)
        if not isinstance(reply, dict) or not isinstance(reply.get("error"), str) or not isinstance(reply.get("error_description"), str):
            yield f"the error has not OAuth's form: {json.dumps(reply)[:200]}"
        return
    error = reply.get("error") if isinstance(reply, dict) else None
    if not isinstance(error, dict) or not isinstance(error.get("code"), int) or not isinstance(error.get("message"), str) \
            or not (isinstance(error.get("status"), str) or isinstance(error.get("errors"), list)):
        yield f"the error has not Google's form: {json.dumps(reply)[:200]}"


def check_entry(documents, entry, replies_only, answers_only):
    url = urllib.parse.urlsplit(entry["path"])
    path = urllib.parse.unquote(url.path).lstrip("/")
    for host in ("admin/", "identitytoolkit.googleapis.com/"):
        path = path.removeprefix(host)
    version = path.split("/")[0]
    found = None
    for document in documents:
        found = found or next(((document, m) for m in [document.find(entry["method"], path)] if m), None)
    if not found:
        if version in ("apis", "v1beta1", "v2") and not (replies_only and entry["status"] >= 400):
            yield "no method has this path"
        return
    document, method = found
    if replies_only and entry["status"] >= 400:
        yield from check_error(path, entry["reply"])
        return
    if not answers_only:
        yield from check_request(document, method, url, entry)
    if entry["status"] >= 400:
        yield from check_error(path, entry["reply"])
    elif entry["reply"] is not None:
        yield from document.check(entry["reply"], {**method["response"]}, "reply", False)


def check_request(document, method, url, entry):
    yield from check_query(method, urllib.parse.parse_qsl(url.query, keep_blank_values=True))
    if entry["body"] is not None and "request" not in method:
        yield "the method takes no body"
    elif entry["body"] is not None:
        yield from document.check(entry["body"], {**method["request"]}, "body", True)


def main():
    replies_only = "--replies" in sys.argv
    answers_only = "--answers" in sys.argv
    folder, *logs = [word for word in sys.argv[1:] if not word.startswith("--")]
    documents = [Document(f"{folder}/{api}.json") for api in APIS]
    count, problems = 0, set()
    for log in logs:
        with open(log) as file:
            for line in file:
                entry = json.loads(line)
                count += 1
                for problem in check_entry(documents, entry, replies_only, answers_only):
                    problems.add(f"{entry['method']} {entry['path'].split('?')[0]}: {problem}")
    for problem in sorted(problems):
        print(problem)
    print(f"{count} requests, {len(problems)} problems")
    sys.exit(1 if problems or not count else 0)


main()
