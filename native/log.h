/* log.c: one file of whole lines that several shims share, its index. rotate.c: those that were moved aside. */
#ifndef UPKEEP_LOG_H
#define UPKEEP_LOG_H

#include <sys/types.h>

enum { DEFAULT_MAX_BYTES = 10 << 20, DEFAULT_KEEP = 5 };

/* Where the lines of an attempt go, and whose they are. */
struct log_target {
  const char *folder;
  int is_own;            /* out-INSTANCE.log instead of out.log */
  long long max_bytes;   /* of a file and its index */
  int keep;              /* files beside the current one */
  long long total_bytes; /* of all logs in the folder; 0: without a limit, as below */
  long long rotate_ms;   /* a file that was begun so long ago is moved aside */
  long long keep_ms;     /* one that was written so long ago is deleted */
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
  const char *stream; /* "out" */
  char name[24];      /* "out" or "out-3": out-3.log, out-3.idx */
  struct log_file lines;
  struct log_file index;
  long long birth_ms;
  /* What this shim left behind: where the two end, and what was marked last. */
  off_t end;
  off_t index_end;
  long long marked_ms;
  off_t marked_offset;
  unsigned marked_attempt;
  int is_locked_out; /* by somebody who was waited for in vain */
  int has_rotated;   /* whoever wants to know sets it back */
};

struct text {
  const char *bytes;
  size_t length;
};

struct log log_of(const struct log_target *target, const char *stream);

/* LINES end with a newline. Answers how many bytes of them are in the file now, only whole lines; where these are not all,
 * errno says why. NOTICE comes before them, as upkeep's own words; its length is 0 as soon as it is in the file. */
size_t log_append(struct log *log, struct text lines, struct text *notice);

/* "<folder>/out.log.3" and END. NUMBER 0: the present one, without an END. */
int log_path(char *path, const struct log *log, const char *kind, int number, const char *end);
/* Locks what stands at the path, and answers its length; a file that was moved aside or deleted is let go. */
int log_lock(struct log *log, off_t *length);

/* rotate.c, under the lock: moves all files one number up, and deletes what is too much then. */
void log_rotate(const struct log *log);

/* rotate.c: replaces or deletes a file that was moved aside. ARGUMENTS: FOLDER NAME INODE [ARCHIVE] */
int log_archive(int count, char **arguments);

#endif
