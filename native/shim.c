/*
 * The one process that stands between a daemon and an instance, so that neither the daemon's death nor its upgrade is
 * noticed by the application.
 *
 * It starts FILE in its own session, with stdout and stderr on two pipes that the shim reads and writes to log files
 * (output.c, log.c), so that no daemon is needed for it. What happens is appended to RUN_DIR/journal, one write() a line,
 * and repeated to the FIFO EVENTS, prefixed by the name of RUN_DIR. The journal is the truth; EVENTS only wakes up a
 * daemon that is there. One that is there and reads nothing, because it is suspended, is told later what it has missed:
 *
 *   shim    PID START_TICKS NOTE AT_MS              this process; NOTE is the daemon's to itself
 *   running PID START_TICKS AT_MS                   exec succeeded
 *   failed  STAGE ERRNO AT_MS                       nothing was executed
 *   exited  CODE|- SIGNAL|- CORE AT_MS USER_MS SYSTEM_MS MAX_RSS_KB     what it had written by then is in the logs
 *   empty   AT_MS                                   no descendant is left
 *   said, notify                                    see channel.c; all that was said before `exited` is before it
 *   lost                                            see output.c
 *
 * Options are
 *
 *   log=PATH                   the folder of out.log and err.log, made where it is missing
 *   log-as=INSTANCE.ATTEMPT    who it is in there
 *   log-own                    not with the other instances: out-INSTANCE.log, err-INSTANCE.log
 *   log-max=BYTES log-every=MS a file above BYTES, with its index, is moved aside, and one that was begun so long ago
 *   log-keep=N log-age=MS      N of those are kept, and none that was written so long ago
 *   log-total=BYTES            of all logs in the folder
 *   cwd=PATH user=UID:GID[:GID,...] note=TEXT
 *   fds=N      N sockets and their spares were inherited (see shim.h) and go on to the application, at the same numbers.
 *              The shim keeps the sockets, so that they survive daemon and launcher, until it leaves (lend.c)
 *   channel    the application can say things over a pipe; its two descriptors follow the sockets
 *   notify     the application can say things as sd_notify
 *
 * Where LISTEN_FDS is in the environment, LISTEN_PID becomes the application's.
 *
 * As a subreaper (Linux) it inherits every orphan of the application, also one that double-forked and called setsid():
 * wait() answering ECHILD is the kernel's own word that nothing is left. SIGTERM, honoured once the application is
 * gone, lets the shim clear RUN_DIR away and leave; it stays for as long as somebody can still write to the pipes.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
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

#include "launch.h"
#include "shim.h"

static const char *const RUN_FILES[] = {"journal", "ready", "unclaimed", "sockets"};

int path_in(char *path, const struct launch *launch, const char *file) {
  int length = snprintf(path, MAX_PATH, "%s/%s", launch->run_dir, file);
  if (length < MAX_PATH) return 0;
  errno = ENAMETOOLONG;
  return -1;
}

enum { MAX_MESSAGE = 1024, JOURNAL_BYTES = 4096, JOURNAL_BLOCK = 4096 };

/* How often a daemon that is behind is looked at. */
enum { TELL_AGAIN_MS = 1000 };

/* The daemon has missed what stands in the journal from FROM on. */
static struct { int is_so; off_t from; } behind;

static int tell(const struct journal *journal, const char *line, size_t length, int wait_ms) {
  char message[MAX_MESSAGE];
  snprintf(message, sizeof message, "%.255s %.*s", journal->name, (int)length, line);
  return tell_daemon(journal->events_path, message, wait_ms);
}

/* Zero: it has missed nothing any more, or is another one, which has read the journal. */
static int catch_up(const struct journal *journal) {
  static char block[JOURNAL_BLOCK];
  if (!behind.is_so) return 0;
  if (!has_daemon_room(journal->events_path)) return -1;
  ssize_t length;
  while ((length = pread(journal->fd, block, sizeof block, behind.from)) > 0) {
    const char *line = block, *end;
    for (; (end = memchr(line, '\n', block + length - line)); line = end + 1) {
      if (tell(journal, line, end + 1 - line, 0) < 0) return -1;
      behind.from += end + 1 - line;
    }
    if (line == block) break;
  }
  behind.is_so = 0;
  return 0;
}

