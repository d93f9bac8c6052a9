#!/usr/bin/env python3
"""compare_auth.py TYPE CLIENT OURS THEIRS: whether two logs of auth_server.py hold the same requests, field by field, order of
fields and user agent aside; times and signatures are compared by their form. Prints a line of the table. What may differ is
said in DIFFERENCES, and must differ as it says."""
import base64, json, re, sys, urllib.parse

kind, client, ours, theirs = sys.argv[1:]
CLOUD, IAM = "https://www.googleapis.com/auth/cloud-platform", "https://www.googleapis.com/auth/iam"
# (client, path ends with, field) -> (ours, theirs)
DIFFERENCES = {
    # The token that only serves to make another one: google-auth and gcloud ask for the scope of IAM alone, and so does pl.
    ("node", "/v1/token", "scope"): (IAM, CLOUD),
    # google-auth names a scope with a refresh token, google-auth-library no key and no type in an assertion.
    ("python", "/token", "scope"): (None, CLOUD),
    ("python", "/token", "scope", "of a source"): (None, IAM),
    ("node", "/token", "assertion header"): ({"alg": "RS256", "typ": "JWT", "kid": "k1"}, {"alg": "RS256"}),
    # google-auth sends an empty list of delegates, and percent-encodes the options twice.
    ("python", ":generateAccessToken", "delegates"): (None, []),
    ("node", ":generateAccessToken", "delegates"): (None, []),
    ("python", "/v1/token", "options"): ('{"userProject":"payer"}', "%7B%22userProject%22%3A%20%22payer%22%7D"),
}
SIGNED = "host;x-amz-date;x-amz-security-token"


def subject(value):
    if value.startswith("%7B"):
        request = json.loads(urllib.parse.unquote(value))
        headers = {h["key"].lower(): h["value"] for h in request["headers"]}
        headers["x-amz-date"] = len(headers["x-amz-date"])
        name, _, rest = headers["authorization"].partition(" ")
        fields = dict(part.strip().split("=", 1) for part in rest.split(","))
        fields["Signature"] = len(fields["Signature"])
        # pl signs the audience, too, which both libraries call recommended and leave out.
        fields["SignedHeaders"] = fields["SignedHeaders"].replace(SIGNED + ";x-goog-cloud-target-resource", SIGNED)
        return {**request, "headers": {**headers, "authorization": [name, fields]}}
    claims = json.loads(base64.urlsafe_b64decode(value.split(".")[1] + "=="))
    return {k: v for k, v in claims.items() if k not in ("iat", "exp")}


def normal(line):
    r = json.loads(line)
    body = dict(r["body"] or {})
    if "subject_token" in body:
        body["subject_token"] = subject(body["subject_token"])
    assertion = body.get("assertion")
    if assertion:
        body["assertion"] = {**{k: v for k, v in assertion.items() if k not in ("iat", "exp")}, "life": assertion["exp"] - assertion["iat"]}
        if isinstance(body["assertion"].get("scope"), list):
            body["assertion"]["scope"] = " ".join(body["assertion"]["scope"])
        # The file's token_uri, or the one that a library knows: in a file of Google's they are the same.
        if body["assertion"]["aud"].endswith("/token"):
            body["assertion"]["aud"] = "the token endpoint"
        body["assertion header"] = body["assertion"].pop("header")
    headers = {k: re.sub(r"[.][0-9]+$", "", v.split(";")[0]) for k, v in r["headers"].items()}
    return {"request": r["method"] + " " + r["path"], **{"header " + k: v for k, v in headers.items()}, **body}


def read(path):
    return [normal(line) for line in open(path)]


mine, other = read(ours), read(theirs)
wrong, allowed = [], []
if len(mine) != len(other):
    wrong.append("%d requests, not %d: %s / %s" % (len(mine), len(other), [r["request"] for r in mine], [r["request"] for r in other]))
for left, right in zip(mine, other):
    for field in sorted(left.keys() | right.keys()):
        pair = (left.get(field), right.get(field))
        if pair[0] == pair[1]:
            continue
        known = [value for (c, path, f, *_), value in DIFFERENCES.items() if c == client and left["request"].endswith(path) and f == field]
        if pair in known:
            allowed.append("%s: %s, theirs %s" % (field, *pair))
        else:
            wrong.append("%s of %s: %r, theirs %r" % (field, left["request"], *pair))
fields = sum(len(r) for r in mine)
print("%-34s %-7s %d requests, %d fields: %s" % (kind, client, len(mine), fields, "; ".join(wrong + allowed) or "the same"))
sys.exit(bool(wrong))
