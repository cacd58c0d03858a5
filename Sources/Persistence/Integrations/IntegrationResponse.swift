public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// What a system outside has answered about one of its things.
public struct IntegrationResponse: Hashable, Sendable, CustomStringConvertible {
    /// How many bytes the raw answer may have; with the payload it must fit a document of 16 MiB.
    public static let maximumRawSize = 7 * 1024 * 1024

    /// The system.
    public let provider: IntegrationProvider

    /// What the system calls the thing.
    public let externalID: ExternalID

    /// The answer as it came, byte by byte.
    public let raw: [UInt8]

    /// The media type of the answer, such as `application/json`.
    public let mediaType: String

    /// What was read from the answer.
    public let payload: Payload

    /// When it was asked, to the millisecond; of two answers the later one counts.
    public let fetchedAt: Date

    /// Describes an answer.
    ///
    /// - Parameters:
    ///   - provider: The system.
    ///   - externalID: What the system calls the thing.
    ///   - raw: The answer as it came.
    ///   - mediaType: The media type of the answer.
    ///   - payload: What was read from the answer.
    ///   - fetchedAt: When it was asked; now unless given.
    public init(
        provider: IntegrationProvider, externalID: ExternalID, raw: [UInt8], mediaType: String = "application/json",
        payload: Payload = [:], fetchedAt: Date = Date()
    ) {
        self.provider = provider
        self.externalID = externalID
        self.raw = raw
        self.mediaType = mediaType
        self.payload = payload
        self.fetchedAt = fetchedAt.inMilliseconds
    }

    /// Describes an answer in JSON, and reads its payload.
    ///
    /// - Parameters:
    ///   - provider: The system.
    ///   - externalID: What the system calls the thing.
    ///   - json: The answer: one JSON object.
    ///   - fetchedAt: When it was asked; now unless given.
    /// - Throws: `PersistenceError` with the code `invalidData` when the answer is not one JSON object.
    public init(
        provider: IntegrationProvider, externalID: ExternalID, json: [UInt8], fetchedAt: Date = Date()
    ) throws(PersistenceError) {
        self.init(
            provider: provider, externalID: externalID, raw: json, payload: try Payload(json: json),
            fetchedAt: fetchedAt)
    }

    /// Refuses an answer that no store can keep; every repository does.
    ///
    /// - Parameter operation: The name of the operation, for the error.
    /// - Throws: `PersistenceError` with the code `tooLarge` when the raw answer has more than ``maximumRawSize`` bytes,
    ///   `invalidData` when the media type is empty or longer than 255 bytes or a date cannot be kept; or as
    ///   ``Payload/check(operation:)``.
    public func check(operation: String? = nil) throws(PersistenceError) {
        guard raw.count <= Self.maximumRawSize else {
            throw PersistenceError(
                .tooLarge, "the raw answer has more than \(Self.maximumRawSize) bytes", operation: operation)
        }
        guard (1...255).contains(mediaType.utf8.count) else {
            throw PersistenceError(.invalidData, "the media type has not 1 to 255 bytes", operation: operation)
        }
        try ExecutionTimes(startedAt: nil, finishedAt: nil, others: [fetchedAt]).check(operation)
        try payload.check(operation: operation)
    }

    /// Provider and size, and nothing of the answer.
    public var description: String { "answer of \(provider), \(raw.count) bytes" }
}
