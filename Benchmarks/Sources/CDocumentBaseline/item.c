#include "item.h"

#include <string.h>

bool item_read(const bson_t *document, item *into) {
    bson_iter_t iter;
    unsigned found = 0;
    memset(into, 0, sizeof *into);
    if (!bson_iter_init(&iter, document)) return false;
    while (bson_iter_next(&iter)) {
        const char *key = bson_iter_key(&iter);
        if (!strcmp(key, "_id") && BSON_ITER_HOLDS_INT64(&iter)) {
            into->id = bson_iter_int64(&iter);
            found |= 1;
        } else if (!strcmp(key, "_id") && BSON_ITER_HOLDS_OID(&iter)) {
            bson_oid_copy(bson_iter_oid(&iter), &into->oid);
            found |= 1;
        } else if (!strcmp(key, "name") && BSON_ITER_HOLDS_UTF8(&iter)) {
            into->name = bson_iter_dup_utf8(&iter, NULL);
            found |= 2;
        } else if (!strcmp(key, "email") && BSON_ITER_HOLDS_UTF8(&iter)) {
            into->email = bson_iter_dup_utf8(&iter, NULL);
            found |= 4;
        } else if (!strcmp(key, "status") && BSON_ITER_HOLDS_UTF8(&iter)) {
            into->status = bson_iter_dup_utf8(&iter, NULL);
            found |= 8;
        } else if (!strcmp(key, "age") && BSON_ITER_HOLDS_INT32(&iter)) {
            into->age = bson_iter_int32(&iter);
            found |= 16;
        } else if (!strcmp(key, "visits") && BSON_ITER_HOLDS_INT64(&iter)) {
            into->visits = bson_iter_int64(&iter);
            found |= 32;
        } else if (!strcmp(key, "score") && BSON_ITER_HOLDS_DOUBLE(&iter)) {
            into->score = bson_iter_double(&iter);
            found |= 64;
        } else if (!strcmp(key, "active") && BSON_ITER_HOLDS_BOOL(&iter)) {
            into->active = bson_iter_bool(&iter);
            found |= 128;
        } else if (!strcmp(key, "created") && BSON_ITER_HOLDS_DATE_TIME(&iter)) {
            into->created = bson_iter_date_time(&iter);
            found |= 256;
        } else if (!strcmp(key, "tenant") && BSON_ITER_HOLDS_BINARY(&iter)) {
            bson_subtype_t subtype;
            uint32_t length;
            const uint8_t *bytes;
            bson_iter_binary(&iter, &subtype, &length, &bytes);
            if (subtype != BSON_SUBTYPE_UUID || length != 16) return false;
            memcpy(into->tenant, bytes, 16);
            found |= 512;
        }
    }
    return found == 1023;
}

void item_free(item *it) {
    bson_free(it->name);
    bson_free(it->email);
    bson_free(it->status);
}

void item_append(bson_t *document, int64_t number) {
    static const uint8_t tenant[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    BSON_APPEND_UTF8(document, "name", "Ada Augusta King, Countess of Lovelace");
    BSON_APPEND_UTF8(document, "email", "ada.lovelace@analytical.example");
    BSON_APPEND_UTF8(document, "status", "active");
    BSON_APPEND_INT32(document, "age", 36);
    BSON_APPEND_INT64(document, "visits", number);
    BSON_APPEND_DOUBLE(document, "score", 0.75);
    BSON_APPEND_BOOL(document, "active", true);
    BSON_APPEND_DATE_TIME(document, "created", 1753705096789 + number);
    BSON_APPEND_BINARY(document, "tenant", BSON_SUBTYPE_UUID, tenant, sizeof tenant);
}
