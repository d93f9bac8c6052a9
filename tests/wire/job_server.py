#!/usr/bin/env python3
"""Answers as Cloud Run's jobs, the metadata server and Cloud Logging would, by the scenario in argv[1]; prints its port,
then one line of JSON for each request and its reply to the file argv[2]. N:WHEN in argv[3]: as in run_server.py.

Scenarios: new, update (there is a job with fields of others), conflict (it changes between the reading and the first
PATCH), missing (its image is not found), disabled (the API is off), busy (two answers of 503 come first); how the
execution ends: task (one of three tasks fails), signal, memory, late (its time is over), image, cancelled, silent (it
failed and nothing says why), forever."""
import http.server, json, os, signal, sys, threading

scenario, log = sys.argv[1], open(sys.argv[2], "a", buffering=1)
kill_number, kill_when = (sys.argv[3] if len(sys.argv) > 3 else "0:").split(":")
ROOT = "projects/demo/locations/us-central1"
JOB, EXECUTION = f"{ROOT}/jobs/migrate", f"{ROOT}/jobs/migrate/executions/migrate-x7k2p"
state = {"requests": 0, "job": None, "patches": 0, "polls": 0, "busy": 0, "executions": []}
RESULTS = {"task": {"exitCode": 3, "status": {"code": 2, "message": "The container exited with an error."}},
           "signal": {"termSignal": 9, "status": {"code": 2, "message": "The container exited with an error."}},
           "memory": {"exitCode": 137, "status": {"code": 2, "message": "Memory limit of 512 MiB exceeded."}},
           "late": {"status": {"code": 4, "message": "The configured timeout was reached."}},
           "image": {"status": {"code": 9, "message": "Image 'h/r' not found."}}}

if scenario in ("update", "conflict"):
    state["job"] = {"name": JOB, "etag": "e1", "uid": "u1", "generation": "3", "labels": {"team": "a"}, "executionCount": 2,
                    "latestCreatedExecution": {"name": "migrate-00000", "completionStatus": "EXECUTION_FAILED",
                                               "createTime": "2026-11-24T05:00:00Z"},
                    "updateTime": "2026-11-24T05:30:00Z", "lastModifier": "dev@demo.iam.gserviceaccount.com",
                    "terminalCondition": {"type": "Ready", "state": "CONDITION_SUCCEEDED"}, "template": {
                        "taskCount": 2, "parallelism": 1, "template": {"maxRetries": 1, "containers": [
                            {"image": "h/r@sha256:" + "0" * 64, "env": [{"name": "KEEP", "value": "1"}],
                             "startupProbe": {"tcpSocket": {"port": 7}}}], "vpcAccess": {"connector": "c"}}}}


def tasks():
    done = {"type": "Completed", "state": "CONDITION_SUCCEEDED"}
    found = [{"name": f"{EXECUTION}/tasks/migrate-x7k2p-task{i}", "index": i, "conditions": [done]} for i in range(3)]
    if scenario in RESULTS:
        found[1].update(retried=1, lastAttemptResult=RESULTS[scenario], conditions=[{
            "type": "Completed", "state": "CONDITION_FAILED", "executionReason": "NON_ZERO_EXIT_CODE"}])
    return found


def execution():
    """It runs while it is asked for the first two times."""
    state["polls"] += 1
    shown = {"name": EXECUTION, "job": "migrate", "taskCount": 3, "parallelism": 3, "createTime": "2026-11-24T06:00:00Z",
             "creator": "dev@demo.iam.gserviceaccount.com", "template": {"timeout": "600s", "maxRetries": 1}}
    if state.get("cancelled") or (scenario == "cancelled" and state["polls"] > 2):
        return {**shown, "completionTime": "2026-11-24T06:00:09Z", "cancelledCount": 3, "conditions": [
            {"type": "Completed", "state": "CONDITION_FAILED", "executionReason": "CANCELLED"}]}
    if scenario == "forever" or state["polls"] <= 2:
        return {**shown, "runningCount": 3, "reconciling": True, "conditions": [{"type": "Completed", "state": "CONDITION_RECONCILING"}]}
    shown["completionTime"] = "2026-11-24T06:00:09Z"
    if scenario in RESULTS or scenario == "silent":
        return {**shown, "succeededCount": 2, "failedCount": 1, "conditions": [
            {"type": "Completed", "state": "CONDITION_FAILED", "executionReason": "NON_ZERO_EXIT_CODE",
             "message": "Task migrate-x7k2p-task1 failed with message: The container exited with an error."}]}
    return {**shown, "succeededCount": 3, "conditions": [{"type": "Completed", "state": "CONDITION_SUCCEEDED"}]}


