/* Private to firebase/config: reading values with their place at hand. */
#ifndef FIREBASE_CONFIG_INTERNAL_H
#define FIREBASE_CONFIG_INTERNAL_H

#include "firebase/config/config.h"

/* A value and the way to it. Made by value_member and value_element, on the stack of whoever reads. */
struct value {
    const struct firebase_file *file;
    const struct json *json;
    struct json_step step;
};

struct value value_member(const struct value *object, const char *key);
struct value value_element(const struct value *array, size_t index);
/* ERROR_DATA with the place; always -1. */
int value_wrong(const struct value *value, struct error *error, const char *format, ...) PRINTF_LIKE(3, 4);
/* Every member must be one of `keys` (ends with NULL). */
int value_check_keys(const struct value *object, const char *what, const char *const *keys,
                     struct error *error) MUST_CHECK;
/* A text that is not empty; NULL is left in *text when it is absent. */
int value_text(const struct value *value, const char **text, struct error *error) MUST_CHECK;
/* A text or a list of texts, appended. */
int value_texts(const struct value *value, struct text_list *texts, struct error *error) MUST_CHECK;
/* True or false; *given tells whether it is there. */
int value_bool(const struct value *value, bool *truth, bool *given, struct error *error) MUST_CHECK;
/* Absent, or an array. */
int value_array(const struct value *value, struct error *error) MUST_CHECK;
int value_object(const struct value *value, const char *what, struct error *error) MUST_CHECK;

/* rewrites, redirects and headers of one site into config->serving. */
int rules_read(const struct value *site, struct site_config *config, struct error *error) MUST_CHECK;

#endif
