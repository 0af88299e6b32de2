/*
 * Holds the sockets of services. They are the launcher's, and shared with the shims and applications that inherited
 * them (see shim.h): a port stays open from one instance to the next.
 *
 * Requests, in the frames of launcher.c; TOKEN and KEY are the daemon's, without blanks and commas:
 *
 *   open     TOKEN KEY HOST PORT BACKLOG        binds. HOST: "": any address, IPv6 and IPv4; a numeric one; unix:/path.
 *                                               BACKLOG 0: does not listen, connections are refused until somebody does
 *   take     TOKEN KEY PID START_TICKS FD       a duplicate of the socket that another process listens on (Linux)
 *   borrow   TOKEN KEY RUN_DIR INDEX            the one that a shim holds for the attempt of that folder, see lend.c
 *   listen   TOKEN KEY BACKLOG
 *   unlisten TOKEN KEY                          connections are refused, whoever else listens; until the next listen().
 *                                               For when no application listens: one that still does sees errors only
 *                                               (Node 20: silently, at 100 % CPU). A unix path gets a new socket, the
 *                                               old one is of no use to who inherited it. A port that the kernel chose
 *                                               (PORT 0) is lost
 *   close    TOKEN KEY                          lets go; the others keep it. A unix path of ours is removed
 *
 * Each is answered by one line:
 *
 *   - socket TOKEN ok ADDRESS PORT              as bound: "::", "0.0.0.0", "unix:/path" (PORT 0), "unix:@abstract";
 *                                               blanks and control characters become '?'
 *   - socket TOKEN failed ERRNO STAGE           STAGE: key (EEXIST: in use, ENOENT: unknown, EINVAL: the
 *                                               request is none), socket, bind, listen, take,
 *                                               borrow
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "address.h"
#include "shim.h"

struct held {
  struct held *next;
  int fd;
  /* What the unix path was when it became ours; 0: there is none. */
  dev_t device;
  ino_t file;
  char key[];
};

static struct held *all;

/* Answers the link to it: the last one, which is NULL, where the key is unknown. */
static struct held **find(const char *key) {
  struct held **place = &all;
  while (*place && strcmp((*place)->key, key)) place = &(*place)->next;
  return place;
}

static void remember_file(struct held *held) {
  char path[PATH_SIZE];
  struct stat file;
  held->file = 0;
  if (unix_path_of(held->fd, path) < 0 || lstat(path, &file) < 0 || !S_ISSOCK(file.st_mode)) return;
  held->device = file.st_dev;
  held->file = file.st_ino;
}

/* Answers the mode of its file; 0: another has taken the path. */
static mode_t file_of(const struct held *held, char path[PATH_SIZE]) {
  struct stat file;
  if (!held->file || unix_path_of(held->fd, path) < 0 || lstat(path, &file) < 0) return 0;
  return file.st_dev == held->device && file.st_ino == held->file ? file.st_mode : 0;
}

static int hold(struct held **place, const char *key, int fd) {
  struct held *held = malloc(sizeof *held + strlen(key) + 1);
  if (!held) return -1;
  held->next = NULL;
  held->fd = fd;
  strcpy(held->key, key);
  remember_file(held);
  *place = held;
  return 0;
}

static const char *open_socket(struct held **place, char **words) {
  int fd, backlog = atoi(words[5]);
  const char *failed = bind_host(&fd, words[3], words[4]);
  if (failed) return failed;
  if (hold(place, words[2], fd) < 0) failed = "socket";
  else if (backlog <= 0 || listen(fd, backlog) == 0) return NULL;
  else failed = "listen";
  int error = errno;
  char path[PATH_SIZE];
  if (unix_path_of(fd, path) == 0) unlink(path);
  close(fd);
  free(*place);
  *place = NULL;
  errno = error;
  return failed;
}

static int hold_or_close(struct held **place, const char *key, int fd) {
  if (fd < 0 || hold(place, key, fd) == 0) return fd;
  close(fd);
  errno = ENOMEM;
  return -1;
}

static const char *take_socket(struct held **place, char **words) {
  int fd = duplicate_server(strtol(words[3], NULL, 10), strtoull(words[4], NULL, 10), atoi(words[5]));
  return hold_or_close(place, words[2], fd) < 0 ? "take" : NULL;
}

static const char *borrow_socket(struct held **place, char **words) {
  return hold_or_close(place, words[2], borrow(words[3], atoi(words[4]))) < 0 ? "borrow" : NULL;
}

