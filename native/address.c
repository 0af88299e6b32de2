/* Binds sockets as Node would, and says where they are bound. */
#define _GNU_SOURCE
#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shim.h"

/* Answers its length, 0 where it is none. */
static socklen_t parse_address(union address *address, const char *host, const char *port_text) {
  char *rest;
  unsigned long port = strtoul(port_text, &rest, 10);
  memset(address, 0, sizeof *address);
  errno = EINVAL;
  if (*rest || port > 65535) return 0;
  if (!strncmp(host, "unix:", 5)) {
    if (host[5] != '/') return 0;
    errno = ENAMETOOLONG;
    if (strlen(host + 5) >= NAME_SIZE) return 0;
    address->any.sa_family = AF_UNIX;
    strcpy(address->local.sun_path, host + 5);
    return sizeof address->local;
  }
  if (inet_pton(AF_INET, host, &address->v4.sin_addr) == 1) {
    address->any.sa_family = AF_INET;
    address->v4.sin_port = htons(port);
    return sizeof address->v4;
  }
  if (inet_pton(AF_INET6, host, &address->v6.sin6_addr) == 1) {
    address->any.sa_family = AF_INET6;
    address->v6.sin6_port = htons(port);
    return sizeof address->v6;
  }
  return 0;
}

/* As Node does: "::" is IPv4 as well. Blocking, as systemd hands sockets over; who wants them otherwise says so itself. */
static int set_up(int fd, const union address *address) {
  int yes = 1, no = 0;
  if (set_close_on_exec(fd, 1) < 0) return -1;
  if (address->any.sa_family == AF_UNIX) return 0;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0) return -1;
  if (address->any.sa_family == AF_INET) return 0;
  return setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
}

static const char *bind_socket(int *fd, const union address *address, socklen_t length) {
  *fd = socket(address->any.sa_family, SOCK_STREAM, 0);
  if (*fd < 0) return "socket";
  const char *failed = set_up(*fd, address) < 0 ? "socket" : bind(*fd, &address->any, length) < 0 ? "bind" : NULL;
  if (failed) {
    int error = errno;
    close(*fd);
    errno = error;
  }
  return failed;
}

const char *bind_host(int *fd, const char *host, const char *port) {
  union address address;
  socklen_t length = parse_address(&address, *host ? host : "::", port);
  const char *failed = length ? bind_socket(fd, &address, length) : "bind";
  int has_no_ipv6 = failed && (errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL);
  if (*host || !has_no_ipv6) return failed;
  return bind_socket(fd, &address, parse_address(&address, "0.0.0.0", port));
}

int unix_path_of(int fd, char path[PATH_SIZE]) {
  union address address = {0};
  socklen_t length = sizeof address;
  if (getsockname(fd, &address.any, &length) < 0 || address.any.sa_family != AF_UNIX) return -1;
  /* One that is relative is so to a folder that only its creator knew. */
  if (address.local.sun_path[0] != '/') return -1;
  memcpy(path, address.local.sun_path, NAME_SIZE);
  path[NAME_SIZE] = 0;
  return 0;
}

void describe_address(int fd, char text[ADDRESS_SIZE]) {
  union address address = {0};
  socklen_t length = sizeof address;
  char host[INET6_ADDRSTRLEN] = "";
  if (getsockname(fd, &address.any, &length) < 0) return;
  if (address.any.sa_family == AF_UNIX) {
    char *path = address.local.sun_path;
    snprintf(text, ADDRESS_SIZE, "unix:%s%.*s", *path ? "" : "@", NAME_SIZE - 1, *path ? path : path + 1);
    for (; *text; text++) {
      if ((unsigned char)*text <= ' ') *text = '?';
    }
    strcpy(text, " 0");
  } else if (address.any.sa_family == AF_INET) {
    inet_ntop(AF_INET, &address.v4.sin_addr, host, sizeof host);
    snprintf(text, ADDRESS_SIZE, "%s %d", host, ntohs(address.v4.sin_port));
  } else {
    inet_ntop(AF_INET6, &address.v6.sin6_addr, host, sizeof host);
    snprintf(text, ADDRESS_SIZE, "%s %d", host, ntohs(address.v6.sin6_port));
  }
}
