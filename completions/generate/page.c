/* Manual pages of docs/: as much of Markdown as those pages have. Headings, paragraphs, lists, tables, fenced blocks;
 * `code`, **bold**, *emphasis* and links in a line. What stands in <!-- --> is left out. */
#include "completions/generate/generate.h"

#include "common/base/version.h"
#include "common/file/file.h"

#include <ctype.h>
#include <string.h>

enum { PAGE_LIMIT = 1 << 20 };

struct page {
    struct buffer *out;
    struct text_list heads; /* of the table that is being read */
    bool at_heading, in_fence, in_table, in_list, in_paragraph, in_comment;
};

/* ---- within a line ---- */

static void append_byte(struct buffer *out, char byte) {
    if (byte == '\\')
        buffer_append_text(out, "\\e");
    else if (byte == '-')
        buffer_append_text(out, "\\-");
    else
        buffer_append_byte(out, byte);
}

/* [text](target): a target of docs/ means nothing in a manual page. */
static const char *append_link(struct buffer *out, const char *text) {
    const char *middle = strstr(text, "]("), *end = middle ? strchr(middle, ')') : NULL;
    if (!end) {
        append_byte(out, '[');
        return text + 1;
    }
    for (const char *at = text + 1; at < middle; at++)
        append_byte(out, *at);
    if (text_starts_with(middle + 2, "http"))
        buffer_append_format(out, " (%.*s)", (int)(end - middle - 2), middle + 2);
    return end + 1;
}

/* A dot or a quote at the beginning of a line would be a request. */
static void append_line(struct buffer *out, const char *text) {
    bool in_code = false, in_font = false;
    if (*text == '.' || *text == '\'')
        buffer_append_text(out, "\\&");
    while (*text) {
        if (*text == '`') {
            in_code = !in_code;
            buffer_append_text(out, in_code ? "\\fB" : "\\fR");
            text++;
        } else if (!in_code && *text == '*') {
            size_t stars = text[1] == '*' ? 2 : 1;
            in_font = !in_font;
            buffer_append_text(out, !in_font ? "\\fR" : stars == 2 ? "\\fB" : "\\fI");
            text += stars;
        } else if (!in_code && *text == '[') {
            text = append_link(out, text);
        } else {
            text += *text == '\\' && text[1] == '|' && !in_code;
            append_byte(out, *text++);
        }
    }
    buffer_append_byte(out, '\n');
}

/* ---- tables ---- */

/* The cells of "| a | b |": a bar within `code` or behind a backslash ends none. */
static void split_cells(const char *line, struct text_list *cells) {
    bool in_code = false;
    const char *begin = line + 1;
    for (const char *at = begin; *at; at++) {
        in_code ^= *at == '`';
        if (*at != '|' || in_code || at[-1] == '\\')
            continue;
        const char *end = at;
        while (begin < end && *begin == ' ')
            begin++;
        while (end > begin && end[-1] == ' ')
            end--;
        text_list_take(cells, text_copy_length(begin, (size_t)(end - begin)));
        begin = at + 1;
    }
}

static void append_row(struct page *page, const char *line) {
    AUTO_LIST struct text_list cells = {0};
    split_cells(line, &cells);
    if (!page->in_table) {
        page->in_table = true;
        text_list_add_all(&page->heads, &cells);
        return;
    }
    if (cells.count == 0 || text_starts_with(cells.items[0], "--"))
        return;
    buffer_append_text(page->out, ".TP\n");
    append_line(page->out, cells.items[0]);
    AUTO_BUFFER struct buffer rest = BUFFER(PAGE_LIMIT);
    for (size_t i = 1; i < cells.count; i++) {
        if (cells.count > 2 && i < page->heads.count)
            buffer_append_format(&rest, "%s%s: ", i > 1 ? "; " : "", page->heads.items[i]);
        buffer_append_text(&rest, cells.items[i]);
    }
    append_line(page->out, buffer_text(&rest));
}

/* ---- blocks ---- */

static void end_block(struct page *page) {
    text_list_release(&page->heads);
    page->in_table = page->in_list = page->in_paragraph = false;
}

