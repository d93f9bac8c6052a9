#include "local/knative/schema.h"

#include "local/run/message_rows.h"

#define ANY(n)                                                                                                         \
    { .name = n, .kind = FIELD_ANY }

static const struct field metadata_fields[] = {TEXT("name"),
                                               TEXT("namespace"),
                                               MAP("labels"),
                                               MAP("annotations"),
                                               TEXT("resourceVersion"),
                                               OUTPUT("uid"),
                                               OUTPUT("generation"),
                                               OUTPUT("selfLink"),
                                               OUTPUT("creationTimestamp"),
                                               OUTPUT("deletionTimestamp"),
                                               OUTPUT("ownerReferences"),
                                               {0}};
const struct message knative_metadata_message = {metadata_fields};

MESSAGE(local_reference_message, TEXT("name"));
MESSAGE(secret_key_message, TEXT("key"), TEXT("name"), BOOL("optional"),
        ONE("localObjectReference", local_reference_message));
MESSAGE(source_message, ONE("secretKeyRef", secret_key_message));
static const struct field variable_fields[] = {
    TEXT("name"), {.name = "value", .kind = FIELD_TEXT, .traits = FIELD_KEEP}, ONE("valueFrom", source_message), {0}};
const struct message knative_variable_message = {variable_fields};
MESSAGE(resources_message, MAP("limits"), MAP("requests"));
MESSAGE(port_message, TEXT("name"), INTEGER("containerPort"), TEXT("protocol"));
MESSAGE(mount_message, TEXT("name"), TEXT("mountPath"), TEXT("subPath"), BOOL("readOnly"));
MESSAGE(header_message, TEXT("name"), TEXT("value"));
MESSAGE(http_message, TEXT("path"), INTEGER("port"), MANY("httpHeaders", header_message), TEXT("scheme"), TEXT("host"));
MESSAGE(tcp_message, INTEGER("port"), TEXT("host"));
MESSAGE(grpc_message, INTEGER("port"), TEXT("service"));
MESSAGE(probe_message, INTEGER("initialDelaySeconds"), INTEGER("timeoutSeconds"), INTEGER("periodSeconds"),
        INTEGER("failureThreshold"), INTEGER("successThreshold"), ONE("httpGet", http_message),
        ONE("tcpSocket", tcp_message), ONE("grpc", grpc_message));

static const struct field container_fields[] = {TEXT("name"),
                                                TEXT("image"),
                                                TEXTS("command"),
                                                TEXTS("args"),
                                                MANY("env", knative_variable_message),
                                                ONE("resources", resources_message),
                                                MANY("ports", port_message),
                                                MANY("volumeMounts", mount_message),
                                                TEXT("workingDir"),
                                                ONE("livenessProbe", probe_message),
                                                ONE("startupProbe", probe_message),
                                                ONE("readinessProbe", probe_message),
                                                TEXT("imagePullPolicy"),
                                                TEXT("terminationMessagePath"),
                                                TEXT("terminationMessagePolicy"),
                                                {0}};
const struct message knative_container_message = {container_fields};

MESSAGE(item_message, TEXT("key"), TEXT("path"), INTEGER("mode"));
MESSAGE(secret_message, TEXT("secretName"), MANY("items", item_message), INTEGER("defaultMode"), BOOL("optional"));
MESSAGE(memory_message, TEXT("medium"), TEXT("sizeLimit"));
MESSAGE(nfs_message, TEXT("server"), TEXT("path"), BOOL("readOnly"));
MESSAGE(csi_message, TEXT("driver"), BOOL("readOnly"), MAP("volumeAttributes"));

static const struct field volume_fields[] = {TEXT("name"),
                                             ONE("secret", secret_message),
                                             ONE("emptyDir", memory_message),
                                             ONE("nfs", nfs_message),
                                             ONE("csi", csi_message),
                                             {0}};
const struct message knative_volume_message = {volume_fields};

MESSAGE(spec_message, INTEGER("containerConcurrency"), INTEGER("timeoutSeconds"), TEXT("serviceAccountName"),
        MANY("containers", knative_container_message), MANY("volumes", knative_volume_message), MAP("nodeSelector"),
        BOOL("enableServiceLinks"), TEXT("runtimeClassName"), ANY("imagePullSecrets"));
MESSAGE(template_message, ONE("metadata", knative_metadata_message), ONE("spec", spec_message));
MESSAGE(traffic_message, TEXT("revisionName"), BOOL("latestRevision"), INTEGER("percent"), TEXT("tag"),
        TEXT("configurationName"), OUTPUT("url"));
MESSAGE(service_spec_message, ONE("template", template_message), MANY("traffic", traffic_message));

static const struct field service_fields[] = {
    TEXT("apiVersion"), TEXT("kind"), ONE("metadata", knative_metadata_message), ONE("spec", service_spec_message),
    OUTPUT("status"),   {0}};
const struct message knative_service_message = {service_fields};
