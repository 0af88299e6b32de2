/*
 * Tells the init system that left a NOTIFY_SOCKET, see sd_notify(3): MESSAGES become the lines of one datagram, which
 * Node cannot send.
 *
 * Stays until it was read: systemd finds the unit by the pid of the sender, and drops what comes from one that is gone.
 * So a BARRIER=1 follows with the end of a pipe, which whoever reads it closes.
 */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "shim.h"

enum { MAX_MESSAGES = 8, BARRIER_MS = 5000 };

/* A path, or "@" and a name of the abstract kind. Answers the length; 0: it is neither. */
static socklen_t parse_address(const char *path, struct sockaddr_un *address) {
  size_t length = path ? strlen(path) : 0;
  if (length < 2 || length >= sizeof address->sun_path || (path[0] != '/' && path[0] != '@')) return 0;
  address->sun_family = AF_UNIX;
  memcpy(address->sun_path, path, length);
  if (path[0] == '@') address->sun_path[0] = 0;
  return offsetof(struct sockaddr_un, sun_path) + length;
}

static void attach(struct msghdr *message, void *control, size_t size, int fd) {
  message->msg_control = control;
  message->msg_controllen = size;
  struct cmsghdr *header = CMSG_FIRSTHDR(message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(header), &fd, sizeof fd);
}

static void wait_until_read(int fd, struct msghdr *message) {
  int ends[2];
  union {
    char bytes[CMSG_SPACE(sizeof(int))];
    struct cmsghdr aligned;
  } control = {0};
  struct iovec line = {"BARRIER=1", 9};
  if (pipe(ends) < 0) die("pipe");
  message->msg_iov = &line;
  message->msg_iovlen = 1;
  attach(message, control.bytes, sizeof control.bytes, ends[1]);
  if (sendmsg(fd, message, 0) < 0) die("NOTIFY_SOCKET");
  close(ends[1]);
  struct pollfd closed = {ends[0], POLLIN, 0};
  poll(&closed, 1, BARRIER_MS);
}

int notify_send(int count, char **messages) {
  struct sockaddr_un address = {0};
  struct iovec lines[2 * MAX_MESSAGES];
  struct msghdr message = {.msg_name = &address, .msg_iov = lines, .msg_iovlen = 2 * count};
  message.msg_namelen = parse_address(getenv("NOTIFY_SOCKET"), &address);
  if (message.msg_namelen == 0 || count > MAX_MESSAGES) return usage();
  for (int i = 0; i < count; i++) {
    lines[2 * i] = (struct iovec){messages[i], strlen(messages[i])};
    lines[2 * i + 1] = (struct iovec){"\n", 1};
  }
  int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
  if (fd < 0 || sendmsg(fd, &message, 0) < 0) die("NOTIFY_SOCKET");
  wait_until_read(fd, &message);
  return 0;
}
