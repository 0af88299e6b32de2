/*
 * A server in C that knows its manners: it takes sockets that were passed to it (LISTEN_FDS), says READY=1 to NOTIFY_SOCKET,
 * and on SIGTERM stops accepting, finishes what it was asked, and leaves. A thread for each connection; HTTP/1.1 with
 * keep-alive. Without LISTEN_FDS it listens on PORT.
 *
 *     cc -O2 -pthread -o server server.c
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* After SIGTERM a connection that was kept is closed when it has been silent for this long. */
#define IDLE_MS 500
#define HEAD_MAX 8192

static atomic_int draining, open_connections;
static uint32_t crc_table[256];

static void make_crc_table(void)
{
    for (uint32_t n = 0; n < 256; n++) {
        uint32_t c = n;
        for (int bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
        crc_table[n] = c;
    }
}

static uint32_t crc32(uint32_t crc, const void *data, size_t length)
{
    const unsigned char *byte = data;
    for (crc = ~crc; length--; byte++) crc = crc_table[(crc ^ *byte) & 0xff] ^ (crc >> 8);
    return ~crc;
}

static void sleep_ms(long ms)
{
    struct timespec time = { ms / 1000, ms % 1000 * 1000000 };
    while (nanosleep(&time, &time) < 0 && errno == EINTR) {}
}

static int send_all(int fd, const void *data, size_t length)
{
    for (const char *at = data; length > 0;) {
        ssize_t sent = send(fd, at, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent <= 0) return -1;
        at += sent;
        length -= sent;
    }
    return 0;
}

/* The value of a parameter of the query; empty where there is none. */
static void parameter(const char *query, const char *name, char *value, size_t size)
{
    size_t length = strlen(name);
    value[0] = 0;
    for (const char *at = query; at; at = strchr(at, '&')) {
        if (*at == '&') at++;
        if (strncmp(at, name, length) || at[length] != '=') continue;
        snprintf(value, size, "%.*s", (int)strcspn(at + length + 1, "& "), at + length + 1);
        return;
    }
}

static long number(const char *query, const char *name, long otherwise)
{
    char value[32];
    parameter(query, name, value, sizeof value);
    return value[0] ? atol(value) : otherwise;
}

struct connection {
    int fd;
    size_t filled;
    char buffer[65536];
};

/* More bytes; 0: the client is done, or was silent for too long while we are leaving. */
static int receive(struct connection *c, int is_idle)
{
    for (int waited = 0;; waited += 50) {
        struct pollfd poll_fd = { c->fd, POLLIN, 0 };
        int ready = poll(&poll_fd, 1, 50);
        if (ready > 0) break;
        if (ready < 0 && errno != EINTR) return 0;
        if (!atomic_load(&draining) || !is_idle) waited = 0;
        if (waited >= IDLE_MS) return 0;
    }
    ssize_t count = recv(c->fd, c->buffer + c->filled, sizeof c->buffer - c->filled, 0);
    if (count <= 0) return 0;
    c->filled += count;
    return 1;
}

static void consume(struct connection *c, size_t length)
{
    memmove(c->buffer, c->buffer + length, c->filled - length);
    c->filled -= length;
}

static int answer(struct connection *c, const char *status, const char *body, int *keep)
{
    char text[1024];
    if (atomic_load(&draining)) *keep = 0;
    int length = snprintf(text, sizeof text,
        "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n%s",
        status, strlen(body), *keep ? "" : "Connection: close\r\n", body);
    return send_all(c->fd, text, length);
}

static int send_chunk(int fd, const char *data, size_t length)
{
    char size[32];
    snprintf(size, sizeof size, "%zx\r\n", length);
    return send_all(fd, size, strlen(size)) || send_all(fd, data, length) || send_all(fd, "\r\n", 2);
}

static int download(struct connection *c, const char *query, int *keep)
{
    size_t size = number(query, "bytes", 65536) - 8, chunks = 8, step = (size + chunks - 1) / chunks;
    char head[160], start[32], sum[9], *text = malloc(size);
    if (atomic_load(&draining)) *keep = 0;
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n%s\r\n", *keep ? "" : "Connection: close\r\n");
    memset(text, 'x', size);
    snprintf(start, sizeof start, "pid %d ", getpid());
    memcpy(text, start, strlen(start));
    int failed = send_all(c->fd, head, strlen(head));
    for (size_t sent = 0; !failed && sent < size; sent += step) {
        failed = send_chunk(c->fd, text + sent, size - sent < step ? size - sent : step);
        sleep_ms(number(query, "ms", 0) / chunks);
    }
    snprintf(sum, sizeof sum, "%08x", crc32(0, text, size));
    free(text);
    return failed || send_chunk(c->fd, sum, 8) || send_all(c->fd, "0\r\n\r\n", 5);
}

static int answer_sum(struct connection *c, const char *id, size_t bytes, int *keep)
{
    char body[256];
    uint32_t sum = 0;
    for (size_t left = bytes; left > 0;) {
        if (c->filled == 0 && !receive(c, 0)) return -1;
        size_t part = c->filled < left ? c->filled : left;
        sum = crc32(sum, c->buffer, part);
        left -= part;
        consume(c, part);
    }
    snprintf(body, sizeof body, "{\"pid\":%d,\"id\":\"%s\",\"bytes\":%zu,\"crc32\":%u}", getpid(), id, bytes, sum);
    return answer(c, "200 OK", body, keep);
}

/* One request; answers whether another may follow. */
static int serve(struct connection *c)
{
    char *end, method[8], target[512], id[128], body[256];
    while (c->filled == 0 || !(end = memmem(c->buffer, c->filled, "\r\n\r\n", 4)))
        if (c->filled >= HEAD_MAX || !receive(c, c->filled == 0)) return 0;
    size_t head = end + 4 - c->buffer;
    *end = 0;
    if (sscanf(c->buffer, "%7s %511s", method, target) != 2) return 0;
    char *length = strcasestr(c->buffer, "\r\nContent-Length:");
    size_t bytes = length ? strtoul(length + 17, NULL, 10) : 0;
    char *connection = strcasestr(c->buffer, "\r\nConnection:");
    int keep = !(connection && !strncasecmp(connection + 13 + strspn(connection + 13, " "), "close", 5));
    consume(c, head);

    char *query = strchr(target, '?');
    if (query) *query++ = 0;
    parameter(query, "id", id, sizeof id);
    if (!strcmp(target, "/sum")) return !answer_sum(c, id, bytes, &keep) && keep;
    if (!strcmp(target, "/download")) return !download(c, query, &keep) && keep;
    if (strcmp(target, "/pid") && strcmp(target, "/health")) return !answer(c, "404 Not Found", "", &keep) && keep;
    sleep_ms(number(query, "ms", 0));
    snprintf(body, sizeof body, "{\"pid\":%d,\"id\":\"%s\"}", getpid(), id);
    return !answer(c, "200 OK", body, &keep) && keep;
}

/* A close while bytes are unread would be a reset, which could overtake the answer. */
static void close_politely(int fd)
{
    char rest[4096];
    shutdown(fd, SHUT_WR);
    struct pollfd poll_fd = { fd, POLLIN, 0 };
    while (poll(&poll_fd, 1, 1000) > 0 && recv(fd, rest, sizeof rest, 0) > 0) {}
    close(fd);
}

static void *run_connection(void *argument)
{
    struct connection *c = argument;
    while (serve(c)) {}
    close_politely(c->fd);
    free(c);
    atomic_fetch_sub(&open_connections, 1);
    return NULL;
}

static void accept_one(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0) return; /* another process was faster, or the client is gone */
    struct connection *c = malloc(sizeof *c);
    pthread_t thread;
    c->fd = fd;
    c->filled = 0;
    atomic_fetch_add(&open_connections, 1);
    if (pthread_create(&thread, NULL, run_connection, c)) {
        close(fd);
        free(c);
        atomic_fetch_sub(&open_connections, 1);
        return;
    }
    pthread_detach(thread);
}

