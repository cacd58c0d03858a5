// Holds threads back until all are ready and the clock runs. (macOS has no pthread_barrier_t.)

#ifndef BENCHMARKS_GATE_H
#define BENCHMARKS_GATE_H

#include <pthread.h>
#include <stdbool.h>

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int ready;
    bool is_open;
} gate;

static inline void gate_init(gate *it) {
    pthread_mutex_init(&it->lock, NULL);
    pthread_cond_init(&it->changed, NULL);
    it->ready = 0;
    it->is_open = false;
}

static inline void gate_destroy(gate *it) {
    pthread_cond_destroy(&it->changed);
    pthread_mutex_destroy(&it->lock);
}

// A thread says that it is ready, and waits.
static inline void gate_pass(gate *it) {
    pthread_mutex_lock(&it->lock);
    it->ready += 1;
    pthread_cond_broadcast(&it->changed);
    while (!it->is_open) pthread_cond_wait(&it->changed, &it->lock);
    pthread_mutex_unlock(&it->lock);
}

static inline void gate_await(gate *it, int threads) {
    pthread_mutex_lock(&it->lock);
    while (it->ready < threads) pthread_cond_wait(&it->changed, &it->lock);
    pthread_mutex_unlock(&it->lock);
}

// What was written before is seen by the threads that pass.
static inline void gate_open(gate *it) {
    pthread_mutex_lock(&it->lock);
    it->is_open = true;
    pthread_cond_broadcast(&it->changed);
    pthread_mutex_unlock(&it->lock);
}

#endif
