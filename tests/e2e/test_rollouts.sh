#!/usr/bin/env bash
# Rollouts under load: a canary that is bad, one that is good, deployments that meet others.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"

run_deploy() { pl-run-deploy --region us-central1 -q "$@"; }
image() { pl-build -q --name app app | pl-push-image -q --repo demo; }
load() { # load URL: until unload, which leaves the counts in `answers`
    rm -f stop
    "$FOLDER/load.py" "$1" stop > answers &
    loader=$!
}
unload() { touch stop; wait "$loader"; }
count() { awk -v status="$1" -v word="$2" '$2 == status && $3 == word { print $1; found = 1 } END { if (!found) print 0 }' answers; }
# What serves: "NAME PERCENT" of each revision with traffic.
serving() { run_deploy app --revisions | awk '$2 ~ /%/ && $2 != "0%" { print $2 }' | sort | tr '\n' ' '; }

# bad_app: answers well ten times, then not any more
bad_app() {
    web_app app x
    rm app/www/index.html
    mkdir -p app/www/cgi-bin
    cat > app/www/cgi-bin/index.cgi <<'END'
#!/bin/busybox sh
echo x >> /www/asked
if [ "$(/bin/busybox wc -l < /www/asked)" -gt 10 ]; then printf 'HTTP/1.0 500 Broken\r\n'; else printf 'HTTP/1.0 200 OK\r\n'; fi
printf 'Content-Type: text/plain\r\nConnection: close\r\n\r\nbad\n'
END
    chmod +x app/www/cgi-bin/index.cgi
}

test_a_bad_canary_returns_by_itself_and_nobody_else_notices() {
    cloud
    web_app app "old"
    url=$(ship app app)
    load "$url"
    bad_app
    status 70 run_deploy --canary 10 --every 20s --smoke / < <(image) > record 2> error
    contains "$(cat error)" "it answers 500"
    # Whoever asks now gets the old one, and did so all the time unless it was the canary's turn.
    [ "$(curl -sf "$url/")" = old ]
    before=$(curl -s "$url/" > /dev/null; serving)
    unload
    cat answers
    equal "$before" "100% "
    [ "$(count 200 old)" -gt 20 ] || fail "the load was not there"
    [ "$(count 500 bad)" -gt 0 ] || fail "the canary got no requests"
    equal "$(awk '$2 != 200 && $3 != "bad"' answers)" ""
    [ $((($(count 500 bad) + $(count 200 bad)) * 3)) -lt "$(count 200 old)" ] || fail "a tenth was asked for"
    equal "$(for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do curl -sf "$url/"; done | sed 's/old//g')" ""
}

test_a_good_canary_gets_all_without_a_failure() {
    cloud
    web_app app "old"
    url=$(ship app app)
    load "$url"
    web_app app "new"
    run_deploy --canary 10 --step 45 --every 1s < <(image) > record
    equal "$(curl -sf "$url/") $(serving)" "new 100% "
    unload
    cat answers
    equal "$(awk '$2 != 200' answers)" ""
    [ "$(count 200 old)" -gt 5 ] && [ "$(count 200 new)" -gt 0 ] || fail "the load was not there"
}

test_after_a_rollback_the_next_deployment_serves() {
    cloud
    web_app app "one"
    url=$(ship app app)
    web_app app "two"
    ship app app > /dev/null
    run_deploy app --rollback > /dev/null
    equal "$(curl -sf "$url/")" one
    # The traffic is pinned now; a new deployment takes it all the same.
    web_app app "three"
    ship app app > /dev/null
    equal "$(curl -sf "$url/") $(serving)" "three 100% "
    # And with the pin kept as asked for, it does not.
    run_deploy app --rollback > /dev/null
    pinned=$(curl -sf "$url/")
    web_app app "four"
    run_deploy --keep-traffic < <(image) > record
    equal "$(curl -sf "$url/")" "$pinned"
}

test_a_tag_alone_stays() {
    cloud
    web_app app "one"
    url=$(ship app app)
    web_app app "two"
    run_deploy --no-traffic --tag look < <(image) > record
    tagged=$(jq -r .tag_url record)
    web_app app "three"
    ship app app > /dev/null
    # The tag leads to its revision, with no percentage; all the traffic goes to the new one.
    equal "$(curl -sf "$url/") $(curl -sf "$tagged/") $(serving)" "three two 100% "
}

test_two_deployments_at_the_same_moment() {
    cloud
    web_app app "old"
    url=$(ship app app)
    web_app app "left"; image > left
    web_app app "right"; image > right
    run_deploy < left > left.record 2> left.error &
    left=0 right=0
    run_deploy < right > right.record 2> right.error || right=$?
    wait $! || left=$?
    serves=$(curl -sf "$url/")
    # Whoever ended well was served at the end of its run; whoever did not says why.
    case "$left $right" in
    "0 0") [ "$serves" = left ] || [ "$serves" = right ] ;;
    "0 "*) equal "$serves" left; [ -s right.error ] ;;
    *" 0") equal "$serves" right; [ -s left.error ] ;;
    *) fail "both failed: $(cat left.error right.error)" ;;
    esac
    echo "left $left, right $right: $serves serves"; cat left.error right.error
    equal "$(serving)" "100% "
    # Once more, alone: the state that is asked for.
    run_deploy < left > left.record
    equal "$(curl -sf "$url/")" left
}

run_tests
