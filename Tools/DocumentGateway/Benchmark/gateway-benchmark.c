// What the gateway costs: the same commands through it and directly through the engine's functions, in turns.
//
//     gateway-benchmark ENGINE SOCKET PORT [CLIENTS [SECONDS [ROUNDS]]]
//
// ENGINE is a libpq connection string; at the file SOCKET and on PORT a gateway without authentication stands in front of
// the same engine. The engine is reached through a Unix socket, so the ratio that counts is that of the gateway's; that
// of TCP, whose price on one machine is the kernel's, is shown beside it.

#include <arpa/inet.h>
#include <endian.h>
#include <libpq-fe.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { MAXIMUM_CLIENTS = 256, MAXIMUM_ROUNDS = 100, DOCUMENTS = 10000 };

typedef enum { INSERT, INSERT_RETRYABLE, FIND } Workload;
static const char *const names[] = {"insert one", "insert one, retryable", "find by _id"};

typedef struct {
    uint8_t bytes[1024];
    size_t count;
} Buffer;

// What the gateway asks of the engine; the work is the same on both sides.
static const char *const statements[] = {
    "SELECT p_result::bytea, p_success FROM documentdb_api.insert($1, $2::bytea, NULL, NULL)",
    "WITH written(reply, is_complete) AS MATERIALIZED ("
    "SELECT p_result::bytea, p_success FROM documentdb_api.insert($1, $2::bytea, NULL, NULL)), recorded AS ("
    "INSERT INTO document_gateway.replies AS r (writer, number, reply) "
    "SELECT $3::bytea, $4::int8, reply FROM written "
    "ON CONFLICT (writer) DO UPDATE SET number = excluded.number, reply = excluded.reply, used = now()) "
    "SELECT reply, is_complete FROM written",
    "SELECT cursorpage::bytea, continuation::bytea, cursorid "
    "FROM documentdb_api.find_cursor_first_page($1, $2::bytea)",
};

static const char *engine;
static struct sockaddr_un local = {.sun_family = AF_UNIX};
static struct sockaddr_in remote = {.sin_family = AF_INET};
static atomic_bool running;
static atomic_llong next_id = DOCUMENTS;

static void fail(const char *what) {
    fprintf(stderr, "gateway-benchmark: %s\n", what);
    exit(1);
}

static void put(Buffer *buffer, const void *bytes, size_t count) {
    if (buffer->count + count > sizeof buffer->bytes) fail("a message is too long");
    memcpy(buffer->bytes + buffer->count, bytes, count);
    buffer->count += count;
}

static void put32(Buffer *buffer, int32_t value) { put(buffer, &value, 4); }
static void put64(Buffer *buffer, int64_t value) { put(buffer, &value, 8); }

static void put_key(Buffer *buffer, uint8_t type, const char *key) {
    put(buffer, &type, 1);
    put(buffer, key, strlen(key) + 1);
}

static void put_string(Buffer *buffer, const char *key, const char *text) {
    put_key(buffer, 2, key);
    put32(buffer, (int32_t)strlen(text) + 1);
    put(buffer, text, strlen(text) + 1);
}

static size_t begin(Buffer *buffer) {
    put32(buffer, 0);
    return buffer->count - 4;
}

static void end(Buffer *buffer, size_t start) {
    put(buffer, "", 1);
    int32_t length = (int32_t)(buffer->count - start);
    memcpy(buffer->bytes + start, &length, 4);
}

static void put_document(Buffer *buffer, int64_t id) {
    size_t document = begin(buffer);
    put_key(buffer, 0x12, "_id");
    put64(buffer, id);
    put_string(buffer, "activity", "send-invitation");
    put_string(buffer, "status", "completed");
    put_key(buffer, 0x12, "duration");
    put64(buffer, id % 1000);
    end(buffer, document);
}

static void put_command(Buffer *buffer, Workload workload, int64_t id, uint64_t session, int64_t number) {
    size_t command = begin(buffer);
    if (workload == FIND) {
        put_string(buffer, "find", "items");
        put_key(buffer, 3, "filter");
        size_t filter = begin(buffer);
        put_key(buffer, 0x12, "_id");
        put64(buffer, id);
        end(buffer, filter);
        put_key(buffer, 0x10, "limit");
        put32(buffer, 1);
        put_key(buffer, 8, "singleBatch");
        put(buffer, "\1", 1);
    } else {
        put_string(buffer, "insert", "items");
        put_key(buffer, 4, "documents");
        size_t documents = begin(buffer);
        put_key(buffer, 3, "0");
        put_document(buffer, id);
        end(buffer, documents);
    }
    if (workload == INSERT_RETRYABLE) {
        put_key(buffer, 3, "lsid");
        size_t lsid = begin(buffer);
        put_key(buffer, 5, "id");
        put32(buffer, 16);
        put(buffer, "\4", 1);
        put64(buffer, (int64_t)session);
        put64(buffer, (int64_t)(session * 31));
        end(buffer, lsid);
        put_key(buffer, 0x12, "txnNumber");
        put64(buffer, number);
    }
    put_string(buffer, "$db", "gateway_benchmark");
    end(buffer, command);
}

