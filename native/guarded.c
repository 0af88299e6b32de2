/* The daemon below its guardian: starts it, hears it, and tells how it ended. */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "guard.h"
#include "shim.h"

enum { MAX_LINE = 16384, MAX_ARGUMENTS = 64 };

/* Not in the struct: what was never written to costs no memory. */
static char heard[MAX_LINE];

long long monotonic_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Runs in the child; SOCKET is the daemon's end. */
static void become_daemon(char **command, const char *reason, int socket) {
  char guardian[16];
  snprintf(guardian, sizeof guardian, "%d", (int)getppid());
  if (setenv("UPKEEP_GUARDIAN", guardian, 1) < 0) die("memory");
  if (*reason) setenv("UPKEEP_RESTARTED", reason, 1);
  else unsetenv("UPKEEP_RESTARTED");
  setsid(); /* a signal for the group of one of them is not for the other */
  for (int signal_number = 1; signal_number < NSIG; signal_number++) signal(signal_number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  if (dup2(socket, SOCKET_FD) < 0) die("socket");
  if (socket != SOCKET_FD) close(socket);
  execvp(command[0], command);
  dprintf(SOCKET_FD, "failed %d\n", errno);
  _exit(EXIT_OS);
}

void guarded_start(struct guarded *daemon, char **command, const char *reason) {
  int ends[2];
  *daemon = (struct guarded){.socket = -1};
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) {
    daemon->start_error = errno;
    return;
  }
  daemon->socket = ends[0];
  set_close_on_exec(ends[0], 1);
  pid_t pid = fork();
  if (pid == 0) become_daemon(command, reason, ends[1]);
  if (pid < 0) daemon->start_error = errno;
  else daemon->pid = pid;
  close(ends[1]);
}

/* Since when it is up is not known: long enough. */
void guarded_attach(struct guarded *daemon, pid_t pid) {
  *daemon = (struct guarded){.pid = pid, .socket = SOCKET_FD, .is_up = 1};
  set_close_on_exec(SOCKET_FD, 1);
}

/* Returns only where that is not possible. WORDS, each ended by a zero byte. */
static void become_successor(struct guarded *daemon, char *words, const char *end) {
  char *arguments[MAX_ARGUMENTS + 1];
  size_t count = 0;
  for (char *word = words; word < end && count < MAX_ARGUMENTS; word += strlen(word) + 1) arguments[count++] = word;
  arguments[count] = NULL;
  if (count == 0 || dup2(daemon->socket, SOCKET_FD) < 0) return;
  set_close_on_exec(SOCKET_FD, 0);
  alarm(0);
  execv(arguments[0], arguments);
  fprintf(stderr, "upkeep-shim: %s: %s\n", arguments[0], strerror(errno));
  set_close_on_exec(SOCKET_FD, 1);
}

static void obey(struct guarded *daemon) {
  if (!strcmp(heard, "up")) {
    daemon->is_up = 1;
    daemon->up_since_ms = monotonic_ms();
  } else if (!strcmp(heard, "bye")) {
    daemon->said_bye = 1;
  } else if (!strncmp(heard, "failed ", 7)) {
    daemon->start_error = atoi(heard + 7);
  } else if (!strncmp(heard, "heir ", 5)) {
    daemon->heir = atoi(heard + 5);
  } else if (!strcmp(heard, "become")) {
    become_successor(daemon, heard + sizeof "become", heard + daemon->heard_length);
  }
}

/* An heir says itself who it is: a daemon that is killed right after it has started one would not get round to it. */
int heir_run(int count, char **arguments) {
  if (count < 2 || strcmp(arguments[0], "--")) return usage();
  signal(SIGPIPE, SIG_IGN); /* the guardian may be gone, and another one on its way */
  dprintf(SOCKET_FD, "heir %d\n", (int)getpid());
  signal(SIGPIPE, SIG_DFL);
  execvp(arguments[1], arguments + 1);
  die(arguments[1]);
}

/* Byte by byte: what follows "become" is for the successor. */
int guarded_hear(struct guarded *daemon) {
  char byte;
  ssize_t length = read(daemon->socket, &byte, 1);
  if (length < 0 && errno == EINTR) return 1;
  if (length <= 0) return 0;
  if (byte != '\n' && daemon->heard_length < sizeof heard - 1) {
    heard[daemon->heard_length++] = byte;
  } else if (byte == '\n') {
    heard[daemon->heard_length] = 0;
    obey(daemon);
    daemon->heard_length = 0;
  }
  return 1;
}

void guarded_reap(struct guarded *daemon) {
  int status;
  pid_t pid;
  while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
    if (pid != daemon->pid) continue;
    daemon->has_status = 1;
    daemon->status = status;
  }
}

/* Its sockets are closed some time before it can be waited for; one that was attached is no child of this process. */
void guarded_let_go(struct guarded *daemon) {
  if (daemon->socket >= 0) close(daemon->socket);
  if (daemon->pid > 0 && !daemon->has_status)
    daemon->has_status = waitpid(daemon->pid, &daemon->status, 0) == daemon->pid;
}

static const char *signal_name(int number, char *other, size_t size) {
  static const char *const NAMES[] = {
      [SIGHUP] = "SIGHUP",   [SIGINT] = "SIGINT",   [SIGQUIT] = "SIGQUIT", [SIGILL] = "SIGILL",   [SIGTRAP] = "SIGTRAP",
      [SIGABRT] = "SIGABRT", [SIGBUS] = "SIGBUS",   [SIGFPE] = "SIGFPE",   [SIGKILL] = "SIGKILL", [SIGUSR1] = "SIGUSR1",
      [SIGSEGV] = "SIGSEGV", [SIGUSR2] = "SIGUSR2", [SIGPIPE] = "SIGPIPE", [SIGALRM] = "SIGALRM", [SIGTERM] = "SIGTERM",
      [SIGXCPU] = "SIGXCPU", [SIGXFSZ] = "SIGXFSZ", [SIGSYS] = "SIGSYS"};
  if (number < (int)(sizeof NAMES / sizeof *NAMES) && NAMES[number]) return NAMES[number];
  snprintf(other, size, "signal %d", number);
  return other;
}

void guarded_word_end(const struct guarded *daemon, const char *program, char words[MAX_END_WORDS]) {
  char other[24];
  if (daemon->start_error)
    snprintf(words, MAX_END_WORDS, "%.120s could not be executed: %s", program, strerror(daemon->start_error));
  else if (!daemon->has_status) snprintf(words, MAX_END_WORDS, "it ended, and nobody saw how");
  else if (WIFSIGNALED(daemon->status))
    snprintf(words, MAX_END_WORDS, "it was killed by %s", signal_name(WTERMSIG(daemon->status), other, sizeof other));
  else snprintf(words, MAX_END_WORDS, "it exited with code %d", WEXITSTATUS(daemon->status));
}

int guarded_end_alike(const struct guarded *daemon) {
  if (daemon->start_error || !daemon->has_status) return EXIT_OS;
  if (WIFEXITED(daemon->status)) return WEXITSTATUS(daemon->status);
  sigset_t none;
  sigemptyset(&none);
  signal(WTERMSIG(daemon->status), SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, NULL);
  kill(getpid(), WTERMSIG(daemon->status));
  return EXIT_OS;
}
