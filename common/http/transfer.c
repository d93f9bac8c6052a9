/* The only file that talks to libcurl. It is loaded when it is first needed: linking it would cost every start of every
 * tool 8 ms. */
#include "common/http/internal.h"

#include <ctype.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <malloc.h>
#include <string.h>
#include <unistd.h>

enum {
    CONNECT_TIMEOUT = 20, /* seconds, TLS included */
    STALL_RATE = 1024,    /* bytes a second */
    HEADER_LIMIT = 256 * 1024,
    BODY_LIMIT = 1024 * 1024,
    CONNECTIONS_PER_HOST = 6,
};

static struct {
    void *handle;
    CURLcode (*global_init_mem)(long, curl_malloc_callback, curl_free_callback, curl_realloc_callback,
                                curl_strdup_callback, curl_calloc_callback);
    CURL *(*easy_init)(void);
    void (*easy_cleanup)(CURL *);
    CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
    CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
    const char *(*easy_strerror)(CURLcode);
    struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
    void (*slist_free_all)(struct curl_slist *);
    CURLM *(*multi_init)(void);
    CURLMcode (*multi_cleanup)(CURLM *);
    CURLMcode (*multi_setopt)(CURLM *, CURLMoption, ...);
    CURLMcode (*multi_add_handle)(CURLM *, CURL *);
    CURLMcode (*multi_remove_handle)(CURLM *, CURL *);
    CURLMcode (*multi_perform)(CURLM *, int *);
    CURLMcode (*multi_poll)(CURLM *, struct curl_waitfd *, unsigned, int, int *);
    CURLMsg *(*multi_info_read)(CURLM *, int *);
    CURLU *(*url)(void);
    void (*url_cleanup)(CURLU *);
    CURLUcode (*url_set)(CURLU *, CURLUPart, const char *, unsigned);
    CURLUcode (*url_get)(const CURLU *, CURLUPart, char **, unsigned);
    void (*free)(void *);
} curl;

static int load_symbol(const char *name, void *into, struct error *error) {
    void *symbol = dlsym(curl.handle, name);
    if (!symbol)
        return error_set(error, ERROR_CONFIGURATION, "libcurl.so.4 has no %s: it is too old", name);
    memcpy(into, &symbol, sizeof(symbol));
    return 0;
}

/* What libcurl sends and receives has tokens in it: it gives no memory back with them. */
static void wipe_and_free(void *pointer) {
    if (pointer)
        memory_wipe(pointer, malloc_usable_size(pointer));
    free(pointer);
}

static void *wipe_and_resize(void *pointer, size_t size) {
    size_t old = pointer ? malloc_usable_size(pointer) : 0;
    if (pointer && size <= old)
        return pointer;
    void *made = malloc(size);
    if (made && old)
        memcpy(made, pointer, old);
    if (made)
        wipe_and_free(pointer);
    return made;
}

static int load_curl(struct error *error) {
    if (curl.handle)
        return 0;
    curl.handle = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (!curl.handle) {
        error_set(error, ERROR_CONFIGURATION, "cannot load libcurl.so.4: %s", dlerror());
        return error_next(error, "install libcurl (Debian and Ubuntu: apt-get install libcurl4)");
    }
    const struct {
        const char *name;
        void *into;
    } symbols[] = {
        {"curl_global_init_mem", &curl.global_init_mem},
        {"curl_easy_init", &curl.easy_init},
        {"curl_easy_cleanup", &curl.easy_cleanup},
        {"curl_easy_setopt", &curl.easy_setopt},
        {"curl_easy_getinfo", &curl.easy_getinfo},
        {"curl_easy_strerror", &curl.easy_strerror},
        {"curl_slist_append", &curl.slist_append},
        {"curl_slist_free_all", &curl.slist_free_all},
        {"curl_multi_init", &curl.multi_init},
        {"curl_multi_cleanup", &curl.multi_cleanup},
        {"curl_multi_setopt", &curl.multi_setopt},
        {"curl_multi_add_handle", &curl.multi_add_handle},
        {"curl_multi_remove_handle", &curl.multi_remove_handle},
        {"curl_multi_perform", &curl.multi_perform},
        {"curl_multi_poll", &curl.multi_poll},
        {"curl_multi_info_read", &curl.multi_info_read},
        {"curl_url", &curl.url},
        {"curl_url_cleanup", &curl.url_cleanup},
        {"curl_url_set", &curl.url_set},
        {"curl_url_get", &curl.url_get},
        {"curl_free", &curl.free},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(symbols); i++)
        if (load_symbol(symbols[i].name, symbols[i].into, error) < 0) {
            curl.handle = NULL;
            return -1;
        }
    if (curl.global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wipe_and_free, wipe_and_resize, strdup, calloc) != CURLE_OK) {
        curl.handle = NULL;
        return error_set(error, ERROR_INTERNAL, "libcurl does not start");
    }
    return 0;
}

