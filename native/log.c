/*
 * Appends whole lines to out.log or err.log of a service, which all its instances share, or to out-3.log of one instance. A
 * file that would grow above its limit, or is older than its lines may be, is moved aside (rotate.c).
 *
 * Who appends holds an exclusive flock() on the very file that stands at the path. So its length is known, no rotation
 * comes in between, nothing is written to a file that was moved aside, and what a full disk has cut off is taken back.
 * The kernel lets go of the lock of a shim that is killed, and the next one ends the line that it may have left unfinished.
 *
 * Beside each file its index, out.idx, out.idx.1, ..., says who wrote what, and when, in records of 32 bytes (host byte
 * order). The first is a head, the others are marks: from this offset on, up to that of the next mark, the lines are of
 * this attempt, and of this time or up to 50 ms later. A mark comes BEFORE its lines. Who asks for the length of the log
 * first and reads the marks afterwards misses none. A mark at a lower offset than one before it says that the log was
 * truncated in between; it, and one of an earlier time, is announced in the head. Attempt 0 is upkeep itself: a line that
 * says how much is missing here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "shim.h"

enum { MARK_MS = 50, MAX_TRIES = 100, MAX_LOCK_S = 1, ATTEMPT_OF_UPKEEP = 0 };

struct head {
  char magic[8];
  uint64_t inode; /* of the log that it belongs to, wherever the two were moved */
  uint64_t birth_ns; /* when the log was begun; with the inode, which another file may get later, it names the log for ever */
  uint64_t is_disordered; /* a mark has an earlier time or a lower offset than one before it */
};

struct mark {
  int64_t at_ms;
  uint64_t offset;
  int64_t begun_ms;
  uint32_t instance;
  uint32_t attempt;
};

_Static_assert(sizeof(struct head) == 32 && sizeof(struct mark) == 32, "records of one size");

static const char MAGIC[8] = "upkidx1";

struct log log_of(const struct log_target *target, const char *stream) {
  struct log log = {.target = target, .stream = stream, .lines = {.fd = -1}, .index = {.fd = -1}};
  if (target->is_own) snprintf(log.name, sizeof log.name, "%s-%u", stream, target->instance);
  else snprintf(log.name, sizeof log.name, "%s", stream);
  return log;
}

int log_path(char *path, const struct log *log, const char *kind, int number, const char *end) {
  int length = snprintf(path, MAX_PATH, "%s/%s.%s", log->target->folder, log->name, kind);
  if (number > 0 && length < MAX_PATH) length += snprintf(path + length, MAX_PATH - length, ".%d%s", number, end);
  if (length < MAX_PATH) return 0;
  errno = ENAMETOOLONG;
  return -1;
}

/* Whether FILE is what stands at PATH; FOUND is only filled if something does. */
static int is_at(const struct log_file *file, const char *path, struct stat *found) {
  return stat(path, found) == 0 && found->st_dev == file->device && found->st_ino == file->inode;
}

static void close_file(struct log_file *file) {
  if (file->fd >= 0) close(file->fd);
  file->fd = -1;
}

/* Not blocking: somebody may have put a FIFO there. */
static int open_file(struct log_file *file, const char *path, int access) {
  struct stat opened;
  file->fd = open(path, access | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0600);
  if (file->fd < 0 || fstat(file->fd, &opened) < 0) return -1;
  file->device = opened.st_dev;
  file->inode = opened.st_ino;
  return 0;
}

/* And the one above it: not more was made by upkeep. */
static int make_folder(const char *folder) {
  char above[MAX_PATH];
  if (mkdir(folder, 0700) == 0 || errno == EEXIST) return 0;
  const char *name = strrchr(folder, '/');
  if (errno != ENOENT || !name || name - folder >= MAX_PATH) return -1;
  snprintf(above, sizeof above, "%.*s", (int)(name - folder), folder);
  return mkdir(above, 0700) == 0 ? mkdir(folder, 0700) : -1;
}

static int open_lines(struct log *log, const char *path) {
  if (open_file(&log->lines, path, O_RDWR) == 0) return 0;
  if (errno != ENOENT || make_folder(log->target->folder) < 0) return -1;
  return open_file(&log->lines, path, O_RDWR);
}

