// The document of ten fields that every workload reads or writes.

#ifndef BENCHMARKS_DOCUMENT_ITEM_H
#define BENCHMARKS_DOCUMENT_ITEM_H

#include <bson/bson.h>

typedef struct {
    // The _id is one of the two.
    int64_t id;
    bson_oid_t oid;
    char *name;
    char *email;
    char *status;
    int32_t age;
    int64_t visits;
    double score;
    bool active;
    int64_t created;
    uint8_t tenant[16];
} item;

// Fills a struct that owns its texts; false when a field is missing or has another type.
bool item_read(const bson_t *document, item *into);

void item_free(item *it);

// Appends every field but the _id.
void item_append(bson_t *document, int64_t number);

#endif
