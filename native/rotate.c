/*
 * Files of a log that were moved aside: out.log.1 with out.idx.1 is the newest. Nobody writes to them any more. Sooner or later
 * somebody with time (src/logs/archive) compresses them: out.log.1.gz, without an index of its own.
 *
 * Whoever renames or deletes one holds the flock() of the present file, out.log, as if he appended to it. He may be killed
 * at any point: a number may be free then, and is filled by the next rotation; an index may have been moved without its
 * log, which knows it by its inode; and of a file that stands beside its archive the archive is whole.
 *
 * What is too much is deleted, the oldest first, when a file is moved aside: more than so many, older than so long, or, with
 * all logs of the folder, larger than so much. Each present file counts with all it may grow to.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "shim.h"

/* A file that was not written for so long will hardly grow. */
enum { IDLE_MS = 3600 * 1000 };

/* What a name in the folder says. */
struct name {
  enum { STRANGER, PRESENT_LOG, PRESENT_INDEX, ROTATED_LOG, BESIDE } kind;
  size_t stem; /* length of "out-3" */
  int number;
};

struct census {
  long long bytes; /* as much as all may become before the next rotation */
  int last;        /* highest number of the log that was asked for; 0: none */
  long long oldest_ms;
  char oldest[24]; /* whose, its stem; "": nobody's */
};

static struct name parse_name(const char *text) {
  struct name name = {.kind = STRANGER, .stem = strcspn(text, ".")};
  const char *end = text + name.stem;
  char *rest = "";
  if (name.stem >= sizeof((struct census *)0)->oldest || (strncmp(text, "out", 3) && strncmp(text, "err", 3))) return name;
  if (!strcmp(end, ".log")) name.kind = PRESENT_LOG;
  else if (!strcmp(end, ".idx")) name.kind = PRESENT_INDEX;
  else if (!strncmp(end, ".idx.", 5) || !strcmp(end, ".gz.new")) name.kind = BESIDE;
  else if (!strncmp(end, ".log.", 5)) name.number = strtol(end + 5, &rest, 10);
  if (name.number > 0 && (!*rest || !strcmp(rest, ".gz"))) name.kind = ROTATED_LOG;
  return name;
}

static int is_of(const struct log *log, const char *text, size_t stem) {
  return strlen(log->name) == stem && !memcmp(text, log->name, stem);
}

static long long written_ms(const struct stat *file) {
  return file->st_mtim.tv_sec * 1000LL + file->st_mtim.tv_nsec / 1000000;
}

static void count(struct census *census, const struct log *log, const char *text, const struct stat *file) {
  struct name name = parse_name(text);
  long long max = log->target->max_bytes;
  int is_ours = is_of(log, text, name.stem);
  if (name.kind == STRANGER || name.kind == PRESENT_INDEX) return;
  if (name.kind == PRESENT_LOG) {
    int is_idle = now_ms() - written_ms(file) > IDLE_MS;
    if (!is_ours) census->bytes += is_idle || file->st_size > max ? file->st_size : max;
    return;
  }
  census->bytes += file->st_size;
  if (name.kind != ROTATED_LOG) return;
  if (is_ours && name.number > census->last) census->last = name.number;
  if (*census->oldest && written_ms(file) >= census->oldest_ms) return;
  census->oldest_ms = written_ms(file);
  snprintf(census->oldest, sizeof census->oldest, "%.*s", (int)name.stem, text);
}

static struct census take_census(const struct log *log) {
  struct census census = {.bytes = log->target->max_bytes};
  DIR *folder = opendir(log->target->folder);
  struct dirent *entry;
  struct stat file;
  while (folder && (entry = readdir(folder))) {
    if (fstatat(dirfd(folder), entry->d_name, &file, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(file.st_mode)) {
      count(&census, log, entry->d_name, &file);
    }
  }
  if (folder) closedir(folder);
  return census;
}

static int remove_at(const struct log *log, const char *kind, int number, const char *end) {
  char path[MAX_PATH];
  return log_path(path, log, kind, number, end) == 0 && unlink(path) == 0;
}

/* The index first: it would be left behind for ever. Answers whether there was something. */
static int remove_number(const struct log *log, int number) {
  remove_at(log, "idx", number, "");
  int was_plain = remove_at(log, "log", number, "");
  return remove_at(log, "log", number, ".gz") || was_plain;
}

/* Of another log in the folder, unless somebody is at work there. */
static int remove_last_of(const struct log *log, const char *stem) {
  struct log other = *log;
  struct stat opened, found;
  char path[MAX_PATH];
  int is_removed = 0;
  snprintf(other.name, sizeof other.name, "%s", stem);
  int fd = log_path(path, &other, "log", 0, "") < 0 ? -1 : open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return 0;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &opened) == 0 && stat(path, &found) == 0 &&
      opened.st_ino == found.st_ino) {
    int last = take_census(&other).last;
    is_removed = last > 0 && remove_number(&other, last);
  }
  close(fd);
  return is_removed;
}

