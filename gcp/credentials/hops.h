/* The way to a token, hop by hop, for people: which hop of it was refused says who can mend it. */
#ifndef GCP_CREDENTIALS_HOPS_H
#define GCP_CREDENTIALS_HOPS_H

#include "common/base/error.h"
#include "common/json/json.h"

enum hop_kind {
    HOP_IDENTITY,      /* a token of somebody else's that says who we are: GitHub's, a file's, AWS's */
    HOP_POOL,          /* Google's Security Token Service takes it: the pool's provider and its conditions */
    HOP_TOKEN,         /* a key, a refresh token or the metadata server is exchanged for a token */
    HOP_IMPERSONATION, /* a service account's token is made with the one before */
};

enum { HOP_LIMIT = 8 };

struct hop {
    enum hop_kind kind;
    bool done;
    char *subject; /* what is asked: "GitHub Actions for …" */
};

struct hop_list {
    struct hop items[HOP_LIMIT];
    size_t count;
    struct json *claims; /* of the identity token that was sent, or NULL */
};

/* "identity token", "pool admission", "token", "impersonation" */
const char *hop_name(enum hop_kind kind);
/* The hop that begins is the last of the list; hop_end says that it was taken. The list may be NULL. */
void hop_begin(struct hop_list *hops, enum hop_kind kind, const char *format, ...) PRINTF_LIKE(3, 4);
void hop_end(struct hop_list *hops);
void hop_list_clear(struct hop_list *hops);

#endif
