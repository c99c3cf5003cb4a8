/* What the process takes of memory, as the system counts it.
 * SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/io.h"
#include "base/runtime.h"

enum { STATUS_MAX = 8192 };

/* A line "VmHWM:     4711 kB" of /proc/self/status; 0: there is none. */
static uint64_t line_of(const char *name)
{
    char text[STATUS_MAX];
    size_t n = 0;
    int fd = graft_io_open("/proc/self/status", O_RDONLY);
    for (ssize_t got = 1; fd >= 0 && got > 0 && n < sizeof text - 1;) {
        got = graft_io_read(fd, text + n, sizeof text - 1 - n);
        n += got > 0 ? (size_t)got : 0;
    }
    if (fd >= 0)
        graft_io_close(fd);
    text[n] = '\0';
    const char *at = strstr(text, name);
    return at ? (uint64_t)strtoull(at + strlen(name), NULL, 10) * 1024 : 0;
}

/* What getrusage counts begins with what the parent had when it started this
 * process, so it only stands in where there is nothing else. */
uint64_t graft_peak_memory(void)
{
    struct rusage use;
    const uint64_t peak = line_of("\nVmHWM:");
    if (peak)
        return peak;
    return getrusage(RUSAGE_SELF, &use) ? 0 : (uint64_t)use.ru_maxrss * 1024;
}

uint64_t graft_memory_now(void)
{
    const uint64_t now = line_of("\nVmRSS:");
    return now ? now : graft_peak_memory();
}
