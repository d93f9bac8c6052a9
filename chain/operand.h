/* Operands that are artifacts: a path of the disk, a ref, or what a tool printed ("$(pl-export --path /app)").
 *
 * A ref may be followed by a path inside: directory:sha256:HEX/assets, container:sha256:HEX/etc/passwd. What begins
 * with directory:, file:, container: or { is no path; ./file:x is one. */
#ifndef CHAIN_OPERAND_H
#define CHAIN_OPERAND_H

#include "chain/selection.h"
#include "common/record/record.h"

struct operand {
    struct tree tree; /* what the directory holds, or one file under its own name */
    bool is_directory;
    const char *shown; /* as it was given, borrowed */
};

/* ERROR_DATA: it does not exist, or the store does not have it. The selection counts for directories. */
int operand_open(struct engine *engine, const char *text, const struct selection_options *options,
                 struct operand *operand, struct error *error) MUST_CHECK;
/* The same for what must be a directory, or a file. */
int operand_need(struct engine *engine, const char *text, const struct selection_options *options, bool directory,
                 struct operand *operand, struct error *error) MUST_CHECK;
/* The one file of an operand. */
const struct tree_entry *operand_file(const struct operand *operand);
void operand_release(struct operand *operand);
#define AUTO_OPERAND AUTO(operand_release)

#endif
