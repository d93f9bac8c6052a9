#include "local/run/message.h"

#include "common/base/text.h"
#include "local/run/message_rows.h"

#include <string.h>

static const char *const launch_stages[] = {"LAUNCH_STAGE_UNSPECIFIED",
                                            "EARLY_ACCESS",
                                            "ALPHA",
                                            "BETA",
                                            "GA",
                                            "DEPRECATED",
                                            "UNIMPLEMENTED",
                                            "PRELAUNCH",
                                            NULL};
static const char *const ingresses[] = {"INGRESS_TRAFFIC_UNSPECIFIED",   "INGRESS_TRAFFIC_ALL",
                                        "INGRESS_TRAFFIC_INTERNAL_ONLY", "INGRESS_TRAFFIC_INTERNAL_LOAD_BALANCER",
                                        "INGRESS_TRAFFIC_NONE",          NULL};
static const char *const traffic_types[] = {"TRAFFIC_TARGET_ALLOCATION_TYPE_UNSPECIFIED",
                                            "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST",
                                            "TRAFFIC_TARGET_ALLOCATION_TYPE_REVISION", NULL};
static const char *const execution_environments[] = {"EXECUTION_ENVIRONMENT_UNSPECIFIED", "EXECUTION_ENVIRONMENT_GEN1",
                                                     "EXECUTION_ENVIRONMENT_GEN2", NULL};
static const char *const egresses[] = {"VPC_EGRESS_UNSPECIFIED", "ALL_TRAFFIC", "PRIVATE_RANGES_ONLY", NULL};
static const char *const mediums[] = {"MEDIUM_UNSPECIFIED", "MEMORY", "DISK", NULL};
static const char *const scaling_modes[] = {"SCALING_MODE_UNSPECIFIED", "AUTOMATIC", "MANUAL", NULL};
static const char *const revocation_actions[] = {"ENCRYPTION_KEY_REVOCATION_ACTION_UNSPECIFIED", "PREVENT_NEW",
                                                 "SHUTDOWN", NULL};

MESSAGE(secret_key_message, TEXT("secret"), TEXT("version"));
MESSAGE(value_source_message, ONE("secretKeyRef", secret_key_message));
MESSAGE(environment_message, TEXT("name"), {.name = "value", .kind = FIELD_TEXT, .traits = FIELD_KEEP},
        ONE("valueSource", value_source_message));
MESSAGE(resources_message, MAP("limits"), BOOL("cpuIdle"), BOOL("startupCpuBoost"));
MESSAGE(port_message, TEXT("name"), INTEGER("containerPort"));
MESSAGE(mount_message, TEXT("name"), TEXT("mountPath"), TEXT("subPath"));
MESSAGE(http_header_message, TEXT("name"), TEXT("value"), INTEGER("port"));
MESSAGE(http_get_message, TEXT("path"), MANY("httpHeaders", http_header_message), INTEGER("port"));
MESSAGE(tcp_socket_message, INTEGER("port"));
MESSAGE(grpc_message, INTEGER("port"), TEXT("service"));
MESSAGE(probe_message, INTEGER("initialDelaySeconds"), INTEGER("timeoutSeconds"), INTEGER("periodSeconds"),
        INTEGER("failureThreshold"), INTEGER("successThreshold"), ONE("httpGet", http_get_message),
        ONE("tcpSocket", tcp_socket_message), ONE("grpc", grpc_message));
MESSAGE(container_message, TEXT("name"), TEXT("image"), {.name = "sourceCode", .kind = FIELD_ANY}, TEXTS("command"),
        TEXTS("args"), MANY("env", environment_message), ONE("resources", resources_message),
        MANY("ports", port_message), MANY("volumeMounts", mount_message), TEXT("workingDir"),
        ONE("livenessProbe", probe_message), ONE("startupProbe", probe_message), ONE("readinessProbe", probe_message),
        TEXTS("dependsOn"), TEXT("baseImageUri"), OUTPUT("buildInfo"));
MESSAGE(version_path_message, TEXT("path"), TEXT("version"), INTEGER("mode"));
MESSAGE(secret_volume_message, TEXT("secret"), MANY("items", version_path_message), INTEGER("defaultMode"));
MESSAGE(sql_volume_message, TEXTS("instances"));
MESSAGE(empty_volume_message, ENUM("medium", mediums), TEXT("sizeLimit"));
MESSAGE(nfs_volume_message, TEXT("server"), TEXT("path"), BOOL("readOnly"));
MESSAGE(bucket_volume_message, TEXT("bucket"), BOOL("readOnly"), TEXTS("mountOptions"));
MESSAGE(volume_message, TEXT("name"), ONE("secret", secret_volume_message), ONE("cloudSqlInstance", sql_volume_message),
        ONE("emptyDir", empty_volume_message), ONE("nfs", nfs_volume_message), ONE("gcs", bucket_volume_message));