/* FROM: where the journal ended before it. */
static void repeat(const struct journal *journal, const char *line, off_t from, int is_kept) {
  int wait_ms = behind.is_so ? 0 : journal->patience_ms;
  if (behind.is_so && (catch_up(journal) < 0 || is_kept)) return;
  if (tell(journal, line, strlen(line), wait_ms) == 0) return;
  behind.is_so = 1;
  behind.from = from;
}

void journal_repeat(const struct journal *journal, const char *line) {
  repeat(journal, line, lseek(journal->fd, 0, SEEK_END), 0);
}

void journal_hint(const struct journal *journal, const char *line) {
  if (!behind.is_so) tell(journal, line, strlen(line), 0);
}

/* What a full disk has cut off is taken back: the next line would be lost with it. */
static int write_whole(int fd, const char *line) {
  ssize_t length = strlen(line), written = write(fd, line, length);
  if (written == length) return 0;
  if (written > 0 && ftruncate(fd, lseek(fd, 0, SEEK_END) - written) == 0) errno = ENOSPC;
  perror("upkeep-shim: journal");
  return -1;
}

int journal_append(const struct journal *journal, const char *line) {
  off_t from = lseek(journal->fd, 0, SEEK_END);
  int result = journal->fd < 0 ? 0 : write_whole(journal->fd, line);
  repeat(journal, line, from, journal->fd >= 0 && result == 0);
  return result;
}

void fail(const struct launch *launch, const char *stage, int error) {
  char line[96];
  snprintf(line, sizeof line, "failed %s %d %lld\n", stage, error, now_ms());
  journal_append(&launch->journal, line);
  exit(EXIT_OS);
}

/* So that only the application gets them, and later daemons. */
static void claim_sockets(struct launch *launch) {
  for (int fd = FIRST_SOCKET; fd < after_sockets(launch->socket_count); fd++) {
    if (set_close_on_exec(fd, 1) < 0) fail(launch, "sockets", errno);
  }
  if (launch->socket_count > 0) launch->lender = lend_open(launch->run_dir);
}

static void open_channel(struct launch *launch) {
  char path[MAX_PATH];
  uid_t uid = launch->has_user ? launch->uid : (uid_t)-1;
  gid_t gid = launch->has_user ? launch->gid : (gid_t)-1;
  struct channel *channel = &launch->channel;
  if (launch->has_channel && (path_in(path, launch, "app") < 0 || channel_open(channel, path, uid, gid) < 0)) {
    fail(launch, "channel", errno);
  }
  if (launch->has_notices && channel_open_notices(channel, launch->shim_start_ticks) < 0) fail(launch, "notify", errno);
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

static volatile sig_atomic_t was_let_go;

static void on_signal(int signal_number) {
  if (signal_number == SIGTERM) was_let_go = 1;
}

/* Zero: nothing is left to reap. At the end of the application LINE is filled, and its length set. */
static int reap(pid_t application, char *line, size_t size, size_t *length) {
  struct rusage usage;
  int status;
  pid_t pid;
  while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
    if (pid == application) *length = word_exit(line, size, status, &usage);
  }
  return pid == 0 || errno != ECHILD;
}

/* Until something happens, or it is time to tidy up; takes what came. */
static void wait_and_take(struct launch *launch) {
  struct channel *channel = &launch->channel;
  struct pollfd inputs[5] = {{.fd = channel->heard, .events = POLLIN},
                             {.fd = channel->notices, .events = POLLIN},
                             {.fd = launch->lender, .events = POLLIN}};
  int wait_ms = output_expect(&launch->output, inputs + 3);
  if (behind.is_so && (wait_ms < 0 || wait_ms > TELL_AGAIN_MS)) wait_ms = TELL_AGAIN_MS;
  int ready = wait_for_input(inputs, 5, wait_ms);
  catch_up(&launch->journal);
  if (ready > 0) channel_listen(channel, &launch->journal);
  if (ready > 0 && inputs[2].revents) lend(launch->lender, launch->socket_count);
  output_attend(&launch->output, inputs + 3, ready, &launch->journal);
}

