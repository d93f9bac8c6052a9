/* gcp/run and gcp/google_error: plans and their differences, refusals, why a container did not start. */
#include "gcp/google_error.h"
#include "gcp/run/failure.h"
#include "gcp/run/plan.h"
#include "gcp/run/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char current_text[] =
    "{\"name\":\"projects/p/locations/r/services/s\",\"etag\":\"e1\",\"uri\":\"https://s\",\"generation\":\"3\","
    "\"labels\":{\"team\":\"a\"},\"ingress\":\"INGRESS_TRAFFIC_ALL\",\"template\":{\"revision\":\"s-1\","
    "\"vpcAccess\":{\"connector\":\"c\"},\"containers\":[{\"image\":\"h/r@sha256:old\",\"futureField\":7,"
    "\"env\":[{\"name\":\"KEEP\",\"value\":\"1\"},{\"name\":\"S\",\"valueSource\":{\"secretKeyRef\":{\"secret\":\"x\"}}"
    "}],"
    "\"resources\":{\"limits\":{\"cpu\":\"1\",\"memory\":\"512Mi\"},\"cpuIdle\":true}}]}}";

static struct json *parse(const char *text) {
    struct error error = {0};
    struct json *value = json_parse(text, strlen(text), "test", &error);
    assert_non_null(value);
    return value;
}

static struct run_settings unset(void) {
    return (struct run_settings){.workload = {.image = "h/r@sha256:new", .memory = -1, .gpus = -1},
                                 .port = -1,
                                 .min_instances = -1,
                                 .max_instances = -1,
                                 .concurrency = -1,
                                 .timeout = -1,
                                 .http2 = -1,
                                 .cpu_throttling = -1,
                                 .cpu_boost = -1,
                                 .service_min_instances = -1,
                                 .service_max_instances = -1,
                                 .gpu_zonal_redundancy = -1,
                                 .default_url = -1,
                                 .key_shutdown_time = -1,
                                 .session_affinity = -1,
                                 .invoker_check = -1};
}

static struct json *plan(const struct json *current, const struct run_settings *settings) {
    struct json *service = run_service_writable(current);
    run_settings_apply(settings, service);
    return service;
}

static void a_plan_keeps_what_it_does_not_name(void **state) {
    (void)state;
    AUTO_JSON struct json *current = parse(current_text);
    struct run_settings settings = unset();
    text_list_add(&settings.workload.environment, "NEW=a,b=c");
    settings.workload.memory = 1 << 30;
    AUTO_JSON struct json *after = plan(current, &settings);
    AUTO_JSON struct json *before = run_service_writable(current);
    const struct json *container = json_at(json_get_path(after, "template.containers"), 0);
    assert_string_equal(json_get_text(container, "image", ""), "h/r@sha256:new");
    assert_int_equal(json_get_integer(container, "futureField", 0), 7);
    assert_int_equal(json_count(json_get(container, "env")), 3);
    assert_string_equal(json_get_text(json_at(json_get(container, "env"), 2), "value", ""), "a,b=c");
    assert_string_equal(json_text(json_get_path(container, "resources.limits.cpu")), "1");
    assert_string_equal(json_text(json_get_path(container, "resources.limits.memory")), "1Gi");
    assert_string_equal(json_text(json_get_path(after, "template.vpcAccess.connector")), "c");
    assert_null(json_get_path(after, "template.revision"));
    assert_null(json_get(after, "uri"));
    AUTO_FREE char *mask = run_plan_mask(before, after);
    assert_string_equal(mask, "template");
    text_list_release(&settings.workload.environment);
}

static void the_same_settings_plan_no_change(void **state) {
    (void)state;
    AUTO_JSON struct json *current = parse(current_text);
    struct run_settings settings = unset();
    settings.workload.image = "h/r@sha256:old";
    settings.workload.cpu = "1";
    settings.workload.memory = 512 << 20;
    text_list_add(&settings.workload.environment, "KEEP=1");
    AUTO_JSON struct json *after = plan(current, &settings);
    AUTO_JSON struct json *before = run_service_writable(current);
    AUTO_FREE char *mask = run_plan_mask(before, after);
    assert_string_equal(mask, "");
    AUTO_BUFFER struct buffer difference = BUFFER(65536);
    run_plan_difference(before, after, &difference);
    assert_string_equal(buffer_text(&difference), "");
    text_list_release(&settings.workload.environment);
}

