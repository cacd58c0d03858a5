import Foundation
import PersistenceCore
import PersistenceTesting
import PostgresEngine
import Synchronization
import Testing

/// Private servers that tests of faults share: nobody else's connections are on them, so that sessions can be counted.
///
/// They end with the process.
enum FaultServer {
    private static let plainServer = Task {
        let server = try await PostgresTestServer(.init(settings: ["max_connections": "250"]))
        try await server.start()
        return server
    }

    private static let encryptedServer = Task {
        let options = PostgresTestServer.Options(
            hostBasedAuthentication: [
                "hostssl certified all 127.0.0.1/32 cert",
                "hostnossl all encrypted 127.0.0.1/32 reject",
                "host all trusted 127.0.0.1/32 trust",
                "host all excluded 127.0.0.1/32 reject",
            ], isTLSEnabled: true)
        let server = try await PostgresTestServer(options)
        try await server.start()
        try await server.query("CREATE DATABASE certified")
        try await server.query(
            """
            CREATE ROLE trusted LOGIN;
            CREATE ROLE excluded LOGIN;
            CREATE ROLE encrypted LOGIN PASSWORD '\(server.password)';
            CREATE ROLE roaming LOGIN PASSWORD 'never-shown';
            CREATE ROLE limited LOGIN PASSWORD '\(server.password)' CONNECTION LIMIT 1;
            """)
        return server
    }

    /// A server without TLS.
    static func plain() async throws -> PostgresTestServer { try await plainServer.value }

    /// A server with TLS, and roles and rules for every way to be refused.
    static func encrypted() async throws -> PostgresTestServer { try await encryptedServer.value }

    /// Whether everything must be there, so that what is missing is a failure.
    static var isRequired: Bool { ProcessInfo.processInfo.environment["CI"] == "true" }

    static var isThere: Bool {
        get async {
            if isRequired { return true }
            return (try? await PostgresInstallation.find()) != nil
        }
    }
}

extension Trait where Self == ConditionTrait {
    /// Runs a suite where a private server can be started, or must be.
    static var privateServer: ConditionTrait {
        .enabled("a PostgreSQL server is installed") { await FaultServer.isThere }
    }
}

extension PostgresTestServer {
    /// A configuration for the server's superuser, with a pool that is small and patient.
    func configuration(
        application: String = "faults", through proxy: TCPProxy? = nil, maximum: Int = 4
    ) -> PostgresConfiguration {
        var configuration = PostgresConfiguration(
            hosts: [PostgresHost(host, port: proxy?.port ?? port)], user: username, password: Secret(password),
            database: database)
        configuration.tls = .disable
        configuration.applicationName = application
        configuration.pool = PostgresPoolConfiguration(maximum: maximum)
        configuration.pool.connectRetryDelay = .milliseconds(10)
        configuration.pool.connectRetryDelayLimit = .milliseconds(100)
        configuration.pool.acquireTimeout = .seconds(60)
        return configuration
    }

    /// Lends a database, for connections that a test does not look at.
    func withObserver<Result>(_ body: (PostgresDatabase) async throws -> Result) async throws -> Result {
        try await PostgresDatabase.with(configuration(application: "observer", maximum: 2), body)
    }

    /// Lends an observer and a database under a name of its own, and fails when the database leaves anything behind:
    /// sessions on the server, sockets, its thread, memory, or statistics that do not add up.
    func withDatabase<Result>(
        _ change: (inout PostgresConfiguration) -> Void = { _ in }, through proxy: TCPProxy? = nil,
        instrumentation: Instrumentation = .disabled, sourceLocation: SourceLocation = #_sourceLocation,
        _ body: (_ database: PostgresDatabase, _ observer: Observer) async throws -> Result
    ) async throws -> Result {
        try await withObserver { observing in
            let observer = Observer(database: observing, application: "t" + UUID().uuidString)
            var configuration = configuration(application: observer.application, through: proxy)
            change(&configuration)
            var database: PostgresDatabase?
            let result = try await PostgresDatabase.with(configuration, instrumentation: instrumentation) { lent in
                database = lent
                let result = try await body(lent, observer)
                expectConsistency(of: lent.statistics, sourceLocation: sourceLocation)
                return result
            }
            let statistics = try #require(database?.statistics)
            expectConsistency(of: statistics, sourceLocation: sourceLocation)
            #expect(statistics.total == 0 && statistics.waiters == 0, sourceLocation: sourceLocation)
            try await eventually("no session is left", sourceLocation: sourceLocation) {
                try await observer.sessions() == 0
            }
            if let proxy {
                try await eventually("no socket is left", sourceLocation: sourceLocation) {
                    ProcessResources.sockets(to: proxy.port) == 0
                }
            }
            // The reactor's thread holds the reactor, so with the one the other is gone.
            weak let reactor = database?.executor
            weak let remains = database
            database = nil
            try await eventually("the database and its thread are gone", sourceLocation: sourceLocation) {
                remains == nil && reactor == nil
            }
            return result
        }
    }
}

