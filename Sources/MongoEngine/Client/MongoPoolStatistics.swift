/// What a database's pool of clients has done and is doing, at one moment.
public struct MongoPoolStatistics: Sendable, Hashable {
    /// The largest number of clients.
    public var maximum = 0
    /// Clients in use: by an operation, a cursor, a session or a change stream.
    public var acquired = 0
    /// Callers that wait for a client.
    public var waiters = 0
    /// Threads that run calls of the driver, or wait to run more.
    public var threads = 0
    /// Connections to servers that are open, without those that watch the servers.
    public var connections = 0

    // MARK: Callers, ever since

    /// How often a client was given to a caller.
    public var acquires: Int64 = 0
    /// How many of ``acquires`` had to wait.
    public var emptyAcquires: Int64 = 0
    /// The sum of the times that those waited.
    public var emptyAcquireWait: Duration = .zero
    /// How many callers were cancelled before they got a client.
    public var cancelledAcquires: Int64 = 0
    /// How many callers gave up because the acquire timeout or their deadline had passed.
    public var timedOutAcquires: Int64 = 0
    /// How many callers were refused at once because too many waited.
    public var refusedAcquires: Int64 = 0

    // MARK: Operations, ever since

    /// How many operations were left by their callers while they ran, because the task was cancelled or the deadline
    /// had passed.
    public var interruptedOperations: Int64 = 0
    /// How many operations the driver did again, because a server had failed them or was lost.
    public var retriedOperations: Int64 = 0
    /// How many connections were closed because such an operation did not end in time.
    public var interruptedConnections: Int64 = 0
    /// How many connections were opened.
    public var newConnections: Int64 = 0

    /// Creates statistics in which nothing has happened.
    public init() {}
}
