/* bin/kwbase of a build from source: a program with libraries, which keeps the stand-in as its child. Signals go
 * through, and neither outlives the other. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern const char *kwdbts2_build(void);

static pid_t child;

static void forward(int signal) { kill(child, signal); }

int main(int argc, char **argv) {
  char script[4096];
  ssize_t length = readlink("/proc/self/exe", script, sizeof script - 32);
  if (length < 0) return 1;
  script[length] = 0;
  for (int up = 0; up < 2; up++) *strrchr(script, '/') = 0;
  strcat(script, "/lib/kwbase.js");
  setenv("KWDBTS2_BUILD", kwdbts2_build(), 1);
  char **words = calloc(argc + 2, sizeof *words);
  words[0] = "node";
  words[1] = script;
  for (int word = 1; word < argc; word++) words[word + 1] = argv[word];
  pid_t self = getpid();
  child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != self) return 1;
    execvp("node", words);
    perror("node");
    return 127;
  }
  signal(SIGTERM, forward);
  signal(SIGINT, forward);
  int status;
  while (waitpid(child, &status, 0) < 0) continue;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
