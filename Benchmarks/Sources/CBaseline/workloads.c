#include "workloads.h"

#include <stdlib.h>
#include <string.h>

#include "item.h"

static bool prepare(PGconn *connection, const char *name, const char *sql, int parameters, const Oid *types) {
    PGresult *result = PQprepare(connection, name, sql, parameters, types);
    bool is_good = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return is_good;
}

static bool command(PGconn *connection, const char *sql) {
    PGresult *result = PQexec(connection, sql);
    bool is_good = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return is_good;
}

bool workload_prepare(PGconn *connection, baseline_workload workload) {
    static const Oid int8s[2] = {20, 20};
    switch (workload) {
    case BASELINE_READ_ONE:
        return prepare(connection, "read", "SELECT " ITEM_COLUMNS " FROM benchmark.items WHERE id = $1", 1, int8s);
    case BASELINE_READ_MANY:
        return prepare(connection, "read",
                       "SELECT " ITEM_COLUMNS " FROM benchmark.items WHERE id > $1 ORDER BY id LIMIT 1000", 1, int8s);
    case BASELINE_TRANSACTION:
    case BASELINE_TRANSACTION_IN_TWO_FLIGHTS:
        return prepare(connection, "lock", "SELECT balance FROM benchmark.accounts WHERE id = $1 FOR UPDATE", 1, int8s) &&
               prepare(connection, "change", "UPDATE benchmark.accounts SET balance = balance + $2 WHERE id = $1", 2,
                       int8s) &&
               prepare(connection, "note", "INSERT INTO benchmark.entries (account, amount) VALUES ($1, $2)", 2, int8s) &&
               prepare(connection, "begin", "BEGIN", 0, NULL) && prepare(connection, "commit", "COMMIT", 0, NULL);
    }
    return false;
}

// ---- Reading

static PGresult *read_rows(PGconn *connection, int64_t id) {
    uint64_t key = __builtin_bswap64((uint64_t)id);
    const char *values[1] = {(const char *)&key};
    const int lengths[1] = {sizeof key};
    const int formats[1] = {1};
    return PQexecPrepared(connection, "read", 1, values, lengths, formats, 1);
}

static bool read_one(PGconn *connection, int64_t id) {
    PGresult *result = read_rows(connection, id);
    item item = {0};
    bool is_good =
        PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 && item_read(result, 0, &item) && item.id == id;
    PQclear(result);
    item_free(&item);
    return is_good;
}

static bool read_many(PGconn *connection, int64_t id) {
    // Where 1,000 rows follow.
    int64_t after = id % 9000;
    PGresult *result = read_rows(connection, after);
    int rows = PQntuples(result);
    bool is_good = PQresultStatus(result) == PGRES_TUPLES_OK && rows == ROWS_OF_READ_MANY;
    item *items = is_good ? calloc((size_t)rows, sizeof *items) : NULL;
    is_good = items != NULL;
    for (int row = 0; is_good && row < rows; row++) is_good = item_read(result, row, &items[row]);
    PQclear(result);
    is_good = is_good && items[rows - 1].id == after + rows;
    for (int row = 0; items != NULL && row < rows; row++) item_free(&items[row]);
    free(items);
    return is_good;
}

// ---- The transaction

typedef struct {
    uint64_t key, amount;
    const char *values[2];
} transaction_parameters;

static const int lengths_of_two[2] = {8, 8};
static const int formats_of_two[2] = {1, 1};

static void set_parameters(transaction_parameters *it, int64_t id) {
    it->key = __builtin_bswap64((uint64_t)id);
    it->amount = __builtin_bswap64(1);
    it->values[0] = (const char *)&it->key;
    it->values[1] = (const char *)&it->amount;
}

static bool transact(PGconn *connection, int64_t id) {
    transaction_parameters it;
    set_parameters(&it, id);
    if (!command(connection, "BEGIN")) return false;
    PGresult *result = PQexecPrepared(connection, "lock", 1, it.values, lengths_of_two, formats_of_two, 1);
    int64_t balance = -1;
    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1) balance = read_int64(PQgetvalue(result, 0, 0));
    PQclear(result);
    if (balance < 0) return false;
    result = PQexecPrepared(connection, "change", 2, it.values, lengths_of_two, formats_of_two, 1);
    bool is_good = PQresultStatus(result) == PGRES_COMMAND_OK && strcmp(PQcmdTuples(result), "1") == 0;
    PQclear(result);
    if (!is_good) return false;
    result = PQexecPrepared(connection, "note", 2, it.values, lengths_of_two, formats_of_two, 1);
    is_good = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return is_good && command(connection, "COMMIT");
}

// Takes the next result of a flight and the end of results that follows it.
static bool take(PGconn *connection, ExecStatusType expected, int64_t *value) {
    PGresult *result = PQgetResult(connection);
    bool is_good = PQresultStatus(result) == expected;
    if (is_good && value != NULL) {
        is_good = PQntuples(result) == 1;
        if (is_good) *value = read_int64(PQgetvalue(result, 0, 0));
    }
    PQclear(result);
    if (expected != PGRES_PIPELINE_SYNC) PQclear(PQgetResult(connection));
    return is_good;
}

static bool transact_in_two_flights(PGconn *connection, int64_t id) {
    transaction_parameters it;
    set_parameters(&it, id);
    int64_t balance = -1;
    bool is_good = PQenterPipelineMode(connection) &&
                   PQsendQueryPrepared(connection, "begin", 0, NULL, NULL, NULL, 1) &&
                   PQsendQueryPrepared(connection, "lock", 1, it.values, lengths_of_two, formats_of_two, 1) &&
                   PQpipelineSync(connection) && take(connection, PGRES_COMMAND_OK, NULL) &&
                   take(connection, PGRES_TUPLES_OK, &balance) && take(connection, PGRES_PIPELINE_SYNC, NULL);
    return is_good && balance >= 0 &&
           PQsendQueryPrepared(connection, "change", 2, it.values, lengths_of_two, formats_of_two, 1) &&
           PQsendQueryPrepared(connection, "note", 2, it.values, lengths_of_two, formats_of_two, 1) &&
           PQsendQueryPrepared(connection, "commit", 0, NULL, NULL, NULL, 1) && PQpipelineSync(connection) &&
           take(connection, PGRES_COMMAND_OK, NULL) && take(connection, PGRES_COMMAND_OK, NULL) &&
           take(connection, PGRES_COMMAND_OK, NULL) && take(connection, PGRES_PIPELINE_SYNC, NULL) &&
           PQexitPipelineMode(connection);
}

bool workload_operate(PGconn *connection, baseline_workload workload, int64_t id) {
    switch (workload) {
    case BASELINE_READ_ONE: return read_one(connection, id);
    case BASELINE_READ_MANY: return read_many(connection, id);
    case BASELINE_TRANSACTION: return transact(connection, id);
    case BASELINE_TRANSACTION_IN_TWO_FLIGHTS: return transact_in_two_flights(connection, id);
    }
    return false;
}
