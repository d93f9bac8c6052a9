/* What services and jobs have in common: the container and where it runs. One table of rows, and what they mean in a
 * template of the API (a service's `template`, a job's `template.template`).
 *
 * Everything that is not asked for stays as it is; lists of names (variables, secrets, labels, Cloud SQL instances) are
 * added to what is there, by name. No network here. */
#ifndef GCP_RUN_WORKLOAD_H
#define GCP_RUN_WORKLOAD_H

#include "common/base/text.h"
#include "common/command/command.h"
#include "common/json/json.h"

/* NULL, -1 and empty: as it is (for what is new: as Google decides). Texts are borrowed. */
struct run_workload {
    const char *image; /* HOST/REPO@sha256:…, NULL: as it is; no option of the table */
    const char *cpu;   /* "1", "0.5", "500m" */
    long long memory;  /* bytes */
    const char *gpu_type;
    long long gpus;
    const char *service_account;
    struct text_list environment;       /* "NAME=value"; everything after the first '=' is the value */
    struct text_list environment_files; /* read by run_workload_read into `environment`, before what was there */
    struct text_list removed_environment;
    bool replace_environment;          /* what is not named goes, secrets excepted */
    struct text_list secrets;          /* "NAME=SECRET[:VERSION]" a variable, "/path/file=SECRET[:VERSION]" a file */
    struct text_list removed_secrets;  /* NAME, /path/file */
    bool replace_secrets;              /* what is not named goes */
    struct text_list labels;           /* "key=value" */
    struct text_list removed_labels;   /* key */
    bool replace_labels;               /* what is not named goes */
    struct text_list annotations;      /* "key=value", of the revision or the execution */
    struct text_list command;          /* a word each */
    struct text_list arguments;        /* a word each */
    const char *working_directory;     /* absolute */
    const char *execution_environment; /* gen1, gen2 */
    const char *vpc_connector, *network, *subnet;
    struct text_list network_tags;
    const char *vpc_egress;     /* all-traffic, private-ranges-only */
    bool no_vpc;                /* neither connector nor network */
    const char *encryption_key; /* projects/P/locations/L/keyRings/R/cryptoKeys/K; "": none of one's own */
    struct text_list cloudsql_instances, removed_cloudsql_instances; /* PROJECT:REGION:INSTANCE */
    bool replace_cloudsql_instances;                                 /* what is not named goes */
};

extern const struct option run_workload_rows[];
#define RUN_WORKLOAD_OPTIONS(member)                                                                                   \
    { .title = "The container", .options = run_workload_rows, INTO(member) }

/* Appends the NAME=value of an environment file: empty lines and those that begin with # are none, "export " and quotes
 * around a value are dropped. ERROR_DATA names the line. */
int environment_file_read(const char *path, struct text_list *pairs, struct error *error) MUST_CHECK;
/* Reads the environment files: lines NAME=VALUE, empty ones and those that begin with '#' left out, `export ` before a
 * name too; a value in single or double quotes loses them, and in double quotes \n, \" and \\ are read. At most 1 MiB
 * each. */
int run_workload_read(struct run_workload *workload, struct error *error) MUST_CHECK;
/* Checks what can be checked without a server: names, ranges of numbers, forms. ERROR_USAGE. */
int run_workload_check(const struct run_workload *workload, struct error *error) MUST_CHECK;
/* A number of an option; -1 is none. ERROR_USAGE outside of the range. */
int run_range_check(const char *option, int64_t value, int64_t least, int64_t most, struct error *error) MUST_CHECK;
/* CPUs, as a number; 1 when none are named. */
double run_workload_processors(const struct run_workload *workload);
/* Whether something is to go: of a template that has nothing, such settings make nothing. */
bool run_workload_takes_away(const struct run_workload *workload);
bool run_workload_names_resources(const struct run_workload *workload);

/* Puts the settings into a template and one of its containers; labels and annotations excepted, whose place differs.
 * All that they do not name is kept, also what pl does not know. */
void run_workload_apply(const struct run_workload *workload, struct json *template, struct json *container);
/* The labels of a service or job, or of its template: those that go, and those that are named. */
void run_labels_apply(struct json *object, const struct run_workload *workload);
/* "key=value" each, into the object in object[key]. */
void run_pairs_apply(struct json *object, const char *key, const struct text_list *pairs);
/* The element of that name in a list of objects, made when it is missing. */
struct json *run_named(struct json *list, const char *name);
/* Those that are not there yet, to the array in object[key]. */
void run_texts_add(struct json *object, const char *key, const struct text_list *texts);
/* Takes the others out of the array in object[key]: those that are `removed`, and with `replace` all that are not
 * `named`. */
void run_texts_remove(struct json *object, const char *key, const struct text_list *removed, bool replace,
                      const struct text_list *named);

#endif
