/* Programs: compiling one, and what the caller sees of it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "program/program_impl.h"

static const char *const optional[] = {"tidy", "fold",   "recognise",
                                       "fuse", "layout", "segment"};

uint64_t graft_pass_bit(const char *name)
{
    for (size_t i = 0; i < sizeof optional / sizeof *optional; i++) {
        if (strcmp(optional[i], name))
            continue;
        for (int k = 0; graft_passes[k].name; k++)
            if (strcmp(graft_passes[k].name, name) == 0)
                return (uint64_t)1 << k;
    }
    return 0;
}

static int check_options(const struct graft_program *p)
{
    const struct graft_compile *o = &p->options;
    if (o->n_max < 1)
        return graft_fail(GRAFT_EARG, "a batch of %d images", o->n_max);
    if (o->train && o->store && o->train->store != o->store)
        return graft_fail(GRAFT_EARG, "selection and program belong to "
                          "different stores");
    if (o->store && graft_store_model(o->store) != o->model)
        return graft_fail(GRAFT_EARG, "the store belongs to another model");
    return GRAFT_OK;
}

static int find_store(struct graft_program *p)
{
    const struct graft_compile *o = &p->options;
    p->c.store = o->store ? o->store : o->train ? o->train->store : NULL;
    if (p->c.store)
        return GRAFT_OK;
    int status = graft_store_new(&p->own_store, o->model, p->rt);
    p->c.store = p->own_store;
    return status;
}

static int compile(struct graft_program *p)
{
    struct graft_compiler *c = &p->c;
    int status = GRAFT_OK;
    for (int k = 0; !status && graft_passes[k].name; k++) {
        uint64_t bit = (uint64_t)1 << k;
        c->skip = p->options.skip_passes & bit &&
                  graft_pass_bit(graft_passes[k].name) == bit;
        status = graft_passes[k].run(c);
    }
    return status;
}

/* Lists the caller gave are only valid while compiling. */
static void forget_lists(struct graft_program *p)
{
    p->options.inputs = NULL;
    p->options.outputs = p->options.want_grad = p->options.feeds = NULL;
    p->options.loss = NULL;
}

int graft_program_new(struct graft_program **out, struct graft_runtime *rt,
                      const struct graft_compile *o)
{
    rt = graft_runtime_or_default(rt);
    struct graft_program *p = rt ? graft_calloc(1, sizeof *p) : NULL;
    if (!p)
        return GRAFT_EMEM;
    p->rt = rt;
    p->options = *o;
    p->c.rt = rt;
    p->c.options = &p->options;
    p->c.model = o->model;
    p->c.n_max = o->n_max;
    p->c.kernels = graft_kernels_for(rt->isa);
    int status = check_options(p);
    if (!status)
        status = find_store(p);
    if (!status)
        status = compile(p);
    if (!status)
        status = graft_program_bind(p);
    if (!status)
        status = graft_program_bind_norms(p);
    if (status) {
        graft_program_free(p);
        return status;
    }
    forget_lists(p);
    if (!o->plan_only)
        graft_program_run_params(p, true);
    *out = p;
    return GRAFT_OK;
}

void graft_program_rest(struct graft_program *p)
{
    struct graft_memory m;
    graft_program_memory(p, &m);
    graft_alloc_forget(p->block, (size_t)m.block_bytes);
    graft_alloc_forget(p->scratch, (size_t)m.scratch_bytes);
    graft_program_blank(p);
    p->rested = true;
}

void graft_program_free(struct graft_program *p)
{
    if (!p)
        return;
    graft_free(p->block);
    graft_free(p->scratch);
    graft_packs_release(&p->packs);
    graft_array_release(&p->repack);
    graft_array_release(&p->seen);
    graft_array_release(&p->norm);
    graft_free(p->running);
    graft_array_release(&p->c.value);
    graft_array_release(&p->c.step);
    graft_array_release(&p->c.segment);
    graft_array_release(&p->c.buffer);
    graft_array_release(&p->c.dpack);
    graft_arena_release(&p->c.arena);
    graft_store_free(p->own_store);
    graft_free(p);
}

/* ---- views -------------------------------------------------------------- */

int graft_program_n_inputs(const struct graft_program *p)
{
    return p->c.n_inputs;
}

int graft_program_n_outputs(const struct graft_program *p)
{
    return p->c.n_outputs;
}

struct graft_view graft_program_input(const struct graft_program *p, int i)
{
    return graft_value_view(p, p->c.input[i]);
}

graft_value_id graft_program_input_id(const struct graft_program *p, int i)
{
    return p->c.input[i];
}

/* Rows that a run reads, and where they go; tasks are pieces of images. */
struct put {
    const float *rows;
    real *dst;
    int64_t each, stride, channels, pixels, pieces; /* of an image */
};

