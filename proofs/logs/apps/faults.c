/* A library that faults when it is loaded: a crash in native code. */
__attribute__((constructor)) static void fault(void) { *(volatile int *)0 = 0; }
