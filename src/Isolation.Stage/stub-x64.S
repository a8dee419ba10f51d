// The stub for x64: two functions, position independent, mapped executable once in the .NET process.
//
//   offset 0   long issue(nr, a0..a5): a raw syscall, the kernel's result as it is (-errno on failure)
//   offset 64  long spawn(struct spawn *): see below
//
// spawn blocks every signal, clones with a private stack, and in the child does only two things: closes what must not be
// inherited and execs the stage. A pair of `ranges` whose last is below its first names a descriptor that the stage needs:
// its close-on-exec flag is cleared, in the child's own table only. The contract of the child: it shares the host's memory, so it writes nothing but
// spawn.error, takes no lock, touches no TLS and no libc, and never returns.
//
// struct spawn is described in stub.h.
// capabilities != NULL: the child keeps those of the mask `ambient` across the exec by making them ambient. In a user namespace that has no
// map yet it is no root, and exec would take from it what the clone gave it.
// legacy != 0: clone(2) instead of clone3(2), for outer sandboxes that answer clone3 with ENOSYS; clone_args is still the source of the numbers.
#include "stub.h"

  .text
  .globl issue
issue:
  endbr64
  mov %rdi, %rax
  mov %rsi, %rdi
  mov %rdx, %rsi
  mov %rcx, %rdx
  mov %r8, %r10
  mov %r9, %r8
  mov 8(%rsp), %r9
  syscall
  ret

  .org 64
  .globl spawn
spawn:
  endbr64
  push %rbx
  push %r12
  sub $16, %rsp
  mov %rdi, %rbx
  movq $-1, (%rsp)
  mov $NR_rt_sigprocmask, %eax         // rt_sigprocmask(SIG_SETMASK, all, saved, 8)
  mov $2, %edi
  mov %rsp, %rsi
  lea 8(%rsp), %rdx
  mov $8, %r10d
  syscall
  cmpq $0, SPAWN_LEGACY(%rbx)
  jne 1f
  mov $NR_clone3, %eax                 // clone3(args, size)
  mov SPAWN_ARGS(%rbx), %rdi
  mov SPAWN_SIZE(%rbx), %rsi
  syscall
  jmp 2f
1: mov SPAWN_ARGS(%rbx), %r8           // clone(flags | exit_signal, stack, parent_tid, child_tid, tls)
  mov CLONE_ARGS_FLAGS(%r8), %rdi
  or CLONE_ARGS_EXIT_SIGNAL(%r8), %rdi
  mov CLONE_ARGS_STACK(%r8), %rsi
  add CLONE_ARGS_STACK_SIZE(%r8), %rsi
  mov CLONE_ARGS_PARENT_TID(%r8), %rdx
  xor %r10d, %r10d
  xor %r8d, %r8d
  mov $NR_clone, %eax
  syscall
2: test %rax, %rax
  jz 3f
  mov %rax, %r12
  mov $NR_rt_sigprocmask, %eax         // rt_sigprocmask(SIG_SETMASK, saved, NULL, 8)
  mov $2, %edi
  lea 8(%rsp), %rsi
  xor %edx, %edx
  mov $8, %r10d
  syscall
  mov %r12, %rax
  add $16, %rsp
  pop %r12
  pop %rbx
  ret
3: mov SPAWN_PERSONALITY(%rbx), %rdi   // the child: personality(persona), which the host has tried before it asks for it
  mov $NR_personality, %eax
  syscall
  mov SPAWN_CAPABILITIES(%rbx), %rdi
  test %rdi, %rdi
  jz 9f
  lea 8(%rdi), %rsi                    // capset(header, data): inheritable, which ambient needs
  mov $NR_capset, %eax
  syscall
  test %rax, %rax
  js 6f
  mov SPAWN_AMBIENT(%rbx), %r12        // for each bit: prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, n, 0, 0)
8: bsf %r12, %rdx
  jz 9f
  btr %rdx, %r12
  mov $47, %edi
  mov $2, %esi
  xor %r10d, %r10d
  xor %r8d, %r8d
  mov $NR_prctl, %eax
  syscall
  test %rax, %rax
  jns 8b
  jmp 6f
9: mov SPAWN_RANGES(%rbx), %r12
  mov SPAWN_RANGE_COUNT(%rbx), %r13
  mov SPAWN_CLOSE_FLAGS(%rbx), %r14    // for the first pair alone, which is a range
4: test %r13, %r13
  jz 5f
  mov (%r12), %edi
  mov 4(%r12), %esi
  mov %r14, %rdx
  xor %r14d, %r14d
  mov $NR_close_range, %eax            // close_range(first, last, flags)
  cmp %edi, %esi
  jae 7f
  mov $2, %esi                         // fcntl(first, F_SETFD, 0)
  mov $NR_fcntl, %eax
7: syscall
  test %rax, %rax
  js 6f
  add $8, %r12
  dec %r13
  jmp 4b
5: mov SPAWN_STAGE_FD(%rbx), %rdi      // execveat(stage_fd, "", argv, envp, AT_EMPTY_PATH)
  lea empty(%rip), %rsi
  mov SPAWN_ARGV(%rbx), %rdx
  mov SPAWN_ENVP(%rbx), %r10
  mov $0x1000, %r8d
  mov $NR_execveat, %eax
  syscall
6: mov %rax, SPAWN_ERROR(%rbx)
  mov $NR_exit, %eax                   // exit(127)
  mov $127, %edi
  syscall
  hlt
empty:
  .byte 0
