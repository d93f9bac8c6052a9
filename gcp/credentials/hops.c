#include "gcp/credentials/hops.h"

#include "common/base/text.h"

#include <stdarg.h>

const char *hop_name(enum hop_kind kind) {
    static const char *const names[] = {[HOP_IDENTITY] = "identity token",
                                        [HOP_POOL] = "pool admission",
                                        [HOP_TOKEN] = "token",
                                        [HOP_IMPERSONATION] = "impersonation"};
    return names[kind];
}

void hop_begin(struct hop_list *hops, enum hop_kind kind, const char *format, ...) {
    if (!hops || hops->count == HOP_LIMIT)
        return;
    char subject[600];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(subject, sizeof(subject), format, arguments);
    va_end(arguments);
    hops->items[hops->count++] = (struct hop){.kind = kind, .subject = text_copy(subject)};
}

void hop_end(struct hop_list *hops) {
    if (hops && hops->count)
        hops->items[hops->count - 1].done = true;
}

void hop_list_clear(struct hop_list *hops) {
    for (size_t i = 0; i < hops->count; i++)
        free(hops->items[i].subject);
    json_release(&hops->claims);
    *hops = (struct hop_list){0};
}
