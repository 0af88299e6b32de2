/*
 * How the launcher of the next daemon gets the sockets of an attempt back from its shim. No permission to look into
 * other processes is needed for that (ptrace, see take.c), so it also works in containers: whoever connects to
 * RUN_DIR/sockets is sent all of them in one message (SCM_RIGHTS, see unix(7)). The folder is closed to others.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "shim.h"

/* A shim that was suspended does not answer, and the launcher does nothing else meanwhile. */
enum { PATIENCE_S = 2 };

/* One byte has to go with them. */
union envelope {
  struct cmsghdr header;
  char bytes[CMSG_SPACE(sizeof(int) * MAX_SOCKETS)];
};

/* FOLDER is to be closed when the address was used. A path may be longer than an address: Linux knows a shorter one. */
static int find_address(struct sockaddr_un *address, const char *run_dir, int *folder) {
  *folder = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (*folder < 0) return -1;
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
#ifdef __linux__
  int length = snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/sockets", *folder);
#else
  int length = snprintf(address->sun_path, sizeof address->sun_path, "%s/sockets", run_dir);
#endif
  if (length < (int)sizeof address->sun_path) return 0;
  close(*folder);
  errno = ENAMETOOLONG;
  return -1;
}

typedef int use_address(int fd, const struct sockaddr *address, socklen_t length);

/* A socket that was bound or connected; -1: it could not be. */
static int open_at(const char *run_dir, use_address *use) {
  struct sockaddr_un address;
  int folder;
  if (find_address(&address, run_dir, &folder) < 0) return -1;
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  struct timeval patience = {.tv_sec = PATIENCE_S};
  int is_open = fd >= 0 && set_close_on_exec(fd, 1) == 0 &&
                setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience) == 0 &&
                setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) == 0 &&
                use(fd, (struct sockaddr *)&address, sizeof address) == 0;
  int error = errno;
  close(folder);
  if (is_open) return fd;
  if (fd >= 0) close(fd);
  errno = error;
  return -1;
}

int lend_open(const char *run_dir) {
  int fd = open_at(run_dir, bind);
  if (fd < 0) return -1;
  if (set_nonblocking(fd) == 0 && listen(fd, MAX_SOCKETS) == 0) return fd;
  close(fd);
  return -1;
}

void lend(int listener, int count) {
  int borrower = accept(listener, NULL, NULL);
  if (borrower < 0) return;
  int fds[MAX_SOCKETS];
  for (int i = 0; i < count; i++) fds[i] = FIRST_SOCKET + i;
  union envelope envelope = {0};
  struct iovec byte = {.iov_base = "", .iov_len = 1};
  struct msghdr message = {.msg_iov = &byte,
                           .msg_iovlen = 1,
                           .msg_control = envelope.bytes,
                           .msg_controllen = CMSG_SPACE(sizeof *fds * count)};
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof *fds * count);
  memcpy(CMSG_DATA(header), fds, sizeof *fds * count);
  ssize_t length = sendmsg(borrower, &message, MSG_DONTWAIT);
  if (length < 0 && errno != EPIPE) perror("upkeep-shim: sockets");
  close(borrower);
}

/* Answers how many came. */
static int receive(int fd, int fds[MAX_SOCKETS]) {
  union envelope envelope;
  char byte;
  struct iovec place = {.iov_base = &byte, .iov_len = 1};
  struct msghdr message = {.msg_iov = &place,
                           .msg_iovlen = 1,
                           .msg_control = envelope.bytes,
                           .msg_controllen = sizeof envelope.bytes};
  if (recvmsg(fd, &message, 0) <= 0) return 0;
  struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (!header || header->cmsg_type != SCM_RIGHTS) return 0;
  size_t size = header->cmsg_len - CMSG_LEN(0);
  memcpy(fds, CMSG_DATA(header), size);
  return size / sizeof *fds;
}

int borrow(const char *run_dir, int index) {
  int fds[MAX_SOCKETS], fd = open_at(run_dir, connect);
  if (fd < 0) return -1;
  errno = ENOENT;
  int count = receive(fd, fds), error = errno, borrowed = -1;
  close(fd);
  for (int i = 0; i < count; i++) {
    if (i == index && set_close_on_exec(fds[i], 1) == 0) borrowed = fds[i];
    else close(fds[i]);
  }
  errno = error;
  return borrowed;
}
