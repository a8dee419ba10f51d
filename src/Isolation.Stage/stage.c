// The stage: executes a StageProgram step by step and becomes the user's program.
//
// It is a freestanding static ELF without libc, data or bss, run from a sealed memfd with every signal blocked and no fd
// open but those the program needs. It knows nothing of containers; what to do is in the program. Its exec is what gives
// the child an address space of its own, so nothing done here can reach the memory of the .NET host.
#include "stage.h"
#include "syscalls.h"

// The compiler may turn loops into calls of these.
void *memset(void *to, int value, u64 size) {
  for (u8 *p = to; size--;) *p++ = (u8)value;
  return to;
}

static noreturn void leave(int code) {
  for (;;) syscall1(SYS_exit_group, code);
}

static u64 parse(const char *text) {
  u64 value = 0;
  for (; *text >= '0' && *text <= '9'; text++) value = value * 10 + (u64)(*text - '0');
  return value;
}

// status: where a host that waits by epoll is told, or -1. The program's own descriptors may have taken its first number.
static void ask(struct program *program, u32 question, s32 status) {
  __atomic_store_n(&program->asked, question, __ATOMIC_RELEASE);
  syscall3(SYS_futex, (s64)&program->asked, 1 /* FUTEX_WAKE */, 1);
  if (status >= 0) syscall3(SYS_write, status, (s64) "?", 1);
}

static noreturn void fail(struct program *program, u32 index, s64 error) {
  program->error = (s32)error;
  __atomic_store_n(&program->failed, (s32)index, __ATOMIC_RELEASE);
  syscall3(SYS_futex, (s64)&program->child, 1 /* FUTEX_WAKE */, 1); // the host may wait for a child that will not come
  leave(127);
}

// From here on the kernel tells the host when this process execs or dies. Not inherited by fork.
static void arm(struct program *program) {
  if (!program->robust_next) return;
  __atomic_store_n(&program->alive, 0x80000000u /* FUTEX_WAITERS */ | (u32)syscall0(SYS_gettid), __ATOMIC_RELEASE);
  syscall2(SYS_set_robust_list, (s64)&program->robust_next, 24);
}

// Runs in the parent half of OP_FORK: PID 1 of the sandbox ("init"), or the process between the host and the sandbox
// ("monitor", for hosts whose runtime reaps every child and so loses the status). Holds no fd of the sandbox, so that
// pipes end when the program closes them.
static noreturn void supervise(struct program *program, s32 child, u64 flags, s64 host) {
  // Whose child goes on with the host's program is not missed: its end means nothing.
  if (flags & SUPERVISE_LEAVE) syscall2(SYS_set_robust_list, 0, 24);
  if (flags & SUPERVISE_ANNOUNCE) {
    __atomic_store_n(&program->child, child, __ATOMIC_RELEASE); // the kernel has written it there, or in the guard's table
    syscall3(SYS_futex, (s64)&program->child, 1 /* FUTEX_WAKE */, 1);
    if (program->status_fd >= 0) syscall3(SYS_write, program->status_fd, (s64) "!", 1);
  }
  if (flags & SUPERVISE_LEAVE) leave(0);
  if (host > 0) {
    syscall3(SYS_close_range, 0, host - 1, 0);
    syscall3(SYS_close_range, host + 1, ~0u, 0);
  } else {
    syscall3(SYS_close_range, 0, ~0u, 0);
  }
  u64 all = ~0ul;
  struct { s32 fd; short events, revents; } wait[2] = {{(s32)syscall4(SYS_signalfd4, -1, (s64)&all, 8, 02004000), 1, 0}, {(s32)host, 1, 0}};
  u32 waits = host > 0 ? 2 : 1;
  for (;;) {
    syscall5(SYS_ppoll, (s64)wait, waits, 0, 0, 8);
    if (waits == 2 && wait[1].revents) { // the host is gone
      if (__atomic_load_n(&program->go, __ATOMIC_ACQUIRE) != STAGE_DETACHED) syscall2(SYS_kill, child, 9);
      waits = 1;
    }
    u32 signal[32];
    while (syscall3(SYS_read, wait[0].fd, (s64)signal, sizeof signal) == sizeof signal) {
      u32 number = signal[0] == 17 /* SIGCHLD */ ? 0 : signal[0];
      if (signal[0] == STAGE_FORWARD_SIGNAL && signal[2] == ~0u /* SI_QUEUE */ && (signal[11] & ~0xffu) == STAGE_FORWARD_TAG) number = signal[11] & 0xff;
      if ((flags & SUPERVISE_FORWARD) && number) syscall2(SYS_kill, child, number);
    }
    for (;;) {
      s32 info[32] = {0};
      // A process keeps its number, and with it that of the group it led, until it is reaped: the group is killed before.
      s64 look = flags & SUPERVISE_GROUP ? 0x01000000 /* WNOWAIT */ : 0;
      if (syscall5(SYS_waitid, 0 /* P_ALL */, 0, (s64)info, 0x40000005 /* __WALL|WEXITED|WNOHANG */ | look, 0) < 0 || info[4] == 0) break;
      if (look) {
        if (info[4] == child) syscall2(SYS_kill, -(s64)child, 9);
        syscall5(SYS_waitid, 1 /* P_PID */, info[4], (s64)info, 0x40000005, 0);
      }
      if (info[4] != child) continue;
      if (!program->reported) { // a monitor leaves what the init inside has reported
        s64 usage[18] = {0};
        syscall2(SYS_getrusage, -1 /* RUSAGE_CHILDREN */, (s64)usage);
        program->wait_code = info[2];
        program->wait_status = info[6];
        program->user_time = usage[0] * 1000000 + usage[1];
        program->system_time = usage[2] * 1000000 + usage[3];
        program->peak_memory = usage[4];
        __atomic_store_n(&program->reported, 1, __ATOMIC_RELEASE);
      }
      leave(info[2] == 1 /* CLD_EXITED */ ? info[6] : 128 + info[6]);
    }
  }
}

