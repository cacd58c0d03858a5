// Tells the thread sanitizer of the locks that it cannot see.
//
// On Linux, Swift's Mutex is an atomic integer and a futex. Its fast path is inlined into our code, where the sanitizer
// sees it; the slow path, of a lock that another thread holds, is in the library Synchronization, which is not built
// with the sanitizer. Without this, every contended lock would be reported as a race. Both functions are replaced (by
// LD_PRELOAD) by ones that call them, and name the order that they make. Nothing else is hidden: a race is one still.
// Scripts/sanitize-thread shows that, with Scripts/lib/sanitizers/race.swift.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define SWIFT __attribute__((swiftcall))
#define SELF __attribute__((swift_context)) void *

// Of the sanitizer's runtime; missing in programs that are started by the tests.
void __tsan_acquire(void *address) __attribute__((weak));
void __tsan_release(void *address) __attribute__((weak));

SWIFT void lock_slow(uint32_t state, SELF mutex) __asm__(LOCK_SLOW);
SWIFT void unlock_slow(SELF mutex) __asm__(UNLOCK_SLOW);

static void *next(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL) abort();
    return function;
}

SWIFT void lock_slow(uint32_t state, SELF mutex) {
    SWIFT void (*lock)(uint32_t, SELF) = next(LOCK_SLOW);
    lock(state, mutex);
    if (__tsan_acquire != NULL) __tsan_acquire(mutex);
}

SWIFT void unlock_slow(SELF mutex) {
    SWIFT void (*unlock)(SELF) = next(UNLOCK_SLOW);
    if (__tsan_release != NULL) __tsan_release(mutex);
    unlock(mutex);
}
