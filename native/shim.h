/* What the parts of upkeep-shim share; main.c says what the program is. */
#ifndef UPKEEP_SHIM_H
#define UPKEEP_SHIM_H

#include <stddef.h>

/* sysexits.h */
enum { EXIT_USAGE = 64, EXIT_OS = 71, EXIT_BUSY = 75 };

int usage(void);

/* Says what failed and why on stderr, and exits with EXIT_OS. */
void die(const char *what) __attribute__((noreturn));

long long now_ms(void);

/* To the FIFO that wakes the daemon up. It may be absent, dead or behind: nothing depends on it. */
void tell_daemon(const char *events_path, const char *message);

/* shim.c: runs one application and outlives the daemon. ARGUMENTS: RUN_DIR EVENTS [OPTION...] -- FILE [ARG...] */
int shim_run(int count, char **arguments);

/* launcher.c: starts shims on demand. PROGRAM: the path of this one. */
int launcher_serve(char *program, char *events_path);

/* lock.c: becomes a program under an exclusive lock. */
int lock_run(int count, char **arguments);

#endif
