#define _GNU_SOURCE
#include <libpq-fe.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "gate.h"
#include "workloads.h"

double baseline_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double used_by(int who) {
    struct rusage usage;
    getrusage(who, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 + (double)usage.ru_stime.tv_sec +
           (double)usage.ru_stime.tv_usec / 1e6;
}

double baseline_cpu(void) { return used_by(RUSAGE_SELF); }

double baseline_children_cpu(void) { return used_by(RUSAGE_CHILDREN); }

// Whether a run goes on is the result's error alone; what the server remarks is not for the table.
static void ignore_notice(void *argument, const char *message) {
    (void)argument;
    (void)message;
}

// ---- Threads

typedef struct {
    const char *conninfo;
    baseline_workload workload;
    double seconds;
    int64_t rows;
    gate gate;
    // Set before the gate opens.
    double started;
    atomic_bool has_failed;
} shared_state;

typedef struct {
    shared_state *shared;
    uint64_t random;
    uint64_t operations;
    histogram latencies;
    char error[512];
} worker;

static void fail(worker *self, const char *step, PGconn *connection) {
    snprintf(self->error, sizeof self->error, "%s: %s", step, PQerrorMessage(connection));
    atomic_store(&self->shared->has_failed, true);
}

static void *work(void *argument) {
    worker *self = argument;
    shared_state *shared = self->shared;
    PGconn *connection = PQconnectdb(shared->conninfo);
    if (PQstatus(connection) != CONNECTION_OK) {
        fail(self, "connect", connection);
    } else if (!workload_prepare(connection, shared->workload)) {
        fail(self, "prepare", connection);
    } else {
        for (int i = 0; i < WARM_UP; i++) {
            if (!workload_operate(connection, shared->workload, baseline_next(&self->random, shared->rows))) {
                fail(self, "warm up", connection);
                break;
            }
        }
    }
    gate_pass(&shared->gate);
    if (!atomic_load(&shared->has_failed)) {
        double end = shared->started + shared->seconds;
        double before = baseline_now();
        while (before < end) {
            if (!workload_operate(connection, shared->workload, baseline_next(&self->random, shared->rows))) {
                fail(self, "run", connection);
                break;
            }
            double now = baseline_now();
            histogram_record(&self->latencies, now - before);
            self->operations += 1;
            before = now;
        }
    }
    PQfinish(connection);
    return NULL;
}

bool baseline_run(const char *conninfo, baseline_workload workload, int connections, double seconds, int64_t rows,
                  baseline_result *result) {
    memset(result, 0, sizeof *result);
    if (connections < 1 || connections > 1000 || seconds <= 0 || rows < 1) {
        snprintf(result->error, sizeof result->error, "connections, seconds or rows out of range");
        return false;
    }
    shared_state shared = {.conninfo = conninfo, .workload = workload, .seconds = seconds, .rows = rows};
    worker *workers = calloc((size_t)connections, sizeof *workers);
    pthread_t *threads = calloc((size_t)connections, sizeof *threads);
    if (workers == NULL || threads == NULL) {
        free(workers);
        free(threads);
        snprintf(result->error, sizeof result->error, "out of memory");
        return false;
    }
    gate_init(&shared.gate);
    int started = 0;
    for (int i = 0; i < connections; i++) {
        workers[i].shared = &shared;
        workers[i].random = 0x9E3779B97F4A7C15ull * (uint64_t)(i + 1);
        if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0) {
            snprintf(result->error, sizeof result->error, "no thread could be started");
            atomic_store(&shared.has_failed, true);
            break;
        }
        started += 1;
    }
    gate_await(&shared.gate, started);
    double cpu = baseline_cpu();
    shared.started = baseline_now();
    gate_open(&shared.gate);
    for (int i = 0; i < started; i++) pthread_join(threads[i], NULL);
    result->wall_seconds = baseline_now() - shared.started;
    result->cpu_seconds = baseline_cpu() - cpu;
    for (int i = 0; i < connections; i++) {
        result->operations += workers[i].operations;
        histogram_add(&result->latencies, &workers[i].latencies);
        if (workers[i].error[0] != 0 && result->error[0] == 0) {
            snprintf(result->error, sizeof result->error, "%s", workers[i].error);
        }
    }
    gate_destroy(&shared.gate);
    free(workers);
    free(threads);
    return result->error[0] == 0;
}

bool baseline_execute(const char *conninfo, const char *sql, char error[512]) {
    error[0] = 0;
    PGconn *connection = PQconnectdb(conninfo);
    bool is_good = PQstatus(connection) == CONNECTION_OK;
    if (is_good) {
        PQsetNoticeProcessor(connection, ignore_notice, NULL);
        PGresult *result = PQexec(connection, sql);
        ExecStatusType status = PQresultStatus(result);
        is_good = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
        PQclear(result);
    }
    if (!is_good) snprintf(error, 512, "%s", PQerrorMessage(connection));
    PQfinish(connection);
    return is_good;
}

int baseline_server_version(const char *conninfo) {
    PGconn *connection = PQconnectdb(conninfo);
    int version = PQserverVersion(connection);
    PQfinish(connection);
    return version;
}

int baseline_libpq_version(void) { return PQlibVersion(); }
