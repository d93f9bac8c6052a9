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
    cloud "$@"
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
    contains "$(pl-local logs pair)" "[back] port: "
    lacks "$(pl-local logs pair)" "port: 8080"
    equal "$(api POST /v2/entries:list '{"filter":"labels.container_name=\"front\""}' | jq -r '.entries[].textPayload')" "front is here"
    # When one ends, so does the other, and the next request starts both.
    first=$(pgrep -P "$(process_of_cloud)")
    equal "$(wc -w <<< "$first")" 2
    kill -9 "$(pgrep -P "$(tail -n 1 <<< "$first")")"
    for pid in $first; do wait_for 20 test ! -e "/proc/$pid"; done
    equal "$(curl -sf "$url/note")" hello
}

test_sidecars_and_volumes_by_options() {
    start_cloud
    web_app app 'from app' '/bin/busybox wget -q -O /www/said http://127.0.0.1:9000/note || exit 1; exec /bin/busybox httpd -f -p $PORT -h /www'
    pl-build -q --name app app | pl-push-image -q --repo demo > image
    deploy() { pl-run-deploy --region us-central1 -q "$@" < image; }
    deploy --volume notes=memory:8Mi --mount notes=/notes --depends-on helper --sidecar "helper=$IMAGE" --sidecar helper:mount=notes=/data \
        --sidecar helper:command=/bin/busybox --sidecar helper:arg=sh --sidecar helper:arg=-c \
        --sidecar 'helper:arg=echo "$WORDS" > /data/note; exec /bin/busybox httpd -f -p 9000 -h /data' \
        --sidecar 'helper:env=WORDS=a,b=c' --sidecar helper:memory=256Mi --sidecar helper:startup-probe=tcpSocket.port=9000,periodSeconds=1 > record
    url=$(jq -r .ref record)
    equal "$(curl -sf "$url/said")" "a,b=c"
    # Nothing is left to change; one option of a sidecar is changed without the others.
    contains "$(pl-run-deploy --region us-central1 < image 2>&1 > record)" unchanged
    deploy --sidecar helper:env=WORDS=other > record
    equal "$(curl -sf "$url/said")" "other"
    equal "$(api GET "$SERVICES/app" | jq -c '[.template.containers[] | .name, .resources.limits.memory]')" '["app","512Mi","helper","256Mi"]'
    # What is wrong is told of the container that it is about, and what needs a sidecar fails without it.
    status 70 deploy --sidecar helper:startup-probe=tcpSocket.port=9001,periodSeconds=1,failureThreshold=1 > record 2> error
    contains "$(cat error)" "did not start: container helper: it did not pass its startup probe within 1 s"
    status 70 deploy --sidecar helper:command=/bin/false > record 2> error
    contains "$(cat error)" "did not start: container helper: its process ended with exit code 127"
    status 70 deploy --remove-sidecar helper > record 2> error
    contains "$(cat error)" "did not start: its process ended with exit code 1"
    equal "$(curl -sf "$url/said")" "other"
}

test_a_liveness_probe_ends_an_instance_and_a_readiness_probe_keeps_requests_away() {
    start_cloud
    local one
    # It is ill once somebody has asked for /cgi-bin/fall.
    one=$(container one '/bin/busybox cat /proc/sys/kernel/random/uuid > /www/id; mkdir /www/cgi-bin; echo well > /www/well; printf "#!/bin/busybox sh\\n/bin/busybox rm /www/well; echo\\n" > /www/cgi-bin/fall; /bin/busybox chmod +x /www/cgi-bin/fall; exec /bin/busybox httpd -f -p $PORT -h /www' \
        '{"ports": [{"containerPort": 8080}], "livenessProbe": {"httpGet": {"path": "/well", "httpHeaders": [{"name": "X-Asks", "value": "live"}]}, "periodSeconds": 1, "failureThreshold": 1}}')
    equal "$(put app "{\"containers\": [$one], \"scaling\": {\"maxInstanceCount\": 1}}" | jq -c .error)" null
    url=$(url_of app)
    first=$(curl -sf "$url/id")
    curl -s "$url/cgi-bin/fall" > /dev/null
    wait_for 20 eval '[ "$(curl -sf '"$url"'/id)" != '"$first"' ]'
    contains "$(pl-local logs app)" 'LIVENESS HTTP probe failed 1 time consecutively for container "one" on port 8080 path "/well". The instance has been shut down.'
    # Requests wait until it says that it is ready.
    one=$(container one '(/bin/busybox usleep 700000; echo now > /www/ready) & exec /bin/busybox httpd -f -p $PORT -h /www' \
        '{"ports": [{"containerPort": 8080}], "readinessProbe": {"httpGet": {"path": "/ready"}, "periodSeconds": 1}}')
    equal "$(put ready "{\"containers\": [$one]}" | jq -c .error)" null
    equal "$(curl -sf "$(url_of ready)/ready")" now
}

