#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// The latest answer of a system outside about one of its things, as it is kept.
public struct IntegrationRecord: Hashable, Sendable {
    /// The answer.
    public let response: IntegrationResponse

    /// Grows by one whenever an answer differs from the one before, from 1.
    public let revision: Int64

    /// When the first answer was asked for.
    public let firstFetchedAt: Date

    /// When the answer that is kept was asked for first: since then it has not changed.
    public let changedAt: Date

    /// Creates the value; repositories do.
    ///
    /// - Parameters:
    ///   - response: The answer.
    ///   - revision: How often the answer was another one, from 1.
    ///   - firstFetchedAt: When the first answer was asked for.
    ///   - changedAt: When the answer that is kept was asked for first.
    public init(response: IntegrationResponse, revision: Int64, firstFetchedAt: Date, changedAt: Date) {
        self.response = response
        self.revision = revision
        self.firstFetchedAt = firstFetchedAt
        self.changedAt = changedAt
    }

    /// What the store does with an answer.
    ///
    /// - Parameters:
    ///   - response: The answer.
    ///   - record: What is kept so far.
    /// - Returns: What becomes of it, and the record that is kept then.
    package static func merge(
        _ response: IntegrationResponse, into record: IntegrationRecord?
    ) -> (outcome: IntegrationUpsert, record: IntegrationRecord) {
        guard let record else {
            let new = IntegrationRecord(
                response: response, revision: 1, firstFetchedAt: response.fetchedAt, changedAt: response.fetchedAt)
            return (.inserted, new)
        }
        let kept = record.response
        if response.fetchedAt < kept.fetchedAt { return (.outdated, record) }
        let isSame =
            kept.raw == response.raw && kept.mediaType == response.mediaType && kept.payload == response.payload
        let next = IntegrationRecord(
            response: response, revision: isSame ? record.revision : record.revision + 1,
            firstFetchedAt: record.firstFetchedAt, changedAt: isSame ? record.changedAt : response.fetchedAt)
        return (isSame ? .unchanged : .updated, next)
    }
}

/// What became of an answer.
@nonexhaustive
public enum IntegrationUpsert: String, Hashable, Sendable, CaseIterable {
    /// It is the first one about its thing.
    case inserted
    /// It differs from the one before, and took its place.
    case updated
    /// It is the same as the one before; only the time of asking is newer.
    case unchanged
    /// One that was asked for later is kept already; nothing changed.
    case outdated
}
