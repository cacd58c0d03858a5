import PersistenceCore
import PersistenceTesting
import PostgresEngine

/// Something that happens to a server, the network, the tasks or a pool.
enum Fault: String, CaseIterable, Sendable {
    case killServer = "kill-server"
    case stopServer = "stop-server"
    case crashServer = "crash-server"
    case failOver = "fail-over"
    case terminate = "terminate-backends"
    case killPooler = "kill-pooler"
    case reset
    case close
    case halfClose = "half-close"
    case cut
    case halfOpen = "half-open"
    case blackHole = "black-hole"
    case silentConnects = "silent-connects"
    case latency
    case bandwidth
    case changeTable = "change-table"
    case exhaustPool = "exhaust-pool"
    case restartPool = "restart-pool"

    /// How often it comes, beside the others.
    var weight: Int {
        switch self {
        case .killServer: 36
        case .terminate, .cut: 10
        case .reset, .halfOpen: 7
        case .failOver, .blackHole, .changeTable, .killPooler: 5
        default: 4
        }
    }

    /// Lets it happen, and ends it; what it leaves behind is the pools' to get over.
    func happen(on stage: Stage, _ pools: [ServicePool], _ random: inout SeededGenerator) async throws {
        let proxy = stage.proxies.randomElement(using: &random) ?? stage.proxies[0]
        let short = Duration.milliseconds(Int.random(in: 200...1_500, using: &random))
        switch self {
        case .killServer:
            try await stage.primary.kill()
            try await stage.primary.start()
        case .stopServer: try await stage.primary.restart(mode: .fast)
        case .crashServer: try await stage.primary.restart(mode: .immediate)
        case .failOver: try await stage.failOver()
        case .terminate:
            for _ in 0..<5 {
                try await stage.primary.query(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'soak-%'")
            }
        case .killPooler:
            try await stage.pooler.kill()
            try await stage.pooler.start()
        case .reset:
            for proxy in stage.proxies + [stage.poolerProxy] { proxy.resetConnections() }
        case .close: for proxy in stage.proxies { proxy.closeConnections() }
        case .halfClose:
            let direction = TCPProxy.Direction.allCases.randomElement(using: &random) ?? .toServer
            for proxy in stage.proxies { proxy.halfCloseConnections(direction) }
        case .cut:
            for _ in 0..<5 {
                let direction = TCPProxy.Direction.allCases.randomElement(using: &random) ?? .toServer
                let ending = TCPProxy.Cut.Ending.allCases.randomElement(using: &random) ?? .reset
                let place = proxy.traffic[direction] + Int.random(in: 0..<20_000, using: &random)
                proxy.change { $0.cut = .init(direction, after: place, ending: ending) }
                try await Task.sleep(for: .milliseconds(50))
            }
            proxy.change { $0.cut = nil }
        case .halfOpen: for proxy in stage.proxies { proxy.freezeConnections() }
        case .blackHole: try await change(stage.proxies, for: short) { $0.isBlackHole = true }
        case .silentConnects:
            try await change(stage.proxies, for: short) { $0.freezesNewConnections = true }
        case .latency:
            let delay = Duration.milliseconds(Int.random(in: 5...100, using: &random))
            try await change(stage.proxies, for: short) { $0.latency = delay }
        case .bandwidth:
            let rate = Int.random(in: 10_000...200_000, using: &random)
            try await change(stage.proxies, for: short) { $0.bytesPerSecond = rate }
        case .changeTable:
            let name = "extra\(Int.random(in: 0..<1_000_000, using: &random))"
            for change in ["ADD COLUMN \(name) int DEFAULT 7", "DROP COLUMN IF EXISTS \(name)"] {
                // A session whose network has frozen in a COPY keeps its lock for ever; then the change is given up.
                try await stage.primary.query(
                    """
                    DO $$ BEGIN SET LOCAL lock_timeout = '5s'; ALTER TABLE written \(change);
                        EXCEPTION WHEN lock_not_available THEN NULL; END $$
                    """)
            }
        case .exhaustPool: await exhaust(pools, &random)
        case .restartPool:
            let patience = Duration.milliseconds(Int.random(in: 0...300, using: &random))
            for pool in pools { try await pool.replace(within: patience) }
        }
    }

    private func change(
        _ proxies: [TCPProxy], for time: Duration, _ change: (inout TCPProxy.Behaviour) -> Void
    ) async throws {
        for proxy in proxies { proxy.change(change) }
        try await Task.sleep(for: time)
        for proxy in proxies { proxy.change { $0 = TCPProxy.Behaviour() } }
    }

    /// Many more callers than connections, half of which change their minds.
    private func exhaust(_ pools: [ServicePool], _ random: inout SeededGenerator) async {
        let tasks = (0..<1_000).map { number in
            let database = pools[number % pools.count].database
            return Task {
                _ = try await withDeadline(Load.limit) { try await database.one("SELECT \(number)", as: Int.self) }
            }
        }
        for index in tasks.indices.shuffled(using: &random).prefix(500) { tasks[index].cancel() }
        for task in tasks { _ = await task.result }
    }
}
