// The wire format between the C# encoder (src/Isolation/Stage) and the stage. Both sides are compared, field by field,
// by the interop tests. All numbers are in the machine's own byte order; the struct layouts are the same on every
// supported architecture.
#ifndef ISOLATION_STAGE_H
#define ISOLATION_STAGE_H

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef int s32;
typedef unsigned long u64;
typedef long s64;

#define STAGE_MAGIC 0x49534f31u       // "ISO1"
#define STAGE_BASE 0x500000ul         // where the stage maps its program, so that the encoder can write final pointers; near the text, to share a page table
#define STAGE_REGISTERS 240
#define STAGE_NO_REGISTER 0xff
#define STAGE_FORWARD_SIGNAL 64       // SIGRTMAX, queued with the value STAGE_FORWARD_TAG | n: asks a supervisor to send its child the signal n,
#define STAGE_FORWARD_TAG 0x49534f00  // which itself must not be sent (SIGSTOP), or is somebody else's message (SIGCHLD), or must stay in order
#define STAGE_DETACHED ~0u            // `go` of a program that by now may outlive the host
#define STAGE_ALIVE_OFFSET 72         // in struct program, for the pointers of the robust list
#define STAGE_ROBUST_HEAD_OFFSET 80
#define STAGE_ROBUST_ENTRY_OFFSET 104
#define STAGE_REGISTERS_OFFSET 112    // for steps that look at a register

enum op {
  OP_SYSCALL = 0,     // issue syscall `nr` with arg[0..5]
  OP_CHECK = 1,       // (*(arg[1] bytes at arg[0]) & arg[2]) == arg[3], or fail with errno arg[4]
  OP_AWAIT_HOST = 2,  // wait until the host has run its own steps (arg[0] = 0), or ask it something and wait for its answer (arg[0] = number of the question, arg[1] = status fd or -1)
  OP_FORK = 3,        // clone with flags arg[0]; the child goes on, this process supervises it (arg[1] = supervise_flags, arg[2] = pidfd of the host,
                      // arg[3] = where the kernel notes the child's pid, or 0 for `child`)
  OP_KILL_LISTED = 4, // SIGKILL every live process of the table at arg[0], arg[1] entries
  OP_STORE = 5,       // *(u64 *)arg[0] = arg[1]: a register's value into a structure of a later step
};

enum supervise_flags {
  SUPERVISE_ANNOUNCE = 1, // tell the host the child's pid as soon as there is one
  SUPERVISE_FORWARD = 2,  // hand every signal received on to the child
  SUPERVISE_GROUP = 4,    // when the child has ended, kill what is left of the process group it led
  SUPERVISE_LEAVE = 8,    // do not supervise, end: with CLONE_PARENT the child is the host's own
};

enum listed_flags {
  LISTED_GROUP = 1, // also the process group it leads
  LISTED_FORKS = 2, // as long as it lives, its entry may come to name its child instead
};

struct step {
  u16 op;
  u8 out;             // register that takes the result, or STAGE_NO_REGISTER
  u8 registers;       // bit i: arg[i] names a register whose value is meant
  u32 nr;
  u64 arg[6];
  u16 tolerated[4];   // errnos that are no failure; the `skip` steps that follow are then passed over
  u16 skip;
  u8 repeat_arg;      // STAGE_NO_REGISTER, or the argument that counts up to repeat_last, one syscall for each value
  u8 skip_done;       // how many steps are passed over after a success: the way round what need not be done
  u32 repeat_last;    // without a repeat_arg: how often a syscall that answers EAGAIN is tried again
  s64 result;         // written by the stage: the (last) syscall's result, -errno on failure
};

struct program {
  u32 magic;
  u32 count;
  u32 go;             // futex: 0 until the host has run its own steps, then 1 + the number of questions it has answered
  u32 current;        // index of the step being executed
  s32 failed;         // index of the step that failed, or -1
  s32 error;          // its errno
  s32 status_fd;      // or -1; made close-on-exec by the stage: its end tells a host that waits by epoll the same
  s32 child;          // OP_FORK, futex: the child's pid as the forker sees it
  u32 reported;       // 1 once the fields below are valid
  s32 wait_code;      // CLD_EXITED, CLD_KILLED or CLD_DUMPED
  s32 wait_status;
  u32 steps_offset;   // from the start of the program: header, data, steps
  s64 user_time;      // microseconds, the child and all that was reaped
  s64 system_time;
  s64 peak_memory;    // KiB, the largest single process
  u32 alive;          // robust futex (see set_robust_list(2)): the kernel marks it and wakes the host when this process
  u32 asked;          // execs or dies, so that the host needs no pipe to learn of it. futex: the number of the last question to the host
  u64 robust_next;    // struct robust_list_head: these three; next == 0: not wanted
  u64 robust_offset;
  u64 robust_pending;
  u64 robust_entry;   // struct robust_list, the only one in the list
  s64 reg[STAGE_REGISTERS];
};

// The table of processes that must not outlive the host. The kernel itself writes `pid` (CLONE_PARENT_SETTID), so there
// is no moment at which a child exists and is not listed.
struct listed {
  u32 pid;
  u32 flags;          // listed_flags
  u64 started_before; // clock ticks since boot; 0 = the host died before it could write it
};

_Static_assert(sizeof(struct step) == 80, "wire format");
_Static_assert(sizeof(struct program) == 112 + 8 * STAGE_REGISTERS, "wire format");
_Static_assert(__builtin_offsetof(struct program, alive) == STAGE_ALIVE_OFFSET, "wire format");
_Static_assert(__builtin_offsetof(struct program, robust_next) == STAGE_ROBUST_HEAD_OFFSET, "wire format");
_Static_assert(__builtin_offsetof(struct program, robust_entry) == STAGE_ROBUST_ENTRY_OFFSET, "wire format");
_Static_assert(__builtin_offsetof(struct program, reg) == STAGE_REGISTERS_OFFSET, "wire format");
_Static_assert(sizeof(struct listed) == 16, "wire format");
#endif
