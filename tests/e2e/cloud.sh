# shellcheck shell=bash
# Sourced by the tests of the whole pipe: a local cloud of the test's own, and small applications for it.

# cloud [OPTIONS]: starts one, points the tools at it, and stops it at the end of the script.
cloud() {
    export PL_LOCAL_STATE=$PWD/cloud
    eval "$(pl-local start "$@")"
    ATEXIT="${ATEXIT:-}PL_LOCAL_STATE=$PL_LOCAL_STATE pl-local stop -q;"
    trap 'PL_LOCAL_STATE='"$PL_LOCAL_STATE"' pl-local stop -q' EXIT
}

# web_app DIR TEXT [COMMAND]: an application of one static program, so that no step has to be run to build it.
web_app() {
    mkdir -p "$1/www"
    cp "$(command -v busybox)" "$1/busybox"
    printf '%s' "$2" > "$1/www/index.html"
    cat > "$1/Dockerfile" <<EOF
FROM scratch
COPY busybox /bin/busybox
COPY www /www
CMD ["/bin/busybox", "sh", "-c", "${3:-exec /bin/busybox httpd -f -v -p \$PORT -h /www}"]
EOF
}

ship() { # ship DIR NAME [OPTIONS]: the three tools; the URL
    local directory=$1 name=$2
    shift 2
    pl-build -q --name "$name" "$directory" | pl-push-image -q --repo demo | pl-run-deploy -q --region us-central1 -o ref "$@"
}

process_of_cloud() { pl-local status | awk '$1 == "process" { print $2 }'; }
# What belongs to the cloud of this test and is still there: processes below it, mounts of its state.
remains() { grep -c "$PL_LOCAL_STATE" /proc/mounts; pgrep -f "httpd -f -v -p [0-9]* -h /www/$1" ; true; }
