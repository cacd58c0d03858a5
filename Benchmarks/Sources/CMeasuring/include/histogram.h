// Latencies in buckets that are 1/32 of their value wide, so that a percentile is right within 3%. Both sides of the
// comparison record into it, so that measuring costs them the same.

#ifndef BENCHMARKS_HISTOGRAM_H
#define BENCHMARKS_HISTOGRAM_H

#include <stdint.h>

#define HISTOGRAM_BUCKETS 1024

typedef struct {
    uint32_t counts[HISTOGRAM_BUCKETS];
} histogram;

static inline int histogram_bucket(uint64_t nanoseconds) {
    if (nanoseconds < 32) return (int)nanoseconds;
    int shift = 58 - __builtin_clzll(nanoseconds);
    int bucket = (shift + 1) * 32 + (int)((nanoseconds >> shift) & 31);
    return bucket < HISTOGRAM_BUCKETS ? bucket : HISTOGRAM_BUCKETS - 1;
}

// The middle of a bucket in nanoseconds.
static inline double histogram_value(int bucket) {
    if (bucket < 32) return bucket;
    int shift = bucket / 32 - 1;
    return (double)((uint64_t)(32 + bucket % 32) << shift) + (double)(1ull << shift) / 2;
}

static inline void histogram_record(histogram *it, double seconds) {
    it->counts[histogram_bucket(seconds > 0 ? (uint64_t)(seconds * 1e9) : 0)] += 1;
}

static inline void histogram_add(histogram *it, const histogram *other) {
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) it->counts[i] += other->counts[i];
}

// In seconds; 0 when nothing was recorded.
static inline double histogram_percentile(const histogram *it, double percentile) {
    uint64_t all = 0, seen = 0;
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) all += it->counts[i];
    if (all == 0) return 0;
    uint64_t wanted = (uint64_t)((double)all * percentile / 100);
    if (wanted >= all) wanted = all - 1;
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += it->counts[i];
        if (seen > wanted) return histogram_value(i) / 1e9;
    }
    return 0;
}

#endif
