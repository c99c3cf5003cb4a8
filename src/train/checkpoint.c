/* The file format of checkpoints (checkpoint.h).
 * SPDX-License-Identifier: Apache-2.0 */
#include "train/checkpoint.h"

#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/status.h"
#include "tensor/shape.h"

#define MAGIC "GRAFTCKP"
enum { VERSION = 1, FIXED = 16, ENTRY = GRAFT_SECTION_NAME + 24, HASH = 16 };

/* ---- little-endian numbers ----------------------------------------------- */

static uint8_t *put(uint8_t *at, uint64_t x, int bytes)
{
    for (int i = 0; i < bytes; i++)
        *at++ = (uint8_t)(x >> 8 * i);
    return at;
}

static uint64_t get(const uint8_t *at, int bytes)
{
    uint64_t x = 0;
    for (int i = 0; i < bytes; i++)
        x |= (uint64_t)at[i] << 8 * i;
    return x;
}

static uint8_t *put_hash(uint8_t *at, struct graft_hash h)
{
    return put(put(at, h.lo, 8), h.hi, 8);
}

static bool is_hash(const uint8_t *at, struct graft_hash h)
{
    return get(at, 8) == h.lo && get(at + 8, 8) == h.hi;
}

/* ---- writing ------------------------------------------------------------- */

static uint64_t head_size(int n)
{
    return FIXED + (uint64_t)n * ENTRY + HASH;
}

static void make_head(uint8_t *head, const struct graft_section *at, int n)
{
    uint8_t *end = head;
    memcpy(end, MAGIC, 8);
    end = put(end + 8, VERSION, 4);
    end = put(end, (uint64_t)n, 4);
    for (int i = 0; i < n; i++) {
        memset(end, 0, GRAFT_SECTION_NAME);
        memcpy(end, at[i].name, strlen(at[i].name));
        end = put(end + GRAFT_SECTION_NAME, at[i].bytes, 8);
        end = put_hash(end, graft_hash(at[i].data, (size_t)at[i].bytes));
    }
    put_hash(end, graft_hash(head, (size_t)(end - head)));
}

int graft_checkpoint_write(const char *path, const struct graft_section *at,
                           int n)
{
    uint8_t head[FIXED + GRAFT_SECTIONS_MAX * ENTRY + HASH];
    struct graft_writer *w = NULL;
    if (n < 0 || n > GRAFT_SECTIONS_MAX)
        return graft_fail(GRAFT_ELIMIT, "a checkpoint of %d sections", n);
    make_head(head, at, n);
    int status = graft_writer_new(&w, path, GRAFT_WRITE_REPLACE);
    if (!status)
        status = graft_writer_put(w, head, head_size(n));
    for (int i = 0; !status && i < n; i++)
        status = graft_writer_put(w, at[i].data, at[i].bytes);
    if (!status)
        status = graft_writer_commit(w);
    graft_writer_free(w);
    return status;
}

/* ---- reading ------------------------------------------------------------- */

static int damaged(const struct graft_checkpoint *c, const char *why)
{
    return graft_fail(GRAFT_EFORMAT, "checkpoint '%s' is damaged: %s",
                      c->path, why);
}

static int check_head(const struct graft_checkpoint *c, uint64_t size,
                      int *n)
{
    if (size < head_size(0) || memcmp(c->file, MAGIC, 8))
        return graft_fail(GRAFT_EFORMAT, "'%s' is no checkpoint", c->path);
    uint64_t version = get(c->file + 8, 4), count = get(c->file + 12, 4);
    if (version != VERSION)
        return graft_fail(GRAFT_EFORMAT, "checkpoint '%s' is of version %u; "
                          "this program reads version %d", c->path,
                          (unsigned)version, VERSION);
    if (count > GRAFT_SECTIONS_MAX || size < head_size((int)count))
        return damaged(c, "its list of sections is cut off");
    uint64_t listed = head_size((int)count) - HASH;
    if (!is_hash(c->file + listed, graft_hash(c->file, (size_t)listed)))
        return damaged(c, "its list of sections has another checksum");
    *n = (int)count;
    return GRAFT_OK;
}

static int check_sections(struct graft_checkpoint *c, uint64_t size, int n)
{
    uint64_t at = head_size(n);
    for (int i = 0; i < n; i++) {
        const uint8_t *entry = c->file + FIXED + (size_t)i * ENTRY;
        struct graft_section *s = &c->section[i];
        memcpy(s->name, entry, GRAFT_SECTION_NAME);
        s->bytes = get(entry + GRAFT_SECTION_NAME, 8);
        if (s->name[GRAFT_SECTION_NAME - 1] ||
            graft_checkpoint_find(c, s->name))
            return damaged(c, "its sections have no proper names");
        if (s->bytes > size - at)
            return graft_fail(GRAFT_EFORMAT, "checkpoint '%s' is damaged: "
                              "section '%s' is cut off", c->path, s->name);
        s->data = c->file + at;
        at += s->bytes;
        if (!is_hash(entry + GRAFT_SECTION_NAME + 8,
                     graft_hash(s->data, (size_t)s->bytes)))
            return graft_fail(GRAFT_EFORMAT, "checkpoint '%s' is damaged: "
                              "section '%s' has another checksum", c->path,
                              s->name);
        c->n++;
    }
    return at == size ? GRAFT_OK
                      : damaged(c, "something follows the last section");
}

int graft_checkpoint_read(struct graft_checkpoint **out, const char *path,
                          uint64_t max)
{
    struct graft_checkpoint *c = graft_calloc(1, sizeof *c);
    if (!c)
        return GRAFT_EMEM;
    uint64_t size = 0;
    int n = 0, status = GRAFT_OK;
    c->path = graft_strdup(path);
    if (!c->path)
        status = GRAFT_EMEM;
    if (!status)
        status = graft_file_read(&c->file, &size, path, max);
    if (!status)
        status = check_head(c, size, &n);
    if (!status)
        status = check_sections(c, size, n);
    if (status) {
        graft_checkpoint_free(c);
        return status;
    }
    *out = c;
    return GRAFT_OK;
}

void graft_checkpoint_free(struct graft_checkpoint *c)
{
    if (!c)
        return;
    graft_free(c->path);
    graft_free(c->file);
    graft_free(c);
}

const struct graft_section *
graft_checkpoint_find(const struct graft_checkpoint *c, const char *name)
{
    for (int i = 0; i < c->n; i++)
        if (strcmp(c->section[i].name, name) == 0)
            return &c->section[i];
    return NULL;
}

int graft_checkpoint_copy(const struct graft_checkpoint *c, const char *name,
                          void *to, uint64_t bytes)
{
    const struct graft_section *s = graft_checkpoint_find(c, name);
    if (!s)
        return graft_fail(GRAFT_EMISMATCH, "checkpoint '%s' has no '%s'",
                          c->path, name);
    if (s->bytes != bytes)
        return graft_fail(GRAFT_EMISMATCH, "checkpoint '%s': '%s' has %llu "
                          "bytes, this training needs %llu", c->path, name,
                          (unsigned long long)s->bytes,
                          (unsigned long long)bytes);
    if (bytes)
        memcpy(to, s->data, (size_t)bytes);
    return GRAFT_OK;
}
