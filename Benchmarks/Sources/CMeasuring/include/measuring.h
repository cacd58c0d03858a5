// What the C side and the Swift side of every comparison measure with.

#ifndef BENCHMARKS_MEASURING_H
#define BENCHMARKS_MEASURING_H

#include <stdint.h>

#include "gate.h"
#include "histogram.h"
#include "workers.h"

// Seconds of a clock that only goes forward; what both sides time with.
double baseline_now(void);

// Seconds of processor time of this process, user and system.
double baseline_cpu(void);

// The same of processes that this one started and that have ended.
double baseline_children_cpu(void);

// A number for the next row, from 1 to limit; xorshift, the same on both sides. The state must not be 0.
static inline int64_t baseline_next(uint64_t *state, int64_t limit) {
    uint64_t x = *state;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *state = x;
    return (int64_t)(x % (uint64_t)limit) + 1;
}

#endif
