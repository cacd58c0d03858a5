public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// What is known about one activity of a job: how far it came, how long it took, and a payload of any shape.
///
/// Times are kept to the millisecond: they are rounded when the value is made.
public struct ActivityMetadata: Identifiable, Hashable, Sendable, Codable {
    /// The activity; each has one metadata at most.
    public let activity: ActivityID

    /// The activity, by which the metadata is identified.
    public var id: ActivityID { activity }

    /// What kind of activity it is.
    public let kind: Label?

    /// How far it has come.
    public let status: ActivityStatus

    /// When it happened, by the client's clock; lists are sorted by it.
    public let occurredAt: Date

    /// When it began.
    public let startedAt: Date?

    /// When it ended.
    public let finishedAt: Date?

    /// Why it failed.
    public let failure: ExecutionFailure?

    /// Whatever else is known.
    public let payload: Payload

    /// Describes an activity.
    ///
    /// - Parameters:
    ///   - activity: The activity.
    ///   - kind: What kind of activity it is.
    ///   - status: How far it has come.
    ///   - occurredAt: When it happened; now unless given.
    ///   - startedAt: When it began.
    ///   - finishedAt: When it ended; not before it began.
    ///   - failure: Why it failed; only for an activity that did.
    ///   - payload: Whatever else is known.
    public init(
        activity: ActivityID = ActivityID(), kind: Label? = nil, status: ActivityStatus = .pending,
        occurredAt: Date = Date(), startedAt: Date? = nil, finishedAt: Date? = nil, failure: ExecutionFailure? = nil,
        payload: Payload = [:]
    ) {
        self.activity = activity
        self.kind = kind
        self.status = status
        self.occurredAt = occurredAt.inMilliseconds
        self.startedAt = startedAt?.inMilliseconds
        self.finishedAt = finishedAt?.inMilliseconds
        self.failure = failure
        self.payload = payload
    }

    /// How long it took; `nil` unless it began and ended.
    public var duration: Duration? {
        guard let startedAt, let finishedAt, startedAt.isStorable, finishedAt.isStorable else { return nil }
        return .milliseconds(finishedAt.milliseconds - startedAt.milliseconds)
    }

    /// When it ended; `nil` while it has not.
    ///
    /// Reports go by this time. For an activity that ended without saying when, it is the time it happened.
    public var endedAt: Date? {
        status.outcome == nil ? nil : finishedAt ?? occurredAt
    }

    /// Refuses metadata that contradicts itself or that no store can keep; every repository does.
    ///
    /// - Parameter operation: The name of the operation, for the error.
    /// - Throws: `PersistenceError` with the code `invalidData`, or as ``Payload/check(operation:)``.
    public func check(operation: String? = nil) throws(PersistenceError) {
        try ExecutionTimes(startedAt: startedAt, finishedAt: finishedAt, others: [occurredAt]).check(operation)
        guard failure == nil || status == .failed else {
            throw PersistenceError(
                .invalidData, "only an activity that failed has a failure", operation: operation)
        }
        try payload.check(operation: operation)
    }
}

extension ActivityMetadata {
    private enum CodingKeys: String, CodingKey {
        case activity, kind, status, occurredAt, startedAt, finishedAt, failure, payload
    }

    /// Reads metadata; only the activity, the status and the time are required.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            activity: try container.decode(ActivityID.self, forKey: .activity),
            kind: try container.decodeIfPresent(Label.self, forKey: .kind),
            status: try container.decode(ActivityStatus.self, forKey: .status),
            occurredAt: try container.decode(Date.self, forKey: .occurredAt),
            startedAt: try container.decodeIfPresent(Date.self, forKey: .startedAt),
            finishedAt: try container.decodeIfPresent(Date.self, forKey: .finishedAt),
            failure: try container.decodeIfPresent(ExecutionFailure.self, forKey: .failure),
            payload: try container.decodeIfPresent(Payload.self, forKey: .payload) ?? [:])
    }
}