/* Reaps the application and every orphan, relays what they say and write, until it is let go. */
static void watch_over(struct launch *launch, pid_t application) {
  int is_empty = 0, is_gone = 0, may_go = 0;
  for (;;) {
    char line[320] = "";
    size_t length = 0;
    int has_children = reap(application, line, sizeof line, &length);
    if (length) is_gone = 1;
    if (!has_children && !is_empty) {
      is_empty = 1;
      /* One line for both, so that a daemon sees at once that nothing was left behind. */
      if (length) line[length - 1] = '|';
      snprintf(line + length, sizeof line - length, "empty %lld\n", now_ms());
    }
    if (line[0]) {
      channel_drain(&launch->channel, &launch->journal);
      output_drain(&launch->output, &launch->journal);
      /* An end that no disk takes has to reach a daemon, however long that is suspended; said twice, it is heard once. */
      if (journal_append(&launch->journal, line) < 0) tell(&launch->journal, line, strlen(line), -1);
    }
    if (may_go) return;
    was_let_go = 0; /* too early: the end of the application was not said yet */
    wait_and_take(launch);
    may_go = was_let_go && is_gone;
  }
}

/* What outlived the application on purpose would be ended by SIGPIPE if nobody read what it writes. */
static void stay_for_survivors(struct launch *launch) {
  for (int fd = FIRST_SOCKET; fd < FIRST_SOCKET + launch->socket_count; fd++) close(fd);
  if (launch->lender >= 0) close(launch->lender);
  launch->lender = -1;
  channel_close(&launch->channel);
  while (output_is_open(&launch->output)) {
    char line[320];
    size_t length = 0;
    reap(0, line, sizeof line, &length);
    wait_and_take(launch);
  }
}

static void clear_away(const struct launch *launch) {
  char path[MAX_PATH];
  for (size_t i = 0; i < sizeof RUN_FILES / sizeof *RUN_FILES; i++) {
    if (path_in(path, launch, RUN_FILES[i]) == 0) unlink(path);
  }
  if (path_in(path, launch, "app") == 0) channel_clear_away(path);
  rmdir(launch->run_dir);
}

static void parse_user(struct launch *launch, char *text) {
  char *rest;
  launch->has_user = 1;
  launch->uid = strtoul(text, &rest, 10);
  launch->gid = *rest == ':' ? strtoul(rest + 1, &rest, 10) : launch->uid;
  while (*rest && launch->group_count < MAX_GROUPS) launch->groups[launch->group_count++] = strtoul(rest + 1, &rest, 10);
}

static int parse_log_writer(struct log_target *log, const char *text) {
  char *rest;
  log->instance = strtoul(text, &rest, 10);
  if (*rest != '.') return -1;
  log->attempt = strtoul(rest + 1, &rest, 10);
  return *rest ? -1 : 0;
}

static int parse_log_option(struct log_target *log, char *option) {
  if (option[0] == '=') log->folder = option + 1;
  else if (!strncmp(option, "-as=", 4)) return parse_log_writer(log, option + 4);
  else if (!strcmp(option, "-own")) log->is_own = 1;
  else if (!strncmp(option, "-max=", 5)) log->max_bytes = atoll(option + 5);
  else if (!strncmp(option, "-keep=", 6)) log->keep = atoi(option + 6);
  else if (!strncmp(option, "-total=", 7)) log->total_bytes = atoll(option + 7);
  else if (!strncmp(option, "-every=", 7)) log->rotate_ms = atoll(option + 7);
  else if (!strncmp(option, "-age=", 5)) log->keep_ms = atoll(option + 5);
  else return -1;
  return log->max_bytes > 0 && log->keep > 0 ? 0 : -1;
}