static void on_alarm(int signal_number) { (void)signal_number; /* only ends the wait */ }

/* Somebody who keeps the lock (a shim that was suspended, a stranger) is waited for once, until he lets go. */
static int lock(struct log *log) {
  int is_patient = !log->is_locked_out;
  log->is_locked_out = 0;
  if (flock(log->lines.fd, LOCK_EX | LOCK_NB) == 0) return 0;
  if (errno != EWOULDBLOCK) return 0; /* a file system without locks: good enough for one instance */
  struct sigaction action = {.sa_handler = on_alarm}; /* without SA_RESTART */
  struct itimerval wait = {.it_value.tv_sec = MAX_LOCK_S, .it_interval.tv_sec = MAX_LOCK_S}, none = {0};
  sigaction(SIGALRM, &action, NULL);
  if (is_patient) setitimer(ITIMER_REAL, &wait, NULL);
  log->is_locked_out = !is_patient || flock(log->lines.fd, LOCK_EX) < 0;
  setitimer(ITIMER_REAL, &none, NULL);
  errno = EWOULDBLOCK;
  return log->is_locked_out ? -1 : 0;
}

int log_lock(struct log *log, off_t *length) {
  char path[MAX_PATH];
  struct stat found;
  if (log_path(path, log, "log", 0, "") < 0) return -1;
  for (int i = 0; i < MAX_TRIES; i++) {
    if (log->lines.fd < 0 && open_lines(log, path) < 0) return -1;
    if (lock(log) < 0) return -1;
    *length = is_at(&log->lines, path, &found) ? found.st_size : -1;
    if (*length >= 0) return 0;
    close_file(&log->lines);
  }
  errno = EAGAIN;
  return -1;
}

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static int begin_index(struct log *log, off_t *length) {
  struct head head = {.inode = log->lines.inode, .birth_ns = now_ns()};
  memcpy(head.magic, MAGIC, sizeof MAGIC);
  *length = sizeof head;
  log->birth_ms = head.birth_ns / 1000000;
  if (ftruncate(log->index.fd, 0) < 0) return -1;
  ssize_t written = write(log->index.fd, &head, sizeof head);
  if (written >= 0 && written < (ssize_t)sizeof head) errno = ENOSPC;
  return written == sizeof head ? 0 : -1;
}

static int belongs(struct log *log) {
  struct head head;
  if (pread(log->index.fd, &head, sizeof head, 0) != sizeof head || memcmp(head.magic, MAGIC, sizeof MAGIC)) return 0;
  log->birth_ms = head.birth_ns / 1000000;
  return head.inode == log->lines.inode;
}

/* Opens the index of what is locked, and answers its length. With an empty log it begins anew. */
static int open_index(struct log *log, off_t lines_length, off_t *length) {
  char path[MAX_PATH];
  struct stat found;
  if (log_path(path, log, "idx", 0, "") < 0) return -1;
  int is_new = log->index.fd < 0 || !is_at(&log->index, path, &found);
  if (is_new) {
    close_file(&log->index);
    if (open_file(&log->index, path, O_RDWR) < 0 || fstat(log->index.fd, &found) < 0) return -1;
  }
  if (lines_length == 0 || (is_new && !belongs(log))) return begin_index(log, length);
  *length = found.st_size - found.st_size % sizeof(struct mark);
  return *length == found.st_size ? 0 : ftruncate(log->index.fd, *length);
}

/* Not by the descriptor that appends: pwrite() would append, too. */
static void announce_disorder(const struct log *log) {
  char path[MAX_PATH];
  const uint64_t yes = 1;
  int fd = log_path(path, log, "idx", 0, "") < 0 ? -1 : open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;
  if (pwrite(fd, &yes, sizeof yes, offsetof(struct head, is_disordered)) < 0) { /* times are found a little worse */ }
  close(fd);
}

/* The last mark, ours or somebody else's. */
static void read_last(struct log *log, off_t index_length) {
  struct mark last = {0};
  if (index_length == log->index_end) return;
  if (index_length > (off_t)sizeof(struct head) &&
      pread(log->index.fd, &last, sizeof last, index_length - sizeof last) != sizeof last) {
    last.at_ms = 0;
  }
  log->marked_ms = last.at_ms;
  log->marked_offset = last.offset;
}

