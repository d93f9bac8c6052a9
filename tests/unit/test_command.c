/* common/command: the option table, usage errors, records in and out, secrets, mistakes in a table. */
#include "tests/unit/command_harness.h"

#include "common/command/help.h"
#include "common/command/options.h"
#include "common/file/file.h"

#define HEX "6e398316742b98b1f1e1b3d1f3c0a2c58b1d4a7a6f0e9d8c7b6a594837261504"
#define CONTAINER "container:sha256:" HEX

struct arguments {
    const char *region;
    const char *name;
    const char *color;
    const char *token;
    bool force;
    int wait;
    long long port;
    long long timeout;
    long long memory;
    struct text_list env;
};

static const char *const colors[] = {"red", "green", NULL};
static const struct option options[] = {
    {.letter = 'r',
     .name = "region",
     .value_name = "REGION",
     .help = "where",
     .kind = OPTION_TEXT,
     .traits = OPTION_REQUIRED,
     INTO(region)},
    {.name = "name", .value_name = "NAME", .help = "a name", .kind = OPTION_TEXT, .variable = "MY_NAME", INTO(name)},
    {.name = "color",
     .value_name = "COLOR",
     .help = "a color",
     .kind = OPTION_CHOICE,
     .choices = colors,
     .fallback = "red",
     INTO(color)},
    {.name = "token",
     .value_name = "SOURCE",
     .help = "a token",
     .kind = OPTION_TEXT,
     .traits = OPTION_SECRET,
     INTO(token)},
    {.letter = 'f', .name = "force", .help = "do it", .kind = OPTION_FLAG, INTO(force)},
    {.letter = 'w', .name = "wait", .help = "wait for it", .kind = OPTION_FLAG, .traits = OPTION_NEGATABLE, INTO(wait)},
    {.letter = 'p', .name = "port", .value_name = "PORT", .help = "a port", .kind = OPTION_NUMBER, INTO(port)},
    {.name = "timeout", .value_name = "TIME", .help = "a time", .kind = OPTION_DURATION, INTO(timeout)},
    {.name = "memory", .value_name = "SIZE", .help = "a size", .kind = OPTION_SIZE, INTO(memory)},
    {.letter = 'e',
     .name = "env",
     .value_name = "K=V",
     .help = "a variable",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     INTO(env)},
    {0},
};
static const struct command_example examples[] = {{"pl-build | pl-try --region x", "try it"}, {0}};
static const struct command tool = {
    .name = "pl-try",
    .summary = "try things",
    .synopsis = "[REF...]",
    .description = "Tries things.",
    .reads = "container",
    .writes = "container",
    .options = options,
    .examples = examples,
    .operands_maximum = 2,
    .arguments_size = sizeof(struct arguments),
};
static struct ran ran;

/* Prints what it got, one line. */
static int show(struct command_context *context, void *given, struct error *error) {
    const struct arguments *a = given;
    AUTO_BUFFER struct buffer out = BUFFER(4096);
    buffer_append_format(
        &out, "region=%s name=%s color=%s force=%d wait=%d port=%lld timeout=%lld memory=%lld env=", a->region,
        a->name ? a->name : "-", a->color, a->force, a->wait, a->port, a->timeout, a->memory);
    for (size_t i = 0; i < a->env.count; i++)
        buffer_append_format(&out, "[%s]", a->env.items[i]);
    buffer_append_text(&out, " operands=");
    for (size_t i = 0; i < context->operand_count; i++)
        buffer_append_format(&out, "[%s]", context->operands[i]);
    buffer_append_format(&out, " verbosity=%d", context->verbosity);
    for (size_t i = 0; i < context->rest_count; i++)
        buffer_append_format(&out, " rest=[%s]", context->rest[i]);
    buffer_append_text(&out, "\n");
    return command_print(context, buffer_text(&out), error);
}

#define SHOW(...) run_tool(&ran, &tool, show, NULL, false, (const char *const[]){"pl-try", __VA_ARGS__, NULL})

static void gives(const char *out) {
    if (ran.status != 0)
        fail_msg("status %d: %s", ran.status, ran.err);
    assert_string_equal(ran.out, out);
}

static void refused(int status, const char *err) {
    assert_int_equal(ran.status, status);
    assert_string_equal(ran.err, err);
}

