#!/usr/bin/env bash
# pl-serve: a container as a service on loopback, for a person and while a command runs; and that nothing of it is left.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/chain_lib.sh"
. "$(dirname "$0")/users.sh"

serving() { # serving SCRIPT: a container that runs it
    pl-from "$(root)" | pl-with entrypoint -- sh -c "$1"
}
# A web server on $PORT, or where it is told
WEB='mkdir -p /www; echo "hello from $K_SERVICE $GREETING" > /www/index.html; echo ready >&2; exec httpd -f -p ${WHERE:-$PORT} -h /www'
left() { pgrep -f "$1" || true; }

test_a_command_runs_beside_the_service() {
    serving "$WEB" > record
    equal "$(pl-serve -- sh -c 'curl -sf "$PL_SERVICE_URL/"; echo "$PL_SERVICE_HOST"' < record 2> log)" "hello from service 
127.0.0.1"
    printf '# of the service\nGREETING="from a file"\n' > settings
    contains "$(pl-serve --env-file settings -- sh -c 'curl -sf "$PL_SERVICE_URL"' < record 2> log)" "hello from service from a file"
    equal "$(pl-serve --env-file settings --env GREETING=hi --port :9000 -- sh -c 'curl -sf "http://$PL_SERVICE_HOST:$PL_SERVICE_PORT"' < record 2> log)" \
        "hello from service hi"
    # Its exit code, and nothing but its own on standard output.
    status 7 pl-serve -- sh -c 'echo out; exit 7' < record > out 2> log
    equal "$(cat out)" out
    contains "$(cat log)" "sh ended with exit code 7"
    contains "$(cat log)" "  │ ready"
    status 143 pl-serve -- sh -c 'kill $$' < record > out 2> log
    status 78 pl-serve -- no-such-program < record > out 2> log
    contains "$(cat log)" "there is no program no-such-program"
}

test_in_the_host_network_it_gets_a_port_of_its_own() {
    serving "$WEB" | pl-serve --network host -- sh -c 'curl -sf "$PL_SERVICE_URL/"' > out 2> log
    contains "$(cat out)" "hello from service"
}

test_several_have_a_url_each() {
    { serving "$WEB" | jq -c '.name = "web"'; serving "$WEB" | jq -c '.name = "shop-api"'; } > records
    pl-serve -- sh -c 'curl -sf "$WEB_URL" "$SHOP_API_URL"' < records > out 2> log
    equal "$(cat out)" "hello from web 
hello from shop-api "
    status 64 pl-serve --port 8080 -- true < records > out 2> log
    contains "$(cat log)" "--port 8080 is for one container, and there are 2"
}

test_one_that_does_not_come_up_is_told_why() {
    serving 'echo about to fail; exit 3' > record
    status 70 pl-serve -- touch called < record > out 2> log
    contains "$(cat log)" "service ended with exit code 3 before it listened on port 8080"
    contains "$(cat log)" "about to fail"
    serving "$WEB" > record
    pl-serve --startup-time 1s --env WHERE=127.0.0.1:8080 -- touch called < record 2> loopback & local loopback=$!
    pl-serve --startup-time 1s --env WHERE=3000 -- touch called < record 2> elsewhere & local elsewhere=$!
    pl-serve --startup-time 1s --health /no-such-page -- touch called < record 2> ill & local ill=$!
    status 70 wait $loopback; status 70 wait $elsewhere; status 70 wait $ill
    contains "$(cat loopback)" "it listens on 127.0.0.1:8080"
    contains "$(cat loopback)" "let it listen on all addresses"
    contains "$(cat elsewhere)" "tell its port: --port :3000"
    contains "$(cat ill)" "GET /no-such-page was answered with 404"
    [ ! -e called ]
    pl-serve --health /index.html -- touch called < record > out 2> log
    [ -e called ]
}

