#include "local/iam/policy.h"

#include "common/crypto/base64.h"

#include <string.h>

enum { TEST_LIMIT = 100 };

static bool has_member(const struct json *binding, const struct text_list *members) {
    const struct json *bound = json_get(binding, "members");
    for (size_t i = 0; i < json_count(bound); i++) {
        const char *member = json_text(json_at(bound, i));
        bool everybody =
            text_equal(member, "allUsers") || (members->count && text_equal(member, "allAuthenticatedUsers"));
        if (everybody || (member && text_list_contains(members, member)))
            return true;
    }
    return false;
}

bool policy_permits(const struct json *policy, const struct text_list *members, const char *permission) {
    const struct json *bindings = json_get(policy, "bindings");
    for (size_t i = 0; i < json_count(bindings); i++) {
        const struct json *binding = json_at(bindings, i);
        if (role_permits(json_get_text(binding, "role", ""), permission) && has_member(binding, members))
            return true;
    }
    return false;
}

struct json *policy_shown(const struct json *policy) {
    struct json *shown = policy ? json_copy_deep(policy) : json_new_object();
    if (!json_get(shown, "version"))
        json_set_integer(shown, "version", 1);
    if (!json_get(shown, "etag"))
        json_set_text(shown, "etag", "ACAB");
    return shown;
}

static bool is_member(const char *member) {
    static const char *const kinds[] = {
        "user:",           "serviceAccount:", "group:",        "domain:",        "principal://",
        "principalSet://", "deleted:",        "projectOwner:", "projectEditor:", "projectViewer:"};
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (text_starts_with(member, kinds[i]) && member[strlen(kinds[i])])
            return true;
    return text_equal(member, "allUsers") || text_equal(member, "allAuthenticatedUsers");
}

static int check_binding(const struct json *binding, struct error *error) {
    const struct json *members = json_get(binding, "members");
    const char *role = json_get_text(binding, "role", "");
    if (!text_starts_with(role, "roles/") && !strstr(role, "/roles/"))
        return error_set(error, ERROR_DATA, "Role %.100s is not supported for this resource.", role);
    if (json_get(binding, "condition"))
        return error_set(error, ERROR_DATA, "the local cloud does not evaluate conditions of bindings");
    for (size_t i = 0; i < json_count(members); i++) {
        const char *member = json_text(json_at(members, i));
        if (!member || !is_member(member))
            return error_set(error, ERROR_DATA, "The member %.200s is of an unknown type.", member ? member : "");
    }
    return 0;
}

static int check_policy(const struct json *policy, struct error *error) {
    const struct json *bindings = json_get(policy, "bindings");
    if (bindings && !json_is_array(bindings))
        return error_set(error, ERROR_DATA, "Invalid value at 'policy.bindings'");
    for (size_t i = 0; i < json_count(bindings); i++)
        if (check_binding(json_at(bindings, i), error) < 0)
            return -1;
    return 0;
}

/* An etag is bytes, in JSON base64: here 7 and a number of 56 bits. */
static void next_etag(struct json *policy, const struct json *before) {
    const char *etag = json_get_text(before, "etag", "");
    AUTO_BUFFER struct buffer bytes = BUFFER(64), text = BUFFER(64);
    uint64_t number = 0;
    if (base64_decode(BASE64_STANDARD, etag, strlen(etag), &bytes, NULL) == 0 && bytes.length == sizeof(number))
        for (size_t i = 1; i < sizeof(number); i++)
            number = number << 8 | (unsigned char)bytes.data[i];
    unsigned char next[sizeof(number)] = {7};
    number++;
    for (size_t i = 1; i < sizeof(number); i++)
        next[i] = (unsigned char)(number >> (8 * (sizeof(number) - 1 - i)));
    base64_encode(BASE64_STANDARD, next, sizeof(next), &text);
    json_set_text(policy, "etag", buffer_text(&text));
}

bool policy_take(struct json **policy, const struct json *body, struct reply *reply) {
    struct json *given = json_get(body, "policy");
    AUTO_JSON struct json *shown = policy_shown(*policy);
    const char *etag = json_get_text(given, "etag", NULL);
    struct error error = {0};
    if (!json_is_object(given))
        reply_google_error(reply, 400, "The policy is missing.");
    else if (etag && *etag && !text_equal(etag, json_get_text(shown, "etag", NULL)))
        reply_google_status(reply, 409, "ABORTED", NULL,
                            "There were concurrent policy changes. Please retry the whole read-modify-write with "
                            "exponential backoff.");
    else if (check_policy(given, &error) < 0)
        reply_google_error(reply, 400, "%s", error.text);
    else {
        struct json *taken = json_copy_deep(given);
        next_etag(taken, *policy);
        json_release(policy);
        *policy = taken;
        return true;
    }
    return false;
}

void policy_test(const struct json *body, bool (*permits)(void *context, const char *permission), void *context,
                 struct reply *reply) {
    struct json *answer = json_new_object(), *granted = json_new_array();
    const struct json *asked = json_get(body, "permissions");
    for (size_t i = 0; i < json_count(asked) && i < TEST_LIMIT; i++) {
        const char *permission = json_text(json_at(asked, i));
        if (permission && permits(context, permission))
            json_append_text(granted, permission);
    }
    if (json_count(granted))
        json_set(answer, "permissions", granted);
    else
        json_release(&granted);
    reply_json(reply, 200, answer);
}
