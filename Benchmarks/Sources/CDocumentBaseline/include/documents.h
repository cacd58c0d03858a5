// The yardstick: the workloads on libmongoc with one blocking thread for each client of its pool, as a C programmer would
// write them.

#ifndef BENCHMARKS_DOCUMENTS_H
#define BENCHMARKS_DOCUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "measuring.h"

typedef enum {
    // One document of ten fields.
    DOCUMENTS_INSERT = 1,
    // One such document by its _id, decoded into a struct.
    DOCUMENTS_FIND = 2,
    // $inc of one field of one document, by its _id.
    DOCUMENTS_UPDATE = 3,
    // A bulk write of 1,000 inserts.
    DOCUMENTS_BULK = 4,
    // 100,000 documents, decoded into structs; with several threads, each reads its part of them.
    DOCUMENTS_SCAN = 5,
} documents_workload;

// How many writes a bulk has.
enum { DOCUMENTS_OF_BULK = 1000 };

// Where the documents are that are read: collections "items", with _id from 1 to `count`; writes go to "inserts".
typedef struct {
    const char *uri;
    const char *database;
    int64_t count;
} documents_place;

// Runs a workload for some seconds on as many threads, and each operation at least once.
bool documents_run(const documents_place *place, documents_workload workload, int threads, double seconds,
                   baseline_result *result);

// Makes the documents that are read, unless they are there.
bool documents_prepare(const documents_place *place, char error[WORKERS_ERROR]);

// Drops the database.
bool documents_drop(const documents_place *place, char error[WORKERS_ERROR]);

// The server's version; empty when it cannot be reached.
void documents_server_version(const char *uri, char version[64]);

// libmongoc's own version.
const char *documents_library_version(void);

#endif
