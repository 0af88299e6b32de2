/*
 * What an application says of itself, over a pipe (`channel`) or as sd_notify (`notify`), relayed as lines of the journal:
 *
 *   said   AT_MS TEXT             a line from the pipe, at most 400 bytes of it
 *   notify AT_MS VARIABLE=VALUE   READY, STATUS, STOPPING, MAINPID, ERRNO; others are ignored. Whoever reaches the
 *                                 socket is believed
 *
 * Control characters and '|' become '?'. After 10,000 lines the journal of an attempt takes no more: only EVENTS does. Who
 * there is and where they listen is counted by itself, up to 50,000 lines: a later daemon has to know it.
 *
 * The application finds UPKEEP_CHANNEL=U:D in its environment: U is the write end of the pipe, D the folder RUN_DIR/app,
 * its own, for sockets at /proc/self/fd/D/NAME: short enough for a socket address, and RUN_DIR itself stays closed to
 * it. NOTIFY_SOCKET is @upkeep-<shim's pid>-<its start ticks>, which nothing has to remove.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "shim.h"

enum { MAX_KEPT = 10000, MAX_LASTING = 50000, MAX_WAITING_NOTICES = 1024 };

static const char *const NOTICES[] = {"READY=", "STATUS=", "STOPPING=", "MAINPID=", "ERRNO=", NULL};
/* Of src/preload/guest.ts. */
static const char *const LASTING[] = {"hello ", "control ", "listening ", "ready ", NULL};

/* Not on the stack: its page is paid for only where something is said. */
static char buffer[4096];

int channel_open(struct channel *channel, const char *folder, uid_t uid, gid_t gid) {
  int ends[2];
  if (mkdir(folder, 0700) < 0 || pipe(ends) < 0) return -1;
  channel->heard = ends[0];
  channel->up = ends[1];
  channel->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (channel->folder < 0 || fchown(channel->folder, uid, gid) < 0) return -1;
  if (set_close_on_exec(channel->heard, 1) < 0 || set_close_on_exec(channel->up, 1) < 0) return -1;
  return set_nonblocking(channel->heard);
}

#ifdef __linux__
static int name_notices(char *name, size_t size, pid_t shim, unsigned long long shim_start_ticks) {
  return snprintf(name, size, "@upkeep-%d-%llu", (int)shim, shim_start_ticks);
}

int channel_open_notices(struct channel *channel, unsigned long long shim_start_ticks) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int length = name_notices(address.sun_path, sizeof address.sun_path, getpid(), shim_start_ticks);
  address.sun_path[0] = 0; /* abstract */
  channel->notices = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (channel->notices < 0) return -1;
  return bind(channel->notices, (struct sockaddr *)&address, offsetof(struct sockaddr_un, sun_path) + length);
}
#else
int channel_open_notices(struct channel *channel, unsigned long long shim_start_ticks) {
  (void)channel, (void)shim_start_ticks;
  errno = ENOSYS;
  return -1;
}
#endif

int channel_hand_over(const struct channel *channel, int first, pid_t shim, unsigned long long shim_start_ticks) {
  char text[64];
#ifdef __linux__
  if (channel->notices >= 0) {
    name_notices(text, sizeof text, shim, shim_start_ticks);
    if (setenv("NOTIFY_SOCKET", text, 1) < 0) return -1;
  }
#else
  (void)shim, (void)shim_start_ticks;
#endif
  if (channel->up < 0) return 0;
  /* Out of the way of the numbers that are handed out. */
  int up = fcntl(channel->up, F_DUPFD_CLOEXEC, first + 2), folder = fcntl(channel->folder, F_DUPFD_CLOEXEC, first + 2);
  if (up < 0 || folder < 0 || dup2(up, first) < 0 || dup2(folder, first + 1) < 0) return -1;
  snprintf(text, sizeof text, "%d:%d", first, first + 1);
  return setenv("UPKEEP_CHANNEL", text, 1);
}

