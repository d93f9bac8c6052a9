#!/usr/bin/env python3
"""Runs the jobs of a workflow step by step, as GitHub's runner does: its shells, its environment files, its contexts.

    github_runner.py WORKFLOW EVENT-NAME EVENT.json WORKSPACE [--fork] [--action NAME=FOLDER]... [--var NAME=VALUE]...

A job is given nothing but what a runner gives it, and the variables named in PASS, which say that the cloud is a local one. It
gets ACTIONS_ID_TOKEN_REQUEST_URL and …_TOKEN (of this process) only when the workflow's permissions say id-token: write and the
pull request is not a fork's. `uses: actions/checkout` makes nothing: WORKSPACE is the checkout. Prints each step's log, and at
the end one line of JSON: for each job its result, and each step's outcome and outputs."""
import argparse, json, os, re, subprocess, sys, tempfile
import yaml

PASS = ("PL_CLOUD_URL", "PL_CREATE_SITE", "PL_STORE", "GITHUB_API_URL", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "PIP_INDEX_URL", "HTTPS_PROXY", "https_proxy",
        "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "TMPDIR")
SHELLS = {None: ["bash", "-e", "{0}"], "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail", "{0}"], "sh": ["sh", "-e", "{0}"]}


class Expression:
    """The subset of GitHub's expressions that the examples use; anything else is an error."""
    TOKEN = re.compile(r"\s*(&&|\|\||==|!=|!|\(|\)|,|'(?:[^']|'')*'|\d+|[A-Za-z_][\w.*-]*)")

    def __init__(self, text, contexts, functions):
        self.tokens, at = [], 0
        while text[at:].strip():
            match = self.TOKEN.match(text, at)
            if not match:
                raise SystemExit(f"expression not understood: {text}")
            self.tokens.append(match.group(1))
            at = match.end()
        self.at, self.contexts, self.functions, self.text = 0, contexts, functions, text

    def peek(self):
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, *wanted):
        if self.peek() in wanted:
            self.at += 1
            return self.tokens[self.at - 1]
        return None

    def value(self):
        result = self.either()
        if self.peek() is not None:
            raise SystemExit(f"expression not understood: {self.text}")
        return result

    def either(self):
        left = self.both()
        while self.take("||"):
            right = self.both()
            left = left or right
        return left

    def both(self):
        left = self.compare()
        while self.take("&&"):
            right = self.compare()
            left = left and right
        return left

    def compare(self):
        left = self.unary()
        operator = self.take("==", "!=")
        if not operator:
            return left
        right = self.unary()
        same = left.lower() == right.lower() if isinstance(left, str) and isinstance(right, str) else left == right
        return same if operator == "==" else not same

    def unary(self):
        if self.take("!"):
            return not self.unary()
        if self.take("("):
            inner = self.either()
            assert self.take(")"), self.text
            return inner
        token = self.peek()
        self.at += 1
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token.isdigit():
            return int(token)
        if token in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[token]
        if self.take("("):
            arguments = []
            while not self.take(")"):
                arguments.append(self.either())
                self.take(",")
            return self.functions[token](*arguments)
        return self.look_up(token)

    def look_up(self, path):
        value = self.contexts
        for number, part in enumerate(path.split(".")):
            if number == 0 and part not in value:
                raise SystemExit(f"there is no context {part}: {self.text}")
            value = value.get(part) if isinstance(value, dict) else None
        return value


def as_text(value):
    return {True: "true", False: "false", None: ""}.get(value, str(value)) if not isinstance(value, str) else value


def read_file_commands(path):
    """NAME=VALUE, or NAME<<END … END."""
    found, lines = {}, open(path).read().split("\n")
    while lines:
        line = lines.pop(0)
        if "<<" in line and ("=" not in line or line.index("<<") < line.index("=")):
            name, end = line.split("<<", 1)
            value = []
            while lines and lines[0] != end:
                value.append(lines.pop(0))
            if not lines:
                raise SystemExit(f"{path}: {name} has no end")
            lines.pop(0)
            found[name] = "\n".join(value)
        elif line:
            name, equals, value = line.partition("=")
            if not equals:
                raise SystemExit(f"{path}: not understood: {line}")
            found[name] = value
    return found


