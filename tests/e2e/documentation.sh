# shellcheck shell=bash
# Sourced by the shell that runs a page of documentation (documentation.py): what the pages take for granted.
. "$ROOT/tests/e2e/cloud.sh"
set -e -o pipefail
PAGE=$PWD

# at PLACE [FILE]: what is run next. When it fails, that is said, with what it has printed.
at() { PLACE=$1 PART=${2:-}; }
# shellcheck disable=SC2154
trap 'code=$?; trap - EXIT
    if [ "$PLACE" != the-end ]; then echo "$PLACE: ended with $code"; tail -n 30 "$PART.out"; code=1; fi
    [ -z "${PL_LOCAL_STATE:-}" ] || [ ! -e "$PL_LOCAL_STATE" ] || pl-local stop -q
    exit "$code"' EXIT

# What a page needs is not on this machine: what follows is not run, and the test is counted as skipped.
skip() { echo "$*" > "$WORK/skipped"; PLACE=the-end; exit 0; }

# run_until FILE CONDITION: in a process group of its own, as a terminal does it, until the condition holds; then Ctrl-C.
run_until() {
    local end=$((SECONDS + 60)) group
    set -m
    ( set +m -e; . "$1" ) > "$1.out" 2>&1 < /dev/null & group=$!
    set +m
    until ( . "$2" ) > /dev/null 2>&1; do
        [ $SECONDS -lt $end ] && kill -0 $group 2> /dev/null || { kill -9 -- -$group 2> /dev/null || :; return 1; }
        sleep 0.1
    done
    kill -INT -- -$group
    wait $group || :
}

# The images of a registry that the pages name, made of Debian's packages: no registry is reached from here.
mkdir -p path
cat > path/pl-from <<END
#!/bin/bash
PAGE="$PAGE" OUT="$OUT"
END
cat >> path/pl-from <<'END'
for argument; do
    case $argument in
        python:3.12-slim)
            [ -s "$PAGE/python" ] || "$OUT/bin/pl-from" -q 'apt:bookworm?python3,python3-venv,ca-certificates' | pl-with -q exec -- python3 -m venv /usr/local |
                pl-with -q env PATH=/usr/local/bin:/usr/bin:/bin | jq -r .ref > "$PAGE/python"
            argument=$(cat "$PAGE/python") ;;
        node:22-slim) argument='apt:bookworm?ca-certificates&node=22.23.3' ;;
    esac
    arguments+=("$argument")
done
exec "$OUT/bin/pl-from" "${arguments[@]}"
END
chmod +x path/pl-from
export PATH="$PAGE/path:$PATH" PL_LOCAL_STATE="$PAGE/cloud"

# share_cloud: the cloud that pages with large images share, which takes their layers once
share_cloud() { export PL_LOCAL_STATE=$WORK/cloud; }

# What stands before a pipe that begins with "…": the image of a small web server.
…() { cat "$PAGE/image.json"; }
image_of_a_service() { # image_of_a_service [NAME]: after pl-local has started
    web_app "$PAGE/app" "hello"
    pl-build -q --name "${1:-api}" "$PAGE/app" | pl-push-image -q --repo my-repo > "$PAGE/image.json"
}
shop() { cp -R "$ROOT/examples/shop/backend" "$ROOT/examples/shop/frontend" .; rm -rf frontend/node_modules; }
# stand_in NAME COMMAND: a program that a page names and that is not here
stand_in() { printf '#!/bin/sh\n%s\n' "$2" > "$PAGE/path/$1"; chmod +x "$PAGE/path/$1"; }
FREE_PORT=$((20000 + RANDOM % 12000))
while (exec 3<> "/dev/tcp/127.0.0.1/$FREE_PORT") 2> /dev/null; do FREE_PORT=$((FREE_PORT + 1)); done

# What a page gives to GitHub's or GitLab's runner, run in the directory shop with this cloud's identities in place of the page's.
for_this_cloud() { # for_this_cloud FILE
    sed -E "s|projects/123456789/[A-Za-z/]*/providers/[a-z-]+|$PL_WORKLOAD_IDENTITY_PROVIDER|; s|[a-z]+@my-project[a-z.]*|$PL_IMPERSONATE_SERVICE_ACCOUNT|
        s|my-project|$GOOGLE_CLOUD_PROJECT|" "$1"
}
# as_github FILE [ENV]: a workflow, or steps in place of the last one of deploy.yml; ENV is one more line of its env
as_github() {
    local result=0
    mkdir -p action
    printf 'runs:\n  using: composite\n  steps: [{run: pl --version, shell: bash}]\n' > action/action.yml
    echo '{"repository": {"full_name": "my-org/shop"}}' > event.json
    if [ "$(head -c 1 "$1")" = - ]; then
        { sed '/- id: backend/,$d' .github/workflows/deploy.yml; sed 's/^/      /' "$1"; } > steps
    else cp "$1" steps; fi
    for_this_cloud steps | sed "s|^env:|&${2:+\n  $2}|" > workflow.yml
    "$ROOT/tests/e2e/github_runner.py" workflow.yml push event.json shop --action "OWNER/pl@v1=$PWD/action" --path "$PATH"
}
as_gitlab() { # as_gitlab FILE
    for_this_cloud "$1" > gitlab.yml
    "$ROOT/tests/e2e/gitlab_runner.py" gitlab.yml shop --path "$PATH" --var CI_COMMIT_BRANCH=main > gitlab.log || { cat gitlab.log; return 1; }
    tail -n 1 gitlab.log | jq -e '.deploy.result == "success"'
}
