/*
 * upkeep-shim: what upkeep needs from the system and Node cannot give.
 *
 *   upkeep-shim run   RUN_DIR EVENTS [cwd=PATH] [user=UID:GID[:GID,...]] [note=TEXT] -- FILE [ARG...]
 *   upkeep-shim serve EVENTS
 *   upkeep-shim lock  LOCK_FILE -- FILE [ARG...]
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "shim.h"

int usage(void) {
  fprintf(stderr,
          "usage: upkeep-shim run   RUN_DIR EVENTS [cwd=PATH] [user=UID:GID[:GID,...]] [note=TEXT] -- FILE [ARG...]\n"
          "       upkeep-shim serve EVENTS\n"
          "       upkeep-shim lock  LOCK_FILE -- FILE [ARG...]\n");
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

void tell_daemon(const char *events_path, const char *message) {
  int fd = open(events_path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return; /* ENXIO: no daemon listens */
  fcntl(fd, F_SETFL, 0);
  if (write(fd, message, strlen(message)) < 0) { /* EPIPE: it has just ended */ }
  close(fd);
}

int main(int argc, char **argv) {
  if (argc < 3) return usage();
  if (!strcmp(argv[1], "run")) return shim_run(argc - 2, argv + 2);
  if (!strcmp(argv[1], "serve")) return launcher_serve(argv[0], argv[2]);
  if (!strcmp(argv[1], "lock")) return lock_run(argc - 2, argv + 2);
  return usage();
}
