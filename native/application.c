/* Becomes the application: its output, user, folder and descriptors. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "launch.h"
#include "shim.h"

int after_sockets(int n) { return FIRST_SOCKET + (1 + SPARES) * n; }

/* Answers the write end. */
static int open_output(const struct launch *launch, struct stream *stream) {
  int ends[2];
  if (pipe(ends) < 0 || set_close_on_exec(ends[0], 1) < 0 || set_close_on_exec(ends[1], 1) < 0) {
    fail(launch, "stdio", errno);
  }
  /* Owned by the user, so that /dev/stdout can be opened again. */
  if (launch->has_user && fchown(ends[1], launch->uid, launch->gid) < 0) fail(launch, "stdio", errno);
  if (set_nonblocking(ends[0]) < 0) fail(launch, "stdio", errno);
  stream->fd = ends[0];
  return ends[1];
}

/* Runs in the child: what follows after stderr. REPORT is moved out of the way. */
static int hand_over(const struct launch *launch, int *report) {
  int end = after_sockets(launch->socket_count);
  for (int fd = FIRST_SOCKET; fd < end; fd++) {
    if (set_close_on_exec(fd, 0) < 0) return -1;
  }
  int moved = fcntl(*report, F_DUPFD_CLOEXEC, end + 2);
  if (moved < 0) return -1;
  *report = moved;
  return channel_hand_over(&launch->channel, end, launch->shim, launch->shim_start_ticks);
}

/* Runs in the child. Answers the stage that failed; does not return where all went well. */
static const char *become_application(const struct launch *launch, int out, int err, int *report) {
  setsid();
  for (int signal_number = 1; signal_number < NSIG; signal_number++) signal(signal_number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  int null = open("/dev/null", O_RDONLY);
  if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) return "stdio";
  if (null > 2) close(null);
  if (hand_over(launch, report) < 0) return "channel";
  if (launch->has_user) {
    if (setgroups(launch->group_count, launch->groups) < 0) return "user";
    if (setgid(launch->gid) < 0 || setuid(launch->uid) < 0) return "user";
  }
  if (launch->cwd && chdir(launch->cwd) < 0) return "cwd";
  if (getenv("LISTEN_FDS")) {
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("LISTEN_PID", pid, 1);
  }
  execvp(launch->argv[0], launch->argv);
  return "exec";
}

/* Spares are the application's, and so are the descriptors of the channel. */
static void let_go_of_spares(struct launch *launch) {
  for (int fd = FIRST_SOCKET + launch->socket_count; fd < after_sockets(launch->socket_count); fd++) close(fd);
  channel_handed_over(&launch->channel);
}

pid_t start_application(struct launch *launch) {
  struct { const char *stage; int error; } failure;
  int report[2], out = open_output(launch, &launch->output.out), err = open_output(launch, &launch->output.err);
  if (pipe(report) < 0) fail(launch, "fork", errno);
  if (set_close_on_exec(report[0], 1) < 0 || set_close_on_exec(report[1], 1) < 0) fail(launch, "fork", errno);
  pid_t pid = fork();
  if (pid < 0) fail(launch, "fork", errno);
  if (pid == 0) {
    failure.stage = become_application(launch, out, err, &report[1]); /* a literal: at the same address in the parent */
    failure.error = errno;
    _exit(write(report[1], &failure, sizeof failure) == sizeof failure ? EXIT_OS : EXIT_USAGE);
  }
  close(report[1]);
  close(out);
  close(err);
  let_go_of_spares(launch);
  ssize_t length;
  do length = read(report[0], &failure, sizeof failure);
  while (length < 0 && errno == EINTR);
  close(report[0]);
  if (length == sizeof failure) {
    waitpid(pid, NULL, 0);
    fail(launch, failure.stage, failure.error);
  }
  launch->journal.patience_ms = PATIENCE_MS; /* from now on somebody may wait with the shim */
  char line[96];
  snprintf(line, sizeof line, "running %d %llu %lld\n", (int)pid, start_ticks(pid), now_ms());
  journal_append(&launch->journal, line);
  return pid;
}
