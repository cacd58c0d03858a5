/// Gets every operation of every engine, as it begins and as it ends.
///
/// The methods are called in place, on the path of the operation: they must be quick, and must not block or wait. Events
/// of concurrent operations come from many threads at once; ``OperationStart/id`` tells which belong together.
public protocol InstrumentationObserver: Sendable {
    /// An operation begins.
    ///
    /// - Parameter event: The operation.
    func operationDidStart(_ event: OperationStart)

    /// An operation has ended.
    ///
    /// - Parameter event: The operation with its outcome.
    func operationDidEnd(_ event: OperationEnd)
}

extension InstrumentationObserver {
    /// Does nothing, for observers of outcomes alone.
    public func operationDidStart(_ event: OperationStart) {}
}

/// An operation that begins.
public struct OperationStart: Sendable {
    /// A number that no other operation of the same ``Instrumentation`` has.
    public let id: UInt64
    /// What is done.
    public let operation: DatabaseOperation
}

/// An operation that has ended.
public struct OperationEnd: Sendable {
    /// The number of the operation's ``OperationStart``.
    public let id: UInt64
    /// What was done.
    public let operation: DatabaseOperation
    /// How long it took.
    public let duration: Duration
    /// How many rows or documents came back or were changed, when known.
    public let rows: Int?
    /// Why it failed, or nil when it did not.
    public let error: PersistenceError?
}
