#!/usr/bin/env bash
# Clients that nobody here wrote, against the local cloud: skopeo and podman push what pl-run-deploy then deploys, and
# Google's own client library for Cloud Run deploys, reads and deletes.
. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/cloud.sh"
. "$ROOT/tests/packages.sh"

token() {
    curl -sf -H 'Metadata-Flavor: Google' "$PL_CLOUD_URL/computeMetadata/v1/instance/service-accounts/default/token" |
        jq -r .access_token
}

# An OCI layout of an application, made by nobody but tar, gzip and jq.
oci_layout() { # oci_layout DIR TEXT
    mkdir -p "$1/blobs/sha256" root/bin root/www
    cp "$(command -v busybox)" root/bin/busybox
    printf '%s' "$2" > root/www/index.html
    tar -C root --sort=name --owner=0 --group=0 --numeric-owner -cf layer.tar .
    diff_id=sha256:$(sha256sum < layer.tar | cut -d' ' -f1)
    gzip -nc layer.tar > layer.tar.gz
    blob() { local sum; sum=$(sha256sum < "$1" | cut -d' ' -f1); cp "$1" "$LAYOUT/blobs/sha256/$sum"; echo "$sum"; }
    LAYOUT=$1
    layer=$(blob layer.tar.gz)
    jq -nc --arg id "$diff_id" '{architecture: "amd64", os: "linux", rootfs: {type: "layers", diff_ids: [$id]},
        config: {Cmd: ["/bin/busybox", "sh", "-c", "exec /bin/busybox httpd -f -p $PORT -h /www"]}}' > config.json
    config=$(blob config.json)
    jq -nc --arg c "sha256:$config" --argjson cs "$(stat -c %s config.json)" --arg l "sha256:$layer" \
        --argjson ls "$(stat -c %s layer.tar.gz)" '{schemaVersion: 2, mediaType: "application/vnd.oci.image.manifest.v1+json",
        config: {mediaType: "application/vnd.oci.image.config.v1+json", digest: $c, size: $cs},
        layers: [{mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: $l, size: $ls}]}' > manifest.json
    manifest=$(blob manifest.json)
    jq -nc --arg m "sha256:$manifest" --argjson s "$(stat -c %s manifest.json)" '{schemaVersion: 2, manifests:
        [{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $m, size: $s,
          annotations: {"org.opencontainers.image.ref.name": "v1"}}]}' > "$1/index.json"
    echo '{"imageLayoutVersion":"1.0.0"}' > "$1/oci-layout"
}

