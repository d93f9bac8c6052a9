/* Rows of the tables of message.h. */
#ifndef LOCAL_RUN_MESSAGE_ROWS_H
#define LOCAL_RUN_MESSAGE_ROWS_H

#include "local/run/message.h"

#define TEXT(n)                                                                                                        \
    { .name = n, .kind = FIELD_TEXT }
#define TEXTS(n)                                                                                                       \
    { .name = n, .kind = FIELD_TEXT, .traits = FIELD_LIST }
#define MAP(n)                                                                                                         \
    { .name = n, .kind = FIELD_TEXT, .traits = FIELD_MAP }
#define BOOL(n)                                                                                                        \
    { .name = n, .kind = FIELD_BOOL }
#define INTEGER(n)                                                                                                     \
    { .name = n, .kind = FIELD_INTEGER }
#define DURATION(n)                                                                                                    \
    { .name = n, .kind = FIELD_DURATION }
#define ENUM(n, c)                                                                                                     \
    { .name = n, .kind = FIELD_ENUM, .choices = c }
#define ONE(n, m)                                                                                                      \
    { .name = n, .kind = FIELD_MESSAGE, .message = &(m) }
#define MANY(n, m)                                                                                                     \
    { .name = n, .kind = FIELD_MESSAGE, .traits = FIELD_LIST, .message = &(m) }
#define OUTPUT(n)                                                                                                      \
    { .name = n, .kind = FIELD_ANY, .traits = FIELD_OUTPUT }
#define MESSAGE(name, ...)                                                                                             \
    static const struct field name##_fields[] = {__VA_ARGS__, {0}};                                                    \
    static const struct message name = {name##_fields}

#endif
