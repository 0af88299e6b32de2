/* output.c: reads what an application writes to stdout and stderr, whether a daemon lives or not. */
#ifndef UPKEEP_OUTPUT_H
#define UPKEEP_OUTPUT_H

#include "log.h"
#include "shim.h"

/* What could not be written, since the beginning. */
struct loss {
  long long bytes;
  long long lines;
  int error; /* the last one */
  long long noted_bytes; /* in the log */
  long long noted_lines;
  long long told_bytes;
  long long told_ms;
};

/* How it comes, looked at again and again. */
struct pace {
  long long since_ms;
  int takes;
  int had_much;
  int is_quick; /* many takes, little in each */
};

struct stream {
  int fd;        /* read end of its pipe; -1: nobody can write to it any more */
  char *bytes;   /* room for a line */
  size_t length; /* of a line without an end, until that comes */
  size_t used;   /* how much of the room has been touched */
  int is_resting;
  struct pace pace;
  struct log log;
  struct loss loss;
};

struct output {
  struct stream out;
  struct stream err;
};

/* The pipes come with the application. */
void output_open(struct output *output, const struct log_target *target);

/* What to poll for, and for how long at most (less than 0: without an end). */
int output_expect(const struct output *output, struct pollfd inputs[2]);
/* After that: takes some of what came, or, after a quiet time, tells of losses and gives memory back. READY: poll()'s. */
void output_attend(struct output *output, const struct pollfd inputs[2], int ready, const struct journal *journal);
/* Takes all that was written until now, and tells of losses. */
void output_drain(struct output *output, const struct journal *journal);

int output_is_open(const struct output *output);

#endif