static const char *listen_again(struct held **place, char **words) {
  return listen((*place)->fd, atoi(words[3])) < 0 ? "listen" : NULL;
}

/* A unix socket that was shut down refuses for ever, although listen() answers 0 (Linux): the path gets a new one. */
static const char *replace_unix(struct held *held) {
  char path[PATH_SIZE], host[sizeof path + 5];
  mode_t mode = file_of(held, path);
  errno = EOPNOTSUPP; /* abstract, or not ours any longer */
  if (!mode || unlink(path) < 0) return "listen";
  int fd;
  snprintf(host, sizeof host, "unix:%s", path);
  mode_t mask = umask(0777 & ~mode);
  const char *failed = bind_host(&fd, host, "0");
  umask(mask);
  if (failed) return failed;
  shutdown(held->fd, SHUT_RDWR);
  close(held->fd);
  held->fd = fd;
  remember_file(held);
  return NULL;
}

static const char *unlisten(struct held **place, char **words) {
  (void)words;
  int fd = (*place)->fd, does_listen = 0;
  union address address;
  socklen_t length = sizeof does_listen, address_length = sizeof address;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &does_listen, &length) < 0) return "listen";
  if (!does_listen) return NULL;
  if (getsockname(fd, &address.any, &address_length) < 0) return "listen";
  if (address.any.sa_family == AF_UNIX) return replace_unix(*place);
  return shutdown(fd, SHUT_RDWR) < 0 ? "listen" : NULL;
}

static const char *close_socket(struct held **place, char **words) {
  (void)words;
  struct held *held = *place;
  char path[PATH_SIZE];
  if (file_of(held, path)) unlink(path);
  *place = held->next;
  close(held->fd);
  free(held);
  return NULL;
}

static const struct verb {
  const char *name;
  size_t word_count;
  int is_key_new;
  const char *(*act)(struct held **place, char **words);
} VERBS[] = {
    {"open", 6, 1, open_socket},     {"take", 6, 1, take_socket}, {"borrow", 5, 1, borrow_socket},
    {"listen", 4, 0, listen_again}, {"unlisten", 3, 0, unlisten}, {"close", 3, 0, close_socket},
};

static const struct verb *find_verb(const char *name, size_t count) {
  for (size_t i = 0; i < sizeof VERBS / sizeof *VERBS; i++) {
    if (!strcmp(VERBS[i].name, name)) return VERBS[i].word_count == count ? &VERBS[i] : NULL;
  }
  return NULL;
}

void sockets_request(char **words, size_t count, const char *events_path) {
  const struct verb *verb = find_verb(words[0], count);
  const char *failed = "key";
  char address[ADDRESS_SIZE] = "", message[sizeof address + 128];
  errno = EINVAL;
  if (verb) {
    struct held **place = find(words[2]);
    errno = *place ? EEXIST : ENOENT;
    if (verb->is_key_new == !*place) {
      if (*place) describe_address((*place)->fd, address);
      failed = verb->act(place, words);
      if (!failed && verb->act != close_socket) describe_address((*place)->fd, address);
    }
  }
  const char *token = count > 1 ? words[1] : "-";
  if (failed) snprintf(message, sizeof message, "- socket %.64s failed %d %s\n", token, errno, failed);
  else snprintf(message, sizeof message, "- socket %.64s ok %s\n", token, address);
  tell_daemon(events_path, message, -1);
}

int sockets_find(char *keys, int fds[MAX_SOCKETS]) {
  int count = 0;
  for (char *key = strtok(keys, ","); key; key = strtok(NULL, ",")) {
    const struct held *held = *find(key);
    errno = held ? E2BIG : ENOENT;
    if (!held || count == MAX_SOCKETS) return -1;
    fds[count++] = held->fd;
  }
  return count;
}

int sockets_hand_over(const int *fds, int count) {
  int end = FIRST_SOCKET + (1 + SPARES) * count, sources[MAX_SOCKETS];
  /* Out of the way of the numbers that are handed out. */
  for (int i = 0; i < count; i++) {
    if ((sources[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, end)) < 0) return -1;
  }
  for (int i = 0; i < count; i++) {
    if (dup2(sources[i], FIRST_SOCKET + i) < 0) return -1;
    for (int spare = 0; spare < SPARES; spare++) {
      if (dup2(sources[i], FIRST_SOCKET + count + SPARES * i + spare) < 0) return -1;
    }
  }
  return 0;
}