struct transfer_pool {
    CURLM *multi;
};

struct transfer_pool *transfer_pool_new(struct error *error) {
    if (load_curl(error) < 0)
        return NULL;
    struct transfer_pool *pool = memory_allocate(1, sizeof(*pool));
    pool->multi = curl.multi_init();
    curl.multi_setopt(pool->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)CONNECTIONS_PER_HOST);
    curl.multi_setopt(pool->multi, CURLMOPT_MAXCONNECTS, 32L);
    return pool;
}

void transfer_pool_release(struct transfer_pool **pool) {
    if (!*pool)
        return;
    curl.multi_cleanup((*pool)->multi);
    free(*pool);
    *pool = NULL;
}

static void keep_header(struct http_response *response, const char *line, size_t length) {
    const char *colon = memchr(line, ':', length);
    if (!colon)
        return;
    const char *value = colon + 1, *end = line + length;
    while (value < end && (*value == ' ' || *value == '\t'))
        value++;
    AUTO_FREE char *name = text_copy_length(line, (size_t)(colon - line));
    AUTO_FREE char *text = text_copy_length(value, (size_t)(end - value));
    for (char *at = name; *at; at++)
        *at = (char)tolower((unsigned char)*at);
    text_list_add_format(&response->headers, "%s: %s", name, text);
}

static size_t header_arrived(char *data, size_t size, size_t count, void *context) {
    struct transfer *transfer = context;
    size_t length = size * count;
    transfer->header_bytes += length;
    if (transfer->header_bytes > HEADER_LIMIT) {
        error_set(&transfer->error, ERROR_PROTOCOL, "the headers of the answer are larger than %d bytes", HEADER_LIMIT);
        return 0;
    }
    size_t line = length;
    while (line && (data[line - 1] == '\n' || data[line - 1] == '\r' || data[line - 1] == ' '))
        line--;
    if (line >= 5 && !strncmp(data, "HTTP/", 5))
        text_list_release(&transfer->response->headers);
    else if (line)
        keep_header(transfer->response, data, line);
    return length;
}

static int too_large(struct transfer *transfer, uint64_t limit) {
    return error_set(&transfer->error, ERROR_PROTOCOL, "the answer is larger than the %llu bytes that were expected",
                     (unsigned long long)limit);
}