static void what_is_not_given_has_its_value(void **state) {
    (void)state;
    SHOW("--region", "eu");
    gives("region=eu name=- color=red force=0 wait=-1 port=-1 timeout=-1 memory=-1 env= operands= verbosity=0\n");
}

static void options_are_taken_in_every_form(void **state) {
    (void)state;
    SHOW("a", "-r", "eu", "--name=n=1", "--color", "green", "-fw", "-p8080", "--timeout=2h", "--memory=512Mi", "-e",
         "A=1,2", "--env=B", "-v", "--", "-x");
    gives("region=eu name=n=1 color=green force=1 wait=1 port=8080 timeout=7200 memory=536870912 env=[A=1,2][B] "
          "operands=[a][-x] verbosity=1\n");
    SHOW("-reu", "--no-wait", "--memory=2G", "--timeout", "90", "-q", "-");
    gives("region=eu name=- color=red force=0 wait=0 port=-1 timeout=90 memory=2000000000 env= operands=[-] "
          "verbosity=-1\n");
    SHOW("-reu", "--name=", "-e", "-e");
    gives("region=eu name= color=red force=0 wait=-1 port=-1 timeout=-1 memory=-1 env=[-e] operands= verbosity=0\n");
}

static void what_follows_two_dashes_is_kept_apart_where_the_tool_takes_it(void **state) {
    (void)state;
    struct command runner = tool;
    runner.takes_rest = true;
    run_tool(&ran, &runner, show, NULL, false,
             (const char *const[]){"pl-try", "a", "-reu", "--", "-k", "--help", "--", "x", NULL});
    gives("region=eu name=- color=red force=0 wait=-1 port=-1 timeout=-1 memory=-1 env= operands=[a] verbosity=0 "
          "rest=[-k] rest=[--help] rest=[--] rest=[x]\n");
}

