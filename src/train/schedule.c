/* Learning rates (schedule.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/schedule.h"

#include <math.h>
#include <string.h>

/* ---- rows ---------------------------------------------------------------- */

static double constant(const struct graft_schedule *s, double k)
{
    (void)k;
    return s->learning_rate;
}

static double cosine(const struct graft_schedule *s, double k)
{
    return s->floor + (s->learning_rate - s->floor) *
                          (1 + cos(3.141592653589793 * k)) / 2;
}

static double linear(const struct graft_schedule *s, double k)
{
    return s->learning_rate + (s->floor - s->learning_rate) * k;
}

static const struct row {
    const char *name;
    double (*rate)(const struct graft_schedule *s, double k);
    bool needs_end;
} rows[] = {{"constant", constant, false}, {"cosine", cosine, true},
            {"linear", linear, true}};

static const struct row *find(const char *name)
{
    for (size_t i = 0; name && i < sizeof rows / sizeof *rows; i++)
        if (strcmp(rows[i].name, name) == 0)
            return &rows[i];
    return NULL;
}

int graft_schedule_check(const struct graft_schedule *s)
{
    const struct row *r = find(s->name);
    if (!r)
        return graft_fail(GRAFT_EARG, "no schedule is called '%s'; there are "
                          "constant, cosine, linear", s->name ? s->name : "");
    if (!(s->learning_rate >= 0 && s->learning_rate < 1e6) ||
        !(s->floor >= 0 && s->floor <= s->learning_rate))
        return graft_fail(GRAFT_EARG, "a learning rate from %g down to %g",
                          s->learning_rate, s->floor);
    if (s->warmup_steps < 0)
        return graft_fail(GRAFT_EARG, "%lld steps of warm-up",
                          (long long)s->warmup_steps);
    if (r->needs_end && s->total_steps <= s->warmup_steps)
        return graft_fail(GRAFT_EARG, "schedule '%s' needs more steps (%lld) "
                          "than its warm-up has (%lld)", r->name,
                          (long long)s->total_steps,
                          (long long)s->warmup_steps);
    return GRAFT_OK;
}

double graft_schedule_rate(const struct graft_schedule *s, int64_t step)
{
    const struct row *r = find(s->name);
    if (step < s->warmup_steps)
        return s->learning_rate * (double)(step + 1) /
               (double)s->warmup_steps;
    int64_t length = s->total_steps - s->warmup_steps;
    double k = length > 0
                   ? (double)(step - s->warmup_steps) / (double)length : 0;
    return r->rate(s, k < 1 ? k : 1);
}

/* ---- groups -------------------------------------------------------------- */

/* Position of the first node that reads parameter v. */
static int first_reader(const struct graft_model *m, graft_value_id v)
{
    for (int i = 0; i < m->node.n; i++) {
        const struct graft_node *node = &m->node.at[i];
        for (int k = 0; !node->removed && k < node->n_in; k++)
            if (node->in[k] == v)
                return node->first ? -1 : i;
    }
    return m->node.n;
}

static bool is_matrix(const struct graft_model *m, graft_value_id v)
{
    return graft_parameter(m, v)->shape.rank >= 2;
}

int graft_groups_by_layer(struct graft_selection *s, int *n)
{
    const struct graft_model *m = graft_store_model(s->store);
    int *at = graft_calloc((size_t)s->n + 1, sizeof *at);
    bool *begins = graft_calloc((size_t)s->n + 1, sizeof *begins);
    if (!at || !begins) {
        graft_free(at);
        graft_free(begins);
        return GRAFT_EMEM;
    }
    *n = 0;
    for (int i = 0; i < s->n; i++) {
        at[i] = first_reader(m, s->at[i].value);
        begins[i] = is_matrix(m, s->at[i].value);
        for (int k = 0; k < i; k++)
            if (begins[k] && at[k] == at[i])
                begins[i] = false;
        *n += begins[i];
    }
    for (int i = 0; i < s->n; i++) {
        int before = 0;
        for (int k = 0; k < s->n; k++)
            before += begins[k] && at[k] <= at[i];
        s->at[i].group = before > 0 ? before - 1 : 0;
    }
    *n = *n > 0 ? *n : 1;
    graft_free(at);
    graft_free(begins);
    return GRAFT_OK;
}

void graft_groups_decay(struct graft_group *group, int n, double decay)
{
    double rate = 1;
    for (int k = n - 1; k >= 0; k--) {
        group[k] = (struct graft_group){rate, 1};
        rate *= decay;
    }
}