/* An answer that announces too much is ended at its first byte. */
static bool announces_more_than(const struct transfer *transfer, uint64_t limit) {
    curl_off_t announced = -1;
    curl.easy_getinfo(transfer->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    return announced > 0 && (uint64_t)announced > limit;
}

/* "bytes 100-999/1000" begins at 100. */
static bool range_begins_at(const char *range, uint64_t offset) {
    AUTO_FREE char *expected = text_format("bytes %llu-", (unsigned long long)offset);
    return range && text_starts_with(range, expected);
}

/* The first piece of a body tells whether it goes on where the last try ended, or is all of it again. */
static int begin_sink(struct transfer *transfer, long status) {
    const struct http_request *request = transfer->request;
    transfer->sink_begun = true;
    if (transfer->offset && status != 206) {
        if (!request->sink_restart)
            return error_set(&transfer->error, ERROR_PROTOCOL, "the answer is all of it instead of the missing part");
        transfer->received = 0;
        request->sink_restart(request->sink_context);
    } else if (transfer->offset &&
               !range_begins_at(http_header(transfer->response, "content-range"), transfer->offset)) {
        return error_set(&transfer->error, ERROR_PROTOCOL, "the answer is another part than the one asked for");
    }
    if (announces_more_than(transfer, request->sink_limit - transfer->received))
        return too_large(transfer, request->sink_limit);
    return 0;
}

static int give_to_sink(struct transfer *transfer, long status, const char *data, size_t length) {
    const struct http_request *request = transfer->request;
    if (!transfer->sink_begun && begin_sink(transfer, status) < 0)
        return -1;
    if (length > request->sink_limit - transfer->received)
        return too_large(transfer, request->sink_limit);
    transfer->received += length;
    return request->sink(request->sink_context, data, length, &transfer->error);
}

/* What curl's callback returns is less than `length` to end the transfer. */
static size_t body_arrived(char *data, size_t size, size_t count, void *context) {
    struct transfer *transfer = context;
    struct buffer *body = &transfer->response->body;
    size_t length = size * count;
    long status = 0;
    curl.easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
    bool is_success = status >= 200 && status < 300;
    if (is_success && transfer->request->sink)
        return give_to_sink(transfer, status, data, length) < 0 ? 0 : length;
    bool fits = length <= body->limit - body->length;
    if (is_success && (!fits || announces_more_than(transfer, body->limit))) {
        too_large(transfer, body->limit);
        return 0;
    }
    buffer_append(body, data, fits ? length : body->limit - body->length);
    transfer->is_cut = transfer->is_cut || !fits;
    return fits ? length : 0;
}

static size_t body_wanted(char *data, size_t size, size_t count, void *context) {
    struct transfer *transfer = context;
    const struct http_request *request = transfer->request;
    size_t length = size * count;
    if (length > request->body_size - transfer->sent)
        length = (size_t)(request->body_size - transfer->sent);
    if (!length)
        return 0;
    ssize_t got = pread(request->body_fd, data, length, (off_t)(request->body_offset + transfer->sent));
    if (got <= 0) {
        if (got < 0)
            error_set_errno(&transfer->error, errno, "cannot read what is to be sent");
        else
            error_set(&transfer->error, ERROR_DATA, "what is to be sent has become shorter meanwhile");
        return CURL_READFUNC_ABORT;
    }
    transfer->sent += (uint64_t)got;
    return (size_t)got;
}

static int body_rewound(void *context, curl_off_t offset, int origin) {
    struct transfer *transfer = context;
    if (transfer->only_once || origin != SEEK_SET || offset < 0 || (uint64_t)offset > transfer->request->body_size)
        return CURL_SEEKFUNC_FAIL;
    transfer->sent = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

static curl_socket_t socket_wanted(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    struct transfer *transfer = context;
    if (purpose != CURLSOCKTYPE_IPCXN)
        return CURL_SOCKET_BAD;
    if (!transfer->admit(transfer->owner, address_class_of(&address->addr))) {
        transfer->was_refused = true;
        error_set(&transfer->error, ERROR_PROTOCOL,
                  "refused to connect: a server named a URL of the local or a private network");
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void add_header(struct transfer *transfer, const char *line) {
    void *longer = curl.slist_append(transfer->header_lines, line);
    if (longer)
        transfer->header_lines = longer;
}

static int set_headers(struct transfer *transfer, struct error *error) {
    const struct http_request *request = transfer->request;
    for (size_t i = 0; request->headers && i < request->headers->count; i++) {
        const char *line = request->headers->items[i];
        for (const char *at = line; *at; at++)
            if ((unsigned char)*at < ' ' || *at == 127)
                return error_set(error, ERROR_DATA, "a request header contains a control character");
        add_header(transfer, line);
    }
    if (transfer->authorization)
        add_header(transfer, transfer->authorization);
    if (transfer->offset) {
        AUTO_FREE char *range = text_format("Range: bytes=%llu-", (unsigned long long)transfer->offset);
        add_header(transfer, range);
    }
    AUTO_FREE char *type =
        request->content_type ? text_format("Content-Type: %s", request->content_type) : text_copy("Content-Type:");
    if (strpbrk(type, "\r\n"))
        return error_set(error, ERROR_DATA, "a content type contains a control character");
    add_header(transfer, type);
    add_header(transfer, "Expect:");
    curl.easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->header_lines);
    curl.easy_setopt(transfer->easy, CURLOPT_HEADEROPT, (long)CURLHEADER_SEPARATE);
    return 0;
}

static void set_method_and_body(struct transfer *transfer) {
    const struct http_request *request = transfer->request;
    CURL *easy = transfer->easy;
    const char *method = request->method ? request->method : "GET";
    bool has_body = request->has_body_fd || request->body;
    if (!has_body && text_equal(method, "HEAD")) {
        curl.easy_setopt(easy, CURLOPT_NOBODY, 1L);
        return;
    }
    if (!has_body && text_equal(method, "GET"))
        return;
    if (request->has_body_fd) {
        curl.easy_setopt(easy, CURLOPT_UPLOAD, 1L);
        curl.easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, 256L * 1024);
        curl.easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_size);
        curl.easy_setopt(easy, CURLOPT_READFUNCTION, body_wanted);
        curl.easy_setopt(easy, CURLOPT_READDATA, transfer);
        curl.easy_setopt(easy, CURLOPT_SEEKFUNCTION, body_rewound);
        curl.easy_setopt(easy, CURLOPT_SEEKDATA, transfer);
    } else if (has_body || !text_equal(method, "DELETE")) {
        curl.easy_setopt(easy, CURLOPT_POST, 1L);
        curl.easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_length);
        curl.easy_setopt(easy, CURLOPT_POSTFIELDS, request->body ? request->body : "");
    }
    curl.easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

static const char *setting(const char *name) {
    const char *value = getenv(name);
    return text_is_empty(value) ? NULL : value;
}

static void set_security(struct transfer *transfer) {
    CURL *easy = transfer->easy;
    curl.easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl.easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    const char *bundle = setting("CURL_CA_BUNDLE") ? setting("CURL_CA_BUNDLE") : setting("SSL_CERT_FILE");
    if (bundle)
        curl.easy_setopt(easy, CURLOPT_CAINFO, bundle);
    if (setting("SSL_CERT_DIR"))
        curl.easy_setopt(easy, CURLOPT_CAPATH, setting("SSL_CERT_DIR"));
    if (url_is_loopback(transfer->url))
        curl.easy_setopt(easy, CURLOPT_PROXY, "");
    if (transfer->request->certificate) {
        curl.easy_setopt(easy, CURLOPT_SSLCERT, transfer->request->certificate);
        curl.easy_setopt(easy, CURLOPT_SSLKEY, transfer->request->key);
    }
    curl.easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, socket_wanted);
    curl.easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
}

