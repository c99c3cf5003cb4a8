/* Import then export of every model in a folder.
 * SPDX-License-Identifier: Apache-2.0 */
#include "support/suite.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/status.h"
#include "onnx/onnx.h"

enum { PATH = 4096 };

/* The file at `path` has these bytes; it is removed. */
static int is_copy(const char *path, const void *data, uint64_t n)
{
    uint8_t *back = NULL;
    uint64_t size = 0;
    int status = graft_file_read(&back, &size, path, UINT64_MAX);
    if (!status && (size != n || memcmp(back, data, n)))
        status = graft_fail(GRAFT_EFORMAT, "'%s' has other bytes", path);
    graft_free(back);
    unlink(path);
    return status;
}

static int copy(const struct suite *s, const struct graft_model *m)
{
    char path[PATH];
    snprintf(path, sizeof path, "%s/copy.onnx", s->work);
    int status = graft_onnx_save(m, path, NULL);
    if (!status)
        status = is_copy(path, m->blob.at[0].data, m->blob.at[0].size);
    for (int i = 1; !status && i < m->blob.n; i++) {
        const struct graft_blob *b = &m->blob.at[i];
        snprintf(path, sizeof path, "%s/%s", s->work, b->name);
        status = is_copy(path, b->data, b->size);
    }
    return status;
}

/* Encoding what we know of the file gives what copying it gives. Weights that
 * lay outside would come inside. */
static int encode(struct graft_model *m)
{
    uint8_t *bytes = NULL;
    uint64_t n = 0;
    if (m->blob.n > 1)
        return GRAFT_OK;
    m->edited = true;
    int status = graft_onnx_encode(&bytes, &n, m);
    if (!status && (n != m->blob.at[0].size ||
                    memcmp(bytes, m->blob.at[0].data, n)))
        status = graft_fail(GRAFT_EFORMAT, "encoded field by field it has "
                            "other bytes");
    graft_free(bytes);
    return status;
}

static void try(struct suite *s, const char *path)
{
    struct graft_model *m = NULL;
    uint8_t *bytes = NULL;
    uint64_t n = 0;
    int status = graft_file_read(&bytes, &n, path, UINT64_MAX);
    if (!status)
        status = graft_onnx_open(&m, NULL, path);
    if (!status && (m->blob.at[0].size != n ||
                    memcmp(bytes, m->blob.at[0].data, n)))
        status = graft_fail(GRAFT_EFORMAT, "'%s' was read as other bytes",
                            path);
    graft_free(bytes);
    if (!status)
        status = copy(s, m);
    if (!status)
        status = encode(m);
    graft_graph_free(m);
    s->files++;
    s->same += !status;
    if (status)
        s->tell(path, graft_error_message());
}

void suite_round_trip(struct suite *s, const char *folder)
{
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        char path[PATH];
        struct stat st;
        const char *dot = strrchr(e->d_name, '.');
        if (e->d_name[0] == '.' ||
            snprintf(path, sizeof path, "%s/%s", folder, e->d_name) >= PATH ||
            stat(path, &st))
            continue;
        if (S_ISDIR(st.st_mode))
            suite_round_trip(s, path);
        else if (dot && strcmp(dot, ".onnx") == 0)
            try(s, path);
    }
    if (d)
        closedir(d);
}
