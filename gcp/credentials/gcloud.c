#include "gcp/credentials/gcloud.h"

#include "common/base/text.h"
#include "common/file/file.h"

#include <string.h>

enum { CONFIGURATION_LIMIT = 65536 };

char *gcloud_directory(void) {
    const char *configured = getenv("CLOUDSDK_CONFIG");
    if (!text_is_empty(configured))
        return text_copy(configured);
    const char *home = getenv("HOME");
    return text_is_empty(home) ? NULL : path_join(home, ".config/gcloud");
}

/* `project = ID` in the section [core]. */
char *gcloud_project(void) {
    AUTO_FREE char *directory = gcloud_directory();
    AUTO_FREE char *active_path = directory ? path_join(directory, "active_config") : NULL;
    AUTO_BUFFER struct buffer active = BUFFER(256), text = BUFFER(CONFIGURATION_LIMIT);
    bool found = false;
    if (!directory || file_read(active_path, &active, &found, NULL) < 0)
        return NULL;
    AUTO_FREE char *name = text_copy_length(buffer_text(&active), strcspn(buffer_text(&active), "\r\n/"));
    AUTO_FREE char *path = text_format("%s/configurations/config_%s", directory, *name ? name : "default");
    if (file_read(path, &text, &found, NULL) < 0)
        return NULL;
    AUTO_LIST struct text_list lines = {0};
    text_list_split(&lines, buffer_text(&text), '\n');
    bool core = false;
    for (size_t i = 0; i < lines.count; i++) {
        char value[128];
        if (lines.items[i][0] == '[')
            core = text_starts_with(lines.items[i], "[core]");
        else if (core && sscanf(lines.items[i], " project = %127s", value) == 1)
            return text_copy(value);
    }
    return NULL;
}
