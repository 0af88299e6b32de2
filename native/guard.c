/*
 * Keeps a daemon alive: starts it under an exclusive flock() on LOCK_FILE (see lock.c), and again whenever it has ended
 * without having been asked to.
 *
 *   upkeep-shim guard LOCK_FILE -- FILE [ARG...]
 *   upkeep-shim guard LOCK_FILE attached PID -- FILE [ARG...]     for a daemon that has lost its guardian, and that
 *                                                                 passes LOCK_FD and SOCKET_FD on
 *
 * A socket joins the two: whoever is left sees at once that the other one is gone. The daemon says, a line each:
 *
 *   up             it answers. One that ends before it ever said so is its starter's failure: the guardian ends alike
 *   bye            it was asked to end: the guardian leaves with it
 *   failed ERRNO   it could not be executed; said by the child that was to become it
 *   heir PID       another version is about to take over, and shares the socket meanwhile; it says so itself, as
 *                  `upkeep-shim heir -- FILE [ARG...]`, before it becomes FILE
 *   become PATH…   another version has taken over from it: this process becomes that one's guardian. The words are the
 *                  command, and separated by zero bytes
 *
 * The lock is both's, and held for as long as one of them lives. Only while the guardian waits before another start it
 * lets go, for whoever comes with something better (another Node, say). It leaves where somebody has the lock then, or
 * has touched LOCK_FILE, which is how a daemon that is not there is stopped. What it does, it tells to stdout: the log
 * of the daemon.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif
#ifdef __APPLE__
#define st_mtim st_mtimespec
#endif

#include "guard.h"
#include "shim.h"

/* Before the next start. The last one is repeated for ever: the disk may get room, and Node may come back. */
static const int PAUSES_MS[] = {0, 100, 1000, 2000, 5000, 15000};
enum { LAST_PAUSE = sizeof PAUSES_MS / sizeof *PAUSES_MS - 1 };
/* So much life of a daemon that is up makes good for one of its ends: who kills one now and then meets no pause. */
enum { LIFE_PER_PAUSE_MS = 1000 };
/* For an heir that has lost the daemon before it took over: it may hang. */
enum { HEIR_SECONDS = 15 };
/* Who only looks whether the lock is free has it for a moment, too. */
enum { LOCK_TRIES = 10, LOCK_RETRY_MS = 100 };

struct guardian {
  char **command;
  struct guarded daemon;
  int was_up; /* this daemon, or one before it */
  int pause;  /* index of the last one; -1: there was none */
  int failed_starts;
  char cause[MAX_END_WORDS];      /* how the last one ended that had been up */
  char told[MAX_END_WORDS];       /* how the last one ended */
  char reason[3 * MAX_END_WORDS]; /* for the next one */
};

static volatile sig_atomic_t was_asked_to_end, was_alarmed;

static void on_signal(int signal_number) {
  if (signal_number == SIGTERM) was_asked_to_end = 1;
  if (signal_number == SIGALRM) was_alarmed = 1;
}

/* A line of daemon.log, in one write and in the form of src/daemon/log.ts. */
__attribute__((format(printf, 1, 2))) static void note(const char *format, ...) {
  char line[512];
  long long now = now_ms();
  time_t seconds = now / 1000;
  struct tm utc;
  gmtime_r(&seconds, &utc);
  int length = snprintf(line, sizeof line, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ guardian: ", utc.tm_year + 1900,
                        utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, (int)(now % 1000));
  va_list words;
  va_start(words, format);
  length += vsnprintf(line + length, sizeof line - length, format, words);
  va_end(words);
  if (length > (int)sizeof line - 1) length = sizeof line - 1;
  line[length] = '\n';
  if (write(STDOUT_FILENO, line, length + 1) < 0) { /* a full disk: nothing depends on it */ }
}

/* A socket that is still open belongs to the heir of a daemon that has died, which takes over soon or has to go. Zero: it
 * is not known who that is, so it was not told to take over either. */
static int judge_heir(const struct guarded *daemon, int *is_awaited) {
  if (!daemon->has_status) return 1;
  if (!*is_awaited) alarm(HEIR_SECONDS);
  *is_awaited = 1;
  if (!was_alarmed) return 1;
  return daemon->heir > 0 && kill(daemon->heir, SIGKILL) == 0; /* this process is its parent by now */
}

static void watch_over(struct guarded *daemon) {
  struct pollfd input = {.fd = daemon->socket, .events = POLLIN};
  int is_there = daemon->socket >= 0, was_told = 0, is_heir_awaited = 0;
  was_alarmed = 0;
  while (is_there && judge_heir(daemon, &is_heir_awaited)) {
    int ready = wait_for_input(&input, 1, -1);
    guarded_reap(daemon);
    if (was_asked_to_end && !was_told) was_told = daemon->pid > 0 && kill(daemon->pid, SIGTERM) == 0;
    if (ready > 0) is_there = guarded_hear(daemon);
  }
  alarm(0);
  guarded_let_go(daemon);
}

static void choose_pause(struct guardian *guardian) {
  const struct guarded *daemon = &guardian->daemon;
  long long life_ms = daemon->is_up ? monotonic_ms() - daemon->up_since_ms : 0;
  long long pause = guardian->pause + 1 - life_ms / LIFE_PER_PAUSE_MS;
  guardian->pause = pause < 0 ? 0 : pause > LAST_PAUSE ? LAST_PAUSE : (int)pause;
}

