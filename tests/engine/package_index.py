#!/usr/bin/env python3
"""A package index on loopback that wants a login, with one package, "only-here" 1.0.

    package_index.py USER:PASSWORD    prints its port, then serves
"""
import base64
import hashlib
import io
import sys
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

METADATA = "Metadata-Version: 2.1\nName: only-here\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
FILES = {"only_here.py": "WHERE = 'the private index'\n", "only_here-1.0.dist-info/METADATA": METADATA, "only_here-1.0.dist-info/WHEEL": WHEEL}


def wheel():
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        record = ""
        for name, text in FILES.items():
            archive.writestr(name, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
            record += f"{name},sha256={digest},{len(text)}\n"
        archive.writestr("only_here-1.0.dist-info/RECORD", record + "only_here-1.0.dist-info/RECORD,,\n")
    return data.getvalue()


class Handler(BaseHTTPRequestHandler):
    wanted = "Basic " + base64.b64encode(sys.argv[1].encode()).decode()
    content = wheel()

    def do_GET(self):
        if self.headers.get("Authorization") != self.wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="index"')
            self.end_headers()
        elif self.path.startswith("/simple/only-here"):
            self.reply("text/html", b'<a href="/only_here-1.0-py3-none-any.whl">only_here-1.0-py3-none-any.whl</a>')
        elif self.path.endswith(".whl"):
            self.reply("application/octet-stream", self.content)
        else:
            self.send_error(404)

    def reply(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


server = HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
