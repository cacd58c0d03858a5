// Counts the allocations of a process that it is preloaded into (LD_PRELOAD): a library of its own, so that a run that
// measures time pays nothing for it. With glibc only; elsewhere the library is empty.

#ifndef BENCHMARKS_ALLOCATION_COUNTER_H
#define BENCHMARKS_ALLOCATION_COUNTER_H

#include <stdint.h>

// How many blocks of memory the process has asked for so far, on all threads.
uint64_t allocation_counter_count(void);

#endif
