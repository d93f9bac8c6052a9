/* What refers to what in the store: from a name to containers, trees of files, layers and files, and on from those.
 * What gc keeps goes by it, and what pl-cache tells. What is damaged or missing refers to nothing. */
#ifndef ENGINE_REFERENCES_H
#define ENGINE_REFERENCES_H

#include "common/store/maintenance.h"
#include "engine/engine.h"

/* What a digest is the digest of. A layer is no object: names/layers/DIFFID says where it is. */
enum reference { REFERENCE_OBJECT, REFERENCE_TREE, REFERENCE_CONTAINER, REFERENCE_LAYER };

typedef void reference_visitor(void *context, enum reference kind, const struct digest *digest);

/* What the document of a name refers to itself. */
void references_of_name(struct engine *engine, const char *kind, const char *key, reference_visitor *visit,
                        void *context);
/* A container refers to its layers, a layer to the object or tree that it is made of (its unpacked form is in trees/),
 * a tree to its files, another object to nothing. */
void references_of(struct engine *engine, enum reference kind, const struct digest *digest, reference_visitor *visit,
                   void *context);
/* What an object is that no name tells about. */
enum reference reference_kind_of(struct engine *engine, const struct store_object *object);
/* The layer that an id of the store is about: HEX, or HEX-MODE of a tree. False: it is about none. */
bool reference_layer_of(const char *id, struct digest *layer);
/* Whether a name describes a layer ("layers", "compressed") instead of using it; *layer is which. */
bool reference_describes_layer(const struct store_item *name, struct digest *layer);

#endif
