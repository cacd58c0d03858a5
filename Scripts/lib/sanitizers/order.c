// Tells the thread sanitizer of orders between threads that it cannot see, because Swift's libraries are not built with it.
//
// On Linux, Swift's Mutex is an atomic integer and a futex. Its fast path is inlined into our code, where the sanitizer
// sees it; the slow path, of a lock that another thread holds, is in the library Synchronization. And the runtime tells
// the sanitizer that resuming a continuation comes before what the task does next, but only when the task has been
// suspended meanwhile: not when it was resumed before it waited. Without this, each of both is now and then reported as
// a race.
//
// The functions here stand in front of the libraries' (by LD_PRELOAD), call them, and name the order that they make.
// Nothing else is hidden: a race is one still. Scripts/sanitize-thread shows that with race.swift.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>

#define LOCK_SLOW "$s15Synchronization12_MutexHandleV9_lockSlowyys6UInt32VF"
#define UNLOCK_SLOW "$s15Synchronization12_MutexHandleV11_unlockSlowyyF"
#define SWIFT __attribute__((swiftcall))
#define ASYNC __attribute__((swiftasynccall))
#define SELF __attribute__((swift_context)) void *

// Of the sanitizer's runtime and of Swift's; missing in programs that are started by the tests.
void __tsan_acquire(void *address) __attribute__((weak));
void __tsan_release(void *address) __attribute__((weak));
SWIFT void *swift_task_getCurrent(void) __attribute__((weak));

SWIFT void lock_slow(uint32_t state, SELF mutex) __asm__(LOCK_SLOW);
SWIFT void unlock_slow(SELF mutex) __asm__(UNLOCK_SLOW);
struct frame;
ASYNC void swift_continuation_await(struct frame *frame);

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

// A continuation's frame (`AsyncContext` in the runtime): where it goes on when it is resumed comes second.
typedef ASYNC void resume_function(__attribute__((swift_async_context)) struct frame *frame);
struct frame {
    void *parent;
    resume_function *resume;
};

// Where the frames that wait go on, while they name `go_on` instead. The lock is one that the sanitizer does not see: it
// would take it for an order between all tasks.
struct entry {
    struct entry *next;
    struct frame *frame;
    resume_function *resume;
};
static struct entry *table[4096];
static atomic_flag is_locked = ATOMIC_FLAG_INIT;

static struct entry **bucket(struct frame *frame) {
    return &table[((uint64_t)(uintptr_t)frame * 0x9E3779B97F4A7C15u) >> 52];
}
static void lock_table(void) {
    while (atomic_flag_test_and_set_explicit(&is_locked, memory_order_acquire)) sched_yield();
}
static void unlock_table(void) { atomic_flag_clear_explicit(&is_locked, memory_order_release); }

// Runs when the task goes on, however it came to that. What has resumed it has released the task.
static ASYNC void go_on(__attribute__((swift_async_context)) struct frame *frame) {
    lock_table();
    struct entry **place = bucket(frame);
    while ((*place)->frame != frame) place = &(*place)->next;
    struct entry *entry = *place;
    *place = entry->next;
    unlock_table();
    resume_function *resume = entry->resume;
    free(entry);
    frame->resume = resume;
    __tsan_acquire(swift_task_getCurrent());
    __attribute__((musttail)) return resume(frame);
}

ASYNC void swift_continuation_await(struct frame *frame) {
    ASYNC void (*await)(struct frame *) = next("swift_continuation_await");
    if (__tsan_acquire != NULL && swift_task_getCurrent != NULL) {
        struct entry *entry = malloc(sizeof *entry);
        if (entry == NULL) abort();
        lock_table();
        *entry = (struct entry){.next = *bucket(frame), .frame = frame, .resume = frame->resume};
        *bucket(frame) = entry;
        unlock_table();
        frame->resume = go_on;
    }
    __attribute__((musttail)) return await(frame);
}
