#include "workers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measuring.h"

typedef struct {
    const worker_steps *steps;
    const void *context;
    int warm_up;
    double seconds;
    int64_t rows;
    gate gate;
    // Set before the gate opens.
    double started;
    atomic_bool has_failed;
} shared_state;

typedef struct {
    shared_state *shared;
    int number;
    uint64_t random;
    uint64_t operations;
    histogram latencies;
    char error[WORKERS_ERROR];
} worker;

static bool operate(worker *self, void *session) {
    int64_t row = baseline_next(&self->random, self->shared->rows);
    if (self->shared->steps->operate(session, row, self->error)) return true;
    atomic_store(&self->shared->has_failed, true);
    return false;
}

static void *work(void *argument) {
    worker *self = argument;
    shared_state *shared = self->shared;
    void *session = shared->steps->open(shared->context, self->number, self->error);
    if (session == NULL) atomic_store(&shared->has_failed, true);
    for (int i = 0; session != NULL && i < shared->warm_up; i++) {
        if (!operate(self, session)) break;
    }
    gate_pass(&shared->gate);
    if (!atomic_load(&shared->has_failed)) {
        double end = shared->started + shared->seconds;
        double before = baseline_now();
        while (before < end) {
            if (!operate(self, session)) break;
            double now = baseline_now();
            histogram_record(&self->latencies, now - before);
            self->operations += 1;
            before = now;
        }
    }
    shared->steps->close(session);
    return NULL;
}

bool workers_run(const worker_steps *steps, const void *context, int count, int warm_up, double seconds, int64_t rows,
                 baseline_result *result) {
    memset(result, 0, sizeof *result);
    if (count < 1 || count > 1000 || seconds <= 0 || rows < 1) {
        snprintf(result->error, sizeof result->error, "threads, seconds or rows out of range");
        return false;
    }
    shared_state shared = {.steps = steps, .context = context, .warm_up = warm_up, .seconds = seconds, .rows = rows};
    worker *workers = calloc((size_t)count, sizeof *workers);
    pthread_t *threads = calloc((size_t)count, sizeof *threads);
    if (workers == NULL || threads == NULL) {
        free(workers);
        free(threads);
        snprintf(result->error, sizeof result->error, "out of memory");
        return false;
    }
    gate_init(&shared.gate);
    int started = 0;
    for (int i = 0; i < count; i++) {
        workers[i].shared = &shared;
        workers[i].number = i;
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
    for (int i = 0; i < count; i++) {
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