test_a_bucket_is_a_directory_of_the_state() {
    start_cloud
    local one
    one=$(container one 'echo made > /bucket/made; echo x > /fixed/x || echo "not written" > /www/said; exec /bin/busybox httpd -f -p $PORT -h /www' \
        '{"ports": [{"containerPort": 8080}], "volumeMounts": [{"name": "b", "mountPath": "/bucket"}, {"name": "r", "mountPath": "/fixed"}]}')
    result=$(put app "{\"containers\": [$one], \"volumes\": [{\"name\": \"b\", \"gcs\": {\"bucket\": \"shop-data\"}}, {\"name\": \"r\", \"nfs\": {\"server\": \"10.0.0.2\", \"path\": \"/share\", \"readOnly\": true}}]}")
    equal "$(jq -c .error <<< "$result")" null
    equal "$(curl -sf "$(url_of app)/said") $(cat "$PL_LOCAL_STATE/buckets/shop-data/made")" "not written made"
    [ -d "$PL_LOCAL_STATE/nfs/10.0.0.2/share" ]
}

test_cloud_sql_is_a_database_of_this_machine() {
    # In place of a database: it says who it is, and what came.
    python3 - > ports <<'END' &
import socket, threading
def serve(listener, name):
    while True:
        client = listener.accept()[0]
        client.sendall(name + b" heard " + client.recv(100))
        client.close()
first, second = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
print(first.getsockname()[1], second.getsockname()[1], sep="\n", flush=True)
threading.Thread(target=serve, args=(first, b"postgres"), daemon=True).start()
serve(second, b"mysql")
END
    database=$!
    wait_for 10 eval '[ "$(wc -l < ports)" = 2 ]'
    start_cloud --cloudsql "p:us-central1:main=127.0.0.1:$(sed -n 1p ports)" --cloudsql "p:us-central1:old=mysql:localhost:$(sed -n 2p ports)"
    cat > client.c <<'END'
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
int main(int argc, char **argv) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char text[200];
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strncpy(address.sun_path, argv[argc - 1], sizeof(address.sun_path) - 1);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || write(fd, "hello", 5) != 5)
        return perror(argv[argc - 1]), 1;
    for (ssize_t got; (got = read(fd, text, sizeof(text))) > 0;)
        fwrite(text, 1, (size_t)got, stdout);
}
END
    web_app app x '/www/client /cloudsql/p:us-central1:main/.s.PGSQL.5432 > /www/said && /www/client /cloudsql/p:us-central1:old >> /www/said && exec /bin/busybox httpd -f -p $PORT -h /www'
    cc -static -o app/www/client client.c
    pl-build -q --name app app | pl-push-image -q --repo demo > image
    deploy() { pl-run-deploy --region us-central1 -q "$@" < image; }
    url=$(deploy -o ref --cloudsql-instance p:us-central1:main --cloudsql-instance p:us-central1:old)
    equal "$(curl -sf "$url/said")" "postgres heard hellomysql heard hello"
    status 78 deploy --cloudsql-instance p:us-central1:other > record 2> error
    contains "$(cat error)" "has no database for the Cloud SQL instance p:us-central1:other: start it with --cloudsql p:us-central1:other="
    status 64 pl-local start --state other --cloudsql main=127.0.0.1:5432
    kill "$database"
}

run_tests
