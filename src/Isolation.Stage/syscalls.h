// Raw syscalls for the two architectures, numbers as in asm/unistd.h.
#ifndef ISOLATION_SYSCALLS_H
#define ISOLATION_SYSCALLS_H
#include "stage.h"

#define noreturn __attribute__((noreturn))

#if defined(__x86_64__)
enum { SYS_read = 0, SYS_write = 1, SYS_close = 3, SYS_mmap = 9, SYS_clone = 56, SYS_kill = 62, SYS_fcntl = 72, SYS_getrusage = 98, SYS_gettid = 186, SYS_futex = 202,
       SYS_exit_group = 231, SYS_waitid = 247, SYS_openat = 257, SYS_ppoll = 271, SYS_set_robust_list = 273, SYS_signalfd4 = 289,
       SYS_pidfd_send_signal = 424, SYS_pidfd_open = 434, SYS_close_range = 436 };

static inline s64 syscall6(s64 nr, s64 a, s64 b, s64 c, s64 d, s64 e, s64 f) {
  register s64 r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
  s64 result;
  __asm__ volatile("syscall" : "=a"(result) : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9) : "rcx", "r11", "memory");
  return result;
}

__asm__(".globl _start\n_start:\n xor %ebp, %ebp\n mov %rsp, %rdi\n and $-16, %rsp\n call stage\n");

#elif defined(__aarch64__)
enum { SYS_fcntl = 25, SYS_openat = 56, SYS_close = 57, SYS_read = 63, SYS_write = 64, SYS_ppoll = 73, SYS_signalfd4 = 74, SYS_exit_group = 94, SYS_waitid = 95,
       SYS_futex = 98, SYS_set_robust_list = 99, SYS_kill = 129, SYS_getrusage = 165, SYS_gettid = 178, SYS_clone = 220, SYS_mmap = 222,
       SYS_pidfd_send_signal = 424, SYS_pidfd_open = 434, SYS_close_range = 436 };

static inline s64 syscall6(s64 nr, s64 a, s64 b, s64 c, s64 d, s64 e, s64 f) {
  register s64 x8 __asm__("x8") = nr, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c, x3 __asm__("x3") = d,
                                 x4 __asm__("x4") = e, x5 __asm__("x5") = f;
  __asm__ volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory", "cc");
  return x0;
}

__asm__(".globl _start\n_start:\n mov x29, #0\n mov x30, #0\n mov x0, sp\n bl stage\n");
#else
#error "unsupported architecture"
#endif

static inline s64 syscall0(s64 nr) { return syscall6(nr, 0, 0, 0, 0, 0, 0); }
static inline s64 syscall1(s64 nr, s64 a) { return syscall6(nr, a, 0, 0, 0, 0, 0); }
static inline s64 syscall2(s64 nr, s64 a, s64 b) { return syscall6(nr, a, b, 0, 0, 0, 0); }
static inline s64 syscall3(s64 nr, s64 a, s64 b, s64 c) { return syscall6(nr, a, b, c, 0, 0, 0); }
static inline s64 syscall4(s64 nr, s64 a, s64 b, s64 c, s64 d) { return syscall6(nr, a, b, c, d, 0, 0); }
static inline s64 syscall5(s64 nr, s64 a, s64 b, s64 c, s64 d, s64 e) { return syscall6(nr, a, b, c, d, e, 0); }
#endif
