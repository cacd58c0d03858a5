#include <sys/resource.h>
#include <time.h>

#include "measuring.h"

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