void channel_handed_over(struct channel *channel) {
  if (channel->up < 0) return;
  close(channel->up);
  close(channel->folder);
  channel->up = channel->folder = -1;
}

static int begins_with(const char *const *beginnings, const char *line, size_t length) {
  for (; *beginnings; beginnings++) {
    size_t name_length = strlen(*beginnings);
    if (length >= name_length && !memcmp(line, *beginnings, name_length)) return 1;
  }
  return 0;
}

static void relay(struct channel *channel, const struct journal *journal, const char *word, const char *text,
                  size_t length) {
  char line[MAX_TEXT + 48];
  int end = snprintf(line, sizeof line, "%s %lld ", word, now_ms());
  if (length > MAX_TEXT) length = MAX_TEXT;
  for (size_t i = 0; i < length; i++) {
    unsigned char byte = text[i];
    line[end++] = byte < 0x20 || byte == 0x7f || byte == '|' ? '?' : byte;
  }
  strcpy(line + end, "\n");
  int is_lasting = begins_with(LASTING, text, length);
  int *kept = is_lasting ? &channel->lasting : &channel->kept;
  if (*kept == (is_lasting ? MAX_LASTING : MAX_KEPT)) return journal_repeat(journal, line);
  ++*kept;
  journal_append(journal, line);
}

/* Answers how much was read; the end, and nothing at the moment, are 0. */
static size_t read_said(struct channel *channel, const struct journal *journal) {
  ssize_t length = read(channel->heard, buffer, sizeof buffer);
  if (length == 0) { /* nobody is left who could say something */
    close(channel->heard);
    channel->heard = -1;
  }
  for (ssize_t i = 0; i < length; i++) {
    if (buffer[i] != '\n') {
      if (channel->length < MAX_TEXT) channel->line[channel->length++] = buffer[i];
    } else {
      if (channel->length > 0) relay(channel, journal, "said", channel->line, channel->length);
      channel->length = 0;
    }
  }
  return length > 0 ? length : 0;
}

/* Zero: there is none at the moment. Descriptors that come along (BARRIER, FDSTORE) are closed by the kernel. */
static int take_notice(struct channel *channel, const struct journal *journal) {
  ssize_t length = recv(channel->notices, buffer, sizeof buffer, 0);
  if (length < 0) return 0;
  for (char *line = buffer, *end = buffer + length; line < end;) {
    char *line_end = memchr(line, '\n', end - line);
    if (!line_end) line_end = end;
    if (begins_with(NOTICES, line, line_end - line)) relay(channel, journal, "notify", line, line_end - line);
    line = line_end + 1;
  }
  return 1;
}

void channel_listen(struct channel *channel, const struct journal *journal) {
  if (channel->heard >= 0) read_said(channel, journal);
  if (channel->notices >= 0) take_notice(channel, journal);
}

/* Not until nothing comes any more: what is still there may speak without an end. */
void channel_drain(struct channel *channel, const struct journal *journal) {
  int waiting = 0;
  if (channel->heard >= 0 && ioctl(channel->heard, FIONREAD, &waiting) < 0) waiting = 0;
  while (waiting > 0) {
    size_t length = read_said(channel, journal);
    if (length == 0) break;
    waiting -= length;
  }
  if (channel->notices < 0) return;
  for (int i = 0; i < MAX_WAITING_NOTICES && take_notice(channel, journal); i++) continue;
}

void channel_close(struct channel *channel) {
  if (channel->heard >= 0) close(channel->heard);
  if (channel->notices >= 0) close(channel->notices);
  channel->heard = channel->notices = -1;
}

void channel_clear_away(const char *folder) {
  DIR *open_folder = opendir(folder);
  if (!open_folder) return;
  for (struct dirent *entry; (entry = readdir(open_folder));) {
    if (unlinkat(dirfd(open_folder), entry->d_name, 0) < 0) { /* "." and "..", too */ }
  }
  closedir(open_folder);
  rmdir(folder);
}
