// What the stub's two assembler files and its caller (src/Isolation/Interop/SpawnArguments.cs) agree on. The interop tests
// compare all three, and the syscall numbers with the kernel's headers.
#ifndef ISOLATION_STUB_H
#define ISOLATION_STUB_H

// Offsets in struct spawn, as the assembler knows it.
#define SPAWN_ARGS 0
#define SPAWN_SIZE 8
#define SPAWN_LEGACY 16
#define SPAWN_RANGES 24
#define SPAWN_RANGE_COUNT 32
#define SPAWN_STAGE_FD 40
#define SPAWN_ARGV 48
#define SPAWN_ENVP 56
#define SPAWN_ERROR 64
#define SPAWN_CAPABILITIES 72
#define SPAWN_AMBIENT 80
#define SPAWN_PERSONALITY 88
#define SPAWN_CLOSE_FLAGS 96

// Offsets in struct clone_args of linux/sched.h.
#define CLONE_ARGS_FLAGS 0
#define CLONE_ARGS_PARENT_TID 24
#define CLONE_ARGS_EXIT_SIGNAL 32
#define CLONE_ARGS_STACK 40
#define CLONE_ARGS_STACK_SIZE 48

#if defined(__x86_64__)
#define NR_rt_sigprocmask 14
#define NR_clone 56
#define NR_exit 60
#define NR_fcntl 72
#define NR_capset 126
#define NR_personality 135
#define NR_prctl 157
#define NR_execveat 322
#elif defined(__aarch64__)
#define NR_fcntl 25
#define NR_capset 91
#define NR_personality 92
#define NR_exit 93
#define NR_rt_sigprocmask 135
#define NR_prctl 167
#define NR_clone 220
#define NR_execveat 281
#endif
#define NR_clone3 435
#define NR_close_range 436

#ifndef __ASSEMBLER__
struct spawn {
  void *args;                   // struct clone_args
  unsigned long size;           // of it
  unsigned long legacy;         // 1: clone(2) instead of clone3(2)
  unsigned int *ranges;         // pairs of first and last fd
  unsigned long range_count;    // of pairs
  long stage_fd;
  char **argv, **envp;
  long error;                   // written by the child
  void *capabilities;           // cap_header and cap_data, or NULL
  unsigned long ambient;        // mask of those to keep
  unsigned long personality;    // personality(2) of the stage; 0xffffffff: the host's
  unsigned long close_flags;    // CLOSE_RANGE_UNSHARE when the child is born in the host's own table of fds (CLONE_FILES)
};
#endif
#endif