/// Looks at a server from the side.
struct Observer: Sendable {
    let database: PostgresDatabase
    /// The application name of the sessions that it looks at.
    let application: String

    func sessions() async throws -> Int {
        try await database.one(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = \(application)", as: Int.self)
    }

    /// How many sessions run a statement whose text contains `marker`.
    func running(_ marker: String) async throws -> Int {
        try await database.one(
            """
            SELECT count(*) FROM pg_stat_activity WHERE application_name = \(application) AND state = 'active'
                AND position(\(marker) IN query) > 0
            """, as: Int.self)
    }

    /// Ends a session on the server and waits until it is gone.
    func terminate(_ process: Int32) async throws {
        let isEnded = try await database.one("SELECT pg_terminate_backend(\(process), 30000)", as: Bool.self)
        #expect(isEnded)
    }

    /// Ends every session of the application that there is now, and waits until they are gone.
    func terminateAll() async throws {
        // The server's own wait looks only every tenth of a second, for one session after the other.
        let ended = try await database.all(
            "SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = \(application)",
            as: (Int32, Bool).self
        ).map(\.0)
        try await eventually("they are gone") {
            try await database.one("SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(\(ended))", as: Int.self) == 0
        }
    }

    /// Makes a table for the length of `body`.
    func withTable<Result>(
        _ columns: String, _ body: (PostgresIdentifier) async throws -> Result
    ) async throws -> Result {
        let table = try PostgresIdentifier("faults_" + UUID().uuidString.lowercased())
        try await database.execute(PostgresStatement(sql: "CREATE TABLE \(table.quoted) (\(columns))"))
        let result = try await body(table)
        try await database.execute("DROP TABLE \(table)")
        return result
    }
}

/// The sums that the documentation of the statistics promises.
func expectConsistency(
    of statistics: PostgresPoolStatistics, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(
        statistics.total
            == statistics.constructing + statistics.idle + statistics.acquired + statistics.inMaintenance,
        sourceLocation: sourceLocation)
    #expect(
        statistics.newConnections
            == Int64(statistics.total - statistics.constructing) + statistics.closedConnections,
        sourceLocation: sourceLocation)
    let ended =
        statistics.acquires + statistics.cancelledAcquires + statistics.timedOutAcquires
        + statistics.refusedAcquires + statistics.failedAcquires
    #expect(statistics.requests == ended + Int64(statistics.waiters), sourceLocation: sourceLocation)
}

/// What a caller of a pool hears that cannot connect, once the pool itself knows why.
///
/// On a busy machine a short wait can end before the first attempt does.
func failureToConnect(
    _ database: PostgresDatabase, within limit: Duration, sourceLocation: SourceLocation = #_sourceLocation
) async throws -> PersistenceError {
    for _ in 1...100 {
        let error = try await failure(sourceLocation: sourceLocation) {
            try await withDeadline(limit) { _ = try await database.execute("SELECT 1") }
        }
        if error.underlying != nil || error.code != .timeout { return error }
    }
    throw PersistenceError(.internal, "the pool never learned why it cannot connect")
}

/// A value that tasks share.
final class Shared<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) {
        mutex = Mutex(value)
    }

    var value: Value { mutex.withLock { $0 } }

    @discardableResult
    func change<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        mutex.withLock { body(&$0) }
    }
}

/// Numbers that are the same in every run (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