enum { PUT = 1 << 12 }; /* pixels of a task */

/* IMAGE has the channels of a pixel side by side. */
static void put_piece(void *ctx, int64_t task, int worker)
{
    const struct put *p = ctx;
    const float *restrict src = p->rows + task / p->pieces * p->each;
    real *restrict dst = p->dst + task / p->pieces * p->stride;
    int64_t first = task % p->pieces * PUT, channels = p->channels;
    int64_t end = first + PUT < p->pixels ? first + PUT : p->pixels;
    (void)worker;
    if (channels == 3) { /* nearly always; bounds known make it fast */
        const float *restrict g = src + p->pixels, *restrict b = g + p->pixels;
        for (int64_t i = first; i < end; i++) {
            dst[3 * i] = src[i];
            dst[3 * i + 1] = g[i];
            dst[3 * i + 2] = b[i];
        }
        return;
    }
    for (int64_t c = 0; c < channels; c++)
        for (int64_t i = first; i < end; i++)
            dst[i * channels + c] = src[c * p->pixels + i];
}

void graft_program_put_at(struct graft_program *p, int i, const float *rows,
                          int first, int n)
{
    struct graft_view v = graft_program_input(p, i);
    int64_t each = graft_shape_span(&v.shape, 1, v.shape.rank);
    struct put put = {.rows = rows, .dst = graft_reals(&v), .each = each,
                      .stride = each, .channels = 1, .pixels = each};
    if (v.fmt.layout == GRAFT_IMAGE && v.shape.rank >= 3) {
        put.channels = v.shape.dim[1];
        put.pixels = each / put.channels;
        if (v.fmt.batch_stride)
            put.stride = v.fmt.batch_stride;
    }
    put.pieces = (put.pixels + PUT - 1) / PUT;
    int64_t per_image = p->c.value.at[p->c.input[i]].info.per_image;
    put.dst += first * per_image * put.stride;
    graft_pool_for(p->rt->pool, n * per_image * put.pieces, put_piece, &put);
}

void graft_program_put(struct graft_program *p, int i, const float *rows,
                       int n)
{
    graft_program_put_at(p, i, rows, 0, n);
}

struct graft_view graft_program_output(const struct graft_program *p, int i)
{
    return graft_value_view(p, p->c.output[i]);
}

struct graft_view graft_program_dout(struct graft_program *p, int i)
{
    return graft_gradient_view(p, p->c.output[i]);
}

struct graft_view graft_program_din(struct graft_program *p, int i)
{
    return graft_gradient_view(p, p->c.wanted[i]);
}

bool graft_program_reaches(const struct graft_program *p, int k)
{
    int v = p->c.trained[k];
    return v >= 0 && p->c.value.at[v].info.marked;
}

int64_t graft_program_output_rows(const struct graft_program *p, int i)
{
    return p->c.value.at[p->c.output[i]].info.per_image;
}

int32_t *graft_program_targets(struct graft_program *p)
{
    return p->c.loss_state ? p->c.loss_state->target : NULL;
}

real *graft_program_target_rows(struct graft_program *p)
{
    return p->c.loss_state ? p->c.loss_state->row : NULL;
}

double *graft_program_weights(struct graft_program *p)
{
    return p->c.loss_state ? p->c.loss_state->weight : NULL;
}

double graft_program_loss(const struct graft_program *p)
{
    return p->c.loss_state ? p->c.loss_state->sum : 0;
}

const double *graft_program_losses(const struct graft_program *p)
{
    return p->c.loss_state ? p->c.loss_state->each : NULL;
}

int64_t graft_program_classes(const struct graft_program *p)
{
    return p->c.loss_state ? p->c.loss_state->classes : 0;
}

int graft_program_scores(const struct graft_program *p)
{
    for (int i = 0; p->c.loss_state && i < p->c.n_outputs; i++)
        if (p->c.output[i] == p->c.loss_state->scores)
            return i;
    return 0;
}

int graft_program_n_max(const struct graft_program *p)
{
    return p->c.n_max;
}

void graft_program_memory(const struct graft_program *p,
                          struct graft_memory *out)
{
    int64_t workers = graft_pool_threads(p->rt->pool);
    *out = (struct graft_memory){
        .block_bytes = p->c.block_bytes,
        .live_bytes = p->c.live_bytes,
        .scratch_bytes = (int64_t)p->call_scratch +
                         workers * (int64_t)(p->task_scratch +
                                             p->deep_scratch),
        .pack_bytes = p->pack_bytes,
        .param_bytes = p->param_bytes,
        .segments = p->c.segment.n,
        .steps = p->c.step.n,
        .folded = p->c.folded,
        .fused = p->c.fused};
}
