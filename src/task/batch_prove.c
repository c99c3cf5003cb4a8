/* Proof that a change of batch changed nothing else: three random images,
 * each alone in the model as it was, then together in the model as it is
 * written, bit for bit (batch.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "base/runtime.h"
#include "onnx/onnx.h"
#include "task/batch.h"

enum { IMAGES = 3 };

struct answer { /* of one output */
    real *data;
    int64_t each;
    bool by_image; /* IMAGES times `each`, else `each` once */
};

struct graft_batch_proof {
    struct graft_runtime *rt;
    const struct graft_batch_plan *plan;
    float **image; /* per feed: IMAGES of them, one after the other */
    int64_t *size; /* of one */
    struct answer *answer;
    int n_answers;
};

/* ---- running ------------------------------------------------------------- */

static int compile(struct graft_program **out,
                   const struct graft_batch_proof *q,
                   const struct graft_model *m, int n_max)
{
    const struct graft_batch_plan *p = q->plan;
    struct graft_input_dims *dims = graft_calloc((size_t)p->n_feeds,
                                                 sizeof *dims);
    if (!dims)
        return GRAFT_EMEM;
    for (int k = 0; k < p->n_feeds; k++)
        dims[k] = (struct graft_input_dims){graft_model_feed(m, k),
                                            p->given[k]};
    struct graft_compile c = {.model = m, .n_max = n_max, .inputs = dims,
                              .n_inputs = p->n_feeds,
                              /* fast ways of convolution are chosen by n_max,
                                 and round each in its own way */
                              .exact = true};
    int status = graft_program_new(out, q->rt, &c);
    graft_free(dims);
    return status;
}

/* Runs n slots; slot i holds image (first + i) % IMAGES. */
static int run(const struct graft_batch_proof *q, struct graft_program *g,
               const struct graft_model *m, int first, int n)
{
    for (int i = 0; i < graft_program_n_inputs(g); i++) {
        int k = 0;
        while (graft_model_feed(m, k) != graft_program_input_id(g, i))
            k++;
        float *rows = graft_malloc((size_t)(n * q->size[k]) * sizeof *rows);
        if (!rows)
            return GRAFT_EMEM;
        for (int s = 0; s < n; s++)
            memcpy(rows + s * q->size[k],
                   q->image[k] + (first + s) % IMAGES * q->size[k],
                   (size_t)q->size[k] * sizeof *rows);
        graft_program_put(g, i, rows, n);
        graft_free(rows);
    }
    int status = graft_runtime_check(q->rt);
    return status ? status : graft_program_forward(g, n);
}

/* ---- before -------------------------------------------------------------- */

static int make_images(struct graft_batch_proof *q)
{
    const struct graft_batch_plan *p = q->plan;
    q->image = graft_calloc((size_t)p->n_feeds, sizeof *q->image);
    q->size = graft_calloc((size_t)p->n_feeds, sizeof *q->size);
    if (!q->image || !q->size)
        return GRAFT_EMEM;
    for (int k = 0; k < p->n_feeds; k++) {
        struct graft_rng_key key = graft_rng_key(1, (uint64_t)k);
        int64_t n = graft_shape_count(&p->given[k]), all;
        if (!graft_mul_size(&all, n, IMAGES * (int64_t)sizeof(float)))
            return graft_fail(GRAFT_ELIMIT, "the model's input is too large "
                              "to try");
        q->size[k] = n;
        q->image[k] = graft_malloc((size_t)all);
        if (!q->image[k])
            return GRAFT_EMEM;
        for (int64_t i = 0; i < n * IMAGES; i++)
            q->image[k][i] = (float)graft_rng_normal(key, (uint64_t)i);
    }
    return GRAFT_OK;
}

