public import Logging
public import ServiceLifecycle
import Synchronization

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Checks databases again and again, and tells whether a service should get requests.
///
/// Each database is checked by a task of its own, so that one that hangs delays no other.
///
/// ```swift
/// let monitor = try HealthMonitor(critical: [mainDatabase], optional: [cache])
/// let group = ServiceGroup(services: [mainDatabase, monitor, server], logger: logger)
/// ```
///
/// A service group shuts down in the opposite order: with the monitor behind the databases, the service stops being
/// ready before its databases close.
public final class HealthMonitor: Service {
    private enum Phase {
        case idle
        case running
        case draining
        case stopped
    }

    private struct State {
        var phase = Phase.idle
        var databases: [DatabaseHealth]
        /// When each database's task was last seen at work, on the monitor's clock.
        var heartbeats: [Duration] = []
        var subscribers: [UInt64: AsyncStream<HealthChange>.Continuation] = [:]
        var nextSubscriber: UInt64 = 0
    }

    private let runners: [HealthCheckRunner]
    private let configuration: Configuration
    private let clock: any Clock<Duration>
    private let uptime: @Sendable () -> Duration
    private let logger: Logger?
    private let state: Mutex<State>

    /// Creates a monitor, which checks nothing before ``run()`` or ``checkNow()``.
    ///
    /// - Parameters:
    ///   - critical: The databases that the service cannot work without.
    ///   - optional: The databases that it can do without for a while.
    ///   - configuration: How often databases are checked, and what it takes to change one's status.
    ///   - clock: Measures and waits.
    ///   - logger: Gets changes: at level warning when a database becomes unhealthy, at info when it is healthy again.
    /// - Throws: `configuration` when a duration or threshold is out of its range, or a name is empty or not unique.
    public init(
        critical: [any HealthCheck],
        optional: [any HealthCheck] = [],
        configuration: Configuration = Configuration(),
        clock: any Clock<Duration> = ContinuousClock(),
        logger: Logger? = nil
    ) throws(PersistenceError) {
        let checks = critical + optional
        var faults = ConfigurationFaults(scope: "health")
        configuration.check(&faults)
        var names: Set<String> = []
        for check in checks {
            faults.require(!check.name.isEmpty, key: "checks", "have one without a name")
            faults.require(names.insert(check.name).inserted, key: "checks", "have two named \(check.name)")
        }
        try faults.throwIfAny()

        self.runners = checks.map { HealthCheckRunner(check: $0, timeout: configuration.timeout, clock: clock) }
        self.configuration = configuration
        self.clock = clock
        self.uptime = Self.stopwatch(clock)
        self.logger = logger
        self.state = Mutex(
            State(
                databases: critical.map { DatabaseHealth(name: $0.name, isCritical: true) }
                    + optional.map { DatabaseHealth(name: $0.name, isCritical: false) }
            )
        )
    }

    /// Checks the databases until the task is cancelled or the service group shuts down.
    ///
    /// As soon as shutdown begins, ``readiness`` is `notReady`. At the end every sequence of ``changes(bufferingNewest:)``
    /// ends.
    ///
    /// - Throws: `invalidArgument` when the monitor was run before.
    public func run() async throws {
        try start()
        defer { stop() }
        await withGracefulShutdownHandler {
            await cancelWhenGracefulShutdown { [self] in
                guard !runners.isEmpty else {
                    // A service that returns ends its group.
                    try? await gracefulShutdown()
                    return
                }
                await withDiscardingTaskGroup { group in
                    for index in runners.indices {
                        group.addTask { await self.watch(index) }
                    }
                }
            }
        } onGracefulShutdown: {
            self.state.withLock { state in
                if state.phase == .running { state.phase = .draining }
            }
        }
    }

    /// Checks every database once, all at the same time, apart from the regular checks.
    ///
    /// A database whose regular check is under way at this moment is not checked a second time.
    ///
    /// - Returns: What is then known.
    @discardableResult
    public func checkNow() async -> HealthReport {
        await withDiscardingTaskGroup { group in
            for index in runners.indices {
                group.addTask { await self.perform(index) }
            }
        }
        return report
    }

    /// What is known about every database: critical ones first, in the order they were given.
    public var states: [DatabaseHealth] { state.withLock { $0.databases } }

    /// What is known about one database.
    ///
    /// - Parameter name: The database's name.
    /// - Returns: Its state, or nil when there is none of that name.
    public func state(of name: String) -> DatabaseHealth? {
        states.first { $0.name == name }
    }

    /// Whether the service should get requests.
    public var readiness: Readiness { state.withLock { Self.readiness($0) } }

