#!/usr/bin/env python3
"""The part of GitHub's API that writes comments, on a free port of this machine, which it prints. Comments are kept in memory;
GET /comments shows them. An argument N: pull request 9 has N comments of other people already."""
import json, re, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

others = int(sys.argv[1]) if len(sys.argv) > 1 else 0
comments = [{"id": number + 1, "number": 9, "body": f"remark {number}", "changes": 0} for number in range(others)]


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        pass

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def allowed(self):
        if re.fullmatch(r"Bearer ghs_\w+", self.headers.get("Authorization", "")):
            return True
        self.answer(401, {"message": "Bad credentials"})
        return False

    def body(self):
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))["body"]

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/comments":
            self.answer(200, comments)
        elif self.allowed():
            number = int(re.fullmatch(r"/repos/[\w.-]+/[\w.-]+/issues/(\d+)/comments", path).group(1))
            page = int(re.search(r"page=(\d+)$", query).group(1))
            self.answer(200, [comment for comment in comments if comment["number"] == number][(page - 1) * 100:page * 100])

    def do_POST(self):
        if self.allowed():
            number = int(re.fullmatch(r"/repos/[\w.-]+/[\w.-]+/issues/(\d+)/comments", self.path).group(1))
            comments.append({"id": len(comments) + 1, "number": number, "body": self.body(), "changes": 0})
            self.answer(201, comments[-1])

    def do_PATCH(self):
        if self.allowed():
            comment = comments[int(re.fullmatch(r"/repos/[\w.-]+/[\w.-]+/issues/comments/(\d+)", self.path).group(1)) - 1]
            comment["body"] = self.body()
            comment["changes"] += 1
            self.answer(200, comment)


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
