// One connection in the caller's hands, for what is counted from outside: allocations, and decoding alone.

#include <stdio.h>
#include <stdlib.h>

#include "item.h"
#include "workloads.h"

struct baseline_session {
    PGconn *connection;
    baseline_workload workload;
    PGresult *rows;
    uint64_t random;
};

baseline_session *baseline_open(const char *conninfo, baseline_workload workload, char error[512]) {
    baseline_session *session = calloc(1, sizeof *session);
    if (session == NULL) return NULL;
    session->connection = PQconnectdb(conninfo);
    session->workload = workload;
    session->random = 0x9E3779B97F4A7C15ull;
    if (PQstatus(session->connection) == CONNECTION_OK && workload_prepare(session->connection, workload)) return session;
    snprintf(error, 512, "%s", PQerrorMessage(session->connection));
    baseline_close(session);
    return NULL;
}

void baseline_close(baseline_session *session) {
    PQclear(session->rows);
    PQfinish(session->connection);
    free(session);
}

bool baseline_operate(baseline_session *session, int64_t count, int64_t rows) {
    for (int64_t i = 0; i < count; i++) {
        if (!workload_operate(session->connection, session->workload, baseline_next(&session->random, rows))) return false;
    }
    return true;
}

bool baseline_fetch(baseline_session *session) {
    PQclear(session->rows);
    session->rows = PQexecParams(session->connection,
                                 "SELECT " ITEM_COLUMNS " FROM benchmark.items WHERE id <= 1000 ORDER BY id", 0, NULL,
                                 NULL, NULL, NULL, 1);
    return PQresultStatus(session->rows) == PGRES_TUPLES_OK && PQntuples(session->rows) == ROWS_OF_READ_MANY;
}

bool baseline_decode(baseline_session *session) {
    item *items = calloc(ROWS_OF_READ_MANY, sizeof *items);
    bool is_good = items != NULL;
    for (int row = 0; is_good && row < ROWS_OF_READ_MANY; row++) is_good = item_read(session->rows, row, &items[row]);
    for (int row = 0; items != NULL && row < ROWS_OF_READ_MANY; row++) item_free(&items[row]);
    free(items);
    return is_good;
}
