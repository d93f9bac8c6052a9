/* Did you mean …? */
#include "common/base/text.h"

#include <string.h>

/* Insertions, removals, replacements and swaps of neighbours between two names (optimal string alignment). */
static size_t distance(const char *left, const char *right) {
    enum { LIMIT = 32 };
    size_t rows = strlen(left), columns = strlen(right);
    size_t table[LIMIT + 1][LIMIT + 1];
    if (rows > LIMIT || columns > LIMIT)
        return LIMIT;
    for (size_t i = 0; i <= rows; i++)
        for (size_t j = 0; j <= columns; j++) {
            if (i == 0 || j == 0) {
                table[i][j] = i + j;
                continue;
            }
            size_t best = table[i - 1][j - 1] + (left[i - 1] != right[j - 1]);
            if (table[i - 1][j] + 1 < best)
                best = table[i - 1][j] + 1;
            if (table[i][j - 1] + 1 < best)
                best = table[i][j - 1] + 1;
            bool swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
            if (swapped && table[i - 2][j - 2] + 1 < best)
                best = table[i - 2][j - 2] + 1;
            table[i][j] = best;
        }
    return table[rows][columns];
}

const char *text_nearest(const char *name, const char *const *candidates) {
    const char *nearest = NULL;
    size_t best = strlen(name) / 3 + 1;
    if (best > 3)
        best = 3;
    for (; *candidates; candidates++) {
        bool begins = strlen(name) > 1 && text_starts_with(*candidates, name);
        size_t apart = begins ? 0 : distance(name, *candidates);
        if (apart < best || (apart == best && !nearest)) {
            best = apart;
            nearest = *candidates;
        }
    }
    return nearest;
}
