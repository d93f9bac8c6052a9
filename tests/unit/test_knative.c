/* gcp/run/knative: a service as gcloud exports it, and what is refused by its place. */
#include "common/base/text.h"
#include "common/yaml/yaml.h"
#include "gcp/run/knative.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct json *read_service(const char *yaml, struct error *error) {
    AUTO_JSON struct json *document = yaml_parse(yaml, strlen(yaml), "s.yaml", error);
    return document && run_knative_is(document) ? run_knative_service(document, "s.yaml", error) : NULL;
}

#define BEGIN "apiVersion: serving.knative.dev/v1\nkind: Service\nmetadata:\n  name: shop\n"

static void is_read_as(const char *yaml, const char *path, const char *wanted) {
    struct error error = {0};
    AUTO_JSON struct json *service = read_service(yaml, &error);
    if (!service)
        fail_msg("%s", error.text);
    AUTO_FREE char *found = json_format(json_get_path(service, path), JSON_CANONICAL);
    assert_string_equal(found, wanted);
}

static void is_refused(const char *yaml, const char *why) {
    struct error error = {0};
    AUTO_JSON struct json *service = read_service(yaml, &error);
    assert_null(service);
    assert_int_equal(error.kind, ERROR_DATA);
    if (!strstr(error.text, why))
        fail_msg("\"%s\" is not in: %s", why, error.text);
}

static const char whole[] =
    BEGIN "  namespace: '123'\n"
          "  labels: {team: web, cloud.googleapis.com/location: us-central1}\n"
          "  annotations:\n"
          "    run.googleapis.com/ingress: internal-and-cloud-load-balancing\n"
          "    run.googleapis.com/ingress-status: all\n"
          "    run.googleapis.com/launch-stage: BETA\n"
          "    run.googleapis.com/description: a shop\n"
          "    run.googleapis.com/minScale: '1'\n"
          "    run.googleapis.com/invoker-iam-disabled: 'true'\n"
          "    run.googleapis.com/custom-audiences: '[\"https://a\"]'\n"
          "    run.googleapis.com/binary-authorization: default\n"
          "    serving.knative.dev/creator: me@example.com\n"
          "    example.com/own: kept\n"
          "spec:\n"
          "  template:\n"
          "    metadata:\n"
          "      name: shop-00007-abc\n"
          "      labels: {tier: front, client.knative.dev/nonce: x}\n"
          "      annotations:\n"
          "        autoscaling.knative.dev/maxScale: '7'\n"
          "        run.googleapis.com/cloudsql-instances: p:r:a,p:r:b\n"
          "        run.googleapis.com/network-interfaces: '[{\"network\":\"n\",\"tags\":[\"t\"]}]'\n"
          "        run.googleapis.com/vpc-access-egress: all-traffic\n"
          "        run.googleapis.com/execution-environment: gen2\n"
          "        run.googleapis.com/cpu-throttling: 'false'\n"
          "        run.googleapis.com/startup-cpu-boost: 'true'\n"
          "        run.googleapis.com/sessionAffinity: 'true'\n"
          "        run.googleapis.com/secrets: other:projects/q/secrets/key\n"
          "        run.googleapis.com/container-dependencies: '{\"web\":[\"side\"]}'\n"
          "        run.googleapis.com/encryption-key: projects/p/k\n"
          "        run.googleapis.com/encryption-key-shutdown-hours: '2'\n"
          "    spec:\n"
          "      containerConcurrency: 10\n"
          "      timeoutSeconds: 60\n"
          "      serviceAccountName: web@p.iam.gserviceaccount.com\n"
          "      nodeSelector: {run.googleapis.com/accelerator: nvidia-l4}\n"
          "      containers:\n"
          "      - name: web\n"
          "        image: host/p/r/shop@sha256:1\n"
          "        command: [run]\n"
          "        args: ['1', two]\n"
          "        env:\n"
          "        - {name: A, value: 'a,b'}\n"
          "        - name: KEY\n"
          "          valueFrom: {secretKeyRef: {name: other, key: '3'}}\n"
          "        - {name: EMPTY}\n"
          "        ports: [{name: h2c, containerPort: 9000}]\n"
          "        resources: {limits: {cpu: 1000m, memory: 512Mi}}\n"
          "        startupProbe: {httpGet: {path: /up, port: 9000}, periodSeconds: 2}\n"
          "        volumeMounts: [{name: keys, mountPath: /keys}]\n"
          "      - {name: side, image: 'host/p/r/side:1'}\n"
          "      volumes:\n"
          "      - name: keys\n"
          "        secret: {secretName: other, defaultMode: 0444, items: [{key: latest, path: k, mode: 256}]}\n"
          "      - {name: tmp, emptyDir: {medium: Memory, sizeLimit: 1Gi}}\n"
          "      - name: files\n"
          "        csi:\n"
          "          driver: gcsfuse.run.googleapis.com\n"
          "          readOnly: true\n"
          "          volumeAttributes: {bucketName: b, mountOptions: 'uid=1,gid=2'}\n"
          "      - {name: share, nfs: {server: 10.0.0.1, path: /x, readOnly: true}}\n"
          "  traffic:\n"
          "  - {latestRevision: true, percent: 90}\n"
          "  - {revisionName: shop-00006-xyz, percent: 10, tag: old, url: 'https://old'}\n"
          "status: {url: 'https://shop'}\n";

