/* local/knative: what one dialect of Cloud Run says, the other says, too. The samples are made from the tables of both
 * APIs, so that a field that is added to one of them is asked for here. */
#include "common/base/text.h"
#include "local/knative/pod.h"
#include "local/knative/schema.h"
#include "local/knative/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct place here = {"us-central1", "100", "operation"};

static struct json *parse(const char *text) {
    struct error error = {0};
    struct json *value = json_parse(text, strlen(text), "the sample", &error);
    if (!value)
        fail_msg("%s: %s", error.text, text);
    return value;
}

static void assert_same(const struct json *got, const struct json *wanted) {
    AUTO_FREE char *left = json_format(got, JSON_CANONICAL), *right = json_format(wanted, JSON_CANONICAL);
    assert_string_equal(left, right);
}

/* ---- a service with every field of v2 ---- */

static struct json *sample_message(const struct message *message);

static struct json *sample_value(const struct field *field) {
    struct json *value;
    switch (field->kind) {
    case FIELD_BOOL:
        return json_new_bool(true);
    case FIELD_INTEGER:
        return json_new_integer(3);
    case FIELD_DURATION:
        return json_new_text("7200s");
    case FIELD_ENUM:
        return json_new_text(field->choices[1]);
    case FIELD_MESSAGE:
        return sample_message(field->message);
    case FIELD_ANY:
        value = json_new_object();
        json_set_text(value, "any", field->name);
        return value;
    case FIELD_TEXT:
        break;
    }
    return json_new_text(field->name);
}

static struct json *sample_message(const struct message *message) {
    struct json *sample = json_new_object();
    for (const struct field *field = message->fields; field->name; field++) {
        struct json *value = (field->traits & FIELD_OUTPUT) ? NULL : sample_value(field);
        if (value && (field->traits & FIELD_LIST)) {
            struct json *list = json_new_array();
            json_append(list, value);
            value = list;
        } else if (value && (field->traits & FIELD_MAP)) {
            struct json *map = json_new_object();
            json_set(map, "key", value);
            value = map;
        }
        if (value)
            json_set(sample, field->name, value);
    }
    return sample;
}

/* Where only one of several fields can be: each of them once. */
static struct json *rich_service(void) {
    struct json *service = sample_message(&service_message), *template = json_get(service, "template");
    struct json *container = json_at(json_get(template, "containers"), 0);
    json_set(container, "env",
             parse("[{\"name\":\"A\",\"value\":\"1\"},{\"name\":\"EMPTY\",\"value\":\"\"},"
                   "{\"name\":\"S\",\"valueSource\":{\"secretKeyRef\":{\"secret\":\"s\",\"version\":\"2\"}}},"
                   "{\"name\":\"O\",\"valueSource\":{\"secretKeyRef\":{\"secret\":\"projects/p/secrets/"
                   "s\",\"version\":\"latest\"}}}]"));
    json_set(container, "volumeMounts",
             parse("[{\"name\":\"files\",\"mountPath\":\"/files\",\"subPath\":\"a\"},"
                   "{\"name\":\"cloudsql\",\"mountPath\":\"/cloudsql\"}]"));
    json_set(
        template, "volumes",
        parse("[{\"name\":\"files\",\"secret\":{\"secret\":\"projects/p/secrets/"
              "t\",\"defaultMode\":256,\"items\":[{\"version\":\"1\",\"path\":\"f\",\"mode\":292}]}},"
              "{\"name\":\"memory\",\"emptyDir\":{\"medium\":\"MEMORY\",\"sizeLimit\":\"1Gi\"}},"
              "{\"name\":\"disk\",\"emptyDir\":{\"medium\":\"DISK\",\"sizeLimit\":\"1Gi\"}},"
              "{\"name\":\"n\",\"nfs\":{\"server\":\"h\",\"path\":\"/p\",\"readOnly\":true}},"
              "{\"name\":\"b\",\"gcs\":{\"bucket\":\"bucket\",\"readOnly\":true,\"mountOptions\":[\"a\",\"b=c\"]}},"
              "{\"name\":\"cloudsql\",\"cloudSqlInstance\":{\"instances\":[\"p:r:i\",\"p:r:j\"]}}]"));
    json_set(
        service, "traffic",
        parse("[{\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST\",\"percent\":90},"
              "{\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION\",\"revision\":\"r-1\",\"percent\":10,"
              "\"tag\":\"old\"},"
              "{\"type\":\"TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION\",\"revision\":\"r-2\",\"tag\":\"candidate\"}]"));
    json_remove(json_get(service, "binaryAuthorization"), "useDefault");
    json_set(json_get(service, "buildConfig"), "environmentVariables", parse("{\"A\":\"b\"}"));
    return service;
}

