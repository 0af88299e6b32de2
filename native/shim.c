/*
 * The one process that stands between a daemon and an instance, so that neither the daemon's death nor its upgrade is
 * noticed by the application.
 *
 * It starts FILE in its own session, with stdout and stderr on two FIFOs in RUN_DIR that the shim holds open: a writer
 * never meets EPIPE, and what the application wrote last waits there until somebody has read it. What happens is
 * appended to RUN_DIR/journal, one write() a line, and repeated to the FIFO EVENTS, prefixed by the name of RUN_DIR.
 * The journal is the truth; EVENTS only wakes up a daemon that is there:
 *
 *   shim    PID START_TICKS NOTE AT_MS              this process; NOTE is the daemon's to itself
 *   running PID START_TICKS AT_MS                   exec succeeded
 *   failed  STAGE ERRNO AT_MS                       nothing was executed
 *   exited  CODE|- SIGNAL|- CORE AT_MS USER_MS SYSTEM_MS MAX_RSS_KB
 *   empty   AT_MS                                   no descendant is left
 *
 * As a subreaper (Linux) it inherits every orphan of the application, also one that double-forked and called setsid():
 * wait() answering ECHILD is the kernel's own word that nothing is left. SIGTERM, honoured once the application is
 * gone, lets the shim clear RUN_DIR away and leave.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

#include "shim.h"

enum { MAX_GROUPS = 64, MAX_PATH = 4096 };

struct launch {
  const char *run_dir;
  const char *name; /* of run_dir */
  const char *events_path;
  const char *note;
  const char *cwd; /* NULL: stay */
  int has_user;
  uid_t uid;
  gid_t gid;
  gid_t groups[MAX_GROUPS];
  size_t group_count;
  char **argv;
  int journal; /* -1: not open */
};

static const char *const RUN_FILES[] = {"journal", "out", "err", "ready", "unclaimed"};

static int path_in(char *path, const struct launch *launch, const char *file) {
  int length = snprintf(path, MAX_PATH, "%s/%s", launch->run_dir, file);
  if (length < MAX_PATH) return 0;
  errno = ENAMETOOLONG;
  return -1;
}

static void tell(const struct launch *launch, const char *line) {
  char message[512];
  if (launch->journal >= 0 && write(launch->journal, line, strlen(line)) < 0) perror("upkeep-shim: journal");
  snprintf(message, sizeof message, "%s %s", launch->name, line);
  tell_daemon(launch->events_path, message);
}

static void fail(const struct launch *launch, const char *stage, int error) {
  char line[96];
  snprintf(line, sizeof line, "failed %s %d %lld\n", stage, error, now_ms());
  tell(launch, line);
  exit(EXIT_OS);
}