static void test_a_whole_service(void **state) {
    (void)state;
    is_read_as(whole, "name", "\"shop\"");
    is_read_as(whole, "labels", "{\"team\":\"web\"}");
    is_read_as(whole, "annotations", "{\"example.com/own\":\"kept\"}");
    is_read_as(whole, "ingress", "\"INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER\"");
    is_read_as(whole, "launchStage", "\"BETA\"");
    is_read_as(whole, "description", "\"a shop\"");
    is_read_as(whole, "scaling", "{\"minInstanceCount\":1}");
    is_read_as(whole, "invokerIamDisabled", "true");
    is_read_as(whole, "customAudiences", "[\"https://a\"]");
    is_read_as(whole, "binaryAuthorization", "{\"useDefault\":true}");
    is_read_as(whole, "traffic",
               "[{\"percent\":90,\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST\"},{\"percent\":10,\"revision\":"
               "\"shop-00006-xyz\",\"tag\":\"old\",\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION\"}]");
}

static void test_its_revision(void **state) {
    (void)state;
    is_read_as(whole, "template.revision", "\"shop-00007-abc\"");
    is_read_as(whole, "template.labels", "{\"tier\":\"front\"}");
    is_read_as(whole, "template.scaling", "{\"maxInstanceCount\":7}");
    is_read_as(whole, "template.vpcAccess",
               "{\"egress\":\"ALL_TRAFFIC\",\"networkInterfaces\":[{\"network\":\"n\",\"tags\":[\"t\"]}]}");
    is_read_as(whole, "template.executionEnvironment", "\"EXECUTION_ENVIRONMENT_GEN2\"");
    is_read_as(whole, "template.sessionAffinity", "true");
    is_read_as(whole, "template.maxInstanceRequestConcurrency", "10");
    is_read_as(whole, "template.timeout", "\"60s\"");
    is_read_as(whole, "template.serviceAccount", "\"web@p.iam.gserviceaccount.com\"");
    is_read_as(whole, "template.nodeSelector", "{\"accelerator\":\"nvidia-l4\"}");
    is_read_as(whole, "template.encryptionKeyShutdownDuration", "\"7200s\"");
    is_read_as(whole, "template.volumes",
               "[{\"name\":\"keys\",\"secret\":{\"defaultMode\":292,\"items\":[{\"mode\":256,\"path\":\"k\","
               "\"version\":\"latest\"}],\"secret\":\"projects/q/secrets/key\"}},{\"emptyDir\":{\"medium\":\"MEMORY\","
               "\"sizeLimit\":\"1Gi\"},\"name\":\"tmp\"},{\"gcs\":{\"bucket\":\"b\",\"mountOptions\":[\"uid=1\","
               "\"gid=2\"],\"readOnly\":true},\"name\":\"files\"},{\"name\":\"share\",\"nfs\":{\"path\":\"/x\","
               "\"readOnly\":true,\"server\":\"10.0.0.1\"}},{\"cloudSqlInstance\":{\"instances\":[\"p:r:a\","
               "\"p:r:b\"]},\"name\":\"cloudsql\"}]");
    is_read_as(whole, "template.containers",
               "[{\"args\":[\"1\",\"two\"],\"command\":[\"run\"],\"dependsOn\":[\"side\"],\"env\":[{\"name\":\"A\","
               "\"value\":\"a,b\"},{\"name\":\"KEY\",\"valueSource\":{\"secretKeyRef\":{\"secret\":"
               "\"projects/q/secrets/key\",\"version\":\"3\"}}},{\"name\":\"EMPTY\"}],\"image\":"
               "\"host/p/r/shop@sha256:1\",\"name\":\"web\",\"ports\":[{\"containerPort\":9000,\"name\":\"h2c\"}],"
               "\"resources\":{\"cpuIdle\":false,\"limits\":{\"cpu\":\"1000m\",\"memory\":\"512Mi\"},"
               "\"startupCpuBoost\":true},\"startupProbe\":{\"httpGet\":{\"path\":\"/up\",\"port\":9000},"
               "\"periodSeconds\":2},\"volumeMounts\":[{\"mountPath\":\"/keys\",\"name\":\"keys\"},{\"mountPath\":"
               "\"/cloudsql\",\"name\":\"cloudsql\"}]},{\"image\":\"host/p/r/side:1\",\"name\":\"side\",\"resources\":"
               "{\"cpuIdle\":false,\"startupCpuBoost\":true},\"volumeMounts\":[{\"mountPath\":\"/cloudsql\",\"name\":"
               "\"cloudsql\"}]}]");
}

