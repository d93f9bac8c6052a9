#!/usr/bin/env bash
# pl-changed: which directories of a repository have changed.
. "$(dirname "$0")/../lib.sh"

repository() {
    export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a
    git init -q -b main repo; cd repo
    mkdir -p backend/src frontend back shared 'with space'; for d in backend/src frontend back shared 'with space'; do echo 1 > "$d/f"; done
    echo '*.log' > .gitignore; git add -A; git commit -qm 1; git checkout -q -b work
}

test_what_changed() {
    repository
    status 1 pl-changed --since main backend frontend > out 2> log
    equal "$(cat out)" ""; contains "$(cat log)" "nothing changed there since main"
    echo 2 > backend/src/f; git commit -qam 2
    equal "$(pl-changed --since main frontend backend back ./backend/src)" "backend
./backend/src"
    # What is not committed counts, what is ignored does not; a file that is gone does.
    echo > frontend/x.log; equal "$(pl-changed --since main frontend backend)" backend
    echo > 'with space/new'; git rm -q frontend/f
    equal "$(pl-changed --since main frontend backend 'with space')" "frontend
backend
with space"
    # What main got meanwhile is not this branch's.
    git stash -q -u; git checkout -q main; echo 3 > back/f; git commit -qam 3; git checkout -q work
    status 1 pl-changed --since main back frontend > /dev/null 2>&1
    (cd backend; equal "$(pl-changed --since main . src ../frontend | tr '\n' ' ')" ". src ")
    equal "$(pl-changed --since main --also backend/src back frontend | tr '\n' ' ')" "back frontend "
    equal "$(pl-changed --since main --json backend back | jq -c .)" \
        '[{"files":["backend/src/f"],"directory":"backend","changed":true},{"files":[],"directory":"back","changed":false}]'
}

test_what_is_refused() {
    repository
    status 65 pl-changed --since nowhere backend > /dev/null 2> log; contains "$(cat log)" "fetch-depth: 0"
    status 65 pl-changed --since main nothing > /dev/null 2> log; contains "$(cat log)" "nothing is no directory here"
    status 64 pl-changed --since main .. > /dev/null 2> log; contains "$(cat log)" "outside of the repository"
    status 64 pl-changed --since -x backend > /dev/null 2> log
    status 64 pl-changed > /dev/null 2> log; contains "$(cat log)" "DIR... is missing"
    cd /; GIT_CEILING_DIRECTORIES=/ status 65 pl-changed tmp > /dev/null 2> "$WORK/log"; contains "$(cat "$WORK/log")" "this is no git repository"
}

run_tests
