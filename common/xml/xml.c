#include "common/xml/xml.h"

#include "common/base/text.h"
#include "common/crypto/random.h"

#include <expat.h>
#include <string.h>

enum { BLOCK = 64 * 1024 };

struct xml_reader {
    XML_Parser parser;
    struct xml_handler handler;
    const char *what;
    uint64_t fed, byte_limit;
    unsigned depth;
    bool failed;
    struct error error; /* what stopped the parser */
};

/* Stops the parser; the first reason is kept. */
static void stop(struct xml_reader *reader, const struct error *error) {
    if (!reader->failed)
        reader->error = *error;
    reader->failed = true;
    XML_StopParser(reader->parser, XML_FALSE);
}

static void refuse(struct xml_reader *reader, const char *why) {
    struct error error;
    error_set(&error, ERROR_DATA, "%s:%lu:%lu: %s", reader->what, XML_GetCurrentLineNumber(reader->parser),
              XML_GetCurrentColumnNumber(reader->parser) + 1, why);
    stop(reader, &error);
}

/* expat still delivers the end of an empty element after it was stopped: nothing of it is passed on. */
static void on_open(void *context, const XML_Char *name, const XML_Char **attributes) {
    struct xml_reader *reader = context;
    struct error error = {0};
    if (reader->failed)
        return;
    if (++reader->depth > XML_DEPTH_LIMIT)
        refuse(reader, "elements are nested too deep");
    else if (reader->handler.open &&
             reader->handler.open(reader->handler.context, name, (const char *const *)attributes, &error) < 0)
        stop(reader, &error);
}

static void on_close(void *context, const XML_Char *name) {
    struct xml_reader *reader = context;
    struct error error = {0};
    if (reader->failed)
        return;
    reader->depth--;
    if (reader->handler.close && reader->handler.close(reader->handler.context, name, &error) < 0)
        stop(reader, &error);
}

static void on_text(void *context, const XML_Char *text, int length) {
    struct xml_reader *reader = context;
    if (!reader->failed && reader->handler.text)
        reader->handler.text(reader->handler.context, text, (size_t)length);
}

static void on_document_type(void *context, const XML_Char *name, const XML_Char *system, const XML_Char *public,
                             int has_subset) {
    (void)name, (void)system, (void)public, (void)has_subset;
    refuse(context, "a document type declaration is not accepted");
}

struct xml_reader *xml_reader_new(const char *what, uint64_t byte_limit, const struct xml_handler *handler) {
    struct xml_reader *reader = memory_allocate(1, sizeof(*reader));
    unsigned long salt;
    *reader = (struct xml_reader){
        .parser = XML_ParserCreate(NULL), .handler = *handler, .what = what, .byte_limit = byte_limit};
    if (!reader->parser)
        abort();
    random_bytes(&salt, sizeof(salt));
    XML_SetHashSalt(reader->parser, salt | 1);
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, on_open, on_close);
    XML_SetCharacterDataHandler(reader->parser, on_text);
    XML_SetStartDoctypeDeclHandler(reader->parser, on_document_type);
    XML_SetParamEntityParsing(reader->parser, XML_PARAM_ENTITY_PARSING_NEVER);
    return reader;
}

void xml_reader_release(struct xml_reader **reader) {
    if (!*reader)
        return;
    XML_ParserFree((*reader)->parser);
    free(*reader);
    *reader = NULL;
}

static int fail(struct xml_reader *reader, struct error *error) {
    if (!reader->failed)
        refuse(reader, XML_ErrorString(XML_GetErrorCode(reader->parser)));
    reader->failed = true;
    if (error)
        *error = reader->error;
    return -1;
}

/* What expat holds back because its end has not come yet. */
static uint64_t pending(const struct xml_reader *reader) {
    XML_Index at = XML_GetCurrentByteIndex(reader->parser);
    return at < 0 || (uint64_t)at > reader->fed ? 0 : reader->fed - (uint64_t)at;
}

static int feed_block(struct xml_reader *reader, const char *data, size_t length, struct error *error) {
    reader->fed += length;
    if (reader->fed > reader->byte_limit) {
        error_set(&reader->error, ERROR_DATA, "%s is larger than %llu bytes", reader->what,
                  (unsigned long long)reader->byte_limit);
        reader->failed = true;
        return fail(reader, error);
    }
    if (XML_Parse(reader->parser, data, (int)length, 0) != XML_STATUS_OK)
        return fail(reader, error);
    if (pending(reader) > XML_TOKEN_LIMIT) {
        refuse(reader, "a tag or a comment is too long");
        return fail(reader, error);
    }
    return 0;
}

int xml_feed(struct xml_reader *reader, const void *data, size_t length, struct error *error) {
    const char *at = data;
    for (size_t left = length; left > 0;) {
        size_t size = left < BLOCK ? left : BLOCK;
        if (reader->failed || feed_block(reader, at, size, error) < 0)
            return fail(reader, error);
        at += size;
        left -= size;
    }
    return 0;
}

int xml_finish(struct xml_reader *reader, struct error *error) {
    if (reader->failed || XML_Parse(reader->parser, NULL, 0, 1) != XML_STATUS_OK)
        return fail(reader, error);
    return 0;
}

const char *xml_attribute(const char *const *attributes, const char *name) {
    for (size_t i = 0; attributes[i]; i += 2)
        if (text_equal(attributes[i], name))
            return attributes[i + 1];
    return NULL;
}
