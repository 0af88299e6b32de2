/* last-words LINES END HOW: prints LINES numbered lines, by printf as HOW says, and ends as END says in the same moment. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char DOTS[] = "...............................................................................";

static void end(const char *how) {
  if (!strcmp(how, "exit")) _exit(0);
  if (!strcmp(how, "kill")) kill(getpid(), SIGKILL);
  *(volatile int *)0 = 0;
}

int main(int argc, char **argv) {
  if (argc != 4) return 64;
  const char *how = argv[3], *name = getenv("UPKEEP_INSTANCE");
  if (!strcmp(how, "line")) setvbuf(stdout, NULL, _IOLBF, 1 << 16);
  for (long i = 0, lines = atol(argv[1]); i < lines; i++) {
    char line[128];
    int length = snprintf(line, sizeof line, "%s %ld %s\n", name ? name : "0", i, DOTS);
    if (!strcmp(how, "write")) {
      for (int done = 0, n; done < length; done += n)
        if ((n = write(1, line + done, length - done)) < 0) return 1;
    } else fputs(line, stdout);
  }
  end(argv[2]);
}