static void set_rest(struct transfer *transfer) {
    CURL *easy = transfer->easy;
    curl.easy_setopt(easy, CURLOPT_URL, transfer->url);
    curl.easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl.easy_setopt(easy, CURLOPT_PRIVATE, transfer);
    _Static_assert(sizeof(transfer->detail) >= CURL_ERROR_SIZE, "room for libcurl's own words");
    curl.easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->detail);
    curl.easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* libcurl sends again by itself when a connection that it reused dies, even a POST. A body from a file prevents
     * that by not being rewound; anything else takes a new connection. */
    if (transfer->only_once && !transfer->request->has_body_fd)
        curl.easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl.easy_setopt(easy, CURLOPT_USERAGENT, transfer->user_agent);
    curl.easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl.easy_setopt(easy, CURLOPT_PIPEWAIT, text_starts_with(transfer->url, "https") ? 1L : 0L);
    curl.easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT);
    curl.easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_RATE);
    curl.easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)transfer->stall);
    curl.easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)(transfer->timeout ? transfer->timeout : 1));
    curl.easy_setopt(easy, CURLOPT_BUFFERSIZE, 256L * 1024);
    curl.easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_arrived);
    curl.easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
    curl.easy_setopt(easy, CURLOPT_WRITEFUNCTION, body_arrived);
    curl.easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
}

/* Also wipes the header lines, which may hold a secret. */
static void release_handle(struct transfer *transfer) {
    for (struct curl_slist *at = transfer->header_lines; at; at = at->next)
        memory_wipe(at->data, strlen(at->data));
    if (transfer->easy)
        curl.easy_cleanup(transfer->easy);
    curl.slist_free_all(transfer->header_lines);
    transfer->easy = transfer->header_lines = NULL;
}

