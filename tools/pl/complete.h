/* The answers to a shell's completion: pl --complete KIND PREFIX TOOL WORD...
 *
 * KIND is what an option table says of a value (struct option.values, struct command.operand_values): the name of a
 * kind, or NAME=KIND or KIND=VALUE for one of the two sides of the first "=". PREFIX is what was typed of the value,
 * TOOL and WORD... the line before it, so that --region and --project count that were typed before.
 *
 * Prints a line for each value that begins with PREFIX: the value, and after a tab what it is. Values are of letters,
 * digits and . _ : / @ + = , ? % ~ - alone: whatever else comes from a server, a file name or the store is left out,
 * since a shell would take it for something of its own. Nothing is ever printed on standard error or written to a log,
 * standard input is not read, no program is started that might ask somebody (credential helpers, executables of
 * credentials, cmd: of secrets), and it ends after PL_COMPLETE_SECONDS (2 without it; 0: nobody outside of this machine
 * is asked) with what it has by then. The exit code is 0, and 64 for a KIND that does not exist.
 *
 *   kind                    values                                                 asks
 *   tools                   tools beside pl and in PATH
 *   regions                 where Cloud Run is
 *   registry-hosts          of Artifact Registry
 *   deploy-targets          of .firebaserc
 *   platforms               linux/amd64 ...
 *   applications            directories that pl-build can build
 *   stages                  of the Dockerfile
 *   angular-projects        of angular.json
 *   angular-configurations  of angular.json
 *   commits                 branches and tags of the git repository
 *   images                  bases and containers of the store, files; tags         the registry that PREFIX names
 *   containers              containers of the store
 *   caches                  of pl-with exec --mount-cache
 *   secret-sources          env:NAME, file:PATH, ...
 *   local-workloads         services and jobs of the local cloud                   pl-local
 *   projects                that are named here, and those that one may see        Resource Manager
 *   services, jobs          of the region                                          Cloud Run
 *   revisions               of the service                                         Cloud Run
 *   traffic-targets         its revisions and tags, and "latest"                   Cloud Run
 *   traffic-tags            its tags                                               Cloud Run
 *   executions              of the job                                             Cloud Run
 *   secrets                 of the project                                         Secret Manager
 *   repositories            of the project and region                              Artifact Registry
 *   sites                   of the project                                         Firebase Hosting
 *   channels                of the site                                            Firebase Hosting */
#ifndef TOOLS_PL_COMPLETE_H
#define TOOLS_PL_COMPLETE_H

#include "common/base/text.h"
#include "common/json/json.h"

/* The arguments behind --complete. Returns the exit code. */
int complete_main(size_t count, char **arguments);

/* ---- for the kinds ---- */

struct completion {
    const char *prefix;   /* of the value itself: what stands before an "=" is left out */
    const char *before;   /* and this is put before each value that is printed */
    const char *after;    /* likewise "=" */
    const char *tool;     /* "pl-run-deploy" */
    struct json *options; /* what the line says: {"region": "us-central1", ...}, the last of each */
    struct text_list operands;
    struct text_list offered;
};

/* Whether a value is of characters that mean nothing to a shell. */
bool complete_is_harmless(const char *value);
/* Prints the value when it begins with the prefix, is of harmless characters and was not printed before; both may be
 * NULL. */
void complete_offer(struct completion *completion, const char *value, const char *description);
/* A value and what it is (or NULL) as one line, which complete_remembered offers. */
void complete_line(struct text_list *lines, const char *value, const char *description);
/* Whether anybody outside of this machine may be asked. */
bool complete_may_ask(void);
/* What an option of the line says, or NULL. Borrowed. */
const char *complete_option(const struct completion *completion, const char *name);
/* The operand that is a directory, or ".". Borrowed. */
const char *complete_directory(const struct completion *completion);

/* Asks somebody outside through `ask`, which adds lines with complete_line, and offers them; what was answered in
 * the last minute to the same question (`what`, the options of the line, the directory and the variables that name a
 * cloud or credentials) is taken from the answer that is kept in ${XDG_CACHE_HOME:-~/.cache}/pl-complete, which is for
 * the user alone. When there was no answer, nobody is asked for the next ten seconds. */
typedef int complete_ask(struct completion *completion, const char *what, struct text_list *lines, struct error *error);
void complete_remembered(struct completion *completion, const char *what, complete_ask *ask);

/* One function for each kind. */
typedef void complete_kind(struct completion *completion);
complete_kind complete_tools, complete_regions, complete_registry_hosts, complete_deploy_targets, complete_platforms,
    complete_applications, complete_stages, complete_angular_projects, complete_angular_configurations,
    complete_commits, complete_images, complete_containers, complete_caches, complete_secret_sources,
    complete_local_workloads, complete_projects, complete_services, complete_jobs, complete_revisions,
    complete_traffic_targets, complete_traffic_tags, complete_executions, complete_secrets, complete_repositories,
    complete_sites, complete_channels;

/* The references of bases that the store holds. */
void complete_bases(struct completion *completion);
/* Offers the files below what was typed behind `lead` ("oci:"). */
void complete_paths(struct completion *completion, const char *lead, bool only_directories);

#endif
