#!/usr/bin/env python3
"""load.py URL STOP: asks URL from two connections at a time, some fifty times a second in all, until the file STOP is there; then one
line for each kind of answer: how often, the status, the first word of the body. A connection that fails is status 0."""
import collections
import http.client
import os
import sys
import threading
import time
import urllib.parse

url, stop = urllib.parse.urlparse(sys.argv[1]), sys.argv[2]
counts = collections.Counter()


def ask():
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=20)
    try:
        connection.request("GET", url.path or "/")
        answer = connection.getresponse()
        return answer.status, (answer.read().decode(errors="replace").split() or [""])[0]
    except (OSError, http.client.HTTPException) as error:
        return 0, type(error).__name__
    finally:
        connection.close()


def go_on():
    while not os.path.exists(stop):
        counts[ask()] += 1
        time.sleep(0.04)


threads = [threading.Thread(target=go_on) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for (status, word), count in sorted(counts.items()):
    print(count, status, word)
