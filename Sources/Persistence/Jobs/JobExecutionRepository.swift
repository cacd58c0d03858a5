public import PersistenceCore

#if canImport(FoundationEssentials)
    public import FoundationEssentials
#else
    public import Foundation
#endif

/// Keeps the executions of one job and their logs, which nobody who has another job's repository sees or changes.
///
/// An execution goes from state to state by ``JobTransition``. Whoever makes a step names the version that it is based on:
/// of several who try at once one succeeds, and a worker whose execution was given to another is refused with
/// `staleVersion` at its next life sign.
///
/// Every function also throws what its database throws: `connection`, `timeout`, `cancelled`, `poolExhausted` and so on;
/// and `invalidData` or `tooLarge` for payloads that no store can keep (``Payload/check(operation:)``).
public protocol JobExecutionRepository: ExecutionReports, Sendable {
    // MARK: Executions

    /// Queues an execution.
    ///
    /// - Parameter execution: The execution.
    /// - Returns: The execution with version 1.
    /// - Throws: `PersistenceError` with the code `uniqueViolation` and the constraint ``DomainConstraint/jobExecutionID``
    ///   when the identifier has been used.
    @discardableResult
    func create(_ execution: NewJobExecution) async throws(PersistenceError) -> JobExecution

    /// Looks an execution up.
    ///
    /// - Parameter id: The execution's identifier.
    /// - Returns: The execution; `nil` when there is none.
    func execution(id: JobExecutionID) async throws(PersistenceError) -> JobExecution?

    /// Takes an execution from state to state.
    ///
    /// - Parameters:
    ///   - id: The execution's identifier.
    ///   - transition: The step.
    ///   - version: The version that the caller has read.
    /// - Returns: The execution with the next version.
    /// - Throws: `PersistenceError` with the code `notFound` when there is no such execution, `staleVersion` when it has
    ///   another version, `checkViolation` with the constraint ``DomainConstraint/jobExecutionState`` when the step does
    ///   not begin in its state.
    @discardableResult
    func advance(
        _ id: JobExecutionID, by transition: JobTransition, expecting version: Int64
    ) async throws(PersistenceError) -> JobExecution

    /// Starts the execution that has been queued the longest. Of several workers who ask at once each gets another.
    ///
    /// - Parameter worker: The worker's name.
    /// - Returns: The running execution; `nil` when none is queued.
    func startNext(worker: Label) async throws(PersistenceError) -> JobExecution?

    /// Records that the worker of a running execution is alive.
    ///
    /// - Parameters:
    ///   - id: The execution's identifier.
    ///   - version: The version that the worker got when it started.
    /// - Throws: `PersistenceError` with the code `notFound` when there is no such execution, `staleVersion` when it has
    ///   another version, `checkViolation` with the constraint ``DomainConstraint/jobExecutionState`` when it does not run.
    func heartbeat(_ id: JobExecutionID, expecting version: Int64) async throws(PersistenceError)

    /// Changes the runtime context. The version stays.
    ///
    /// - Parameters:
    ///   - id: The execution's identifier.
    ///   - fields: Fields that are put over those of the context, each as a whole.
    ///   - names: Fields that are removed first.
    ///   - version: The version that the caller has read.
    /// - Returns: The execution with the changed context.
    /// - Throws: `PersistenceError` with the code `notFound` when there is no such execution, `staleVersion` when it has
    ///   another version.
    @discardableResult
    func updateContext(
        of id: JobExecutionID, setting fields: Payload, removing names: [String], expecting version: Int64
    ) async throws(PersistenceError) -> JobExecution

    /// Queues executions again whose workers have given no life sign since a point in time.
    ///
    /// Of several who do so at once each takes other executions. A worker that gives its sign in the same moment keeps its
    /// execution.
    ///
    /// - Parameters:
    ///   - date: The point in time.
    ///   - limit: How many at most; from 1 to ``Batch/maximumCount``.
    /// - Returns: The executions with their next version.
    /// - Throws: `PersistenceError` with the code `invalidArgument` when the limit is out of range.
    func requeueStale(
        heartbeatBefore date: Date, limit: Int
    ) async throws(PersistenceError) -> [JobExecution]

    /// Lists executions page by page, at the same cost for every page, by when they were queued first.
    ///
    /// - Parameters:
    ///   - filter: Which executions; the same for every page.
    ///   - order: The order.
    ///   - request: The length of the page and where it begins.
    /// - Returns: The page.
    /// - Throws: `PersistenceError` with the code `invalidArgument` when the cursor is of another list.
    func executions(
        matching filter: JobExecutionFilter, sortedBy order: ChronologicalOrder, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<JobExecution>

    /// Goes through executions in bounded memory.
    ///
    /// - Parameters:
    ///   - filter: Which executions.
    ///   - order: The order.
    /// - Returns: The executions; iterating throws `PersistenceError`.
    func stream(
        matching filter: JobExecutionFilter, sortedBy order: ChronologicalOrder
    ) -> ResultStream<JobExecution>

    /// Counts executions.
    ///
    /// - Parameter filter: Which executions.
    /// - Returns: How many there are.
    func count(matching filter: JobExecutionFilter) async throws(PersistenceError) -> Int

    /// Removes executions that ended before a point in time, with their logs.
    ///
    /// - Parameter date: The point in time.
    /// - Returns: How many executions were removed.
    @discardableResult
    func deleteFinished(before date: Date) async throws(PersistenceError) -> Int

    // MARK: Logs

    /// Appends an event to the log of an execution.
    ///
    /// Whether there is such an execution is not looked at, so that logs can be written fast.
    ///
    /// - Parameter event: The event.
    /// - Throws: `PersistenceError` with the code `uniqueViolation` and the constraint ``DomainConstraint/jobEventID`` when
    ///   the identifier has been used.
    func append(_ event: JobEvent) async throws(PersistenceError)

    /// Appends those of many events that have not been appended before, in one round trip.
    ///
    /// - Parameter events: The events, in order; none is fine.
    /// - Returns: The identifiers of those that were appended, in the order given.
    /// - Throws: `PersistenceError` with the code `tooLarge` for more than ``Batch/maximumCount`` events.
    @discardableResult
    func appendManyIfAbsent(_ events: [JobEvent]) async throws(PersistenceError) -> [JobEventID]

    /// Lists the log of an execution page by page, without the events that have expired.
    ///
    /// - Parameters:
    ///   - execution: The execution.
    ///   - order: The order.
    ///   - request: The length of the page and where it begins.
    /// - Returns: The page.
    /// - Throws: `PersistenceError` with the code `invalidArgument` when the cursor is of another list.
    func events(
        of execution: JobExecutionID, sortedBy order: ChronologicalOrder, _ request: KeysetPageRequest
    ) async throws(PersistenceError) -> KeysetPage<JobEvent>

    /// Goes through the log of an execution in bounded memory, without the events that have expired.
    ///
    /// - Parameters:
    ///   - execution: The execution.
    ///   - order: The order.
    /// - Returns: The events; iterating throws `PersistenceError`.
    func eventStream(
        of execution: JobExecutionID, sortedBy order: ChronologicalOrder
    ) -> ResultStream<JobEvent>
}
