import PersistenceCore

/// The rules of a pool, without clocks, tasks and locks.
///
/// Time comes in with every call. What has to be done goes out in ``Effects``, to be done after the lock is released.
///
/// The invariant behind the short paths: as long as anybody waits, no connection is idle.
struct PoolStateMachine<Connection: PoolableConnection, Waiter: Sendable>: Sendable {
    typealias Grant = PoolGrant<Connection>
    typealias Outcome = Result<Grant, PersistenceError>

    enum Phase: Sendable {
        case running
        /// Nobody gets a connection any more; lent ones may come back.
        case draining
        case closed
    }

    enum SlotState: UInt8, Sendable {
        case free
        case opening
        case idle
        /// With a caller that tests it before use.
        case checking
        case lent
        case resetting
        /// In a background liveness test.
        case testing
    }

    struct Slot: Sendable {
        var connection: Connection?
        var generation: UInt32 = 0
        var state = SlotState.free
        /// For a connection being opened: how many failures there had been when that began.
        var failuresBefore: UInt64 = 0
        var expiresAt = PoolInstant.distantFuture
        /// When it was last given back.
        var idleSince = PoolInstant(nanoseconds: 0)
        /// When it last showed a sign of life.
        var verifiedAt = PoolInstant(nanoseconds: 0)
        var lentAt = PoolInstant(nanoseconds: 0)
    }

    enum CloseReason: Sendable {
        case lifetime
        case idle
        case overflow
        case discarded
        case failedTest
        case failedReset
        case refusedByHook
        case shutdown
    }

    /// How many connections and callers there are, as metrics tell it.
    struct Counts: Sendable {
        var idle: Int
        var used: Int
        var waiters: Int
    }

    /// What the driver must do after it has released the lock.
    struct Effects: Sendable {
        struct Timer: Sendable {
            var at: PoolInstant
            var generation: UInt64
        }

        var open: [PoolConnectionID] = []
        var close: [Connection] = []
        var resume: [(waiter: Waiter, outcome: Outcome)] = []
        /// Replaces the timer that was set before.
        var timer: Timer?
        /// All that is being opened is to be cancelled.
        var cancelsOpening = false
        /// Nothing is open any more.
        var isDrained = false
        var timeouts = 0
    }

    let limits: PoolLimits
    var phase = Phase.running
    var random: PoolRandom

    var slots: [Slot] = []
    var freeSlots: [Int32] = []
    /// The idle connections' places, ordered by the time they came back: the warmest is last, and lent first.
    var idle: [Int32] = []
    var waiters = PoolWaiterQueue<Waiter, Outcome>()

    /// Connections open or being opened.
    var total = 0
    // How many slots are in each state; `idle` counts itself.
    var openingCount = 0
    var checkingCount = 0
    var lentCount = 0
    var resettingCount = 0
    var testingCount = 0
    /// Callers that test a connection before use.
    ///
    /// They outlast the connection when it is closed under them.
    var checkingCallers = 0

    /// Whether the minimum is kept and connections are tested in the background.
    var isMaintained = false

    // Failing connects.
    var consecutiveFailures = 0
    var retryAt = PoolInstant(nanoseconds: .min)
    var failureCount: UInt64 = 0
    var lastConnectError: PersistenceError?

    // The one timer: the earliest of deadlines of waiters, the next attempt to connect, and the next tick.
    var timerGeneration: UInt64 = 0
    var timerAt: PoolInstant?

    /// The time that the short paths live by: refreshed by every longer path, and by a tick while the pool is busy.
    var time = PoolInstant(nanoseconds: .min)
    var isTicking = false
    var nextTickAt = PoolInstant.distantFuture
    var acquiresAtLastTick: Int64 = -1

    var countsReportedAt = PoolInstant(nanoseconds: .min)
    var counters = PostgresPoolStatistics()
    /// Connections that were closed while they were lent, until they are given back.
    var cutOffConnections: [Connection] = []
    /// How many connections a shutdown closed while they were in use.
    var cutOff = 0
    var acquireNanoseconds: Int64 = 0
    var emptyWaitNanoseconds: Int64 = 0

    init(limits: PoolLimits, seed: UInt64) {
        self.limits = limits
        self.random = PoolRandom(seed: seed)
    }

    /// Connections that are open.
    var established: Int { total - openingCount }

    /// Takes note of the time; it never runs backwards.
    @inline(__always)
    mutating func touch(_ now: PoolInstant) {
        if now > time { time = now }
    }
}

/// The configuration in the units that the state machine counts in.
struct PoolLimits: Sendable {
    var minimum: Int
    var maximum: Int
    var overflow: Int
    var maximumWaiters: Int
    var maximumConcurrentConnects: Int
    var acquireTimeout: Int64
    var lifetime: Int64
    var lifetimeJitter: Int64
    var idleTimeout: Int64
    var livenessTestAge: Int64
    var retryDelay: Int64
    var retryDelayLimit: Int64
    /// Every connection is checked before it is lent, because there is a hook to ask.
    var checksAlways: Bool
    /// Every connection goes through the reset when it comes back, because there is a hook to ask.
    var resetsAlways: Bool
    /// How often the time of the short paths is refreshed; nil when every caller brings the exact time.
    var tickInterval: Int64?

    init(
        _ configuration: PostgresPoolConfiguration,
        checksAlways: Bool = false,
        resetsAlways: Bool = false,
        readsTimeCheaply: Bool = true
    ) {
        minimum = configuration.minimum
        maximum = configuration.maximum
        overflow = configuration.overflow
        maximumWaiters = configuration.maximumWaiters
        maximumConcurrentConnects = configuration.maximumConcurrentConnects
        acquireTimeout = configuration.acquireTimeout.saturatedNanoseconds
        lifetime = configuration.maximumLifetime.saturatedNanoseconds
        lifetimeJitter = configuration.lifetimeJitter.saturatedNanoseconds
        idleTimeout = configuration.idleTimeout.saturatedNanoseconds
        livenessTestAge = configuration.livenessTestAge.saturatedNanoseconds
        retryDelay = configuration.connectRetryDelay.saturatedNanoseconds
        retryDelayLimit = configuration.connectRetryDelayLimit.saturatedNanoseconds
        self.checksAlways = checksAlways
        self.resetsAlways = resetsAlways
        // Four times in the age that has to be told apart, but not so often that ticking is work.
        let tick = min(configuration.livenessTestAge.saturatedNanoseconds / 4, 250_000_000)
        tickInterval = readsTimeCheaply || tick < 10_000_000 ? nil : tick
    }
}
