public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Keeps the metadata of the activities of one job, which nobody who has another job's repository sees or changes.
///
/// Every function also throws what its database throws: `connection`, `timeout`, `cancelled`, `poolExhausted` and so on;
/// and `invalidData` or `tooLarge` for values that contradict themselves or that no store can keep
/// (``ActivityMetadata/check(operation:)``).
///
/// ```swift
/// try await metadata.insert(ActivityMetadata(activity: activity, payload: ["model": "m-1", "tokens": 812]))
/// for try await item in metadata.stream(matching: .status(.failed), sortedBy: .newestFirst) { … }
/// ```
public protocol ActivityMetadataRepository: ExecutionReports, Sendable {
    /// Records an activity.
    ///
    /// - Parameter metadata: What is known about it.
    /// - Throws: `PersistenceError` with the code `uniqueViolation` and the constraint ``DomainConstraint/activityID`` when
    ///   the activity has been recorded before.
    func insert(_ metadata: ActivityMetadata) async throws(PersistenceError)

    /// Records those of many activities that have not been recorded before, in one round trip.
    ///
    /// Doing it again after a lost answer records nothing twice.
    ///
    /// - Parameter metadata: What is known about them; none is fine. Of several about one activity the first counts.
    /// - Returns: The activities that were recorded, in the order given.
    /// - Throws: `PersistenceError` with the code `tooLarge` for more than ``Batch/maximumCount`` activities.
    @discardableResult
    func insertManyIfAbsent(_ metadata: [ActivityMetadata]) async throws(PersistenceError) -> [ActivityID]

    /// Changes the metadata of an activity; several who change it at once all get their changes in.
    ///
    /// - Parameters:
    ///   - activity: The activity.
    ///   - changes: What to change.
    /// - Returns: The metadata with the changes.
    /// - Throws: `PersistenceError` with the code `notFound` when the activity has not been recorded.
    @discardableResult
    func update(
        _ activity: ActivityID, with changes: ActivityMetadataUpdate
    ) async throws(PersistenceError) -> ActivityMetadata

    /// Looks an activity up.
    ///
    /// - Parameter activity: The activity.
    /// - Returns: Its metadata; `nil` when it has not been recorded.
    func metadata(of activity: ActivityID) async throws(PersistenceError) -> ActivityMetadata?

    /// Looks many activities up in one round trip.
    ///
    /// - Parameter activities: The activities; repeated ones count once.
    /// - Returns: The metadata of those that were recorded, by activity.
    /// - Throws: `PersistenceError` with the code `tooLarge` for more than ``Batch/maximumCount`` activities.
    func metadata(
        of activities: [ActivityID]
    ) async throws(PersistenceError) -> [ActivityID: ActivityMetadata]

    /// Lists activities page by page, at the same cost for every page.
    ///
    /// - Parameters:
    ///   - filter: Which activities; the same for every page.
    ///   - order: The order.
    ///   - request: The length of the page and where it begins.
    /// - Returns: The page.
    /// - Throws: `PersistenceError` with the code `invalidArgument` when the cursor is of another list, or a path of the
    ///   filter cannot be looked for.
    func metadata(
        matching filter: ActivityFilter, sortedBy order: ChronologicalOrder, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<ActivityMetadata>

    /// Goes through activities in bounded memory.
    ///
    /// - Parameters:
    ///   - filter: Which activities.
    ///   - order: The order.
    /// - Returns: The activities; iterating throws `PersistenceError`, with the code `invalidArgument` when a path of the
    ///   filter cannot be looked for.
    func stream(
        matching filter: ActivityFilter, sortedBy order: ChronologicalOrder
    ) -> ResultStream<ActivityMetadata>

    /// Counts activities.
    ///
    /// - Parameter filter: Which activities.
    /// - Returns: How many there are.
    /// - Throws: `PersistenceError` with the code `invalidArgument` when a path of the filter cannot be looked for.
    func count(matching filter: ActivityFilter) async throws(PersistenceError) -> Int

    /// Removes the metadata of an activity.
    ///
    /// - Parameter activity: The activity.
    /// - Returns: Whether there was any.
    @discardableResult
    func delete(_ activity: ActivityID) async throws(PersistenceError) -> Bool

    /// Removes the metadata of activities that happened before a point in time.
    ///
    /// - Parameter date: The point in time.
    /// - Returns: How many were removed.
    @discardableResult
    func deleteAll(before date: Date) async throws(PersistenceError) -> Int
}