static void a_difference_names_fields_and_hides_values(void **state) {
    (void)state;
    AUTO_JSON struct json *current = parse(current_text);
    struct run_settings settings = unset();
    settings.port = 3000;
    text_list_add(&settings.workload.environment, "KEEP=topsecret");
    text_list_add(&settings.workload.labels, "team=b");
    AUTO_JSON struct json *after = plan(current, &settings);
    AUTO_JSON struct json *before = run_service_writable(current);
    AUTO_BUFFER struct buffer difference = BUFFER(65536);
    run_plan_difference(before, after, &difference);
    const char *text = buffer_text(&difference);
    assert_non_null(strstr(text, "~ template.containers[0].image: \"h/r@sha256:old\" -> \"h/r@sha256:new\"\n"));
    assert_non_null(strstr(text, "~ template.containers[0].env[KEEP].value: (not shown) -> (not shown)\n"));
    assert_non_null(strstr(text, "+ template.containers[0].ports[0].containerPort: 3000\n"));
    assert_non_null(strstr(text, "~ labels.team: \"a\" -> \"b\"\n"));
    assert_null(strstr(text, "topsecret"));
    text_list_release(&settings.workload.environment);
    text_list_release(&settings.workload.labels);
}

static void settings_are_checked(void **state) {
    (void)state;
    struct error error = {0};
    struct run_settings settings = unset();
    assert_int_equal(run_settings_check(&settings, &error), 0);
    settings.port = 70000;
    assert_int_equal(run_settings_check(&settings, &error), -1);
    static const char *const wrong[] = {"A", "=x", "PORT=1", "1A=x", "A B=c"};
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        settings = unset();
        text_list_add(&settings.workload.environment, wrong[i]);
        assert_int_equal(run_settings_check(&settings, &error), -1);
        assert_int_equal(error.kind, ERROR_USAGE);
        text_list_release(&settings.workload.environment);
    }
}

static void refused(const char *body, long status, enum error_kind kind, const char *in_text, const char *in_next) {
    struct error error = {0};
    struct google_subject subject = {.principal = "d@p.iam.gserviceaccount.com", .project = "p", .region = "r"};
    struct http_response response = {.status = status, .body = BUFFER(65536)};
    buffer_append_text(&response.body, body);
    assert_int_equal(google_error_set(&error, "cannot x", &response, &subject), -1);
    buffer_release(&response.body);
    assert_int_equal(error.kind, kind);
    if (!strstr(error.text, in_text) || !strstr(error.next, in_next))
        fail_msg("text: %s\nnext: %s", error.text, error.next);
}

static void refusals_say_what_to_type(void **state) {
    (void)state;
    refused("{\"error\":{\"code\":403,\"message\":\"Cloud Run Admin API has not been used\",\"status\":"
            "\"PERMISSION_DENIED\",\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"reason\":"
            "\"SERVICE_DISABLED\",\"domain\":\"googleapis.com\",\"metadata\":{\"service\":\"run.googleapis.com\"}}]}}",
            403, ERROR_CONFIGURATION, "has not been used", "gcloud services enable run.googleapis.com --project=p");
    refused("{\"error\":{\"code\":403,\"message\":\"Permission 'run.services.get' denied on resource\",\"status\":"
            "\"PERMISSION_DENIED\"}}",
            403, ERROR_PERMISSION, "run.services.get",
            "gcloud projects add-iam-policy-binding p --member=serviceAccount:d@p.iam.gserviceaccount.com "
            "--role=roles/run.developer");
    refused("{\"error\":{\"code\":403,\"message\":\"Permission 'iam.serviceaccounts.actAs' denied on service account "
            "x@p.iam.gserviceaccount.com (or it may not exist).\",\"status\":\"PERMISSION_DENIED\"}}",
            403, ERROR_PERMISSION, "actAs",
            "gcloud iam service-accounts add-iam-policy-binding x@p.iam.gserviceaccount.com");
    refused(
        "{\"error\":{\"code\":400,\"message\":\"bad\",\"status\":\"INVALID_ARGUMENT\",\"details\":[{\"@type\":\"x\","
        "\"fieldViolations\":[{\"field\":\"template.timeout\",\"description\":\"too long\"}]}]}}",
        400, ERROR_DATA, "template.timeout: too long", "");
    refused("{\"error\":\"invalid_grant\",\"error_description\":\"Invalid JWT Signature.\"}", 400, ERROR_PERMISSION,
            "Invalid JWT Signature.", "pl-local env");
    refused("<html>gone</html>", 404, ERROR_CONFIGURATION, "<html>gone", "--project");
    refused("", 429, ERROR_TEMPORARY, "empty answer", "again");
}