/* What v1 has no word for. */
static void remove_v2_only(struct json *service) {
    struct json *template = json_get(service, "template"), *container = json_at(json_get(template, "containers"), 0);
    static const char *const probes[] = {"startupProbe", "livenessProbe", "readinessProbe"};
    json_remove(container, "sourceCode");
    json_remove(json_get(template, "scaling"), "concurrencyUtilization");
    json_remove(json_get(template, "scaling"), "cpuUtilization");
    json_remove(service, "name");
    json_remove(service, "etag");
    for (size_t i = 0; i < ARRAY_LENGTH(probes); i++)
        json_remove(json_at(json_get(json_get(json_get(container, probes[i]), "httpGet"), "httpHeaders"), 0), "port");
}

static struct json *there_and_back(const struct json *service) {
    struct error error = {0};
    AUTO_JSON struct json *knative = service_to_knative(service, &here);
    if (message_normalise(&knative_service_message, knative, "service", &error) < 0)
        fail_msg("%s", error.text);
    struct json *back = service_to_run(knative, &error);
    if (!back)
        fail_msg("%s", error.text);
    return back;
}

static void every_field_of_v2_is_said_in_v1(void **state) {
    (void)state;
    AUTO_JSON struct json *service = rich_service(), *back = NULL;
    remove_v2_only(service);
    back = there_and_back(service);
    assert_same(back, service);
}

static void a_client_of_v1_changes_what_it_changes_and_nothing_else(void **state) {
    (void)state;
    AUTO_JSON struct json *service = rich_service(), *base = there_and_back(service);
    AUTO_JSON struct json *mine = json_copy_deep(base), *nothing = json_merge_change(base, service, base);
    assert_same(nothing, service);
    struct json *container = json_at(json_get(json_get(mine, "template"), "containers"), 0);
    json_set_text(json_at(json_get(container, "env"), 0), "value", "2");
    json_remove(json_get(mine, "labels"), "key");
    json_remove(json_get(mine, "template"), "serviceAccount");
    AUTO_JSON struct json *merged = json_merge_change(base, service, mine);
    struct json *wanted = json_at(json_get(json_get(service, "template"), "containers"), 0);
    json_set_text(json_at(json_get(wanted, "env"), 0), "value", "2");
    json_remove(json_get(service, "labels"), "key");
    json_remove(json_get(service, "template"), "serviceAccount");
    assert_same(merged, service);
}

/* ---- a service with every annotation of v1 ---- */