static int listen_on_port(void)
{
    const char *port = getenv("PORT");
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port ? atoi(port) : 3000) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, 511)) {
        perror("listen");
        exit(1);
    }
    return fd;
}

static int passed_socket(void)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    return pid && count && atoi(pid) == getpid() && atoi(count) > 0 ? 3 : -1;
}

static void notify(const char *text)
{
    const char *path = getenv("NOTIFY_SOCKET");
    if (!path) return;
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    size_t length = strlen(path);
    if (length >= sizeof address.sun_path) return;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@') address.sun_path[0] = 0;
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sendto(fd, text, strlen(text), MSG_NOSIGNAL, (struct sockaddr *)&address,
               offsetof(struct sockaddr_un, sun_path) + length) < 0)
        perror("notify");
    close(fd);
}

int main(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    int signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
    make_crc_table();
    int listener = passed_socket();
    if (listener < 0) listener = listen_on_port();
    fcntl(listener, F_SETFL, O_NONBLOCK); /* whoever else accepts from it may be faster */
    notify("READY=1\nSTATUS=serving\n");

    struct pollfd fds[] = { { listener, POLLIN, 0 }, { signal_fd, POLLIN, 0 } };
    while (!(fds[1].revents & POLLIN)) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR) return 1;
        if (fds[0].revents & POLLIN) accept_one(listener);
    }
    notify("STOPPING=1\n");
    close(listener); /* others may still hold it */
    atomic_store(&draining, 1);
    while (atomic_load(&open_connections) > 0) sleep_ms(10);
    return 0;
}
