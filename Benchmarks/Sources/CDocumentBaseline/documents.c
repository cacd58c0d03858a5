#include "documents.h"

#include <mongoc/mongoc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "item.h"

typedef struct {
    const documents_place *place;
    documents_workload workload;
    mongoc_client_pool_t *pool;
    int threads;
} target;

// One thread's: a client of the pool, and buffers that are used again and again.
typedef struct {
    const target *target;
    mongoc_client_t *client;
    mongoc_collection_t *collection;
    bson_t document;
    bson_t filter;
    bson_t options;
    int64_t from;
    int64_t to;
} session;

static bool fail(char error[WORKERS_ERROR], const char *step, const bson_error_t *reason) {
    snprintf(error, WORKERS_ERROR, "%s: %s", step, reason->message);
    return false;
}

static void start_driver(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, mongoc_init);
}

// ---- Operations

static bool insert(session *self, int64_t row, char error[WORKERS_ERROR]) {
    bson_error_t reason;
    bson_oid_t id;
    bson_oid_init(&id, NULL);
    bson_reinit(&self->document);
    BSON_APPEND_OID(&self->document, "_id", &id);
    item_append(&self->document, row);
    if (mongoc_collection_insert_one(self->collection, &self->document, &self->options, NULL, &reason)) return true;
    return fail(error, "insert", &reason);
}

static bool find(session *self, int64_t row, char error[WORKERS_ERROR]) {
    bson_reinit(&self->filter);
    BSON_APPEND_INT64(&self->filter, "_id", row);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(self->collection, &self->filter, &self->options, NULL);
    const bson_t *document;
    item item = {0};
    bool is_good = mongoc_cursor_next(cursor, &document) && item_read(document, &item) && item.id == row;
    item_free(&item);
    if (!is_good) {
        bson_error_t reason = {.message = "the document is missing"};
        mongoc_cursor_error(cursor, &reason);
        fail(error, "find", &reason);
    }
    mongoc_cursor_destroy(cursor);
    return is_good;
}

static bool update(session *self, int64_t row, char error[WORKERS_ERROR]) {
    bson_error_t reason;
    bson_t fields;
    bson_reinit(&self->filter);
    BSON_APPEND_INT64(&self->filter, "_id", row);
    bson_reinit(&self->document);
    BSON_APPEND_DOCUMENT_BEGIN(&self->document, "$inc", &fields);
    BSON_APPEND_INT64(&fields, "visits", 1);
    bson_append_document_end(&self->document, &fields);
    if (mongoc_collection_update_one(self->collection, &self->filter, &self->document, NULL, NULL, &reason)) return true;
    return fail(error, "update", &reason);
}

static bool write_bulk(mongoc_collection_t *collection, bson_t *document, const bson_t *options, int64_t first_id,
                       char error[WORKERS_ERROR]) {
    bson_error_t reason;
    mongoc_bulk_operation_t *bulk = mongoc_collection_create_bulk_operation_with_opts(collection, NULL);
    bool is_good = true;
    for (int i = 0; i < DOCUMENTS_OF_BULK && is_good; i++) {
        bson_reinit(document);
        if (first_id > 0) {
            BSON_APPEND_INT64(document, "_id", first_id + i);
        } else {
            bson_oid_t id;
            bson_oid_init(&id, NULL);
            BSON_APPEND_OID(document, "_id", &id);
        }
        item_append(document, i);
        is_good = mongoc_bulk_operation_insert_with_opts(bulk, document, options, &reason);
    }
    is_good = is_good && mongoc_bulk_operation_execute(bulk, NULL, &reason) != 0;
    mongoc_bulk_operation_destroy(bulk);
    return is_good || fail(error, "bulk", &reason);
}

static bool scan(session *self, char error[WORKERS_ERROR]) {
    bson_t range;
    bson_reinit(&self->filter);
    BSON_APPEND_DOCUMENT_BEGIN(&self->filter, "_id", &range);
    BSON_APPEND_INT64(&range, "$gte", self->from);
    BSON_APPEND_INT64(&range, "$lt", self->to);
    bson_append_document_end(&self->filter, &range);
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(self->collection, &self->filter, &self->options, NULL);
    const bson_t *document;
    int64_t count = 0;
    bool is_good = true;
    while (is_good && mongoc_cursor_next(cursor, &document)) {
        item item;
        is_good = item_read(document, &item);
        if (is_good) count += item.id > 0;
        item_free(&item);
    }
    bson_error_t reason = {.message = "documents are missing"};
    if (!is_good || mongoc_cursor_error(cursor, &reason) || count != self->to - self->from) {
        is_good = fail(error, "scan", &reason);
    }
    mongoc_cursor_destroy(cursor);
    return is_good;
}

static bool operate(void *opaque, int64_t row, char error[WORKERS_ERROR]) {
    session *self = opaque;
    switch (self->target->workload) {
    case DOCUMENTS_INSERT: return insert(self, row, error);
    case DOCUMENTS_FIND: return find(self, row, error);
    case DOCUMENTS_UPDATE: return update(self, row, error);
    case DOCUMENTS_BULK: return write_bulk(self->collection, &self->document, &self->options, 0, error);
    case DOCUMENTS_SCAN: return scan(self, error);
    }
    return false;
}

// ---- Sessions

static void close_session(void *opaque) {
    session *self = opaque;
    if (self == NULL) return;
    bson_destroy(&self->document);
    bson_destroy(&self->filter);
    bson_destroy(&self->options);
    if (self->collection != NULL) mongoc_collection_destroy(self->collection);
    if (self->client != NULL) mongoc_client_pool_push(self->target->pool, self->client);
    free(self);
}

