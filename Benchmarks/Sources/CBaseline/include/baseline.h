// The yardstick: the workloads on raw libpq with one blocking thread per connection, prepared statements and binary
// values, as a C programmer would write them.

#ifndef BENCHMARKS_BASELINE_H
#define BENCHMARKS_BASELINE_H

#include <stdbool.h>
#include <stdint.h>

#include "measuring.h"

typedef enum {
    // One row of 8 columns by primary key.
    BASELINE_READ_ONE = 1,
    // 1,000 such rows.
    BASELINE_READ_MANY = 2,
    // BEGIN, select for update, update, insert, COMMIT.
    BASELINE_TRANSACTION = 4,
    // The same in pipeline mode: BEGIN with the select, the rest with COMMIT.
    BASELINE_TRANSACTION_IN_TWO_FLIGHTS = 5,
} baseline_workload;

// Runs a workload for some seconds on as many connections, each with a thread of its own. Every thread connects,
// prepares and warms up before the clock starts. False when it failed; result->error says why.
bool baseline_run(const char *conninfo, baseline_workload workload, int connections, double seconds, int64_t rows,
                  baseline_result *result);

// Runs the read of one row on a few connections in pipeline mode, each with so many queries in flight.
bool baseline_run_pipelined(const char *conninfo, int connections, int depth, double seconds, int64_t rows,
                            baseline_result *result);

// Copies so many rows into benchmark.imports with binary COPY: one operation, timed without connecting.
bool baseline_copy(const char *conninfo, int64_t rows, baseline_result *result);

// One connection in the caller's hands.
typedef struct baseline_session baseline_session;

// NULL when it failed; error says why.
baseline_session *baseline_open(const char *conninfo, baseline_workload workload, char error[512]);
void baseline_close(baseline_session *session);

// Runs operations of the session's workload.
bool baseline_operate(baseline_session *session, int64_t count, int64_t rows);

// Fetches 1,000 rows, and decodes them into an array of structs, as often as asked.
bool baseline_fetch(baseline_session *session);
bool baseline_decode(baseline_session *session);

// Runs SQL of several statements. False when it failed; error says why.
bool baseline_execute(const char *conninfo, const char *sql, char error[512]);

// The server's version, such as 150018; 0 when it cannot be reached.
int baseline_server_version(const char *conninfo);

// libpq's own version, such as 150018.
int baseline_libpq_version(void);

#endif
