/* One run of pl-firebase-deploy: what it was asked for, what firebase.json says, and the site. */
#ifndef TOOLS_PL_FIREBASE_DEPLOY_SESSION_H
#define TOOLS_PL_FIREBASE_DEPLOY_SESSION_H

#include "common/policy/policy.h"
#include "engine/engine.h"
#include "firebase/config/config.h"
#include "firebase/files/files.h"
#include "firebase/hosting/deploy.h"
#include "firebase/hosting/services.h"
#include "tools/pl-firebase-deploy/command.h"

struct session {
    struct command_context *context;
    const struct arguments *arguments;
    const struct policies *policies; /* of the organisation */
    struct engine engine;
    struct cloud cloud;
    struct hosting hosting; /* its site is NULL until session_open_site */
    bool site_is_new;       /* it is to be made: only with --create-site */
    char *channel;
    char *directory;           /* the operand, absolute, or NULL */
    char *source;              /* what a record was built from, if that is here; absolute, or NULL */
    struct firebase_file file; /* its path is NULL without a firebase.json */
    struct json *rc;           /* .firebaserc, or NULL */
    struct site_config config; /* without a firebase.json: what is left out, and nothing else */
    struct site_files files;
    struct services services; /* of the rewrites, after session_prepare */
    char *from;               /* the ref of what is deployed */
    bool of_all;              /* one of all sites of firebase.json (--all-sites): */
    size_t entry;             /* which */
    struct record_list *results;
};

/* Reads the firebase.json that is meant: --config, or the nearest at or above `start`; and chooses the site in it. */
int session_read_config(struct session *session, const char *start, struct error *error) MUST_CHECK;
/* Reads the firebase.json of the session's directory; *count is how many sites it has. */
int session_count_sites(struct session *session, size_t *count, struct error *error) MUST_CHECK;
/* Forgets it again. */
void session_drop_config(struct session *session);

/* Credentials and project; and also whether the site exists, or could be made with --create-site (site_is_new). May be
 * called again when the configuration has changed. */
int session_open_cloud(struct session *session, struct error *error) MUST_CHECK;
int session_open_site(struct session *session, struct error *error) MUST_CHECK;

/* Runs the commands of a hook ("predeploy"), with the environment that firebase-tools gives them. */
int session_run_hook(struct session *session, const char *name, const struct text_list *commands,
                     struct error *error) MUST_CHECK;

/* The directory that firebase.json calls public, absolute; NULL when it names none. The caller frees. */
char *session_public(const struct session *session);

/* The files of the site, from the pipe or a directory, without what is ignored; with the runtime configuration. */
int session_read_files(struct session *session, struct error *error) MUST_CHECK;
/* What is served how: firebase.json's rules, or the defaults. */
int session_complete_config(struct session *session, struct error *error) MUST_CHECK;

/* Everything that can be known before something changes: configuration, site, files, services. */
int session_prepare(struct session *session, struct error *error) MUST_CHECK;
/* Then the deployment, or with --dry-run what it would change. */
int session_deploy(struct session *session, struct error *error) MUST_CHECK;

/* What the policy says of new content for the channel (POLICY_SITE), or of old (POLICY_RELEASE): before anything is
 * sent that changes something. */
int session_permit(const struct session *session, enum policy_kind kind, const char *channel,
                   struct error *error) MUST_CHECK;

bool session_is_live(const char *channel);
/* "site S, channel C"; the caller frees. */
char *session_site_text(const struct session *session, const char *channel);
/* Adds the record of what the channel shows now to the results. */
void session_add_result(struct session *session, const char *channel, const struct hosting_outcome *outcome);
/* Lets people sign in at the preview with this URL, or, with NULL, no longer at those that are gone. */
void session_authorize_preview(struct session *session, const char *url);

#endif
