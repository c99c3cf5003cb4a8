/* The program: picks the command, makes the runtime, hears signals, and is
 * the only place that exits.
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"

/* ---- signals ----------------------------------------------------------------
 * The first one asks the work to end, keeping what can be kept; the second
 * ends the process on the spot. */

static _Atomic int caught;
static graft_runtime *_Atomic running;

static void hear(int number)
{
    if (atomic_exchange(&caught, number))
        _exit(GRAFT_EXIT_SIGNAL + number);
    graft_runtime *rt = atomic_load(&running);
    if (rt)
        graft_runtime_cancel(rt);
}

int graft_cli_signal(void)
{
    return atomic_load(&caught);
}

static void listen_to_signals(void)
{
    static const int asks[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction act;
    memset(&act, 0, sizeof act);
    sigemptyset(&act.sa_mask);
    act.sa_handler = hear;
    act.sa_flags = SA_RESTART;
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        struct sigaction old;
        /* What was ignored stays ignored (nohup). */
        if (!sigaction(asks[i], NULL, &old) && old.sa_handler != SIG_IGN)
            sigaction(asks[i], &act, NULL);
    }
    /* A write that fails is reported where it is written. */
    act.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &act, NULL);
    sigaction(SIGXFSZ, &act, NULL);
}

/* ---- running ------------------------------------------------------------- */

static int work(struct graft_settings *s, const struct graft_command *c)
{
    s->runtime.log = graft_cli_log;
    s->runtime.log_ctx = s;
    int status = graft_runtime_new(&s->rt, &s->runtime);
    if (status)
        return graft_cli_failed(status);
    atomic_store(&running, s->rt);
    if (graft_cli_signal())
        graft_runtime_cancel(s->rt);
    int code = c->run(s);
    atomic_store(&running, NULL);
    graft_cli_progress_clear();
    graft_runtime_free(s->rt);
    return code;
}

static int command(const struct graft_command *c, int argc, const char **argv)
{
    struct graft_settings s = {.l2 = -1, .tune = GRAFT_TUNE_OPTIONS};
    const struct graft_runtime_options runtime = GRAFT_RUNTIME_OPTIONS;
    s.runtime = runtime;
    int code = graft_cli_parse(&s, c, argc, argv);
    if (code)
        return code;
    if (s.help) {
        graft_cli_help_command(stdout, c);
        return GRAFT_EXIT_DONE;
    }
    return work(&s, c);
}

static int begin(int argc, const char **argv)
{
    if (argc < 2) {
        graft_cli_help(stderr);
        return GRAFT_EXIT_USAGE;
    }
    if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") ||
        (!strcmp(argv[1], "help") && argc == 2)) {
        graft_cli_help(stdout);
        return GRAFT_EXIT_DONE;
    }
    if (!strcmp(argv[1], "--version")) {
        printf("graft %s\n", graft_version());
        return GRAFT_EXIT_DONE;
    }
    bool help = !strcmp(argv[1], "help");
    const struct graft_command *c = graft_cli_command(argv[1 + help]);
    if (!c)
        return GRAFT_EXIT_USAGE;
    if (help) {
        graft_cli_help_command(stdout, c);
        return GRAFT_EXIT_DONE;
    }
    return command(c, argc - 2, argv + 2);
}

/* Whoever read our output has gone (graft ... | head -1). The write that
 * failed may be long past and its errno with it; the pipe still knows. */
static bool reader_left(int error)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
    return error == EPIPE ||
           (poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)));
}

/* A full disk or a closed pipe shows when the buffer is written out. The
 * second is what the reader wanted: no message. */
static int flush(int code)
{
    errno = 0;
    bool failed = ferror(stdout) != 0;
    if (fflush(stdout))
        failed = true;
    if (!failed)
        return code;
    int error = errno;
    if (!reader_left(error))
        graft_cli_error("standard output cannot be written: %s",
                        error ? strerror(error) : "input/output error");
    return code == GRAFT_EXIT_DONE ? GRAFT_EXIT_FAILED : code;
}

int main(int argc, char **argv)
{
    listen_to_signals();
    return flush(begin(argc, (const char **)argv));
}