class Job:
    def __init__(self, runner, name, job):
        self.runner, self.name, self.job = runner, name, job
        self.environment, self.paths, self.masks = {}, [], []
        self.failed, self.results = False, []
        self.contexts = {**runner.contexts, "env": {}, "steps": {}, "job": {"status": "success"}}

    def functions(self):
        return {"success": lambda: not self.failed, "failure": lambda: self.failed, "always": lambda: True, "cancelled": lambda: False,
                "contains": lambda a, b: b in (a or ""), "startsWith": lambda a, b: (a or "").startswith(b)}

    def evaluate(self, text, contexts):
        return Expression(text, contexts, self.functions()).value()

    def fill(self, value, contexts):
        if not isinstance(value, str):
            return as_text(value)
        return re.sub(r"\$\{\{(.*?)\}\}", lambda match: as_text(self.evaluate(match.group(1), contexts)), value, flags=re.S)

    def wanted(self, condition, contexts):
        if condition is None:
            return not self.failed
        text = re.sub(r"^\$\{\{(.*)\}\}$", r"\1", str(condition).strip(), flags=re.S)
        says_when = re.search(r"\b(success|failure|always|cancelled)\(", text)
        return bool(self.evaluate(text, contexts)) and (bool(says_when) or not self.failed)

    def say(self, line):
        for mask in self.masks:
            line = line.replace(mask, "***")
        print(line, flush=True)

    def log(self, process):
        for raw in process.stdout:
            line = raw.rstrip("\n")
            if line.startswith("::add-mask::"):
                self.masks.append(line[len("::add-mask::"):].replace("%25", "%"))
                self.say("(mask)")
            else:
                self.say(line)
        return process.wait()

    def run(self, step, contexts, action_path=None):
        """One `run:`. Returns whether it went well, and its outputs."""
        runner = self.runner
        files = {name: os.path.join(runner.temp, f"{name.lower()}_{runner.next_number()}") for name in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_STATE")}
        for path in files.values():
            open(path, "w").close()
        script = os.path.join(runner.temp, f"{runner.next_number()}.sh")
        with open(script, "w") as file:
            file.write(self.fill(step["run"], contexts))
        environment = {**runner.environment, **self.environment, **files}
        environment["PATH"] = ":".join(list(reversed(self.paths)) + [runner.environment["PATH"]])
        for source in (self.runner.workflow.get("env"), self.job.get("env"), step.get("env")):
            for name, value in (source or {}).items():
                environment[name] = self.fill(value, contexts)
        if action_path:
            environment["GITHUB_ACTION_PATH"] = action_path
        command = [word.replace("{0}", script) for word in SHELLS[step.get("shell")]]
        process = subprocess.Popen(command, cwd=os.path.join(runner.workspace, step.get("working-directory", "")), env=environment, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
        status = self.log(process)
        self.environment.update(read_file_commands(files["GITHUB_ENV"]))
        self.paths += [line for line in open(files["GITHUB_PATH"]).read().split("\n") if line]
        with open(files["GITHUB_STEP_SUMMARY"]) as file:
            runner.summary += file.read()
        return status == 0, read_file_commands(files["GITHUB_OUTPUT"])

    def use(self, step, contexts):
        """A composite action."""
        name = step["uses"]
        if name.startswith("actions/checkout@"):
            return True, {}
        folder = self.runner.actions.get(name)
        if not folder:
            raise SystemExit(f"there is no action {name}")
        with open(os.path.join(folder, "action.yml")) as file:
            action = yaml.safe_load(file)
        if action["runs"]["using"] != "composite":
            raise SystemExit(f"{name} is no composite action")
        unknown = set(step.get("with", {})) - set(action.get("inputs", {}))
        if unknown:
            raise SystemExit(f"{name} has no inputs {unknown}")
        github = {**contexts["github"], "action_path": folder, "action_repository": name.split("@")[0], "action_ref": "main"}
        inner = {**contexts, "github": github, "steps": {}}
        inner["inputs"] = {key: self.fill(step.get("with", {}).get(key, row.get("default", "")), contexts) for key, row in action.get("inputs", {}).items()}
        if name in self.runner.inputs:
            inner["inputs"].update(self.runner.inputs[name])
        good = True
        for part in action["runs"]["steps"]:
            if good and self.wanted(part.get("if"), inner):
                if "shell" not in part:
                    raise SystemExit(f"{name}: a step of a composite action needs a shell")
                good, outputs = self.run(part, inner, folder)
                if "id" in part:
                    inner["steps"][part["id"]] = {"outputs": outputs}
        return good, {key: self.fill(row["value"], inner) for key, row in action.get("outputs", {}).items()}

    def work(self):
        self.contexts["env"] = {name: self.fill(value, self.contexts) for source in (self.runner.workflow.get("env"), self.job.get("env")) for name, value in (source or {}).items()}
        if not self.wanted(self.job.get("if"), self.contexts):
            return {"result": "skipped", "steps": []}
        for number, step in enumerate(self.job["steps"]):
            name = step.get("name") or step.get("uses") or step["run"].split("\n")[0]
            outcome, outputs = "skipped", {}
            if self.wanted(step.get("if"), self.contexts):
                self.say(f"##[group]{name}")
                good, outputs = self.use(step, self.contexts) if "uses" in step else self.run(step, self.contexts)
                outcome = "success" if good else "failure"
                self.failed |= not good
                self.say("##[endgroup]")
            if "id" in step:
                self.contexts["steps"][step["id"]] = {"outputs": outputs, "outcome": outcome}
            self.results.append({"step": number, "id": step.get("id"), "name": name, "outcome": outcome, "outputs": outputs})
        return {"result": "failure" if self.failed else "success", "steps": self.results}


class Runner:
    def __init__(self, arguments):
        with open(arguments.workflow) as file:
            self.workflow = yaml.safe_load(file)
        with open(arguments.event) as file:
            event = json.load(file)
        self.workspace = os.path.realpath(arguments.workspace)
        self.temp = tempfile.mkdtemp(prefix="runner.", dir=os.path.dirname(self.workspace))
        self.number, self.summary, self.inputs = 0, "", {}
        self.actions = dict(pair.split("=", 1) for pair in arguments.action)
        for pair in arguments.input:
            name, key, value = pair.split("=", 2)
            self.inputs.setdefault(name, {})[key] = value
        permissions = self.workflow.get("permissions")
        if not isinstance(permissions, dict):
            raise SystemExit("the workflow does not say which permissions it needs")
        triggers = self.workflow[True]  # YAML takes "on" for true
        if arguments.event_name not in triggers:
            raise SystemExit(f"the workflow does not run on {arguments.event_name}")
        repository = event["repository"]["full_name"]
        token = "ghs_" + "x" * 36
        self.contexts = {"github": {"event": event, "event_name": arguments.event_name, "repository": repository, "token": token, "sha": "0" * 40, "ref": "refs/heads/main"},
                         "vars": dict(pair.split("=", 1) for pair in arguments.var), "secrets": {}, "runner": {"temp": self.temp, "os": "Linux"}, "inputs": {}}
        self.environment = {
            "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": self.workspace, "GITHUB_REPOSITORY": repository, "GITHUB_EVENT_NAME": arguments.event_name,
            "GITHUB_EVENT_PATH": os.path.realpath(arguments.event), "GITHUB_SHA": "0" * 40, "GITHUB_REF": "refs/heads/main", "GITHUB_RUN_ID": "1", "GITHUB_JOB": "",
            "GITHUB_SERVER_URL": "https://github.com", "GITHUB_API_URL": "https://api.github.com", "RUNNER_TEMP": self.temp, "RUNNER_OS": "Linux", "RUNNER_ARCH": "X64",
            "HOME": os.environ["HOME"], "PATH": arguments.path, "LANG": "C.UTF-8"}
        self.environment.update({name: os.environ[name] for name in PASS if name in os.environ})
        if permissions.get("id-token") == "write" and not arguments.fork:
            for name in ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"):
                self.environment[name] = os.environ[name]

    def next_number(self):
        self.number += 1
        return self.number

    def work(self):
        results = {}
        for name, job in self.workflow["jobs"].items():
            self.environment["GITHUB_JOB"] = name
            results[name] = Job(self, name, job).work()
        print(json.dumps({"jobs": results, "summary": self.summary}))
        return 1 if any(result["result"] == "failure" for result in results.values()) else 0


def main():
    parser = argparse.ArgumentParser()
    for name in ("workflow", "event_name", "event", "workspace"):
        parser.add_argument(name)
    parser.add_argument("--fork", action="store_true")
    parser.add_argument("--path", default="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    for name in ("--action", "--input", "--var"):
        parser.add_argument(name, action="append", default=[])
    sys.exit(Runner(parser.parse_args()).work())


main()
