#!/usr/bin/env bash
# Several containers in an instance, their volumes, and probes while they run.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"

# api METHOD PATH [BODY]: as the account of the cloud
api() {
    curl -s -X "$1" -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' ${3:+-d "$3"} "$PL_CLOUD_URL$2"
}
SERVICES=/v2/projects/pl-local/locations/us-central1/services
start_cloud() {
    cloud
    TOKEN=$(curl -sf -H 'Metadata-Flavor: Google' "$PL_CLOUD_URL/computeMetadata/v1/instance/service-accounts/default/token" | jq -r .access_token)
    web_app app x
    IMAGE=$(pl-build -q --name app app | pl-push-image -q --repo demo -o ref)
}
# container NAME COMMAND [JSON]: one that runs a command line of busybox
container() {
    jq -nc --arg name "$1" --arg command "$2" --arg image "$IMAGE" --argjson more "${3:-{\}}" \
        '{name: $name, image: $image, command: ["/bin/busybox", "sh", "-c"], args: [$command]} + $more'
}
# put NAME TEMPLATE: what the operation ended with
put() {
    local operation
    operation=$(api PATCH "$SERVICES/$1?allowMissing=true" "{\"template\":$2}")
    [ "$(jq -r .name <<< "$operation")" != null ] || { echo "$operation"; return; }
    api POST "/v2/$(jq -r .name <<< "$operation"):wait" '{"timeout":"30s"}'
}
url_of() { api GET "$SERVICES/$1" | jq -r .uri; }

test_containers_share_network_and_memory_and_end_together() {
    start_cloud
    local front back
    # It would end if the other one did not listen yet, or if what that has written were not there.
    front=$(container front '/bin/busybox wget -q -O /www/said http://127.0.0.1:9000/ready || exit 1; /bin/busybox cp /shared/note /www/note || exit 1; echo "front is here"; exec /bin/busybox httpd -f -p $PORT -h /www' \
        '{"ports": [{"containerPort": 8080}], "dependsOn": ["back"], "volumeMounts": [{"name": "shared", "mountPath": "/shared"}, {"name": "disk", "mountPath": "/disk"}]}')
    back=$(container back 'echo "port: $PORT"; echo hello > /data/note; echo yes > /www/ready; /bin/busybox usleep 300000; exec /bin/busybox httpd -f -p 9000 -h /www' \
        '{"startupProbe": {"tcpSocket": {"port": 9000}, "periodSeconds": 1, "failureThreshold": 20}, "volumeMounts": [{"name": "shared", "mountPath": "/data"}, {"name": "disk", "mountPath": "/disk"}]}')
    result=$(put pair "{\"containers\": [$front, $back], \"volumes\": [{\"name\": \"shared\", \"emptyDir\": {\"medium\": \"MEMORY\", \"sizeLimit\": \"8Mi\"}}, {\"name\": \"disk\", \"emptyDir\": {\"medium\": \"DISK\"}}]}")
    equal "$(jq -c '.error' <<< "$result")" null
    url=$(url_of pair)
    equal "$(curl -sf "$url/said") $(curl -sf "$url/note")" "yes hello"
    # Only the one that requests come to has a $PORT; each line carries the name of its container.
    contains "$(pl-local logs pair)" "port: "
    lacks "$(pl-local logs pair)" "port: 8080"
    equal "$(api POST /v2/entries:list '{"filter":"labels.container_name=\"front\""}' | jq -r '.entries[].textPayload')" "front is here"
    # When one ends, so does the other, and the next request starts both.
    first=$(pgrep -P "$(process_of_cloud)")
    equal "$(wc -w <<< "$first")" 2
    kill -9 "$(pgrep -P "$(tail -n 1 <<< "$first")")"
    for pid in $first; do wait_for 20 test ! -e "/proc/$pid"; done
    equal "$(curl -sf "$url/note")" hello
}

run_tests
