/*
 * Takes an exclusive flock() on LOCK_FILE and becomes FILE, which keeps the lock for as long as it lives, and not
 * longer: the kernel lets it go, so there are no stale locks. Exits with EX_TEMPFAIL at once if somebody else has it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "shim.h"

int lock_run(int count, char **arguments) {
  if (count < 3 || strcmp(arguments[1], "--")) return usage();
  int fd = open(arguments[0], O_RDWR | O_CREAT, 0600); /* not close-on-exec: the lock is FILE's */
  if (fd < 0) die(arguments[0]);
  if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
    if (errno == EWOULDBLOCK) return EXIT_BUSY;
    die(arguments[0]);
  }
  execvp(arguments[2], arguments + 2);
  die(arguments[2]);
}
