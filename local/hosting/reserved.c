/* Hosting's own paths: what a page needs to start Firebase's SDK. */
#include "local/hosting/serve.h"

#include <string.h>

/* The configuration of the project's web app. `emulators` tells a page where this cloud's sign-in is: Google's answer
 * has no such member, and initializeApp ignores it. */
static struct json *web_config(const struct local_cloud *cloud, const struct request *request) {
    struct json *config = json_new_object(), *emulators = json_new_object(), *auth = json_new_object();
    AUTO_FREE char *bucket = text_format("%s.appspot.com", cloud->project);
    AUTO_FREE char *app = text_format("1:%s:web:%s", cloud->number, "0000000000000000000000");
    json_set_text(config, "projectId", cloud->project);
    json_set_text(config, "appId", app);
    json_set_text(config, "storageBucket", bucket);
    json_set_text(config, "apiKey", "pl-local");
    json_set_text(config, "authDomain", request->host);
    json_set_text(config, "messagingSenderId", cloud->number);
    json_set_text(auth, "host", "127.0.0.1");
    json_set_integer(auth, "port", cloud->port);
    json_set_text(auth, "hostAndPort", cloud->host);
    json_set(emulators, "auth", auth);
    json_set(config, "emulators", emulators);
    return config;
}

static char *init_script(const struct local_cloud *cloud, const struct json *config, bool use_emulator) {
    AUTO_FREE char *text = json_format(config, JSON_PRETTY);
    AUTO_FREE char *emulator = text_format("  if (typeof firebase.auth === 'function')\n"
                                           "    firebase.auth().useEmulator('%s');\n",
                                           cloud->origin);
    return text_format("if (typeof firebase === 'undefined')\n"
                       "  throw new Error('hosting/init-error: the Firebase SDK must be included before "
                       "/__/firebase/init.js');\n"
                       "{\n  firebase.initializeApp(%s  );\n%s}\n",
                       text, use_emulator ? emulator : "");
}

void reserved_answer(struct visit *visit) {
    AUTO_JSON struct json *config = web_config(visit->cloud, visit->request);
    const char *use_emulator = request_query(visit->request, "useEmulator");
    AUTO_FREE char *text = NULL;
    if (text_equal(visit->path, "/__/firebase/init.json")) {
        text = json_format(config, JSON_PRETTY);
        visit_header(visit, "Content-Type", "application/json");
    } else if (text_equal(visit->path, "/__/firebase/init.js")) {
        text = init_script(visit->cloud, config, text_equal(use_emulator, "true"));
        visit_header(visit, "Content-Type", "text/javascript; charset=utf-8");
    } else {
        /* The SDK's files are Google's: pages of a local site bring their own. */
        visit_header(visit, "Content-Type", "text/plain; charset=utf-8");
        reply_text(visit->reply, 404, NULL, "the local cloud has only /__/firebase/init.json and init.js here\n");
        return;
    }
    visit_header(visit, "Cache-Control", "no-cache");
    reply_text(visit->reply, 200, NULL, text);
}
