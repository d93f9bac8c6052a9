"""Runs in the container: starts the image's command with a port of its own, asks it once from outside of loopback, ends it.

    python_serve_check.py COMMAND-AS-JSON    prints what GET / answered, and the user
"""
import importlib.metadata
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

PORT = "7654"
URL = f"http://169.254.8.1:{PORT}/"  # the sandbox's address: what listens on 127.0.0.1 alone does not answer here


def ask(deadline):
    while True:
        try:
            with urllib.request.urlopen(URL, timeout=10) as reply:
                return json.loads(reply.read())
        except OSError as reason:
            if service.poll() is not None or time.time() > deadline:
                sys.exit(f"no answer ({reason}); the service's exit code: {service.poll()}")
            time.sleep(0.05)


service = subprocess.Popen(json.loads(sys.argv[1]), env={**os.environ, "PORT": PORT})
answer = ask(time.time() + 60)
installed = sorted(found.metadata["Name"].lower() for found in importlib.metadata.distributions())
print("answer:", json.dumps(answer), "user:", os.getuid(), "directory:", os.getcwd(), "installed:", *installed)
service.send_signal(signal.SIGTERM)
service.wait(20)
