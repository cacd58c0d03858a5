import PersistenceCore
import PostgresEngine

extension Marketplace {
    /// Says how the pool and the database are.
    func report() async {
        Console.step("Pool")
        let pool = database.statistics
        Console.line("\(pool.total) connections of at most \(pool.maximum), \(pool.idle) idle, \(pool.acquired) in use")
        Console.line("\(pool.newConnections) opened, \(pool.closedConnections) closed")
        Console.line(
            "\(pool.acquires) loans, of which \(pool.emptyAcquires) waited \(pool.emptyAcquireWait.milliseconds) in all"
        )

        Console.step("Health")
        let report = await health.checkNow()
        for database in report.databases {
            let latency = database.latency.map { " in \($0.milliseconds)" } ?? ""
            Console.line("\(database.name): \(database.status.rawValue)\(latency)")
        }
        Console.line("readiness: \(report.readiness.rawValue), liveness: \(report.liveness.rawValue)")
    }
}
