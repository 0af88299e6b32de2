/* What the shim was asked to run; shim.c has the words for it. */
#ifndef UPKEEP_LAUNCH_H
#define UPKEEP_LAUNCH_H

#include "output.h"
#include "shim.h"

/* PATIENCE: how long an application whose words are not taken waits for a daemon that is suspended. */
enum { MAX_GROUPS = 64, PATIENCE_MS = 1000 };

struct launch {
  const char *run_dir;
  const char *note;
  const char *cwd; /* NULL: stay */
  int has_user;
  uid_t uid;
  gid_t gid;
  gid_t groups[MAX_GROUPS];
  size_t group_count;
  int socket_count;
  int lender; /* see lend.c; -1: nothing is lent */
  int has_channel;
  int has_notices;
  char **argv;
  struct journal journal;
  struct channel channel;
  struct log_target log;
  struct output output;
  pid_t shim;
  unsigned long long shim_start_ticks;
};

int path_in(char *path, const struct launch *launch, const char *file);

/* Says that nothing was executed, and exits. */
void fail(const struct launch *launch, const char *stage, int error) __attribute__((noreturn));

/* The number after those of N sockets and their spares. */
int after_sockets(int n);

/* application.c: answers when it was executed. */
pid_t start_application(struct launch *launch);

#endif
