// The raw floor: what the kernel's own work for a start costs a C program that does nothing else.
//
//   floor PROGRAM       reads one character a line from standard input and answers one sample a line on standard output:
//     p                 no namespaces                    (clone, exec)
//     b                 pid + mount + fresh /proc, and nothing else
//     m                 the same with a session of its own and without any privilege
//     d                 the default options of Isolation: every namespace but time, read-only tree, private /dev, /proc,
//                       /tmp, /run, masks, no capabilities
//   answer: nanoseconds from before the clone until the exec is known, and until the program has been waited for;
//   or "! step errno" when a step failed.
//   floor PROGRAM -s m  one sample, after which the time of every step is printed to standard error.
//
// Which steps: those that `new IsolationOptions(program).Explain()` prints, in the same order, so that both do the same
// kernel work. What is left out is what only a library needs: its own supervising descriptors, error reports, and the
// second exec that gives the child an address space of its own.
//
// How, to be as fast as can honestly be done in C:
// - The child shares our memory on a stack of its own (CLONE_VM), so no page table is copied, and raw system calls only.
// - Exec is known by the return of clone (CLONE_VFORK). Only where a root's identity map has to be written is there none:
//   nobody inside a new user namespace may write more than one line of a map, so we must write it, and go on running for
//   it. The child meanwhile does the steps that need no mapped user, then waits on a futex in the memory that both share.
//   Exec is then known by another futex, which the kernel clears and wakes (CLONE_CHILD_CLEARTID) at the very place where
//   it would end a vfork: no pipe, no descriptor.
// - An ordinary user's namespace is mapped by the child itself, one line, with no help from here.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Newer than the headers of some distributions; the numbers are the same on every architecture.
#define NR_open_tree 428
#define NR_move_mount 429
#define NR_close_range 436
#define NR_mount_setattr 442
#define RECURSIVE 0x8000        // AT_RECURSIVE
#define TREE_CLONE 1            // OPEN_TREE_CLONE
#define FROM_EMPTY_PATH 4       // MOVE_MOUNT_F_EMPTY_PATH
#define CLOSE_ON_EXEC 4         // CLOSE_RANGE_CLOEXEC

struct attributes {
  uint64_t set, clear, propagation, user_namespace;
};