def entries():
    def entry(number, task, text):
        return {"insertId": f"i{number}", "timestamp": f"2026-11-24T06:00:0{number}.5Z", "textPayload": text,
                "logName": "projects/demo/logs/run.googleapis.com%2Fstdout",
                "resource": {"type": "cloud_run_job", "labels": {"job_name": "migrate"}}, "labels": {
                    "run.googleapis.com/execution_name": "migrate-x7k2p", "run.googleapis.com/task_index": str(task),
                    "run.googleapis.com/task_attempt": "1" if task == 1 else "0"}}
    found = [entry(1, 0, "I am the first"), entry(2, 1, "table users: column missing"), entry(3, 2, "I am the third")]
    return found[:min(state["polls"], 3)][::-1]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet: the client's kernel waits 40 ms before it asks for a second one

    def log_message(self, *_):
        pass

    def answer(self, status, body, flavor=False):
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        log.write(json.dumps({**self.seen, "status": status, "reply": body if isinstance(body, dict) else None}) + "\n")
        self.send_response(status)
        if flavor:
            self.send_header("Metadata-Flavor", "Google")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.wfile.flush()

    def refuse(self, code, status, message, **more):
        return self.answer(code, {"error": {"code": code, "status": status, "message": message, **more}})

    def operation(self, done=True, **more):
        return self.answer(200, {"name": f"{ROOT}/operations/o1", "done": done, **more})

    def patch(self, body):
        if "validateOnly=true" in self.path:
            return self.operation()
        state["patches"] += 1
        if scenario == "conflict" and state["patches"] == 1:
            state["job"].update(etag="e2", labels={"team": "b"})
            return self.refuse(409, "ABORTED", "etag mismatch")
        failed = scenario == "missing"
        state["job"] = {**body, "name": JOB, "etag": f"e{state['patches'] + 2}", "uid": "u1", "terminalCondition": {
            "type": "Ready", "state": "CONDITION_FAILED" if failed else "CONDITION_SUCCEEDED"}}
        return self.operation(**({"error": {"code": 9, "message": "Image 'h/r' not found."}} if failed else {}))

    def run(self, body):
        state["executions"].append(body)
        state["polls"] = 0
        return self.operation(False, metadata={"@type": "type.googleapis.com/google.cloud.run.v2.Execution", "name": EXECUTION})

    def handle_any(self):
        state["requests"] += 1
        kills = state["requests"] == int(kill_number)
        if kills and kill_when == "before":
            return os.kill(int(open("victim").read()), signal.SIGKILL)
        self.handle_one()
        if kills:
            os.kill(int(open("victim").read()), signal.SIGKILL)

    def handle_one(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(body) if body else None
        path = self.path.split("?")[0]
        self.seen = {"method": self.command, "path": self.path, "body": body}
        if path.endswith("/email"):
            return self.answer(200, "dev@demo.iam.gserviceaccount.com", True)
        if path.endswith("/project-id"):
            return self.answer(200, "demo", True)
        if path.startswith("/computeMetadata/"):
            return self.answer(200, {"access_token": "t", "expires_in": 3599, "token_type": "Bearer"}, True)
        if scenario == "disabled":
            return self.refuse(403, "PERMISSION_DENIED", "API is off", details=[
                {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "SERVICE_DISABLED",
                 "domain": "googleapis.com", "metadata": {"service": "run.googleapis.com"}}])
        if scenario == "busy" and state["busy"] < 2:
            state["busy"] += 1
            return self.refuse(503, "UNAVAILABLE", "later")
        if path == "/v2/entries:list":
            return self.answer(200, {"entries": entries()})
        if path == f"/v2/{ROOT}/jobs":
            return self.answer(200, {"jobs": [state["job"]]} if state["job"] else {})
        if not path.startswith(f"/v2/{JOB}") or not (state["job"] or self.command == "PATCH"):
            return self.refuse(404, "NOT_FOUND", "Resource was not found.")
        if path.endswith(":run"):
            return self.run(body)
        if path.endswith(":cancel"):
            state["cancelled"] = True
            return self.operation(response={"@type": "type.googleapis.com/google.cloud.run.v2.Execution", "name": EXECUTION})
        if path.endswith("/tasks"):
            return self.answer(200, {"tasks": tasks()})
        if path.endswith("/executions"):
            return self.answer(200, {"executions": [execution()]})
        if path == f"/v2/{EXECUTION}":
            return self.answer(200, execution())
        if path == f"/v2/{JOB}" and self.command == "DELETE":
            state["job"] = None
            return self.operation()
        if path == f"/v2/{JOB}":
            return self.patch(body) if self.command == "PATCH" else self.answer(200, state["job"])
        return self.refuse(404, "NOT_FOUND", "Resource was not found.")

    do_GET = do_POST = do_PATCH = do_DELETE = handle_any


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever).start()