static int parse_option(struct launch *launch, char *option) {
  if (!strncmp(option, "log", 3)) return parse_log_option(&launch->log, option + 3);
  if (!strncmp(option, "cwd=", 4)) launch->cwd = option + 4;
  else if (!strncmp(option, "user=", 5)) parse_user(launch, option + 5);
  else if (!strncmp(option, "note=", 5)) launch->note = option + 5;
  else if (!strncmp(option, "fds=", 4)) launch->socket_count = atoi(option + 4);
  else if (!strcmp(option, "channel")) launch->has_channel = 1;
  else if (!strcmp(option, "notify")) launch->has_notices = 1;
  else return -1;
  return launch->socket_count < 0 || launch->socket_count > MAX_SOCKETS ? -1 : 0;
}

/* Zero: understood. */
static int parse(struct launch *launch, int count, char **arguments) {
  if (count < 4) return -1;
  launch->run_dir = arguments[0];
  launch->journal.events_path = arguments[1];
  launch->journal.name = strrchr(launch->run_dir, '/') ? strrchr(launch->run_dir, '/') + 1 : launch->run_dir;
  launch->note = "-";
  int i = 2;
  for (; i < count && strcmp(arguments[i], "--"); i++) {
    if (parse_option(launch, arguments[i]) < 0) return -1;
  }
  launch->argv = arguments + i + 1;
  return launch->log.folder && i + 1 < count ? 0 : -1;
}

static void set_up_signals(void) {
  const int ignored[] = {SIGPIPE, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU, SIGXFSZ};
  for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
  const int awaited[] = {SIGCHLD, SIGTERM};
  sigset_t blocked; /* but in wait_for_input() */
  sigemptyset(&blocked);
  for (size_t i = 0; i < sizeof awaited / sizeof *awaited; i++) sigaddset(&blocked, awaited[i]);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  for (size_t i = 0; i < sizeof awaited / sizeof *awaited; i++) signal(awaited[i], on_signal);
}

static void open_journal(struct launch *launch) {
  char path[MAX_PATH], line[256];
  if (mkdir(launch->run_dir, 0700) < 0 || path_in(path, launch, "journal") < 0) fail(launch, "run-dir", errno);
  launch->journal.fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (launch->journal.fd < 0) fail(launch, "run-dir", errno);
#ifdef __linux__
  /* So that its end can be said also when the disk is full. */
  if (fallocate(launch->journal.fd, FALLOC_FL_KEEP_SIZE, 0, JOURNAL_BYTES) < 0) { /* a file system that cannot */ }
#endif
  launch->log.begun_ms = now_ms();
  snprintf(line, sizeof line, "shim %d %llu %.64s %lld\n", (int)launch->shim, launch->shim_start_ticks, launch->note,
           launch->log.begun_ms);
  journal_append(&launch->journal, line);
}

int shim_run(int count, char **arguments) {
  struct launch launch = {
      .journal = {.fd = -1, .patience_ms = -1},
      .lender = -1,
      .channel = {.heard = -1, .up = -1, .folder = -1, .notices = -1},
      .log = {.max_bytes = DEFAULT_MAX_BYTES, .keep = DEFAULT_KEEP},
      .shim = getpid(),
      .shim_start_ticks = start_ticks(getpid()),
  };
  if (parse(&launch, count, arguments) < 0) return usage();
  set_up_signals();
#ifdef __linux__
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  prctl(PR_SET_NAME, "upkeep-shim"); /* it may have been executed as /proc/self/exe */
#endif
  open_journal(&launch);
  claim_sockets(&launch);
  open_channel(&launch);
  output_open(&launch.output, &launch.log);
  watch_over(&launch, start_application(&launch));
  clear_away(&launch);
  stay_for_survivors(&launch);
  return 0;
}
