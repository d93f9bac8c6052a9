#include "chain/inside.h"

#include "common/base/text.h"
#include "engine/step.h"

#include <string.h>

int inside_container(struct engine *engine, const struct container *container, const char *path, struct digest *tree,
                     bool *is_directory, struct error *error) {
    AUTO_FREE char *text = text_format("inside %s %s", digest_format(&container->digest).text, path);
    struct digest key = digest_of(text, strlen(text));
    struct digest_hex hex = digest_format_hex(&key);
    AUTO_JSON struct json *known = NULL, *fresh = json_new_object();
    if (store_name_read(engine->store, "inside", hex.text, &known, error) < 0)
        return -1;
    if (known && digest_parse(json_get_text(known, "tree", ""), tree, NULL) == 0 && store_has(engine->store, tree)) {
        *is_directory = json_get_bool(known, "directory", false);
        return 0;
    }
    if (step_extract(engine, container, path, tree, is_directory, error) < 0)
        return -1;
    json_set_text(fresh, "tree", digest_format(tree).text);
    json_set_bool(fresh, "directory", *is_directory);
    return store_name_write(engine->store, "inside", hex.text, fresh, error);
}
