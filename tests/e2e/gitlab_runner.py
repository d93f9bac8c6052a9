#!/usr/bin/env python3
"""Runs the jobs of a .gitlab-ci.yml that a pipeline has, one after the other, as GitLab's runner does: before_script and script
as one bash script with pipefail, variables expanded, the identity token in the variable that id_tokens names.

    gitlab_runner.py FILE WORKSPACE [--job NAME]... [--var NAME=VALUE]...

What `rules` say decides which jobs there are; a manual one runs when --job names it. The identity token is taken from GITLAB_OIDC_TOKEN of this
process, and must have been made for the audience that the file says. The image is not started: the job runs here, with --path
for PATH. Prints the log, and one line of JSON: the jobs that ran, their dotenv variables and environments."""
import argparse, base64, json, os, re, subprocess, sys, tempfile
import yaml

PASS = ("PL_CLOUD_URL", "PL_CREATE_SITE", "PL_STORE", "SSL_CERT_FILE", "CURL_CA_BUNDLE", "PIP_INDEX_URL", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY",
        "http_proxy", "NO_PROXY", "no_proxy", "TMPDIR")


def resolve(jobs, name):
    """`extends`: maps are merged, everything else is replaced."""
    job = dict(jobs[name])
    base = job.pop("extends", None)
    if not base:
        return job
    merged = resolve(jobs, base)
    for key, value in job.items():
        merged[key] = {**merged[key], **value} if isinstance(value, dict) and isinstance(merged.get(key), dict) else value
    return merged


def expand(text, variables):
    return re.sub(r"\$\{?(\w+)\}?", lambda match: variables.get(match.group(1), ""), str(text))


def rule_holds(rule, variables):
    match = re.fullmatch(r'\$(\w+) == (?:"([^"]*)"|\$(\w+))', rule["if"])
    if not match:
        raise SystemExit(f"rule not understood: {rule['if']}")
    wanted = match.group(2) if match.group(2) is not None else variables.get(match.group(3))
    return variables.get(match.group(1)) == wanted


def audience_of(token):
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))["aud"]


def run_job(name, job, workspace, given, path):
    variables = {**given, **{key: expand(value, given) for key, value in job.get("variables", {}).items()}}
    for variable, row in job.get("id_tokens", {}).items():
        token = os.environ["GITLAB_OIDC_TOKEN"]
        if audience_of(token) != expand(row["aud"], variables):
            raise SystemExit(f"{name}: the token is for {audience_of(token)}, not for {expand(row['aud'], variables)}")
        variables[variable] = token
    script = "set -eo pipefail\nset +o noclobber\n" + "\n".join(job.get("before_script", []) + job["script"]) + "\n"
    environment = {"HOME": os.environ["HOME"], "PATH": path, "CI": "true", "GITLAB_CI": "true", "CI_PROJECT_DIR": workspace, "LANG": "C.UTF-8", **variables}
    environment.update({key: os.environ[key] for key in PASS if key in os.environ})
    with tempfile.NamedTemporaryFile("w", suffix=".sh") as file:
        file.write(script)
        file.flush()
        done = subprocess.run(["bash", file.name], cwd=workspace, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(f"--- {name}\n{done.stdout}", flush=True)
    report = job.get("artifacts", {}).get("reports", {}).get("dotenv")
    dotenv = {}
    if done.returncode == 0 and report:
        with open(os.path.join(workspace, report)) as file:
            dotenv = dict(line.rstrip("\n").split("=", 1) for line in file)
    place = {key: expand(value, {**variables, **dotenv}) for key, value in job.get("environment", {}).items()}
    return {"result": "success" if done.returncode == 0 else "failure", "dotenv": dotenv, "environment": place}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("workspace")
    parser.add_argument("--path", default="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    parser.add_argument("--job", action="append", default=[])
    parser.add_argument("--var", action="append", default=[])
    arguments = parser.parse_args()
    with open(arguments.file) as file:
        jobs = yaml.safe_load(file)
    variables = {"CI_DEFAULT_BRANCH": "main", **dict(pair.split("=", 1) for pair in arguments.var)}
    stages, results = jobs.pop("stages"), {}
    for stage in stages:
        for name in [name for name in jobs if not name.startswith(".")]:
            job = resolve(jobs, name)
            rule = next((rule for rule in job.get("rules", []) if rule_holds(rule, variables)), None)
            if job["stage"] != stage or not rule or (arguments.job and name not in arguments.job) or (rule.get("when") == "manual" and name not in arguments.job):
                continue
            results[name] = run_job(name, job, os.path.realpath(arguments.workspace), variables, arguments.path)
    print(json.dumps(results))
    sys.exit(1 if any(result["result"] == "failure" for result in results.values()) else 0)


main()
