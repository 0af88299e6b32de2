/* Where a socket is bound: words and what the kernel makes of them. */
#ifndef UPKEEP_ADDRESS_H
#define UPKEEP_ADDRESS_H

#include <netinet/in.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Linux uses all of sun_path and needs no zero at its end. */
enum { NAME_SIZE = sizeof((struct sockaddr_un *)0)->sun_path, PATH_SIZE = NAME_SIZE + 1, ADDRESS_SIZE = PATH_SIZE + 16 };

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  struct sockaddr_un local;
};

/* HOST as in sockets.c. Answers the stage that failed. */
const char *bind_host(int *fd, const char *host, const char *port);

/* "ADDRESS PORT" as in sockets.c. */
void describe_address(int fd, char text[ADDRESS_SIZE]);

/* -1: not a unix socket, or without an absolute path. */
int unix_path_of(int fd, char path[PATH_SIZE]);

/* take.c: the socket FD of another process. */
int duplicate_server(pid_t pid, unsigned long long ticks, int fd);

#endif