static void diagnosed(const char *status_text, const char *line, enum run_failure failure, const char *in_text) {
    struct error error = {0};
    AUTO_JSON struct json *status = parse(status_text);
    AUTO_LIST struct text_list lines = {0};
    if (line)
        text_list_add(&lines, line);
    struct run_diagnosis diagnosis = run_failure_diagnose(status, NULL, &lines);
    assert_int_equal(run_failure_set(&error, &diagnosis, status, "s", "s-1"), -1);
    if (diagnosis.failure != failure || !strstr(error.text, in_text))
        fail_msg("%u: %s", diagnosis.failure, error.text);
}

#define NOT_READY                                                                                                      \
    "{\"code\":9,\"message\":\"Revision 's-1' is not ready and cannot serve traffic. The user-provided container "     \
    "failed to start and listen on the port defined provided by the PORT=8080 environment variable\"}"
#define LOCAL(reason, metadata)                                                                                        \
    "{\"code\":9,\"message\":\"m\",\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.ErrorInfo\",\"domain\":"   \
    "\"pl-local\",\"reason\":\"" reason "\",\"metadata\":{" metadata "}}]}"

static void the_reason_is_read_out_of_googles_text(void **state) {
    (void)state;
    diagnosed(NOT_READY, "INFO: Uvicorn running on http://127.0.0.1:8080 (Press CTRL+C)", RUN_LOOPBACK_ONLY,
              "127.0.0.1:8080 only");
    diagnosed(NOT_READY, "[INFO] Listening at: http://0.0.0.0:9999 (7)", RUN_WRONG_PORT, "port 9999");
    diagnosed(NOT_READY, "Server listening on port 3000", RUN_WRONG_PORT, "port 3000");
    diagnosed(NOT_READY, "terminated: Application failed to start: \"/app/x\": exec format error",
              RUN_WRONG_ARCHITECTURE, "another architecture");
    diagnosed(NOT_READY, "Memory limit of 512 MiB exceeded with 530 MiB used", RUN_OUT_OF_MEMORY, "more memory");
    diagnosed(NOT_READY, "Container called exit(1).", RUN_CONTAINER_EXITED, "exit code 1");
    diagnosed(NOT_READY, "Container called exit(0).", RUN_CONTAINER_EXITED, "by itself");
    diagnosed(NOT_READY, NULL, RUN_TOO_SLOW, "listens on no port");
    diagnosed("{\"code\":5,\"message\":\"Image 'h/r@sha256:x' not found.\"}", NULL, RUN_IMAGE_NOT_FOUND, "not found");
    diagnosed("{\"code\":13,\"message\":\"something else\"}", NULL, RUN_FAILURE_UNKNOWN, "something else");
}

static void the_local_clouds_reason_is_taken_as_it_is(void **state) {
    (void)state;
    diagnosed(LOCAL("CONTAINER_EXITED", "\"exitCode\":\"3\""), NULL, RUN_CONTAINER_EXITED, "exit code 3");
    diagnosed(LOCAL("CONTAINER_EXITED", "\"signal\":\"11\""), NULL, RUN_CONTAINER_EXITED, "signal 11");
    diagnosed(LOCAL("WRONG_PORT", "\"port\":\"9999\",\"expected\":\"8080\""), NULL, RUN_WRONG_PORT, "port 9999");
    diagnosed(LOCAL("LOOPBACK_ONLY", "\"address\":\"127.0.0.1\",\"port\":\"8080\""), NULL, RUN_LOOPBACK_ONLY,
              "127.0.0.1:8080 only");
    diagnosed(LOCAL("WRONG_ARCHITECTURE", "\"architecture\":\"arm64\""), NULL, RUN_WRONG_ARCHITECTURE, "arm64");
    diagnosed(LOCAL("OUT_OF_MEMORY", "\"limit\":\"512Mi\""), NULL, RUN_OUT_OF_MEMORY, "512Mi");
    diagnosed(LOCAL("TOO_SLOW", "\"seconds\":\"240\""), NULL, RUN_TOO_SLOW, "within 240 s");
    diagnosed(LOCAL("IMAGE_NOT_FOUND", "\"image\":\"h/r\""), NULL, RUN_IMAGE_NOT_FOUND, "h/r");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plan_keeps_what_it_does_not_name),
        cmocka_unit_test(the_same_settings_plan_no_change),
        cmocka_unit_test(a_difference_names_fields_and_hides_values),
        cmocka_unit_test(settings_are_checked),
        cmocka_unit_test(refusals_say_what_to_type),
        cmocka_unit_test(the_reason_is_read_out_of_googles_text),
        cmocka_unit_test(the_local_clouds_reason_is_taken_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
