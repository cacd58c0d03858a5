import PersistenceCore
import PostgresEngine
import Synchronization

/// The pool of a service, which can be shut down under load and made anew, as when the service is restarted.
final class ServicePool: Sendable {
    private struct State: Sendable {
        var database: PostgresDatabase
        var maintenance: Task<Void, any Error>
        var totals = PostgresPoolStatistics()
    }

    let name: String
    private let configuration: PostgresConfiguration
    private let state: Mutex<State>
    private let violations: Violations

    init(_ name: String, _ configuration: PostgresConfiguration, _ violations: Violations) throws {
        self.name = name
        self.configuration = configuration
        self.violations = violations
        let database = try PostgresDatabase(configuration: configuration)
        state = Mutex(State(database: database, maintenance: Task { try await database.run() }))
    }

    var database: PostgresDatabase { state.withLock { $0.database } }

    var maximum: Int { configuration.pool.maximum }

    /// What all of its databases have done.
    var totals: PostgresPoolStatistics {
        state.withLock { state in Self.sum(state.totals, state.database.statistics) }
    }

    /// Ends the database in use, and begins with another one.
    func replace(within patience: Duration) async throws {
        let next = try PostgresDatabase(configuration: configuration)
        let maintenance = Task { try await next.run() }
        let (old, oldMaintenance) = state.withLock { state in
            defer {
                state.database = next
                state.maintenance = maintenance
            }
            return (state.database, state.maintenance)
        }
        await close(old, oldMaintenance, within: patience)
        state.withLock { $0.totals = Self.sum($0.totals, old.statistics) }
    }

    /// Ends the last database.
    func close() async {
        let (database, maintenance) = state.withLock { ($0.database, $0.maintenance) }
        await close(database, maintenance, within: .seconds(5))
    }

    private func close(
        _ database: PostgresDatabase, _ maintenance: Task<Void, any Error>, within patience: Duration
    ) async {
        let start = ContinuousClock.now
        await database.shutdown(within: patience)
        _ = await maintenance.result
        let took = start.duration(to: .now)
        if took > patience + .seconds(20) { violations.add("\(name): a shutdown within \(patience) took \(took)") }
        let statistics = database.statistics
        check(statistics)
        if statistics.total != 0 || statistics.waiters != 0 || statistics.acquired != 0 {
            violations.add("\(name): something is left after a shutdown: \(statistics)")
        }
    }

    /// Whether the numbers are those of a pool that nobody uses.
    func checkIsIdle() {
        let statistics = database.statistics
        check(statistics)
        if statistics.waiters != 0 || statistics.acquired != 0 {
            violations.add("\(name): \(statistics.acquired) lent and \(statistics.waiters) waiting, and nobody there")
        }
        if statistics.total > maximum { violations.add("\(name): \(statistics.total) connections of \(maximum)") }
    }

    /// The sums that the documentation of the statistics promises.
    func check(_ statistics: PostgresPoolStatistics) {
        let open = statistics.constructing + statistics.idle + statistics.acquired + statistics.inMaintenance
        let lived = Int64(statistics.total - statistics.constructing) + statistics.closedConnections
        let ended =
            statistics.acquires + statistics.cancelledAcquires + statistics.timedOutAcquires
            + statistics.refusedAcquires + statistics.failedAcquires
        if statistics.total != open || statistics.newConnections != lived
            || statistics.requests != ended + Int64(statistics.waiters)
        {
            violations.add("\(name): the statistics do not add up: \(statistics)")
        }
    }

    private static func sum(_ left: PostgresPoolStatistics, _ right: PostgresPoolStatistics) -> PostgresPoolStatistics {
        var sum = right
        sum.requests += left.requests
        sum.acquires += left.acquires
        sum.cancelledAcquires += left.cancelledAcquires
        sum.timedOutAcquires += left.timedOutAcquires
        sum.failedAcquires += left.failedAcquires
        sum.newConnections += left.newConnections
        sum.failedConnects += left.failedConnects
        sum.discards += left.discards
        sum.failedLivenessTests += left.failedLivenessTests
        sum.livenessTests += left.livenessTests
        sum.shutdownCloses += left.shutdownCloses
        return sum
    }
}

/// What went wrong.
final class Violations: Sendable {
    private let list = Mutex<[String]>([])
    /// What is happening, for whoever finds something.
    private let scene = Mutex("the beginning")

    func enter(_ scene: String) {
        self.scene.withLock { $0 = scene }
    }

    func add(_ what: String) {
        let line = "[\(scene.withLock { $0 })] \(what)"
        list.withLock { list in
            // The same thing a thousand times tells no more than a hundred times.
            if list.count < 100 { list.append(line) }
        }
    }

    var all: [String] { list.withLock { $0 } }
}
