/* The instructions that change the image's config only. */
#include "engine/dockerfile/builder.h"

#include <string.h>

static struct json *json_list(const struct text_list *words) {
    struct json *list = json_new_array();
    for (size_t i = 0; i < words->count; i++)
        json_append_text(list, words->items[i]);
    return list;
}

static int configure(struct build_state *state, const char *key, struct json *value, struct error *error) {
    AUTO_JSON struct json *change = json_new_object();
    json_set(change, key, value);
    return state_configure(state, change, error);
}

/* NAME=value pairs, or the old form "NAME the rest of the line", into an object or a list of pairs. */
static int read_pairs(struct build_state *state, struct text_list *pairs, struct error *error) {
    const char *rest = state->instruction->rest;
    AUTO_LIST struct text_list raw = {0};
    words_split(&raw, rest, state->builder->file.escape);
    if (raw.count == 0)
        return instruction_error(state, error, "%s needs NAME=value", state->instruction->name);
    if (!strchr(raw.items[0], '=')) {
        const char *value = rest + strcspn(rest, " \t");
        value += strspn(value, " \t");
        AUTO_FREE char *expanded = instruction_expand(state, value, error);
        if (!expanded)
            return -1;
        text_list_add_format(pairs, "%s=%s", raw.items[0], expanded);
        return 0;
    }
    if (instruction_words(state, rest, pairs, error) < 0)
        return -1;
    for (size_t i = 0; i < pairs->count; i++)
        if (!strchr(pairs->items[i], '=') || pairs->items[i][0] == '=')
            return instruction_error(state, error, "\"%s\" is not NAME=value", pairs->items[i]);
    return 0;
}

static int run_environment(struct build_state *state, struct error *error) {
    AUTO_LIST struct text_list pairs = {0};
    if (read_pairs(state, &pairs, error) < 0)
        return -1;
    return configure(state, "Env", json_list(&pairs), error);
}

static int run_label(struct build_state *state, struct error *error) {
    AUTO_LIST struct text_list pairs = {0};
    if (read_pairs(state, &pairs, error) < 0)
        return -1;
    struct json *labels = json_new_object();
    for (size_t i = 0; i < pairs.count; i++) {
        char *equals = strchr(pairs.items[i], '=');
        *equals = '\0';
        json_set_text(labels, pairs.items[i], equals + 1);
    }
    return configure(state, "Labels", labels, error);
}

static int run_text(struct build_state *state, const char *key, struct error *error) {
    AUTO_FREE char *value = instruction_expand(state, state->instruction->rest, error);
    if (!value)
        return -1;
    if (!*value)
        return instruction_error(state, error, "%s needs a value", state->instruction->name);
    return configure(state, key, json_new_text(value), error);
}

/* EXPOSE and VOLUME: the words become keys of an object. */
static int run_keys(struct build_state *state, const char *key, const char *suffix, struct error *error) {
    AUTO_LIST struct text_list words = {0};
    if (state->instruction->is_json)
        text_list_add_all(&words, &state->instruction->words);
    else if (instruction_words(state, state->instruction->rest, &words, error) < 0)
        return -1;
    struct json *keys = json_new_object();
    for (size_t i = 0; i < words.count; i++) {
        AUTO_FREE char *name = strchr(words.items[i], '/') || !*suffix ? text_copy(words.items[i])
                                                                       : text_format("%s%s", words.items[i], suffix);
        json_set(keys, name, json_new_object());
    }
    return configure(state, key, keys, error);
}

static struct json *command_list(const struct build_state *state) {
    if (state->instruction->is_json)
        return json_list(&state->instruction->words);
    struct json *list = json_list(&state->shell);
    json_append_text(list, state->instruction->rest);
    return list;
}

static int run_command(struct build_state *state, struct error *error) {
    state->sets_command = true;
    return configure(state, "Cmd", command_list(state), error);
}

/* A new ENTRYPOINT takes the base's CMD away, but not one of this stage, as Docker does. */
static int run_entrypoint(struct build_state *state, struct error *error) {
    AUTO_JSON struct json *change = json_new_object();
    json_set(change, "Entrypoint", command_list(state));
    if (!state->sets_command)
        json_set(change, "Cmd", json_new_null());
    return state_configure(state, change, error);
}

static int run_shell(struct build_state *state, struct error *error) {
    if (!state->instruction->is_json || state->instruction->words.count == 0)
        return instruction_error(state, error, "SHELL needs a JSON list, such as [\"/bin/bash\", \"-c\"]");
    text_list_release(&state->shell);
    text_list_add_all(&state->shell, &state->instruction->words);
    return configure(state, "Shell", json_list(&state->shell), error);
}