static void *open_session(const void *context, int worker, char error[WORKERS_ERROR]) {
    const target *target = context;
    session *self = calloc(1, sizeof *self);
    if (self == NULL) {
        snprintf(error, WORKERS_ERROR, "out of memory");
        return NULL;
    }
    self->target = target;
    bson_init(&self->document);
    bson_init(&self->filter);
    bson_init(&self->options);
    self->client = mongoc_client_pool_pop(target->pool);
    bool is_write = target->workload == DOCUMENTS_INSERT || target->workload == DOCUMENTS_BULK;
    self->collection =
        mongoc_client_get_collection(self->client, target->place->database, is_write ? "inserts" : "items");
    // What is written was made here and needs no check of its keys.
    if (is_write) BSON_APPEND_BOOL(&self->options, "validate", false);
    if (target->workload == DOCUMENTS_FIND) {
        BSON_APPEND_INT64(&self->options, "limit", 1);
        BSON_APPEND_BOOL(&self->options, "singleBatch", true);
    }
    if (target->workload == DOCUMENTS_SCAN) BSON_APPEND_INT64(&self->options, "batchSize", 1000);
    self->from = 1 + target->place->count * worker / target->threads;
    self->to = 1 + target->place->count * (worker + 1) / target->threads;
    bson_t ping = BSON_INITIALIZER;
    bson_error_t reason;
    BSON_APPEND_INT32(&ping, "ping", 1);
    bool is_good =
        mongoc_client_command_simple(self->client, target->place->database, &ping, NULL, NULL, &reason);
    bson_destroy(&ping);
    if (is_good) return self;
    fail(error, "connect", &reason);
    close_session(self);
    return NULL;
}

bool documents_run(const documents_place *place, documents_workload workload, int threads, double seconds,
                   baseline_result *result) {
    start_driver();
    memset(result, 0, sizeof *result);
    mongoc_uri_t *uri = mongoc_uri_new(place->uri);
    if (uri == NULL) {
        snprintf(result->error, sizeof result->error, "the connection string is malformed");
        return false;
    }
    target target = {
        .place = place, .workload = workload, .pool = mongoc_client_pool_new(uri), .threads = threads};
    mongoc_client_pool_set_error_api(target.pool, MONGOC_ERROR_API_VERSION_2);
    mongoc_client_pool_max_size(target.pool, (uint32_t)threads);
    const worker_steps steps = {.open = open_session, .operate = operate, .close = close_session};
    int warm_up = workload == DOCUMENTS_BULK || workload == DOCUMENTS_SCAN ? 1 : 20;
    bool is_good = workers_run(&steps, &target, threads, warm_up, seconds, place->count, result);
    mongoc_client_pool_destroy(target.pool);
    mongoc_uri_destroy(uri);
    return is_good;
}

// ---- Around a run

bool documents_prepare(const documents_place *place, char error[WORKERS_ERROR]) {
    start_driver();
    bson_error_t reason;
    mongoc_client_t *client = mongoc_client_new(place->uri);
    if (client == NULL) {
        snprintf(error, WORKERS_ERROR, "the connection string is malformed");
        return false;
    }
    mongoc_collection_t *collection = mongoc_client_get_collection(client, place->database, "items");
    bson_t document = BSON_INITIALIZER, options = BSON_INITIALIZER;
    BSON_APPEND_BOOL(&options, "validate", false);
    bool is_good = true;
    int64_t there = mongoc_collection_count_documents(collection, &document, NULL, NULL, NULL, &reason);
    if (there != place->count) {
        mongoc_collection_drop(collection, NULL);
        for (int64_t id = 1; is_good && id <= place->count; id += DOCUMENTS_OF_BULK) {
            is_good = write_bulk(collection, &document, &options, id, error);
        }
    }
    bson_destroy(&document);
    bson_destroy(&options);
    mongoc_collection_destroy(collection);
    mongoc_client_destroy(client);
    return is_good;
}

bool documents_drop(const documents_place *place, char error[WORKERS_ERROR]) {
    start_driver();
    bson_error_t reason;
    mongoc_client_t *client = mongoc_client_new(place->uri);
    if (client == NULL) return false;
    mongoc_database_t *database = mongoc_client_get_database(client, place->database);
    bool is_good = mongoc_database_drop(database, &reason);
    if (!is_good) fail(error, "drop", &reason);
    mongoc_database_destroy(database);
    mongoc_client_destroy(client);
    return is_good;
}

void documents_server_version(const char *uri, char version[64]) {
    start_driver();
    version[0] = 0;
    bson_t command = BSON_INITIALIZER, reply;
    bson_error_t reason;
    bson_iter_t iter;
    mongoc_client_t *client = mongoc_client_new(uri);
    if (client == NULL) return;
    BSON_APPEND_INT32(&command, "buildInfo", 1);
    if (mongoc_client_command_simple(client, "admin", &command, NULL, &reply, &reason) &&
        bson_iter_init_find(&iter, &reply, "version") && BSON_ITER_HOLDS_UTF8(&iter)) {
        snprintf(version, 64, "%s", bson_iter_utf8(&iter, NULL));
    }
    bson_destroy(&reply);
    bson_destroy(&command);
    mongoc_client_destroy(client);
}

const char *documents_library_version(void) { return mongoc_get_version(); }
