#define _GNU_SOURCE
#include "baseline.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { WARM_UP = 50 };

double baseline_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double baseline_cpu(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6 + (double)usage.ru_stime.tv_sec +
           (double)usage.ru_stime.tv_usec / 1e6;
}

// ---- One connection

typedef struct {
    int64_t id;
    unsigned char owner[16];
    char *name;
    char *email;
    double score;
    bool is_active;
    int32_t visits;
    // Microseconds since 2000-01-01, as the server counts.
    int64_t created_at;
} item;

static int64_t read_int64(const char *bytes) {
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return (int64_t)__builtin_bswap64(value);
}

static int32_t read_int32(const char *bytes) {
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return (int32_t)__builtin_bswap32(value);
}

static double read_double(const char *bytes) {
    int64_t bits = read_int64(bytes);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static char *read_text(const PGresult *result, int row, int column) {
    size_t length = (size_t)PQgetlength(result, row, column);
    char *text = malloc(length + 1);
    if (text == NULL) return NULL;
    memcpy(text, PQgetvalue(result, row, column), length);
    text[length] = 0;
    return text;
}

// Copies a row out of the result, which is freed before the row is used, as any program that hands rows on must.
static bool read_item(const PGresult *result, int row, item *item) {
    for (int column = 0; column < 8; column++) {
        if (PQgetisnull(result, row, column)) return false;
    }
    item->id = read_int64(PQgetvalue(result, row, 0));
    memcpy(item->owner, PQgetvalue(result, row, 1), 16);
    item->name = read_text(result, row, 2);
    item->email = read_text(result, row, 3);
    item->score = read_double(PQgetvalue(result, row, 4));
    item->is_active = PQgetvalue(result, row, 5)[0] != 0;
    item->visits = read_int32(PQgetvalue(result, row, 6));
    item->created_at = read_int64(PQgetvalue(result, row, 7));
    return item->name != NULL && item->email != NULL;
}

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

static bool prepare_all(PGconn *connection, baseline_workload workload) {
    static const Oid int8s[2] = {20, 20};
    switch (workload) {
    case BASELINE_READ_ONE:
        return prepare(connection, "read",
                       "SELECT id, owner, name, email, score, is_active, visits, created_at FROM benchmark.items "
                       "WHERE id = $1",
                       1, int8s);
    case BASELINE_TRANSACTION:
        return prepare(connection, "lock", "SELECT balance FROM benchmark.accounts WHERE id = $1 FOR UPDATE", 1, int8s) &&
               prepare(connection, "change", "UPDATE benchmark.accounts SET balance = balance + $2 WHERE id = $1", 2,
                       int8s) &&
               prepare(connection, "note", "INSERT INTO benchmark.entries (account, amount) VALUES ($1, $2)", 2, int8s);
    }
    return false;
}

static bool read_one(PGconn *connection, int64_t id) {
    uint64_t key = __builtin_bswap64((uint64_t)id);
    const char *values[1] = {(const char *)&key};
    const int lengths[1] = {sizeof key};
    const int formats[1] = {1};
    PGresult *result = PQexecPrepared(connection, "read", 1, values, lengths, formats, 1);
    item item = {0};
    bool is_good =
        PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 && read_item(result, 0, &item) && item.id == id;
    PQclear(result);
    free(item.name);
    free(item.email);
    return is_good;
}

static bool transact(PGconn *connection, int64_t id) {
    uint64_t key = __builtin_bswap64((uint64_t)id), amount = __builtin_bswap64(1);
    const char *values[2] = {(const char *)&key, (const char *)&amount};
    const int lengths[2] = {sizeof key, sizeof amount};
    const int formats[2] = {1, 1};

    if (!command(connection, "BEGIN")) return false;
    PGresult *result = PQexecPrepared(connection, "lock", 1, values, lengths, formats, 1);
    int64_t balance = -1;
    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1) balance = read_int64(PQgetvalue(result, 0, 0));
    PQclear(result);
    if (balance < 0) return false;
    result = PQexecPrepared(connection, "change", 2, values, lengths, formats, 1);
    bool is_good = PQresultStatus(result) == PGRES_COMMAND_OK && strcmp(PQcmdTuples(result), "1") == 0;
    PQclear(result);
    if (!is_good) return false;
    result = PQexecPrepared(connection, "note", 2, values, lengths, formats, 1);
    is_good = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    return is_good && command(connection, "COMMIT");
}

// Whether a run goes on is the result's error alone; what the server remarks is not for the table.
static void ignore_notice(void *argument, const char *message) {
    (void)argument;
    (void)message;
}

static bool operate(PGconn *connection, baseline_workload workload, int64_t id) {
    return workload == BASELINE_READ_ONE ? read_one(connection, id) : transact(connection, id);
}

// ---- Threads

typedef struct {
    const char *conninfo;
    baseline_workload workload;
    double seconds;
    int64_t rows;
    // Guards what follows: how many are ready, and whether the clock runs. (macOS has no pthread_barrier_t.)
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int ready;
    bool is_running;
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
    } else if (!prepare_all(connection, shared->workload)) {
        fail(self, "prepare", connection);
    } else {
        for (int i = 0; i < WARM_UP; i++) {
            if (!operate(connection, shared->workload, baseline_next(&self->random, shared->rows))) {
                fail(self, "warm up", connection);
                break;
            }
        }
    }
    pthread_mutex_lock(&shared->lock);
    shared->ready += 1;
    pthread_cond_broadcast(&shared->changed);
    while (!shared->is_running) pthread_cond_wait(&shared->changed, &shared->lock);
    pthread_mutex_unlock(&shared->lock);
    if (!atomic_load(&shared->has_failed)) {
        double end = shared->started + shared->seconds;
        double before = baseline_now();
        while (before < end) {
            if (!operate(connection, shared->workload, baseline_next(&self->random, shared->rows))) {
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
    pthread_mutex_init(&shared.lock, NULL);
    pthread_cond_init(&shared.changed, NULL);
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
    pthread_mutex_lock(&shared.lock);
    while (shared.ready < started) pthread_cond_wait(&shared.changed, &shared.lock);
    double cpu = baseline_cpu();
    shared.started = baseline_now();
    shared.is_running = true;
    pthread_cond_broadcast(&shared.changed);
    pthread_mutex_unlock(&shared.lock);
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
    pthread_cond_destroy(&shared.changed);
    pthread_mutex_destroy(&shared.lock);
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
