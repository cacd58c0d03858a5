// The C driver against the endpoint that MONGO_URL names: CRUD, cursors, bulk writes, a transaction, errors.

#include <mongoc/mongoc.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition, ...)                                          \
    do {                                                               \
        if (!(condition)) {                                            \
            fprintf(stderr, "%s:%d: %s", __FILE__, __LINE__, #condition); \
            fprintf(stderr, " " __VA_ARGS__);                          \
            fputc('\n', stderr);                                       \
            exit(1);                                                   \
        }                                                              \
    } while (0)

static void crud(mongoc_collection_t *items) {
    bson_error_t error = {0};
    bson_t reply;
    for (int id = 0; id < 250; id++) {
        bson_t *document = BCON_NEW("_id", BCON_INT32(id), "even", BCON_BOOL(id % 2 == 0));
        CHECK(mongoc_collection_insert_one(items, document, NULL, NULL, &error), "%s", error.message);
        bson_destroy(document);
    }
    bson_t *filter = BCON_NEW("even", BCON_BOOL(true));
    bson_t *options = BCON_NEW("batchSize", BCON_INT32(20), "sort", "{", "_id", BCON_INT32(-1), "}");
    mongoc_cursor_t *cursor = mongoc_collection_find_with_opts(items, filter, options, NULL);
    const bson_t *found;
    int count = 0, last = 250;
    while (mongoc_cursor_next(cursor, &found)) {
        bson_iter_t iterator;
        CHECK(bson_iter_init_find(&iterator, found, "_id"));
        CHECK(bson_iter_int32(&iterator) < last);
        last = bson_iter_int32(&iterator);
        count++;
    }
    CHECK(!mongoc_cursor_error(cursor, &error), "%s", error.message);
    CHECK(count == 125, "%d", count);
    mongoc_cursor_destroy(cursor);

    bson_t *update = BCON_NEW("$inc", "{", "n", BCON_INT32(1), "}");
    CHECK(mongoc_collection_update_many(items, filter, update, NULL, &reply, &error), "%s", error.message);
    bson_iter_t iterator;
    CHECK(bson_iter_init_find(&iterator, &reply, "modifiedCount") && bson_iter_as_int64(&iterator) == 125);
    bson_destroy(&reply);

    bson_t *twice = BCON_NEW("_id", BCON_INT32(1));
    CHECK(!mongoc_collection_insert_one(items, twice, NULL, &reply, &error));
    CHECK(error.code == 11000, "%u %s", error.code, error.message);
    CHECK(strstr(error.message, "E11000") != NULL, "%s", error.message);
    bson_destroy(&reply);
    bson_destroy(twice);
    bson_destroy(update);
    bson_destroy(options);
    bson_destroy(filter);
}

static void bulk(mongoc_collection_t *items) {
    bson_error_t error = {0};
    bson_t reply;
    bson_t *options = BCON_NEW("ordered", BCON_BOOL(false));
    mongoc_bulk_operation_t *bulk = mongoc_collection_create_bulk_operation_with_opts(items, options);
    for (int id = 1000; id < 3000; id++) {
        bson_t *document = BCON_NEW("_id", BCON_INT32(id));
        CHECK(mongoc_bulk_operation_insert_with_opts(bulk, document, NULL, &error), "%s", error.message);
        bson_destroy(document);
    }
    CHECK(mongoc_bulk_operation_execute(bulk, &reply, &error) != 0, "%s", error.message);
    bson_iter_t iterator;
    CHECK(bson_iter_init_find(&iterator, &reply, "nInserted") && bson_iter_as_int64(&iterator) == 2000);
    bson_destroy(&reply);
    mongoc_bulk_operation_destroy(bulk);
    bson_destroy(options);
}

static void transaction(mongoc_client_t *client, mongoc_collection_t *items) {
    bson_error_t error = {0};
    bson_t reply, options = BSON_INITIALIZER;
    mongoc_client_session_t *session = mongoc_client_start_session(client, NULL, &error);
    CHECK(session, "%s", error.message);
    CHECK(mongoc_client_session_append(session, &options, &error), "%s", error.message);
    bson_t *document = BCON_NEW("_id", BCON_INT32(9000));
    bson_t empty = BSON_INITIALIZER;
    for (int attempt = 0; attempt < 2; attempt++) {
        CHECK(mongoc_client_session_start_transaction(session, NULL, &error), "%s", error.message);
        CHECK(mongoc_collection_insert_one(items, document, &options, NULL, &error), "%s", error.message);
        CHECK(mongoc_collection_count_documents(items, document, NULL, NULL, NULL, &error) == 0);
        CHECK(mongoc_collection_count_documents(items, document, &options, NULL, NULL, &error) == 1);
        if (attempt == 0) {
            CHECK(mongoc_client_session_abort_transaction(session, &error), "%s", error.message);
        } else {
            CHECK(mongoc_client_session_commit_transaction(session, &reply, &error), "%s", error.message);
            bson_destroy(&reply);
        }
    }
    CHECK(mongoc_collection_count_documents(items, document, NULL, NULL, NULL, &error) == 1);
    bson_destroy(document);
    bson_destroy(&empty);
    bson_destroy(&options);
    mongoc_client_session_destroy(session);
}

int main(void) {
    const char *url = getenv("MONGO_URL");
    CHECK(url, "MONGO_URL is not set");
    mongoc_init();
    bson_error_t error = {0};
    mongoc_uri_t *uri = mongoc_uri_new_with_error(url, &error);
    CHECK(uri, "%s", error.message);
    mongoc_client_pool_t *pool = mongoc_client_pool_new(uri);
    mongoc_client_pool_set_error_api(pool, MONGOC_ERROR_API_VERSION_2);
    mongoc_client_t *client = mongoc_client_pool_pop(pool);
    char name[64];
    bson_oid_t oid;
    char text[25];
    bson_oid_init(&oid, NULL);
    bson_oid_to_string(&oid, text);
    snprintf(name, sizeof name, "c_driver_%s", text);
    mongoc_database_t *database = mongoc_client_get_database(client, name);
    mongoc_collection_t *items = mongoc_database_get_collection(database, "items");
    crud(items);
    bulk(items);
    transaction(client, items);
    CHECK(mongoc_database_drop(database, &error), "%s", error.message);
    mongoc_collection_destroy(items);
    mongoc_database_destroy(database);
    mongoc_client_pool_push(pool, client);
    mongoc_client_pool_destroy(pool);
    mongoc_uri_destroy(uri);
    mongoc_cleanup();
    puts("The C driver works.");
    return 0;
}
