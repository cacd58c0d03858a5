// What one connection does: prepare once, then operations.

#ifndef BENCHMARKS_WORKLOADS_H
#define BENCHMARKS_WORKLOADS_H

#include <libpq-fe.h>

#include "baseline.h"

// How many operations warm a connection up before the clock starts, on both sides.
enum { WARM_UP = 50 };

// How many rows W2 reads.
enum { ROWS_OF_READ_MANY = 1000 };

bool workload_prepare(PGconn *connection, baseline_workload workload);

bool workload_operate(PGconn *connection, baseline_workload workload, int64_t id);

#endif
