/* What is in the store, entry by entry: how large, when it was last of use, and why it is there. For people to look at;
 * what gc takes is decided in gc_select.c by the same references. Reads names, containers and trees once each, and no
 * file's content. What others change meanwhile is seen or not. */
#ifndef ENGINE_INVENTORY_H
#define ENGINE_INVENTORY_H

#include "engine/references.h"

enum inventory_kind {
    INVENTORY_STEP,       /* a command or copy that was carried out, or a check that passed */
    INVENTORY_BASE,       /* what a base's name means */
    INVENTORY_CONTAINER,  /* an image's config */
    INVENTORY_DIRECTORY,  /* a tree of files */
    INVENTORY_FILE,       /* an object that nothing else refers to */
    INVENTORY_LAYER,      /* unpacked, or the object that it is made of */
    INVENTORY_CACHE,      /* of a package manager */
    INVENTORY_NOTE,       /* all other names: what was pushed, tested, exported… */
    INVENTORY_QUARANTINE, /* damaged, put away */
    INVENTORY_KINDS
};
/* "step", "base"… */
const char *inventory_kind_name(enum inventory_kind kind);

struct inventory_entry {
    enum inventory_kind kind;
    char *key;          /* what pl-cache explain takes: "step:HEX", "container:sha256:HEX", "layer:sha256:HEX"… */
    char *title;        /* from outside: to be scrubbed */
    char *reason;       /* likewise */
    int64_t used, made; /* seconds since 1970; made is 0 where the file system does not tell */
    uint64_t bytes;     /* on the disk, with all that it refers to */
    uint64_t exclusive; /* of these, what nothing else refers to: it would go with this one alone */
    size_t users;       /* how many others refer to it */
};

struct inventory {
    struct inventory_entry *entries;
    size_t count;
    uint64_t bytes; /* of all, each once */
};

int inventory_take(struct engine *engine, struct inventory *inventory, struct error *error) MUST_CHECK;
void inventory_release(struct inventory *inventory);
#define AUTO_INVENTORY AUTO(inventory_release)
/* By size or by the time of the last use, the largest and the latest first. */
void inventory_sort(struct inventory *inventory, bool by_size);

/* What a key is: [KIND:][sha256:]HEX, of which a beginning of HEX is enough while only one thing has it, or an image's
 * HOST/REPO@sha256:HEX. *answer is an object with, where they apply: key, kind, title, bytes, used, names (the
 * documents of the store that are about it), needs and needed_by ([{key, title}], the first hundred); of a step
 * definition, container, outcome and found {is_found, missing, latest_in, later, later_in, difference}; of a layer,
 * layer. ERROR_USAGE: it is no key, or may be several; ERROR_ANSWER_NO: the store has none. The caller releases. */
int inventory_explain(struct engine *engine, const char *key, struct json **answer, struct error *error) MUST_CHECK;

#endif