static void environment_then_files_then_default(void **state) {
    (void)state;
    char folder[] = "/tmp/pl-test-command-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    AUTO_FREE char *config = path_join(folder, "pl/config.json");
    AUTO_FREE char *config_folder = path_join(folder, "pl");
    static const char near[] = "{\"pl-other\":{\"x\":1},\"app\":\"ours\",\"pl-try\":{\"port\":1,\"region\":\"file\","
                               "\"env\":[\"A=1\",\"B=2\"]}}";
    static const char far[] = "{\"pl-try\":{\"port\":2,\"force\":true,\"timeout\":\"5m\"}}";
    assert_int_equal(file_write_atomic("pl.json", near, strlen(near), 0600, NULL), 0);
    assert_int_equal(directory_make(config_folder, 0700, NULL), 0);
    assert_int_equal(file_write_atomic(config, far, strlen(far), 0600, NULL), 0);
    setenv("XDG_CONFIG_HOME", folder, 1);
    setenv("PL_REGION", "variable", 1);
    setenv("MY_NAME", "own", 1);
    setenv("PL_WAIT", "off", 1);
    setenv("PL_MEMORY", "", 1);
    SHOW("--timeout", "1");
    gives("region=variable name=own color=red force=1 wait=0 port=1 timeout=1 memory=-1 env=[A=1][B=2] operands= "
          "verbosity=0\n");
    setenv("PL_ENV", "X=1\nY=2 3\n", 1);
    setenv("PL_PORT", "x", 1);
    SHOW("--port", "3");
    says(ran.out, "port=3 timeout=300 memory=-1 env=[X=1][Y=2 3] ");
    SHOW("-f");
    refused(64, "pl-try: PL_PORT: \"x\" is not a number\n");
    static const char *const variables[] = {"PL_REGION", "MY_NAME", "PL_WAIT", "PL_MEMORY", "PL_ENV", "PL_PORT"};
    for (size_t i = 0; i < ARRAY_LENGTH(variables); i++)
        unsetenv(variables[i]);
    static const struct {
        const char *text, *why;
    } wrong[] = {
        {"{\"pl-try\":{\"regoin\":\"x\"}}",
         "pl-try: pl.json: pl-try has no option \"regoin\"\n  did you mean \"region\"?\n"},
        {"{\"pl-try\":{\"region\":[\"x\"]}}", "pl-try: pl.json: region: takes one value, not a list\n"},
        {"{\"pl-try\":{\"region\":{}}}", "pl-try: pl.json: region: neither a text, a number nor true or false\n"},
        {"{\"pl-try\":7}", "pl-try: pl.json: \"pl-try\" is not an object\n"},
        {"{\"pl-try\":{\"color\":\"blue\"}}", "pl-try: pl.json: color: \"blue\" is not one of: red, green\n"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++) {
        assert_int_equal(file_write_atomic("pl.json", wrong[i].text, strlen(wrong[i].text), 0600, NULL), 0);
        SHOW("-f");
        refused(78, wrong[i].why);
    }
    assert_int_equal(file_write_atomic("pl.json", "{", 1, 0600, NULL), 0);
    SHOW("-f");
    assert_int_equal(ran.status, 78);
    says(ran.err, "pl-try: pl.json:1:1: not valid JSON");
    unsetenv("XDG_CONFIG_HOME");
    assert_int_equal(chdir("/"), 0);
    tree_remove(folder, NULL);
}

static void a_wrong_line_is_answered_with_what_to_type(void **state) {
    (void)state;
    SHOW("--regoin", "x");
    refused(64, "pl-try: unknown option --regoin\n  did you mean --region? See: pl-try --help\n");
    SHOW("--re", "x");
    refused(64, "pl-try: unknown option --re\n  did you mean --region? See: pl-try --help\n");
    SHOW("--zzzzzzzz");
    refused(64, "pl-try: unknown option --zzzzzzzz\n  see: pl-try --help\n");
    SHOW("--no-force", "-reu");
    refused(64, "pl-try: unknown option --no-force\n  did you mean --force? See: pl-try --help\n");
    SHOW("-x");
    refused(64, "pl-try: unknown option -x\n  see: pl-try --help\n");
    SHOW("--force=1");
    refused(64, "pl-try: --force takes no value\n  see: pl-try --help\n");
    SHOW("--region");
    refused(64, "pl-try: --region needs a value: --region REGION\n  see: pl-try --help\n");
    SHOW("-f");
    refused(64, "pl-try: --region is missing: where\n  add --region REGION or set PL_REGION; see: pl-try --help\n");
    SHOW("-ra", "-rb");
    refused(64, "pl-try: -r was given twice\n  see: pl-try --help\n");
    SHOW("-reu", "--color", "blue");
    refused(64, "pl-try: --color: \"blue\" is not one of: red, green\n  see: pl-try --help\n");
    SHOW("-reu", "1", "2", "3");
    refused(64, "pl-try: \"3\" is one operand too many\n  see: pl-try --help\n");
    SHOW("-reu", "--output", "xml");
    refused(64, "pl-try: --output: \"xml\" is not one of: json, ref, human\n  see: pl-try --help\n");
    SHOW("-reu", "--progress=tty");
    refused(
        64,
        "pl-try: --progress tty: standard error is not a terminal\n  leave the option out, or take --progress plain\n");
    SHOW("--\x1b[31m");
    refused(64, "pl-try: unknown option --\n  see: pl-try --help\n");
}

static void numbers_times_and_sizes_are_strict(void **state) {
    (void)state;
    static const char *const times[] = {"", "-1", "1.5h", "5 m", "5w", "99999999999999999999", "9999999999999999d",
                                        "m"};
    static const char *const sizes[] = {"", "-1", "1.5Gi", "1 Gi", "1GiB", "1g", "99999999999999Ti"};
    long long value = 7;
    for (size_t i = 0; i < ARRAY_LENGTH(times); i++)
        assert_false(parse_duration(times[i], &value));
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++)
        assert_false(parse_size(sizes[i], &value));
    assert_int_equal(value, 7);
    assert_true(parse_duration("7d", &value));
    assert_int_equal(value, 604800);
    assert_true(parse_size("2Gi", &value));
    assert_int_equal(value, 2147483648);
    SHOW("-reu", "--port", "-1");
    assert_int_equal(ran.status, 64);
    SHOW("-reu", "--port", "0x10");
    assert_int_equal(ran.status, 64);
    SHOW("-reu", "--memory", "lots");
    says(ran.err, "pl-try: --memory: \"lots\" is not a size such as 512Mi, 2Gi\n");
}

