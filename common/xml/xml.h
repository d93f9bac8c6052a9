/* The one XML reader (over expat, which only this folder includes): elements and text as they come, nothing is kept.
 *
 * Strict and bounded. Well-formed XML 1.0 in an encoding that expat knows (UTF-8, UTF-16, ISO-8859-1, US-ASCII); names
 * and text arrive in UTF-8. A document type declaration is refused, so that no entity can be declared: there is nothing
 * to expand and nothing to fetch. Elements are nested at most XML_DEPTH_LIMIT deep; one start tag (with all of its
 * attributes), comment or instruction is at most XML_TOKEN_LIMIT bytes, so that memory does not grow with the document.
 *
 *   AUTO_XML struct xml_reader *reader = xml_reader_new("report.xml", 64 << 20, &handler);
 *   while (there is more) if (xml_feed(reader, data, length, error) < 0) return -1;
 *   return xml_finish(reader, error);
 */
#ifndef XML_XML_H
#define XML_XML_H

#include "common/base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { XML_DEPTH_LIMIT = 64, XML_TOKEN_LIMIT = 1 << 20 };

/* Any of them may be NULL. */
struct xml_handler {
    void *context;
    /* attributes: name, value, name, value, …, NULL. -1 with *error ends the reading. */
    int (*open)(void *context, const char *name, const char *const *attributes, struct error *error);
    int (*close)(void *context, const char *name, struct error *error);
    /* Character data of the innermost element, in any pieces. */
    void (*text)(void *context, const char *text, size_t length);
};

struct xml_reader;
/* `what` names the document in errors. It and the handler's context outlive the reader. */
struct xml_reader *xml_reader_new(const char *what, uint64_t byte_limit, const struct xml_handler *handler);
void xml_reader_release(struct xml_reader **reader);
#define AUTO_XML AUTO(xml_reader_release)

/* ERROR_DATA "WHAT:LINE:COLUMN: why", or what a handler said. Nothing may be fed after that. */
int xml_feed(struct xml_reader *reader, const void *data, size_t length, struct error *error) MUST_CHECK;
/* The end of the document: fails when something is still open. */
int xml_finish(struct xml_reader *reader, struct error *error) MUST_CHECK;

/* The value of an attribute, borrowed, or NULL. */
const char *xml_attribute(const char *const *attributes, const char *name);

#endif
