#!/usr/bin/env python3
"""Sends each row of run_refusals.jsonl to the local cloud and compares the status and the message of its answer.

A row: "case"; "set": members by path that the smallest service gets ("template.containers.0.env"); or "body"; "method", "path" (after
locations/) and "query" where it is not the making of a service; "status" and "message" of the answer (200: it is taken)."""
import http.client
import json
import sys

BASE = {"template": {"containers": [{"image": "x"}]}}
host, token, table = sys.argv[1:4]


def put(document, path, value):
    *parents, last = path.split(".")
    for name in parents:
        if isinstance(document, list):
            while len(document) <= int(name):
                document.append({})
            document = document[int(name)]
        else:
            document = document.setdefault(name, {})
    if isinstance(document, list):
        while len(document) <= int(last):
            document.append({})
        document[int(last)] = value
    else:
        document[last] = value


def body_of(row):
    if "body" in row:
        return row["body"] if isinstance(row["body"], str) else json.dumps(row["body"])
    document = json.loads(json.dumps(BASE))
    for path, value in row.get("set", {}).items():
        put(document, path, value)
    return json.dumps(document)


wrong = 0
connection = http.client.HTTPConnection(host)
with open(table, encoding="utf-8") as rows:
    for line in rows:
        row = json.loads(line)
        method, path = row.get("method", "POST"), row.get("path", "us-central1/services")
        query = row.get("query", "serviceId=app&validateOnly=true")
        connection.request(method, f"/v2/projects/pl-local/locations/{path}?{query}", body_of(row),
                           {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        answer = connection.getresponse()
        data = json.loads(answer.read())
        got = (answer.status, data.get("error", {}).get("message"))
        if got != (row["status"], row.get("message")):
            wrong += 1
            print(f"{row['case']}:\n  got  {got}\n  want {(row['status'], row.get('message'))}")
sys.exit(wrong > 0)
