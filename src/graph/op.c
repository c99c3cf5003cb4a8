/* The table of operators, found by domain, name and opset version.
 * SPDX-License-Identifier: Apache-2.0 */
#include "graph/op.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* Generated from the names of src/ops/op_*.c: arrays of rows, each ended by
 * a row without a name; NULL ends the list. */
extern const struct graft_op *const graft_op_files[];

enum { MAX_ROWS = 1024 };
static const struct graft_op *rows[MAX_ROWS + 1];
static pthread_once_t rows_once = PTHREAD_ONCE_INIT;

static void gather_rows(void)
{
    int n = 0;
    for (int f = 0; graft_op_files[f]; f++)
        for (const struct graft_op *op = graft_op_files[f]; op->name; op++)
            if (n < MAX_ROWS)
                rows[n++] = op;
    rows[n] = NULL;
}

const struct graft_op *const *graft_op_table(void)
{
    pthread_once(&rows_once, gather_rows);
    return rows;
}

/* "Pad: opset 30; known are 2-10, 11-17, 18 and later" */
static void explain(const char *domain, const char *name, int64_t opset)
{
    char known[300] = "";
    size_t n = 0;
    for (const struct graft_op *const *op = graft_op_table(); *op; op++) {
        if (strcmp((*op)->name, name) || strcmp((*op)->domain, domain) ||
            n > sizeof known - 40)
            continue;
        const char *comma = n ? ", " : "";
        int w = (*op)->until
                    ? snprintf(known + n, sizeof known - n, "%s%d to %d",
                               comma, (*op)->since, (*op)->until)
                    : snprintf(known + n, sizeof known - n,
                               "%s%d and later", comma, (*op)->since);
        n += (size_t)w;
    }
    if (n)
        graft_fail(GRAFT_EUNSUPPORTED, "operator %.60s of opset version %"
                   PRId64 " is not supported; known are %s", name, opset,
                   known);
    else
        graft_fail(GRAFT_EUNSUPPORTED, "operator %.60s%s%.60s is not supported",
                   domain, *domain ? "." : "", name);
}

const struct graft_op *graft_op_find(const char *domain, const char *name,
                                     int64_t opset)
{
    for (const struct graft_op *const *op = graft_op_table(); *op; op++)
        if (!strcmp((*op)->name, name) && !strcmp((*op)->domain, domain) &&
            opset >= (*op)->since &&
            (!(*op)->until || opset <= (*op)->until))
            return *op;
    explain(domain, name, opset);
    return NULL;
}

uint32_t graft_op_saves(const struct graft_op *op, uint32_t asked)
{
    uint32_t mask = op->saves_in;
    for (int i = 0; i < 4; i++)
        if (op->saves_for[i] && !(op->saves_for[i] & asked))
            mask &= ~((uint32_t)1 << i);
    return mask;
}