#define SPEC BEGIN "spec:\n  template:\n"
#define CONTAINER SPEC "    spec:\n      containers:\n      - image: i\n"

static void test_the_cpu_is_throttled_as_in_v1(void **state) {
    (void)state;
    is_read_as(CONTAINER "        resources: {limits: {cpu: 1000m}}\n", "template.containers",
               "[{\"image\":\"i\",\"resources\":{\"cpuIdle\":true,\"limits\":{\"cpu\":\"1000m\"}}}]");
    is_read_as(CONTAINER, "template.containers", "[{\"image\":\"i\"}]");
}

static void test_what_is_refused(void **state) {
    (void)state;
    is_refused("apiVersion: v1\nkind: Service\n", "apiVersion must be serving.knative.dev/v1");
    is_refused("apiVersion: serving.knative.dev/v1\nkind: Job\n", "kind must be Service");
    is_refused("apiVersion: serving.knative.dev/v1\nkind: Service\nspec: {}\n", "it has no metadata.name");
    is_refused(SPEC "    spec: {containers: []}\n", "it has no spec.template.spec.containers");
    is_refused(SPEC "    spec: {containers: 3}\n", "spec.template.spec.containers is no list");
    is_refused(SPEC "    spec: [1]\n", "spec.template.spec is no mapping");
    is_refused(CONTAINER "        imagePullPolicy: Always\n",
               "spec.template.spec.containers[0].imagePullPolicy is nothing that a service of Cloud Run has");
    is_refused(CONTAINER "        env: [{name: A, value: 1}]\n",
               "spec.template.spec.containers[0].env[0].value must be text; put it in quotes");
    is_refused(CONTAINER "      timeoutSeconds: 5m\n", "timeoutSeconds must be a number of seconds");
    is_refused(BEGIN "  annotations: {run.googleapis.com/ingress: everybody}\n",
               "must be one of all, internal, internal-and-cloud-load-balancing, none");
    is_refused(BEGIN "  annotations: {run.googleapis.com/nothing: '1'}\n",
               "metadata.annotations.run.googleapis.com/nothing is nothing that a service of Cloud Run has");
    is_refused(BEGIN "  annotations: {run.googleapis.com/minScale: 1}\n", "must be a number in quotes");
    is_refused(BEGIN "  annotations: {run.googleapis.com/custom-audiences: 'x'}\n",
               "run.googleapis.com/custom-audiences");
    is_refused(BEGIN "  annotations: {own: 1}\n", "must be text each; put it in quotes");
    is_refused(BEGIN "  labels: {own: 1}\n", "must be text each; put it in quotes");
    is_refused(SPEC "    metadata:\n      annotations: {run.googleapis.com/container-dependencies: '{\"x\":[]}'}\n"
                    "    spec:\n      containers:\n      - image: i\n",
               "names a container that is not there");
}

#define JOB "apiVersion: run.googleapis.com/v1\nkind: Job\nmetadata:\n  name: migrate\n"

