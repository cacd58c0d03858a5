#include "loops.h"

#include <bson/bson.h>
#include <stdlib.h>
#include <string.h>

#include "item.h"

uint64_t loops_decode_flat(const uint8_t *data, size_t length, size_t count) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        bson_t document;
        item value;
        if (!bson_init_static(&document, data, length) || !item_read(&document, &value)) return 0;
        sum += (uint64_t)value.visits + (uint64_t)value.name[0];
        item_free(&value);
    }
    return sum;
}

struct line {
    char *sku;
    int32_t count;
    double price;
};

struct nested {
    bson_oid_t id;
    char *customer;
    struct line *lines;
    size_t line_count;
    char **tags;
    size_t tag_count;
};

static bool decode_line(bson_iter_t *at, struct line *into) {
    bson_iter_t iter;
    unsigned found = 0;
    into->sku = NULL;
    if (!BSON_ITER_HOLDS_DOCUMENT(at) || !bson_iter_recurse(at, &iter)) return false;
    while (bson_iter_next(&iter)) {
        const char *key = bson_iter_key(&iter);
        if (!strcmp(key, "sku") && BSON_ITER_HOLDS_UTF8(&iter)) {
            into->sku = bson_iter_dup_utf8(&iter, NULL);
            found |= 1;
        } else if (!strcmp(key, "count") && BSON_ITER_HOLDS_INT32(&iter)) {
            into->count = bson_iter_int32(&iter);
            found |= 2;
        } else if (!strcmp(key, "price") && BSON_ITER_HOLDS_DOUBLE(&iter)) {
            into->price = bson_iter_double(&iter);
            found |= 4;
        }
    }
    return found == 7;
}

static bool decode_nested(const bson_t *document, struct nested *into) {
    bson_iter_t iter, child;
    unsigned found = 0;
    memset(into, 0, sizeof *into);
    if (!bson_iter_init(&iter, document)) return false;
    while (bson_iter_next(&iter)) {
        const char *key = bson_iter_key(&iter);
        if (!strcmp(key, "_id") && BSON_ITER_HOLDS_OID(&iter)) {
            bson_oid_copy(bson_iter_oid(&iter), &into->id);
            found |= 1;
        } else if (!strcmp(key, "customer") && BSON_ITER_HOLDS_UTF8(&iter)) {
            into->customer = bson_iter_dup_utf8(&iter, NULL);
            found |= 2;
        } else if (!strcmp(key, "lines") && BSON_ITER_HOLDS_ARRAY(&iter) && bson_iter_recurse(&iter, &child)) {
            size_t capacity = 0;
            while (bson_iter_next(&child)) {
                if (into->line_count == capacity) {
                    capacity = capacity ? 2 * capacity : 2;
                    into->lines = bson_realloc(into->lines, capacity * sizeof *into->lines);
                }
                if (!decode_line(&child, &into->lines[into->line_count])) return false;
                into->line_count++;
            }
            found |= 4;
        } else if (!strcmp(key, "tags") && BSON_ITER_HOLDS_ARRAY(&iter) && bson_iter_recurse(&iter, &child)) {
            size_t capacity = 0;
            while (bson_iter_next(&child)) {
                if (!BSON_ITER_HOLDS_UTF8(&child)) return false;
                if (into->tag_count == capacity) {
                    capacity = capacity ? 2 * capacity : 2;
                    into->tags = bson_realloc(into->tags, capacity * sizeof *into->tags);
                }
                into->tags[into->tag_count++] = bson_iter_dup_utf8(&child, NULL);
            }
            found |= 8;
        }
    }
    return found == 15;
}

uint64_t loops_decode_nested(const uint8_t *data, size_t length, size_t count) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        bson_t document;
        struct nested value;
        if (!bson_init_static(&document, data, length) || !decode_nested(&document, &value)) return 0;
        sum += value.line_count + value.tag_count;
        for (size_t j = 0; j < value.line_count; j++) bson_free(value.lines[j].sku);
        for (size_t j = 0; j < value.tag_count; j++) bson_free(value.tags[j]);
        bson_free(value.lines);
        bson_free(value.tags);
        bson_free(value.customer);
    }
    return sum;
}

