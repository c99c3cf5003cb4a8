/* Metadata: the card of a model as anybody may have written it, and the
 * preprocessing that is read from it.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "base/str.h"
#include "data/data.h"
#include "kernels/kernels.h"
#include "task/card.h"

enum { SMALL = 64 };

static void check(const struct graft_card *c)
{
    const struct graft_preprocess *p = &c->preprocess;
    fuzz_check(c->n_labels > 0 && c->task && c->output, "a card is whole");
    for (int i = 0; i < c->n_labels; i++)
        fuzz_check(c->labels[i] != NULL, "each label is a text");
    fuzz_check(p->width > 0 && p->height > 0 && p->resize >= 0 &&
               (p->channels == 1 || p->channels == 3), "sizes are sane");
    for (int i = 0; i < 3; i++)
        fuzz_check(isfinite(p->mean[i]) && p->std[i] > 0 &&
                   isfinite(p->std[i]), "normalisation is finite");
    fuzz_check(c->correct <= c->total, "no more correct than there are");
}

/* The preprocessing does its work on a small picture. */
static void use(const struct graft_preprocess *p)
{
    uint8_t rgb[5 * 7 * 3];
    struct graft_image image = {rgb, 5, 7};
    struct graft_str words;
    if (p->width > SMALL || p->height > SMALL || p->resize > 4 * SMALL)
        return;
    memset(rgb, 100, sizeof rgb);
    float *x = graft_malloc(sizeof *x * 3 * (size_t)p->width *
                            (size_t)p->height);
    if (!x)
        return;
    fuzz_status(graft_image_to_input(x, GRAFT_ROW, &image, p, NULL,
                                     graft_kernels_for(GRAFT_ISA_GENERIC)));
    graft_free(x);
    graft_str_init(&words);
    graft_preprocess_words(p, &words);
    graft_str_release(&words);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct graft_card *c = NULL;
    struct fuzz_span s = fuzz_begin();
    char *text = graft_strndup((const char *)data, size);
    if (!text)
        return 0;
    int status = graft_card_parse(&c, text);
    fuzz_status(status);
    fuzz_check((status == 0) == (c != NULL), "a failure makes no card");
    if (c) {
        check(c);
        use(&c->preprocess);
    }
    graft_card_free(c);
    graft_free(text);
    fuzz_end(&s, 64 * (uint64_t)size + (16u << 20), true);
    return 0;
}