static void help_and_version_win_over_every_mistake(void **state) {
    (void)state;
    SHOW("--nonsense", "-h");
    assert_int_equal(ran.status, 0);
    says(ran.out, "pl-try: try things\n\nUsage: pl-try --region REGION [OPTION...] [REF...]\n");
    assert_string_equal(ran.err, "");
    SHOW("--version");
    assert_int_equal(ran.status, 0);
    says(ran.out, "pl-try (pl) ");
    SHOW("--help=json");
    struct error error = {0};
    AUTO_JSON struct json *json = json_parse(ran.out, strlen(ran.out), "help", &error);
    assert_non_null(json);
    assert_string_equal(json_get_text(json, "name", ""), "pl-try");
    assert_int_equal(json_count(json_get(json, "options")), 14);
    SHOW("-reu", "--", "--help");
    says(ran.out, "operands=[--help]");
}

static int pass(struct command_context *context, void *given, struct error *error) {
    (void)given;
    struct record_list list = {0};
    int result = command_read_records(context, RECORD_CONTAINER, NULL, NULL, &list, error);
    if (result == 0)
        result = command_write_records(context, &list, error);
    record_list_release(&list);
    return result;
}

#define PASS(input, ...)                                                                                               \
    run_tool(&ran, &tool, pass, input, false, (const char *const[]){"pl-try", "-reu", __VA_ARGS__, NULL})

static void records_flow_through(void **state) {
    (void)state;
    PASS(CONTAINER "\n", "-q");
    assert_int_equal(ran.status, 0);
    assert_true(text_starts_with(ran.out, "{\"pl\":1,\"type\":\"container\",\"ref\":\"" CONTAINER
                                          "\",\"digest\":\"sha256:" HEX "\",\"tool\":\"pl-try\",\"set\":\""));
    assert_true(text_ends_with(ran.out, ",\"seq\":1,\"of\":1}\n"));
    PASS(NULL, CONTAINER, "-o", "ref");
    assert_int_equal(ran.status, 0);
    assert_string_equal(ran.out, CONTAINER "\n");
    PASS(CONTAINER "\n" CONTAINER "\n", "--output=human");
    assert_string_equal(ran.out, CONTAINER "\n" CONTAINER "\n");
}

static void an_empty_input_fails_in_band(void **state) {
    (void)state;
    PASS("", "-q");
    refused(66, "pl-try: nothing arrived: the command before the pipe failed or printed nothing\n"
                "  run the command before the pipe alone and see what it says\n");
    says(ran.out, "{\"pl\":1,\"type\":\"error\",\"stage\":\"pl-try\",\"code\":66,");
    PASS("", "-o", "ref");
    assert_int_equal(ran.status, 66);
    assert_string_equal(ran.out, "");
}

static void an_upstream_failure_goes_on_as_it_came(void **state) {
    (void)state;
    static const char line[] =
        "{\"pl\":1,\"type\":\"error\",\"stage\":\"pl-build\",\"code\":70,\"message\":\"pip failed\",\"more\":[1]}\n";
    PASS(line, "-v");
    refused(70, "pl-try: not started: pl-build failed (70)\n");
    assert_string_equal(ran.out, line);
    /* The end of the pipe tells the reason. */
    PASS(line, "-o", "ref");
    refused(70, "pl-try: not started: pl-build failed (70): pip failed\n");
    assert_string_equal(ran.out, "");
}

/* pl-build | pl-push-image | pl-run-deploy, where the last one has failed: the one in the middle only waits. */
static void waiting_for_input_ends_when_the_output_is_abandoned(void **state) {
    (void)state;
    int in[2];
    assert_int_equal(pipe(in), 0);
    memset(&ran, 0, sizeof(ran));
    struct running running = start_tool_reading(&tool, pass, in[0], (const char *const[]){"pl-try", "-reu", NULL});
    close(running.out);
    running.out = -1;
    finish_tool(&running, &ran);
    refused(130, "pl-try: stopped: the next command in the pipe exited\n");
    running = start_tool_reading(&tool, pass, in[0], (const char *const[]){"pl-try", "-reu", NULL});
    memset(&ran, 0, sizeof(ran));
    close(in[0]);
    close(in[1]);
    finish_tool(&running, &ran);
    assert_int_equal(ran.status, 66);
}

