/* Source directories as tree objects, through the stat cache. Design section 5.
 *
 * A tree object is a text of sorted lines "TYPE DIGEST-OR-TARGET PATH" (its exact form is in tree.c); its digest covers
 * name, type, executable bit, content and link target, no times. Owners and modes are in it where the tree comes from a
 * container or an archive, never where it comes from a source directory. File contents are objects of the store.
 */
#ifndef ENGINE_TREE_H
#define ENGINE_TREE_H

#include "engine/engine.h"

enum { TREE_CAPABILITY_LIMIT = 24 };

struct tree_entry {
    char *path; /* relative */
    char type;  /* 'f' file, 'x' executable file, 'd' directory, 'l' symbolic link */
    struct digest digest;
    uint64_t size;
    char *target;
    /* What a container's file system or an archive says of owner and mode; a source directory says nothing. */
    bool has_owner; /* else root's, and 0755 or 0644 by the executable bit */
    uint32_t uid, gid;
    unsigned mode; /* 07777 */
    /* The file's capabilities (the value of security.capability), which a container's file may have. */
    uint8_t capability_length;
    unsigned char capability[TREE_CAPABILITY_LIMIT];
};

/* Sets the owner; one that is the default is not written down. For links the mode does not matter. */
void tree_entry_set_owner(struct tree_entry *entry, uint32_t uid, uint32_t gid, unsigned mode);
/* Takes the capabilities of the file at `path` on the disk over, if it has any. */
void tree_entry_read_capability(struct tree_entry *entry, const char *path);
/* 07777, by what the entry says or by its type. */
unsigned tree_entry_mode(const struct tree_entry *entry);

struct tree {
    struct tree_entry *entries; /* sorted by path bytes; every directory is listed */
    size_t count;
};

/* Decides what belongs to the tree; called with the relative path; false leaves out the file, or the directory with all
 * below unless `descend` is set to true. */
typedef bool tree_filter(void *context, const char *path, bool is_directory, bool *descend);

/* Looks into a file before it is read into the store. Refused, it is left out, and whoever looks says so after the
 * scan. Harmless, it is not looked at again while the stat cache knows it and the rules stay the same. */
enum tree_verdict { TREE_REFUSED, TREE_ACCEPTED, TREE_HARMLESS };
typedef enum tree_verdict tree_inspect(void *context, const char *path);

struct tree_scan {
    const char *directory;
    tree_filter *filter; /* NULL: everything but .git */
    void *context;
    tree_inspect *inspect; /* may be NULL */
    void *inspect_context;
    uint32_t rules;              /* the number of the rules by which it judges, not 0 */
    bool follow_nothing_outside; /* a symbolic link that leaves the directory is ERROR_DATA naming it */
    bool is_temporary;           /* a scratch directory: no stat cache is kept for it */
    bool only_hash;              /* contents are not put into the store: whoever needs them reads them again */
    bool keeps_owners;           /* owners and modes belong to the tree */
    uint64_t file_limit, byte_limit;
};

/* Scans, hashes what the stat cache does not know, puts new contents into the store. A file that changes while it is
 * read is ERROR_DATA; so are devices, pipes and sockets, by name. */
int tree_scan(struct engine *engine, const struct tree_scan *scan, struct tree *tree, struct error *error) MUST_CHECK;
/* What tree_store would give. */
struct digest tree_digest(const struct tree *tree);
int tree_store(struct engine *engine, const struct tree *tree, struct digest *digest, struct error *error) MUST_CHECK;
int tree_load(struct engine *engine, const struct digest *digest, struct tree *tree, struct error *error) MUST_CHECK;
/* The entries one after the other, without having all of them in memory. What fails is what `visit` fails with. */
typedef int tree_visitor(void *context, const struct tree_entry *entry, struct error *error);
int tree_visit(struct engine *engine, const struct digest *digest, tree_visitor *visit, void *context,
               struct error *error) MUST_CHECK;
/* Copies the entries that `wanted` accepts, with the directories above them. */
void tree_select(const struct tree *tree, bool (*wanted)(void *context, const struct tree_entry *entry), void *context,
                 struct tree *selected);
const struct tree_entry *tree_find(const struct tree *tree, const char *path);
void tree_release(struct tree *tree);
#define AUTO_TREE AUTO(tree_release)

#endif