static char stack[64 * 1024] __attribute__((aligned(64)));
static char *arguments[2], *environment[] = {
  "HOME=/tmp", "LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
static int last_capability, is_root;
static char user_map[64], group_map[64];

// Shared with the child.
static uint32_t go, running;
static const char *volatile failed_step;
static volatile int failed_errno;

// For -s.
static struct { const char *label; uint64_t at; } trace[256];
static int traced = -1;

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void note(const char *label) {
  if (__builtin_expect(traced < 0 || traced == 256, 1)) return;
  trace[traced].label = label;
  trace[traced++].at = now();
}

// A step: -errno on failure, which ends the child unless it is the one tolerated.
static long step(const char *label, int tolerated, long nr, long a, long b, long c, long d, long e) {
  long result = syscall(nr, a, b, c, d, e, 0);
  note(label);
  if (result >= 0) return result;
  int error = errno;
  if (error == tolerated) return -error;
  failed_errno = error;
  failed_step = label;
  syscall(SYS_exit, 127);
  __builtin_unreachable();
}

#define DO(label, nr, a, b, c, d, e) step(label, 0, nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))
#define TRY(label, nr, a, b, c, d, e) step(label, ENOENT, nr, (long)(a), (long)(b), (long)(c), (long)(d), (long)(e))

static void write_file(const char *path, const char *text) {
  long fd = DO(path, SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC, 0, 0);
  DO(path, SYS_write, fd, text, strlen(text), 0, 0);
  DO(path, SYS_close, fd, 0, 0, 0, 0);
}

static void private_dev(const long *devices, const char *const *paths) {
  DO("tmpfs on /dev", SYS_mount, "tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=65536,nr_inodes=256");
  for (int i = 0; i < 6; i++) {
    DO("mknod of a device", SYS_mknodat, AT_FDCWD, paths[i], S_IFREG | 0666, 0, 0);
    DO("move_mount of a device", NR_move_mount, devices[i], "", AT_FDCWD, paths[i], FROM_EMPTY_PATH);
  }
  DO("mkdir /dev/pts", SYS_mkdirat, AT_FDCWD, "/dev/pts", 0755, 0, 0);
  DO("devpts", SYS_mount, "devpts", "/dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620");
  DO("mkdir /dev/shm", SYS_mkdirat, AT_FDCWD, "/dev/shm", 0755, 0, 0);
  DO("tmpfs on /dev/shm", SYS_mount, "tmpfs", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=67108864");
  static const char *const links[5][2] = {{"pts/ptmx", "/dev/ptmx"}, {"/proc/self/fd", "/dev/fd"}, {"/proc/self/fd/0", "/dev/stdin"},
    {"/proc/self/fd/1", "/dev/stdout"}, {"/proc/self/fd/2", "/dev/stderr"}};
  for (int i = 0; i < 5; i++) DO("symlink in /dev", SYS_symlinkat, links[i][0], AT_FDCWD, links[i][1], 0, 0);
}

static void mask_kernel_files(void) {
  static const char *const read_only[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"};
  static const char *const files[] = {"/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug",
    "/proc/timer_list", "/proc/timer_stats"};
  static const char *const folders[] = {"/proc/acpi", "/proc/asound", "/proc/scsi", "/sys/devices/virtual/powercap", "/sys/firmware"};
  struct attributes attributes = {.set = 1 /* MOUNT_ATTR_RDONLY */};
  for (unsigned i = 0; i < sizeof read_only / sizeof *read_only; i++)
    if (TRY("bind of a kernel folder", SYS_mount, read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL) >= 0)
      DO("read-only kernel folder", NR_mount_setattr, AT_FDCWD, read_only[i], RECURSIVE, &attributes, sizeof attributes);
  struct stat status; // stat(2) tells the same as the library's statx(2)
  DO("stat of /dev/null", SYS_newfstatat, AT_FDCWD, "/dev/null", &status, AT_SYMLINK_NOFOLLOW, 0);
  for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
    TRY("mask of a kernel file", SYS_mount, "/dev/null", files[i], NULL, MS_BIND, NULL);
  unsigned long flags = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
  for (unsigned i = 0; i < sizeof folders / sizeof *folders; i++)
    TRY("mask of a kernel folder", SYS_mount, "tmpfs", folders[i], "tmpfs", flags, "size=0,nr_inodes=1,mode=000");
}

static void default_tree_first_half(long *devices, const char *const *paths) {
  struct attributes attributes = {.set = 3 /* MOUNT_ATTR_RDONLY|NOSUID */, .propagation = MS_PRIVATE};
  DO("private read-only tree", NR_mount_setattr, AT_FDCWD, "/", RECURSIVE, &attributes, sizeof attributes);
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  long socket = DO("socket", SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0);
  DO("loopback up", SYS_ioctl, socket, SIOCSIFFLAGS, &request, 0, 0);
  DO("close of the socket", SYS_close, socket, 0, 0, 0, 0);
  for (int i = 0; i < 6; i++) devices[i] = DO("open_tree of a device", NR_open_tree, AT_FDCWD, paths[i], TREE_CLONE | O_CLOEXEC, 0, 0);
  struct attributes no_devices = {.set = 4 /* MOUNT_ATTR_NODEV */};
  DO("no other devices", NR_mount_setattr, AT_FDCWD, "/", RECURSIVE, &no_devices, sizeof no_devices);
}

static void default_tree_second_half(const long *devices, const char *const *paths) {
  private_dev(devices, paths);
  DO("proc", SYS_mount, "proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  mask_kernel_files();
  TRY("tmpfs on /tmp", SYS_mount, "tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=268435456");
  TRY("tmpfs on /var/tmp", SYS_mount, "tmpfs", "/var/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=268435456");
  TRY("tmpfs on /run", SYS_mount, "tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=268435456");
}

static void drop_privileges(void) {
  DO("no_new_privs", SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  for (int i = 0; i <= last_capability; i++) DO("capability bounding set", SYS_prctl, PR_CAPBSET_DROP, i, 0, 0, 0);
  if (is_root) DO("setgroups", SYS_setgroups, 0, NULL, 0, 0, 0);
  static char directory[4096];
  DO("chdir", SYS_chdir, "/", 0, 0, 0, 0);
  DO("getcwd", SYS_getcwd, directory, sizeof directory, 0, 0, 0);
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct none[2] = {{0}};
  DO("capset", SYS_capset, &header, none, 0, 0, 0);
  static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGCHLD, SIGTSTP, SIGTTIN, SIGTTOU};
  static const uint64_t action[4]; // struct kernel_sigaction: the default
  for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++) DO("rt_sigaction", SYS_rt_sigaction, signals[i], action, 0, 8, 0);
}

static int child(void *argument) {
  int kind = (int)(intptr_t)argument;
  note("clone");
  if (kind == 'b') {
    if (!is_root) {
      write_file("/proc/self/setgroups", "deny");
      write_file("/proc/self/uid_map", user_map);
      write_file("/proc/self/gid_map", group_map);
    }
    DO("private tree", SYS_mount, "none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
    DO("proc", SYS_mount, "proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  } else if (kind != 'p') {
    static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"};
    long trees[6];
    DO("close_range", NR_close_range, 3, ~0u, CLOSE_ON_EXEC, 0, 0);
    if (!is_root) {
      write_file("/proc/self/setgroups", "deny");
      write_file("/proc/self/uid_map", user_map);
      write_file("/proc/self/gid_map", group_map);
    }
    DO("setsid", SYS_setsid, 0, 0, 0, 0, 0);
    DO("umask", SYS_umask, 0, 0, 0, 0, 0);
    if (kind == 'm') {
      DO("private tree", SYS_mount, "none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
      DO("proc", SYS_mount, "proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
    } else {
      default_tree_first_half(trees, devices);
      if (is_root) {
        while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE)) syscall(SYS_futex, &go, FUTEX_WAIT, 0, NULL, NULL, 0);
        note("wait for the maps");
      }
      default_tree_second_half(trees, devices);
    }
    drop_privileges();
    DO("umask", SYS_umask, 022, 0, 0, 0, 0);
  }
  static const uint64_t none;
  DO("rt_sigprocmask", SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8, 0);
  DO("execve", SYS_execve, arguments[0], arguments, environment, 0, 0);
  return 0;
}

static int write_map(int pid, const char *name, const char *text) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  ssize_t written = write(fd, text, strlen(text));
  close(fd);
  return written < 0 ? -1 : 0;
}

static int sample(int kind, uint64_t *to_exec, uint64_t *to_exit) {
  int flags = CLONE_VM | SIGCHLD;
  if (kind == 'm' || kind == 'b') flags |= CLONE_NEWPID | CLONE_NEWNS | (is_root ? 0 : CLONE_NEWUSER);
  if (kind == 'd') flags |= CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP;
  int maps = kind == 'd' && is_root;
  flags |= maps ? CLONE_CHILD_CLEARTID : CLONE_VFORK;
  failed_step = NULL;
  go = 0;
  running = 1;
  uint64_t all = ~0ul, before;

  uint64_t start = now();
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, &before, 8);
  int pid = clone(child, stack + sizeof stack, flags, (void *)(intptr_t)kind, NULL, NULL, &running);
  int error = errno;
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &before, NULL, 8);
  if (pid < 0) {
    failed_step = "clone";
    failed_errno = error;
    return -1;
  }
  if (maps) {
    int failed = write_map(pid, "uid_map", user_map) < 0 || write_map(pid, "gid_map", group_map) < 0;
    error = errno;
    if (failed) kill(pid, SIGKILL);
    __atomic_store_n(&go, 1, __ATOMIC_RELEASE);
    syscall(SYS_futex, &go, FUTEX_WAKE, 1, NULL, NULL, 0);
    while (__atomic_load_n(&running, __ATOMIC_ACQUIRE)) syscall(SYS_futex, &running, FUTEX_WAIT, 1, NULL, NULL, 0);
    if (failed) {
      failed_errno = error;
      failed_step = "maps";
    }
  }
  uint64_t executed = now();
  siginfo_t info;
  while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0 && errno == EINTR) {}
  uint64_t exited = now();
  *to_exec = executed - start;
  *to_exit = exited - start;
  return failed_step ? -1 : 0;
}

int main(int count, char **values) {
  if (count < 2) return 2;
  arguments[0] = values[1];
  is_root = geteuid() == 0;
  snprintf(user_map, sizeof user_map, is_root ? "0 0 4294967295\n" : "0 %u 1\n", geteuid());
  snprintf(group_map, sizeof group_map, is_root ? "0 0 4294967295\n" : "0 %u 1\n", getegid());
  while (prctl(PR_CAPBSET_READ, last_capability + 1) >= 0) last_capability++;

  uint64_t to_exec, to_exit;
  if (count == 4) {
    for (int i = 0; i < 20; i++) sample(values[3][0], &to_exec, &to_exit);
    traced = 0;
    uint64_t start = now();
    if (sample(values[3][0], &to_exec, &to_exit) < 0) printf("! %s %d\n", failed_step, failed_errno);
    for (int i = 0; i < traced; i++)
      fprintf(stderr, "%8.1f us  %s\n", (double)(trace[i].at - (i ? trace[i - 1].at : start)) / 1000, trace[i].label);
    fprintf(stderr, "%8.1f us  to exec\n%8.1f us  to exit\n", (double)to_exec / 1000, (double)to_exit / 1000);
    return 0;
  }
  char line[16];
  setvbuf(stdout, NULL, _IOLBF, 0);
  while (fgets(line, sizeof line, stdin)) {
    // Twice, of which the second counts: we were asleep, and the caches are somebody else's. The ways compared do the same.
    if (sample(line[0], &to_exec, &to_exit) < 0 || sample(line[0], &to_exec, &to_exit) < 0) printf("! %s %d\n", failed_step, failed_errno);
    else printf("%llu %llu\n", (unsigned long long)to_exec, (unsigned long long)to_exit);
  }
  return 0;
}
