#!/usr/bin/env bash
# Instances of a service as Cloud Run has them: from zero, up to the maximum, a queue, and down again.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"

# An application that tells instances apart (/id). /cgi-bin/hold answers when it has read the whole body.
holding_app() {
    web_app app x '/bin/busybox cat /proc/sys/kernel/random/uuid > /www/id; trap \"echo stopped; exit 0\" TERM; /bin/busybox httpd -f -p $PORT -h /www & wait'
    mkdir -p app/www/cgi-bin
    printf '#!/bin/busybox sh\nread line\nprintf "Content-Type: text/plain\\r\\n\\r\\n"; exec /bin/busybox cat /www/id\n' > app/www/cgi-bin/hold
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

run_tests