static void a_failure_never_ends_up_in_a_ref(void **state) {
    (void)state;
    SHOW("--nonsense", "-o", "ref");
    assert_int_equal(ran.status, 64);
    assert_string_equal(ran.out, "");
    SHOW("--nonsense", "--output=ref");
    assert_string_equal(ran.out, "");
    SHOW("--nonsense", "-oref");
    assert_string_equal(ran.out, "");
    SHOW("--nonsense");
    says(ran.out, "{\"pl\":1,\"type\":\"error\",\"stage\":\"pl-try\",\"code\":64,");
}

static void a_wish_for_a_terminal_gives_way(void **state) {
    (void)state;
    setenv("PL_PROGRESS", "tty", 1);
    SHOW("-reu");
    unsetenv("PL_PROGRESS");
    assert_int_equal(ran.status, 0);
}

static int preflight_fails(void *context, struct error *error) {
    (void)context;
    return error_set(error, ERROR_PERMISSION, "no credentials");
}

static int with_preflight(struct command_context *context, void *given, struct error *error) {
    (void)given;
    struct record_list list = {0};
    progress_note(context->progress, "before");
    return command_read_records(context, RECORD_CONTAINER, preflight_fails, NULL, &list, error);
}

static void a_failed_preflight_ends_it_before_the_input(void **state) {
    (void)state;
    int in[2];
    assert_int_equal(pipe(in), 0);
    memset(&ran, 0, sizeof(ran));
    struct running running =
        start_tool_reading(&tool, with_preflight, in[0], (const char *const[]){"pl-try", "-reu", NULL});
    finish_tool(&running, &ran);
    close(in[0]);
    close(in[1]);
    refused(77, "pl-try │ before\npl-try: no credentials\n");
}

static void a_secret_is_taken_from_its_place_only(void **state) {
    (void)state;
    struct error error = {0};
    assert_null(command_secret("hunter2", &error));
    assert_int_equal(error.kind, ERROR_USAGE);
    assert_null(strstr(error.text, "hunter2"));
    assert_null(strstr(error.next, "hunter2"));
    setenv("PL_TEST_SECRET", "s3cret\n", 1);
    AUTO_FREE char *variable = command_secret("env:PL_TEST_SECRET", &error);
    assert_string_equal(variable, "s3cret\n");
    unsetenv("PL_TEST_SECRET");
    assert_null(command_secret("env:PL_TEST_SECRET", &error));
    assert_int_equal(error.kind, ERROR_CONFIGURATION);
    char path[] = "/tmp/pl-test-secret-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, "from file\n", 10), 10);
    AUTO_FREE char *source = text_format("file:%s", path);
    AUTO_FREE char *file = command_secret(source, &error);
    assert_string_equal(file, "from file");
    assert_int_equal(pwrite(fd, "a\0b\n", 4, 0), 4);
    AUTO_FREE char *content = NULL;
    size_t length = 0;
    assert_int_equal(command_secret_content(source, &content, &length, &error), 0);
    assert_int_equal(length, 10);
    assert_memory_equal(content, "a\0b\n file\n", 10);
    assert_null(command_secret(source, &error));
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_null(command_secret(source, &error));
    close(fd);
    unlink(path);
    assert_null(command_secret(source, &error));
    assert_null(command_secret("env:", &error));
    assert_null(command_secret("file:", &error));
}

static void faulty(struct option first, struct option second, const char *why) {
    struct option rows[] = {first, second, {0}};
    struct command command = tool;
    command.options = rows;
    AUTO_FREE char *fault = command_fault(&command);
    assert_non_null(fault);
    says(fault, why);
}

static void mistakes_in_rows_that_tools_share_are_found(void **state) {
    (void)state;
    struct option shared[] = {options[1], {0}};
    const struct option_group groups[] = {{.title = "Shared", .options = shared, .offset = 0}, {0}};
    struct command command = tool;
    command.groups = groups;
    AUTO_FREE char *twice = command_fault(&command);
    says(twice, "name is there twice");
    shared[0].name = "shared";
    shared[0].letter = 0;
    AUTO_FREE char *none = command_fault(&command);
    assert_null(none);
    const struct option_group far[] = {{.title = "Shared", .options = shared, .offset = sizeof(struct arguments)}, {0}};
    command.groups = far;
    AUTO_FREE char *outside = command_fault(&command);
    says(outside, "outside");
}

