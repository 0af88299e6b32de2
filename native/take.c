/* Gets a listening socket out of another process. The port stays open when that process ends. */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/tcp.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

#include "address.h"
#include "shim.h"

static int fail_with(int error) {
  errno = error;
  return -1;
}

#ifdef __linux__
static int is_set(int fd, int option, int value) {
  int is = 0;
  socklen_t length = sizeof is;
  return getsockopt(fd, SOL_SOCKET, option, &is, &length) == 0 && is == value;
}

/* A stream socket that listens, or is bound and could. */
static int is_server(int fd) {
  union address address = {0}, peer;
  socklen_t length = sizeof address, peer_length = sizeof peer;
  if (!is_set(fd, SO_TYPE, SOCK_STREAM) || getsockname(fd, &address.any, &length) < 0) return 0;
  int family = address.any.sa_family;
  if (family != AF_INET && family != AF_INET6 && family != AF_UNIX) return 0;
  if (is_set(fd, SO_ACCEPTCONN, 1)) return 1;
  if (family == AF_UNIX) return length > sizeof(sa_family_t) && getpeername(fd, &peer.any, &peer_length) < 0;
  struct tcp_info info;
  socklen_t info_length = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &info_length) < 0 || info.tcpi_state != TCP_CLOSE) return 0;
  return (family == AF_INET ? address.v4.sin_port : address.v6.sin6_port) != 0;
}

/* The pid is looked at after it was opened: from then on it stands for this process only. */
int duplicate_server(pid_t pid, unsigned long long ticks, int fd) {
  int process = syscall(SYS_pidfd_open, pid, 0);
  if (process < 0) return -1;
  errno = ESRCH;
  int duplicate = start_ticks(pid) == ticks ? (int)syscall(SYS_pidfd_getfd, process, fd, 0) : -1;
  int error = errno;
  close(process);
  if (duplicate < 0 || is_server(duplicate)) return duplicate < 0 ? fail_with(error) : duplicate;
  close(duplicate);
  return fail_with(EINVAL);
}
#else
int duplicate_server(pid_t pid, unsigned long long ticks, int fd) {
  (void)pid, (void)ticks, (void)fd;
  return fail_with(ENOSYS);
}
#endif