static void append_heading(struct page *page, const char *title) {
    AUTO_FREE char *capitals = text_copy(title);
    for (char *at = capitals; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    end_block(page);
    buffer_append_text(page->out, ".SH ");
    append_line(page->out, capitals);
}

static void toggle_fence(struct page *page) {
    page->in_fence = !page->in_fence;
    if (page->in_fence)
        end_block(page);
    buffer_append_text(page->out, page->in_fence ? ".PP\n.nf\n.RS 4\n" : ".RE\n.fi\n");
}

static void append_fenced(struct buffer *out, const char *line) {
    if (*line == '.' || *line == '\'')
        buffer_append_text(out, "\\&");
    for (; *line; line++)
        append_byte(out, *line);
    buffer_append_byte(out, '\n');
}

/* "- text" or "1. text"; what follows the mark, or NULL. */
static const char *list_item(const char *line) {
    size_t digits = strspn(line, "0123456789");
    if (text_starts_with(line, "- "))
        return line + 2;
    return digits && text_starts_with(line + digits, ". ") ? line + digits + 2 : NULL;
}

static void append_text(struct page *page, const char *line) {
    const char *item = list_item(line);
    if (item) {
        buffer_append_text(page->out, isdigit((unsigned char)*line) ? "" : ".IP \\(bu 2\n");
        if (isdigit((unsigned char)*line))
            buffer_append_format(page->out, ".IP %.*s 3\n", (int)strcspn(line, " "), line);
        page->in_list = true;
        append_line(page->out, item);
        return;
    }
    if (!page->in_paragraph && !page->in_list && !page->at_heading)
        buffer_append_text(page->out, ".PP\n");
    page->in_paragraph = !page->in_list;
    append_line(page->out, line + strspn(line, " "));
}

static void append_markdown(struct page *page, const char *line) {
    bool is_heading = !page->in_fence && text_starts_with(line, "## ");
    if (text_starts_with(line, "```"))
        toggle_fence(page);
    else if (page->in_fence)
        append_fenced(page->out, line);
    else if (page->in_comment || text_starts_with(line, "<!--"))
        page->in_comment = !strstr(line, "-->");
    else if (!*line)
        end_block(page);
    else if (is_heading)
        append_heading(page, line + 3);
    else if (*line == '|')
        append_row(page, line);
    else
        append_text(page, line);
    page->at_heading = is_heading || (page->at_heading && !*line);
}

/* ---- the pages ---- */

static const struct {
    const char *name, *section, *source, *summary;
} pages[] = {
    {"pl-records", "5", "records.md", "what flows between the tools of pl"},
    {"pl-configuration", "5", "configuration.md", "where the tools of pl take their options from"},
    {"pl-exit-codes", "7", "exit-codes.md", "how the tools of pl end"},
    {"pl-completions", "7", "completions.md", "what shells complete, and whom they ask"},
};

void append_pages(struct buffer *out) {
    for (size_t i = 0; i < ARRAY_LENGTH(pages); i++)
        buffer_append_format(out, "%s\\fB%s\\fR(%s)", i ? ",\n" : "", pages[i].name, pages[i].section);
    buffer_append_byte(out, '\n');
}

static void write_page(size_t index, const char *text, struct buffer *out) {
    struct page page = {.out = out, .at_heading = true};
    AUTO_LIST struct text_list lines = {0};
    AUTO_FREE char *title = text_copy(pages[index].name);
    for (char *at = title; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    buffer_append_format(out, ".TH %s %s \"%s\" \"pl %s\" \"pl\"\n.SH NAME\n%s \\- %s\n.SH DESCRIPTION\n", title,
                         pages[index].section, PL_DATE, PL_VERSION, pages[index].name, pages[index].summary);
    text_list_split(&lines, text, '\n');
    for (size_t i = 1; i < lines.count; i++) /* the first is the title */
        append_markdown(&page, lines.items[i]);
    end_block(&page);
    buffer_append_text(out, ".SH SEE ALSO\n\\fBpl\\fR(1),\n");
    append_pages(out);
}

int write_pages(const char *folder, const char *docs, struct error *error) {
    for (size_t i = 0; i < ARRAY_LENGTH(pages); i++) {
        AUTO_FREE char *source = path_join(docs, pages[i].source);
        AUTO_FREE char *target = text_format("%s/man/%s.%s", folder, pages[i].name, pages[i].section);
        AUTO_BUFFER struct buffer text = BUFFER(PAGE_LIMIT), out = BUFFER(PAGE_LIMIT);
        if (file_read(source, &text, NULL, error) < 0)
            return -1;
        write_page(i, buffer_text(&text), &out);
        if (buffer_check(&out, target, error) < 0 ||
            file_write_atomic(target, buffer_text(&out), out.length, 0644, error) < 0)
            return -1;
    }
    return 0;
}
