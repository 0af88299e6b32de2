/*
 * Reads the pipes of an application and passes whole lines on to the logs. A line without an end waits for it: until the
 * last writer closes the pipe, or there are 256 KiB of it, which are passed on as a line.
 *
 * Short lines in quick succession are collected for 5 ms: each would cost a wake-up, a write and a mark in the index.
 *
 * Nothing here makes the application wait for anything but the disk. What cannot be written (no space, no permission, a
 * folder that cannot be made) is dropped and counted, and told in the journal as soon as writing works again, after a quiet
 * second, and before the end of the application:
 *
 *   lost   out|err BYTES LINES ERRNO AT_MS     since the beginning of the attempt
 *
 * The log itself says it, too, in a line of upkeep's own at the place where lines are missing. Only to the daemon, which
 * may be too busy to hear it:
 *
 *   rotated out|err AT_MS     a file was moved aside
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "output.h"

enum { MAX_LINE = 256 << 10, MAX_READ = 64 << 10, PAGE = 4096, QUIET_MS = 1000 };
/* MUCH: a pipe holds 64 KB, and no writer is to wait for the end of a rest. */
enum { REST_MS = 5, PACE_MS = 50, MUCH = 16 << 10 };

/* Room that is only reserved: a page of it is paid for when it is used. The last byte is for a newline. */
static char rooms[2][MAX_LINE + PAGE] __attribute__((aligned(PAGE)));

void output_open(struct output *output, const struct log_target *target) {
  *output = (struct output){
      .out = {.fd = -1, .bytes = rooms[0], .log = log_of(target, "out")},
      .err = {.fd = -1, .bytes = rooms[1], .log = log_of(target, "err")},
  };
}

static void note_loss(struct loss *loss, const char *bytes, size_t length, int error) {
  loss->bytes += length;
  loss->error = error;
  for (size_t i = 0; i < length; i++) loss->lines += bytes[i] == '\n';
}

static void tell_loss(struct stream *stream, const struct journal *journal) {
  struct loss *loss = &stream->loss;
  char line[128];
  if (loss->told_bytes == loss->bytes) return;
  loss->told_ms = now_ms();
  snprintf(line, sizeof line, "lost %s %lld %lld %d %lld\n", stream->log.stream, loss->bytes, loss->lines, loss->error,
           loss->told_ms);
  if (journal_append(journal, line) == 0) loss->told_bytes = loss->bytes;
}

static void tell_rotation(struct stream *stream, const struct journal *journal) {
  char line[64];
  if (!stream->log.has_rotated) return;
  stream->log.has_rotated = 0;
  snprintf(line, sizeof line, "rotated %s %lld\n", stream->log.stream, now_ms());
  journal_hint(journal, line);
}

/* Appends whole lines, and before them what is missing there. */
static void append(struct stream *stream, struct text text, const struct journal *journal) {
  struct loss *loss = &stream->loss;
  char words[256];
  struct text notice = {.bytes = words};
  if (loss->noted_bytes < loss->bytes) {
    long long lines = loss->lines - loss->noted_lines, bytes = loss->bytes - loss->noted_bytes;
    const char *format = lines == 1 ? "upkeep: %lld line (%lld bytes) is missing here: %s\n"
                                    : "upkeep: %lld lines (%lld bytes) are missing here: %s\n";
    notice.length = snprintf(words, sizeof words, format, lines, bytes, strerror(loss->error));
  }
  int has_notice = notice.length > 0;
  size_t written = log_append(&stream->log, text, &notice);
  if (has_notice && notice.length == 0) {
    loss->noted_bytes = loss->bytes;
    loss->noted_lines = loss->lines;
  }
  if (written < text.length) note_loss(loss, text.bytes + written, text.length - written, errno);
  tell_rotation(stream, journal);
}

/* The first LENGTH bytes of the room, which end with a newline. */
static void pass_on(struct stream *stream, size_t length, const struct journal *journal) {
  long long lost = stream->loss.bytes;
  append(stream, (struct text){stream->bytes, length}, journal);
  if (stream->loss.bytes == lost && now_ms() - stream->loss.told_ms >= QUIET_MS) tell_loss(stream, journal);
  stream->length -= length;
  memmove(stream->bytes, stream->bytes + length, stream->length);
}

