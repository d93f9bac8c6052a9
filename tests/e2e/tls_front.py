#!/usr/bin/env python3
"""tls_front.py CLOUD CERTIFICATE KEY: TLS in front of the local cloud; prints its URL. Answers that name the cloud's
URL name this one instead, so that uploads come here, too."""
import http.client, http.server, ssl, sys

cloud, certificate, key = sys.argv[1:4]
host = cloud[len("http://"):]


class Front(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

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

    def forward(self):
        connection = http.client.HTTPConnection(host)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in ("host", "transfer-encoding", "content-length", "connection", "accept-encoding")}
        connection.request(self.command, self.path, self.read_body(), headers)
        response = connection.getresponse()
        body = response.read().replace(cloud.encode() + b"/upload", own.encode() + b"/upload")
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = forward


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
own = f"https://127.0.0.1:{server.server_port}"
print(own, flush=True)
server.serve_forever()