MESSAGE(revision_scaling_message, INTEGER("minInstanceCount"), INTEGER("maxInstanceCount"),
        {.name = "concurrencyUtilization", .kind = FIELD_ANY}, {.name = "cpuUtilization", .kind = FIELD_ANY});
MESSAGE(interface_message, TEXT("network"), TEXT("subnetwork"), TEXTS("tags"));
MESSAGE(vpc_message, TEXT("connector"), ENUM("egress", egresses), MANY("networkInterfaces", interface_message));
MESSAGE(mesh_message, TEXT("mesh"));
MESSAGE(node_message, TEXT("accelerator"));
MESSAGE(template_message, TEXT("revision"), MAP("labels"), MAP("annotations"), ONE("scaling", revision_scaling_message),
        ONE("vpcAccess", vpc_message), DURATION("timeout"), TEXT("serviceAccount"),
        MANY("containers", container_message), MANY("volumes", volume_message),
        ENUM("executionEnvironment", execution_environments), TEXT("encryptionKey"),
        INTEGER("maxInstanceRequestConcurrency"), ONE("serviceMesh", mesh_message),
        ENUM("encryptionKeyRevocationAction", revocation_actions), DURATION("encryptionKeyShutdownDuration"),
        BOOL("sessionAffinity"), BOOL("healthCheckDisabled"), ONE("nodeSelector", node_message),
        {.name = "gpuZonalRedundancyDisabled", .kind = FIELD_BOOL, .traits = FIELD_KEEP}, TEXT("client"),
        TEXT("clientVersion"));
MESSAGE(task_template_message, MANY("containers", container_message), MANY("volumes", volume_message),
        {.name = "maxRetries", .kind = FIELD_INTEGER, .traits = FIELD_KEEP}, DURATION("timeout"),
        TEXT("serviceAccount"), ENUM("executionEnvironment", execution_environments), TEXT("encryptionKey"),
        ONE("vpcAccess", vpc_message), ONE("nodeSelector", node_message),
        {.name = "gpuZonalRedundancyDisabled", .kind = FIELD_BOOL, .traits = FIELD_KEEP});
MESSAGE(execution_template_message, MAP("labels"), MAP("annotations"), INTEGER("parallelism"), INTEGER("taskCount"),
        ONE("template", task_template_message), TEXT("client"), TEXT("clientVersion"));
MESSAGE(container_override_message, TEXT("name"), TEXTS("args"), MANY("env", environment_message), BOOL("clearArgs"));
MESSAGE(overrides_message, MANY("containerOverrides", container_override_message), INTEGER("taskCount"),
        DURATION("timeout"));
MESSAGE(traffic_message, ENUM("type", traffic_types), TEXT("revision"), INTEGER("percent"), TEXT("tag"));
MESSAGE(binary_message, BOOL("useDefault"), TEXT("policy"), TEXT("breakglassJustification"));
MESSAGE(scaling_message, INTEGER("minInstanceCount"), INTEGER("maxInstanceCount"), ENUM("scalingMode", scaling_modes),
        {.name = "manualInstanceCount", .kind = FIELD_INTEGER, .traits = FIELD_KEEP});
MESSAGE(regions_message, TEXTS("regions"), OUTPUT("multiRegionId"));
MESSAGE(build_config_message, OUTPUT("name"), TEXT("sourceLocation"), TEXT("functionTarget"), TEXT("imageUri"),
        TEXT("baseImage"), BOOL("enableAutomaticUpdates"), TEXT("workerPool"), MAP("environmentVariables"),
        TEXT("serviceAccount"));

static const struct field service_fields[] = {
    TEXT("name"),
    TEXT("description"),
    OUTPUT("uid"),
    OUTPUT("generation"),
    MAP("labels"),
    MAP("annotations"),
    OUTPUT("createTime"),
    OUTPUT("updateTime"),
    OUTPUT("deleteTime"),
    OUTPUT("expireTime"),
    OUTPUT("creator"),
    OUTPUT("lastModifier"),
    TEXT("client"),
    TEXT("clientVersion"),
    ENUM("ingress", ingresses),
    ENUM("launchStage", launch_stages),
    ONE("binaryAuthorization", binary_message),
    ONE("template", template_message),
    MANY("traffic", traffic_message),
    ONE("scaling", scaling_message),
    BOOL("invokerIamDisabled"),
    BOOL("defaultUriDisabled"),
    OUTPUT("urls"),
    BOOL("iapEnabled"),
    TEXTS("customAudiences"),
    ONE("multiRegionSettings", regions_message),
    ONE("buildConfig", build_config_message),
    OUTPUT("observedGeneration"),
    OUTPUT("terminalCondition"),
    OUTPUT("conditions"),
    OUTPUT("latestReadyRevision"),
    OUTPUT("latestCreatedRevision"),
    OUTPUT("trafficStatuses"),
    OUTPUT("uri"),
    OUTPUT("satisfiesPzs"),
    OUTPUT("threatDetectionEnabled"),
    OUTPUT("reconciling"),
    TEXT("etag"),
    {0},
};
const struct message service_message = {service_fields};

