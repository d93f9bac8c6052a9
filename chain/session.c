#include "chain/session.h"

#include "chain/wait.h"
#include "common/command/source.h"
#include "common/file/file.h"

#include <string.h>

int chain_open(struct chain_session *session, struct command_context *context,
               const struct credential_options *credentials, struct error *error) {
    *session = (struct chain_session){.context = context, .login = {.options = credentials}};
    session->registries =
        (struct registries){.progress = context->progress, .open = google_login_open, .context = &session->login};
    session->source = registries_source(&session->registries);
    session->packages = registries_packages(&session->registries);
    session->scope = path_resolve(".", NULL);
    session->engine = (struct engine){.progress = context->progress,
                                      .source = &session->source,
                                      .packages = &session->packages,
                                      .scope = session->scope};
    if (source_epoch(&session->engine.epoch, error) < 0)
        return -1;
    session->engine.store = store_open(NULL, error);
    if (!session->engine.store)
        return -1;
    chain_rest_while_waiting(context, session->engine.store);
    return 0;
}

int chain_advise(int result, struct error *error) {
    if (result < 0 && error->kind == ERROR_CANNOT_WRITE && !*error->next && strstr(error->text, "the store "))
        error_next(error, "make room there (pl-cache gc removes what is not used), or set PL_STORE to another disk");
    return result;
}

void chain_close(struct chain_session *session) {
    lock_release(&session->engine.lock);
    lock_release(&session->engine.new_lock);
    store_close(&session->engine.store);
    google_login_release(&session->login);
    registries_release(&session->registries);
    free(take_pointer(&session->scope));
}
