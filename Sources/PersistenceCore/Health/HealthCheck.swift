/// Finds out whether a database can be used.
///
/// The engines' databases conform, so that they can be given to a ``HealthMonitor`` as they are.
public protocol HealthCheck: Sendable {
    /// The database's name in reports, unique in a monitor.
    var name: String { get }

    /// Uses the database in the cheapest way that proves something, such as `SELECT 1` on a connection of the pool.
    ///
    /// It runs in a scope of ``withDeadline(_:_:)-(Duration,_)`` with the monitor's timeout, and should end when it is
    /// cancelled. One that does not end holds up no other.
    ///
    /// - Throws: Any error when the database cannot be used.
    func check() async throws
}

/// A health check made of a closure.
public struct ClosureHealthCheck: HealthCheck {
    /// The name in reports.
    public let name: String
    private let body: @Sendable () async throws -> Void

    /// Makes a check of a closure.
    ///
    /// - Parameters:
    ///   - name: The name in reports.
    ///   - body: Throws when the database cannot be used.
    public init(_ name: String, _ body: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.body = body
    }

    /// Runs the closure.
    ///
    /// - Throws: What the closure throws.
    public func check() async throws {
        try await body()
    }
}
