/* log.c: one file of whole lines that several shims share, its index, and how it is rotated. */
#ifndef UPKEEP_LOG_H
#define UPKEEP_LOG_H

#include <sys/types.h>

enum { DEFAULT_MAX_BYTES = 10 << 20, DEFAULT_KEEP = 5 };

/* Where the lines of an attempt go, and whose they are. */
struct log_target {
  const char *folder;
  long long max_bytes;
  int keep;
  unsigned instance;
  unsigned attempt;
  long long begun_ms; /* as its shim reports it: with instance and attempt it names the attempt for ever */
};

struct log_file {
  int fd; /* -1: not open */
  dev_t device;
  ino_t inode;
};

struct log {
  const struct log_target *target;
  const char *stream; /* "out": out.log, out.idx */
  struct log_file lines;
  struct log_file index;
  /* What this shim left behind: where the two end, and when it was marked last. */
  off_t end;
  off_t index_end;
  long long marked_ms;
  int is_locked_out; /* by somebody who was waited for in vain */
};

struct log log_of(const struct log_target *target, const char *stream);

/* LINES end with a newline. Answers how many bytes are in the file now, only whole lines; where these are not all, errno
 * says why. */
size_t log_append(struct log *log, const char *lines, size_t length);

#endif
