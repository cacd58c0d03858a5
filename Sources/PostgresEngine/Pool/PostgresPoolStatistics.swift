/// The state of a pool and what it has done since it was created, taken at one moment.
///
/// The numbers add up, at every moment:
///
/// - Connections: ``total`` = ``constructing`` + ``idle`` + ``acquired`` + ``inMaintenance``.
/// - Their lives: ``newConnections`` = (``total`` − ``constructing``) + ``closedConnections``.
/// - Callers: ``requests`` = ``acquires`` + ``cancelledAcquires`` + ``timedOutAcquires`` + ``refusedAcquires`` +
///   ``failedAcquires`` + ``waiters``.
public struct PostgresPoolStatistics: Sendable, Hashable {
    // MARK: Now

    /// The configured maximum.
    public var maximum = 0
    /// The configured minimum.
    public var minimum = 0
    /// Connections open or being opened.
    public var total = 0
    /// Connections being opened.
    public var constructing = 0
    /// Connections that wait to be used.
    public var idle = 0
    /// Connections that callers use.
    public var acquired = 0
    /// Connections that are being reset or tested, so that nobody uses them.
    public var inMaintenance = 0
    /// Callers that wait for a connection, or for the test of theirs.
    public var waiters = 0

    /// Connections beyond the configured maximum.
    public var overflow: Int { max(0, total - maximum) }

    // MARK: Callers, ever since

    /// How often a connection was asked for.
    public var requests: Int64 = 0
    /// How often a connection was given to a caller.
    public var acquires: Int64 = 0
    /// The sum of all times from asking to getting; an idle connection that needs no test counts as no time.
    public var acquireDuration: Duration = .zero
    /// How many of ``acquires`` found no idle connection, and had to wait for one to come back or to be opened.
    public var emptyAcquires: Int64 = 0
    /// The sum of the times that those waited.
    public var emptyAcquireWait: Duration = .zero
    /// How many callers were cancelled before they got a connection.
    public var cancelledAcquires: Int64 = 0
    /// How many callers gave up because the acquire timeout or their deadline had passed.
    public var timedOutAcquires: Int64 = 0
    /// How many callers were refused at once because too many waited.
    public var refusedAcquires: Int64 = 0
    /// How many callers got another error: connections cannot be opened, or the pool is closed.
    public var failedAcquires: Int64 = 0

    // MARK: Connections, ever since

    /// How many connections were opened.
    public var newConnections: Int64 = 0
    /// How many attempts to open a connection failed.
    public var failedConnects: Int64 = 0
    /// How many connections were closed because they had reached their lifetime.
    public var maximumLifetimeCloses: Int64 = 0
    /// How many connections were closed because nobody had used them for long.
    public var idleCloses: Int64 = 0
    /// How many connections were closed because they were beyond the maximum and no longer needed.
    public var overflowCloses: Int64 = 0
    /// How many connections were closed because they came back broken, or were found dead without a test.
    public var discards: Int64 = 0
    /// How many connections were closed because a liveness test failed.
    public var failedLivenessTests: Int64 = 0
    /// How many connections were closed because their reset failed.
    public var failedResets: Int64 = 0
    /// How many connections were closed because a hook refused them.
    public var hookRefusals: Int64 = 0
    /// How many connections were closed because the pool was.
    public var shutdownCloses: Int64 = 0
    /// How many connections were reset with success.
    public var resets: Int64 = 0
    /// How many liveness tests were made, before use or in the background.
    public var livenessTests: Int64 = 0

    /// How many connections were closed, for whatever reason.
    public var closedConnections: Int64 {
        maximumLifetimeCloses + idleCloses + overflowCloses + discards + failedLivenessTests + failedResets
            + hookRefusals + shutdownCloses
    }

    /// Creates statistics in which nothing has happened.
    public init() {}
}