static const char whole_job[] = JOB
    "  labels: {team: data, cloud.googleapis.com/location: us-central1}\n"
    "  annotations: {run.googleapis.com/launch-stage: BETA, run.googleapis.com/creator: me, example.com/own: kept}\n"
    "spec:\n"
    "  template:\n"
    "    metadata:\n"
    "      labels: {tier: batch, client.knative.dev/nonce: x}\n"
    "      annotations:\n"
    "        run.googleapis.com/cloudsql-instances: p:r:a\n"
    "        run.googleapis.com/vpc-access-egress: all-traffic\n"
    "        run.googleapis.com/execution-environment: gen2\n"
    "        run.googleapis.com/secrets: alias:projects/1/secrets/real\n"
    "        example.com/other: kept\n"
    "    spec:\n"
    "      parallelism: 2\n"
    "      taskCount: 5\n"
    "      template:\n"
    "        spec:\n"
    "          maxRetries: 0\n"
    "          timeoutSeconds: '90'\n"
    "          serviceAccountName: a@b\n"
    "          containers:\n"
    "          - image: h/r\n"
    "            env: [{name: S, valueFrom: {secretKeyRef: {name: alias, key: latest}}}]\n"
    "status: {executionCount: 3}\n";

static void a_job_is_read(void **state) {
    (void)state;
    static const char wanted[] =
        "{\"annotations\":{\"example.com/"
        "own\":\"kept\"},\"labels\":{\"team\":\"data\"},\"launchStage\":\"BETA\",\"name\":"
        "\"migrate\",\"template\":{\"annotations\":{\"example.com/other\":\"kept\"},\"labels\":{\"tier\":\"batch\"},"
        "\"parallelism\":2,\"taskCount\":5,\"template\":{\"containers\":[{\"env\":[{\"name\":\"S\",\"valueSource\":{"
        "\"secretKeyRef\":{\"secret\":\"projects/1/secrets/real\",\"version\":\"latest\"}}}],\"image\":\"h/"
        "r\",\"volumeMounts\":["
        "{\"mountPath\":\"/"
        "cloudsql\",\"name\":\"cloudsql\"}]}],\"executionEnvironment\":\"EXECUTION_ENVIRONMENT_GEN2\","
        "\"maxRetries\":0,\"serviceAccount\":\"a@b\",\"timeout\":\"90s\",\"volumes\":[{\"cloudSqlInstance\":{"
        "\"instances\":["
        "\"p:r:a\"]},\"name\":\"cloudsql\"}],\"vpcAccess\":{\"egress\":\"ALL_TRAFFIC\"}}}}";
    static const struct {
        const char *yaml, *why;
    } refused[] = {
        {JOB "spec: {}\n", "it has no spec.template.spec.template.spec.containers"},
        {JOB "spec: {template: {spec: {tasks: 3}}}\n", "spec.template.spec.tasks is nothing"},
        {JOB "spec: {template: {spec: {}, metadata: {annotations: {autoscaling.knative.dev/maxScale: '3'}}}}\n",
         "autoscaling.knative.dev/maxScale"},
        {JOB "spec: {template: {spec: {template: {spec: {timeoutSeconds: soon}}}}}\n", "must be a number of seconds"},
        {BEGIN, "apiVersion"},
    };
    struct error error = {0};
    AUTO_JSON struct json *document = yaml_parse(whole_job, strlen(whole_job), "j.yaml", &error);
    AUTO_JSON struct json *job = run_knative_job(document, "j.yaml", &error);
    if (!job)
        fail_msg("%s", error.text);
    AUTO_FREE char *found = json_format(job, JSON_CANONICAL);
    assert_string_equal(found, wanted);
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++) {
        AUTO_JSON struct json *wrong = yaml_parse(refused[i].yaml, strlen(refused[i].yaml), "j.yaml", &error);
        assert_null(run_knative_job(wrong, "j.yaml", &error));
        if (!strstr(error.text, refused[i].why))
            fail_msg("\"%s\" is not in: %s", refused[i].why, error.text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_job_is_read),        cmocka_unit_test(test_a_whole_service),
        cmocka_unit_test(test_its_revision),    cmocka_unit_test(test_the_cpu_is_throttled_as_in_v1),
        cmocka_unit_test(test_what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
