#!/usr/bin/env bash
# The step that installs dependencies: what it may see, how it logs in, and what is said when it fails.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/python_lib.sh"

start_registry

script() { mkdir -p app; printf -- "$1" > app/requirements.txt; [ -e app/main.py ] || echo 'print(1)' > app/main.py; } # script REQUIREMENTS
install() { shared_store; pl-build --base "$BASE" "$@" app > record 2> said || { local result=$?; cat said; return $result; }; }
fails() { status 70 install > /dev/null || { cat said; return 1; }; contains "$(tail -n 2 said)" "$1"; contains "$(tail -n 1 said)" "$2"; } # fails REASON NEXT

test_a_compiler_that_is_missing() {
    script '--no-binary psutil\npsutil==7.0.0\n'
    fails "install dependencies (requirements.txt): psutil is compiled from its source, and the base does not have a C compiler" \
        "--base '$BASE,gcc,g++,libc6-dev,python3-dev'"
}

test_a_library_that_is_missing() {
    script 'psycopg2==2.9.10\n'
    fails "psycopg2==2.9.10 is compiled from its source, and the base does not have PostgreSQL's library (pg_config)" "psycopg2-binary in place of psycopg2"
}

test_what_the_index_does_not_have() {
    script 'bottle==99.1\n'; fails "bottle==99.1 does not exist, though other versions of it do" "correct it in requirements.txt"
    script 'bottle==0.13.2\n-c constraints.txt\n'; echo 'bottle==0.12.0' > app/constraints.txt
    fails "conflicting dependencies" "loosen the versions in"
}

test_a_base_with_a_python_that_the_project_excludes() {
    script ''; rm app/requirements.txt
    printf '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.12"\ndependencies = ["bottle"]\n' > app/pyproject.toml
    fails "pyproject.toml asks for Python >=3.12, and the base has Python 3.11" "leave out --base"
    sed -i 's/>=3.12/>=3.11/; s/"bottle"//' app/pyproject.toml
    install
}

test_the_step_sees_only_the_files_that_declare() {
    mkdir app; echo "print($RANDOM$RANDOM)" > app/main.py
    printf '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n[project]\nname = "x"\nversion = "1"\ndependencies = []\n' > app/pyproject.toml
    echo 'secret of the source' > app/other.txt
    install; contains "$(cat said)" "install dependencies (pyproject.toml)"
    echo "print($RANDOM$RANDOM)" > app/main.py; echo x > app/another.txt
    install --explain
    contains "$(cat said)" "install dependencies (pyproject.toml): cached"
    contains "$(cat said)" "main.py changed"
    sed -i 's/version = "1"/version = "2.'$RANDOM'"/' app/pyproject.toml
    install --explain
    contains "$(cat said)" "pyproject.toml changed"
}

# A login to an index of one's own: as pip.conf, as netrc; seen by the step alone.
test_a_login_is_a_secret() {
    password=pass-$RANDOM$RANDOM$RANDOM
    "$HERE/package_index.py" "me:$password" > port & trap 'kill $!' EXIT
    wait_for 10 test -s port
    script 'only-here==1.0\n'; echo 'import only_here; print(only_here.WHERE)' > app/main.py
    printf '[global]\nindex-url = http://me:%s@127.0.0.1:%s/simple\ncert =\n' "$password" "$(cat port)" > pip.conf
    install --secret pip.conf=file:pip.conf
    first=$(jq -r .digest record)
    lacks "$(cat said record)" "$password"
    ! grep -rlF "$password" "$PL_STORE/objects" "$PL_STORE/names" "$PL_STORE/trees" "$HOME"
    # The same packages with another login are the same step.
    printf '[global]\nindex-url = http://nobody:%s@127.0.0.1:%s/simple\n' wrong "$(cat port)" > pip.conf
    install --secret pip.conf=file:pip.conf
    equal "$(jq -r .digest record)" "$first"
    contains "$(cat said)" "cached"
    printf -- '-i http://127.0.0.1:%s/simple\nonly-here==1.0\n' "$(cat port)" > app/requirements.txt
    fails "the package index has no only-here==1.0" "or log in to an index of your own: --secret pip.conf=file:PATH"
    printf 'machine 127.0.0.1 login me password %s\n' "$password" > netrc
    install --secret netrc=file:netrc
    lacks "$(cat said record)" "$password"
}

test_labels_of_the_checkout() {
    application script; shared_store
    export GITHUB_SERVER_URL=https://github.com GITHUB_REPOSITORY=me/shop GITHUB_SHA=0123456789abcdef0123456789abcdef01234567
    plain=$(build script); equal "$("$HERE/image_listing.py" "$plain" Labels)" "{\"org.opencontainers.image.base.name\": \"$BASE\", \"org.opencontainers.image.title\": \"script\"}"
    labelled=$(GITHUB_ACTIONS=true SOURCE_DATE_EPOCH=1700000001 pl-build --base "$BASE" --label org.opencontainers.image.revision=mine script 2> said |
        pl-push-image --repo "127.0.0.1:$PORT/labelled" --tag t -o ref 2> pushed) || { cat said pushed; return 1; }
    labels=$("$HERE/image_listing.py" "$labelled" Labels)
    contains "$labels" '"org.opencontainers.image.source": "https://github.com/me/shop"'
    contains "$labels" '"org.opencontainers.image.created": "2023-11-14T22:13:21Z"'
    contains "$labels" '"org.opencontainers.image.revision": "mine"'
    contains "$(cat said)" "labels from GitHub Actions: source https://github.com/me/shop, revision 0123456789ab"
}

run_tests