static char *put(char *to, const char *text) {
  while (*text) *to++ = *text++;
  *to = 0;
  return to;
}

static char *put_number(char *to, u64 number) {
  u64 scale = 1;
  while (number / scale > 9) scale *= 10;
  for (; scale; scale /= 10) *to++ = (char)('0' + number / scale % 10);
  *to = 0;
  return to;
}

// The length of what there is, NUL-terminated; 0 when the file cannot be read.
static s64 read_file(const char *path, char *text, s64 size) {
  s64 fd = syscall4(SYS_openat, -100, (s64)path, 02000000 /* O_CLOEXEC */, 0);
  if (fd < 0) return 0;
  s64 length = syscall3(SYS_read, fd, (s64)text, size - 1);
  syscall1(SYS_close, fd);
  if (length < 0) length = 0;
  text[length] = 0;
  return length;
}

// Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat), or 0 when it cannot be found out. The
// procfs in view may be that of another PID namespace, which has other numbers; it tells its own for a pidfd.
static u64 start_time(s64 pidfd) {
  char path[64], text[1024];
  put_number(put(path, "/proc/self/fdinfo/"), (u64)pidfd);
  read_file(path, text, sizeof text);
  const char *p = text;
  while (*p && !(p[0] == '\n' && p[1] == 'P' && p[2] == 'i' && p[3] == 'd' && p[4] == ':')) p++;
  u64 number = *p ? parse(p + 6) : 0; // "-1": it has ended
  put(put_number(put(path, "/proc/"), number), "/stat");
  s64 size = number ? read_file(path, text, sizeof text) : 0;
  if (size <= 0) return 0;
  p = text + size; // the command name, in parentheses, may contain anything: look for its end from behind
  while (p > text && *p != ')') p--;
  for (u32 field = 2; field < 22; field++) {
    while (*p && *p != ' ') p++;
    if (!*p) return 0;
    p++;
  }
  return parse(p);
}

static void kill_entry(const struct listed *entry, u32 pid) {
  s64 fd = syscall2(SYS_pidfd_open, pid, 0);
  if (fd < 0) { // who led the group may have ended before the host, which did not live to kill the rest of it
    if (entry->flags & LISTED_GROUP) syscall2(SYS_kill, -(s64)pid, 9);
    return;
  }
  // The number may have been given to a stranger since the host died. Ours was started before the host wrote the time.
  u64 started = start_time(fd);
  if (!entry->started_before || started <= entry->started_before) {
    if (entry->flags & LISTED_GROUP) syscall2(SYS_kill, -(s64)pid, 9);
    syscall4(SYS_pidfd_send_signal, fd, 9, 0, 0);
    if (entry->flags & LISTED_FORKS) { // only once it is gone is it sure that it makes no child any more
      struct { s32 fd; short events, revents; } end = {(s32)fd, 1, 0};
      s64 limit[2] = {2, 0};
      syscall5(SYS_ppoll, (s64)&end, 1, (s64)limit, 0, 8);
    }
  }
  syscall1(SYS_close, fd);
}

