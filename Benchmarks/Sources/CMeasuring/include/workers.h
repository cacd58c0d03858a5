// Threads that do the same operation again and again, each with a session of its own, timed together.

#ifndef BENCHMARKS_WORKERS_H
#define BENCHMARKS_WORKERS_H

#include <stdbool.h>
#include <stdint.h>

#include "histogram.h"

enum { WORKERS_ERROR = 512 };

typedef struct {
    uint64_t operations;
    // From the moment that all threads may start to the end of the last.
    double wall_seconds;
    // Of the whole process, user and system, over the same time.
    double cpu_seconds;
    histogram latencies;
    // Empty, or why the run failed.
    char error[WORKERS_ERROR];
} baseline_result;

// What a thread does. Each returns NULL or false when it failed, with the reason in `error`.
typedef struct {
    // Connects and prepares for the worker of this number, from 0.
    void *(*open)(const void *context, int worker, char error[WORKERS_ERROR]);
    // Does one operation on a row.
    bool (*operate)(void *session, int64_t row, char error[WORKERS_ERROR]);
    // Also called for what open() gave up on: NULL.
    void (*close)(void *session);
} worker_steps;

// Runs operations for some seconds on as many threads. Every thread opens its session and warms up with so many
// operations before the clock starts. False when it failed; result->error says why.
bool workers_run(const worker_steps *steps, const void *context, int count, int warm_up, double seconds, int64_t rows,
                 baseline_result *result);

#endif
