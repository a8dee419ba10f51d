// terminal MEGABYTES KEYS: what others make of a terminal, for comparison with ours. Prints "NAME SECONDS" lines: MEGABYTES
// written by a child to a raw terminal, read by the parent with a blocking read and written to the null device, as cat does; the same
// through a pipe; and the microseconds (median) from a key that is typed to its echo, with blocking reads and writes.
// terminal write MEGABYTES: what the child does, to its standard output.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static char buffer[131072];

static void raw(int fd) {
  struct termios modes;
  if (tcgetattr(fd, &modes) == 0) {
    cfmakeraw(&modes);
    tcsetattr(fd, TCSANOW, &modes);
  }
}

static void produce(long megabytes) {
  memset(buffer, 'x', sizeof buffer);
  for (long left = megabytes << 20; left > 0;) {
    ssize_t n = write(1, buffer, left < (long)sizeof buffer ? (size_t)left : sizeof buffer);
    if (n <= 0) exit(1);
    left -= n;
  }
}

static void consume(const char *name, int from, double start) {
  int to = open("/dev/null", O_WRONLY);
  long total = 0;
  for (ssize_t n; (n = read(from, buffer, sizeof buffer)) > 0; total += n)
    if (write(to, buffer, n) != n) exit(1);
  printf("%s %.6f %ld\n", name, now() - start, total);
  close(to);
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

int main(int count, char **arguments) {
  if (count == 3 && !strcmp(arguments[1], "write")) {
    raw(1);
    produce(atol(arguments[2]));
    return 0;
  }
  if (count != 3) return 2;
  long megabytes = atol(arguments[1]), keys = atol(arguments[2]);
  int master, slave, ends[2];

  double start = now();
  if (openpty(&master, &slave, 0, 0, 0)) return 1;
  if (fork() == 0) {
    dup2(slave, 1);
    close(master);
    close(slave);
    raw(1);
    produce(megabytes);
    _exit(0);
  }
  close(slave);
  consume("terminal", master, start);
  close(master);
  wait(0);

  start = now();
  if (pipe(ends)) return 1;
  if (fork() == 0) {
    dup2(ends[1], 1);
    close(ends[0]);
    close(ends[1]);
    produce(megabytes);
    _exit(0);
  }
  close(ends[1]);
  consume("pipe", ends[0], start);
  close(ends[0]);
  wait(0);

  if (openpty(&master, &slave, 0, 0, 0)) return 1;
  double *times = calloc(keys, sizeof *times);
  for (long i = 0; i < keys; i++) {
    char key = 'k';
    start = now();
    if (write(master, &key, 1) != 1 || read(master, &key, 1) != 1) return 1;
    times[i] = now() - start;
    if (i % 50 == 49) { // the line is sent off, so that it never gets too long
      if (write(master, "\n", 1) != 1 || read(master, buffer, 2) < 1) return 1;
      if (read(slave, buffer, sizeof buffer) < 1) return 1;
      fcntl(master, F_SETFL, O_NONBLOCK);
      while (read(master, buffer, sizeof buffer) > 0) {}
      fcntl(master, F_SETFL, 0);
    }
  }
  qsort(times, keys, sizeof *times, compare);
  printf("key %.9f 0\n", times[keys / 2]);
  return 0;
}
