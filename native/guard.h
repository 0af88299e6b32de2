/* The daemon as its guardian sees it; guard.c says what the two are to each other. */
#ifndef UPKEEP_GUARD_H
#define UPKEEP_GUARD_H

#include <stddef.h>
#include <sys/types.h>

/* What the daemon inherits; it counts on both numbers (src/daemon/guardian.ts). */
enum { LOCK_FD = 3, SOCKET_FD = 4 };

enum { MAX_END_WORDS = 200 };

struct guarded {
  pid_t pid;  /* 0: none could be forked */
  int socket; /* ends with the daemon; -1: there is none */
  size_t heard_length; /* of a line that has not ended yet */
  int is_up;
  long long up_since_ms;
  int said_bye;
  pid_t heir; /* another version that it lets take over, and that shares its socket meanwhile; 0: none */
  /* How it ended. */
  int start_error;
  int has_status;
  int status;
};

long long monotonic_ms(void);

/* REASON: why it is started again; "": it is not. */
void guarded_start(struct guarded *daemon, char **command, const char *reason);
/* One that was started by another guardian. */
void guarded_attach(struct guarded *daemon, pid_t pid);

/* Zero: it is gone. */
int guarded_hear(struct guarded *daemon);
void guarded_let_go(struct guarded *daemon);

/* Also reaps whoever lost its parent. */
void guarded_reap(struct guarded *daemon);

void guarded_word_end(const struct guarded *daemon, const char *program, char words[MAX_END_WORDS]);
/* Ends this process as the daemon ended; answers the exit code where a signal did not. */
int guarded_end_alike(const struct guarded *daemon);

#endif
