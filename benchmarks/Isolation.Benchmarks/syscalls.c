// syscalls ITERATIONS: what each of some syscalls costs here, a line "name nanoseconds" each. None does anything: the
// kernel's way in and out, with whatever filter the process is under, is nearly all.
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

static const struct {
  const char *name;
  long number, arguments[2];
} calls[] = {
  {"getppid", SYS_getppid, {0, 0}},
  {"read", SYS_read, {-1, 0}},
  {"epoll_pwait2", SYS_epoll_pwait2, {-1, 0}},
  {"ioctl", SYS_ioctl, {-1, 0x5413}},
  {"personality", SYS_personality, {0xffffffff, 0}},
  {"unshare", SYS_unshare, {0, 0}},
  {"keyctl", SYS_keyctl, {0xffff, 0}},
};

int main(int count, char **arguments) {
  long iterations = count > 1 ? atol(arguments[1]) : 100000;
  for (unsigned k = 0; k < sizeof calls / sizeof *calls; k++) {
    double start = 0;
    for (long i = -iterations / 10; i < iterations; i++) { // the first tenth warms up
      if (i == 0) start = now();
      syscall(calls[k].number, calls[k].arguments[0], calls[k].arguments[1], 0, 0, 0);
    }
    printf("%s %.2f\n", calls[k].name, (now() - start) / iterations);
  }
  return 0;
}
