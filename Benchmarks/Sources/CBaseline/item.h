// A row of the benchmark's table, and its way out of and into libpq.

#ifndef BENCHMARKS_ITEM_H
#define BENCHMARKS_ITEM_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

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

#define ITEM_COLUMNS "id, owner, name, email, score, is_active, visits, created_at"

static inline int64_t read_int64(const char *bytes) {
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return (int64_t)__builtin_bswap64(value);
}

// Copies a row out of the result, which is freed before the row is used, as any program that hands rows on must.
// False when a column is NULL or memory ran out; free the item either way.
bool item_read(const PGresult *result, int row, item *item);

void item_free(item *item);

#endif
