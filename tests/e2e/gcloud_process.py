#!/usr/bin/env python3
"""gcloud_process.py SDK: gcloud in one process, for tests that call it many times (loading it takes longer than most commands).

Reads lines of JSON, each the arguments of one command and the files for its output: {"arguments": [...], "out": FILE,
"error": FILE}. Answers each with its exit status."""
import json, os, sys

sdk = sys.argv[1]
sys.path[:0] = [f"{sdk}/lib", f"{sdk}/lib/third_party"]
sys.argv[1:] = []
from googlecloudsdk import gcloud_main

cli = gcloud_main.CreateCLI([])
answers = os.fdopen(os.dup(1), "w", buffering=1)


def redirect(path, descriptor):
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(file, descriptor)
    os.close(file)


for line in sys.stdin:
    command = json.loads(line)
    redirect(command["out"], 1)
    redirect(command["error"], 2)
    status = 0
    try:
        cli.Execute(command["arguments"])
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    sys.stdout.flush()
    sys.stderr.flush()
    print(status, file=answers)
