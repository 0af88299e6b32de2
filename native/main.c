/*
 * upkeep-shim: what upkeep needs from the system and Node cannot give.
 *
 *   upkeep-shim run   RUN_DIR EVENTS [OPTION...] -- FILE [ARG...]
 *   upkeep-shim serve EVENTS
 *   upkeep-shim lock  LOCK_FILE -- FILE [ARG...]
 *   upkeep-shim guard LOCK_FILE [attached PID] -- FILE [ARG...]
 *   upkeep-shim heir -- FILE [ARG...]
 *   upkeep-shim notify MESSAGE...
 *   upkeep-shim archive FOLDER NAME INODE [ARCHIVE]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include "log.h"
#include "shim.h"

int usage(void) {
  fprintf(stderr,
          "usage: upkeep-shim run   RUN_DIR EVENTS [OPTION...] -- FILE [ARG...]\n"
          "                         log=PATH log-as=INSTANCE.ATTEMPT [log-own] [log-max=BYTES] [log-keep=N]\n"
          "                         [log-total=BYTES] [log-every=MS] [log-age=MS]\n"
          "                         [cwd=PATH] [user=UID:GID[:GID,...]] [note=TEXT] [fds=N] [channel] [notify]\n"
          "       upkeep-shim serve EVENTS\n"
          "       upkeep-shim lock  LOCK_FILE -- FILE [ARG...]\n"
          "       upkeep-shim guard LOCK_FILE [attached PID] -- FILE [ARG...]\n"
          "       upkeep-shim heir  -- FILE [ARG...]   below a daemon that it takes over from\n"
          "       upkeep-shim notify MESSAGE...   where NOTIFY_SOCKET says\n"
          "       upkeep-shim archive FOLDER NAME INODE [ARCHIVE]\n");
  return EXIT_USAGE;
}

void die(const char *what) {
  fprintf(stderr, "upkeep-shim: %s: %s\n", what, strerror(errno));
  exit(EXIT_OS);
}

long long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

unsigned long long start_ticks(pid_t pid) {
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

int tell_daemon(const char *events_path, const char *message, int wait_ms) {
  struct pollfd fifo = {.fd = open(events_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC), .events = POLLOUT};
  if (fifo.fd < 0) return 0; /* ENXIO: no daemon listens */
  int ready = 1;
  /* As a whole or not at all; another one may be faster. EPIPE: it has just ended. */
  while (ready != 0 && write(fifo.fd, message, strlen(message)) < 0 && errno == EAGAIN) ready = poll(&fifo, 1, wait_ms);
  close(fifo.fd);
  return ready == 0 ? -1 : 0;
}

int has_daemon_room(const char *events_path) {
  struct pollfd fifo = {.fd = open(events_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC), .events = POLLOUT};
  if (fifo.fd < 0) return 1;
  int ready = poll(&fifo, 1, 0);
  close(fifo.fd);
  return ready != 0;
}

#ifdef __linux__
static int poll_unmasked(struct pollfd *inputs, size_t count, const struct timespec *wait, const sigset_t *mask) {
  return ppoll(inputs, count, wait, mask);
}
#else
static int poll_unmasked(struct pollfd *inputs, size_t count, const struct timespec *wait, const sigset_t *mask) {
  fd_set readable;
  int end = 0;
  FD_ZERO(&readable);
  for (size_t i = 0; i < count; i++) {
    if (inputs[i].fd < 0) continue;
    FD_SET(inputs[i].fd, &readable);
    if (inputs[i].fd >= end) end = inputs[i].fd + 1;
  }
  int ready = pselect(end, &readable, NULL, NULL, wait, mask);
  for (size_t i = 0; i < count && ready > 0; i++) {
    if (inputs[i].fd >= 0 && FD_ISSET(inputs[i].fd, &readable)) inputs[i].revents = POLLIN;
  }
  return ready;
}
#endif

int wait_for_input(struct pollfd *inputs, size_t count, int wait_ms) {
  struct timespec wait = {.tv_sec = wait_ms / 1000, .tv_nsec = wait_ms % 1000 * 1000000L};
  sigset_t none, before;
  sigemptyset(&none);
  for (size_t i = 0; i < count; i++) inputs[i].revents = 0;
  int ready = poll_unmasked(inputs, count, wait_ms < 0 ? NULL : &wait, &none);
  if (ready <= 0) return ready;
  /* The kernel lets no signal in where input is ready: a flood of it would keep them waiting for ever. */
  sigprocmask(SIG_SETMASK, &none, &before);
  sigprocmask(SIG_SETMASK, &before, NULL);
  return ready;
}

int set_nonblocking(int fd) {
  int flags = fcntl(fd, F_GETFL);
  return flags < 0 ? -1 : fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

int set_close_on_exec(int fd, int is_set) { return fcntl(fd, F_SETFD, is_set ? FD_CLOEXEC : 0); }

void close_strays(int first) {
  enum { MAX_STRAY = 4096 };
#ifdef SYS_close_range
  if (syscall(SYS_close_range, first, ~0U, 0) == 0) return;
#endif
  for (int fd = first; fd < MAX_STRAY; fd++) close(fd);
}

int main(int argc, char **argv) {
  if (argc < 3) return usage();
  if (!strcmp(argv[1], "run")) return shim_run(argc - 2, argv + 2);
  if (!strcmp(argv[1], "serve")) return launcher_serve(argv[0], argv[2]);
  if (!strcmp(argv[1], "lock")) return lock_run(argc - 2, argv + 2);
  if (!strcmp(argv[1], "guard")) return guard(argc - 2, argv + 2);
  if (!strcmp(argv[1], "heir")) return heir_run(argc - 2, argv + 2);
  if (!strcmp(argv[1], "archive")) return log_archive(argc - 2, argv + 2);
  if (!strcmp(argv[1], "notify")) return notify_send(argc - 2, argv + 2);
  return usage();
}
