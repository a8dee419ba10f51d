// A program that lives until it is killed, and needs as little as can be.
__attribute__((noreturn)) void _start(void) {
  for (;;) {
#if defined(__x86_64__)
    long result;
    __asm__ volatile("syscall" : "=a"(result) : "a"(34 /* pause */) : "rcx", "r11", "memory");
#elif defined(__aarch64__)
    register long number __asm__("x8") = 73 /* ppoll */, a __asm__("x0") = 0, b __asm__("x1") = 0, c __asm__("x2") = 0, d __asm__("x3") = 0;
    __asm__ volatile("svc 0" : "+r"(a) : "r"(number), "r"(b), "r"(c), "r"(d) : "memory");
#endif
  }
}
