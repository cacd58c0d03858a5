#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Changes to the metadata of an activity; what is `nil` stays as it is.
public struct ActivityMetadataUpdate: Hashable, Sendable {
    /// How far the activity has come now.
    public var status: ActivityStatus?

    /// When it began.
    public var startedAt: Date?

    /// When it ended.
    public var finishedAt: Date?

    /// Why it failed.
    public var failure: ExecutionFailure?

    /// Fields that are put over those of the payload.
    public var payload: Payload

    /// Describes changes.
    ///
    /// - Parameters:
    ///   - status: How far the activity has come now. A status other than `failed` removes the failure.
    ///   - startedAt: When it began.
    ///   - finishedAt: When it ended.
    ///   - failure: Why it failed.
    ///   - payload: Fields that are put over those of the payload, each as a whole.
    public init(
        status: ActivityStatus? = nil, startedAt: Date? = nil, finishedAt: Date? = nil,
        failure: ExecutionFailure? = nil, payload: Payload = [:]
    ) {
        self.status = status
        self.startedAt = startedAt?.inMilliseconds
        self.finishedAt = finishedAt?.inMilliseconds
        self.failure = failure
        self.payload = payload
    }

    /// The metadata with these changes.
    ///
    /// - Parameter metadata: The metadata.
    /// - Returns: The changed metadata, not yet checked.
    public func applied(to metadata: ActivityMetadata) -> ActivityMetadata {
        let removesFailure = status.map { $0 != .failed } ?? false
        return ActivityMetadata(
            activity: metadata.activity, kind: metadata.kind, status: status ?? metadata.status,
            occurredAt: metadata.occurredAt, startedAt: startedAt ?? metadata.startedAt,
            finishedAt: finishedAt ?? metadata.finishedAt,
            failure: failure ?? (removesFailure ? nil : metadata.failure),
            payload: metadata.payload.merging(payload))
    }
}
