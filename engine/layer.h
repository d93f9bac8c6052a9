/* Layers: how a DiffID is found again as an unpacked tree, as a tar stream and as a compressed blob.
 *
 * names/layers/DIFFID says where a layer comes from, any of:
 *   "tree": ID          an unpacked tree in overlay form (a step's upper directory, or an unpacked base layer),
 *   "epoch": SECONDS    whose times are clamped to this (0 when absent) when it is packed
 *   "content": {…}      a tree object of the store laid at a path (a copy step)
 *   "blob": {mediaType,digest,size}, "origin": "HOST/REPO@sha256:…"   a base's layer; fetched only when it is needed
 * names/compressed/DIFFID-ENCODER says what it compressed to, so that it is never compressed twice or differently. */
#ifndef ENGINE_LAYER_H
#define ENGINE_LAYER_H

#include "common/archive/archive.h"
#include "engine/container.h"

struct layer_descriptor {
    char media_type[96];
    struct digest digest; /* of the compressed blob */
    uint64_t size;
    char *origin; /* "HOST/REPO@sha256:…" where a registry has it already, or NULL; freed by layer_descriptor_release */
    bool is_local; /* the blob is an object of the store */
};

/* Packs an upper directory (overlay form) deterministically, keeps the tree, gives the DiffID. `path` came from
 * store_tree_begin and is taken over on success and on failure. *empty: nothing was changed, there is no layer. */
int layer_from_upper(struct engine *engine, const char *path, struct digest *diff_id, bool *empty,
                     struct error *error) MUST_CHECK;

/* A tree object laid at an absolute path in the image. */
struct layer_content {
    struct digest tree;
    const char *destination; /* absolute */
    bool has_owner; /* everything belongs to uid:gid; else to whom its entry says, root where it says nothing */
    uint32_t uid, gid;
    int mode; /* of everything; -1: what its entry says */
    /* What the layer says of the directories down to the destination, topmost first: a list of [uid, gid, mode], as
     * many as the destination has parts. NULL: root's, 0755, or what is usual for /tmp, /var/tmp and /root. */
    const struct json *parents;
};
int layer_from_content(struct engine *engine, const struct layer_content *content, struct digest *diff_id,
                       struct error *error) MUST_CHECK;

/* Registers a base's layer without fetching it. */
int layer_from_blob(struct engine *engine, const struct digest *diff_id, const struct layer_descriptor *descriptor,
                    struct error *error) MUST_CHECK;
/* Makes a layer of what a plain or compressed tar (a root file system) unpacks to. Its DiffID is that of our own form:
 * sorted, times clamped. */
int layer_from_tar(struct engine *engine, archive_source *source, void *context, struct digest *diff_id,
                   struct error *error) MUST_CHECK;

/* Whether the layer can be had again in any form (a registry's counts): a found step whose layer is gone is made anew.
 * An unpacked tree serves only the sandbox's mode that made it, for owners and whiteouts differ on the disk; while the
 * mode is not known yet, any will do. */
bool layer_is_available(struct engine *engine, const struct digest *diff_id);
/* Whether that is so for every layer of a container. */
bool layers_are_available(struct engine *engine, const struct container *container);
/* True once after a layer that was counted on could not be had (it was made in another mode, or put away as damaged
 * meanwhile): a build that is begun anew then makes what is missing. */
bool layer_was_lost(struct engine *engine);
/* The directory to use as an overlay lower: fetched, unpacked and checked against the DiffID when it is not there yet.
 */
int layer_directory(struct engine *engine, const struct digest *diff_id, char **path, struct error *error) MUST_CHECK;
/* Whether what lower layers have in this directory is hidden. The kernel's overlay heeds that everywhere but at the
 * root of a layer: there it is for who puts layers together to leave out those below. */
bool layer_is_opaque(const char *directory);
int layer_write_tar(struct engine *engine, const struct digest *diff_id, archive_sink *sink, void *context,
                    struct error *error) MUST_CHECK;
/* The compressed form; compresses when there is none yet and no registry has it. */
int layer_describe(struct engine *engine, const struct digest *diff_id, struct layer_descriptor *descriptor,
                   struct error *error) MUST_CHECK;
/* Makes descriptor->is_local true: fetches from the origin. */
int layer_fetch(struct engine *engine, struct layer_descriptor *descriptor, struct error *error) MUST_CHECK;
/* Packs the unpacked layers that this mode of the sandbox made once more; one that is not what its DiffID says is
 * removed, with a line in `complaints`. Layers of base images are not looked at: unpacking lost how they were packed.
 */
int layers_verify(struct engine *engine, struct text_list *complaints, struct error *error) MUST_CHECK;
void layer_descriptor_release(struct layer_descriptor *descriptor);

#endif
