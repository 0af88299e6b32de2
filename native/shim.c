/*
 * upkeep-shim: the one process that stands between a daemon and an instance, so that
 * neither the daemon's death nor its upgrade is noticed by the application.
 *
 *   upkeep-shim run  RUN_DIR EVENTS [cwd=PATH] [user=UID:GID[:GID,...]] -- FILE [ARG...]
 *   upkeep-shim lock LOCK_FILE -- FILE [ARG...]
 *
 * `run` starts FILE in its own session, with stdout and stderr on two FIFOs in RUN_DIR that
 * the shim holds open: a writer never meets EPIPE, and what the application wrote last waits
 * there until somebody has read it. What happens is appended to RUN_DIR/journal, one write()
 * a line, and repeated to the FIFO EVENTS (prefixed by the name of RUN_DIR) if a daemon
 * listens there; the journal is the truth, EVENTS only wakes the daemon up:
 *
 *   running PID START_TICKS AT_MS                   exec succeeded
 *   failed  STAGE ERRNO AT_MS                       nothing was executed
 *   exited  CODE|- SIGNAL|- CORE AT_MS USER_MS SYSTEM_MS MAX_RSS_KB
 *   empty   AT_MS                                   no descendant is left
 *
 * As a subreaper (Linux) the shim inherits every orphan of the application, also one that
 * double-forked and called setsid(): wait() answering ECHILD is the kernel's own word that
 * nothing is left. SIGTERM, honoured once the application is gone, lets the shim go.
 *
 * `lock` takes an exclusive flock() on LOCK_FILE and becomes FILE, which keeps the lock for
 * as long as it lives; it exits with 75 (EX_TEMPFAIL) at once if somebody else has it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

enum { MAX_GROUPS = 64, EXIT_USAGE = 64, EXIT_OS = 71, EXIT_BUSY = 75 };

struct launch {
  const char *cwd; /* NULL: stay */
  int has_user;
  uid_t uid;
  gid_t gid;
  gid_t groups[MAX_GROUPS];
  size_t group_count;
  char **argv;
};

static const char *run_dir, *events_path, *run_name;
static int journal_fd = -1;

static long long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

static long long to_ms(struct timeval t) { return t.tv_sec * 1000LL + t.tv_usec / 1000; }

static int die(const char *what) {
  fprintf(stderr, "upkeep-shim: %s: %s\n", what, strerror(errno));
  exit(EXIT_OS);
}

static int in_run_dir(char *path, size_t size, const char *name) {
  return snprintf(path, size, "%s/%s", run_dir, name) < (int)size;
}

