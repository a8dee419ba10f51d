// Attacks from inside a sandbox, for tests: "attack NAME ARGUMENT…". Each prints a line for what it has reached, and nothing
// for what was refused: an attack that prints nothing has failed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#define SYS_pidfd_send_signal 424
#endif

static void reached(const char *what, int yes) {
  if (yes) puts(what);
}

// Fakes input to the terminal that is standard input, then waits: the end of a session's leader hangs its terminal up.
static void terminal(void) {
  ioctl(0, TIOCSCTTY, 0);
  reached("plain", syscall(SYS_ioctl, 0, (unsigned long)TIOCSTI, "p") == 0);
  reached("high bits", syscall(SYS_ioctl, 0, TIOCSTI | 0x12300000000ul, "h") == 0);
  char paste[] = {3}; // TIOCL_PASTESEL: only a console has it
  reached("selection", syscall(SYS_ioctl, 0, (unsigned long)TIOCLINUX, paste) == 0);
  reached("selection, high bits", syscall(SYS_ioctl, 0, TIOCLINUX | 0x12300000000ul, paste) == 0);
  syscall(SYS_ioctl, 0, (unsigned long)TIOCSTI, "\n");
  puts("done");
  fflush(stdout);
  for (;;) pause();
}

// socket NAME: reads what a server at an abstract address says, as a stream and as a datagram.
static void abstract(char **words) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path + 1, words[0], sizeof address.sun_path - 2);
  socklen_t length = offsetof(struct sockaddr_un, sun_path) + 1 + strlen(words[0]);
  int stream = socket(AF_UNIX, SOCK_STREAM, 0);
  char text[64] = "";
  if (connect(stream, (void *)&address, length) == 0 && read(stream, text, sizeof text - 1) > 0) puts(text);
  strcat(address.sun_path + 1, "-datagram");
  int datagram = socket(AF_UNIX, SOCK_DGRAM, 0);
  reached("datagram", sendto(datagram, "x", 1, 0, (void *)&address, length + strlen("-datagram")) == 1);
}

// signals NUMBER: every way to a process of the host. Signal 0 asks whether a signal could be sent.
static void signals(char **words) {
  int pid = atoi(words[0]);
  union sigval value = {0};
  reached("kill", kill(pid, 0) == 0);
  reached("group", kill(-pid, 0) == 0);
  reached("everyone", kill(-1, 0) == 0);
  reached("queue", sigqueue(pid, 0, value) == 0);
  reached("thread", syscall(SYS_tgkill, pid, pid, 0) == 0);
  reached("any thread", syscall(SYS_tkill, pid, 0) == 0);
  int pidfd = syscall(SYS_pidfd_open, pid, 0);
  reached("pidfd", pidfd >= 0 && syscall(SYS_pidfd_send_signal, pidfd, 0, 0, 0) == 0);
  int ends[2];
  if (pipe(ends) == 0) reached("owner", fcntl(ends[0], F_SETOWN, pid) == 0);
  errno = 0;
  reached("priority", getpriority(PRIO_PROCESS, pid) != -1 || errno == 0);
  struct rlimit limit;
  reached("limits", prlimit(pid, RLIMIT_NOFILE, 0, &limit) == 0);
  reached("killed", kill(pid, SIGTERM) == 0);
}

// ids USER GROUP: becomes somebody else, in every way there is.
static void ids(char **words) {
  uid_t user = strtoul(words[0], 0, 10);
  gid_t group = strtoul(words[1], 0, 10), groups[] = {group};
  reached("setgroups", setgroups(1, groups) == 0);
  reached("no groups", setgroups(0, 0) == 0);
  reached("setfsgid", (setfsgid(group), (gid_t)setfsgid(-1)) == group);
  reached("setregid", setregid(-1, group) == 0);
  reached("setresgid", setresgid(-1, group, -1) == 0);
  reached("setgid", setgid(group) == 0);
  reached("setfsuid", (setfsuid(user), (uid_t)setfsuid(-1)) == user);
  reached("setreuid", setreuid(-1, user) == 0);
  reached("setresuid", setresuid(-1, user, -1) == 0);
  reached("setuid", setuid(user) == 0);
}

// memory ADDRESS SECRET: looks for a secret at an address in the memory of every process that comes into being, until there is input.
static void memory(char **words) {
  unsigned long address = strtoul(words[0], 0, 10);
  size_t length = strlen(words[1]);
  char name[64], text[256];
  int newest = getpid(), last = open("/proc/loadavg", O_RDONLY), hosts = getppid();
  long hits = 0, tries = 0;
  puts("ready");
  fflush(stdout);
  for (struct pollfd input = {0, POLLIN, 0}; tries % 64 || poll(&input, 1, 0) == 0; tries++) {
    char load[128] = "";
    if (pread(last, load, sizeof load - 1, 0) > 0 && strrchr(load, ' ')) newest = atoi(strrchr(load, ' '));
    for (int i = -3; i <= 3; i++) {
      int pid = i == -3 ? hosts : newest + i;
      if (pid <= 0 || pid == getpid()) continue;
      sprintf(name, "/proc/%d/mem", pid);
      int file = open(name, O_RDONLY);
      if (file >= 0) {
        if (pread(file, text, length, address) == (ssize_t)length && !memcmp(text, words[1], length) && !hits++) printf("mem of %s\n", pid == hosts ? "the host" : "a start");
        close(file);
      }
      struct iovec to = {text, length}, from = {(void *)address, length};
      if (process_vm_readv(pid, &to, 1, &from, 1, 0) == (ssize_t)length && !memcmp(text, words[1], length) && !hits++)
        printf("process_vm_readv of %s\n", pid == hosts ? "the host" : "a start");
    }
  }
  if (tries < 100) puts("hardly tried");
}

int main(int count, char **words) {
  if (count < 2) return 2;
  if (!strcmp(words[1], "terminal")) terminal();
  else if (!strcmp(words[1], "abstract")) abstract(words + 2);
  else if (!strcmp(words[1], "signals")) signals(words + 2);
  else if (!strcmp(words[1], "ids")) ids(words + 2);
  else if (!strcmp(words[1], "memory")) memory(words + 2);
  else return 2;
  return 0;
}
