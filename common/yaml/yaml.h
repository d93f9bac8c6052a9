/* The one YAML reader (over libyaml, which only this folder includes): a document becomes what its JSON would be.
 *
 * Plain scalars are read by YAML 1.2's core schema, as editors show them: null, true, false, numbers; `yes`, `no`, `on`
 * and dates are text. One thing is older: 0444 is octal, because Kubernetes' files write modes so. What stands in
 * quotes is text. (libyaml does not tell a plain scalar's !!str from none.)
 *
 * Refused: several documents, keys that are not text, duplicate keys, merge keys, all other tags, more than 64 levels,
 * more than 100,000 values once aliases are followed. Encodings: UTF-8 (libyaml takes UTF-16 with its mark, too). */
#ifndef YAML_YAML_H
#define YAML_YAML_H

#include "common/json/json.h"

/* `what` names the document in errors, which give line and column. NULL and ERROR_DATA. An empty document is null. */
struct json *yaml_parse(const char *text, size_t length, const char *what, struct error *error) MUST_CHECK;

#endif