static int64_t id_for(Workload workload, uint64_t *random) {
    if (workload != FIND) return atomic_fetch_add(&next_id, 1);
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((*random >> 33) % DOCUMENTS);
}

typedef struct {
    Workload workload;
    uint64_t seed;
    long long operations;
} Client;

// A reply of either side ends in "ok: 1.0", and has no errors per item.
static void check(const uint8_t *bytes, size_t count) {
    static const uint8_t ok[] = {1, 'o', 'k', 0, 0, 0, 0, 0, 0, 0, 0xF0, 0x3F};
    if (!memmem(bytes, count, ok, sizeof ok) || memmem(bytes, count, "writeErrors", 11)) fail("a command failed");
}

static void *direct(void *argument) {
    Client *client = argument;
    PGconn *connection = PQconnectdb(engine);
    if (PQstatus(connection) != CONNECTION_OK) fail(PQerrorMessage(connection));
    PQclear(PQexec(connection, "SET documentdb.useFileBasedPersistedCursors = on"));
    PGresult *prepared = PQprepare(connection, "command", statements[client->workload], 0, NULL);
    if (PQresultStatus(prepared) != PGRES_COMMAND_OK) fail(PQerrorMessage(connection));
    PQclear(prepared);
    uint64_t session[2] = {((uint64_t)time(NULL) << 20) ^ client->seed, (uint64_t)(uintptr_t)&prepared};
    int64_t number = 0;
    uint64_t random = client->seed;
    while (atomic_load_explicit(&running, memory_order_relaxed)) {
        Buffer command = {.count = 0};
        put_command(&command, client->workload == FIND ? FIND : INSERT, id_for(client->workload, &random), 0, 0);
        int64_t big = (int64_t)htobe64((uint64_t)++number);
        const char *values[] = {
            "gateway_benchmark", (const char *)command.bytes, (const char *)session, (const char *)&big};
        const int lengths[] = {0, (int)command.count, sizeof session, sizeof big}, formats[] = {0, 1, 1, 1};
        int parameters = client->workload == INSERT_RETRYABLE ? 4 : 2;
        PGresult *result = PQexecPrepared(connection, "command", parameters, values, lengths, formats, 1);
        if (PQresultStatus(result) != PGRES_TUPLES_OK) fail(PQerrorMessage(connection));
        check((const uint8_t *)PQgetvalue(result, 0, 0), (size_t)PQgetlength(result, 0, 0));
        PQclear(result);
        client->operations++;
    }
    PQfinish(connection);
    return NULL;
}

// Reads one reply, in as few calls as libpq reads a result with.
static size_t receive(int descriptor, uint8_t *bytes, size_t capacity) {
    size_t done = 0;
    int32_t length = 4;
    while (done < (size_t)length) {
        ssize_t part = recv(descriptor, bytes + done, capacity - done, 0);
        if (part <= 0) fail("the gateway closed the connection");
        done += (size_t)part;
        if (done < 4) continue;
        memcpy(&length, bytes, 4);
        if (length < 16 || length > (int32_t)capacity) fail("a reply has an unexpected length");
    }
    return done;
}

static void *through_gateway(Client *client, const struct sockaddr *address, socklen_t size) {
    int descriptor = socket(address->sa_family, SOCK_STREAM, 0), on = 1;
    if (connect(descriptor, address, size) != 0) fail("cannot connect to the gateway");
    if (address->sa_family == AF_INET) setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    uint64_t random = client->seed;
    uint64_t session = ((uint64_t)time(NULL) << 32) ^ atomic_fetch_add(&next_id, 1);
    for (int64_t number = 1; atomic_load_explicit(&running, memory_order_relaxed); number++) {
        Buffer message = {.count = 0};
        int32_t header[] = {0, (int32_t)number, 0, 2013, 0};
        put(&message, header, sizeof header);
        put(&message, "", 1);
        put_command(&message, client->workload, id_for(client->workload, &random), session, number);
        int32_t length = (int32_t)message.count;
        memcpy(message.bytes, &length, 4);
        if (send(descriptor, message.bytes, message.count, 0) != (ssize_t)message.count) fail("cannot send");
        uint8_t reply[4096];
        size_t count = receive(descriptor, reply, sizeof reply);
        check(reply, count);
        client->operations++;
    }
    close(descriptor);
    return NULL;
}

