#!/usr/bin/env bash
# What pl-build finds out about a Python application, without running anything: --plan, and what it says when it cannot tell.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/python_lib.sh"

file() { mkdir -p "$(dirname "app/$1")"; printf -- "${2:-}" > "app/$1"; } # file PATH [TEXT]
fastapi() { file "$1" "from fastapi import FastAPI\n${2:-app} = FastAPI()\n"; [ -e app/requirements.txt ] || file requirements.txt 'fastapi\nuvicorn\n'; }
plan() { pl-build --plan "$@" app 2>&1; }
refused() { status 65 pl-build --plan app > record 2> said || { cat said; return 1; }; contains "$(tail -n 2 said)" "$1"; }

test_the_plan_of_an_application() {
    mkdir app
    cp -r "$APPLICATIONS"/fastapi-src/* "$APPLICATIONS"/fastapi-requirements/* app/
    file .python-version '3.11\n'
    plan | golden plan-fastapi.txt
    [ -z "$(ls "$PL_STORE/trees")" ]
}

test_pl_json_decides_between_a_dockerfile_and_a_stack() {
    fastapi main.py; file Dockerfile 'FROM scratch\nCOPY main.py /\n'
    equal "$(plan)" "   1              FROM scratch
   2              COPY main.py /"
    file pl.json '{"build": {"stack": "python"}}'
    contains "$(plan)" "main:app"
    status 64 plan --target x > said; contains "$(cat said)" "--target and --build-arg are for Dockerfiles"
    rm app/pl.json; status 64 plan --base x > said; contains "$(cat said)" "FROM names the base here"
}

test_two_applications_are_not_chosen_from() {
    fastapi services/a/main.py; fastapi services/b/main.py
    refused 'found two applications and cannot tell which one is meant: app in services/a/main.py and app in services/b/main.py'
    contains "$(tail -n 1 said)" '{"build": {"app": "services.a.main:app"}}'
    file pl.json '{"build": {"app": "services.b.main:app"}}'
    contains "$(plan)" "starts with: uvicorn services.b.main:app --host 0.0.0.0 --port \${PORT:-8080}"
    file pl.json '{}'; file Procfile 'web: uvicorn services.a.main:app --port $PORT\n'
    contains "$(plan)" "starts with: uvicorn services.a.main:app --port \$PORT"
}

test_two_objects_in_one_module() {
    fastapi main.py first; printf 'second = FastAPI()\n' >> app/main.py
    refused "first in main.py and second in main.py"
    printf 'app = FastAPI()\napp.mount("/1", first)\n' >> app/main.py
    contains "$(plan)" "main:app"
}

test_what_is_nearer_to_the_top_and_better_named_is_taken() {
    fastapi app/other.py; fastapi main.py; fastapi deep/below/main.py
    contains "$(plan)" "found app = FastAPI(...) in main.py: main:app"
}

test_no_application_says_what_was_looked_at_and_what_to_type() {
    file requirements.txt 'requests\n'; file one.py 'x = 1\n'; file two.py 'def app():\n    pass\n'
    refused "found requirements.txt, but no application: of the 2 Python files that were looked at none has app = FastAPI(...)"
    contains "$(tail -n 1 said)" 'write into a Procfile: web: COMMAND (it must listen on $PORT), or into pl.json: {"build": {"app": "MODULE:OBJECT"}}'
}

test_an_application_without_declared_packages() {
    file main.py 'from flask import Flask\napp = Flask(__name__)\n'
    refused "main.py uses Flask, but nothing says which packages to install"
}

test_malformed_files_are_named_with_their_line() {
    fastapi main.py; file pyproject.toml '[project]\nname = "x\n'
    refused "pyproject.toml"
    contains "$(cat said)" "2"
    rm app/pyproject.toml; file pl.json '{"build": {"port": 0}}'; refused 'pl.json: "port" must be a number from 1 to 65535'
    file pl.json '{"build": {"app": "main"}}'; refused 'pl.json: "app" must be MODULE:OBJECT'
    file pl.json '{"build": {"start": 7}}'; refused 'pl.json: "start" must be a text or a list of texts'
    file pl.json '{"build": {"stack": "cobol"}}'; refused 'pl.json: "stack" is'
    rm app/pl.json; file requirements.txt '-r missing.txt\n'; refused "requirements.txt includes missing.txt, which does not exist"
    file requirements.txt '-r ../outside.txt\n'; refused "which is not in the source directory"
    file requirements.txt './package\n'; refused "requirements.txt wants package, which does not exist"
    file requirements.txt '-r a.txt\n'; file a.txt '-r requirements.txt\nfastapi\n'; contains "$(plan)" "requirements.txt reads a.txt"
}

test_the_python_version_that_is_asked_for() {
    fastapi main.py
    contains "$(plan)" "no Python version is asked for: base python:3.12-slim"
    contains "$(plan)" "or, when no registry can be reached, apt:bookworm?python3"
    file runtime.txt 'python-3.10.4\n'; contains "$(plan)" "found Python python-3.10.4 in runtime.txt: base python:3.10-slim"
    lacks "$(plan)" "when no registry can be reached"
    rm app/runtime.txt; file .tool-versions 'nodejs 20\npython 3.13.1\n'
    contains "$(plan)" "found Python 3.13.1 in .tool-versions: base python:3.13-slim"
    contains "$(plan)" "apt:trixie?python3"
    file .python-version '# comment\n3.11.9\n'; contains "$(plan)" "found Python 3.11.9 in .python-version: base python:3.11-slim"
    rm app/.python-version app/.tool-versions; file pyproject.toml '[project]\nname = "x"\nrequires-python = ">=3.13"\n'
    contains "$(plan)" "found Python >=3.13 in pyproject.toml: base python:3.14-slim"
    contains "$(plan)" "apt:trixie?python3"
    file pyproject.toml '[project]\nname = "x"\nrequires-python = ">=3.9,<3.11"\n'; contains "$(plan)" "base python:3.10-slim"; lacks "$(plan)" "apt:"
    file .python-version '3.12\n'; refused ".python-version asks for Python 3.12, and pyproject.toml for >=3.9,<3.11: no version fits both"
    rm app/pyproject.toml; file .python-version 'pypy3.9\n' ; contains "$(plan)" "base python:3.9-slim"
    file .python-version '2.7\n'; refused ".python-version asks for Python 2.7: that is no version pl knows"
    file .python-version '3.12\n'; contains "$(plan --base oci:x)" "the base is the one given: oci:x (.python-version asks for Python 3.12)"
}

# No registry: a proxy that nobody serves. Debian has 3.11 and 3.13; another version is not replaced by one of them.
test_a_version_that_only_a_registry_has_is_not_replaced() {
    fastapi main.py; file .python-version '3.12\n'
    export https_proxy=http://127.0.0.1:9 http_proxy=http://127.0.0.1:9
    status 69 pl-build app > record 2> said
    contains "$(tail -n 2 said)" ".python-version asks for Python 3.12, which Debian does not have (it has 3.11 and 3.13)"
    contains "$(tail -n 1 said)" "or name another base with --base"
    contains "$(cat record)" '"code":69'
}

test_a_directory_that_is_none_or_has_nothing() {
    status 65 pl-build nowhere 2> said; contains "$(cat said)" "nowhere"
    mkdir app; status 65 pl-build app 2> said; contains "$(cat said)" "app is empty"
    echo hello > app/notes.txt; mkdir -p app/backend; echo fastapi > app/backend/requirements.txt
    status 65 pl-build app 2> said; contains "$(cat said)" "found no stack"; contains "$(tail -n 1 said)" "app/backend"
}

run_tests
