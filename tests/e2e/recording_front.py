#!/usr/bin/env python3
"""recording_front.py CLOUD LOG: stands in front of the local cloud, prints its own URL, and writes every exchange to LOG as
tests/wire/discovery.py reads it. A form to the token exchange is written as the JSON that it stands for."""
import http.client, http.server, json, sys, threading, urllib.parse

cloud, log = sys.argv[1:3]
host = cloud[len("http://"):]
lock = threading.Lock()


def parsed(data):
    try:
        return json.loads(data)
    except ValueError:
        return None


def camel_case(name):
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


class Front(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet: the client's kernel waits 40 ms before it asks for a second one

    def log_message(self, *arguments):
        pass

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def record(self, body, status, reply):
        if self.path.startswith("/v2/") and not self.path.startswith("/v2/projects/"):
            return  # the registry
        shown = parsed(body) if body else None
        if self.path == "/v1/token" and self.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
            shown = {camel_case(name): value for name, value in urllib.parse.parse_qsl(body.decode())}
        with lock, open(log, "a") as file:
            file.write(json.dumps({"method": self.command, "path": self.path, "body": shown, "status": status, "reply": parsed(reply)}) + "\n")

    def forward(self):
        url = urllib.parse.urlsplit(self.path)
        if url.scheme:  # a client that takes this for its proxy
            self.path = urllib.parse.urlunsplit(("", "", *url[2:]))
        connection = http.client.HTTPConnection(host)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "transfer-encoding", "content-length", "connection", "accept-encoding")}
        if url.scheme:
            headers["Host"] = url.netloc
        body = self.read_body()
        connection.request(self.command, self.path, body, headers)
        response = connection.getresponse()
        reply = response.read()
        self.record(body, response.status, reply)
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply if self.command != "HEAD" else b"")
        self.wfile.flush()

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = forward


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
server.serve_forever()
