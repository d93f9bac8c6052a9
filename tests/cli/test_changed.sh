#!/usr/bin/env bash
# pl-changed: which components of a repository have changed.
. "$(dirname "$0")/../lib.sh"
unset GITHUB_BASE_REF GITHUB_EVENT_PATH CI_MERGE_REQUEST_DIFF_BASE_SHA CI_COMMIT_BEFORE_SHA

git_here() { git -c user.name=t -c user.email=t@example.com -c init.defaultBranch=main -c commit.gpgsign=false "$@"; }
commit() { git_here add -A; git_here commit -q --allow-empty -m "$1"; }
repository() { # backend, frontend, services/mail and a library; the tag v1
    mkdir -p repo/backend/src repo/frontend repo/services/mail repo/libs/common repo/docs
    cd repo
    git_here init -q
    echo flask > backend/requirements.txt
    echo '{"name":"frontend"}' > frontend/package.json
    printf 'FROM scratch\n' > services/mail/Dockerfile
    echo 1 > libs/common/code.py; echo 1 > docs/index.md; echo ignored > .gitignore
    commit one
    git_here tag v1
}

test_nothing_has_changed() {
    repository
    status 1 pl-changed --since v1 > ../out 2> ../log
    equal "$(cat ../out)" ""
    contains "$(cat ../log)" "none of 3 components has changed"
    equal "$(status 1 pl-changed --since v1 --json 2> ../log)" "[]"
}

test_what_changed_since_a_commit() {
    repository
    echo 2 > docs/index.md; commit docs
    status 1 pl-changed --since v1 2> ../log
    echo x > backend/src/main.py; commit backend
    equal "$(pl-changed --since v1 2> ../log)" backend
    contains "$(cat ../log)" "1 of 3 components have changed"
    git_here rm -q services/mail/Dockerfile; mkdir -p services/mail; echo '{}' > services/mail/package.json; commit mail
    equal "$(pl-changed --since v1 2> ../log)" "backend
services/mail"
    equal "$(pl-changed --since v1 --json 2> ../log | jq -c '.[0]')" '{"directory":"backend","files":["backend/src/main.py"]}'
    # What is not committed, and what git does not know yet, counts; what it ignores does not.
    echo '{"name":"frontend","private":true}' > frontend/package.json
    equal "$(pl-changed --since HEAD 2> ../log)" frontend
    git_here checkout -q frontend
    echo x > frontend/ignored
    status 1 pl-changed --since HEAD 2> ../log
    printf x > "frontend/new
line"
    equal "$(pl-changed --since HEAD 2> ../log)" frontend
}

test_what_a_component_depends_on() {
    repository
    echo 2 > libs/common/code.py; commit library
    status 1 pl-changed --since v1 backend frontend 2> ../log
    equal "$(pl-changed --since v1 backend:libs/common frontend 2> ../log)" backend
    equal "$(pl-changed --since v1 --shared libs backend frontend/ 2> ../log)" "backend
frontend/"
    status 1 pl-changed --since v1 --shared lib backend 2> ../log
    cd backend
    equal "$(pl-changed --since v1 .:../libs/common 2> ../log)" .
    status 64 pl-changed --since v1 ../../other 2> ../log
    contains "$(cat ../log)" "lies outside of the work tree"
    equal "$(pl-changed --since v1 "$PWD:$PWD/../libs" 2> ../log)" "$PWD"
}

test_since_where_the_branches_parted() {
    repository
    git_here checkout -q -b topic
    echo x > backend/src/main.py; commit topic
    git_here checkout -q main
    echo x > frontend/x; commit main
    git_here checkout -q topic
    equal "$(pl-changed --since main 2> ../log)" backend
    git_here update-ref refs/remotes/origin/main main
    equal "$(GITHUB_BASE_REF=main pl-changed 2> ../log)" backend
    echo "{\"before\":\"$(git rev-parse v1)\"}" > ../event.json
    equal "$(GITHUB_EVENT_PATH=$PWD/../event.json pl-changed 2> ../log)" backend
    equal "$(CI_COMMIT_BEFORE_SHA=$(git rev-parse v1) pl-changed 2> ../log)" backend
    git_here symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/main
    equal "$(pl-changed 2> ../log)" backend
}

test_what_cannot_be_told() {
    repository
    status 64 pl-changed 2> ../log
    contains "$(cat ../log)" "since which commit?"
    status 64 pl-changed --since --upload-pack=x 2> ../log
    status 70 pl-changed --since nothing > ../out 2> ../log
    contains "$(cat ../log)" "git does not know nothing here"
    contains "$(cat ../log)" "fetch-depth: 0"
    equal "$(pl-changed --since nothing --all-when-unknown 2> ../log | wc -l)" 3
    cd "$WORK"; mkdir -p none; cd none
    GIT_CEILING_DIRECTORIES=$WORK status 70 pl-changed --since HEAD > ../out 2> ../log
    contains "$(cat ../log)" "git: fatal: not a git repository"
}

run_tests
