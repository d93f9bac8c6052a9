#include "tools/pl-firebase-deploy/command.h"

static const struct option options[] = {
    {.name = "site",
     .value_name = "SITE",
     .help = "the site; without it what firebase.json says, then the project's default site",
     .kind = OPTION_TEXT,
     .values = "sites",
     INTO(site)},
    {.name = "create-site",
     .help = "make the site if the project has none of that name; pl-local's environment sets this",
     .kind = OPTION_FLAG,
     INTO(create_site)},
    {.name = "target",
     .value_name = "TARGET",
     .help = "the deploy target of firebase.json that .firebaserc connects with a site",
     .kind = OPTION_TEXT,
     .values = "deploy-targets",
     INTO(target)},
    {.name = "all-sites",
     .help = "deploy all sites of the firebase.json in DIR, each with the directory that it calls public",
     .kind = OPTION_FLAG,
     INTO(all_sites)},
    {.name = "project",
     .value_name = "ID",
     .help = "the project or its alias in .firebaserc; without it GOOGLE_CLOUD_PROJECT, then .firebaserc, then "
             "what the credentials say",
     .kind = OPTION_TEXT,
     .values = "projects",
     INTO(project)},
    {.letter = 'c',
     .name = "config",
     .value_name = "FILE",
     .help = "the firebase.json; without it the nearest one at or above the source directory",
     .kind = OPTION_FILE,
     INTO(config)},
    {.name = "channel",
     .value_name = "ID",
     .help = "the channel: live, or a preview of its own URL that ends by itself",
     .kind = OPTION_TEXT,
     .values = "channels",
     .fallback = "live",
     INTO(channel)},
    {.name = "expires",
     .value_name = "TIME",
     .help = "when a preview ends: 12h, 7d, at most 30d; 7d if not given",
     .kind = OPTION_DURATION,
     INTO(expires)},
    {.name = "evict-expired",
     .help = "when the site can have no more channels, delete those that have expired",
     .kind = OPTION_FLAG,
     INTO(evict_expired)},
    {.letter = 'm',
     .name = "message",
     .value_name = "TEXT",
     .help = "a text that the release carries",
     .kind = OPTION_TEXT,
     INTO(message)},
    {.letter = 'n',
     .name = "dry-run",
     .help = "print what would be added, changed and removed, and change nothing",
     .kind = OPTION_FLAG,
     INTO(dry_run)},
    {.name = "promote",
     .value_name = "CHANNEL",
     .help = "make the live channel show what this channel shows",
     .kind = OPTION_TEXT,
     .values = "channels",
     INTO(promote)},
    {.name = "rollback",
     .help = "make the channel show the version before, or the one that is named",
     .kind = OPTION_FLAG,
     INTO(rollback)},
    {.name = "delete-channel",
     .value_name = "ID",
     .help = "delete a preview channel",
     .kind = OPTION_TEXT,
     .values = "channels",
     INTO(delete_channel)},
    {.name = "runtime-config",
     .value_name = "KEY=VALUE",
     .help = "a setting for the application, in one JSON file that is added to the site",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     INTO(runtime_config)},
    {.name = "runtime-config-file",
     .value_name = "PATH",
     .help = "where the application asks for that file; without it /config.json if the site has one, else "
             "/assets/config.json",
     .kind = OPTION_TEXT,
     INTO(runtime_config_file)},
    {.name = "default-headers",
     .help = "add to firebase.json's headers those that a site without firebase.json gets",
     .kind = OPTION_FLAG,
     INTO(default_headers)},
    {.name = "authorized-domains",
     .help = "let people sign in at a preview: its host is added to the authorized domains of Firebase Authentication "
             "(this is the default)",
     .kind = OPTION_FLAG,
     .traits = OPTION_NEGATABLE,
     INTO(authorized_domains)},
    {.name = "hooks",
     .help = "run the predeploy and postdeploy commands of firebase.json; predeploy not for what a pipe brings",
     .kind = OPTION_FLAG,
     .traits = OPTION_NEGATABLE,
     INTO(hooks)},
    {.name = "allow-file",
     .value_name = "PATH",
     .help = "take this file although it looks like credentials",
     .kind = OPTION_TEXT,
     .traits = OPTION_REPEATABLE,
     INTO(allowed_files)},
    {0},
};

static const struct option_group groups[] = {CREDENTIAL_OPTIONS(credentials), {0}};

static const struct command_example examples[] = {
    {"pl-build ./frontend | pl-firebase-deploy --site my-site", "from source to a live site"},
    {"pl-build ./frontend | pl-firebase-deploy --site my-site --channel pr-12 --expires 7d", "a preview"},
    {"pl-firebase-deploy ./public --dry-run", "what deploying a directory would change"},
    {"pl-firebase-deploy --site my-site --promote pr-12", "the preview goes live, as it is"},
    {"pl-firebase-deploy --site my-site --rollback", "back to the version before"},
    {0},
};

static const struct command_exit exits[] = {
    {65, "bad record, firebase.json or file"},
    {66, "no record arrived"},
    {69, "Hosting does not answer"},
    {70, "a hook failed"},
    {75, "no channel is free, or somebody else releases meanwhile; try again"},
    {77, "credentials are missing or do not suffice, or the policy forbids it"},
    {78, "project, site, API or policy is missing or wrong"},
    {0},
};

static const char *const see_also[] = {"pl-build", "pl-run-deploy", "pl-local", NULL};

const struct command pl_firebase_deploy_command = {
    .name = "pl-firebase-deploy",
    .summary = "deploy a directory to Firebase Hosting",
    .synopsis = "[DIR]",
    .description =
        "Reads one directory record, or a directory, and makes a channel of a Firebase Hosting site show it. Only "
        "files "
        "that Hosting has not got yet are sent, and the channel changes all at once when everything is there: what is "
        "interrupted changes nothing, and the next run takes it up. Deploying what is shown already changes "
        "nothing.\n\n"
        "firebase.json decides as it does for firebase-tools: public, site, target, ignore, rewrites, redirects, "
        "headers, cleanUrls, trailingSlash, i18n, appAssociation, predeploy and postdeploy. Every rewrite to a Cloud "
        "Run "
        "service is looked up before anything is sent. DIR may be the directory that holds firebase.json: then its "
        "public directory is deployed.\n\n"
        "Without a firebase.json the site is a single-page application: every path that is no file gets /index.html, "
        "files with a hash in their name are kept for a year, and nothing else is kept by browsers.\n\n"
        "While it waits for the record it checks credentials, project and site, and ends at once when one of them is "
        "wrong. A site that the project has not is made only when --create-site says so: its id is taken from then on, "
        "for everybody.\n\n"
        "The policies that PL_POLICY and \"policy\" in pl.json and config.json name bind: what they forbid is refused "
        "before anything is sent that changes something.",
    .reads = "directory",
    .writes = "site",
    .options = options,
    .groups = groups,
    .examples = examples,
    .exits = exits,
    .see_also = see_also,
    .operands_minimum = 0,
    .operands_maximum = 1,
    .operand_kind = OPTION_DIRECTORY,
    .arguments_size = sizeof(struct arguments),
};