/* Answers whether there may be more of it. */
static int remove_surplus(const struct log *log) {
  const struct log_target *target = log->target;
  struct census census = take_census(log);
  int is_old = target->keep_ms > 0 && *census.oldest && now_ms() - census.oldest_ms > target->keep_ms;
  int is_much = target->total_bytes > 0 && census.bytes > target->total_bytes;
  if (census.last > target->keep) return remove_number(log, census.last);
  if (!*census.oldest || !(is_old || is_much)) return 0;
  if (!is_of(log, census.oldest, strlen(census.oldest)) && remove_last_of(log, census.oldest)) return 1;
  return census.last > 0 && (is_much || is_of(log, census.oldest, strlen(census.oldest))) &&
         remove_number(log, census.last);
}

static int is_at(const struct log *log, int number, const char *end) {
  char path[MAX_PATH];
  return log_path(path, log, "log", number, end) == 0 && access(path, F_OK) == 0;
}

static void move_up(const struct log *log, const char *kind, int number, const char *end) {
  char from[MAX_PATH], to[MAX_PATH];
  if (log_path(from, log, kind, number, end) < 0 || log_path(to, log, kind, number + 1, end) < 0) return;
  if (rename(from, to) < 0) { /* ENOENT: none of this kind; another one: it goes on growing */ }
}

/* The index before its lines: as long as these stand at the path, nobody else comes in. */
void log_rotate(const struct log *log) {
  int end = 1;
  while (is_at(log, end, "") || is_at(log, end, ".gz")) end++;
  for (int number = end - 1; number >= 0; number--) {
    if (number > 0 && is_at(log, number, ".gz")) { /* whoever compressed it came no further */
      remove_at(log, "idx", number, "");
      remove_at(log, "log", number, "");
      move_up(log, "log", number, ".gz");
    } else {
      move_up(log, "idx", number, "");
      move_up(log, "log", number, "");
    }
  }
  while (remove_surplus(log)) { /* the oldest first */ }
}

/* 0: it was deleted meanwhile. */
static int number_of(const struct log *log, ino_t inode) {
  DIR *folder = opendir(log->target->folder);
  struct dirent *entry;
  struct stat file;
  int number = 0;
  while (folder && number == 0 && (entry = readdir(folder))) {
    struct name name = parse_name(entry->d_name);
    if (name.kind != ROTATED_LOG || !is_of(log, entry->d_name, name.stem)) continue;
    if (fstatat(dirfd(folder), entry->d_name, &file, AT_SYMLINK_NOFOLLOW) == 0 && file.st_ino == inode) {
      number = name.number;
    }
  }
  if (folder) closedir(folder);
  return number;
}

static int put_archive(const struct log *log, int number, const char *archive) {
  char path[MAX_PATH];
  if (log_path(path, log, "log", number, ".gz") < 0 || rename(archive, path) < 0) return -1;
  remove_at(log, "log", number, "");
  remove_at(log, "idx", number, "");
  return 0;
}

int log_archive(int count, char **arguments) {
  if (count < 3 || count > 4) return usage();
  struct log_target target = {.folder = arguments[0]};
  struct log log = log_of(&target, "out");
  off_t length;
  snprintf(log.name, sizeof log.name, "%s", arguments[1]);
  if (log_lock(&log, &length) < 0) die(target.folder);
  int number = number_of(&log, strtoull(arguments[2], NULL, 10));
  if (count == 3 && number > 0) remove_number(&log, number);
  if (count == 4 && number > 0 && put_archive(&log, number, arguments[3]) < 0) die(arguments[3]);
  return 0;
}
