/*
 * Forks shims for the daemon. A fork of the daemon itself costs milliseconds (it copies the page tables of a Node
 * process, and Node waits for the exec); a fork of this small process costs microseconds, and the daemon does not wait.
 *
 * stdin carries requests, which are done in order: a length of 4 bytes (host order), then that many bytes of strings,
 * each ended by a zero byte. The first is a verb:
 *
 *   launch KEYS COUNT ARGUMENT... VARIABLE...   a shim; COUNT arguments of `run`, the environment, and KEYS, comma
 *                                               separated, of the sockets that it inherits (see shim.h)
 *   open, take, borrow, listen, unlisten, close see sockets.c
 *
 * At the end of stdin, that is with the daemon, the launcher leaves; its shims stay. To EVENTS it says:
 *
 *   - gone PID                    a shim ended, whatever ended it
 *   NAME failed fork ERRNO AT_MS     nothing was executed; NAME is that of the shim's RUN_DIR
 *   NAME failed sockets ERRNO AT_MS  likewise; ENOENT: one of KEYS is unknown
 *   NAME failed exec ERRNO AT_MS     likewise; E2BIG: a variable or an argument is too long, or all together are
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
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

/* Points to each string; the last pointer is NULL. */
static char **split(char *text, const char *end, size_t *count) {
  *count = 0;
  for (const char *byte = text; byte < end; byte++) *count += *byte == 0;
  char **strings = calloc(*count + 1, sizeof *strings);
  if (!strings) die("memory");
  for (size_t i = 0; i < *count; i++) {
    strings[i] = text;
    text += strlen(text) + 1;
  }
  return strings;
}

static void report_failure(const char *run_dir, const char *stage, const char *events_path) {
  const char *name = strrchr(run_dir, '/');
  char message[320];
  name = name ? name + 1 : run_dir;
  snprintf(message, sizeof message, "%.255s failed %s %d %lld\n", name, stage, errno, now_ms());
  tell_daemon(events_path, message, -1);
}

/* Executed anew rather than only forked: the pages of the launcher would be paid for by each shim. Answers where it cannot. */
static void become_shim(char **arguments, size_t count, char **environment) {
  char **argv = calloc(count + 3, sizeof *argv);
  if (!argv) return;
  argv[0] = "upkeep-shim";
  argv[1] = "run";
  memcpy(argv + 2, arguments, count * sizeof *argv);
  execve(self, argv, environment);
  int error = errno;
  execve("/proc/self/exe", argv, environment); /* after an upgrade the folder of this version may have been removed */
  errno = error;
}

/* What was the launcher's alone. */
static void leave_launcher(void) {
  sigset_t none;
  sigemptyset(&none);
  setsid();
  signal(SIGCHLD, SIG_DFL);
  sigprocmask(SIG_SETMASK, &none, NULL);
  int null = open("/dev/null", O_RDWR); /* the requests are not for the shim */
  if (null < 0 || dup2(null, STDIN_FILENO) < 0) die("/dev/null");
  if (null != STDIN_FILENO) close(null);
}

static void launch(char **words, size_t count, const char *events_path) {
  size_t argument_count = count > 3 ? strtoul(words[2], NULL, 10) : 0;
  if (argument_count == 0 || argument_count > count - 3) {
    fprintf(stderr, "upkeep-shim: a launch that is none\n");
    return;
  }
  char **arguments = words + 3;
  int fds[MAX_SOCKETS], socket_count = sockets_find(words[1], fds);
  if (socket_count < 0) return report_failure(arguments[0], "sockets", events_path);
  pid_t pid = fork();
  if (pid < 0) report_failure(arguments[0], "fork", events_path);
  if (pid != 0) return;
  leave_launcher();
  if (sockets_hand_over(fds, socket_count) < 0) {
    report_failure(arguments[0], "sockets", events_path);
    _exit(EXIT_OS);
  }
  become_shim(arguments, argument_count, arguments + argument_count);
  report_failure(arguments[0], "exec", events_path);
  _exit(EXIT_OS);
}

static void report_gone(const char *events_path) {
  pid_t pid;
  char message[64];
  while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
    snprintf(message, sizeof message, "- gone %d\n", (int)pid);
    tell_daemon(events_path, message, -1);
  }
}

/* Zero at the end of requests. */
static int serve_request(const char *events_path) {
  uint32_t size;
  if (!read_fully(&size, sizeof size) || size > MAX_REQUEST) return 0;
  char *request = malloc(size + 1);
  if (!request) die("memory");
  int is_whole = read_fully(request, size);
  size_t count;
  char **words = split(request, request + (is_whole ? size : 0), &count);
  if (count > 0 && !strcmp(words[0], "launch")) launch(words, count, events_path);
  else if (count > 0) sockets_request(words, count, events_path);
  free(words);
  free(request);
  return is_whole;
}

int launcher_serve(char *program, char *events_path) {
  self = program;
  close_strays(STDERR_FILENO + 1);

  struct sigaction action = {.sa_handler = on_child};
  sigaction(SIGCHLD, &action, NULL);
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  signal(SIGPIPE, SIG_IGN);

  struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
  for (;;) {
    int ready = wait_for_input(&input, 1, -1);
    report_gone(events_path);
    if (ready > 0 && !serve_request(events_path)) return 0;
  }
}
