#!/usr/bin/env python3
"""The servers that a sign-in asks, on loopback: GitHub's request endpoint, the Security Token Service, IAM Credentials,
the OAuth token endpoint, the metadata servers of Google and of AWS, the permissions of Resource Manager. Behaves as the
words in argv[1] say; prints its port, then appends one line of JSON for each request to the file argv[2]. Other
arguments are NAME=VALUE: life=SECONDS of the tokens (3600), token=TEXT that access tokens begin with (ya29.),
tls=NAME (TLS with NAME.pem and NAME.key, for clients that have a certificate of ca=FILE).

Words, joined by commas.
 Identity: id-refused, id-html, id-none, id-cut, id-old, id-future, id-empty, id-busy (500 twice).
 Pool: sts-audience, sts-issuer, sts-aud, sts-condition, sts-size, sts-clock, sts-mapping, sts-disabled, sts-signature,
 sts-busy (500 twice), sts-down, sts-html, sts-none, sts-text.
 Hostile: sts-deep, sts-large, sts-dirty, sts-negative, sts-forever, sts-number, sts-cut.
 Impersonation: iam-denied, iam-missing, iam-off, iam-long, iam-busy, iam-past.
 OAuth: oauth-revoked, oauth-again (a reauthentication is needed), oauth-html, oauth-clock.
 Everything: echo (errors that repeat what was sent), slow (nothing is ever answered but an identity).
 Permissions: lacks=A+B are not granted."""
import base64, http.server, json, ssl, sys, time, urllib.parse

words, log = set(sys.argv[1].split(",")), open(sys.argv[2], "a", buffering=1)
settings = dict(argument.split("=", 1) for argument in sys.argv[3:])
token = settings.get("token", "ya29.")
life = int(settings.get("life", 3600))
lacking = set(settings.get("lacks", "").split("+"))
count = {}
STS_ERRORS = {
    "sts-audience": (400, "invalid_request", 'Invalid value for "audience". This value should be the full resource name of the Identity Provider.'),
    "sts-issuer": (400, "invalid_grant", "The issuer in ID Token https://token.actions.githubusercontent.com does not match the expected ones: https://gitlab.com"),
    "sts-aud": (400, "invalid_grant", "The audience in ID Token [https://x] does not match the expected audience https://y."),
    "sts-condition": (401, "unauthorized_client", "The given credential is rejected by the attribute condition."),
    "sts-size": (400, "invalid_grant", "The size of mapped attribute exceeds the 127 bytes limit."),
    "sts-clock": (400, "invalid_grant", "ID Token issued at 1 is stale to sign-in."),
    "sts-mapping": (400, "invalid_grant", "Unable to compute mapped attribute google.subject."),
    "sts-disabled": (400, "invalid_target", "The target service indicated by the \"audience\" parameters is disabled."),
    "sts-signature": (400, "invalid_grant", "Error connecting to the given credential's issuer: the signature is wrong."),
}


