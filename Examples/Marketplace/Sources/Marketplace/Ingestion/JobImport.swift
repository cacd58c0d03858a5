import Persistence
import PersistenceCore

/// Stores what a JSON Lines file tells about jobs: metadata of activities, executions and events.
///
/// It knows the repositories' protocols and no database, so that it is tested in memory.
struct JobImport: Sendable {
    let activities: @Sendable (JobKey) -> any ActivityMetadataRepository
    let executions: @Sendable (JobKey) -> any JobExecutionRepository
    var configuration = BufferedWriterConfiguration.standard

    /// A line that waits to be written in a batch.
    fileprivate struct Pending: Sendable {
        enum Content: Sendable {
            case activity(ActivityMetadata)
            case event(JobEvent)
        }

        let line: Int
        let key: JobKey
        let content: Content
    }

    /// Stores every line that can be used; a second run stores nothing twice.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - progress: Told now and then.
    /// - Returns: What became of each line.
    /// - Throws: Errors of the file system, and what an execution met in the database. Lines that a batch could not store
    ///   are in the result.
    func run(file path: String, progress: (JobImportResult) -> Void = { _ in }) async throws -> JobImportResult {
        let tally = JobImportTally()
        let writer = BufferedWriter<Pending>(
            configuration: configuration,
            retryPolicy: RetryPolicy(isRetryable: Self.mayPass),
            sizeOf: { $0.size },
            onLoss: { loss in tally.lose(loss.items.map(\.line), loss.error) },
            write: { batch in
                try await write(batch, tally)
                return []
            })
        try await writer.running {
            var reader = try JSONLinesReader(path: path)
            while let line = try reader.next() {
                let fraction = Double(reader.bytesRead) / Double(max(1, reader.byteCount))
                let count = tally.begin(fractionRead: fraction)
                switch line {
                case .tooLong(let number):
                    tally.refuse(number, "the line is longer than \(JSONLinesReader.maximumLineLength >> 20) MB")
                case .bytes(let bytes, let number):
                    try await store(bytes, number, writer, tally)
                }
                if count.isMultiple(of: 500) { progress(tally.result) }
            }
        }
        tally.end()
        progress(tally.result)
        return tally.result
    }

    private func store(
        _ bytes: [UInt8], _ number: Int, _ writer: BufferedWriter<Pending>, _ tally: JobImportTally
    ) async throws {
        let record: JobRecord
        do throws(JobRecordFault) {
            record = try JobRecord(json: bytes)
        } catch {
            tally.refuse(number, error.reason)
            return
        }
        let key = JobKey(workspace: record.workspace, job: record.job)
        tally.see(key)
        switch record.content {
        case .activity(let metadata):
            try await writer.write(Pending(line: number, key: key, content: .activity(metadata)))
        case .event(let event):
            try await writer.write(Pending(line: number, key: key, content: .event(event)))
        case .execution(let execution):
            tally.count(execution: try await store(execution, in: executions(key)))
        }
    }

    /// Takes an execution to its state, from wherever an earlier run has left it.
    ///
    /// - Returns: Whether anything was to be done.
    private func store(
        _ record: ExecutionRecord, in executions: any JobExecutionRepository
    ) async throws -> Bool {
        let before = try await executions.execution(id: record.id)
        var execution: JobExecution
        if let before {
            execution = before
        } else {
            execution = try await executions.create(NewJobExecution(id: record.id, context: record.context))
        }
        if execution.state == .queued, ![.queued, .cancelled].contains(record.state) {
            execution = try await executions.advance(
                execution.id, by: .start(worker: record.worker ?? Label("import")), expecting: execution.version)
        }
        if let step = record.end, step.sources.contains(execution.state) {
            execution = try await executions.advance(execution.id, by: step, expecting: execution.version)
        }
        return execution != before
    }

    /// Whether an error may be gone at the next attempt.
    ///
    /// Storing twice does no harm, so it need not be known whether this one has stored anything.
    @Sendable
    private static func mayPass(_ error: any Error) -> Bool {
        guard let error = error as? PersistenceError else { return false }
        return error.retrySafety != .unsafe || [.connection, .timeout, .unavailable].contains(error.code)
    }

    /// Stores a batch, job by job, and counts what is new.
    private func write(_ batch: [Pending], _ tally: JobImportTally) async throws {
        tally.begin(batch: batch.map(\.line))
        for (key, items) in Dictionary(grouping: batch, by: \.key) {
            let metadata = items.compactMap(\.metadata)
            if !metadata.isEmpty {
                let new = try await activities(key).insertManyIfAbsent(metadata).count
                tally.settle(items.lines(where: \.metadata), activities: new)
            }
            let events = items.compactMap(\.event)
            if !events.isEmpty {
                let new = try await executions(key).appendManyIfAbsent(events).count
                tally.settle(items.lines(where: \.event), events: new)
            }
        }
    }
}

extension JobImport.Pending {
    fileprivate var metadata: ActivityMetadata? {
        if case .activity(let metadata) = content { metadata } else { nil }
    }

    fileprivate var event: JobEvent? {
        if case .event(let event) = content { event } else { nil }
    }

    fileprivate var size: Int {
        switch content {
        case .activity(let metadata): 256 + metadata.payload.encodedSize
        case .event(let event): 256 + event.payload.encodedSize
        }
    }
}

extension [JobImport.Pending] {
    fileprivate func lines<Value>(where value: (Element) -> Value?) -> [Int] {
        filter { value($0) != nil }.map(\.line)
    }
}

extension ExecutionRecord {
    /// The step into the state in which it ended, if it did.
    fileprivate var end: JobTransition? {
        switch state {
        case .queued, .running: nil
        case .succeeded: .succeed
        case .failed: failure.map(JobTransition.fail)
        case .cancelled: .cancel
        }
    }
}
