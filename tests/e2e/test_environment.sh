#!/usr/bin/env bash
# Values of variables arrive in the container byte for byte, however they were given.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"

# arrives OPTION...: deployed with these, the container has all values
arrives() {
    url=$(pl-run-deploy --region us-central1 -q -o ref "$@" < image)
    curl -sf "$url/environ" > environ
    "$FOLDER/environment_values.py" compare environ || fail "$(printf '%.60s ' "$@")"
}

test_values_arrive_byte_for_byte() {
    cloud
    web_app app x '/bin/busybox cat /proc/self/environ > /www/environ; exec /bin/busybox httpd -f -p $PORT -h /www'
    pl-build -q --name app app | pl-push-image -q --repo demo > image
    "$FOLDER/environment_values.py" write
    mapfile -d '' -t options < env.args
    arrives "${options[@]}"
    pl-run-deploy --region us-central1 -q --export app > exported.json
    pl-run-deploy --region us-central1 -q --delete --confirm app app
    arrives --env-file env.file
    pl-run-deploy --region us-central1 -q --delete --confirm app app
    arrives --service exported.json
    pl-run-deploy --region us-central1 -q --delete --confirm app app
    # As it is written by hand.
    url=$(pl-run-deploy --region us-central1 -q -o ref --service service.json < image)
    curl -sf "$url/environ" > environ
    "$FOLDER/environment_values.py" compare environ
}

run_tests