static const char *sample_annotation(const struct mapping_row *row) {
    static const struct {
        const char *key, *value;
    } special[] = {
        {"run.googleapis.com/custom-audiences", "[\"https://a\"]"},
        {"run.googleapis.com/build-environment-variables", "{\"A\":\"b\"}"},
        {"run.googleapis.com/network-interfaces", "[{\"network\":\"n\",\"subnetwork\":\"s\",\"tags\":[\"t\"]}]"},
        {"run.googleapis.com/cpu-throttling", "false"},
        {"run.googleapis.com/startup-cpu-boost", "true"},
        {"run.googleapis.com/container-dependencies", "{\"app\":[\"side\"]}"},
        {"run.googleapis.com/base-images", "{\"app\":\"image\"}"},
        {"run.googleapis.com/secrets", "s-of-p:projects/p/secrets/s"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(special); i++)
        if (text_equal(special[i].key, row->knative))
            return special[i].value;
    switch (row->kind) {
    case MAP_BOOL:
        return "true";
    case MAP_INTEGER:
    case MAP_HOURS:
        return "3";
    case MAP_WORD:
        return row->words[0].knative;
    case MAP_LIST:
        return "a,b";
    default:
        return "text";
    }
}

static struct json *sample_annotations(const struct annotation_kind *kind) {
    struct json *sample = json_new_object();
    for (const struct mapping_row *row = kind->rows; row->knative; row++)
        if (row->kind != MAP_OUTPUT)
            json_set_text(sample, row->knative, sample_annotation(row));
    json_set_text(sample, "example.com/own", "kept");
    return sample;
}

static void every_annotation_of_v1_is_kept(void **state) {
    (void)state;
    struct error error = {0};
    AUTO_JSON struct json *knative =
        parse("{\"kind\":\"Service\",\"metadata\":{\"name\":\"app\",\"labels\":{\"a\":\"b\"}},\"spec\":{\"template\":{"
              "\"metadata\":{\"labels\":{\"client.knative.dev/nonce\":\"n\"}},\"spec\":{\"containers\":["
              "{\"name\":\"app\",\"image\":\"i\",\"env\":[{\"name\":\"S\",\"valueFrom\":{\"secretKeyRef\":{\"name\":"
              "\"s-of-p\",\"key\":\"1\"}}}]}],\"nodeSelector\":{\"run.googleapis.com/accelerator\":\"nvidia-l4\"}}}}}");
    json_set(json_get(knative, "metadata"), "annotations", sample_annotations(&service_annotations));
    json_set(json_get_path(knative, "spec.template.metadata"), "annotations",
             sample_annotations(&revision_annotations));
    AUTO_JSON struct json *service = service_to_run(knative, &error);
    if (!service)
        fail_msg("%s", error.text);
    AUTO_JSON struct json *again = service_to_knative(service, &here);
    const struct json *wanted = json_get_path(knative, "metadata.annotations");
    for (void *i = json_first(wanted); i; i = json_next(wanted, i))
        if (!json_same(json_value(i), json_get(json_get_path(again, "metadata.annotations"), json_key(i))))
            fail_msg("%s of the service is lost", json_key(i));
    assert_same(json_get_path(again, "spec.template.metadata.annotations"),
                json_get_path(knative, "spec.template.metadata.annotations"));
    assert_same(json_get_path(again, "spec.template.spec"), json_get_path(knative, "spec.template.spec"));
    assert_string_equal(
        json_get_text(json_get_path(again, "spec.template.metadata.labels"), "client.knative.dev/nonce", ""), "n");
}

/* ---- refusals ---- */

static void annotations_that_there_are_not_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *annotations, *wanted;
    } cases[] = {
        {"{\"run.googleapis.com/secrets\":\"a:b\"}", "metadata.annotations: Annotation 'run.googleapis.com/secrets' is "
                                                     "not supported on resources of kind 'Service'. "
                                                     "Supported kinds are: Revision, Execution"},
        {"{\"run.googleapis.com/nothing\":\"a\"}", "metadata.annotations: Annotation 'run.googleapis.com/nothing' is "
                                                   "not supported on resources of kind 'Service'."},
        {"{\"run.googleapis.com/minScale\":\"many\"}",
         "metadata.annotations: Annotation 'run.googleapis.com/minScale': Invalid value 'many'; must be a whole "
         "number"},
        {"{\"run.googleapis.com/iap-enabled\":\"yes\"}", "metadata.annotations: Annotation "
                                                         "'run.googleapis.com/iap-enabled': Invalid value 'yes'; must "
                                                         "be 'true' or 'false'"},
        {"{\"run.googleapis.com/ingress\":\"some\"}", "metadata.annotations: Annotation 'run.googleapis.com/ingress': "
                                                      "Invalid value 'some'; must be like 'all'"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct error error = {0};
        AUTO_JSON struct json *knative = parse("{\"metadata\":{},\"spec\":{\"template\":{\"spec\":{}}}}");
        json_set(json_get(knative, "metadata"), "annotations", parse(cases[i].annotations));
        assert_null(service_to_run(knative, &error));
        assert_string_equal(error.text, cases[i].wanted);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_of_v2_is_said_in_v1),
        cmocka_unit_test(a_client_of_v1_changes_what_it_changes_and_nothing_else),
        cmocka_unit_test(every_annotation_of_v1_is_kept),
        cmocka_unit_test(annotations_that_there_are_not_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
