#!/usr/bin/env bash
# pl-test from the outside, without running anything: its options, what it finds out, what it refuses.
. "$(dirname "$0")/../lib.sh"

test_help() { pl-test --help | golden test-help.txt; }

test_wrong_options_are_refused() {
    for arguments in "--suite nothing" "--coverage-min 101" "--coverage-min x" "--timeout 0" "--timeout 8d" "--env A" \
        "--suite lint --coverage-min 50" "--secret x" "--name Upper" "a b"; do
        # shellcheck disable=SC2086
        status 64 pl-test $arguments > out 2> error
        contains "$(cat out)" '"type":"error"'
    done
}

test_what_is_no_project_is_refused() {
    mkdir empty other
    touch other/readme.txt
    status 65 pl-test missing 2> error > out; contains "$(cat error)" "missing"
    status 65 pl-test empty 2> error > out; contains "$(cat error)" "empty is empty"
    status 65 pl-test other 2> error > out; contains "$(cat error)" "found no stack"
}

plan() { pl-test --plan "$@" > ../plan 2> ../error || { cat ../error; return 1; }; }
runs() { equal "$(sed -n 's/^     run \(\/opt\/venv\/bin\/python\)/\1/p' ../plan | tail -n 1)" "/opt/venv/bin/python -m $1"; }
PYTEST="pytest --junit-xml=/run/pl/results/junit.xml -o junit_family=xunit1"

test_a_library_needs_no_start_command() {
    mkdir it && cd it
    echo 'six' > requirements.txt
    mkdir tests && touch tests/test_it.py
    plan .
    runs "$PYTEST"
    contains "$(cat ../plan)" "pytest is not among the dependencies: pytest 8.3.5 is added"
    contains "$(cat ../plan)" "[ -e /opt/venv/bin/pytest ] || pip_install /opt/venv"
}

test_the_step_of_the_dependencies_is_that_of_the_build() {
    mkdir it && cd it
    printf 'fastapi\n-r more.txt\n' > requirements.txt
    echo 'six' > more.txt
    echo 'pytest' > requirements-dev.txt
    printf 'from fastapi import FastAPI\napp = FastAPI()\n' > main.py
    mkdir tests && touch tests/test_it.py
    install() { sed -n '/^ 2   install dependencies/,/^ 3 /p' | sed '$d'; }
    plan .
    pl-build --plan . > ../build
    [ -n "$(install < ../build)" ]
    equal "$(install < ../plan)" "$(install < ../build)"
    # What is left out of the image is there for the tests, and changes nothing of the build's step.
    printf 'tests\nrequirements-dev.txt\n' > .dockerignore
    plan .
    equal "$(install < ../plan)" "$(install < ../build)"
    contains "$(cat ../plan)" "install development dependencies (requirements-dev.txt)"
}

test_development_dependencies_of_every_manager() {
    mkdir it && cd it
    touch main.py
    printf '[project]\nname = "It.Self"\nversion = "1"\ndependencies = ["six"]\n[project.optional-dependencies]\ntest = ["pytest>=8", "it-self[more]"]\nmore = ["httpx"]\ndocs = ["sphinx"]\n[dependency-groups]\ndev = ["ruff", {include-group = "typing"}]\ntyping = ["mypy"]\n' > pyproject.toml
    plan .
    contains "$(cat ../plan)" "sh ruff mypy 'pytest>=8' httpx"
    lacks "$(cat ../plan)" "sphinx"
    touch uv.lock
    plan .
    contains "$(cat ../plan)" "uv sync --locked --inexact --no-install-project"
    contains "$(cat ../plan)" "sh --group dev --group typing --extra test"
    rm uv.lock; touch pdm.lock
    plan .
    contains "$(cat ../plan)" "sh -G dev -G typing -G test"
    rm pdm.lock
    printf '[tool.poetry]\nname = "it"\n[tool.poetry.dependencies]\nsix = "*"\n[tool.poetry.group.dev.dependencies]\npytest = "*"\n[tool.poetry.group.docs.dependencies]\nsphinx = "*"\n' > pyproject.toml
    touch poetry.lock
    plan .
    contains "$(cat ../plan)" "sh --with dev"
    lacks "$(cat ../plan)" "pytest is not among"
    rm poetry.lock pyproject.toml
    printf '[packages]\nsix = "*"\n[dev-packages]\npytest = "*"\n' > Pipfile
    plan .
    contains "$(cat ../plan)" "pipenv install --dev --skip-lock"
    rm Pipfile; mkdir requirements
    echo six > requirements/base.txt
    printf -- '-r base.txt\npytest\n' > requirements/test.txt
    plan .
    contains "$(cat ../plan)" "sh -r requirements/test.txt"
}

test_coverage_where_the_project_has_it() {
    mkdir it && cd it
    touch main.py requirements.txt
    printf 'pytest\npytest-cov\n' > requirements-dev.txt
    plan .
    runs "$PYTEST --cov --cov-report=xml:/run/pl/results/coverage.xml --cov-report=term"
    plan --coverage-min 80 . -- -x
    runs "$PYTEST --cov --cov-report=xml:/run/pl/results/coverage.xml --cov-report=term -x"
    printf '[pytest]\naddopts = --cov=src\n' > pytest.ini
    plan .
    runs "$PYTEST --cov-report=xml:/run/pl/results/coverage.xml --cov-report=term"
    echo pytest > requirements-dev.txt
    plan .
    runs "$PYTEST"
    status 65 pl-test --plan --coverage-min 80 . 2> ../error > ../out
    contains "$(cat ../error)" "add pytest-cov"
}

test_other_suites_are_those_that_the_project_uses() {
    mkdir it && cd it
    touch main.py requirements.txt
    for suite in lint types audit; do
        status 65 pl-test --plan --suite $suite . 2> ../error > ../out
        contains "$(cat ../error)" "the project has no suite $suite"
        contains "$(cat ../error)" "to the development dependencies"
    done
    echo 'flake8' > requirements-dev.txt
    plan --suite lint .
    runs "flake8"
    printf 'flake8\nRuff==0.11.2\nMyPy\npip_audit\n' > requirements-dev.txt
    plan --suite lint . -- --fix
    runs "ruff check --output-format=concise --fix"
    plan --suite types .
    runs "mypy --explicit-package-bases ."
    printf '[mypy]\nfiles = main.py\n' > mypy.ini
    plan --suite types .
    runs "mypy"
    plan --suite audit .
    runs "pip_audit --progress-spinner=off"
    rm requirements-dev.txt mypy.ini
    touch ruff.toml pyrightconfig.json
    plan --suite lint .
    contains "$(cat ../plan)" "ruff is not among the dependencies: ruff 0.11.13 is added"
    plan --suite types .
    runs "pyright"
}

test_credentials_are_refused_unless_the_image_leaves_them_out() {
    mkdir it && cd it
    touch main.py requirements.txt
    echo SECRET=1 > .env
    status 65 pl-test --plan . 2> ../error > ../out
    contains "$(cat ../error)" ".env"
    echo .env > .dockerignore
    plan .
    mkdir -p env/lib && touch env/pyvenv.cfg && mkfifo env/lib/pipe
    plan .
}

run_tests
