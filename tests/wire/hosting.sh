# Sourced by the tests of the local cloud's Hosting: starting it, asking its API, putting sites there.

# A cloud of this test's own, ended with it: $CLOUD is its URL, $TOKEN an access token.
start_cloud() { # start_cloud [OPTION...]
    export PL_LOCAL_STATE=$PWD/cloud
    pl-local start "$@" > environment 2> start.log || { cat start.log; return 1; }
    trap 'pl-local stop 2> /dev/null' EXIT
    CLOUD=$(sed -n "s/export PL_CLOUD_URL='\(.*\)'/\1/p" environment)
    PORT=${CLOUD##*:}
    TOKEN=$(curl -sf -H 'Metadata-Flavor: Google' "$CLOUD/computeMetadata/v1/instance/service-accounts/default/token" | jq -r .access_token)
}
# api METHOD PATH [CURL-OPTION...]: the answer's body in `answer`, its status in $STATUS and last on standard output
api() {
    local method=$1 path=$2; shift 2
    STATUS=$(curl -s -o answer -w '%{http_code}' -X "$method" -H "Authorization: Bearer $TOKEN" \
        -H 'Content-Type: application/json' "$CLOUD$path" "$@")
    log_exchange "$method" "$path" "$STATUS" "$@"
}
# Every exchange is kept in $WORK/exchanges, for valid_by_discovery. No token is in it.
log_exchange() { # log_exchange METHOD PATH STATUS [CURL-OPTION...]
    local method=$1 path=$2 status=$3 body=null; shift 3
    while [ $# -gt 0 ]; do
        if [ "$1" = -d ] && jq -e . <<< "$2" > parsed 2> /dev/null; then body=$(cat parsed); fi
        shift
    done
    jq -cn --arg method "$method" --arg path "$path" --argjson status "$status" --argjson body "$body" --rawfile reply answer \
        '{$method, $path, $body, $status, reply: ($reply | fromjson? // null)}' >> "$WORK/exchanges"
}
# expect STATUS METHOD PATH [CURL-OPTION...]
expect() {
    local want=$1; shift
    api "$@"
    [ "$STATUS" = "$want" ] || fail "$STATUS, not $want: $1 $2: $(cat answer)"
}
get() { jq -r "$1" answer; }
# put_site SITE DIRECTORY [CONFIG-JSON]: a site with those files, released; $VERSION
put_site() {
    "$ROOT/tests/wire/put_site.py" "$CLOUD" "$TOKEN" "$@" > version || return 1
    VERSION=$(cat version)
}
# visit SITE PATH [CURL-OPTION...]: headers in `headers`, body in `body`, the status on standard output
visit() {
    local site=$1 path=$2; shift 2
    curl -s --path-as-is -D headers -o body -w '%{http_code}' "$@" "http://$site.localhost:$PORT$path"
}
header() { sed -n "s/^$1: \(.*\)\r$/\1/Ip" headers; }
