public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Keeps what systems outside have answered to one workspace, by provider and external identifier.
///
/// Recording is idempotent: the same answers, in whatever order and however often, from however many tasks, leave the
/// latest one.
///
/// Every function also throws what its database throws: `connection`, `timeout`, `cancelled`, `poolExhausted` and so on;
/// and `invalidData` or `tooLarge` for answers that no store can keep (``IntegrationResponse/check(operation:)``).
public protocol IntegrationDataRepository: Sendable {
    /// Records an answer.
    ///
    /// - Parameter response: The answer.
    /// - Returns: What became of it.
    @discardableResult
    func upsert(_ response: IntegrationResponse) async throws(PersistenceError) -> IntegrationUpsert

    /// Records many answers; those about one thing in the order given.
    ///
    /// When it throws, some answers may have been recorded; recording all of them again is safe.
    ///
    /// - Parameter responses: The answers; none is fine.
    /// - Returns: What became of each, in the order given.
    /// - Throws: `PersistenceError` with the code `tooLarge` for more than ``Batch/maximumCount`` answers.
    @discardableResult
    func upsertMany(_ responses: [IntegrationResponse]) async throws(PersistenceError) -> [IntegrationUpsert]

    /// Looks an answer up.
    ///
    /// - Parameters:
    ///   - provider: The system.
    ///   - externalID: What the system calls the thing.
    /// - Returns: The latest answer; `nil` when there is none.
    func record(
        of provider: IntegrationProvider, _ externalID: ExternalID
    ) async throws(PersistenceError) -> IntegrationRecord?

    /// Lists the answers of a system page by page, in the order of the external identifiers' bytes.
    ///
    /// - Parameters:
    ///   - provider: The system.
    ///   - request: The length of the page and where it begins.
    /// - Returns: The page.
    /// - Throws: `PersistenceError` with the code `invalidArgument` when the cursor is of another list.
    func records(
        of provider: IntegrationProvider, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<IntegrationRecord>

    /// Goes through the answers of a system in bounded memory, in the order of the external identifiers' bytes.
    ///
    /// - Parameter provider: The system.
    /// - Returns: The answers; iterating throws `PersistenceError`.
    func stream(of provider: IntegrationProvider) -> ResultStream<IntegrationRecord>

    /// Counts the things that a system has answered about.
    ///
    /// - Parameter provider: The system.
    /// - Returns: How many there are.
    func count(of provider: IntegrationProvider) async throws(PersistenceError) -> Int

    /// Removes an answer.
    ///
    /// - Parameters:
    ///   - provider: The system.
    ///   - externalID: What the system calls the thing.
    /// - Returns: Whether there was one.
    @discardableResult
    func delete(
        _ provider: IntegrationProvider, _ externalID: ExternalID
    ) async throws(PersistenceError) -> Bool

    /// Removes the answers of a system that were last asked for before a point in time.
    ///
    /// - Parameters:
    ///   - provider: The system.
    ///   - date: The point in time.
    /// - Returns: How many were removed.
    @discardableResult
    func deleteAll(
        of provider: IntegrationProvider, fetchedBefore date: Date
    ) async throws(PersistenceError) -> Int
}
