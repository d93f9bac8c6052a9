#!/usr/bin/env bash
# The article's functions, built of the chain (examples/chain): the same results as pl-build and pl-test, and what is run
# again after a change.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/chain_lib.sh"

# The steps that were not found; other tests use the same cache of pip.
made() { sed -n 's/^pl-[a-z]* │ \(.*\): [0-9.]* s$/\1/p' log | grep -v '^wait for another process' || true; }
run_in() { pl-with exec --user 0 -- "$@" 2> /dev/null | pl-export --show stdout; }

test_the_backend() {
    shared_store
    now=$(date +%s.%N)
    cp -r "$ROOT/examples/shop/backend" .; echo "# $now" >> backend/tests/test_items.py
    export PYTHON='apt:bookworm?python3,python3-venv,ca-certificates'
    . "$ROOT/examples/chain/functions"
    build_backend backend > image 2> log || { cat log; return 1; }
    pl-build --base "$PYTHON" backend > built 2> log || { cat log; return 1; }
    # The same packages, the same application.
    equal "$(run_in python -c 'import importlib.metadata as m; print(sorted((d.name, d.version) for d in m.distributions() if d.name not in ("pip", "setuptools")))' < image)" \
        "$(run_in python -c 'import importlib.metadata as m; print(sorted((d.name, d.version) for d in m.distributions()))' < built)"
    equal "$(pl-export --path /app/src < image | ref)" "$(pl-export --path /app/src < built | ref)"
    equal "$(pl-export --show inspect < image | jq -c '.config | [.ExposedPorts, .User, .WorkingDir]')" \
        "$(pl-export --show inspect < built | jq -c '.config | [.ExposedPorts, .User, .WorkingDir]')"
    test_backend backend > out 2> log || { cat log; return 1; }
    contains "$(cat out)" " passed"

    # After a change of a test only the tests run.
    echo "def test_more(): pass # $now" >> backend/tests/test_items.py
    test_backend backend > again 2> log
    equal "$(made | tr '\n' '|')" "directory backend/tests tests|exec python -m pytest -q -p no:cacheprovider|"
    equal "$(grep -o '[0-9]* passed' again)" "$(($(grep -o '[0-9]* passed' out | cut -d ' ' -f 1) + 1)) passed"
    build_backend backend 2> log | ref > same; equal "$(cat same)" "$(ref < image)"; equal "$(made)" ""
    # After a change of the source nothing is installed.
    echo "# $now" >> backend/src/items.py; build_backend backend 2> log > /dev/null
    equal "$(made)" "directory backend/src src"
    # After a change of requirements.txt only the installation and what follows.
    echo "# $now" >> backend/requirements.txt; build_backend backend 2> log > /dev/null
    equal "$(made | tr '\n' '|')" "file backend/requirements.txt ./|exec pip install --no-compile -q -r requirements.txt|directory backend/src src|"
    # Tests that fail: the code of the last stage, and what they said.
    echo "def test_red(): assert 0, 'red: $now'" >> backend/tests/test_items.py
    status 70 test_backend backend > out 2> log
    contains "$(cat log)" "red: $now"; contains "$(cat log)" "pytest -q -p no:cacheprovider failed with exit code 1"
    equal "$(jq -r .type out)" error
}

# The whole of Angular once more.
test_the_frontend() {
    shared_store
    cp -r "$ROOT/examples/shop/frontend" .
    export NODE='apt:bookworm?ca-certificates&node=22.23.3'
    . "$ROOT/examples/chain/functions"
    build_frontend frontend > site
    # To the byte.
    equal "$(ref < site)" "$(pl-build --base "$NODE" -o ref frontend)"
    contains "$(test_frontend frontend)" passed
}

deep test_the_frontend # fifty seconds of a processor; the same site by pl-build, and its tests by pl-test, are in test_ci.sh

run_tests
