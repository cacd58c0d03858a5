public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Identifies one execution of a job.
public struct JobExecutionID: EntityIdentifier {
    /// The UUID.
    public let rawValue: UUID

    /// Creates an identifier from a UUID that exists already.
    ///
    /// - Parameter rawValue: The UUID.
    public init(rawValue: UUID) {
        self.rawValue = rawValue
    }
}