/* Nothing more may come that the log could say it with. */
static void own_up(struct stream *stream, const struct journal *journal) {
  if (stream->loss.noted_bytes < stream->loss.bytes) append(stream, (struct text){0}, journal);
  tell_loss(stream, journal);
}

static void finish_line(struct stream *stream, const struct journal *journal) {
  stream->bytes[stream->length++] = '\n';
  pass_on(stream, stream->length, journal);
}

/* Answers how much came; the end, and nothing at the moment, are 0. */
static size_t take(struct stream *stream, const struct journal *journal) {
  size_t room = MAX_LINE - stream->length, before = stream->length;
  ssize_t length = read(stream->fd, stream->bytes + before, room < MAX_READ ? room : MAX_READ);
  if (length < 0) return 0;
  if (length == 0) {
    if (before > 0) finish_line(stream, journal);
    close(stream->fd);
    stream->fd = -1;
    return 0;
  }
  stream->length += length;
  if (stream->used < stream->length) stream->used = stream->length;
  size_t end = stream->length;
  while (end > before && stream->bytes[end - 1] != '\n') end--;
  if (end > before) pass_on(stream, end, journal);
  else if (stream->length == MAX_LINE) finish_line(stream, journal);
  return length;
}

static void note_pace(struct pace *pace, size_t length) {
  long long now = now_ms(), passed = now - pace->since_ms;
  pace->takes++;
  if (length > MUCH) pace->had_much = 1;
  if (pace->had_much) pace->is_quick = 0;
  if (passed >= 0 && passed < PACE_MS) return;
  int is_quick = !pace->had_much && pace->takes * 2LL * REST_MS >= passed;
  *pace = (struct pace){.since_ms = now, .is_quick = is_quick};
}

static void take_and_rest(struct stream *stream, const struct journal *journal) {
  note_pace(&stream->pace, take(stream, journal));
  stream->is_resting = stream->pace.is_quick;
}

/* Not until nothing comes any more: what is still there may write without an end. */
static void drain(struct stream *stream, const struct journal *journal) {
  int waiting = 0;
  if (stream->fd >= 0 && ioctl(stream->fd, FIONREAD, &waiting) < 0) waiting = 0;
  while (waiting > 0) {
    size_t length = take(stream, journal);
    if (length == 0) break;
    waiting -= length;
  }
  if (stream->fd >= 0) take(stream, journal); /* the end, if that was all */
  own_up(stream, journal);
}

void output_drain(struct output *output, const struct journal *journal) {
  drain(&output->out, journal);
  drain(&output->err, journal);
}

static int is_untidy(const struct stream *stream) {
  const struct loss *loss = &stream->loss;
  return loss->told_bytes != loss->bytes || loss->noted_bytes != loss->bytes || (stream->used > PAGE && stream->length == 0);
}

static void tidy(struct stream *stream, const struct journal *journal) {
  own_up(stream, journal);
  if (stream->used <= PAGE || stream->length > 0) return;
  madvise(stream->bytes + PAGE, MAX_LINE, MADV_DONTNEED);
  stream->used = 0;
}

int output_expect(const struct output *output, struct pollfd inputs[2]) {
  const struct stream *streams[] = {&output->out, &output->err};
  int wait_ms = is_untidy(&output->out) || is_untidy(&output->err) ? QUIET_MS : -1;
  for (int i = 0; i < 2; i++) {
    inputs[i] = (struct pollfd){.fd = streams[i]->is_resting ? -1 : streams[i]->fd, .events = POLLIN};
    if (streams[i]->is_resting) wait_ms = REST_MS;
  }
  return wait_ms;
}

void output_attend(struct output *output, const struct pollfd inputs[2], int ready, const struct journal *journal) {
  struct stream *streams[] = {&output->out, &output->err};
  int has_rested = output->out.is_resting || output->err.is_resting;
  for (int i = 0; i < 2; i++) {
    streams[i]->is_resting = 0;
    if (ready > 0 && inputs[i].revents) take_and_rest(streams[i], journal);
    if (ready == 0 && !has_rested) tidy(streams[i], journal);
  }
}

int output_is_open(const struct output *output) { return output->out.fd >= 0 || output->err.fd >= 0; }