static const struct field job_fields[] = {
    TEXT("name"),
    OUTPUT("uid"),
    OUTPUT("generation"),
    MAP("labels"),
    MAP("annotations"),
    OUTPUT("createTime"),
    OUTPUT("updateTime"),
    OUTPUT("deleteTime"),
    OUTPUT("expireTime"),
    OUTPUT("creator"),
    OUTPUT("lastModifier"),
    TEXT("client"),
    TEXT("clientVersion"),
    ENUM("launchStage", launch_stages),
    ONE("binaryAuthorization", binary_message),
    ONE("template", execution_template_message),
    OUTPUT("observedGeneration"),
    OUTPUT("terminalCondition"),
    OUTPUT("conditions"),
    OUTPUT("executionCount"),
    OUTPUT("latestCreatedExecution"),
    OUTPUT("reconciling"),
    OUTPUT("satisfiesPzs"),
    TEXT("startExecutionToken"),
    TEXT("runExecutionToken"),
    TEXT("etag"),
    {0},
};
const struct message job_message = {job_fields};

static const struct field run_job_fields[] = {
    TEXT("name"), BOOL("validateOnly"), TEXT("etag"), ONE("overrides", overrides_message), {0}};
const struct message run_job_message = {run_job_fields};

static const struct field *find_field(const struct message *message, const char *name) {
    for (const struct field *field = message->fields; field->name; field++)
        if (text_equal(field->name, name))
            return field;
    return NULL;
}

/* ---- values ---- */

static int wrong(const char *path, const char *type, const struct json *value, struct error *error) {
    AUTO_FREE char *shown = json_format(value, JSON_COMPACT_STYLE);
    return error_set(error, ERROR_DATA, "Invalid value at '%s' (%s), %.200s", path, type, shown);
}

static bool is_duration(const char *text) {
    size_t length = text ? strlen(text) : 0;
    return length > 1 && length < 24 && text[length - 1] == 's' && strspn(text, "0123456789.") == length - 1;
}

static int check_text(const struct field *field, const char *path, struct json *value, struct error *error) {
    if (!json_is_text(value))
        return wrong(path, "TYPE_STRING", value, error);
    if (field->kind == FIELD_DURATION && !is_duration(json_text(value)))
        return wrong(path, "type.googleapis.com/google.protobuf.Duration", value, error);
    return 0;
}

/* A number, or a text of one. */
static int normal_integer(const char *path, const struct json *value, struct json **normal, struct error *error) {
    uint64_t number;
    if (json_is_integer(value))
        *normal = json_new_integer(json_number(value));
    else if (json_is_text(value) && text_to_u64(json_text(value), INT32_MAX, &number))
        *normal = json_new_integer((int64_t)number);
    else
        return wrong(path, "TYPE_INT32", value, error);
    int64_t checked = json_number(*normal);
    if (checked >= INT32_MIN && checked <= INT32_MAX)
        return 0;
    json_release(normal);
    return wrong(path, "TYPE_INT32", value, error);
}

static int normal_enum(const struct field *field, const char *path, const struct json *value, struct json **normal,
                       struct error *error) {
    int64_t number = json_is_integer(value) ? json_number(value) : -1;
    for (size_t i = 0; field->choices[i]; i++)
        if (text_equal(json_text(value), field->choices[i]) || (int64_t)i == number) {
            *normal = json_new_text(field->choices[i]);
            return 0;
        }
    return wrong(path, "TYPE_ENUM", value, error);
}

/* One value that is no list; *normal (owned) replaces it. */
static int normal_value(const struct field *field, const char *path, struct json *value, struct json **normal,
                        struct error *error) {
    *normal = NULL;
    switch (field->kind) {
    case FIELD_INTEGER:
        return normal_integer(path, value, normal, error);
    case FIELD_ENUM:
        return normal_enum(field, path, value, normal, error);
    case FIELD_BOOL:
        if (!json_is_bool(value))
            return wrong(path, "TYPE_BOOL", value, error);
        break;
    case FIELD_TEXT:
    case FIELD_DURATION:
        if (check_text(field, path, value, error) < 0)
            return -1;
        break;
    case FIELD_MESSAGE:
        if (!json_is_object(value))
            return wrong(path, "TYPE_MESSAGE", value, error);
        if (message_normalise(field->message, value, path, error) < 0)
            return -1;
        break;
    case FIELD_ANY:
        break;
    }
    *normal = json_share(value);
    return 0;
}