static int make_answers(struct graft_batch_proof *q, struct graft_program *g)
{
    q->n_answers = graft_program_n_outputs(g);
    q->answer = graft_calloc((size_t)q->n_answers, sizeof *q->answer);
    if (!q->answer)
        return GRAFT_EMEM;
    for (int k = 0; k < q->n_answers; k++) {
        struct answer *a = &q->answer[k];
        struct graft_view v = graft_program_output(g, k);
        if (v.fmt.dtype != GRAFT_REAL)
            return graft_fail(GRAFT_EUNSUPPORTED, "output %d holds %s, which "
                              "cannot be compared", k,
                              graft_dtype_name((int)v.fmt.dtype));
        a->by_image = graft_program_output_rows(g, k) > 0;
        a->each = graft_count(&v) /
                  (a->by_image ? graft_program_n_max(g) : 1);
        int64_t all;
        if (!graft_mul_size(&all, a->each, IMAGES * (int64_t)sizeof(real)))
            return graft_fail(GRAFT_ELIMIT, "output %d is too large", k);
        a->data = graft_malloc((size_t)all);
        if (!a->data)
            return GRAFT_EMEM;
    }
    return GRAFT_OK;
}

/* The other slots of a file with a larger batch hold other images. */
static int ask_each(struct graft_batch_proof *q, struct graft_program *g)
{
    int status = make_answers(q, g), n = graft_program_n_max(g);
    for (int i = 0; !status && i < IMAGES; i++) {
        status = run(q, g, q->plan->m, i, n);
        for (int k = 0; !status && k < q->n_answers; k++) {
            struct answer *a = &q->answer[k];
            struct graft_view v = graft_program_output(g, k);
            if (a->by_image || !i)
                memcpy(a->data + i * a->each, v.data,
                       (size_t)a->each * sizeof(real));
        }
    }
    return status;
}

int graft_batch_proof_new(struct graft_batch_proof **out,
                          const struct graft_batch_plan *p,
                          struct graft_runtime *rt)
{
    struct graft_program *g = NULL;
    struct graft_batch_proof *q = graft_calloc(1, sizeof *q);
    if (!q)
        return GRAFT_EMEM;
    q->plan = p;
    q->rt = rt;
    int status = make_images(q);
    if (!status)
        status = compile(&g, q, p->m, p->stated ? p->stated : 1);
    if (!status)
        status = ask_each(q, g);
    graft_program_free(g);
    if (status) {
        graft_batch_proof_free(q);
        return status;
    }
    *out = q;
    return GRAFT_OK;
}

void graft_batch_proof_free(struct graft_batch_proof *q)
{
    if (!q)
        return;
    for (int k = 0; q->image && k < q->plan->n_feeds; k++)
        graft_free(q->image[k]);
    for (int k = 0; q->answer && k < q->n_answers; k++)
        graft_free(q->answer[k].data);
    graft_free(q->image);
    graft_free(q->size);
    graft_free(q->answer);
    graft_free(q);
}

/* ---- after --------------------------------------------------------------- */

static int compare(const struct graft_batch_proof *q, struct graft_program *g,
                   int first, int n)
{
    for (int k = 0; k < q->n_answers; k++) {
        const struct answer *a = &q->answer[k];
        struct graft_view v = graft_program_output(g, k);
        bool by_image = graft_program_output_rows(g, k) > 0;
        int64_t each = graft_count(&v) /
                       (by_image ? graft_program_n_max(g) : 1);
        bool same = each == a->each && by_image <= a->by_image;
        for (int s = 0; same && s < (by_image ? n : 1); s++)
            same = !memcmp(graft_reals(&v) + s * each,
                           a->data + (first + s) % IMAGES * each *
                                         a->by_image,
                           (size_t)each * sizeof(real));
        if (!same)
            return graft_fail(GRAFT_EUNSUPPORTED, "tried on random images: "
                              "in a batch of %d output %d is not what it is "
                              "for each image alone", n, k);
    }
    return GRAFT_OK;
}

static int read_again(struct graft_model **out, const struct graft_model *m)
{
    uint8_t *bytes = NULL;
    uint64_t n = 0;
    int status = graft_onnx_encode(&bytes, &n, m);
    if (!status)
        status = graft_onnx_parse(out, m->rt, bytes, n, m->path, NULL);
    graft_free(bytes);
    return status;
}

int graft_batch_proof_check(const struct graft_batch_proof *q,
                            const struct graft_model *edited)
{
    struct graft_model *m = NULL;
    struct graft_program *g = NULL;
    int status = read_again(&m, edited);
    if (!status)
        status = compile(&g, q, m, IMAGES);
    for (int n = 1; !status && n <= IMAGES; n++) {
        status = run(q, g, m, n, n);
        if (!status)
            status = compare(q, g, n, n);
    }
    graft_program_free(g);
    graft_graph_free(m);
    return status;
}
