/*
 * Forks shims for the daemon. A fork of the daemon itself costs milliseconds (it copies the page tables of a Node
 * process, and Node waits for the exec); a fork of this small process costs microseconds, and the daemon does not wait.
 *
 * stdin carries requests: a length of 4 bytes (host order), then that many bytes of strings, each ended by a zero byte:
 * the number of arguments, the arguments of `run`, the environment. At the end of stdin, that is with the daemon, the
 * launcher leaves; its shims stay. While it is there it reports each shim that ended, whatever ended it:
 *
 *   - gone PID
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim.h"

enum { MAX_REQUEST = 16 << 20 };

/* The path of this program. */
static const char *self;

static void on_child(int signal_number) { (void)signal_number; /* only ends the wait */ }

static int read_fully(void *buffer, size_t size) {
  for (size_t done = 0; done < size;) {
    ssize_t length = read(STDIN_FILENO, (char *)buffer + done, size - done);
    if (length == 0) return 0;
    if (length < 0 && errno != EINTR) return 0;
    if (length > 0) done += length;
  }
  return 1;
}

/* Points to each of the next `count` strings, from `skip` on; the last pointer is NULL. */
static char **split(char **text, const char *end, size_t skip, size_t count) {
  char **strings = calloc(skip + count + 1, sizeof *strings);
  if (!strings) die("memory");
  for (size_t i = 0; i < count && *text < end; i++) {
    strings[skip + i] = *text;
    *text += strlen(*text) + 1;
  }
  return strings;
}

static size_t count_strings(const char *text, const char *end) {
  size_t count = 0;
  for (; text < end; text++) count += *text == 0;
  return count;
}

/* Executed anew rather than only forked: the pages of the launcher would be paid for by each shim. */
static void become_shim(char *request, size_t size) {
  sigset_t none;
  sigemptyset(&none);
  setsid();
  signal(SIGCHLD, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, NULL);
  int null = open("/dev/null", O_RDWR); /* the requests are not for the shim */
  if (null < 0 || dup2(null, STDIN_FILENO) < 0) die("/dev/null");
  close(null);
  char *text = request, *end = request + size;
  char **count = split(&text, end, 0, 1);
  char **arguments = split(&text, end, 2, count[0] ? atoi(count[0]) : 0);
  arguments[0] = "upkeep-shim";
  arguments[1] = "run";
  char **environment = split(&text, end, 0, count_strings(text, end));
  execve(self, arguments, environment);
  die(self);
}

static void launch(char *request, size_t size, const char *events_path) {
  pid_t pid = fork();
  if (pid == 0) become_shim(request, size);
  if (pid > 0) return;
  char *run_dir = request + strlen(request) + 1;
  char *name = strrchr(run_dir, '/');
  char message[256];
  snprintf(message, sizeof message, "%.160s failed fork %d %lld\n", name ? name + 1 : run_dir, errno, now_ms());
  tell_daemon(events_path, message);
}

static void report_gone(const char *events_path) {
  pid_t pid;
  char message[64];
  while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
    snprintf(message, sizeof message, "- gone %d\n", (int)pid);
    tell_daemon(events_path, message);
  }
}

int launcher_serve(char *program, char *events_path) {
  self = program;

  struct sigaction action = {.sa_handler = on_child};
  sigaction(SIGCHLD, &action, NULL);
  sigset_t child, none;
  sigemptyset(&none);
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  signal(SIGPIPE, SIG_IGN);

  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  for (;;) {
    int ready = ppoll(&input, 1, NULL, &none);
    report_gone(events_path);
    if (ready <= 0) continue;
    uint32_t size;
    if (!read_fully(&size, sizeof size) || size > MAX_REQUEST) return 0;
    char *request = malloc(size + 1);
    if (!request) die("memory");
    if (!read_fully(request, size)) return 0;
    request[size] = 0;
    launch(request, size, events_path);
    free(request);
  }
}
