// W3 in C: binary COPY with a buffer of 64 KB, which is what both sides gather before they send.

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "item.h"
#include "workloads.h"

enum { PIECE = 64 << 10, LONGEST_ROW = 1024 };

typedef struct {
    char bytes[PIECE + LONGEST_ROW];
    size_t count;
} buffer;

static void put_int16(buffer *it, int16_t value) {
    uint16_t swapped = __builtin_bswap16((uint16_t)value);
    memcpy(it->bytes + it->count, &swapped, sizeof swapped);
    it->count += sizeof swapped;
}

static void put_int32(buffer *it, int32_t value) {
    uint32_t swapped = __builtin_bswap32((uint32_t)value);
    memcpy(it->bytes + it->count, &swapped, sizeof swapped);
    it->count += sizeof swapped;
}

static void put_int64(buffer *it, int64_t value) {
    uint64_t swapped = __builtin_bswap64((uint64_t)value);
    memcpy(it->bytes + it->count, &swapped, sizeof swapped);
    it->count += sizeof swapped;
}

static void put_bytes(buffer *it, const void *bytes, size_t count) {
    put_int32(it, (int32_t)count);
    memcpy(it->bytes + it->count, bytes, count);
    it->count += count;
}

static void put_item(buffer *it, const item *item) {
    int64_t score;
    memcpy(&score, &item->score, sizeof score);
    put_int16(it, 8);
    put_int32(it, 8);
    put_int64(it, item->id);
    put_bytes(it, item->owner, 16);
    put_bytes(it, item->name, strlen(item->name));
    put_bytes(it, item->email, strlen(item->email));
    put_int32(it, 8);
    put_int64(it, score);
    put_int32(it, 1);
    it->bytes[it->count++] = item->is_active;
    put_int32(it, 4);
    put_int32(it, item->visits);
    put_int32(it, 8);
    put_int64(it, item->created_at);
}

// The same rows as on the other side.
static item *make_items(int64_t rows) {
    item *items = calloc((size_t)rows, sizeof *items);
    if (items == NULL) return NULL;
    for (int64_t i = 0; i < rows; i++) {
        char name[64], email[64];
        snprintf(name, sizeof name, "Person number %lld", (long long)i + 1);
        snprintf(email, sizeof email, "person.%lld@mail.example.com", (long long)i + 1);
        items[i] = (item){.id = i + 1, .name = strdup(name), .email = strdup(email), .score = (double)(i + 1) / 7,
                          .is_active = i % 3 == 0, .visits = (int32_t)(i % 1000), .created_at = i * 60000000};
        memset(items[i].owner, (int)(i & 255), 16);
        if (items[i].name == NULL || items[i].email == NULL) abort();
    }
    return items;
}

static bool send_items(PGconn *connection, const item *items, int64_t rows, buffer *it) {
    static const char header[19] = "PGCOPY\n\377\r\n\0";
    memcpy(it->bytes, header, sizeof header);
    it->count = sizeof header;
    for (int64_t i = 0; i < rows; i++) {
        put_item(it, &items[i]);
        if (it->count >= PIECE) {
            if (PQputCopyData(connection, it->bytes, (int)it->count) != 1) return false;
            it->count = 0;
        }
    }
    put_int16(it, -1);
    return PQputCopyData(connection, it->bytes, (int)it->count) == 1 && PQputCopyEnd(connection, NULL) == 1;
}

static bool copy_in(PGconn *connection, const item *items, int64_t rows, buffer *it) {
    PGresult *result = PQexec(connection, "COPY benchmark.imports (" ITEM_COLUMNS ") FROM STDIN (FORMAT binary)");
    bool is_good = PQresultStatus(result) == PGRES_COPY_IN;
    PQclear(result);
    if (!is_good || !send_items(connection, items, rows, it)) return false;
    result = PQgetResult(connection);
    is_good = PQresultStatus(result) == PGRES_COMMAND_OK && atoll(PQcmdTuples(result)) == rows;
    PQclear(result);
    PQclear(PQgetResult(connection));
    return is_good;
}

bool baseline_copy(const char *conninfo, int64_t rows, baseline_result *result) {
    memset(result, 0, sizeof *result);
    // Made once, because making rows is not what is measured.
    static item *items;
    static int64_t count;
    if (count != rows) {
        for (int64_t i = 0; i < count; i++) item_free(&items[i]);
        free(items);
        items = make_items(rows);
        count = items == NULL ? 0 : rows;
    }
    buffer *it = malloc(sizeof *it);
    PGconn *connection = PQconnectdb(conninfo);
    bool is_good = it != NULL && items != NULL && PQstatus(connection) == CONNECTION_OK;
    if (is_good) {
        double cpu = baseline_cpu();
        double started = baseline_now();
        is_good = copy_in(connection, items, rows, it);
        result->wall_seconds = baseline_now() - started;
        result->cpu_seconds = baseline_cpu() - cpu;
        result->operations = 1;
        histogram_record(&result->latencies, result->wall_seconds);
    }
    if (!is_good) snprintf(result->error, sizeof result->error, "copy: %s", PQerrorMessage(connection));
    PQfinish(connection);
    free(it);
    return is_good;
}
