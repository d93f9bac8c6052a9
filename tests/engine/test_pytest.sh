#!/usr/bin/env bash
# pl-test with pytest, in real containers: what the exit code, the record and the annotations say of every kind of suite.
. "$(dirname "$0")/../lib.sh"
. "$ROOT/tests/wire/registry.sh"

project() { # a project whose requirements are the same for all tests here, so that they are installed once
    shared_store
    mkdir -p it/tests && cd it
    : > requirements.txt
    echo 'pytest==8.3.5' > requirements-dev.txt
    printf 'def double(x):\n    return 2 * x\n' > shop.py
    printf '[pytest]\npythonpath = .\n' > pytest.ini
    date +%s%N > unique # the store outlives a run of the tests
}
get() { jq -r "select(.type == \"report\") | .$1" ../record; }
run() { # run STATUS ARGUMENTS...
    local want=$1; shift
    status "$want" pl-test "$@" > ../record 2> ../story || { cat ../story; return 1; }
    if [ "$want" != 0 ]; then equal "$(jq -r 'select(.type == "error") | .code' ../record)" "$want"; fi
}
counts() { equal "$(get 'tests, .passed, .failed, .errors, .skipped' | paste -sd' ')" "$1"; }
tested() { # the last report of what pl-build makes of this source
    local digest; digest=$(pl-build . 2> ../story | jq -r .digest)
    built=$PL_STORE/names/built/${digest#sha256:}
    jq -e --arg d "$PWD" '.directory == $d and (.base | length > 0)' "$built" > ../base
    local key; key=$(printf '%s\n' "$(jq -r .source "$built")" | sha256sum | cut -d' ' -f1)
    cat "$PL_STORE/names/tested-unit/$key"
}
document() { cat "$PL_STORE/objects/$(get digest | sed 's|sha256:\(..\)|\1/|')"; }

test_passing_is_cached_by_content() {
    project
    printf 'from shop import double\ndef test_double(): assert double(2) == 4\ndef test_zero(): assert double(0) == 0\n' > tests/test_shop.py
    run 0 .
    counts "2 2 0 0 0"
    equal "$(get name)-$(get suite)-$(get runner)" it-unit-pytest
    contains "$(get from)" '"directory:sha256:'
    contains "$(document)" '<testcase classname="tests.test_shop" name="test_double"'
    contains "$(cat ../story)" "pl-test │   tests/test_shop.py .."
    contains "$(cat ../story)" "pl-test: it: 2 tests, 2 passed"
    cp ../record ../first
    run 0 .
    contains "$(cat ../story)" "run pytest: cached"
    contains "$(cat ../story)" "not run again"
    equal "$(jq -S 'del(.set)' ../record)" "$(jq -S 'del(.set)' ../first)"
    run 0 --no-cache .
    lacks "$(cat ../story)" "run pytest: cached"
    contains "$(cat ../story)" "install development dependencies (requirements-dev.txt): cached"
    echo 'def test_more(): pass' >> tests/test_shop.py
    run 0 --explain .
    contains "$(cat ../story)" "install development dependencies (requirements-dev.txt): cached"
    contains "$(cat ../story)" "run pytest: made, because tests/test_shop.py changed"
    counts "3 3 0 0 0"
    run 0 . -- -k zero
    counts "1 1 0 0 0"
    run 0 --env MODE=x . -- -k zero
    lacks "$(cat ../story)" "run pytest: cached"
}

test_a_suite_that_is_wanted_three_times_at_once_runs_once() {
    project
    printf 'import time\ndef test_it():\n    time.sleep(1)\n' > tests/test_it.py
    for i in 1 2 3; do pl-test . > "../record$i" 2> "../story$i" & done
    wait
    equal "$(jq -r .passed ../record? | paste -sd' ')" "1 1 1"
    equal "$(cat ../story? | grep -c 'run pytest: cached')" 2
    contains "$(cat ../story?)" "wait for another process: run pytest"
    # With --no-cache each runs its own.
    for i in 1 2; do pl-test --no-cache . > "../record$i" 2> "../story$i" & done
    wait
    equal "$(cat ../story1 ../story2 | grep -c -e 'run pytest: cached' -e 'wait for another process: run pytest')" 0
}

test_the_build_and_the_tests_share_the_installation() {
    project
    printf 'from http.server import *\nimport os\nHTTPServer(("", int(os.environ["PORT"])), BaseHTTPRequestHandler).serve_forever()\n' > main.py
    echo 'idna==3.10' > requirements.txt
    echo 'def test_it(): import idna' > tests/test_it.py
    printf 'tests\n.env\n' > .dockerignore
    echo SECRET=1 > .env
    pl-build . > /dev/null 2> ../build
    run 0 .
    contains "$(cat ../story)" "install dependencies (requirements.txt): cached"
}

test_failing_tests_are_counted_and_run_again() {
    project
    cat > tests/test_shop.py <<'END'
import pytest
from shop import double

def wrong(x):
    raise ValueError(x)

def test_right(): assert double(1) == 2

def test_wrong():
    assert double(1) == 3, "::error::not a command"

class TestMore:
    def test_deep(self):
        wrong("%0A::set-output name=x::y\n::warning::no")

    @pytest.mark.skip(reason="later")
    def test_later(self): pass

@pytest.fixture
def broken():
    raise RuntimeError("no set-up")

def test_error(broken): pass
END
    run 1 .
    counts "5 1 2 1 1"
    equal "$(jq -r .type ../record | paste -sd' ')" "report error"
    contains "$(cat ../story)" "pl-test: 3 of 5 tests failed"
    contains "$(cat ../story)" "pl-test . -- 'tests/test_shop.py::test_wrong'"
    run 1 .
    contains "$(cat ../story)" "=== FAILURES ==="
    run 1 . -- tests/test_shop.py::test_wrong
    counts "1 0 1 0 0"
}

test_annotations_in_github_actions() {
    project
    cat > tests/test_shop.py <<'END'
import sys

def wrong(x):
    raise ValueError(x)

def test_deep():
    print("::warning::from a test")
    print("##[error]from a test")
    wrong("one\n::warning::two")

def test_plain():
    assert 1 == 2
END
    cd ..
    export GITHUB_ACTIONS=true GITHUB_WORKSPACE=$PWD GITHUB_OUTPUT=$PWD/output GITHUB_STEP_SUMMARY=$PWD/summary
    got=0; pl-test it > record 2> story || got=$?
    equal $got 1
    grep '^::error file=' story > annotations
    equal "$(wc -l < annotations)" 2
    # The place in the test's own file, not the one in the helper that is called last... which is in the same file here.
    equal "$(sed -n 1p annotations)" "::error file=it/tests/test_shop.py,line=4,title=tests/test_shop.py%3A%3Atest_deep::ValueError: one%0A::warning::two"
    equal "$(sed -n 2p annotations)" "::error file=it/tests/test_shop.py,line=12,title=tests/test_shop.py%3A%3Atest_plain::assert 1 == 2"
    equal "$(grep -c '^::error title=pl-test' story)" 1
    # Whatever begins a line as a command, or holds one, is ours.
    equal "$(grep -E '^ *::|##\[' story | grep -vE '^::(group|endgroup|error (file=it/|title=pl-test))' | wc -l)" 0
    contains "$(cat output)" "report=file:sha256:"
    contains "$(cat summary)" "2 failed"
}

test_a_module_that_cannot_be_imported() {
    project
    printf 'import nothing_of_this_name\n' > tests/test_import.py
    echo 'def test_it(): pass' > tests/test_shop.py
    GITHUB_ACTIONS=true run 70 .
    counts "1 0 0 1 0"
    contains "$(cat ../story)" "the tests could not run: 1 error before the first test"
    contains "$(cat ../story)" "tests/test_import.py,line=1,title=tests/test_import.py::ModuleNotFoundError: No module named 'nothing_of_this_name'"
}

test_settings_that_cannot_be_imported() {
    project
    printf '\nimport nothing_of_this_name\n' > tests/conftest.py
    echo 'def test_it(): pass' > tests/test_shop.py
    GITHUB_ACTIONS=true run 70 .
    contains "$(cat ../story)" "the tests could not run: 1 error before the first test (pytest: exit code 4)"
    contains "$(cat ../story)" "tests/conftest.py,line=2,title=tests/conftest.py%3A2::ModuleNotFoundError: No module named"
}

test_a_suite_that_hangs() {
    project
    printf 'import time\ndef test_fine(): pass\n\ndef test_hangs():\n    time.sleep(1000)\n' > tests/test_slow.py
    GITHUB_ACTIONS=true run 124 --timeout 2s .
    contains "$(cat ../story)" "the tests did not end within 2 s"
    contains "$(cat ../story)" "tests/test_slow.py,line=5,title=tests/test_slow.py%3A5::the tests were here when their time was over"
    counts "1 1 0 0 0"
}

test_a_suite_that_crashes() {
    project
    printf 'import os, signal\n\ndef test_crash():\n    os.kill(os.getpid(), signal.SIGSEGV)\n' > tests/test_crash.py
    GITHUB_ACTIONS=true run 70 .
    equal "$(jq -r .type ../record | paste -sd' ')" "error"
    contains "$(cat ../story)" "pytest could not run to its end: signal 11 (Segmentation fault)"
    contains "$(cat ../story)" "tests/test_crash.py,line=4"
}

test_no_tests_at_all() {
    project
    run 70 .
    contains "$(cat ../story)" "pytest found no tests"
    run 70 . -- -k nothing
}

test_wrong_arguments_of_the_runner() {
    project
    run 70 . -- --no-such-option
    contains "$(cat ../story)" "the tests could not run: pytest failed with exit code 4"
}

test_only_the_exit_status_decides() {
    project
    # A failing test that the project's own settings make a success, and a success that they make a failure.
    printf 'def test_wrong(): assert False\n' > tests/test_it.py
    printf 'def pytest_sessionfinish(session, exitstatus):\n    session.exitstatus = 0\n' > conftest.py
    run 0 .
    counts "1 0 1 0 0"
    printf 'def test_right(): pass\n' > tests/test_it.py
    printf 'def pytest_sessionfinish(session, exitstatus):\n    session.exitstatus = 1\n' > conftest.py
    run 1 .
    counts "1 1 0 0 0"
    # No document, or a broken one: the status still decides.
    printf 'import atexit\natexit.register(lambda: open("/run/pl/results/junit.xml", "w").write("<!DOCTYPE x>"))\n' > conftest.py
    run 0 .
    equal "$(cat ../record)" ""
    contains "$(cat ../story)" "the counts are not known"
}

tools() { # the same for both tests that need them
    project
    printf 'pytest==8.3.5\npytest-cov==6.1.1\nruff==0.11.13\nmypy==1.14.1\n' > requirements-dev.txt
    printf 'import os\n\n\ndef double(x: int) -> str:\n    return 2 * x\n\n\ndef other():\n    return 1\n' > shop.py
    printf 'from shop import double\ndef test_double(): assert double(2) == 4\n' > tests/test_shop.py
}

test_coverage_is_measured_and_demanded() {
    tools
    run 0 --coverage-min 80 .
    equal "$(get coverage)" "85.71"
    contains "$(cat ../story)" "1 test, 1 passed"
    contains "$(cat ../story)" "coverage 85.71 %"
    run 1 --coverage-min 86 .
    # Another demand does not run them again.
    contains "$(cat ../story)" "run pytest: cached"
    contains "$(cat ../story)" "the coverage is 85.71 %, less than the 86 % of --coverage-min"
    counts "1 1 0 0 0"
    run 0 --coverage-min 85 .
    # What is not measured is not enough.
    printf 'import atexit, os\natexit.register(lambda: os.remove("/run/pl/results/coverage.xml"))\n' > conftest.py
    run 70 --coverage-min 1 .
    contains "$(cat ../story)" "did not say how much was covered"
}

test_linter_and_type_checker() {
    tools
    GITHUB_ACTIONS=true GITHUB_WORKSPACE=$PWD run 1 --suite lint .
    counts "1 0 1 0 0"
    contains "$(cat ../story)" "::error file=shop.py,line=1,title=ruff::F401 [*] \`os\` imported but unused"
    contains "$(cat ../story)" "pl-test: ruff: 1 finding"
    contains "$(document)" '<testcase name="shop.py:1" file="shop.py" line="0">'
    GITHUB_ACTIONS=true GITHUB_WORKSPACE=$PWD run 1 --suite types .
    contains "$(cat ../story)" "::error file=shop.py,line=5,title=mypy::error: Incompatible return value type"
    contains "$(cat ../story)" "install development dependencies (requirements-dev.txt): cached"
    sed -i '/^import os/d; s/-> str/-> int/' shop.py
    run 0 --suite lint .
    counts "1 1 0 0 0"
    run 0 --suite lint .
    contains "$(cat ../story)" "run ruff: cached"
    run 0 --suite types .
    run 70 --suite types . -- --no-such-option
    contains "$(cat ../story)" "mypy could not run: it failed with exit code 2"
}

test_in_the_image_of_a_dockerfile() {
    project
    cat > Dockerfile <<'END'
FROM apt:bookworm?python3,python3-venv,ca-certificates AS base
RUN python3 -m venv /venv
ENV PATH=/venv/bin:$PATH
WORKDIR /srv/shop
COPY requirements.txt .
RUN pip install -r requirements.txt

FROM base
COPY shop.py .
CMD ["python3", "-m", "shop"]
END
    printf 'from shop import double\ndef test_double(): assert double(2) == 4\n' > tests/test_shop.py
    run 0 .
    counts "1 1 0 0 0"
    contains "$(cat ../story)" "the tests run in the Dockerfile's image"
    contains "$(cat ../story)" "rootdir: /srv/shop"
    equal "$(tested | jq -c .passed)" true
    mkdir docs notes; echo x > docs/a; echo y > notes/b; echo docs > .dockerignore; echo notes > .plignore
    equal "$(tested | jq -c .passed)" true # both see the same source
    rm -r docs notes .dockerignore .plignore
    printf 'from shop import double\ndef test_double():\n    assert double(2) == 5\n' > tests/test_shop.py
    GITHUB_ACTIONS=true GITHUB_WORKSPACE=$PWD run 1 .
    contains "$(cat ../story)" "install development dependencies (requirements-dev.txt): cached"
    contains "$(cat ../story)" "::error file=tests/test_shop.py,line=3,title=tests/test_shop.py%3A%3Atest_double"
    # A stage that is there for the tests.
    sed -i '/^FROM base$/i FROM base AS test\nRUN pip install pytest==8.3.5\nENV STAGE=test' Dockerfile
    rm requirements-dev.txt
    echo 'import os; assert os.environ["STAGE"] == "test"' > tests/conftest.py
    run 1 .
    contains "$(cat ../story)" "the tests run in the stage test of the Dockerfile"
    run 70 --target base .
}

# What the policy of an organisation asks for: which source an image was built from, and what that source's tests said.
test_evidence_is_kept_by_the_source() {
    project
    mkdir -p empty docs; echo x > docs/a.md; echo docs > .dockerignore
    printf 'from shop import double\ndef test_double(): assert double(2) == 4\n' > tests/test_shop.py
    printf 'import http.server\nhttp.server.test(port=8080)\n' > main.py
    run 0 . -- -k double
    status 1 tested 2> ../none
    run 0 .
    equal "$(tested | jq -c '[.passed, .tests, .coverage, (.report | length)]')" '[true,1,-1,71]'
    # From the image in a registry back to the report: what a policy is judged by.
    cd ..; registry single; cd it
    echo '{"rules": {"tests": {"suites": ["unit"]}, "coverage": {"at_least": 1}, "base_images": {"allow": ["debian"]}}}' > ../policy.json
    PL_POLICY=../policy.json status 1 pl-run-deploy --region us-central1 --policy-check \
        "$(pl-build . 2> ../story | pl-push-image --repo "127.0.0.1:$PORT/t/shop" -o ref 2> ../story)" > ../told 2> ../story
    equal "$(sed 's|.*policy.json, ||' ../told)" 'base_images: the base of the image is apt:bookworm?python3,python3-venv,ca-certificates; allowed: debian
coverage: the tests did not say how much of the code they cover; the floor is 1 %'
    echo y > docs/a.md # what no image sees is not part of it
    equal "$(tested | jq -c .passed)" true
    echo '# changed' >> shop.py
    status 1 tested 2> ../none
    printf 'def test_double(): assert False\n' > tests/test_shop.py
    run 1 .
    equal "$(tested | jq -c .passed)" false
}

# A container runs beside them, which is all that they reach.
test_services_beside_the_tests() {
    project
    [ -e "$WORK/root.tar" ] || "$ROOT/tests/engine/make_rootfs" "$WORK/root.tar"
    web() { pl-from "rootfs:$WORK/root.tar" | pl-with new-file /www/index.html "$1" | pl-with port 8080 | pl-with entrypoint -- httpd -f -p 8080 -h /www | jq -r .ref; }
    printf '%s\n' 'from urllib.request import urlopen' 'def test_db(): assert urlopen("http://db:8080/").read() == b"rows"' > tests/test_db.py
    run 0 --service "db=$(web rows 2> /dev/null)" .
    counts "1 1 0 0 0"
    run 1 --service "db=$(web others 2> /dev/null)" .
    run 64 --service db .
}

run_tests
