// The raw floor: what the kernel's own work for a start costs a C program that does nothing else.
//
//   floor PROGRAM TREE  reads one character a line from standard input and answers one sample a line on standard output:
//     p                 no namespaces                    (clone, exec)
//     b                 pid + mount + fresh /proc, and nothing else
//     m                 the same with a session of its own and without any privilege
//     q                 as m, but with all privileges and the session keyring that we have
//     s                 as m, and with the seccomp filter that the file FLOOR_FILTER has
//     d                 the default options of Isolation: every namespace but time, read-only tree, private /dev, /proc,
//                       /tmp, /run, masks, no capabilities
//     f                 a root of its own: four folders of TREE, bound read-only into an empty root with /proc, /dev and
//                       /tmp; pid, mount, uts, ipc and cgroup namespaces (and user, without privilege); starts /bin/exit
//     n                 f with a net namespace
//     u                 n with a user namespace
//     g                 u with all that is there by default: masks, /run
//     x ARGUMENT...     no namespaces: another program, with its arguments behind tabs, as it finds its way by itself
//     y ARGUMENT...     the same, once: for programs that take so long that caches do not matter
//     tKIND TIME        as many of that kind, one after the other, as are possible in that many milliseconds; answers their number
//   answer: nanoseconds from before the clone until the exec is known, and until the program has been waited for; and the
//   largest resident set, in KB, that a process of it had (for x and y); or "! step errno" when a step failed.
//   floor PROGRAM TREE -s m  one sample, after which the time of every step is printed to standard error.
//
// Which steps: those that `options.Explain()` prints for the options of the same scenario, in the same order, so that both
// do the same kernel work. What is left out is what only a library needs: its own supervising descriptors, error reports, and the
// second exec that gives the child an address space of its own (with the personality that makes it cheap, and its end).
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
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Newer than the headers of some distributions; the numbers are the same on every architecture.
#define NR_open_tree 428
#define NR_move_mount 429
#define NR_fsopen 430
#define NR_fsconfig 431
#define NR_fsmount 432
#define NR_close_range 436
#define NR_openat2 437
#define NR_mount_setattr 442
#define RECURSIVE 0x8000        // AT_RECURSIVE
#define TREE_CLONE 1            // OPEN_TREE_CLONE
#define FROM_EMPTY_PATH 4       // MOVE_MOUNT_F_EMPTY_PATH
#define TO_EMPTY_PATH 0x40      // MOVE_MOUNT_T_EMPTY_PATH
#define CLOSE_ON_EXEC 4         // CLOSE_RANGE_CLOEXEC
#define IN_ROOT 0x12            // RESOLVE_IN_ROOT|RESOLVE_NO_MAGICLINKS

struct attributes {
  uint64_t set, clear, propagation, user_namespace;
};

struct how { // struct open_how
  uint64_t flags, mode, resolve;
};

