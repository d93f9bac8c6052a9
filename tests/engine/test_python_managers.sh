#!/usr/bin/env bash
# Each of Python's package managers, with lock files that the manager itself has just written.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/python_lib.sh"
. "$ROOT/tests/packages.sh"

manager() { # manager NAME REQUIREMENT: in an environment of its own
    pip_packages "$2" >&2
    echo "$INSTALLED/bin/$1"
}

bottle() { # bottle NAME: python/NAME and a small application
    application "$1"
    cp "$APPLICATIONS/bottle.py" "$1/main.py"
}

# served NAME: builds and starts ./NAME. What is installed is what it declares, without what is for development.
served() {
    shared_store
    ref=$(build "$1")
    answer=$(serve "$ref")
    contains "$answer" '"hello": "from Bottle", "versions": ["0.13.2", "waitress"]'
    contains "$answer" "installed: bottle waitress"
    rm -rf "$1"/__pycache__
    echo "# a comment" >> "$1/main.py"
    build "$1" > /dev/null
    contains "$(cat said)" "install dependencies (${2:-}): cached"
}

start_registry

test_pip_with_hashes() {
    bottle pip-hashes; served pip-hashes requirements.txt
    sed -i 's/27569ab8/00000000/' pip-hashes/requirements.txt
    status 70 pl-build --base "$BASE" pip-hashes 2> said
    contains "$(tail -n 3 said)" "requirements.txt names another hash"
}

test_pip_with_pyproject() {
    bottle pip-project; served pip-project pyproject.toml
    labels=$("$HERE/image_listing.py" "$ref" Labels)
    contains "$labels" '"org.opencontainers.image.version": "1.2.3"'
    contains "$labels" '"org.opencontainers.image.description": "A shop"'
    contains "$labels" '"org.opencontainers.image.licenses": "Apache-2.0"'
}

# A package that lies in the source is installed from there, and stays editable.
test_pip_with_a_package_of_the_source() {
    bottle pip-local; shared_store
    sed -i '1s/^/from thing import name\n/; s/"from Bottle"/"from Bottle and " + name()/' pip-local/main.py
    answer=$(serve "$(build pip-local)")
    contains "$answer" '"hello": "from Bottle and thing"'
    echo "# a comment" >> pip-local/main.py
    build pip-local > /dev/null
    contains "$(cat said)" "install dependencies (requirements.txt): cached"
}

test_setup_py() {
    bottle pip-setup; shared_store
    echo > pip-setup/shop.py
    answer=$(serve "$(build pip-setup)")
    contains "$answer" "installed: bottle shop waitress"
    contains "$(cat said)" "every edit installs dependencies anew"
}

test_uv() {
    bottle uv
    (cd uv && "$(manager uv uv==0.13.9)" lock -q)
    served uv uv.lock
    sed -i 's/0.13.2/0.13.3/' uv/pyproject.toml
    status 70 pl-build --base "$BASE" uv 2> said
    contains "$(tail -n 3 said)" "uv.lock does not fit pyproject.toml"
    contains "$(tail -n 3 said)" "uv lock"
}

# The packages of an index are all that is asked of it, so that any mirror will do.
index_url() { python3 -c 'from pip._internal.models.index import PyPI; print(PyPI.simple_url + "/")'; }

test_poetry() {
    bottle poetry
    printf '\n[[tool.poetry.source]]\nname = "index"\nurl = "%s"\npriority = "primary"\n' "$(index_url)" >> poetry/pyproject.toml
    (cd poetry && "$(manager poetry poetry==2.5.1)" lock -q)
    served poetry poetry.lock
    sed -i 's/"0.13.2"/"0.13.3"/' poetry/pyproject.toml
    status 70 pl-build --base "$BASE" poetry 2> said
    contains "$(tail -n 3 said)" "poetry.lock does not fit pyproject.toml"
    contains "$(tail -n 3 said)" "poetry lock"
}

test_pdm() {
    bottle pdm
    (cd pdm && "$(manager pdm 'pdm[locked]==2.29.3')" lock -q)
    served pdm pdm.lock
}

test_pipenv() {
    bottle pipenv
    (cd pipenv && PIPENV_IGNORE_VIRTUALENVS=1 "$(manager pipenv pipenv==2026.10.3)" lock -q)
    served pipenv Pipfile.lock
    rm pipenv/Pipfile.lock
    answer=$(serve "$(build pipenv)")
    contains "$answer" '"hello": "from Bottle"'
}

deep test_pdm test_pipenv # beside pip, uv and Poetry; what they plan is in test_stacks.c

run_tests
