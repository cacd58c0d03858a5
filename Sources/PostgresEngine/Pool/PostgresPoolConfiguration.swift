#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// How a pool of connections behaves.
///
/// Every service has a pool of its own. The sum of ``maximum`` and ``overflow`` over all instances of all services must
/// stay below the server's `max_connections`.
public struct PostgresPoolConfiguration: Sendable, Hashable {
    /// How many connections are kept open even when nobody uses them, once the pool's maintenance runs.
    ///
    /// 0 by default.
    public var minimum: Int = 0

    /// How many connections are kept at most.
    ///
    /// By default the number of cores, but at least 4.
    public var maximum: Int = Self.defaultMaximum

    /// How many connections more than ``maximum`` may be open while callers need them.
    ///
    /// 0 by default.
    ///
    /// Such a connection is closed when it comes back and nobody waits for it.
    public var overflow: Int = 0

    /// How long a caller waits for a connection before it gets an error with the code `timeout`.
    ///
    /// 30 s by default.
    public var acquireTimeout: Duration = .seconds(30)

    /// How many callers may wait at the same time; one more is refused at once with `poolExhausted`.
    ///
    /// 10,000 by default.
    ///
    /// Callers for whom there is still room to open a connection don't count.
    public var maximumWaiters: Int = 10_000

    /// After which time a connection is replaced, so that servers behind a balancer share the load anew.
    ///
    /// 1 h by default.
    ///
    /// A connection in use is closed when it comes back.
    public var maximumLifetime: Duration = .seconds(3600)

    /// How much longer than ``maximumLifetime`` a connection may live, by chance.
    ///
    /// 6 min by default.
    ///
    /// It keeps connections that were opened together from being closed together.
    public var lifetimeJitter: Duration = .seconds(360)

    /// After which time without use a connection is closed, unless the pool would fall below ``minimum``.
    ///
    /// 30 min by default.
    public var idleTimeout: Duration = .seconds(1800)

    /// From which time without use on a connection is tested before it is lent.
    ///
    /// 1 s by default.
    ///
    /// 0 tests always.
    public var livenessTestAge: Duration = .seconds(1)

    /// How long a liveness test or a reset may take before the connection counts as dead.
    ///
    /// 5 s by default.
    public var livenessTestTimeout: Duration = .seconds(5)

    /// How often idle connections are tested, and those that are too old are closed.
    ///
    /// 1 min by default.
    public var healthCheckInterval: Duration = .seconds(60)

    /// How many connections are opened at the same time.
    ///
    /// 4 by default.
    ///
    /// After a failure it is one, until one succeeds.
    public var maximumConcurrentConnects: Int = 4

    /// How long the pool waits after the first failure to connect.
    ///
    /// 100 ms by default.
    ///
    /// The wait doubles with every failure in a row, up to ``connectRetryDelayLimit``, and varies by chance between half
    /// of that and the whole.
    public var connectRetryDelay: Duration = .milliseconds(100)

    /// The longest wait between two attempts to connect.
    ///
    /// 10 s by default.
    public var connectRetryDelayLimit: Duration = .seconds(10)

    /// Creates a configuration with the defaults.
    public init() {}

    /// Creates a configuration with other sizes than the defaults.
    ///
    /// - Parameters:
    ///   - minimum: How many connections are kept open even when nobody uses them.
    ///   - maximum: How many connections are kept at most.
    ///   - overflow: How many connections more than `maximum` may be open while callers need them.
    public init(minimum: Int = 0, maximum: Int, overflow: Int = 0) {
        self.minimum = minimum
        self.maximum = maximum
        self.overflow = overflow
    }

    /// The number of cores, but at least 4.
    public static var defaultMaximum: Int {
        max(4, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    }
}