/* "30s", "1m30s", "500ms" as nanoseconds; false when it is none. */
static bool read_duration(const char *text, int64_t *nanoseconds) {
    static const struct {
        const char *unit;
        int64_t size;
    } units[] = {{"ms", 1000000}, {"us", 1000}, {"ns", 1}, {"h", 3600000000000}, {"m", 60000000000}, {"s", 1000000000}};
    *nanoseconds = 0;
    if (!*text)
        return false;
    while (*text) {
        int64_t number = 0;
        size_t digits = strspn(text, "0123456789"), unit = 0;
        if (digits == 0 || digits > 6)
            return false;
        for (size_t i = 0; i < digits; i++)
            number = number * 10 + (text[i] - '0');
        text += digits;
        while (unit < ARRAY_LENGTH(units) && !text_starts_with(text, units[unit].unit))
            unit++;
        if (unit == ARRAY_LENGTH(units))
            return false;
        *nanoseconds += number * units[unit].size;
        text += strlen(units[unit].unit);
    }
    return true;
}

static int read_health_flags(struct build_state *state, struct json *health, struct error *error) {
    static const char *const allowed[] = {"interval", "timeout", "start-period", "retries", NULL};
    static const char *const keys[] = {"Interval", "Timeout", "StartPeriod"};
    if (instruction_check_flags(state, allowed, error) < 0)
        return -1;
    for (size_t i = 0; allowed[i]; i++) {
        AUTO_FREE char *value = NULL;
        int64_t nanoseconds;
        uint64_t retries;
        if (instruction_flag(state, allowed[i], &value, error) < 0)
            return -1;
        if (!value)
            continue;
        if (i < ARRAY_LENGTH(keys) && read_duration(value, &nanoseconds))
            json_set_integer(health, keys[i], nanoseconds);
        else if (i == ARRAY_LENGTH(keys) && text_to_u64(value, 1000, &retries))
            json_set_integer(health, "Retries", (int64_t)retries);
        else
            return instruction_error(state, error, "--%s=%s is not understood", allowed[i], value);
    }
    return 0;
}

/* HEALTHCHECK NONE, HEALTHCHECK CMD command or CMD ["a", "b"]. Cloud Run ignores it; Docker does not. */
static int run_healthcheck(struct build_state *state, struct error *error) {
    const char *rest = state->instruction->rest;
    AUTO_JSON struct json *health = json_new_object();
    struct json *test = json_new_array();
    json_set(health, "Test", test);
    if (read_health_flags(state, health, error) < 0)
        return -1;
    if (strcasecmp(rest, "NONE") == 0)
        json_append_text(test, "NONE");
    else if (strncasecmp(rest, "CMD", 3) == 0 && strchr(" \t", rest[3])) {
        const char *command = rest + 3 + strspn(rest + 3, " \t");
        AUTO_JSON struct json *list = *command == '[' ? json_parse(command, strlen(command), "list", NULL) : NULL;
        json_append_text(test, list ? "CMD" : "CMD-SHELL");
        for (size_t i = 0; i < json_count(list); i++)
            json_append(test, json_share(json_at(list, i)));
        if (!list)
            json_append_text(test, command);
    } else
        return instruction_error(state, error, "HEALTHCHECK needs NONE or CMD");
    return configure(state, "Healthcheck", json_share(health), error);
}

static int run_known(struct build_state *state, bool *known, struct error *error) {
    const char *name = state->instruction->name;
    if (text_equal(name, "ENV"))
        return run_environment(state, error);
    if (text_equal(name, "LABEL"))
        return run_label(state, error);
    if (text_equal(name, "WORKDIR"))
        return run_workdir(state, error);
    if (text_equal(name, "USER"))
        return run_text(state, "User", error);
    if (text_equal(name, "STOPSIGNAL"))
        return run_text(state, "StopSignal", error);
    if (text_equal(name, "EXPOSE"))
        return run_keys(state, "ExposedPorts", "/tcp", error);
    if (text_equal(name, "VOLUME"))
        return run_keys(state, "Volumes", "", error);
    if (text_equal(name, "CMD"))
        return run_command(state, error);
    if (text_equal(name, "ENTRYPOINT"))
        return run_entrypoint(state, error);
    if (text_equal(name, "SHELL"))
        return run_shell(state, error);
    *known = false;
    return -1;
}

int run_config(struct build_state *state, bool *known, struct error *error) {
    static const char *const no_flags[] = {NULL};
    const char *name = state->instruction->name;
    if (text_equal(name, "HEALTHCHECK"))
        return run_healthcheck(state, error);
    if (text_equal(name, "MAINTAINER"))
        return 0;
    if (instruction_check_flags(state, no_flags, error) < 0)
        return -1;
    return run_known(state, known, error);
}
