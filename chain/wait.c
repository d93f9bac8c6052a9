#include "chain/wait.h"

static int on_wait(void *store, bool waits, struct error *error) {
    if (!waits)
        return store_wake(store, error);
    store_rest(store);
    return 0;
}

void chain_rest_while_waiting(struct command_context *context, struct store *store) {
    context->on_wait = on_wait;
    context->on_wait_context = store;
}