static char stack[64 * 1024] __attribute__((aligned(64)));
static char *arguments[2], *inside[] = {"/bin/exit", NULL}, *environment[] = {
  "HOME=/tmp", "LANG=C.UTF-8", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
static char *command[64]; // for x
static int last_capability, is_root, null_device;
static long peak_memory;
static char user_map[64], group_map[64];

static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"};
static const char *const folders[] = {"bin", "etc", "lib", "data"};
static char sources[4][4096];

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

static void private_dev(const long *trees) {
  DO("tmpfs on /dev", SYS_mount, "tmpfs", "/dev", "tmpfs", MS_NOSUID | MS_NOEXEC, "mode=755,size=65536,nr_inodes=256");
  DO("chdir to /dev", SYS_chdir, "/dev", 0, 0, 0, 0);
  for (int i = 0; i < 6; i++) {
    const char *name = devices[i] + 5;
    DO("mknod of a device", SYS_mknodat, AT_FDCWD, name, S_IFREG | 0666, 0, 0);
    DO("move_mount of a device", NR_move_mount, trees[i], "", AT_FDCWD, name, FROM_EMPTY_PATH);
  }
  DO("mkdir /dev/pts", SYS_mkdirat, AT_FDCWD, "pts", 0755, 0, 0);
  DO("devpts", SYS_mount, "devpts", "pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620");
  DO("mkdir /dev/shm", SYS_mkdirat, AT_FDCWD, "shm", 0755, 0, 0);
  DO("tmpfs on /dev/shm", SYS_mount, "tmpfs", "shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=67108864");
  static const char *const links[5][2] = {{"pts/ptmx", "ptmx"}, {"/proc/self/fd", "fd"}, {"/proc/self/fd/0", "stdin"},
    {"/proc/self/fd/1", "stdout"}, {"/proc/self/fd/2", "stderr"}};
  for (int i = 0; i < 5; i++) DO("symlink in /dev", SYS_symlinkat, links[i][0], AT_FDCWD, links[i][1], 0, 0);
}

static void private_tmp(int run) {
  TRY("tmpfs on /tmp", SYS_mount, "tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=268435456");
  TRY("tmpfs on /var/tmp", SYS_mount, "tmpfs", "/var/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777,size=268435456");
  if (run) TRY("tmpfs on /run", SYS_mount, "tmpfs", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=268435456");
}

static void mask_folder(const char *name) {
  TRY("mask of a kernel folder", SYS_mount, "tmpfs", name, "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "size=0,nr_inodes=1,mode=000");
}

// In a procfs that is the current directory.
static void mask_proc(void) {
  static const char *const read_only[] = {"bus", "fs", "irq", "sys", "sysrq-trigger"};
  static const char *const files[] = {"interrupts", "kcore", "keys", "latency_stats", "sched_debug", "timer_list", "timer_stats"};
  struct attributes attributes = {.set = 1 /* MOUNT_ATTR_RDONLY */};
  for (unsigned i = 0; i < sizeof read_only / sizeof *read_only; i++)
    if (TRY("bind of a kernel folder", SYS_mount, read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL) >= 0)
      DO("read-only kernel folder", NR_mount_setattr, AT_FDCWD, read_only[i], 0, &attributes, sizeof attributes);
  struct statx status;
  DO("statx of the null device", SYS_statx, AT_FDCWD, "/dev/null", 0, STATX_TYPE, &status);
  for (unsigned i = 0; i < sizeof files / sizeof *files; i++)
    TRY("mask of a kernel file", SYS_mount, "/dev/null", files[i], NULL, MS_BIND, NULL);
  mask_folder("acpi");
  mask_folder("asound");
  mask_folder("scsi");
}

static void raise_loopback(void) {
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  long socket = DO("socket", SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0, 0, 0);
  DO("loopback up", SYS_ioctl, socket, SIOCSIFFLAGS, &request, 0, 0);
  DO("close of the socket", SYS_close, socket, 0, 0, 0, 0);
}

static void own_tree(void) {
  struct attributes attributes = {.set = 3 /* MOUNT_ATTR_RDONLY|NOSUID */, .propagation = MS_PRIVATE};
  DO("private read-only tree", NR_mount_setattr, AT_FDCWD, "/", RECURSIVE, &attributes, sizeof attributes);
}

static void take_devices(long *trees) {
  for (int i = 0; i < 6; i++) trees[i] = DO("open_tree of a device", NR_open_tree, AT_FDCWD, devices[i], TREE_CLONE | O_CLOEXEC, 0, 0);
}

static void await_maps(void) {
  while (!__atomic_load_n(&go, __ATOMIC_ACQUIRE)) syscall(SYS_futex, &go, FUTEX_WAIT, 0, NULL, NULL, 0);
  note("wait for the maps");
}

static void default_tree(void) {
  long trees[6];
  own_tree();
  raise_loopback();
  take_devices(trees);
  struct attributes no_devices = {.set = 4 /* MOUNT_ATTR_NODEV */};
  DO("no other devices", NR_mount_setattr, AT_FDCWD, "/", RECURSIVE, &no_devices, sizeof no_devices);
  if (is_root) await_maps();
  private_dev(trees);
  private_tmp(1);
  DO("proc", SYS_mount, "proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  DO("chdir to /proc", SYS_chdir, "/proc", 0, 0, 0, 0);
  mask_proc();
  mask_folder("/sys/devices/virtual/powercap");
  mask_folder("/sys/firmware");
}

static void full_root(int kind) {
  long binds[4], trees[6];
  struct attributes restricted = {.set = 7 /* MOUNT_ATTR_RDONLY|NOSUID|NODEV */, .propagation = MS_PRIVATE};
  for (int i = 0; i < 4; i++) {
    binds[i] = DO("open_tree of a folder", NR_open_tree, AT_FDCWD, sources[i], TREE_CLONE | O_CLOEXEC | RECURSIVE, 0, 0);
    DO("restricted folder", NR_mount_setattr, binds[i], "", AT_EMPTY_PATH | RECURSIVE, &restricted, sizeof restricted);
  }
  own_tree();
  if (kind != 'f') raise_loopback();
  take_devices(trees);
  if ((kind == 'g' || kind == 'u') && is_root) await_maps();
  long proc = DO("fsopen of proc", NR_fsopen, "proc", 1 /* FSOPEN_CLOEXEC */, 0, 0, 0);
  DO("fsconfig of proc", NR_fsconfig, proc, 6 /* FSCONFIG_CMD_CREATE */, 0, 0, 0);
  proc = DO("fsmount of proc", NR_fsmount, proc, 1 /* FSMOUNT_CLOEXEC */, 14 /* MOUNT_ATTR_NOSUID|NODEV|NOEXEC */, 0, 0);
  DO("tmpfs as root", SYS_mount, "tmpfs", "/", "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=67108864");
  DO("chdir to it", SYS_chdir, "/..", 0, 0, 0, 0);
  DO("pivot_root", SYS_pivot_root, ".", ".", 0, 0, 0);
  DO("umount of the host's tree", SYS_umount2, ".", MNT_DETACH, 0, 0, 0);
  DO("chdir to the new root", SYS_chdir, "/", 0, 0, 0, 0);
  struct how same_mount = {O_PATH | O_CLOEXEC, 0, 1 /* RESOLVE_NO_XDEV */};
  DO("look behind the root", NR_openat2, AT_FDCWD, "/..", &same_mount, sizeof same_mount, 0);
  long root = DO("open of the root", SYS_openat, AT_FDCWD, "/", O_PATH | O_CLOEXEC, 0, 0);
  DO("mkdir /dev", SYS_mkdirat, AT_FDCWD, "/dev", 0755, 0, 0);
  DO("mkdir /proc", SYS_mkdirat, AT_FDCWD, "/proc", 0555, 0, 0);
  DO("mkdir /tmp", SYS_mkdirat, AT_FDCWD, "/tmp", 01777, 0, 0);
  private_dev(trees);
  private_tmp(kind == 'g');
  struct how how = {O_PATH | O_CLOEXEC, 0, IN_ROOT};
  for (int i = 0; i < 4; i++) {
    long place = step("openat2 of a place", ENOENT, NR_openat2, root, (long)folders[i], (long)&how, sizeof how, 0);
    if (place < 0) {
      struct statx status;
      DO("statx of a folder", SYS_statx, binds[i], "", AT_EMPTY_PATH, STATX_TYPE, &status);
      DO("mkdir of a place", SYS_mkdirat, root, folders[i], 0755, 0, 0);
      place = DO("openat2 of a place", NR_openat2, root, folders[i], &how, sizeof how, 0);
    }
    DO("move_mount of a folder", NR_move_mount, binds[i], "", place, "", FROM_EMPTY_PATH | TO_EMPTY_PATH);
    DO("close of a place", SYS_close, place, 0, 0, 0, 0);
  }
  DO("move_mount of proc", NR_move_mount, proc, "", AT_FDCWD, "/proc", FROM_EMPTY_PATH);
  DO("fchdir to proc", SYS_fchdir, proc, 0, 0, 0, 0);
  if (kind == 'g') mask_proc();
}

static struct sock_filter filter[BPF_MAXINSNS];
static struct sock_fprog filter_program = {.filter = filter};

static void reset_signals(void) {
  static const uint64_t action[4]; // struct kernel_sigaction: the default
  for (int i = SIGHUP; i <= SIGSYS; i++)
    if (i != SIGKILL && i != SIGSTOP) DO("rt_sigaction", SYS_rt_sigaction, i, action, 0, 8, 0);
}

static void drop_privileges(void) {
  step("session keyring", EDQUOT, SYS_keyctl, 1 /* KEYCTL_JOIN_SESSION_KEYRING */, 0, 0, 0, 0);
  DO("no_new_privs", SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  for (int i = 0; i <= last_capability; i++) DO("capability bounding set", SYS_prctl, PR_CAPBSET_DROP, i, 0, 0, 0);
  if (is_root) DO("setgroups", SYS_setgroups, 0, NULL, 0, 0, 0);
  DO("chdir", SYS_chdir, "/", 0, 0, 0, 0);
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct none[2] = {{0}};
  DO("capset", SYS_capset, &header, none, 0, 0, 0);
  reset_signals();
}

static int child(void *argument) {
  int kind = (int)(intptr_t)argument;
  note("clone");
  if (kind == 'x') {
    DO("dup3", SYS_dup3, null_device, 2, 0, 0, 0); // its complaints were heard when it was tried
  } else if (kind == 'b') {
    if (!is_root) {
      write_file("/proc/self/setgroups", "deny");
      write_file("/proc/self/uid_map", user_map);
      write_file("/proc/self/gid_map", group_map);
    }
    DO("private tree", SYS_mount, "none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
    DO("proc", SYS_mount, "proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
  } else if (kind != 'p') {
    DO("close_range", NR_close_range, 3, ~0u, CLOSE_ON_EXEC, 0, 0);
    if (!is_root) {
      write_file("/proc/self/setgroups", "deny");
      write_file("/proc/self/uid_map", user_map);
      write_file("/proc/self/gid_map", group_map);
    }
    DO("setsid", SYS_setsid, 0, 0, 0, 0, 0);
    DO("umask", SYS_umask, 0, 0, 0, 0, 0);
    if (strchr("mqs", kind)) {
      DO("private tree", SYS_mount, "none", "/", NULL, MS_REC | MS_PRIVATE, NULL);
      DO("proc", SYS_mount, "proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
      DO("chdir to /proc", SYS_chdir, "/proc", 0, 0, 0, 0);
    } else if (kind == 'd') {
      default_tree();
    } else {
      full_root(kind);
    }
    if (kind == 'q') {
      DO("chdir", SYS_chdir, "/", 0, 0, 0, 0);
      reset_signals();
    } else {
      drop_privileges();
    }
  }
  static const uint64_t none;
  DO("rt_sigprocmask", SYS_rt_sigprocmask, SIG_SETMASK, &none, NULL, 8, 0);
  if (kind != 'p' && kind != 'x' && kind != 'b') DO("umask", SYS_umask, 022, 0, 0, 0, 0);
  if (kind == 's') DO("seccomp", SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &filter_program, 0, 0);
  char **run = strchr("fngu", kind) ? inside : kind == 'x' ? command : arguments;
  DO("execve", SYS_execve, run[0], run, kind == 'x' ? environ : environment, 0, 0);
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
  if (strchr("mqsb", kind)) flags |= CLONE_NEWPID | CLONE_NEWNS | (is_root ? 0 : CLONE_NEWUSER);
  int has_net = strchr("dngu", kind) != NULL, has_user = strchr("dgu", kind) != NULL;
  if (kind == 'f' || has_net)
    flags |= CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP | (has_net ? CLONE_NEWNET : 0) | (has_user || !is_root ? CLONE_NEWUSER : 0);
  int maps = has_user && is_root;
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
  struct rusage usage; // waitid(2): the system call, not the function, has a fifth argument
  while (syscall(SYS_waitid, P_PID, pid, &info, WEXITED, &usage) < 0 && errno == EINTR) {}
  uint64_t exited = now();
  peak_memory = kind == 'x' ? usage.ru_maxrss : 0; // the others share our memory, which would be counted
  *to_exec = executed - start;
  *to_exit = exited - start;
  if (!failed_step && (info.si_code != CLD_EXITED || info.si_status != 0)) {
    failed_step = "the program's end";
    failed_errno = info.si_status;
  }
  return failed_step ? -1 : 0;
}

int main(int count, char **values) {
  if (count < 3) return 2;
  arguments[0] = values[1];
  for (int i = 0; i < 4; i++) snprintf(sources[i], sizeof sources[i], "%s/%s", values[2], folders[i]);
  is_root = geteuid() == 0;
  null_device = open("/dev/null", O_WRONLY | O_CLOEXEC);
  snprintf(user_map, sizeof user_map, is_root ? "0 0 4294967295\n" : "0 %u 1\n", geteuid());
  snprintf(group_map, sizeof group_map, is_root ? "0 0 4294967295\n" : "0 %u 1\n", getegid());
  while (prctl(PR_CAPBSET_READ, last_capability + 1) >= 0) last_capability++;

  if (getenv("FLOOR_FILTER")) {
    FILE *file = fopen(getenv("FLOOR_FILTER"), "r");
    if (file) filter_program.len = (unsigned short)fread(filter, sizeof *filter, BPF_MAXINSNS, file);
    if (!filter_program.len) return 3;
    fclose(file);
  }
  uint64_t to_exec, to_exit;
  if (count == 5) {
    for (int i = 0; i < 20; i++) sample(values[4][0], &to_exec, &to_exit);
    traced = 0;
    uint64_t start = now();
    if (sample(values[4][0], &to_exec, &to_exit) < 0) printf("! %s %d\n", failed_step, failed_errno);
    for (int i = 0; i < traced; i++)
      fprintf(stderr, "%8.1f us  %s\n", (double)(trace[i].at - (i ? trace[i - 1].at : start)) / 1000, trace[i].label);
    fprintf(stderr, "%8.1f us  to exec\n%8.1f us  to exit\n", (double)to_exec / 1000, (double)to_exit / 1000);
    return 0;
  }
  static char line[16384];
  setvbuf(stdout, NULL, _IOLBF, 0);
  while (fgets(line, sizeof line, stdin)) {
    line[strcspn(line, "\n")] = 0;
    int words = 0;
    for (char *word = strchr(line, '\t'); word && words < 63; word = strchr(word, '\t')) {
      *word++ = 0;
      command[words++] = word;
    }
    command[words] = NULL;
    // Twice, of which the second counts: we were asleep, and the caches are somebody else's. The ways compared do the same.
    if (line[0] == 't') {
      uint64_t end = now() + strtoul(line + 2, NULL, 10) * 1000000;
      unsigned long done = 0;
      for (; now() < end && sample(line[1], &to_exec, &to_exit) >= 0; done++) {}
      if (failed_step) printf("! %s %d\n", failed_step, failed_errno);
      else printf("%lu 0 0\n", done);
      continue;
    }
    int once = line[0] == 'y', kind = once ? 'x' : line[0];
    if ((!once && sample(kind, &to_exec, &to_exit) < 0) || sample(kind, &to_exec, &to_exit) < 0) printf("! %s %d\n", failed_step, failed_errno);
    else printf("%llu %llu %ld\n", (unsigned long long)to_exec, (unsigned long long)to_exit, peak_memory);
  }
  return 0;
}
