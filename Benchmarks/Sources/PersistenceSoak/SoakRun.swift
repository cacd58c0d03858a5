import PersistenceCore
import PersistenceTesting
import PostgresEngine

/// Rounds of faults under load, each with an audit at its end.
struct SoakRun {
    private let stage: Stage
    private let faults: [Fault]
    private let seed: UInt64
    private let workers: Int
    private let violations = Violations()
    private let pools: [ServicePool]
    private let load: Load
    private var report = SoakReport()

    /// How long faults happen between two audits.
    private static let round = Duration.seconds(20)
    /// "Within seconds", with room for a machine that also starts servers.
    private static let recoveryLimit = Duration.seconds(30)
    /// How long PgBouncer may be silent before somebody looks whether it is there.
    private static let poolerPatience = Duration.seconds(5)

    init(on stage: Stage, faults: [Fault], seed: UInt64, workers: Int) throws {
        self.stage = stage
        self.faults = faults
        self.seed = seed
        self.workers = workers
        pools = [
            try ServicePool("direct", stage.direct, violations), try ServicePool("pooled", stage.pooled, violations),
        ]
        load = Load(on: pools, violations)
    }

    /// Runs for so long, or until something is so wrong that it makes no sense to go on.
    consuming func run(for time: Duration) async -> SoakReport {
        var random = SeededGenerator(seed)
        let start = ContinuousClock.now
        let end = start.advanced(by: time)
        do {
            // The first round warms up, so that the resources of the later ones can be compared with its.
            try await round(until: start.advanced(by: min(time / 4, .seconds(5))), &random)
            report.atStart = ProcessResources.current
            while ContinuousClock.now < end {
                try await round(until: min(end, ContinuousClock.now.advanced(by: Self.round)), &random)
                let resources = ProcessResources.current
                report.atEnd = resources
                print(
                    "\(Int(start.duration(to: .now) / .seconds(1))) s: \(report.faults.values.reduce(0, +)) faults, "
                        + "\(load.totals.operations) operations, \(report.acknowledged) acknowledged, "
                        + "\(report.failed) failed, \(report.unknown) unknown, \(violations.all.count) violations, "
                        + "\(resources.residentBytes >> 20) MB, \(resources.descriptors) descriptors, "
                        + "\(resources.threads) threads")
            }
        } catch {
            violations.add("the run ended early: \(error)")
        }
        checkResources()
        await finish()
        report.elapsed = start.duration(to: .now)
        report.seed = seed
        report.counts = load.totals
        report.pools = pools.map { ($0.name, $0.totals) }
        report.violations = violations.all
        return report
    }

    private mutating func round(until end: ContinuousClock.Instant, _ random: inout SeededGenerator) async throws {
        load.start(workers: workers, seed: random.next())
        try await Task.sleep(for: .milliseconds(200))
        while ContinuousClock.now < end {
            guard let fault = pick(&random) else { break }
            violations.enter(fault.rawValue)
            report.faults[fault, default: 0] += 1
            try await fault.happen(on: stage, pools, &random)
            try await recover(from: fault)
            try await Task.sleep(for: .milliseconds(Int.random(in: 20...300, using: &random)))
        }
        violations.enter("the audit")
        load.stop()
        let limit = ContinuousClock.now.advanced(by: .seconds(60))
        while load.isRunning {
            guard ContinuousClock.now < limit else {
                throw PersistenceError(.internal, "operations have not ended within a minute")
            }
            try await Task.sleep(for: .milliseconds(5))
        }
        try await audit()
    }

    private func pick(_ random: inout SeededGenerator) -> Fault? {
        var place = Int.random(in: 0..<faults.reduce(0) { $0 + $1.weight }, using: &random)
        return faults.first { fault in
            place -= fault.weight
            return place < 0
        }
    }