/* Field 22 of /proc/PID/stat; with the pid it names a process for as long as the machine is up. */
static unsigned long long start_ticks(pid_t pid) {
  char path[64], stat[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  ssize_t length = read(fd, stat, sizeof stat - 1);
  close(fd);
  if (length <= 0) return 0;
  stat[length] = 0;
  char *field = strrchr(stat, ')');
  for (int i = 2; field && i < 22; i++) field = strchr(field + 1, ' ');
  return field ? strtoull(field + 1, NULL, 10) : 0;
}

/* Answers the write end; the read and write end that keeps the FIFO alive stays open without a name. */
static int open_output(const struct launch *launch, const char *file) {
  char path[MAX_PATH];
  if (path_in(path, launch, file) < 0 || mkfifo(path, 0600) < 0) fail(launch, "stdio", errno);
  /* Owned by the user, so that /dev/stdout can be opened again. */
  if (launch->has_user && chown(path, launch->uid, launch->gid) < 0) fail(launch, "stdio", errno);
  int held = open(path, O_RDWR | O_CLOEXEC);
  int write_end = held < 0 ? -1 : open(path, O_WRONLY | O_CLOEXEC);
  if (write_end < 0) fail(launch, "stdio", errno);
  return write_end;
}

/* Runs in the child. Answers the stage that failed; does not return where all went well. */
static const char *become_application(const struct launch *launch, int out, int err) {
  setsid();
  for (int signal_number = 1; signal_number < NSIG; signal_number++) signal(signal_number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  int null = open("/dev/null", O_RDONLY);
  if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0) return "stdio";
  if (null > 2) close(null);
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

static pid_t start_application(const struct launch *launch, int out, int err) {
  struct { const char *stage; int error; } failure;
  int report[2];
  if (pipe2(report, O_CLOEXEC) < 0) fail(launch, "fork", errno);
  pid_t pid = fork();
  if (pid < 0) fail(launch, "fork", errno);
  if (pid == 0) {
    failure.stage = become_application(launch, out, err); /* a literal: at the same address in the parent */
    failure.error = errno;
    _exit(write(report[1], &failure, sizeof failure) == sizeof failure ? EXIT_OS : EXIT_USAGE);
  }
  close(report[1]);
  ssize_t length;
  do length = read(report[0], &failure, sizeof failure);
  while (length < 0 && errno == EINTR);
  close(report[0]);
  if (length == sizeof failure) {
    waitpid(pid, NULL, 0);
    fail(launch, failure.stage, failure.error);
  }
  char line[96];
  snprintf(line, sizeof line, "running %d %llu %lld\n", (int)pid, start_ticks(pid), now_ms());
  tell(launch, line);
  return pid;
}

static long long to_ms(struct timeval t) { return t.tv_sec * 1000LL + t.tv_usec / 1000; }

static size_t word_exit(char *line, size_t size, int status, const struct rusage *usage) {
  char code[8] = "-", ended_by[8] = "-";
  int has_core = 0;
  if (WIFEXITED(status)) snprintf(code, sizeof code, "%d", WEXITSTATUS(status));
  if (WIFSIGNALED(status)) {
    snprintf(ended_by, sizeof ended_by, "%d", WTERMSIG(status));
    has_core = WCOREDUMP(status) ? 1 : 0;
  }
  return snprintf(line, size, "exited %s %s %d %lld %lld %lld %ld\n", code, ended_by, has_core, now_ms(),
                  to_ms(usage->ru_utime), to_ms(usage->ru_stime), usage->ru_maxrss);
}

/* Reaps the application and every orphan, says so, and leaves only when it was let go. */
static void watch_over(const struct launch *launch, pid_t application, const sigset_t *awaited) {
  int is_empty = 0, is_gone = 0, may_go = 0;
  for (;;) {
    char line[320] = "";
    size_t length = 0;
    struct rusage usage;
    int status;
    pid_t pid;
    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
      if (pid != application) continue;
      is_gone = 1;
      length = word_exit(line, sizeof line, status, &usage);
    }
    if (pid < 0 && errno == ECHILD && !is_empty) {
      is_empty = 1;
      /* One line for both, so that a daemon sees at once that nothing was left behind. */
      if (length) line[length - 1] = '|';
      snprintf(line + length, sizeof line - length, "empty %lld\n", now_ms());
    }
    if (line[0]) tell(launch, line);
    if (is_gone && may_go) return;
    int received;
    do received = sigwaitinfo(awaited, NULL);
    while (received < 0 && errno == EINTR);
    if (received == SIGTERM && is_gone) may_go = 1;
  }
}

static void clear_away(const struct launch *launch) {
  char path[MAX_PATH];
  for (size_t i = 0; i < sizeof RUN_FILES / sizeof *RUN_FILES; i++) {
    if (path_in(path, launch, RUN_FILES[i]) == 0) unlink(path);
  }
  rmdir(launch->run_dir);
}

static void parse_user(struct launch *launch, char *text) {
  char *rest;
  launch->has_user = 1;
  launch->uid = strtoul(text, &rest, 10);
  launch->gid = *rest == ':' ? strtoul(rest + 1, &rest, 10) : launch->uid;
  while (*rest && launch->group_count < MAX_GROUPS) launch->groups[launch->group_count++] = strtoul(rest + 1, &rest, 10);
}

/* Zero: understood. */
static int parse(struct launch *launch, int count, char **arguments) {
  if (count < 4) return -1;
  launch->run_dir = arguments[0];
  launch->events_path = arguments[1];
  launch->name = strrchr(launch->run_dir, '/') ? strrchr(launch->run_dir, '/') + 1 : launch->run_dir;
  launch->note = "-";
  int i = 2;
  for (; i < count && strcmp(arguments[i], "--"); i++) {
    char *option = arguments[i];
    if (!strncmp(option, "cwd=", 4)) launch->cwd = option + 4;
    else if (!strncmp(option, "user=", 5)) parse_user(launch, option + 5);
    else if (!strncmp(option, "note=", 5)) launch->note = option + 5;
    else return -1;
  }
  launch->argv = arguments + i + 1;
  return i + 1 < count ? 0 : -1;
}

int shim_run(int count, char **arguments) {
  struct launch launch = {.journal = -1};
  if (parse(&launch, count, arguments) < 0) return usage();

  sigset_t awaited;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGCHLD);
  sigaddset(&awaited, SIGTERM);
  sigprocmask(SIG_BLOCK, &awaited, NULL);
  const int ignored[] = {SIGPIPE, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU, SIGXFSZ};
  for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
#ifdef __linux__
  prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif

  char path[MAX_PATH], line[256];
  if (mkdir(launch.run_dir, 0700) < 0 || path_in(path, &launch, "journal") < 0) fail(&launch, "run-dir", errno);
  launch.journal = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (launch.journal < 0) fail(&launch, "run-dir", errno);
  snprintf(line, sizeof line, "shim %d %llu %.64s %lld\n", (int)getpid(), start_ticks(getpid()), launch.note, now_ms());
  tell(&launch, line);

  int out = open_output(&launch, "out"), err = open_output(&launch, "err");
  pid_t application = start_application(&launch, out, err);
  close(out);
  close(err);
  watch_over(&launch, application, &awaited);
  clear_away(&launch);
  return 0;
}