test_skopeo_pushes_and_pl_deploys() {
    cloud
    host=${PL_CLOUD_URL#http://}
    oci_layout layout "by skopeo"
    skopeo copy -q --dest-tls-verify=false --dest-creds "oauth2accesstoken:$(token)" oci:layout:v1 "docker://$host/pl-local/demo/foreign:v1"
    digest=$(skopeo inspect --tls-verify=false --creds "oauth2accesstoken:$(token)" --format '{{.Digest}}' "docker://$host/pl-local/demo/foreign:v1")
    url=$(echo "$host/pl-local/demo/foreign@$digest" | pl-run-deploy -q --region us-central1 -o ref)
    equal "$(curl -sf "$url/")" "by skopeo"
}

test_podman_pushes_and_pl_deploys() {
    cloud
    host=${PL_CLOUD_URL#http://}
    oci_layout layout "by podman"
    # podman wants a short path
    folder=$(mktemp -d /tmp/pl-podman.XXXX)
    podman() { command podman --root "$folder/root" --runroot "$folder/run" --storage-driver vfs "$@"; }
    podman pull -q oci:layout:v1 > id
    podman push -q --tls-verify=false --creds "oauth2accesstoken:$(token)" --digestfile digest "$(cat id)" "docker://$host/pl-local/demo/foreign:v1"
    url=$(echo "$host/pl-local/demo/foreign@$(cat digest)" | pl-run-deploy -q --region us-central1 -o ref)
    equal "$(curl -sf "$url/")" "by podman"
    podman rmi -f "$(cat id)" > rmi.log 2>&1
    rm -rf "$folder"
}

# Google's client library, over its own REST transport.
test_google_client_library() {
    cloud
    web_app app "by Google's client"
    image=$(pl-build -q --name app app | pl-push-image -q --repo demo -o ref)
    npm_packages @google-cloud/run@3.3.0
    export NODE_PATH=$NODE_MODULES
    cat > deploy.js <<'EOF'
const {ServicesClient, RevisionsClient, JobsClient, ExecutionsClient, TasksClient} = require('@google-cloud/run').v2;
const {GoogleAuth} = require('google-auth-library');
const assert = require('assert');
(async () => {
  const url = new URL(process.env.PL_CLOUD_URL);
  const auth = new GoogleAuth({scopes: 'https://www.googleapis.com/auth/cloud-platform'});
  const options = {apiEndpoint: url.hostname, port: Number(url.port), protocol: 'http', fallback: true, auth};
  const client = new ServicesClient(options), revisions = new RevisionsClient(options);
  const parent = 'projects/pl-local/locations/us-central1', name = `${parent}/services/made`;
  const template = {containers: [{image: process.argv[2], env: [{name: 'A', value: 'b'}]}], timeout: {seconds: 60}};
  const [operation] = await client.createService({parent, serviceId: 'made', service: {template, ingress: 'INGRESS_TRAFFIC_ALL'}});
  const [made] = await operation.promise();
  assert.equal(made.name, name);
  assert.equal(made.template.containers[0].env[0].value, 'b');
  assert.equal(made.terminalCondition.state, 4); // CONDITION_SUCCEEDED
  console.log((await (await fetch(made.uri)).text()));
  made.template.containers[0].env[0].value = 'c';
  const [update] = await client.updateService({service: made, updateMask: {paths: ['template.containers']}});
  const [updated] = await update.promise();
  assert.equal(updated.template.containers[0].env[0].value, 'c');
  const [list] = await client.listServices({parent});
  assert.equal(list.length, 1);
  const [all] = await revisions.listRevisions({parent: name});
  assert.equal(all.length, 2);
  const [policy] = await client.getIamPolicy({resource: name});
  await client.setIamPolicy({resource: name, policy: {...policy, bindings: [{role: 'roles/run.invoker', members: ['allUsers']}]}});
  await assert.rejects(client.getService({name: `${parent}/services/none`}), /does not exist/);
  await assert.rejects(client.createService({parent, serviceId: 'made', service: {template}}), /already exists/);
  const jobs = new JobsClient(options), executions = new ExecutionsClient(options), tasks = new TasksClient(options), job = `${parent}/jobs/made`;
  const [creation] = await jobs.createJob({parent, jobId: 'made', job: {template: {taskCount: 2, template: {
    containers: [{image: process.argv[2], command: ['/bin/busybox'], args: ['true']}], maxRetries: 0, timeout: {seconds: 60}}}}});
  const [created] = await creation.promise();
  assert.equal(created.template.template.maxRetries, 0);
  const [run] = await jobs.runJob({name: job, overrides: {containerOverrides: [{args: ['sh', '-c', 'exit $CLOUD_RUN_TASK_INDEX']}]}});
  const [execution] = await run.promise();
  assert.deepEqual([execution.succeededCount, execution.failedCount], [1, 1]);
  const [both] = await tasks.listTasks({parent: execution.name});
  assert.deepEqual(both.map(task => task.lastAttemptResult.exitCode), [0, 1]);
  created.template.taskCount = 1;
  const [change] = await jobs.updateJob({job: created});
  assert.equal((await change.promise())[0].template.taskCount, 1);
  const [long] = await jobs.runJob({name: job, overrides: {containerOverrides: [{args: ['sleep', '60']}]}});
  const [cancelling] = await executions.cancelExecution({name: long.metadata.name});
  assert.equal((await cancelling.promise())[0].cancelledCount, 1);
  assert.equal((await executions.listExecutions({parent: job}))[0].length, 2);
  await (await jobs.deleteJob({name: job}))[0].promise();
  await assert.rejects(jobs.getJob({name: job}), /does not exist/);
  const [removal] = await client.deleteService({name});
  await removal.promise();
  const [rest] = await client.listServices({parent});
  assert.equal(rest.length, 0);
})().catch(error => { console.error(error); process.exit(1); });
EOF
    equal "$(timeout 120 node deploy.js "$image")" "by Google's client"
}

run_tests