    /// Waits until each pool has served somebody who came after the fault.
    private mutating func recover(from fault: Fault) async throws {
        let start = ContinuousClock.now
        var hasLooked = false
        while true {
            let latest = load.totals.latest
            let waiting = pools.filter { (latest[$0.name] ?? start.advanced(by: .seconds(-1))) < start }
            let took = start.duration(to: .now)
            if waiting.isEmpty {
                report.recoveries.append((fault, took))
                return
            }
            if took > Self.recoveryLimit {
                for pool in waiting {
                    violations.add(
                        "\(pool.name) served nobody for \(took) after it: \(pool.database.statistics); the latest error: "
                            + (load.totals.failure[pool.name] ?? "none"))
                }
                return
            }
            // PgBouncer 1.18 ends itself when it loses its server with cancel requests on their way.
            if took > Self.poolerPatience, !hasLooked {
                hasLooked = true
                if try await stage.revivePooler() { report.poolerCrashes += 1 }
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }

    /// Compares what callers were told with what is there, and looks for what nobody uses any more.
    private mutating func audit() async throws {
        for pool in pools { pool.checkIsIdle() }
        // What hangs in the network would never come to its end.
        stage.heal()
        let (load, stage, violations, pools) = (load, stage, violations, pools)
        let audit = try await PostgresDatabase.with(stage.observer) { observer in
            // A server goes on with what its client no longer waits for.
            try await Self.eventually("sessions are still busy", violations) {
                try await observer.one(
                    """
                    SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'
                        AND application_name LIKE 'soak-%' AND pid <> pg_backend_pid() AND state <> 'idle'
                    """, as: Int.self) == 0
            }
            for (name, limit) in [(Stage.directName, pools[0].maximum), (Stage.pooledName, 6)] {
                try await Self.eventually("more sessions of \(name) than its pool has", violations) {
                    try await observer.one(
                        "SELECT count(*) FROM pg_stat_activity WHERE application_name = \(name)", as: Int.self) <= limit
                }
            }
            let audit = load.ledger.audit(of: try await observer.all("SELECT n FROM written", as: Int.self))
            if !audit.isClean { violations.add("the ledger and the table do not agree: \(audit)") }
            // Without anybody to wait for: the table is empty again when the next round begins.
            try await observer.execute("TRUNCATE written")
            return audit
        }
        report.acknowledged += load.ledger.count(.acknowledged)
        report.failed += load.ledger.count(.failed)
        report.unknown += load.ledger.count(.unknown)
        report.unknownDone += audit.unknownDone
        report.audits += 1
        load.ledger.clear()
    }

    private static func eventually(
        _ what: String, _ violations: Violations, _ condition: () async throws -> Bool
    ) async throws {
        let end = ContinuousClock.now.advanced(by: .seconds(30))
        while ContinuousClock.now < end {
            if try await condition() { return }
            try await Task.sleep(for: .milliseconds(20))
        }
        violations.add(what)
    }

    // MARK: Leaks

    private func checkResources() {
        guard let start = report.atStart, let end = report.atEnd, ProcessResources.isKnown else { return }
        if end.descriptors > start.descriptors + 24 {
            violations.add("descriptors grew from \(start.descriptors) to \(end.descriptors)")
        }
        if end.threads > start.threads + 12 {
            violations.add("threads grew from \(start.threads) to \(end.threads)")
        }
        if end.residentBytes > start.residentBytes + start.residentBytes / 2 + 64 << 20 {
            violations.add("memory grew from \(start.residentBytes) to \(end.residentBytes) bytes")
        }
    }

    private func finish() async {
        violations.enter("the end")
        for pool in pools { await pool.close() }
        for port in stage.proxies.map(\.port) + [stage.pooler.port] {
            for _ in 0..<500 where ProcessResources.sockets(to: port) > 0 {
                try? await Task.sleep(for: .milliseconds(10))
            }
            let left = ProcessResources.sockets(to: port)
            if left > 0 { violations.add("\(left) sockets are left") }
        }
    }
}