    /// Whether the process makes progress.
    ///
    /// It has stalled when the task of some database was not seen at work for three times as long as an interval and a
    /// check may take together.
    public var liveness: Liveness {
        let now = uptime()
        return state.withLock { liveness($0, at: now) }
    }

    /// All of it at one moment.
    public var report: HealthReport {
        let now = uptime()
        return state.withLock { state in
            HealthReport(
                readiness: Self.readiness(state),
                liveness: liveness(state, at: now),
                databases: state.databases
            )
        }
    }

    /// The changes of status from now on, until the monitor ends.
    ///
    /// Each caller gets a sequence of its own. A reader that falls behind loses the oldest changes: look at ``states``
    /// for what holds now.
    ///
    /// - Parameter limit: How many changes are kept for a slow reader; less than 1 counts as 1.
    /// - Returns: The changes.
    public func changes(bufferingNewest limit: Int = 16) -> AsyncStream<HealthChange> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: HealthChange.self,
            bufferingPolicy: .bufferingNewest(max(1, limit))
        )
        let id = state.withLock { state -> UInt64? in
            guard state.phase != .stopped else { return nil }
            state.nextSubscriber += 1
            state.subscribers[state.nextSubscriber] = continuation
            return state.nextSubscriber
        }
        guard let id else {
            continuation.finish()
            return stream
        }
        continuation.onTermination = { [weak self] _ in
            // The continuation is let go outside the lock, because its end can run code of the reader's.
            _ = self?.state.withLock { $0.subscribers.removeValue(forKey: id) }
        }
        return stream
    }
}

// MARK: - Running

extension HealthMonitor {
    private func start() throws(PersistenceError) {
        let now = uptime()
        let isFirst = state.withLock { state in
            guard state.phase == .idle else { return false }
            state.phase = .running
            state.heartbeats = Array(repeating: now, count: state.databases.count)
            return true
        }
        guard isFirst else {
            throw PersistenceError(.invalidArgument, "a health monitor can be run only once")
        }
    }

    private func stop() {
        let subscribers = state.withLock { state in
            state.phase = .stopped
            defer { state.subscribers = [:] }
            return state.subscribers
        }
        for subscriber in subscribers.values {
            subscriber.finish()
        }
    }

    private func watch(_ index: Int) async {
        while !Task.isCancelled {
            beat(index)
            await perform(index)
            beat(index)
            // Only a cancelled sleep throws.
            guard (try? await clock.sleep(for: configuration.interval)) != nil else { return }
        }
    }

    private func beat(_ index: Int) {
        let now = uptime()
        state.withLock { $0.heartbeats[index] = now }
    }

    private func perform(_ index: Int) async {
        let failure: PersistenceError?
        let latency: Duration?
        switch await runners[index].run() {
        case .success(let time): (failure, latency) = (nil, time)
        case .failure(let error, let time): (failure, latency) = (error, time)
        case .alreadyUnderWay, .cancelled: return
        }
        let date = Date()
        let change = state.withLock { state -> HealthChange? in
            let change = state.databases[index].record(
                failure: failure,
                latency: latency,
                at: date,
                configuration
            )
            guard let change else { return nil }
            // Inside the lock, so that every reader gets the changes in the order they happened.
            for subscriber in state.subscribers.values {
                subscriber.yield(change)
            }
            return change
        }
        if let change { log(change) }
    }

    private func log(_ change: HealthChange) {
        let database = change.database
        let metadata: Logger.Metadata = ["database": "\(database.name)", "critical": "\(database.isCritical)"]
        switch database.status {
        case .unhealthy:
            let reason = database.lastError.map { "\($0)" } ?? "no reason"
            logger?.warning("database is unhealthy: \(reason)", metadata: metadata)
        case .healthy, .unknown:
            logger?.info("database is \(database.status)", metadata: metadata)
        }
    }
}

// MARK: - Summing up

extension HealthMonitor {
    private static func readiness(_ state: borrowing State) -> Readiness {
        if state.phase == .draining || state.phase == .stopped { return .notReady }
        var readiness = Readiness.ready
        for database in state.databases where database.status != .healthy {
            if database.isCritical { return .notReady }
            readiness = .degraded
        }
        return readiness
    }

    private func liveness(_ state: borrowing State, at now: Duration) -> Liveness {
        switch state.phase {
        case .idle: return .notStarted
        case .stopped: return .stopped
        case .running, .draining: break
        }
        let patience = (configuration.interval + configuration.timeout) * 3
        return state.heartbeats.contains { now - $0 > patience } ? .stalled : .alive
    }

    private static func stopwatch<C: Clock<Duration>>(_ clock: C) -> @Sendable () -> Duration {
        let start = clock.now
        return { start.duration(to: clock.now) }
    }
}