static void *through_socket(void *client) {
    return through_gateway(client, (struct sockaddr *)&local, sizeof local);
}

static void *through_tcp(void *client) {
    return through_gateway(client, (struct sockaddr *)&remote, sizeof remote);
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double rate(void *(*run)(void *), Workload workload, int clients, double seconds) {
    static Client state[MAXIMUM_CLIENTS];
    pthread_t threads[MAXIMUM_CLIENTS];
    atomic_store(&running, true);
    double start = now();
    for (int index = 0; index < clients; index++) {
        state[index] = (Client){.workload = workload, .seed = (uint64_t)index * 7919 + 17};
        if (pthread_create(&threads[index], NULL, run, &state[index]) != 0) fail("cannot start a thread");
    }
    usleep((useconds_t)(seconds * 1e6));
    atomic_store(&running, false);
    long long operations = 0;
    for (int index = 0; index < clients; index++) {
        pthread_join(threads[index], NULL);
        operations += state[index].operations;
    }
    return (double)operations / (now() - start);
}

static int ascending(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, ascending);
    return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static void prepare(void) {
    PGconn *connection = PQconnectdb(engine);
    if (PQstatus(connection) != CONNECTION_OK) fail(PQerrorMessage(connection));
    PQclear(PQexec(connection, "SELECT documentdb_api.drop_collection('gateway_benchmark', 'items')"));
    for (int64_t id = 0; id < DOCUMENTS; id++) {
        Buffer command = {.count = 0};
        put_command(&command, INSERT, id, 0, 0);
        const char *values[] = {(const char *)command.bytes};
        const int lengths[] = {(int)command.count}, formats[] = {1};
        PGresult *result = PQexecParams(
            connection,
            "SELECT p_success FROM documentdb_api.insert('gateway_benchmark', $1::bytea, NULL, NULL)", 1, NULL, values,
            lengths, formats, 0);
        if (PQresultStatus(result) != PGRES_TUPLES_OK) fail(PQerrorMessage(connection));
        PQclear(result);
    }
    PQclear(PQexec(connection, "ANALYZE"));
    PQfinish(connection);
}

static void tidy(void) {
    PGconn *connection = PQconnectdb(engine);
    PQclear(PQexec(connection, "SELECT documentdb_api.drop_database('gateway_benchmark')"));
    PQfinish(connection);
}

int main(int count, char **arguments) {
    if (count < 4) fail("usage: gateway-benchmark ENGINE SOCKET PORT [CLIENTS [SECONDS [ROUNDS]]]");
    engine = arguments[1];
    if (strlen(arguments[2]) >= sizeof local.sun_path) fail("the socket's path is too long");
    strcpy(local.sun_path, arguments[2]);
    remote.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    remote.sin_port = htons((uint16_t)atoi(arguments[3]));
    int clients = count > 4 ? atoi(arguments[4]) : 8;
    double seconds = count > 5 ? atof(arguments[5]) : 2;
    int rounds = count > 6 ? atoi(arguments[6]) : 5;
    if (clients < 1 || clients > MAXIMUM_CLIENTS || rounds < 1 || rounds > MAXIMUM_ROUNDS || seconds <= 0 || seconds > 600) {
        fail("the number of clients, seconds or rounds makes no sense");
    }
    prepare();
    static void *(*const sides[])(void *) = {direct, through_socket, through_tcp};
    enum { SIDES = sizeof sides / sizeof *sides };
    printf("%-24s %10s %10s %6s %10s %6s %7s\n", "workload", "direct/s", "socket/s", "ratio", "tcp/s", "ratio", "target");
    int missed = 0;
    for (int workload = INSERT; workload <= FIND; workload++) {
        double rates[SIDES][MAXIMUM_ROUNDS], ratios[SIDES][MAXIMUM_ROUNDS];
        for (int side = 0; side < SIDES; side++) rate(sides[side], workload, clients, seconds / 2);
        for (int round = 0; round < rounds; round++) {
            for (int side = 0; side < SIDES; side++) {
                rates[side][round] = rate(sides[side], workload, clients, seconds);
                ratios[side][round] = rates[side][round] / rates[0][round];
            }
        }
        double ratio[SIDES], middle[SIDES];
        for (int side = 0; side < SIDES; side++) {
            ratio[side] = median(ratios[side], rounds);
            middle[side] = median(rates[side], rounds);
        }
        if (ratio[1] < 0.5) missed = 1;
        printf(
            "%-24s %10.0f %10.0f %6.2f %10.0f %6.2f %7s\n", names[workload], middle[0], middle[1], ratio[1], middle[2],
            ratio[2], "0.50");
        fflush(stdout);
    }
    tidy();
    return missed;
}
