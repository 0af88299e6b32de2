/* What the parts of upkeep-shim share; main.c says what the program is. */
#ifndef UPKEEP_SHIM_H
#define UPKEEP_SHIM_H

#include <poll.h>
#include <stddef.h>
#include <sys/types.h>

/* sysexits.h */
enum { EXIT_USAGE = 64, EXIT_OS = 71, EXIT_BUSY = 75 };

/* Inherited sockets are the descriptors from FIRST_SOCKET on; after all of them follow SPARES duplicates of each. The
 * daemon counts on both numbers (supervisor/execution.ts, supervisor/service-sockets.ts). */
enum { FIRST_SOCKET = 3, SPARES = 3, MAX_SOCKETS = 64 };

enum { MAX_PATH = 4096 };

int usage(void);

/* Says what failed and why on stderr, and exits with EXIT_OS. */
void die(const char *what) __attribute__((noreturn));

long long now_ms(void);

/* Field 22 of /proc/PID/stat; with the pid it names a process for as long as the machine is up. */
unsigned long long start_ticks(pid_t pid);

/* To the FIFO that wakes the daemon up. It may be absent or dead: the next one reads the journals. -1: it is behind, and took
 * nothing for WAIT_MS (less than 0: is waited for without an end). */
int tell_daemon(const char *events_path, const char *message, int wait_ms);
/* Zero: it is behind. */
int has_daemon_room(const char *events_path);

/* poll() with all signals let in: answers less than 0 where one came, and 0 after WAIT_MS (less than 0: without an end). */
int wait_for_input(struct pollfd *inputs, size_t count, int wait_ms);

/* What whoever started this program left open, from FIRST on (Node lets it through): each child would hold it for ever. */
void close_strays(int first);

int set_nonblocking(int fd);
int set_close_on_exec(int fd, int is_set);

/* shim.c: runs one application and outlives the daemon. ARGUMENTS: RUN_DIR EVENTS [OPTION...] -- FILE [ARG...] */
int shim_run(int count, char **arguments);

/* The history of one attempt, on disk and to the daemon. */
struct journal {
  int fd; /* -1: not open */
  const char *name;
  const char *events_path;
  int patience_ms; /* for a daemon that is behind */
};

/* A LINE ends with a newline; it is there as a whole (0) or not at all (-1). */
int journal_append(const struct journal *journal, const char *line);
/* Only to the daemon, unless it is behind for long. */
void journal_repeat(const struct journal *journal, const char *line);
/* Only to a daemon that has time for it. */
void journal_hint(const struct journal *journal, const char *line);

/* channel.c: what an application says of itself. A descriptor that is not open is -1. */
enum { MAX_TEXT = 400 };

struct channel {
  int heard;   /* read end of the pipe */
  int up;      /* its write end, until the application has it */
  int folder;  /* likewise */
  int notices; /* the sd_notify socket */
  int kept;    /* lines in the journal, but */
  int lasting; /* those of who there is */
  size_t length;
  char line[MAX_TEXT]; /* the beginning of one, until its end comes */
};

/* FOLDER is created for the application and belongs to UID and GID. */
int channel_open(struct channel *channel, const char *folder, uid_t uid, gid_t gid);
int channel_open_notices(struct channel *channel, unsigned long long shim_start_ticks);

/* In the child: the descriptors FIRST and FIRST + 1, and the environment. What is at these two is lost. */
int channel_hand_over(const struct channel *channel, int first, pid_t shim, unsigned long long shim_start_ticks);
void channel_handed_over(struct channel *channel);

/* Relays some of what was said. */
void channel_listen(struct channel *channel, const struct journal *journal);
/* Relays all that was said until now. */
void channel_drain(struct channel *channel, const struct journal *journal);
void channel_close(struct channel *channel);
void channel_clear_away(const char *folder);

/* launcher.c: starts shims on demand and holds sockets. PROGRAM: the path of this one. */
int launcher_serve(char *program, char *events_path);

/* sockets.c: does what WORDS, a verb and its arguments, ask for, and answers. */
void sockets_request(char **words, size_t count, const char *events_path);
/* Answers how many KEYS, comma separated, name; the text is lost. */
int sockets_find(char *keys, int fds[MAX_SOCKETS]);
/* In the child: FDS and their spares, from FIRST_SOCKET on. */
int sockets_hand_over(const int *fds, int count);

/* lend.c: answers a socket at which the sockets of an attempt are to be had; -1: there is none. */
int lend_open(const char *run_dir);
/* Sends COUNT of them to the next one that asks. */
void lend(int listener, int count);
/* The launcher's side. */
int borrow(const char *run_dir, int index);

/* lock.c: becomes a program under an exclusive lock. */
int lock_run(int count, char **arguments);

/* guard.c: starts the daemon, and again. ARGUMENTS: LOCK_FILE [attached PID] -- FILE [ARG...] */
int guard(int count, char **arguments);
int heir_run(int count, char **arguments);

/* notify.c: tells the init system. */
int notify_send(int count, char **messages);

#endif
