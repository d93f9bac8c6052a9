/* Manifests and indexes, checked. Inside registry/ only. */
#ifndef REGISTRY_MANIFEST_H
#define REGISTRY_MANIFEST_H

#include "common/json/json.h"
#include "registry/registry.h"

struct descriptor {
    char media_type[128];
    struct digest digest;
    uint64_t size;
};

/* A descriptor of a manifest or an index. ERROR_PROTOCOL: no digest, no size, a foreign URL. */
int descriptor_read(const struct json *value, struct descriptor *descriptor, struct error *error) MUST_CHECK;

/* Parses what came with `content_type` and says whether it is an index. ERROR_PROTOCOL: malformed, of two kinds at
 * once, its mediaType is not its Content-Type, a descriptor is wrong, more than 1000 of them. */
struct json *manifest_read(const void *bytes, size_t length, const char *content_type, bool *is_index,
                           struct error *error) MUST_CHECK;
/* The entry of an index for "linux/arm64[/v8]". ERROR_DATA when there is none, naming those there are. */
int index_find(const struct json *index, const char *platform, struct descriptor *descriptor,
               struct error *error) MUST_CHECK;

#endif
