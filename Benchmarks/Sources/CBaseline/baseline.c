#define _GNU_SOURCE
#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "workloads.h"

// Whether a run goes on is the result's error alone; what the server remarks is not for the table.
static void ignore_notice(void *argument, const char *message) {
    (void)argument;
    (void)message;
}

// ---- Threads

typedef struct {
    const char *conninfo;
    baseline_workload workload;
} target;

typedef struct {
    PGconn *connection;
    baseline_workload workload;
} session;

static void close_session(void *opaque) {
    session *self = opaque;
    if (self == NULL) return;
    PQfinish(self->connection);
    free(self);
}

static bool fail(char error[WORKERS_ERROR], const char *step, PGconn *connection) {
    snprintf(error, WORKERS_ERROR, "%s: %s", step, PQerrorMessage(connection));
    return false;
}

static void *open_session(const void *context, int worker, char error[WORKERS_ERROR]) {
    (void)worker;
    const target *target = context;
    session *self = malloc(sizeof *self);
    if (self == NULL) {
        snprintf(error, WORKERS_ERROR, "out of memory");
        return NULL;
    }
    *self = (session){.connection = PQconnectdb(target->conninfo), .workload = target->workload};
    if (PQstatus(self->connection) != CONNECTION_OK) {
        fail(error, "connect", self->connection);
    } else if (!workload_prepare(self->connection, self->workload)) {
        fail(error, "prepare", self->connection);
    } else {
        return self;
    }
    close_session(self);
    return NULL;
}

static bool operate(void *opaque, int64_t row, char error[WORKERS_ERROR]) {
    session *self = opaque;
    return workload_operate(self->connection, self->workload, row) || fail(error, "run", self->connection);
}

bool baseline_run(const char *conninfo, baseline_workload workload, int connections, double seconds, int64_t rows,
                  baseline_result *result) {
    const worker_steps steps = {.open = open_session, .operate = operate, .close = close_session};
    const target target = {.conninfo = conninfo, .workload = workload};
    return workers_run(&steps, &target, connections, WARM_UP, seconds, rows, result);
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
