// W1 as a C programmer would write it who has found out about pipeline mode: a thread per connection, each keeping many
// queries in flight, with a sync after every one, so that each stands for itself.

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "item.h"
#include "workloads.h"

typedef struct {
    const char *conninfo;
    int depth;
    double seconds;
    int64_t rows;
    gate *gate;
    const double *started;
    uint64_t random;
    uint64_t operations;
    histogram latencies;
    char error[512];
} pipeline_worker;

typedef struct {
    int64_t id;
    double sent_at;
} request;

static bool send_request(PGconn *connection, request *request) {
    uint64_t key = __builtin_bswap64((uint64_t)request->id);
    const char *values[1] = {(const char *)&key};
    const int lengths[1] = {sizeof key};
    const int formats[1] = {1};
    return PQsendQueryPrepared(connection, "read", 1, values, lengths, formats, 1) && PQpipelineSync(connection);
}

// Waits until there is input, sending what is still unsent meanwhile.
static bool wait_for_input(PGconn *connection) {
    for (;;) {
        int unsent = PQflush(connection);
        if (unsent < 0) return false;
        struct pollfd descriptor = {.fd = PQsocket(connection), .events = (short)(POLLIN | (unsent ? POLLOUT : 0))};
        if (poll(&descriptor, 1, -1) < 0) return false;
        if (descriptor.revents & ~POLLOUT) return PQconsumeInput(connection) == 1;
    }
}

// Takes one answer; 1 when it was taken, 0 when it is not there yet, -1 when it is wrong.
static int take_answer(PGconn *connection, const request *request) {
    if (PQisBusy(connection)) return 0;
    PGresult *result = PQgetResult(connection);
    item item = {0};
    bool is_good = PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) == 1 && item_read(result, 0, &item) &&
                   item.id == request->id;
    PQclear(result);
    item_free(&item);
    if (!is_good) return -1;
    PQclear(PQgetResult(connection));
    result = PQgetResult(connection);
    is_good = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
    PQclear(result);
    return is_good ? 1 : -1;
}

// Keeps `depth` requests in flight until the end, then takes what is under way.
static bool keep_busy(pipeline_worker *self, PGconn *connection, request *requests, double end) {
    int first = 0, in_flight = 0;
    double now = baseline_now();
    for (;;) {
        while (in_flight < self->depth && now < end) {
            request *next = &requests[(first + in_flight) % self->depth];
            *next = (request){.id = baseline_next(&self->random, self->rows), .sent_at = now};
            if (!send_request(connection, next)) return false;
            in_flight += 1;
        }
        if (in_flight == 0) return true;
        if (!wait_for_input(connection)) return false;
        int taken = 0;
        now = baseline_now();
        while (in_flight > 0 && (taken = take_answer(connection, &requests[first])) > 0) {
            histogram_record(&self->latencies, now - requests[first].sent_at);
            self->operations += 1;
            first = (first + 1) % self->depth;
            in_flight -= 1;
        }
        if (taken < 0) return false;
    }
}

static void *work(void *argument) {
    pipeline_worker *self = argument;
    PGconn *connection = PQconnectdb(self->conninfo);
    request *requests = calloc((size_t)self->depth, sizeof *requests);
    bool is_good = requests != NULL && PQstatus(connection) == CONNECTION_OK &&
                   workload_prepare(connection, BASELINE_READ_ONE);
    for (int i = 0; is_good && i < WARM_UP; i++) {
        is_good = workload_operate(connection, BASELINE_READ_ONE, baseline_next(&self->random, self->rows));
    }
    is_good = is_good && PQsetnonblocking(connection, 1) == 0 && PQenterPipelineMode(connection);
    gate_pass(self->gate);
    if (is_good) is_good = keep_busy(self, connection, requests, *self->started + self->seconds);
    if (!is_good) snprintf(self->error, sizeof self->error, "pipeline: %s", PQerrorMessage(connection));
    PQfinish(connection);
    free(requests);
    return NULL;
}

bool baseline_run_pipelined(const char *conninfo, int connections, int depth, double seconds, int64_t rows,
                            baseline_result *result) {
    memset(result, 0, sizeof *result);
    enum { LIMIT = 64 };
    if (connections < 1 || connections > LIMIT || depth < 1 || depth > 10000 || seconds <= 0 || rows < 1) {
        snprintf(result->error, sizeof result->error, "connections, depth, seconds or rows out of range");
        return false;
    }
    pipeline_worker *workers = calloc((size_t)connections, sizeof *workers);
    if (workers == NULL) return false;
    pthread_t threads[LIMIT];
    gate gate;
    gate_init(&gate);
    double started = 0;
    for (int i = 0; i < connections; i++) {
        workers[i].conninfo = conninfo;
        workers[i].depth = depth;
        workers[i].seconds = seconds;
        workers[i].rows = rows;
        workers[i].gate = &gate;
        workers[i].started = &started;
        workers[i].random = 0x9E3779B97F4A7C15ull * (uint64_t)(i + 1);
        // A thread that is missing would leave the others waiting for ever.
        if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0) abort();
    }
    gate_await(&gate, connections);
    double cpu = baseline_cpu();
    started = baseline_now();
    gate_open(&gate);
    for (int i = 0; i < connections; i++) pthread_join(threads[i], NULL);
    result->wall_seconds = baseline_now() - started;
    result->cpu_seconds = baseline_cpu() - cpu;
    for (int i = 0; i < connections; i++) {
        result->operations += workers[i].operations;
        histogram_add(&result->latencies, &workers[i].latencies);
        if (workers[i].error[0] != 0) snprintf(result->error, sizeof result->error, "%s", workers[i].error);
    }
    gate_destroy(&gate);
    free(workers);
    return result->error[0] == 0;
}
