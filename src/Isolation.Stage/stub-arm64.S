// The stub for arm64: see stub-x64.S for the contract. Same offsets, same struct.
#include "stub.h"

  .text
  .globl issue
issue:
  hint #34                  // bti c
  mov x8, x0
  mov x0, x1
  mov x1, x2
  mov x2, x3
  mov x3, x4
  mov x4, x5
  mov x5, x6
  svc #0
  ret

  .org 64
  .globl spawn
spawn:
  hint #34                             // bti c
  stp x19, x20, [sp, #-32]!
  mov x19, x0
  mov x1, #-1
  str x1, [sp, #16]
  mov x8, #NR_rt_sigprocmask           // rt_sigprocmask(SIG_SETMASK, all, saved, 8)
  mov x0, #2
  add x1, sp, #16
  add x2, sp, #24
  mov x3, #8
  svc #0
  ldr x4, [x19, #SPAWN_LEGACY]
  cbnz x4, 1f
  mov x8, #NR_clone3                   // clone3(args, size)
  ldr x0, [x19, #SPAWN_ARGS]
  ldr x1, [x19, #SPAWN_SIZE]
  svc #0
  b 2f
1: ldr x5, [x19, #SPAWN_ARGS]          // clone(flags | exit_signal, stack, parent_tid, tls, child_tid)
  ldr x0, [x5, #CLONE_ARGS_FLAGS]
  ldr x4, [x5, #CLONE_ARGS_EXIT_SIGNAL]
  orr x0, x0, x4
  ldr x1, [x5, #CLONE_ARGS_STACK]
  ldr x4, [x5, #CLONE_ARGS_STACK_SIZE]
  add x1, x1, x4
  ldr x2, [x5, #CLONE_ARGS_PARENT_TID]
  mov x3, #0
  mov x4, #0
  mov x8, #NR_clone
  svc #0
2: cbz x0, 3f
  mov x20, x0
  mov x8, #NR_rt_sigprocmask           // rt_sigprocmask(SIG_SETMASK, saved, NULL, 8)
  mov x0, #2
  add x1, sp, #24
  mov x2, #0
  mov x3, #8
  svc #0
  mov x0, x20
  ldp x19, x20, [sp], #32
  ret
3: ldr x0, [x19, #SPAWN_PERSONALITY]   // the child: personality(persona), which the host has tried before it asks for it
  mov x8, #NR_personality
  svc #0
  ldr x0, [x19, #SPAWN_CAPABILITIES]
  cbz x0, 9f
  add x1, x0, #8                       // capset(header, data): inheritable, which ambient needs
  mov x8, #NR_capset
  svc #0
  tbnz x0, #63, 6f
  ldr x20, [x19, #SPAWN_AMBIENT]        // for each bit: prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, n, 0, 0)
8: cbz x20, 9f
  rbit x2, x20
  clz x2, x2
  sub x4, x20, #1
  and x20, x20, x4
  mov x0, #47
  mov x1, #2
  mov x3, #0
  mov x4, #0
  mov x8, #NR_prctl
  svc #0
  tbz x0, #63, 8b
  b 6f
9: ldr x20, [x19, #SPAWN_RANGES]
  ldr x21, [x19, #SPAWN_RANGE_COUNT]
  ldr x22, [x19, #SPAWN_CLOSE_FLAGS]   // for the first pair alone, which is a range
4: cbz x21, 5f
  ldp w0, w1, [x20], #8
  mov x2, x22
  mov x22, #0
  mov x8, #NR_close_range              // close_range(first, last, flags)
  cmp w1, w0
  b.hs 7f
  mov x1, #2                           // fcntl(first, F_SETFD, 0)
  mov x8, #NR_fcntl
7: svc #0
  tbnz x0, #63, 6f
  sub x21, x21, #1
  b 4b
5: ldr x0, [x19, #SPAWN_STAGE_FD]      // execveat(stage_fd, "", argv, envp, AT_EMPTY_PATH)
  adr x1, empty
  ldr x2, [x19, #SPAWN_ARGV]
  ldr x3, [x19, #SPAWN_ENVP]
  mov x4, #0x1000
  mov x8, #NR_execveat
  svc #0
6: str x0, [x19, #SPAWN_ERROR]
  mov x8, #NR_exit                     // exit(127)
  mov x0, #127
  svc #0
  brk #0
empty:
  .byte 0
  .balign 4
