public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// One line of the log of an execution.
///
/// It never changes; it may expire.
///
/// Times are kept to the millisecond: they are rounded when the value is made.
public struct JobEvent: Identifiable, Hashable, Sendable, Codable {
    /// The event's identifier; appending the same one twice is refused.
    public let id: JobEventID

    /// The execution whose log it is in.
    public let execution: JobExecutionID

    /// What kind of event it is.
    public let kind: Label

    /// When it happened, by the client's clock.
    public let occurredAt: Date

    /// From when on nobody sees it any more; `nil` for an event that is kept until its execution is removed.
    public let expiresAt: Date?

    /// Whatever else is known.
    public let payload: Payload

    /// Describes an event.
    ///
    /// - Parameters:
    ///   - id: The identifier; a new one unless given.
    ///   - execution: The execution whose log it is in.
    ///   - kind: What kind of event it is.
    ///   - occurredAt: When it happened; now unless given.
    ///   - expiresAt: From when on nobody sees it any more; the store removes it some time later.
    ///   - payload: Whatever else is known.
    public init(
        id: JobEventID = JobEventID(), execution: JobExecutionID, kind: Label, occurredAt: Date = Date(),
        expiresAt: Date? = nil, payload: Payload = [:]
    ) {
        self.id = id
        self.execution = execution
        self.kind = kind
        self.occurredAt = occurredAt.inMilliseconds
        self.expiresAt = expiresAt?.inMilliseconds
        self.payload = payload
    }

    /// Refuses an event that no store can keep; every repository does.
    ///
    /// - Parameter operation: The name of the operation, for the error.
    /// - Throws: `PersistenceError` with the code `invalidData`, or as ``Payload/check(operation:)``.
    public func check(operation: String? = nil) throws(PersistenceError) {
        try ExecutionTimes(startedAt: nil, finishedAt: expiresAt, others: [occurredAt]).check(operation)
        try payload.check(operation: operation)
    }
}
