import Persistence
import PersistenceCore
import Synchronization

/// Counts what becomes of the lines, on the task that reads and on the one that writes.
final class JobImportTally: Sendable {
    private struct State {
        var result = JobImportResult()
        /// The lines of the batch that is being written.
        var batch: [Int] = []
        /// Those of them that are stored and counted.
        var settled: Set<Int> = []
    }

    private let state = Mutex(State())

    /// What has become of the lines so far.
    var result: JobImportResult { state.withLock(\.result) }

    /// Counts a line that was read.
    ///
    /// - Returns: How many lines were read.
    func begin(fractionRead: Double) -> Int {
        state.withLock { state in
            state.result.fractionRead = fractionRead
            state.result.lines += 1
            return state.result.lines
        }
    }

    /// Notes that the file is read.
    func end() {
        state.withLock { $0.result.fractionRead = 1 }
    }

    /// Notes a line that cannot be used.
    func refuse(_ line: Int, _ reason: String) {
        state.withLock { $0.result.faults.append(.init(line: line, reason: reason)) }
    }

    /// Notes a job that lines are about.
    func see(_ key: JobKey) {
        state.withLock { _ = $0.result.jobs.insert(key) }
    }

    /// Counts an execution, which is new or was known.
    func count(execution isNew: Bool) {
        state.withLock { state in
            if isNew { state.result.executions += 1 } else { state.result.known += 1 }
        }
    }

    /// Begins a batch, or begins it again.
    func begin(batch: [Int]) {
        state.withLock { state in
            guard state.batch != batch else { return }
            state.batch = batch
            state.settled = []
        }
    }

    /// Counts lines that are stored: so many of them are new, and the others were known.
    ///
    /// When a batch is tried again, lines that it has stored before are counted already.
    func settle(_ lines: [Int], activities: Int = 0, events: Int = 0) {
        state.withLock { state in
            guard !lines.allSatisfy(state.settled.contains) else { return }
            state.settled.formUnion(lines)
            state.result.activities += activities
            state.result.events += events
            state.result.known += lines.count - activities - events
        }
    }

    /// Counts lines of a batch that could not be stored.
    func lose(_ lines: [Int], _ error: PersistenceError) {
        state.withLock { state in
            for line in lines where !state.settled.contains(line) {
                state.result.lost.append(.init(line: line, reason: error.description))
            }
        }
    }
}
