/* Bounds, files and the runtime for fuzz targets.
 * SPDX-License-Identifier: Apache-2.0 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/runtime.h"
#include "graft/status.h"

void fuzz_check(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "==FUZZ== broken promise: %s (%s)\n", what,
            graft_error_message());
    abort();
}

void fuzz_status(int status)
{
    fuzz_check(status <= 0, "a status is 0 or negative");
    fuzz_check(status == 0 || *graft_error_message(),
               "a failure says why");
}

struct graft_runtime *fuzz_runtime(void)
{
    static struct graft_runtime *rt;
    struct graft_runtime_options o = GRAFT_RUNTIME_OPTIONS;
    o.threads = 1;
    o.memory_limit = FUZZ_MEMORY;
    if (!rt)
        fuzz_check(graft_runtime_new(&rt, &o) == 0, "a runtime can be made");
    return rt;
}

const char *fuzz_folder(void)
{
    return getenv("GRAFT_FUZZ_FOLDER");
}

const char *fuzz_file(const uint8_t *data, size_t size)
{
    static char path[32];
    static int fd = -1;
    if (fd < 0)
        fd = memfd_create("fuzz", MFD_CLOEXEC);
    fuzz_check(fd >= 0 && ftruncate(fd, 0) == 0 &&
               pwrite(fd, data, size, 0) == (ssize_t)size,
               "a file in memory can be made");
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    return path;
}

static uint64_t cpu_time(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct fuzz_span fuzz_begin(void)
{
    struct graft_alloc_stats s = graft_alloc_stats();
    return (struct fuzz_span){s.live_bytes, s.peak_bytes, cpu_time()};
}

/* The peak only ever rises, so an input shows what it takes when it takes
 * more than all before it: enough to hold all of them to the bound. */
void fuzz_end_memory(const struct fuzz_span *s, uint64_t bytes,
                     bool released)
{
    struct graft_alloc_stats now = graft_alloc_stats();
    fuzz_check(now.peak_bytes == s->most ||
               now.peak_bytes - s->held <= bytes,
               "memory stays within what was promised");
    fuzz_check(!released || now.live_bytes == s->held,
               "all memory is released");
}

void fuzz_end(const struct fuzz_span *s, uint64_t bytes, bool released)
{
    fuzz_check(cpu_time() - s->time < UINT64_C(2000000000),
               "an input takes less than 2 s");
    fuzz_end_memory(s, bytes, released);
}