/* Says that what follows at OFFSET is of ATTEMPT, unless that is what the index says already. */
static int mark(struct log *log, off_t offset, off_t *index_length, unsigned attempt) {
  long long now = now_ms(), passed = now - log->marked_ms;
  int is_known = offset == log->end && *index_length == log->index_end && attempt == log->marked_attempt;
  if (is_known && passed >= 0 && passed < MARK_MS) return 0;
  const struct log_target *target = log->target;
  struct mark mark = {now, offset, target->begun_ms, target->instance, attempt};
  read_last(log, *index_length);
  if (now < log->marked_ms || offset < log->marked_offset) announce_disorder(log);
  ssize_t written = write(log->index.fd, &mark, sizeof mark);
  if (written == sizeof mark) {
    *index_length += sizeof mark;
    log->index_end = *index_length;
    log->marked_ms = now;
    log->marked_offset = offset;
    log->marked_attempt = attempt;
    return 0;
  }
  if (written > 0 && ftruncate(log->index.fd, *index_length) == 0) errno = ENOSPC;
  return -1;
}

/* Of a write that was cut short only whole lines stay. */
static size_t write_lines(struct log *log, off_t start, const char *lines, size_t length) {
  size_t done = 0;
  ssize_t written;
  while (done < length && (written = write(log->lines.fd, lines + done, length - done)) > 0) done += written;
  int error = errno;
  size_t whole = done;
  while (whole > 0 && lines[whole - 1] != '\n') whole--;
  if (whole < done && ftruncate(log->lines.fd, start + whole) < 0) { /* it stays torn */ }
  log->end = start + whole;
  errno = error;
  return whole;
}

/* Who was killed in the middle of a write left half a line, and so may anybody who does not know of us. */
static int mend(const struct log *log, off_t *start) {
  char last = '\n';
  if (*start == log->end || *start == 0) return 0;
  if (pread(log->lines.fd, &last, 1, *start - 1) < 0) return -1;
  if (last == '\n') return 0;
  if (write(log->lines.fd, "\n", 1) != 1) return -1;
  ++*start;
  return 0;
}

static int lock_both(struct log *log, off_t *start, off_t *index_length) {
  if (log_lock(log, start) < 0 || mend(log, start) < 0) return -1;
  return open_index(log, *start, index_length);
}

static int is_due(const struct log *log) {
  return log->target->rotate_ms > 0 && log->birth_ms > 0 && now_ms() - log->birth_ms >= log->target->rotate_ms;
}

/* Zero: locked, with room for LENGTH bytes more. */
static int make_room(struct log *log, size_t length, off_t *start, off_t *index_length) {
  if (lock_both(log, start, index_length) < 0) return -1;
  off_t after = *start + *index_length + (off_t)(length + 2 * sizeof(struct mark));
  if (*start == 0 || (after <= log->target->max_bytes && !is_due(log))) return 0;
  log_rotate(log);
  log->has_rotated = 1;
  close_file(&log->lines);
  return lock_both(log, start, index_length);
}

/* Answers how much of it is in the file, at START. */
static size_t append(struct log *log, off_t start, off_t *index_length, struct text text, unsigned attempt) {
  if (text.length == 0 || mark(log, start, index_length, attempt) < 0) return 0;
  return write_lines(log, start, text.bytes, text.length);
}

size_t log_append(struct log *log, struct text lines, struct text *notice) {
  off_t start, index_length;
  size_t done = 0;
  errno = 0;
  if (make_room(log, lines.length + notice->length, &start, &index_length) == 0) {
    size_t noticed = append(log, start, &index_length, *notice, ATTEMPT_OF_UPKEEP);
    if (noticed == notice->length) {
      done = append(log, start + noticed, &index_length, lines, log->target->attempt);
      notice->length = 0;
    }
  }
  int error = errno;
  if (log->lines.fd >= 0) flock(log->lines.fd, LOCK_UN);
  errno = error;
  return done;
}
