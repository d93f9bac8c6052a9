#!/usr/bin/env bash
# Instances of a service as Cloud Run has them: from zero, up to the maximum, a queue, and down again.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"

# An application that tells instances apart (/id). /cgi-bin/hold answers when it has read the whole body.
holding_app() {
    web_app app x '/bin/busybox cat /proc/sys/kernel/random/uuid > /www/id; trap \"echo stopped; exit 0\" TERM; /bin/busybox httpd -f -p $PORT -h /www & wait'
    mkdir -p app/www/cgi-bin
    printf '#!/bin/busybox sh\necho held >&2\nread line\nprintf "Content-Type: text/plain\\r\\n\\r\\n"; exec /bin/busybox cat /www/id\n' > app/www/cgi-bin/hold
    chmod +x app/www/cgi-bin/*
}
# hold N: a request that takes a place until `free N`, which prints the answer; N is a descriptor
hold() {
    eval "exec $1<>/dev/tcp/127.0.0.1/${url##*:}"
    printf 'POST /cgi-bin/hold HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n' >&"$1"
}
free() { printf 'x\n' >&"$1"; cat <&"$1" | tail -n 1; eval "exec $1>&-"; }
instances() { pgrep -P "$(process_of_cloud)" | wc -l; }
have() { wait_for 20 eval '[ "$(pgrep -P '"$(process_of_cloud)"' | wc -l)" = '"$1"' ]'; }

test_instances_come_and_go() {
    cloud --idle-time 1 --queue-time 1
    holding_app
    url=$(ship app app --concurrency 1 --max-instances 2)
    # Two requests at once take two instances, and there may be no third one.
    hold 11; hold 12
    have 2
    equal "$(curl -s -o body -w '%{http_code}' "$url/id")" 429
    contains "$(cat body)" "Rate exceeded."
    contains "$(pl-local logs app)" "The request was aborted because there was no available instance."
    [ "$(free 11)" != "$(free 12)" ] || fail "both were answered by the same instance"
    # Without requests none is left, and the next request starts one.
    have 0
    wait_for 5 eval '[ "$(pl-local logs app | grep -c stopped)" = 2 ]'
    [ -n "$(curl -sf "$url/id")" ]
    equal "$(instances)" 1
}

test_who_waits_gets_the_place_that_becomes_free() {
    cloud --queue-time 60
    holding_app
    url=$(ship app app --concurrency 1 --max-instances 1)
    hold 11
    curl -s "$url/id" > waited &
    hold 12
    wait_for 5 test -e waited
    free 11 > /dev/null
    free 12 > /dev/null
    wait %1
    [ -s waited ]
    equal "$(instances)" 1
}

test_minimum_instances_are_kept() {
    cloud --idle-time 0
    holding_app
    url=$(ship app app --min-instances 2)
    equal "$(instances)" 2
    # One that is lost is replaced.
    kill -9 "$(pgrep -P "$(pgrep -P "$(process_of_cloud)" | head -n 1)")"
    wait_for 20 eval '[ "$(pl-local logs app | grep -c MANUAL_OR_CUSTOMER_MIN_INSTANCE)" = 2 ]'
    have 2
    # Those of a revision without traffic are not, unless it has a tag.
    web_app app y
    pl-build -q --name app app | pl-push-image -q --repo demo > image
    pl-run-deploy --region us-central1 -q --min-instances 0 --no-traffic < image > record
    have 2
    pl-run-deploy --region us-central1 -q app --promote latest > record
    have 0
}

# patch JSON: of the service itself
patch() {
    local token
    token=$(curl -sf -H 'Metadata-Flavor: Google' "$PL_CLOUD_URL/computeMetadata/v1/instance/service-accounts/default/token" | jq -r .access_token)
    curl -sf -o reply -X PATCH -H "Authorization: Bearer $token" -H 'Content-Type: application/json' -d "$1" \
        "$PL_CLOUD_URL/v2/projects/pl-local/locations/us-central1/services/app?updateMask=$2"
}

test_manual_scaling_and_the_service_s_own_limits() {
    cloud
    holding_app
    url=$(ship app app --concurrency 1)
    patch '{"scaling": {"scalingMode": "MANUAL", "manualInstanceCount": 3}}' scaling
    have 3
    patch '{"scaling": {"scalingMode": "MANUAL", "manualInstanceCount": 1}}' scaling
    have 1
    patch '{"scaling": {"scalingMode": "MANUAL", "manualInstanceCount": 0}}' scaling
    have 0
    equal "$(curl -s -o body -w '%{http_code}' "$url/id")" 503
    contains "$(cat body)" "Service disabled"
    patch '{"scaling": {"minInstanceCount": 2}}' scaling
    have 2
    [ -n "$(curl -sf "$url/id")" ]
}

test_a_client_stays_with_its_instance() {
    cloud
    holding_app
    url=$(ship app app --concurrency 2 --min-instances 2 --session-affinity)
    # The first instance is full, so the other one answers, and its name is kept.
    hold 11; hold 12
    wait_for 10 eval '[ "$(pl-local logs app | grep -c held)" = 2 ]'
    other=$(curl -sf -c jar "$url/id")
    contains "$(cat jar)" GAESA
    free 11 > /dev/null; free 12 > /dev/null
    # Whoever has no name comes to the first one again.
    wait_for 10 eval '[ "$(curl -sf '"$url"'/id)" != '"$other"' ]'
    equal "$(for _ in 1 2 3 4 5; do curl -sf -b jar "$url/id"; done | sort -u)" "$other"
    curl -sf -b jar -D head -o body "$url/id"
    lacks "$(cat head)" Set-Cookie
}

test_a_request_has_its_time() {
    cloud
    holding_app
    url=$(ship app app --timeout 1s)
    hold 11
    cat <&11 > body
    contains "$(cat body)" "HTTP/1.1 504 Gateway Timeout"
    contains "$(cat body)" "upstream request timeout"
    contains "$(pl-local logs app)" "The request has been terminated because it has reached the maximum request timeout."
}

test_a_request_ends_where_it_began() {
    cloud
    holding_app
    url=$(ship app app)
    old=$(curl -sf "$url/id")
    hold 11
    # The traffic has moved, and the old instance stays for as long as it is needed.
    ship app app --env A=1 > /dev/null
    [ "$(curl -sf "$url/id")" != "$old" ]
    equal "$(instances)" 2
    equal "$(free 11)" "$old"
    have 1
}

# sent_away: 503; or it came too late: to a service that is being deleted, or to nobody
sent_away() { case $(cat waited) in 503 | 404 | 000) ;; *) fail "answered $(cat waited): $(cat body)" ;; esac; }
test_whoever_waits_is_sent_away_when_the_service_ends() {
    cloud --queue-time 600
    holding_app
    url=$(ship app app --concurrency 1 --max-instances 1)
    hold 11
    curl -s -o body -w '%{http_code}' "$url/id" > waited &
    pl-run-deploy --region us-central1 -q app --delete --confirm app
    have 0
    # It may not have come so far as to wait.
    wait $! || true
    sent_away
    # The same when the cloud ends.
    url=$(ship app app --concurrency 1 --max-instances 1)
    hold 12
    curl -s -o body -w '%{http_code}' "$url/id" > waited &
    pl-local stop
    wait $! || true
    sent_away
}

run_tests
