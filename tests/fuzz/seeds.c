/* seeds FOLDER: what fuzzing begins with, made on the spot: FOLDER/TARGET/...
 * for each target, and FOLDER/TARGET.dict with the words of its format.
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/status.h"
#include "base/str.h"
#include "graft/model.h"
#include "report/report.h"
#include "seeds.h"
#include "task/card.h"

static const char *root;

void seed_ok(int status)
{
    if (!status)
        return;
    fprintf(stderr, "seeds: %s\n", graft_error_message());
    exit(1);
}

void seed_put(const char *target, const char *name, const void *data,
              size_t n)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", root, target);
    seed_ok(graft_folder_make(path));
    snprintf(path, sizeof path, "%s/%s/%s", root, target, name);
    seed_ok(graft_file_write(path, data, n, GRAFT_WRITE_REPLACE));
}

void seed_words(const char *target, const char *const *words)
{
    struct graft_str s;
    char path[4096];
    graft_str_init(&s);
    for (; *words; words++) {
        graft_str_add(&s, "\"");
        for (const char *c = *words; *c; c++)
            graft_str_addf(&s, "\\x%02x", (unsigned char)*c);
        graft_str_add(&s, "\"\n");
    }
    seed_ok(graft_str_ok(&s));
    snprintf(path, sizeof path, "%s/%s.dict", root, target);
    seed_ok(graft_file_write(path, s.at, s.n, GRAFT_WRITE_REPLACE));
    graft_str_release(&s);
}

/* ---- EXIF ---------------------------------------------------------------- */

static void exif(void)
{
    static const char *const words[] = {"II*", "MM", "\x12\x01\x03", "Exif",
                                        NULL};
    uint8_t little[] = {'I', 'I', '*', 0, 8, 0, 0, 0, 2, 0,
                        0x0f, 1, 2, 0, 1, 0, 0, 0, 'x', 0, 0, 0,
                        0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0};
    uint8_t big[] = {'M', 'M', 0, '*', 0, 0, 0, 8, 0, 1,
                     1, 0x12, 0, 3, 0, 0, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0};
    seed_put("exif", "little", little, sizeof little);
    seed_put("exif", "big", big, sizeof big);
    seed_words("exif", words);
}

/* ---- NumPy --------------------------------------------------------------- */

static void npy(void)
{
    static const char *const words[] = {
        "\x93NUMPY", "'descr': ", "'<f4'", "'fortran_order': ", "False",
        "'shape': ", "(2, 3)", "()", "(1,)", "9223372036854775807", "-1",
        NULL};
    static const float x[24] = {1, -2, 0.5f};
    static const int64_t shapes[][4] = {{24}, {4, 6}, {1, 2, 3, 4}, {0, 7}};
    for (int i = 0; i < 4; i++) {
        char path[4096], name[] = "shape-0";
        struct graft_array a = {.data = x};
        a.rank = i == 0 ? 1 : i == 2 ? 4 : 2;
        memcpy(a.dim, shapes[i], sizeof shapes[i]);
        name[6] = (char)('0' + i);
        seed_put("npy", name, "", 0);
        snprintf(path, sizeof path, "%s/npy/%s", root, name);
        seed_ok(graft_npy_write(&a, path, true));
    }
    seed_words("npy", words);
}

/* ---- cards --------------------------------------------------------------- */

static void card_of(const char *name, enum graft_fit fit, bool bgr)
{
    static char *labels[] = {"cat", "h\xc3\xa4user", "tiger"};
    static struct graft_dim in[] = {{-1, "N"}, {3, NULL}, {8, NULL},
                                    {6, NULL}};
    static struct graft_dim out[] = {{-1, "N"}, {3, NULL}};
    struct graft_value input = {.name = "x", .dim = in, .rank = 4};
    struct graft_value output = {.name = "y", .dim = out, .rank = 2};
    struct graft_preprocess p;
    struct graft_report *r = NULL;
    char *text = NULL;
    seed_ok(graft_preprocess_preset(&p, "imagenet", 6, 8));
    p.fit = fit;
    p.bgr = bgr;
    p.resize = 9;
    seed_ok(graft_report_new(&r, labels, 3));
    r->correct = 41;
    r->total = 59;
    struct graft_card_facts f = {.report = r, .preprocess = &p,
                                 .input = &input, .output = &output,
                                 .logits = bgr, .exact = bgr};
    seed_ok(graft_card_write(&text, &f));
    graft_report_free(r);
    seed_put("card", name, text, strlen(text));
    graft_free(text);
}

static void cards(void)
{
    static const char *const words[] = {
        "\"schema\"", "\"graft-card/1\"", "\"task\"", "\"classify\"",
        "\"labels\"", "\"preprocess\"", "\"width\"", "\"height\"",
        "\"resize\"", "\"fit\"", "\"crop\"", "\"squash\"", "\"pad\"",
        "\"order\"", "\"rgb\"", "\"bgr\"", "\"grey\"", "\"mean\"", "\"std\"",
        "\"pad_value\"", "\"output\"", "\"name\"", "\"kind\"",
        "\"probabilities\"", "\"logits\"", "\"accuracy\"", "\"total\"",
        "\"correct\"", "\"value\"", "\"log_loss\"", "\"split\"",
        "\"folder\"", "\"seed\"", "\"decode\"", "\"fast\"", "\"exact\"",
        "null", "1e999", "1e-400", "-1", "2147483648", "\\u0000",
        "\\ud800", "[[[[", "{\"a\":", NULL};
    card_of("crop", GRAFT_FIT_CROP, false);
    card_of("squash", GRAFT_FIT_SQUASH, true);
    card_of("pad", GRAFT_FIT_PAD, true);
    seed_words("card", words);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fputs("usage: seeds FOLDER\n", stderr);
        return 2;
    }
    root = argv[1];
    exif();
    npy();
    cards();
    seed_models();
    seed_pictures();
    return 0;
}
