/* What the programs of make proof share (proof.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "proof/proof.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/runtime.h"
#include "onnx/onnx.h"

enum { MOST = 1 << 30 }; /* bytes of a file of numbers */

void proof_need(int status)
{
    if (!status)
        return;
    fprintf(stderr, "%s\n", graft_error_message());
    exit(1);
}

void proof_stop(const char *what, const char *name)
{
    fprintf(stderr, "%s '%s'\n", what, name);
    exit(1);
}

struct proof_numbers proof_numbers(const char *path)
{
    uint8_t *data;
    uint64_t size;
    proof_need(graft_file_read(&data, &size, path, MOST));
    return (struct proof_numbers){(float *)(void *)data,
                                  (int64_t)(size / sizeof(float))};
}

/* ---- what is asked ------------------------------------------------------- */

static void ask(struct proof *p, char *line, uint64_t size)
{
    const char *past = line + size;
    size_t room = (size_t)p->m->value.n * sizeof *p->value;
    p->value = graft_malloc(room);
    p->train = graft_malloc(room);
    p->want = graft_malloc(room);
    if (!p->value || !p->train || !p->want)
        proof_stop("no memory for", "names");
    for (char *end; line < past && p->n < p->m->value.n; line = end + 1) {
        end = memchr(line, '\n', (size_t)(past - line));
        if (!end)
            proof_stop("no end of line in", "NAMES");
        *end = '\0';
        graft_value_id v = graft_value_find(p->m, line);
        if (v < 0)
            proof_stop("the model has no value", line);
        p->value[p->n++] = v;
        if (p->m->value.at[v].tensor >= 0)
            p->train[p->n_train++] = v;
        else
            p->want[p->n_want++] = v;
    }
}

static bool among(char **word, int n, const char *what)
{
    for (int i = 0; i < n; i++)
        if (strcmp(word[i], what) == 0)
            return true;
    return false;
}

void proof_open(struct proof *p, char **word, int n)
{
    struct graft_runtime_options o = GRAFT_RUNTIME_OPTIONS;
    uint8_t *names;
    uint64_t size;
    *p = (struct proof){0};
    o.threads = (int)strtol(word[2], NULL, 10);
    o.exact = among(word + 4, n - 4, "exact");
    proof_need(graft_runtime_new(&p->rt, &o));
    proof_need(graft_onnx_open(&p->m, p->rt, word[0]));
    proof_need(graft_file_read(&names, &size, word[1], MOST));
    ask(p, (char *)names, size);
    graft_free(names);
    proof_need(graft_store_new(&p->store, p->m, p->rt));
    proof_need(graft_selection_new(&p->sel, p->store, p->train,
                                   p->n_train));
    p->compile = (struct graft_compile){
        .model = p->m, .store = p->store, .train = p->sel,
        .n_max = (int)strtol(word[3], NULL, 10), .want_grad = p->want,
        .n_want_grad = p->n_want, .exact = o.exact,
        .bn = among(word + 4, n - 4, "batchnorm") ? GRAFT_BN_BATCH
                                                  : GRAFT_BN_FROZEN};
}

void proof_close(struct proof *p)
{
    graft_selection_free(p->sel);
    graft_store_free(p->store);
    graft_free(p->value);
    graft_free(p->train);
    graft_free(p->want);
    graft_graph_free(p->m);
    graft_runtime_free(p->rt);
}

/* ---- what is found ------------------------------------------------------- */

FILE *proof_create(const char *path)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        proof_stop("cannot write", path);
    return f;
}

void proof_put(FILE *f, const real *x, int64_t n)
{
    if (fwrite(x, sizeof *x, (size_t)n, f) != (size_t)n)
        proof_stop("cannot write", "OUT");
}

void proof_tell_norms(const struct proof *p, const struct graft_program *q)
{
    for (int i = 0; i < graft_program_n_statistics(q); i++) {
        const struct graft_statistics s = graft_program_statistics(q, i);
        printf("norm %s %s %lld %lld\n", p->m->value.at[s.mean].name,
               p->m->value.at[s.var].name, (long long)s.channels,
               (long long)s.count);
    }
}
