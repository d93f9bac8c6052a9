/* The policy of the project. */
#include "local/iam/internal.h"

static bool is_owner_binding(const struct json *binding, const char *member) {
    const struct json *members = json_get(binding, "members");
    if (!text_equal(json_get_text(binding, "role", NULL), "roles/owner"))
        return false;
    for (size_t i = 0; i < json_count(members); i++)
        if (text_equal(json_text(json_at(members, i)), member))
            return true;
    return false;
}

/* With the owner whom nobody can take away. */
static struct json *shown(const struct iam *iam) {
    struct json *policy = policy_shown(json_get(iam->state, "policy"));
    AUTO_FREE char *owner = text_format("serviceAccount:%s", iam->cloud->email);
    if (!json_is_array(json_get(policy, "bindings")))
        json_set(policy, "bindings", json_new_array());
    struct json *bindings = json_get(policy, "bindings");
    for (size_t i = 0; i < json_count(bindings); i++)
        if (is_owner_binding(json_at(bindings, i), owner))
            return policy;
    struct json *binding = json_new_object(), *members = json_new_array();
    json_append_text(members, owner);
    json_set_text(binding, "role", "roles/owner");
    json_set(binding, "members", members);
    json_append(bindings, binding);
    return policy;
}

void project_policy_get(struct iam_call *call) {
    reply_json(call->reply, 200, shown(call->iam));
}

void project_policy_set(struct iam_call *call) {
    struct json *policy = json_share(json_get(call->iam->state, "policy"));
    if (policy_take(&policy, call->body, call->reply)) {
        json_set(call->iam->state, "policy", policy);
        iam_answer_saved(call, shown(call->iam));
    } else
        json_release(&policy);
}

static bool may(void *context, const char *permission) {
    const struct iam_call *call = context;
    return permitted(call->iam, &call->request->members, permission, NULL);
}

void project_policy_test(struct iam_call *call) {
    policy_test(call->body, may, call, call->reply);
}