def part(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def identity(audience):
    now = int(time.time()) + (-4000 if "id-old" in words else 4000 if "id-future" in words else 0)
    claims = {"iss": "https://token.actions.githubusercontent.com", "sub": "repo:octo/shop:ref:refs/heads/main", "aud": audience,
              "repository": "octo/shop", "repository_owner": "octo", "ref": "refs/heads/main", "iat": now, "exp": now + 300}
    jwt = part({"alg": "RS256", "kid": "k"}) + "." + part(claims) + "." + part({"n": count.get("identity", 0)})
    return jwt[:40] if "id-cut" in words else jwt


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet: the client's kernel waits 40 ms before it asks for a second one

    def log_message(self, *_):
        pass

    def answer(self, status, body, **headers):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if not isinstance(body, str):
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def status(self, code, status, message, **details):
        body = {"code": code, "status": status, "message": message}
        if details:
            body["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "domain": "googleapis.com", **details}]
        return self.answer(code, {"error": body})

    def busy(self, what, word):
        count[what] = count.get(what, 0) + 1
        if word in words and count[what] <= 2:
            self.answer(500, "busy", Retry_After="0")
            return True
        return False

    def github(self, query):
        if self.busy("identity", "id-busy"):
            return None
        if "id-refused" in words:
            return self.answer(400, "Can't issue ID_TOKEN for job in 'Completed' state.")
        if "id-html" in words:
            return self.answer(200, "<!doctype html><title>Sign in</title>")
        if "id-none" in words:
            return self.answer(200, {"count": 0})
        return self.answer(200, {"value": "" if "id-empty" in words else identity(query["audience"][0]), "count": 1})

    def sts(self):
        if self.busy("sts", "sts-busy"):
            return None
        for word, (status, code, text) in STS_ERRORS.items():
            if word in words:
                return self.answer(status, {"error": code, "error_description": text})
        if "sts-down" in words:
            return self.answer(500, "<html>oops</html>", Retry_After="0")
        if "sts-html" in words:
            return self.answer(200, "<html>Welcome to the hotel's network</html>")
        if "sts-text" in words:
            return self.answer(200, "no JSON at all")
        hostile = {"sts-deep": '{"access_token": ' + "[" * 100000, "sts-large": json.dumps({"access_token": "a" * (2 << 20)}),
                   "sts-dirty": {"access_token": "a\nAuthorization: b", "expires_in": 9}, "sts-negative": {"access_token": "a", "expires_in": -1},
                   "sts-forever": {"access_token": "a", "expires_in": 1 << 62}, "sts-number": {"access_token": 7, "expires_in": 9},
                   "sts-cut": '{"access_token": "a", "expi'}
        for word in words & hostile.keys():
            return self.answer(200, hostile[word])
        if "sts-none" in words:
            return self.answer(200, {"token_type": "Bearer", "expires_in": life})
        return self.answer(200, {"access_token": (token + "federated-" if "token" in settings else "federated.") + "%d" % count["sts"], "token_type": "Bearer", "expires_in": life,
                                 "issued_token_type": "urn:ietf:params:oauth:token-type:access_token"})

    def impersonate(self, body):
        if self.busy("iam", "iam-busy"):
            return None
        if "iam-denied" in words:
            return self.status(403, "PERMISSION_DENIED", "Permission 'iam.serviceAccounts.getAccessToken' denied on resource (or it may not exist).",
                               reason="IAM_PERMISSION_DENIED", metadata={"permission": "iam.serviceAccounts.getAccessToken"})
        if "iam-missing" in words:
            return self.status(404, "NOT_FOUND", "Not found; Gaia id not found for email")
        if "iam-off" in words:
            return self.status(403, "PERMISSION_DENIED", "IAM Service Account Credentials API has not been used in project 7 before or it is disabled.",
                               reason="SERVICE_DISABLED", metadata={"service": "iamcredentials.googleapis.com", "consumer": "projects/7"})
        if "iam-long" in words:
            return self.status(400, "INVALID_ARGUMENT", "The access token lifetime cannot exceed 3600 seconds.")
        if self.path.endswith(":generateIdToken"):
            now = int(time.time())
            return self.answer(200, {"token": part({"alg": "RS256"}) + "." + part({"aud": body["audience"], "iss": "https://accounts.google.com", "sub": "1",
                                                                                   "iat": now, "exp": now + life}) + ".c2ln"})
        end = time.gmtime(time.time() + (-60 if "iam-past" in words else life))
        return self.answer(200, {"accessToken": token + "%d" % count["iam"], "expireTime": time.strftime("%Y-%m-%dT%H:%M:%SZ", end)})

    def oauth(self, form):
        count["oauth"] = count.get("oauth", 0) + 1
        if "oauth-revoked" in words:
            return self.answer(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})
        if "oauth-again" in words:
            return self.answer(400, {"error": "invalid_grant", "error_description": "reauth related error (invalid_rapt)", "error_subtype": "invalid_rapt"})
        if "oauth-html" in words:
            return self.answer(200, "<html></html>")
        if "oauth-clock" in words:
            return self.answer(400, {"error": "invalid_grant", "error_description": "Invalid JWT: Token must be a short-lived token (60 minutes) and in a "
                                     "reasonable timeframe. Check your iat and exp values in the JWT claim."})
        reply = {"access_token": token + "%d" % count["oauth"], "token_type": "Bearer", "expires_in": life}
        if "target_audience" in json.dumps(form):
            now = int(time.time())
            reply = {"id_token": part({"alg": "RS256"}) + "." + part({"aud": form["assertion"]["target_audience"], "iat": now, "exp": now + life}) + ".c2ln"}
        return self.answer(200, reply)

    def metadata(self, path):
        if path.endswith("/email"):
            return self.answer(200, "default@demo.iam.gserviceaccount.com", Metadata_Flavor="Google")
        if path.endswith("/project-id"):
            return self.answer(200, "demo", Metadata_Flavor="Google")
        if path.endswith("/identity"):
            now = int(time.time())
            return self.answer(200, part({"alg": "RS256"}) + "." + part({"aud": "x", "iat": now, "exp": now + life}) + ".c2ln", Metadata_Flavor="Google")
        count["metadata"] = count.get("metadata", 0) + 1
        return self.answer(200, {"access_token": token + "%d" % count["metadata"], "expires_in": life, "token_type": "Bearer"}, Metadata_Flavor="Google")

    def aws(self, path):
        if path == "/aws/token":
            return self.answer(200, "session")
        if path == "/aws/zone":
            return self.answer(200, "eu-central-1a")
        if path == "/aws/roles":
            return self.answer(200, "builder")
        return self.answer(200, {"AccessKeyId": "AKIDEXAMPLE", "SecretAccessKey": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "Token": "sessiontoken",
                                 "Code": "Success", "Expiration": "2099-01-01T00:00:00Z"})

    def decode(self, body):
        """A form or JSON as an object; an assertion as its claims."""
        if not body:
            return None
        if "json" in self.headers.get("Content-Type", ""):
            return json.loads(body)
        form = {name: values[0] for name, values in urllib.parse.parse_qs(body.decode(), strict_parsing=True, keep_blank_values=True).items()}
        if "assertion" in form:
            header, claims, _ = form["assertion"].split(".")
            read = lambda text: json.loads(base64.urlsafe_b64decode(text + "=="))
            form["assertion"] = {"header": read(header), **read(claims)}
        return form

    def handle_any(self):
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = self.decode(raw)
        path, _, query = self.path.partition("?")
        kept = ("Authorization", "Content-Type", "Metadata-Flavor", "X-Goog-User-Project", "X-Test", "X-aws-ec2-metadata-token")
        log.write(json.dumps({"method": self.command, "path": self.path, "body": body,
                              "headers": {name: self.headers[name] for name in kept if self.headers[name]}}) + "\n")
        query = urllib.parse.parse_qs(query)
        if "slow" in words and path not in ("/github", "/identity"):
            time.sleep(600)
        if "echo" in words and path != "/identity":
            sent = raw.decode() + urllib.parse.unquote_plus(raw.decode()) + " " + self.headers.get("Authorization", "")
            return self.answer(400, {"error": "invalid_grant", "error_description": sent[-700:]})
        if path in ("/github", "/identity"):
            return self.github({"audience": ["https://iam.googleapis.com/test"], **query})
        if path == "/v1/token":
            return self.sts()
        if path == "/v1/oauthtoken":
            return self.oauth(body)
        if path == "/token":
            return self.oauth(body)
        if "/serviceAccounts/" in path and not path.endswith(":testIamPermissions"):
            return self.impersonate(body)
        if path == "/v1/projects/123":
            return self.answer(200, {"projectNumber": "123", "projectId": "of-the-pool"})
        if path.endswith(":testIamPermissions"):
            granted = [name for name in body["permissions"] if name not in lacking]
            return self.answer(200, {"permissions": granted} if granted else {})
        if path.startswith("/computeMetadata/"):
            return self.metadata(path)
        if path.startswith("/aws/"):
            return self.aws(path)
        return self.status(404, "NOT_FOUND", "no such thing: " + path)

    do_GET = do_POST = do_PUT = handle_any


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
if "tls" in settings:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=settings["ca"])
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(settings["tls"] + ".pem", settings["tls"] + ".key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