uint64_t loops_encode_flat(size_t count) {
    uint64_t sum = 0;
    static const uint8_t tenant[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    bson_oid_t id;
    bson_oid_init_from_string(&id, "56e1fc72e0c917e9c4714161");
    for (size_t i = 0; i < count; i++) {
        bson_t document;
        bson_init(&document);
        BSON_APPEND_OID(&document, "_id", &id);
        BSON_APPEND_UTF8(&document, "name", "Ada Augusta King, Countess of Lovelace");
        BSON_APPEND_UTF8(&document, "email", "ada.lovelace@analytical.example");
        BSON_APPEND_UTF8(&document, "status", "active");
        BSON_APPEND_INT32(&document, "age", 36);
        BSON_APPEND_INT64(&document, "visits", 123456789012 + (int64_t)i);
        BSON_APPEND_DOUBLE(&document, "score", 0.75);
        BSON_APPEND_BOOL(&document, "active", true);
        BSON_APPEND_DATE_TIME(&document, "created", 1753705096789);
        BSON_APPEND_BINARY(&document, "tenant", BSON_SUBTYPE_UUID, tenant, sizeof tenant);
        sum += document.len;
        bson_destroy(&document);
    }
    return sum;
}

uint64_t loops_encode_nested(size_t count) {
    uint64_t sum = 0;
    static const char *const skus[4] = {"SKU-000001", "SKU-000002", "SKU-000003", "SKU-000004"};
    static const char *const tags[5] = {"express", "gift", "a tag of more than fifteen bytes", "eu", "retail"};
    bson_oid_t id;
    bson_oid_init_from_string(&id, "56e1fc72e0c917e9c4714161");
    for (size_t i = 0; i < count; i++) {
        bson_t document, array, line;
        char buffer[16];
        const char *key;
        bson_init(&document);
        BSON_APPEND_OID(&document, "_id", &id);
        BSON_APPEND_UTF8(&document, "customer", "Ada Augusta King, Countess of Lovelace");
        BSON_APPEND_ARRAY_BEGIN(&document, "lines", &array);
        for (uint32_t j = 0; j < 4; j++) {
            bson_uint32_to_string(j, &key, buffer, sizeof buffer);
            BSON_APPEND_DOCUMENT_BEGIN(&array, key, &line);
            BSON_APPEND_UTF8(&line, "sku", skus[j]);
            BSON_APPEND_INT32(&line, "count", (int32_t)j);
            BSON_APPEND_DOUBLE(&line, "price", 12.5);
            bson_append_document_end(&array, &line);
        }
        bson_append_array_end(&document, &array);
        BSON_APPEND_ARRAY_BEGIN(&document, "tags", &array);
        for (uint32_t j = 0; j < 5; j++) {
            bson_uint32_to_string(j, &key, buffer, sizeof buffer);
            BSON_APPEND_UTF8(&array, key, tags[j]);
        }
        bson_append_array_end(&document, &array);
        sum += document.len;
        bson_destroy(&document);
    }
    return sum;
}

uint64_t loops_find(const uint8_t *data, size_t length, const char *key, size_t count) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        bson_t document;
        bson_iter_t iter;
        if (!bson_init_static(&document, data, length) || !bson_iter_init_find(&iter, &document, key)) return 0;
        sum += (uint64_t)bson_iter_type(&iter);
    }
    return sum;
}

uint64_t loops_walk(const uint8_t *data, size_t length, size_t count) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        bson_t document;
        bson_iter_t iter;
        if (!bson_init_static(&document, data, length) || !bson_iter_init(&iter, &document)) return 0;
        while (bson_iter_next(&iter)) sum += (uint64_t)bson_iter_type(&iter);
    }
    return sum;
}

uint64_t loops_validate(const uint8_t *data, size_t length, size_t count) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        bson_t document;
        if (!bson_init_static(&document, data, length)) return 0;
        sum += bson_validate(&document, BSON_VALIDATE_UTF8 | BSON_VALIDATE_UTF8_ALLOW_NULL, NULL);
    }
    return sum;
}