test_up_serves_until_it_is_told_to_end() {
    serving "echo in-$$; (while sleep 0.1; do echo tick; done) & $WEB" > record
    pl-serve --up < record > out 2> log & local pid=$!
    wait_for 20 test -s out
    equal "$(jq -r .type out)" service
    contains "$(curl -sf "$(ref < out)")" "hello from service"
    wait_for 10 grep -q "in-$$" log
    # What it prints once its record is written is shown as it comes, too.
    lacks "$(cat log)" "serve service: stopped"
    local ticks; ticks=$(grep -c tick log || true)
    more_ticks() { [ "$(grep -c tick log)" -gt $((ticks + 2)) ]; }
    wait_for 10 more_ticks
    kill -TERM $pid; status 0 wait $pid
    equal "$(left "echo in-$$")" ""
    equal "$(find "$PL_STORE/tmp" -mindepth 1)" ""
}

test_several_are_stopped_at_once() {
    # Each says when it was asked to end and when it did: all are asked before the first has ended.
    local ends='now() { cut -d" " -f1 /proc/uptime; }; trap "echo asked \$(now); sleep 1; echo ended \$(now); exit 0" TERM'
    local web="$ends; mkdir /www; httpd -f -p \$PORT -h /www & while :; do sleep 0.1; done"
    { serving "$web" | jq -c '.name = "a"'; serving "$web" | jq -c '.name = "b"'; serving "$web" | jq -c '.name = "c"'; } > records
    pl-serve --up < records > out 2> log & local pid=$!
    wait_for 20 test -s out
    kill -TERM $pid; status 0 wait $pid
    equal "$(grep -c 'asked' log) $(grep -c 'ended [0-9]' log)" "3 3"
    equal "$(sed -n 's/.* \(asked\|ended\) \([0-9.]*\)$/\2 \1/p' log | sort -n | cut -d" " -f2 | uniq -c | tr -s " \n" " ")" " 3 asked 3 ended "
}

test_up_ends_as_its_container_does() {
    status 5 pl-serve --up < <(serving 'nc -l -p $PORT < /dev/null; exit 5') > out 2> log
    contains "$(cat log)" "service ended with exit code 5"
}

test_nothing_outlives_a_kill() {
    serving "sleep 1000$$ & $WEB" > record
    pl-serve -- sh -c "echo \$\$ > command; exec sleep 2000$$" < record > out 2> log & local pid=$!
    wait_for 20 test -s command
    [ -n "$(left "sleep 1000$$")" ]
    kill -KILL $pid; wait $pid || true
    wait_for 10 eval '[ -z "$(left "sleep [12]000$$")" ]'
    # A signal ends the command, and the container after it.
    rm command
    pl-serve -- sh -c "echo \$\$ > command; exec sleep 2000$$" < record > out 2> log & pid=$!
    wait_for 20 test -s command
    kill -TERM $pid; status 143 wait $pid
    equal "$(left "sleep [12]000$$")" ""
}

test_the_command_is_whoever_calls() {
    local root; root=$(root); chmod 644 "${root#rootfs:}"
    add_user pl-test-serve
    as_user pl-test-serve sh -c "cd; pl-from $root | pl-with entrypoint -- sh -c '$WEB' > record
        pl-serve -- sh -c 'id -un; curl -sf \$PL_SERVICE_URL' < record" > out 2> log || { cat log; return 1; }
    equal "$(cat out)" "pl-test-serve
hello from service "
}

test_bad_lines() {
    serving "$WEB" > record
    refused 64 "serve until when?" "pl-serve --up" pl-serve < record
    refused 64 "exclude each other" "" pl-serve --up -- true < record
    refused 64 "is no port" "" pl-serve --up --port 99999 < record
    refused 64 "PORT is told by pl-serve" "--port :80" pl-serve --up --env PORT=80 < record
    refused 66 "" "" pl-serve --up < /dev/null
    pl-from "$(root)" > bare
    refused 65 "names no command to run" "pl-with entrypoint" pl-serve --up < bare
    mkdir source; echo x > source/x
    pl-from ./source > directory
    refused 65 "" "" pl-serve --up < directory
}

run_tests