static void give_reason(struct guardian *guardian, const char *end) {
  if (guardian->daemon.is_up) {
    guardian->failed_starts = 0;
    snprintf(guardian->cause, sizeof guardian->cause, "%s", end);
    snprintf(guardian->reason, sizeof guardian->reason, "%s", end);
    return;
  }
  int count = ++guardian->failed_starts;
  snprintf(guardian->reason, sizeof guardian->reason, "%s; %d %s since, the last time %s", guardian->cause, count,
           count == 1 ? "start failed" : "starts failed", end);
}

static void tell_end(struct guardian *guardian) {
  char end[MAX_END_WORDS], when[24] = "at once";
  int pause_ms = PAUSES_MS[guardian->pause];
  guarded_word_end(&guardian->daemon, guardian->command[0], end);
  give_reason(guardian, end);
  /* The same failure every 15 seconds is not to fill the disk. */
  if (guardian->failed_starts > LAST_PAUSE && !strcmp(end, guardian->told)) return;
  snprintf(guardian->told, sizeof guardian->told, "%s", end);
  if (pause_ms >= 1000) snprintf(when, sizeof when, "in %d s", pause_ms / 1000);
  else if (pause_ms > 0) snprintf(when, sizeof when, "in %d ms", pause_ms);
  note("daemon %d: %s; it is started again %s", (int)guardian->daemon.pid, end, when);
}

static void sleep_ms(int ms) {
  struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L};
  sigset_t none;
  sigemptyset(&none);
  pselect(0, NULL, NULL, NULL, &time, &none);
}

/* The end of a child is no reason to be early. */
static void wait_out(struct guarded *daemon, int pause_ms) {
  long long end_ms = monotonic_ms() + pause_ms;
  for (long long left = pause_ms; left > 0 && !was_asked_to_end; left = end_ms - monotonic_ms()) {
    sleep_ms(left);
    guarded_reap(daemon);
  }
}

static int take_lock_again(void) {
  for (int i = 0; i < LOCK_TRIES; i++) {
    if (flock(LOCK_FD, LOCK_EX | LOCK_NB) == 0) return 1;
    sleep_ms(LOCK_RETRY_MS);
  }
  note("somebody else has the lock: the daemon is theirs now");
  return 0;
}

/* Zero: no daemon is wanted of this guardian any more. */
static int pause_before_start(struct guardian *guardian) {
  struct stat before, after;
  int pause_ms = PAUSES_MS[guardian->pause];
  if (pause_ms == 0) return !was_asked_to_end;
  if (fstat(LOCK_FD, &before) < 0 || flock(LOCK_FD, LOCK_UN) < 0) die("lock");
  wait_out(&guardian->daemon, pause_ms);
  if (was_asked_to_end || !take_lock_again() || fstat(LOCK_FD, &after) < 0) return 0;
  return !memcmp(&before.st_mtim, &after.st_mtim, sizeof before.st_mtim);
}

/* Zero: somebody else has it. Not close-on-exec: it is the daemon's, too. */
static int take_lock(const char *path) {
  int fd = open(path, O_RDWR | O_CREAT, 0600);
  if (fd < 0 || (fd != LOCK_FD && dup2(fd, LOCK_FD) < 0)) die(path);
  if (fd != LOCK_FD) close(fd);
  if (flock(LOCK_FD, LOCK_EX | LOCK_NB) == 0) return 1;
  if (errno != EWOULDBLOCK) die(path);
  return 0;
}

static void set_up(void) {
  const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2, SIGTSTP, SIGTTIN, SIGTTOU, SIGXFSZ};
  for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++) signal(ignored[i], SIG_IGN);
  const int awaited[] = {SIGCHLD, SIGTERM, SIGALRM};
  sigset_t blocked; /* but while it waits */
  sigemptyset(&blocked);
  for (size_t i = 0; i < sizeof awaited / sizeof *awaited; i++) sigaddset(&blocked, awaited[i]);
  sigprocmask(SIG_BLOCK, &blocked, NULL);
  for (size_t i = 0; i < sizeof awaited / sizeof *awaited; i++) signal(awaited[i], on_signal);
  setsid();
#ifdef __linux__
  prctl(PR_SET_CHILD_SUBREAPER, 1);
#endif
}

/* Its starter waits for the end of this process, and shows the end of the log. */
static int fail_alike(const struct guardian *guardian) {
  char end[MAX_END_WORDS];
  guarded_word_end(&guardian->daemon, guardian->command[0], end);
  if (guardian->daemon.start_error) note("%s", end);
  return guarded_end_alike(&guardian->daemon);
}

static int guard_for_ever(struct guardian *guardian) {
  struct guarded *daemon = &guardian->daemon;
  for (;;) {
    watch_over(daemon);
    if (daemon->is_up) guardian->was_up = 1;
    if (daemon->said_bye || was_asked_to_end) return 0;
    if (!guardian->was_up) return fail_alike(guardian);
    choose_pause(guardian);
    tell_end(guardian);
    if (!pause_before_start(guardian)) return 0;
    guarded_start(daemon, guardian->command, guardian->reason);
  }
}

int guard(int count, char **arguments) {
  struct guardian guardian = {.pause = -1};
  int is_attached = count > 2 && !strcmp(arguments[1], "attached");
  int separator = is_attached ? 3 : 1;
  if (count <= separator + 1 || strcmp(arguments[separator], "--")) return usage();
  guardian.command = arguments + separator + 1;
  close_strays(is_attached ? SOCKET_FD + 1 : LOCK_FD);
  if (!is_attached && !take_lock(arguments[0])) return EXIT_BUSY;
  set_up();
  if (is_attached) guarded_attach(&guardian.daemon, atoi(arguments[2]));
  else guarded_start(&guardian.daemon, guardian.command, "");
  return guard_for_ever(&guardian);
}