static void kill_listed(const struct listed *table, u64 count) {
  for (u64 i = 0; i < count; i++)
    for (u32 pid, last = 0; (pid = __atomic_load_n(&table[i].pid, __ATOMIC_ACQUIRE)) && pid != last; last = pid) kill_entry(&table[i], pid);
}

static s64 issue(const struct step *step, const u64 *a) {
  return syscall6(step->nr, (s64)a[0], (s64)a[1], (s64)a[2], (s64)a[3], (s64)a[4], (s64)a[5]);
}

static noreturn void run(struct program *program) {
  struct step *steps = (struct step *)((u8 *)program + program->steps_offset);
  for (u32 i = 0; i < program->count; i++) {
    struct step *step = &steps[i];
    program->current = i;
    u64 a[6];
    for (u32 k = 0; k < 6; k++) a[k] = step->registers >> k & 1 ? (u64)program->reg[step->arg[k]] : step->arg[k];
    s64 result = 0;
    switch (step->op) {
    case OP_SYSCALL:
      result = issue(step, a);
      if (step->repeat_arg == STAGE_NO_REGISTER)
        for (u32 tries = step->repeat_last; result == -11 /* EAGAIN */ && tries; tries--) result = issue(step, a);
      else
        while (result >= 0 && a[step->repeat_arg] < step->repeat_last) {
          a[step->repeat_arg]++;
          result = issue(step, a);
        }
      break;
    case OP_CHECK: {
      u64 value = a[1] == 8 ? *(u64 *)a[0] : a[1] == 4 ? *(u32 *)a[0] : a[1] == 2 ? *(u16 *)a[0] : *(u8 *)a[0];
      if ((value & a[2]) != a[3]) result = -(s64)a[4];
      break;
    }
    case OP_AWAIT_HOST:
      if (a[0]) ask(program, (u32)a[0], (s32)a[1]);
      for (u32 go; (go = __atomic_load_n(&program->go, __ATOMIC_ACQUIRE)) <= a[0];) syscall6(SYS_futex, (s64)&program->go, 0 /* FUTEX_WAIT */, go, 0, 0, 0);
      break;
    case OP_FORK:
      // CLONE_PARENT_SETTID: the host can find the child even when this process is killed before it says anything
      result = syscall5(SYS_clone, (s64)(a[0] | (a[1] & SUPERVISE_ANNOUNCE ? 0x00100000 : 0)), 0, a[3] ? (s64)a[3] : (s64)&program->child, 0, 0);
      if (result > 0) supervise(program, (s32)result, a[1], (s64)a[2]);
      if (result == 0) arm(program);
      break;
    case OP_KILL_LISTED:
      kill_listed((const struct listed *)a[0], a[1]);
      break;
    case OP_STORE:
      *(u64 *)a[0] = a[1];
      break;
    default:
      result = -38; // ENOSYS: a newer encoder than this stage
    }
    step->result = result;
    if (result < 0 && result >= -4095) {
      u32 known = 0;
      for (u32 k = 0; k < 4; k++) known |= step->tolerated[k] == (u16)-result;
      if (!known) fail(program, i, -result);
      i += step->skip;
    } else {
      if (step->out != STAGE_NO_REGISTER) program->reg[step->out] = result;
      i += step->skip_done;
    }
  }
  leave(0);
}

// argv: a name for `ps`, the fd of the program, its size.
noreturn void stage(u64 *stack) {
  char **argv = (char **)(stack + 1);
  if (stack[0] != 3) leave(126);
  s64 fd = (s64)parse(argv[1]);
  s64 base = syscall6(SYS_mmap, STAGE_BASE, (s64)parse(argv[2]), 3 /* READ|WRITE */, 0x100001 /* SHARED|FIXED_NOREPLACE */, fd, 0);
  if (base != (s64)STAGE_BASE) leave(126);
  syscall1(SYS_close, fd);
  struct program *program = (struct program *)base;
  if (program->magic != STAGE_MAGIC) leave(126);
  arm(program);
  if (program->status_fd >= 0) syscall3(SYS_fcntl, program->status_fd, 2 /* F_SETFD */, 1 /* FD_CLOEXEC */);
  run(program);
}