static int normal_list(const struct field *field, const char *path, struct json *list, struct error *error) {
    if (!json_is_array(list))
        return wrong(path, "TYPE_MESSAGE", list, error);
    for (size_t i = 0; i < json_count(list); i++) {
        AUTO_FREE char *at = text_format("%s[%zu]", path, i);
        struct json *normal;
        if (normal_value(field, at, json_at(list, i), &normal, error) < 0)
            return -1;
        json_set_at(list, i, normal);
    }
    return 0;
}

static int check_map(const char *path, const struct json *map, struct error *error) {
    if (!json_is_object(map))
        return wrong(path, "TYPE_MESSAGE", map, error);
    for (void *i = json_first(map); i; i = json_next(map, i)) {
        AUTO_FREE char *at = text_format("%s[%.80s]", path, json_key(i));
        if (!json_is_text(json_value(i)))
            return wrong(at, "TYPE_STRING", json_value(i), error);
    }
    return 0;
}

/* What proto3 does not tell from absence. An empty message is something: "useDefault" of a volume kind, say. */
static bool is_nothing(const struct field *field, const struct json *value) {
    if (field->traits & FIELD_KEEP)
        return false;
    if (field->traits & (FIELD_LIST | FIELD_MAP))
        return json_count(value) == 0;
    if (field->kind == FIELD_ENUM)
        return text_equal(json_text(value), field->choices[0]);
    return (json_is_text(value) && !*json_text(value)) || (json_is_bool(value) && !json_truth(value)) ||
           (json_is_integer(value) && json_number(value) == 0);
}

static int normal_member(const struct field *field, struct json *object, const char *path, struct error *error) {
    struct json *value = json_get(object, field->name);
    if (json_is_null(value) || (field->traits & FIELD_OUTPUT)) {
        json_remove(object, field->name);
        return 0;
    }
    int result = 0;
    if (field->traits & FIELD_MAP) {
        result = check_map(path, value, error);
    } else if (field->traits & FIELD_LIST) {
        result = normal_list(field, path, value, error);
    } else {
        struct json *normal;
        result = normal_value(field, path, value, &normal, error);
        if (result == 0)
            json_set(object, field->name, normal);
    }
    if (result == 0 && is_nothing(field, json_get(object, field->name)))
        json_remove(object, field->name);
    return result;
}

/* Google's messages have a field's name of the proto: "template.max_instance_request_concurrency". */
static char *path_of(const char *path, const char *name) {
    AUTO_BUFFER struct buffer text = BUFFER(1024);
    buffer_append_format(&text, "%s.", path);
    for (; *name; name++)
        if (*name >= 'A' && *name <= 'Z')
            buffer_append_format(&text, "_%c", *name - 'A' + 'a');
        else
            buffer_append(&text, name, 1);
    return text_copy(buffer_text(&text));
}

int message_normalise(const struct message *message, struct json *object, const char *path, struct error *error) {
    for (void *i = json_first(object); i; i = json_next(object, i))
        if (!find_field(message, json_key(i)))
            return error_set(error, ERROR_DATA,
                             "Invalid JSON payload received. Unknown name \"%.80s\" at '%s': Cannot find field.",
                             json_key(i), path);
    for (const struct field *field = message->fields; field->name; field++) {
        AUTO_FREE char *at = path_of(path, field->name);
        if (json_get(object, field->name) && normal_member(field, object, at, error) < 0)
            return -1;
    }
    return 0;
}

/* ---- field masks ---- */

/* "min_instance_count" → "minInstanceCount" */
static void camel_case(const char *text, size_t length, char *out, size_t size) {
    size_t used = 0;
    for (size_t i = 0; i < length && used + 1 < size; i++) {
        bool capital = text[i] == '_' && i + 1 < length && text[i + 1] >= 'a' && text[i + 1] <= 'z';
        out[used++] = capital ? (char)(text[++i] - 'a' + 'A') : text[i];
    }
    out[used] = '\0';
}

bool message_has_path(const struct message *message, const char *path, struct buffer *canonical) {
    while (message) {
        char name[64];
        size_t length = strcspn(path, ".");
        camel_case(path, length, name, sizeof(name));
        const struct field *field = length ? find_field(message, name) : NULL;
        if (!field)
            return false;
        buffer_append_format(canonical, "%s%s", canonical->length ? "." : "", name);
        if (!path[length])
            return !canonical->failed;
        path += length + 1;
        if (field->traits & FIELD_MAP) {
            buffer_append_format(canonical, ".%s", path);
            return !canonical->failed;
        }
        message = field->traits & FIELD_LIST ? NULL : field->message;
    }
    return false;
}
