#include "engine/shell.h"

static void add(struct shells *shells, const char *program, const char *applet) {
    struct text_list *argv = &shells->argvs[shells->count++];
    *argv = (struct text_list){0};
    text_list_add(argv, program);
    if (applet)
        text_list_add(argv, applet);
}

void shells_of(const struct container *container, struct shells *shells) {
    /* SHELL of a Dockerfile: ["/bin/bash", "-c"] */
    const char *own = json_text(json_at(json_get_path(container->config, "config.Shell"), 0));
    *shells = (struct shells){0};
    if (!text_is_empty(own))
        add(shells, own, NULL);
    add(shells, "bash", NULL);
    add(shells, "sh", NULL);
    /* A step may have broken its PATH. */
    add(shells, "/bin/sh", NULL);
    add(shells, "busybox", "sh");
    add(shells, "/bin/busybox", "sh");
    /* gcr.io/distroless/…:debug */
    add(shells, "/busybox/sh", NULL);
}

void shells_release(struct shells *shells) {
    for (size_t i = 0; i < shells->count; i++)
        text_list_release(&shells->argvs[i]);
    shells->count = 0;
}
