#include "item.h"

#include <stdlib.h>

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

bool item_read(const PGresult *result, int row, item *item) {
    memset(item, 0, sizeof *item);
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

void item_free(item *item) {
    free(item->name);
    free(item->email);
}