static void mistakes_in_a_table_are_found(void **state) {
    (void)state;
    AUTO_FREE char *none = command_fault(&tool);
    assert_null(none);
    const struct option empty = {0}, good = options[1];
#define WITH(...)                                                                                                      \
    __extension__({                                                                                                    \
        struct option row = good;                                                                                      \
        __VA_ARGS__;                                                                                                   \
        row;                                                                                                           \
    })
    faulty(WITH(row.name = "Name"), empty, "lower case");
    faulty(WITH(row.kind = OPTION_FLAG; row.value_name = NULL; row.letter = 0; row.traits = OPTION_NEGATABLE;
                row.name = "traffic"),
           WITH(row.name = "no-traffic"), "negation");
    faulty(WITH(row.name = "help"), empty, "belong to every tool");
    faulty(WITH(row.letter = 'h'), empty, "belong to every tool");
    faulty(WITH(row.letter = '-'), empty, "letter");
    faulty(WITH(row.help = ""), empty, "help is empty");
    faulty(WITH(row.help = "Text."), empty, "full stop");
    faulty(WITH(row.fallback = "x"; row.traits = OPTION_REQUIRED), empty, "required");
    faulty(WITH(row.kind = OPTION_CHOICE), empty, "choices");
    faulty(WITH(row.kind = OPTION_CHOICE; row.choices = colors; row.fallback = "blue"), empty, "none of the choices");
    faulty(WITH(row.kind = OPTION_NUMBER; row.fallback = "many"), empty, "does not fit");
    faulty(WITH(row.kind = OPTION_NUMBER; row.traits = OPTION_REPEATABLE), empty, "repeated");
    faulty(WITH(row.traits = OPTION_NEGATABLE), empty, "negated");
    faulty(WITH(row.kind = OPTION_FLAG), empty, "value name");
    faulty(WITH(row.value_name = NULL), empty, "value name");
    faulty(WITH(row.offset = sizeof(struct arguments)), empty, "outside");
    faulty(WITH(row.kind = OPTION_FILE; row.traits = OPTION_SECRET), empty, "secret");
    faulty(good, good, "name is there twice");
    faulty(WITH(row.name = "output"), empty, "name is there twice");
    faulty(WITH(row.letter = 'q'), empty, "letter is there twice");
    faulty(WITH(row.letter = 'a'), WITH(row.letter = 'a'; row.name = "other"), "letter is there twice");
    struct command command = tool;
    command.synopsis = "";
    AUTO_FREE char *synopsis = command_fault(&command);
    says(synopsis, "synopsis");
    command = tool;
    command.summary = "Does it.";
    AUTO_FREE char *summary = command_fault(&command);
    says(summary, "summary");
    static const struct command_exit unordered[] = {{70, "x"}, {65, "y"}, {0}};
    command = tool;
    command.exits = unordered;
    AUTO_FREE char *exits = command_fault(&command);
    says(exits, "order");
}

static char *file_text(const char *path) {
    struct buffer text = BUFFER(1 << 20);
    assert_int_equal(file_read(path, &text, NULL, NULL), 0);
    return buffer_take(&text);
}

static int at_a_line(struct command_context *context, void *given, struct error *error) {
    (void)context;
    (void)given;
    return error_set(error, ERROR_DATA, "pl-test-place:7:3: unknown key, \"x\"");
}

static void an_annotation_stands_at_its_line(void **state) {
    (void)state;
    char folder[] = "/tmp/pl-test-place-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    setenv("GITHUB_ACTIONS", "true", 1);
    run_tool(&ran, &tool, at_a_line, NULL, false, (const char *const[]){"pl-try", "-reu", NULL});
    says(ran.err, "::error title=pl-try::pl-test-place:7:3: unknown key, \"x\"\n");
    assert_int_equal(file_write_atomic("pl-test-place", "", 0, 0600, NULL), 0);
    run_tool(&ran, &tool, at_a_line, NULL, false, (const char *const[]){"pl-try", "-reu", NULL});
    says(ran.err, "::error title=pl-try,file=pl-test-place,line=7,col=3::pl-test-place:7:3: unknown");
    unsetenv("GITHUB_ACTIONS");
    assert_int_equal(chdir("/"), 0);
    tree_remove(folder, NULL);
}

