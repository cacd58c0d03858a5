import CoreMetrics
import Foundation
import Logging
import PersistenceCore
import PersistenceTesting
import ServiceLifecycle
import Synchronization
import Tracing

// The code of the guides, word for word, so that it compiles; GuideTests compares them.

// MARK: - What the guides take for granted

protocol Wire: Sendable {
    func send(_ text: String) async throws(PersistenceError) -> Int
}

struct User: Sendable {
    let id: UUID
    let createdAt: Date
}

struct Order: Sendable {}

struct Item: Sendable {}

struct Reservation: Sendable {}

struct Request: Sendable {
    let user: UUID
}

struct Response: Sendable {
    let user: User
    let orders: [Order]
}

protocol Store: Sendable {
    func user(_ id: UUID) async throws -> User
    func orders(of user: User) async throws -> [Order]
    func reserve(_ item: Item, attempt: Int) async throws -> Reservation
}

protocol UserTable: Sendable {
    func rows(createdAndID: (Date, UUID)?, isForward: Bool, limit: Int) async throws -> [User]
}

func pingCache() async throws {}

// MARK: - Errors

func describe(_ error: PersistenceError) -> String {
    switch error.code {
    case .uniqueViolation where error.constraint == "users_email_key": "This address is taken."
    case .notFound: "There is no such user."
    case .staleVersion: "Somebody else has changed this. Please look again."
    case .timeout, .poolExhausted, .unavailable: "Please try again in a moment."
    default: "Something went wrong."
    }
}

// MARK: - Telemetry

func makeInstrumentation(
    tracer: any Tracer,
    metrics: any MetricsFactory,
    logger: Logger
) -> Instrumentation {
    Instrumentation(
        tracer: tracer,
        metrics: metrics,
        logger: logger,
        options: .init(slowOperationThreshold: .milliseconds(250), recordsReturnedRows: true)
    )
}

final class FailureCounter: InstrumentationObserver {
    private let count = Mutex(0)

    func operationDidEnd(_ event: OperationEnd) {
        if event.error != nil {
            count.withLock { $0 += 1 }
        }
    }
}

func send(
    _ text: String,
    on target: DatabaseTarget,
    _ instrumentation: Instrumentation,
    _ connection: some Wire
) async throws(PersistenceError) -> Int {
    let span = instrumentation.begin(
        DatabaseOperation(.query, on: target, name: "UPDATE", summary: "RenameUser", queryText: text)
    )
    do {
        let rows = try await connection.send(text)
        span?.end(rows: rows)
        return rows
    } catch {
        span?.end(throwing: error)
        throw error
    }
}

// MARK: - Deadlines and retries

func handle(_ request: Request, _ store: some Store) async throws -> Response {
    try await withDeadline(.seconds(2)) {
        let user = try await store.user(request.user)
        let orders = try await store.orders(of: user)
        return Response(user: user, orders: orders)
    }
}

func reserve(_ item: Item, _ store: some Store) async throws -> Reservation {
    let policy = RetryPolicy(maximumAttempts: 4, baseDelay: .milliseconds(20), maximumDelay: .seconds(1))
    return try await policy.execute(operation: "Reserve") { attempt in
        try await store.reserve(item, attempt: attempt)
    }
}

func testable(_ clock: ManualClock) -> RetryPolicy {
    RetryPolicy(clock: clock, randomFraction: { 0.5 })
}

// MARK: - Paging

func usersRequest(_ query: [String: String]) throws(PersistenceError) -> KeysetPageRequest {
    try .parse(limit: query["limit"], cursor: query["cursor"])
}

func ordersRequest(_ query: [String: String]) throws(PersistenceError) -> OffsetPageRequest {
    try .parse(offset: query["offset"], limit: query["limit"])
}

func users(_ request: KeysetPageRequest, _ table: some UserTable) async throws -> KeysetPage<User> {
    let listing = "users.oldest"
    let place = try request.values(of: listing, Date.self, UUID.self)
    let rows = try await table.rows(
        createdAndID: place,
        isForward: request.direction == .forward,
        limit: request.fetchLimit
    )
    return try KeysetPage(rows: rows, for: request, listing: listing) { [$0.createdAt, $0.id] }
}

// MARK: - Health

func serve(_ database: some Service & HealthCheck, _ server: some Service, _ logger: Logger) async throws {
    let cache = ClosureHealthCheck("cache") { try await pingCache() }
    let monitor = try HealthMonitor(critical: [database], optional: [cache], logger: logger)
    let group = ServiceGroup(services: [database, monitor, server], logger: logger)
    try await group.run()
}

func healthEndpoint(_ monitor: HealthMonitor) throws -> (status: Int, body: Data) {
    let report = monitor.report
    return (report.readiness.isReady ? 200 : 503, try JSONEncoder().encode(report))
}

func alert(_ monitor: HealthMonitor, _ send: (String) async -> Void) async {
    for await change in monitor.changes() where change.database.status == .unhealthy {
        await send("\(change.database.name) is down")
    }
}