/* The daemon may be absent (ENXIO), dead (EPIPE) or behind: only the journal must not fail. */
static void tell(const char *line) {
  char message[256];
  int length = snprintf(message, sizeof message, "%s %s", run_name, line);
  if (write(journal_fd, line, strlen(line)) < 0) perror("upkeep-shim: journal");
  int fd = open(events_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return;
  fcntl(fd, F_SETFL, 0);
  if (write(fd, message, length) < 0) { /* the journal has it */ }
  close(fd);
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

/* Opened here, before the privileges go; owned by the user, so that /dev/stdout can be opened again. */
static int open_output(const char *name, const struct launch *launch, int *write_end) {
  char path[4096];
  if (!in_run_dir(path, sizeof path, name)) { errno = ENAMETOOLONG; return -1; }
  if (mkfifo(path, 0600) < 0) return -1;
  if (launch->has_user && chown(path, launch->uid, launch->gid) < 0) return -1;
  int held = open(path, O_RDWR | O_CLOEXEC);
  if (held < 0) return -1;
  *write_end = open(path, O_WRONLY | O_CLOEXEC);
  return *write_end < 0 ? -1 : held;
}

/* Runs in the child. Answers the stage that failed; does not return where all went well. */
static char become_application(const struct launch *launch, int out, int err) {
  setsid();
  for (int signal_number = 1; signal_number < NSIG; signal_number++) signal(signal_number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (dup2(out, 1) < 0 || dup2(err, 2) < 0) return 's';
  if (launch->has_user) {
    if (setgroups(launch->group_count, launch->groups) < 0) return 'u';
    if (setgid(launch->gid) < 0 || setuid(launch->uid) < 0) return 'u';
  }
  if (launch->cwd && chdir(launch->cwd) < 0) return 'c';
  if (getenv("LISTEN_FDS")) {
    char pid[16];
    snprintf(pid, sizeof pid, "%d", (int)getpid());
    setenv("LISTEN_PID", pid, 1);
  }
  execvp(launch->argv[0], launch->argv);
  return 'e';
}

static const char *stage_name(char stage) {
  switch (stage) {
    case 'u': return "user";
    case 'c': return "cwd";
    case 'e': return "exec";
    default: return "stdio";
  }
}

static pid_t start_application(const struct launch *launch, int out, int err) {
  int report[2];
  struct { char stage; int error; } failure;
  if (pipe2(report, O_CLOEXEC) < 0) die("pipe");
  pid_t pid = fork();
  if (pid < 0) die("fork");
  if (pid == 0) {
    failure.stage = become_application(launch, out, err);
    failure.error = errno;
    _exit(write(report[1], &failure, sizeof failure) < 0 ? EXIT_OS : EXIT_OS);
  }
  close(report[1]);
  ssize_t length;
  do length = read(report[0], &failure, sizeof failure);
  while (length < 0 && errno == EINTR);
  close(report[0]);
  char line[160];
  if (length == sizeof failure) {
    waitpid(pid, NULL, 0);
    snprintf(line, sizeof line, "failed %s %d %lld\n", stage_name(failure.stage), failure.error, now_ms());
    tell(line);
    exit(EXIT_OS);
  }
  snprintf(line, sizeof line, "running %d %llu %lld\n", (int)pid, start_ticks(pid), now_ms());
  tell(line);
  return pid;
}

static int exit_line(char *line, size_t size, int status, const struct rusage *usage) {
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
static void watch_over(pid_t application, const sigset_t *awaited) {
  int is_empty = 0, is_gone = 0, may_go = 0;
  while (!(is_gone && may_go)) {
    char line[320] = "";
    size_t length = 0;
    struct rusage usage;
    int status;
    pid_t pid;
    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
      if (pid != application) continue;
      is_gone = 1;
      length = exit_line(line, sizeof line, status, &usage);
    }
    if (pid < 0 && errno == ECHILD && !is_empty) {
      is_empty = 1;
      /* One write for both, so that a daemon sees at once that nothing was left behind. */
      if (length) line[length - 1] = '|';
      snprintf(line + length, sizeof line - length, "empty %lld\n", now_ms());
    }
    if (line[0]) tell(line);
    if (is_gone && may_go) break;
    int received;
    do received = sigwaitinfo(awaited, NULL);
    while (received < 0 && errno == EINTR);
    if (received == SIGTERM && is_gone) may_go = 1;
  }
}

static void parse_user(struct launch *launch, char *text) {
  char *rest;
  launch->has_user = 1;
  launch->uid = strtoul(text, &rest, 10);
  launch->gid = *rest == ':' ? strtoul(rest + 1, &rest, 10) : launch->uid;
  while (*rest && launch->group_count < MAX_GROUPS) launch->groups[launch->group_count++] = strtoul(rest + 1, &rest, 10);
}

static int usage(void) {
  fprintf(stderr, "usage: upkeep-shim run RUN_DIR EVENTS [cwd=PATH] [user=UID:GID[:GID,...]] -- FILE [ARG...]\n"
                  "       upkeep-shim lock LOCK_FILE -- FILE [ARG...]\n");
  return EXIT_USAGE;
}

static int run(int argc, char **argv) {
  struct launch launch = {0};
  if (argc < 6) return usage();
  run_dir = argv[2];
  events_path = argv[3];
  run_name = strrchr(run_dir, '/') ? strrchr(run_dir, '/') + 1 : run_dir;
  int i = 4;
  for (; i < argc && strcmp(argv[i], "--"); i++) {
    if (!strncmp(argv[i], "cwd=", 4)) launch.cwd = argv[i] + 4;
    else if (!strncmp(argv[i], "user=", 5)) parse_user(&launch, argv[i] + 5);
    else return usage();
  }
  if (i + 1 >= argc) return usage();
  launch.argv = argv + i + 1;

  char path[4096];
  if (!in_run_dir(path, sizeof path, "journal")) { errno = ENAMETOOLONG; die(run_dir); }
  journal_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (journal_fd < 0) die(path);

  sigset_t awaited;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGCHLD);
  sigaddset(&awaited, SIGTERM);
  sigprocmask(SIG_BLOCK, &awaited, NULL);
  int ignored[] = {SIGPIPE, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU, SIGXFSZ};
  for (size_t s = 0; s < sizeof ignored / sizeof *ignored; s++) signal(ignored[s], SIG_IGN);
#ifdef __linux__
  prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif

  int out, err;
  if (open_output("out", &launch, &out) < 0 || open_output("err", &launch, &err) < 0) die(run_dir);
  pid_t application = start_application(&launch, out, err);
  close(out);
  close(err);
  watch_over(application, &awaited);
  return 0;
}

static int lock(int argc, char **argv) {
  if (argc < 5 || strcmp(argv[3], "--")) return usage();
  int fd = open(argv[2], O_RDWR | O_CREAT, 0600); /* not close-on-exec: the lock is FILE's */
  if (fd < 0) die(argv[2]);
  if (flock(fd, LOCK_EX | LOCK_NB) < 0) return errno == EWOULDBLOCK ? EXIT_BUSY : die(argv[2]);
  execvp(argv[4], argv + 4);
  return die(argv[4]);
}

int main(int argc, char **argv) {
  if (argc > 1 && !strcmp(argv[1], "run")) return run(argc, argv);
  if (argc > 1 && !strcmp(argv[1], "lock")) return lock(argc, argv);
  return usage();
}