int transfer_start(struct transfer_pool *pool, struct transfer *transfer, struct error *error) {
    transfer->easy = curl.easy_init();
    if (!transfer->easy)
        return error_set(error, ERROR_INTERNAL, "libcurl gives no handle");
    size_t limit = transfer->request->response_limit;
    transfer->response->body = BUFFER(limit ? limit : BODY_LIMIT);
    transfer->response->body.secret = transfer->request->secret_response;
    set_rest(transfer);
    set_security(transfer);
    set_method_and_body(transfer);
    if (set_headers(transfer, error) < 0) {
        release_handle(transfer);
        return -1;
    }
    if (curl.multi_add_handle(pool->multi, transfer->easy) != CURLM_OK) {
        release_handle(transfer);
        return error_set(error, ERROR_INTERNAL, "libcurl does not take a request");
    }
    return 0;
}

void transfer_abandon(struct transfer_pool *pool, struct transfer *transfer) {
    if (!transfer->easy)
        return;
    curl.multi_remove_handle(pool->multi, transfer->easy);
    release_handle(transfer);
}

static void explain(struct transfer *transfer, CURLcode code) {
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
        transfer->outcome = TRANSFER_NOT_CONNECTED;
        transfer->was_refused = code == CURLE_COULDNT_CONNECT;
        break;
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_SSL_CONNECT_ERROR:
        transfer->outcome = TRANSFER_BROKEN;
        break;
    default:
        transfer->outcome = TRANSFER_FAILED;
    }
    enum error_kind kind = code == CURLE_OPERATION_TIMEDOUT ? ERROR_TIMEOUT : ERROR_UNAVAILABLE;
    if (code == CURLE_WEIRD_SERVER_REPLY || code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_BAD_CONTENT_ENCODING)
        kind = ERROR_PROTOCOL;
    if (code == CURLE_SSL_CACERT_BADFILE)
        kind = ERROR_CONFIGURATION;
    error_set(&transfer->error, kind, "%s", transfer->detail[0] ? transfer->detail : curl.easy_strerror(code));
    if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CACERT_BADFILE)
        error_next(&transfer->error, "if the host uses its own certificate authority, name its file in SSL_CERT_FILE");
}

static void finish(struct transfer *transfer, CURLcode code) {
    curl.easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &transfer->response->status);
    if (code == CURLE_OK || transfer->is_cut) {
        transfer->outcome = TRANSFER_ANSWERED;
        error_clear(&transfer->error);
    } else if (transfer->error.kind != ERROR_NONE) {
        transfer->outcome = TRANSFER_FAILED;
    } else {
        explain(transfer, code);
    }
}

struct transfer *transfer_next(struct transfer_pool *pool, int wait) {
    for (int round = 0; round < 2; round++) {
        int running = 0, left = 0;
        if (round && wait > 0)
            curl.multi_poll(pool->multi, NULL, 0, wait, NULL);
        curl.multi_perform(pool->multi, &running);
        for (CURLMsg *message; (message = curl.multi_info_read(pool->multi, &left));) {
            if (message->msg != CURLMSG_DONE)
                continue;
            struct transfer *transfer = NULL;
            CURLcode code = message->data.result;
            curl.easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
            finish(transfer, code);
            transfer_abandon(pool, transfer);
            return transfer;
        }
        if (!wait)
            break;
    }
    return NULL;
}

char *url_resolve(const char *base, const char *location) {
    if (load_curl(NULL) < 0)
        return NULL;
    CURLU *url = curl.url();
    char *whole = NULL, *result = NULL;
    if (url && curl.url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK &&
        curl.url_set(url, CURLUPART_URL, location, 0) == CURLUE_OK &&
        curl.url_get(url, CURLUPART_URL, &whole, 0) == CURLUE_OK) {
        struct url_parts parts;
        if (url_split(whole, &parts))
            result = text_copy(whole);
    }
    curl.free(whole);
    curl.url_cleanup(url);
    return result;
}