static int pass_and_sum_up(struct command_context *context, void *given, struct error *error) {
    if (pass(context, given, error) < 0)
        return -1;
    command_summary(context, "backend | <b>");
    return 0;
}

static void github_gets_outputs_a_summary_and_one_annotation(void **state) {
    (void)state;
    char folder[] = "/tmp/pl-test-github-XXXXXX";
    assert_non_null(mkdtemp(folder));
    AUTO_FREE char *output = path_join(folder, "output");
    AUTO_FREE char *summary = path_join(folder, "summary");
    setenv("GITHUB_ACTIONS", "true", 1);
    setenv("GITHUB_OUTPUT", output, 1);
    setenv("GITHUB_STEP_SUMMARY", summary, 1);
    static const char line[] =
        "{\"pl\":1,\"type\":\"container\",\"ref\":\"" CONTAINER "\",\"name\":\"a\\nref=evil\"}\n";
    for (int i = 0; i < 2; i++) {
        run_tool(&ran, &tool, pass_and_sum_up, line, false, (const char *const[]){"pl-try", "-reu", NULL});
        assert_int_equal(ran.status, 0);
    }
    AUTO_FREE char *outputs = file_text(output);
    assert_true(text_starts_with(outputs, "record={\"pl\":1,"));
    says(outputs, "\nref=" CONTAINER "\ncontainer=" CONTAINER "\ndigest=sha256:" HEX "\nname<<");
    AUTO_FREE char *rows = file_text(summary);
    assert_string_equal(rows, "\n| tool | result |\n|---|---|\n| `pl-try` | backend &#124; &lt;b&gt; |\n"
                              "| `pl-try` | backend &#124; &lt;b&gt; |\n");
    run_tool(&ran, &tool, pass, "", false, (const char *const[]){"pl-try", "-reu", NULL});
    says(ran.err,
         "::error title=pl-try::nothing arrived: the command before the pipe failed or printed nothing%0Arun the");
    assert_null(strstr(strstr(ran.err, "::error") + 1, "::error"));
    run_tool(&ran, &tool, pass, "{\"pl\":1,\"type\":\"error\",\"stage\":\"pl-build\",\"code\":70}\n", false,
             (const char *const[]){"pl-try", "-reu", NULL});
    refused(70, "pl-try: not started: pl-build failed (70)\n");
    unsetenv("GITHUB_ACTIONS");
    unsetenv("GITHUB_OUTPUT");
    unsetenv("GITHUB_STEP_SUMMARY");
    tree_remove(folder, NULL);
}

static int set_up(void **state) {
    (void)state;
    static const char *const variables[] = {"PL_OUTPUT", "PL_PROGRESS",     "GITHUB_ACTIONS",
                                            "PL_REGION", "XDG_CONFIG_HOME", "PL_QUIET"};
    for (size_t i = 0; i < ARRAY_LENGTH(variables); i++)
        unsetenv(variables[i]);
    setenv("HOME", "/nonexistent", 1);
    return chdir("/");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_given_has_its_value),
        cmocka_unit_test(options_are_taken_in_every_form),
        cmocka_unit_test(what_follows_two_dashes_is_kept_apart_where_the_tool_takes_it),
        cmocka_unit_test(environment_then_files_then_default),
        cmocka_unit_test(a_wrong_line_is_answered_with_what_to_type),
        cmocka_unit_test(numbers_times_and_sizes_are_strict),
        cmocka_unit_test(help_and_version_win_over_every_mistake),
        cmocka_unit_test(records_flow_through),
        cmocka_unit_test(an_empty_input_fails_in_band),
        cmocka_unit_test(an_upstream_failure_goes_on_as_it_came),
        cmocka_unit_test(waiting_for_input_ends_when_the_output_is_abandoned),
        cmocka_unit_test(a_failure_never_ends_up_in_a_ref),
        cmocka_unit_test(a_wish_for_a_terminal_gives_way),
        cmocka_unit_test(a_failed_preflight_ends_it_before_the_input),
        cmocka_unit_test(a_secret_is_taken_from_its_place_only),
        cmocka_unit_test(mistakes_in_a_table_are_found),
        cmocka_unit_test(mistakes_in_rows_that_tools_share_are_found),
        cmocka_unit_test(an_annotation_stands_at_its_line),
        cmocka_unit_test(github_gets_outputs_a_summary_and_one_annotation),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
